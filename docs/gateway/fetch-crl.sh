#!/bin/bash
# Fetches the authority's certificates and revocation lists for a gateway and tells it to reload. Run it every five minutes:
#   fetch-crl.sh https://pickup.example.jp /etc/nginx/followup "systemctl reload nginx"
# annai says which issuing CAs count: the one that signs now, and earlier ones whose certificates are still about. Nothing
# is replaced unless everything was fetched, every list is signed by its authority, and no list is out of date; so a
# disturbance leaves the last good state, and the gateway itself refuses everybody once a list has run out.
set -euo pipefail
url=$1 dir=$2 reload=$3
new=$(mktemp -d "$dir/.new.XXXXXX")
trap 'rm -rf "$new"' EXIT

ids=$(curl -fsS --max-time 20 "$url/ca/ids.txt")
[[ "$ids" =~ ^[0-9a-f[:space:]]+$ ]] || { echo "$url/ca/ids.txt is no list of CAs" >&2; exit 1; }
# shellcheck disable=SC2086 # several ids
set -- $ids

for name in root "$@"; do
    curl -fsS --max-time 20 -o "$new/$name.crt" "$url/ca/$name.crt"
    curl -fsS --max-time 20 -o "$new/$name.crl" "$url/crl/$name.crl"
    openssl x509 -inform DER -in "$new/$name.crt" -out "$new/$name.pem"
    # Older versions of openssl say "verify failure" and still exit with 0.
    openssl crl -inform DER -in "$new/$name.crl" -CAfile "$new/$name.pem" -out "$new/$name.crl.pem" 2> "$new/said"
    grep -q "verify OK" "$new/said" || { echo "$name.crl is not signed by $name.crt" >&2; exit 1; }
    until=$(openssl crl -in "$new/$name.crl.pem" -noout -nextupdate | cut -d= -f2)
    [ "$(date -d "$until" +%s)" -gt "$(date +%s)" ] || { echo "$name.crl has run out on $until" >&2; exit 1; }
done

# The issuing CAs first, the root last.
for name in "$@" root; do cat "$new/$name.pem"; done > "$new/clients.pem"
for name in "$@" root; do cat "$new/$name.crl.pem"; done > "$new/crl.pem"
# For Caddy, which reads one certificate of a file: a file for each issuing CA, and a snippet that names them.
{ echo "(clients) {"; for name in "$@"; do printf '\ttrusted_ca_cert_file %s/%s.pem\n' "$dir" "$name"; done; echo "}"; } \
    > "$new/clients.caddy"
# Serial numbers as decimal numbers. 0 belongs to no certificate.
for name in "$@"; do openssl crl -in "$new/$name.crl.pem" -noout -text; done |
    sed -n 's/^ *Serial Number: *//p' |
    python3 -c 'import sys
numbers = ["0"] + [str(int(line, 16)) for line in sys.stdin]
print("(revoked) {\n\t@revoked vars {http.request.tls.client.serial} " + " ".join(numbers) + "\n}")' \
    > "$new/revoked.caddy"

changed=no
for file in clients.pem crl.pem "${@/%/.pem}" clients.caddy revoked.caddy; do
    cmp -s "$new/$file" "$dir/$file" || { changed=yes; mv "$new/$file" "$dir/$file"; }
done
if [ "$changed" = yes ]; then eval "$reload"; fi
