#!/usr/bin/env bash
# Runs the fuzz target:
#
#     fuzz.sh PROGRAM
#
# for UVA_FUZZ_SECONDS seconds (10), beginning with the requests below. What it
# finds of interest is kept in UVA_FUZZ_CORPUS, if that names a directory.
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
corpus=${UVA_FUZZ_CORPUS:-$scratch/corpus}
mkdir -p "$corpus" "$scratch/seeds"

# seed NAME BYTES: what the first byte says is in fuzz.c.
seed() { printf '%b' "$2" >"$scratch/seeds/$1"; }
seed get '\0GET /a HTTP/1.1\r\nHost: x\r\n\r\n'
seed cut '\0101HEAD /%61 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
seed pipeline '\0GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.0\r\n\r\n'
seed fields '\0GET /a HTTP/1.1\r\nHost: x\r\nIf-None-Match: "1", *\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n'
seed echo '\0143POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n{"a":[]}'
seed chunks '\0POST /api/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n[1,\r\n2\r\n2]\r\n0\r\nT: x\r\n\r\n'
seed paths '\0GET http://x/../%2e%2e/a?b HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'
seed many "\\0$(for _ in $(seq 120); do
    printf '%s' 'GET /hello HTTP/1.1\r\nHost:\r\n\r\n'
done)?"
seed half '\0202GET /a HTTP/1.1\r\nHost:'
seed connect '\0CONNECT a:1 HTTP/1.1\r\nHost: x\r\n\r\n'

cd "$scratch" # where libFuzzer writes what breaks
if "$1" -max_total_time="${UVA_FUZZ_SECONDS:-10}" -max_len=8192 \
    -timeout=10 -print_final_stats=1 "$corpus" "$scratch/seeds"; then
    exit 0
fi
for file in crash-* leak-* timeout-*; do
    [ -e "$file" ] && od -c "$file"
done
exit 1
