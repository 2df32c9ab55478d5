#!/usr/bin/env bash
# The pipeline benchmark: N registration mails from Dovecot through `annai serve --once` to smtp-sink, and the same through
# careful.py. Needs root, dovecot-imapd, postfix (smtp-sink), python3; build first: cargo build --release
#   benches/pipeline/run.sh [MAILS=10000] [RUNS=3] [PEER_RUNS=1]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
annai=${ANNAI:-$here/../../target/release/annai}
mails=${1:-10000} runs=${2:-3} peer_runs=${3:-1}
work=$(mktemp -d)
imap=$((20000 + RANDOM % 10000)) smtp=$((30001 + RANDOM % 10000))
chmod 755 "$work"

finish() {
  [ -f "$work/run/master.pid" ] && kill "$(cat "$work/run/master.pid")" 2>/dev/null || true
  [ -n "${sink:-}" ] && kill "$sink" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

mkdir -p "$work/run" "$work/home"
echo "covid19:{PLAIN}pw:64999:64999::$work/home" > "$work/users"
cat > "$work/dovecot.conf" <<CONF
base_dir = $work/run
state_dir = $work/run
log_path = $work/dovecot.log
protocols = imap
listen = 127.0.0.1
mail_location = maildir:~/Maildir
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1000
passdb {
  driver = passwd-file
  args = scheme=PLAIN $work/users
}
userdb {
  driver = passwd-file
  args = $work/users
}
namespace inbox {
  inbox = yes
}
service imap-login {
  inet_listener imap {
    port = $imap
  }
  inet_listener imaps {
    port = 0
  }
}
CONF
dovecot -c "$work/dovecot.conf"
smtp-sink -u nobody "127.0.0.1:$smtp" 1000 & sink=$!

"$annai" init "$work/annai" > /dev/null
python3 "$here/mails.py" "$mails" "$work/Maildir" "$work/annai/rules"
# Receipts leave at once; the welcome letters of some 15 tenants a mail stay planned for 2030, outside what is measured.
sed -i 's/^window = .*/window = "always"/; s/^# from = .*/from = 2030-04-01/' "$work/annai/rules/schedule.toml"
echo pw > "$work/annai/secrets/imap-password"
chmod 600 "$work/annai/secrets/imap-password"
cat > "$work/annai/annai.toml" <<CONF
state_dir = "state"
rules_dir = "rules"
templates_dir = "templates"
[imap]
host = "127.0.0.1"
port = $imap
tls = "none"
user = "covid19"
password_file = "secrets/imap-password"
[smtp]
host = "127.0.0.1"
port = $smtp
tls = "none"
connections = ${CONNECTIONS:-4}
[mail]
from = "noreply@followup.mhlw.go.jp"
contractor = "covid19@bigtreetc.com"
ministry = "follow-up@mhlw.go.jp"
bounce = "bounce@followup.mhlw.go.jp"
[web]
pickup_url = "https://pickup.followup.mhlw.go.jp"
[keys]
master_key_file = "secrets/master.key"
[log]
level = "warn"
[test]
enabled = true
CONF

fresh() {
  rm -rf "$work/home" "$work/annai/state" "$work/peer.db"*
  mkdir -p "$work/home"
  cp -r "$work/Maildir" "$work/home/Maildir"
  chown -R 64999:64999 "$work/home"
  python3 - "$imap" <<'PY'
import imaplib, sys
box = imaplib.IMAP4("127.0.0.1", int(sys.argv[1])); box.login("covid19", "pw"); box.select(readonly=True); box.fetch("1:*", "(UID FLAGS)"); box.logout()
PY
}
timed() { # label command…
  local label=$1; shift
  /usr/bin/time -f '%e %U %S %M' -o "$work/time" "$@" > "$work/out" 2> "$work/err" || { cat "$work/out" "$work/err"; exit 1; }
  read -r wall user system peak < <(tail -n 1 "$work/time")
  awk -v l="$label" -v n="$mails" -v w="$wall" -v u="$user" -v s="$system" -v m="$peak" \
    'BEGIN { printf "%-10s %8.0f mails/s  wall %6.2f s  cpu %6.2f s  peak %4.0f MB\n", l, n / w, w, u + s, m / 1024 }'
}

for _ in $(seq "$runs"); do
  fresh
  ANNAI_NOW=2020-04-20T10:00:00+09:00 timed annai "$annai" serve --config "$work/annai/annai.toml" --once
  cat "$work/out"
done
for _ in $(seq "$peer_runs"); do
  fresh
  timed careful python3 "$here/careful.py" "$imap" "$smtp" "$work/peer.db"
done
