#!/usr/bin/env bash
# What an idle connection takes of the server's memory:
#
#     idle.sh SERVER CLIENT [CONNECTIONS]
#
# SERVER is http-server, CLIENT idle-client. The connections (10,000) are
# opened, get one answer each, and stay; then each gets one more. Prints the
# growth of the server's memory for each connection, in bytes.
set -eu

server=${1:?usage: idle.sh SERVER CLIENT [CONNECTIONS]}
client=${2:?usage: idle.sh SERVER CLIENT [CONNECTIONS]}
count=${3:-10000}
scratch=$(mktemp -d)
pids=()
cleanup() {
    [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2>/dev/null || true
    rm -rf "$scratch"
}
trap cleanup EXIT

# wait_for PATTERN FILE: prints the line.
wait_for() {
    for _ in $(seq 600); do
        sed -n "/$1/{p;q}" "$2" | grep . && return
        sleep 0.1
    done
    echo "no '$1' in a minute" >&2
    exit 1
}
memory_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$1/status"; }

if [ "$(ulimit -Hn)" != unlimited ] && [ "$(ulimit -Hn)" -lt $((count + 50)) ]
then
    echo "skipped: at most $(ulimit -Hn) descriptors are allowed"
    exit 77
fi
"$server" --port 0 --idle-timeout 0 >"$scratch/out" &
pids+=($!)
line=$(wait_for listening "$scratch/out")
mkfifo "$scratch/go"
"$client" "${line##*:}" "$count" <"$scratch/go" >"$scratch/client" &
pids+=($!)
before=$(memory_kb "${pids[0]}")
exec 3>"$scratch/go" # the client goes on when this is closed
wait_for "idle $count" "$scratch/client" >/dev/null
after=$(memory_kb "${pids[0]}")
exec 3>&-
wait_for "served $count" "$scratch/client" >/dev/null
echo "$count idle connections, then served: $(((after - before) * 1024 / \
    count)) bytes each ($before KiB before, $after KiB after)"
