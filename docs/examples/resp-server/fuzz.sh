#!/usr/bin/env bash
# Runs the fuzz target:
#
#     fuzz.sh PROGRAM
#
# for UVA_FUZZ_SECONDS seconds (10), beginning with the requests below. What it
# finds of interest is kept in UVA_FUZZ_CORPUS, if that names a directory.
# The dollars in the requests are the protocol's.
# shellcheck disable=SC2016
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
corpus=${UVA_FUZZ_CORPUS:-$scratch/corpus}
mkdir -p "$corpus" "$scratch/seeds"

# seed NAME HOW LINE...: what HOW, a byte, says is in fuzz.c.
seed() {
    local file=$scratch/seeds/$1
    printf '%b' "$2" >"$file"
    shift 2
    printf '%b\r\n' "$@" >>"$file"
}

# bulk WORD...: as a client sends it.
bulk() {
    printf '*%d\\r\\n' "$#"
    local word
    for word in "$@"; do
        printf '$%d\\r\\n%s\\r\\n' "${#word}" "$word"
    done
}

seed set '\0' "$(bulk SET key value)$(bulk GET key)$(bulk MGET key b)"
seed count '\0' 'INCR a' 'DECR a' 'INCRBY a 7' 'DECRBY a 3' 'STRLEN a'
seed limits '\0' 'SET a 9223372036854775807' 'INCR a' 'APPEND a x' 'INCR a'
seed options '\0' 'SET a 1 NX' 'SET a 2 XX KEEPTTL' 'SET a 3 EX 9 PX 3'
seed expire '\0200' 'SET a 1 PX 10' 'SET b 1 EX 1' 'TTL a' 'PTTL b' \
    'PERSIST b' 'PEXPIRE b 20' 'EXPIRE b 1' 'SELECT 3' 'EXISTS a b'
seed scan '\0' 'MSET a 1 b 2 c 3 d 4' 'SCAN 0 COUNT 2 MATCH "[a-c]*"' \
    'KEYS *' 'SCAN 17' 'DEL a b' 'TYPE c' 'DBSIZE' 'FLUSHALL ASYNC' 'FLUSHDB'
seed server '\0' 'PING' 'PING "a\\nb"' 'ECHO x' 'INFO' 'COMMAND' \
    'COMMAND COUNT' 'COMMAND LIST' 'COMMAND DOCS' 'CONFIG GET save' \
    'CLIENT SETNAME x' 'NONE "\\x0d\\x0a"' 'QUIT'
seed pieces '\1' "$(bulk SET key value)$(bulk GET key)"
seed pauses '\0203' "$(bulk SET a b PX 5)$(bulk GET a)"
seed broken '\0' '*2\r\n$3\r\nGET\r\n:1'
seed nested '\0' '*1\r\n*1\r\n$4\r\nPING'
seed empty '\0' '*0\r\n*-1\r\n*1\r\n$-1'
seed long '\0' '*1\r\n$999999\r\nx'

cd "$scratch" # where libFuzzer writes what breaks
if "$1" -max_total_time="${UVA_FUZZ_SECONDS:-10}" -max_len=2048 \
    -timeout=10 -print_final_stats=1 "$corpus" "$scratch/seeds"; then
    exit 0
fi
for file in crash-* leak-* timeout-*; do
    [ -e "$file" ] && od -c "$file"
done
exit 1
