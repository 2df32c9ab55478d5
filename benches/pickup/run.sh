#!/usr/bin/env bash
# How many pick-up pages a second the daemon answers while it works: the demo reads, files and sends at full speed (a day
# takes half a second), and wrk asks for the page of an open pick-up over loopback. Needs wrk and curl; build first:
#   cargo build --release && benches/pickup/run.sh [SECONDS=10] [CONNECTIONS=8]
# Wanted: 2,000 a second or more, 99 of 100 within 20 ms.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
annai=${ANNAI:-$here/../../target/release/annai}
seconds=${1:-10} connections=${2:-8}
work=$(mktemp -d)
port=$((20000 + RANDOM % 10000))
TMPDIR=$work "$annai" demo --speed 0.5 --port "$port" > "$work/log" & demo=$!
finish() { kill "$demo" 2> /dev/null || true; wait "$demo" 2> /dev/null || true; rm -rf "$work"; }
trap finish EXIT

# The console has the first port, the mailboxes the next. The first notice that has arrived anywhere; its page stays open for thirty days of the story, fifteen seconds.
box=hokensho@city.oita-mihon.lg.jp url=
for _ in $(seq 600); do
    for no in 2 3; do
        mail=$(curl -fsS "http://127.0.0.1:$((port + 1))/mailbox/$box/$no" 2> /dev/null) || continue
        url=$(grep -o 'href="http:[^"]*p&#x2f;[^"]*"' <<< "$mail" | sed 's/^href="//; s/"$//; s/&#x2f;/\//g') && break 2
    done
    sleep 0.1
done
[ -n "$url" ] || { echo "no notice has arrived" >&2; exit 1; }
wrk -t 1 -c "$connections" -d "${seconds}s" --latency "$url"
curl -fsS "http://127.0.0.1:$((port + 1))/demo.json" |
    python3 -c 'import json, sys; d = json.load(sys.stdin); print("meanwhile: day", d["day"], "of", d["days"], d["counts"])'
