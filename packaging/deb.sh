#!/bin/bash
# Makes a Debian package from a binary that was built already: packaging/deb.sh [BINARY [DIRECTORY]]
# [default: target/release/annai, the present directory]. Needs dpkg-deb, nothing else; the same input gives the same bytes.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$0")/.." && pwd)
binary=${1:-$here/target/release/annai}
out=${2:-.}
[ -x "$binary" ] || { echo "$binary is no program; build it with: cargo build --release --locked" >&2; exit 1; }

version=$("$binary" --version | cut -d' ' -f2)
arch=$(dpkg --print-architecture)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
put() { install -D -m "$1" "$2" "$root/$3"; }

put 0755 "$binary" usr/bin/annai
put 0644 "$here/packaging/debian/sysusers.conf" usr/lib/sysusers.d/annai.conf
install -d "$root/usr/lib/systemd/system"
sed 's,/usr/local/bin/annai,/usr/bin/annai,' "$here/systemd/annai.service" > "$root/usr/lib/systemd/system/annai.service"
chmod 0644 "$root/usr/lib/systemd/system/annai.service"

"$binary" man "$root/usr/share/man/man1"
gzip -9n "$root"/usr/share/man/man1/*.1
install -d "$root"/usr/share/{bash-completion/completions,zsh/vendor-completions,fish/vendor_completions.d}
"$binary" completion bash > "$root/usr/share/bash-completion/completions/annai"
"$binary" completion zsh > "$root/usr/share/zsh/vendor-completions/_annai"
"$binary" completion fish > "$root/usr/share/fish/vendor_completions.d/annai.fish"

doc=usr/share/doc/annai
for file in README.md README.ja.md ARCHITECTURE.md docs/operations.ja.md; do put 0644 "$here/$file" "$doc/$(basename "$file")"; done
gzip -9n < "$here/CHANGELOG.md" > "$root/$doc/changelog.gz"
{ echo "annai is licensed under MIT or Apache-2.0, at your choice."; echo; cat "$here/LICENSE-MIT"; } > "$root/$doc/copyright"
chmod 0644 "$root/$doc"/*

install -d "$root/DEBIAN"
size=$(du -sk --exclude=DEBIAN "$root" | cut -f1)
sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" "$here/packaging/debian/control" \
    > "$root/DEBIAN/control"
for script in postinst prerm postrm; do install -m 0755 "$here/packaging/debian/$script" "$root/DEBIAN/$script"; done
(cd "$root" && find usr -type f -print0 | sort -z | xargs -0 md5sum) > "$root/DEBIAN/md5sums"
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-1588291200}" {} +
file="$out/annai_${version}_$arch.deb"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-1588291200} dpkg-deb --root-owner-group --build "$root" "$file" > /dev/null
echo "$file"
