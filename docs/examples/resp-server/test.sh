#!/usr/bin/env bash
# Talks to the server as redis-cli, redis-benchmark and rude clients do, and
# checks its answers:
#
#     test.sh PROGRAM
#
# Needs redis-cli; the rude clients need python3, and are left out without it.
set -u

# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
program=${1:?usage: test.sh PROGRAM}
here=$(dirname "${BASH_SOURCE[0]}")
scratch=$(mktemp -d)
server=

cleanup() {
    [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

if ! command -v redis-cli >/dev/null; then
    echo "skipped: redis-cli is not installed (Debian: redis-tools)"
    exit 77
fi

is_sanitized() { ldd "$program" | grep -q 'lib[at]san\|lib.*ubsan'; }

# start OPTION...: sets server and port.
start() {
    : >"$scratch/out"
    (
        [ -z "${memory_kb:-}" ] || ulimit -v "$memory_kb"
        exec "$program" --port 0 "$@"
    ) >"$scratch/out" 2>"$scratch/err" &
    server=$!
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$scratch/out")
        [ -n "$port" ] && return
        sleep 0.05
    done
    echo "FAILED the server does not start: $(cat "$scratch/err")"
    exit 1
}

# ended NAME STATUS: it has ended so, and has said nothing.
ended() {
    wait "$server"
    check "status after $1" "$?" "$2"
    check "standard error after $1" "$(cat "$scratch/err")" ""
    server=
}

# stop NAME SIGNAL
stop() {
    kill -"$2" "$server"
    ended "$1" 0
}

cli() { redis-cli -p "$port" --no-raw "$@"; }

# reply COMMAND... -- WANTED: what redis-cli shows.
reply() {
    local words=()
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    check "${words[*]}" "$(cli "${words[@]}" | sed '/^$/d')" "$2"
}

not_integer='(error) ERR value is not an integer or out of range'
syntax='(error) ERR syntax error'

test_values() {
    cli flushall >/dev/null
    reply set a 1 -- OK
    reply get a -- '"1"'
    reply GeT a -- '"1"'
    reply get none -- '(nil)'
    reply set a 2 nx -- '(nil)'
    reply set b 2 nx -- OK
    reply set none 2 xx -- '(nil)'
    reply set a 3 xx -- OK
    reply set a 1 nx xx -- "$syntax"
    reply set a 1 maybe -- "$syntax"
    reply mget a none b -- $'1) "3"\n2) (nil)\n3) "2"'
    reply mset c 5 d "two words" c 6 -- OK
    reply mget c d -- $'1) "6"\n2) "two words"'
    reply mset c 5 d -- \
        "(error) ERR wrong number of arguments for 'mset' command"
    reply append d ! -- '(integer) 10'
    reply append new text -- '(integer) 4'
    reply append none '' -- '(integer) 0'
    reply strlen d -- '(integer) 10'
    reply strlen nothing -- '(integer) 0'
    reply exists a b nothing a -- '(integer) 3'
    reply del a b nothing -- '(integer) 2'
    reply unlink c -- '(integer) 1'
    reply type d -- string
    reply type a -- none
    reply get -- "(error) ERR wrong number of arguments for 'get' command"
    reply get a b -- "(error) ERR wrong number of arguments for 'get' command"
    reply nothing at all -- "(error) ERR unknown command 'nothing'"
}

test_counting() {
    cli flushall >/dev/null
    reply incr n -- '(integer) 1'
    reply incrby n 41 -- '(integer) 42'
    reply decr n -- '(integer) 41'
    reply decrby n 50 -- '(integer) -9'
    reply get n -- '"-9"'
    reply incrby n ten -- "$not_integer"
    reply incrby n 1.5 -- "$not_integer"
    reply incrby n 9223372036854775808 -- "$not_integer"
    reply set t text -- OK
    reply incr t -- "$not_integer"
    reply set t 007 -- OK
    reply incr t -- "$not_integer"
    reply set n 9223372036854775807 -- OK
    reply incr n -- '(error) ERR increment or decrement would overflow'
    reply decr n -- '(integer) 9223372036854775806'
    reply set n -9223372036854775808 -- OK
    reply decr n -- '(error) ERR increment or decrement would overflow'
    reply decrby n -9223372036854775808 -- \
        '(error) ERR decrement would overflow'
}

# in_ms KEY: what PTTL says, as a number alone.
in_ms() { redis-cli -p "$port" pttl "$1"; }

test_expiry() {
    local bad="(error) ERR invalid expire time in"
    cli flushall >/dev/null
    reply ttl none -- '(integer) -2'
    reply set a 1 ex 100 -- OK
    reply ttl a -- '(integer) 100'
    check_range "pttl" "$(in_ms a)" 90000 100000
    reply set a 2 keepttl -- OK
    check_range "pttl after keepttl" "$(in_ms a)" 90000 100000
    reply incr a -- '(integer) 3'
    check_range "pttl after incr" "$(in_ms a)" 90000 100000
    reply persist a -- '(integer) 1'
    reply persist a -- '(integer) 0'
    reply ttl a -- '(integer) -1'
    reply expire a 50 -- '(integer) 1'
    check_range "pttl after expire" "$(in_ms a)" 40000 50000
    reply set a 4 -- OK
    reply ttl a -- '(integer) -1'
    reply pexpire a 30000 -- '(integer) 1'
    check_range "pttl after pexpire" "$(in_ms a)" 20000 30000
    reply mset a 5 -- OK
    reply pttl a -- '(integer) -1'
    reply expire a 0 -- '(integer) 1'
    reply get a -- '(nil)'
    reply expire a 10 -- '(integer) 0'
    reply expire a soon -- "$not_integer"
    reply expire a 9223372036854775807 -- "$bad 'expire' command"
    reply set a 1 ex 0 -- "$bad 'set' command"
    reply set a 1 ex 9223372036854775807 -- "$bad 'set' command"
    reply set a 1 ex ten -- "$not_integer"
    reply set a 1 ex -- "$syntax"
    reply set a 1 ex 1 px 1 -- "$syntax"
    reply set a 1 ex 1 keepttl -- "$syntax"
    reply set a 1 px 60 -- OK
    reply set b 2 px 60 nx -- OK
    sleep 0.1
    reply get a -- '(nil)'
    reply ttl a -- '(integer) -2'
    reply exists a b -- '(integer) 0'
    reply set b 3 nx -- OK
    reply ttl b -- '(integer) -1'
}

test_keys() {
    local keys
    cli flushall >/dev/null
    reply keys '*' -- '(empty array)'
    reply mset one 1 two 2 three 3 -- OK
    check "keys" "$(redis-cli -p "$port" keys 't*' | sort | xargs)" "three two"
    reply keys '[^t]?e' -- '1) "one"'
    reply dbsize -- '(integer) 3'
    keys=$(redis-cli -p "$port" --scan --pattern '*o*' | sort | xargs)
    check "scan" "$keys" "one two"
    reply scan x -- '(error) ERR invalid cursor'
    reply scan 0 count -- "$syntax"
    reply scan 0 count 0 -- "$syntax"
    reply scan 0 count x -- "$not_integer"
    reply scan 0 match "$(printf '*%.0s' {1..300})" -- \
        '(error) ERR pattern is too long'
    reply keys "$(printf '*%.0s' {1..300})" -- \
        '(error) ERR pattern is too long'
    reply select 16 -- '(error) ERR DB index is out of range'
    reply select -1 -- '(error) ERR DB index is out of range'
    check "another database" "$(cli -n 3 set a 1; cli -n 3 dbsize)" \
        $'OK\n(integer) 1'
    reply exists a -- '(integer) 0'
    check "flushdb" "$(cli -n 3 flushdb; cli -n 3 dbsize)" $'OK\n(integer) 0'
    reply flushall now -- "$syntax"
    reply flushall async -- OK
    reply dbsize -- '(integer) 0'
}

test_server() {
    reply ping -- PONG
    reply ping "two words" -- '"two words"'
    reply echo "" -- '""'
    reply quit -- OK
    reply config get save -- $'1) "save"\n2) ""'
    reply config get none -- '(empty array)'
    reply config set a b -- '(error) ERR only CONFIG GET name is known'
    reply client setname me -- OK
    reply client kill -- "(error) ERR unknown subcommand 'kill'"
    reply command count -- '(integer) 32'
    check "command" "$(redis-cli -p "$port" command list | wc -l)" 32
    check "its order" \
        "$(redis-cli -p "$port" command list | sort -c && echo ok)" ok
    check "arity" \
        "$(redis-cli -p "$port" command | grep -A1 '^m\?get$' | xargs)" \
        "get 2 -- mget -2"
    reply command docs -- '(empty array)'
    reply command nothing -- "$syntax"
    cli set a 1 >/dev/null
    check "info" "$(redis-cli -p "$port" info | tr -d '\r' |
        grep -c '^connected_clients:1$\|^db0:keys=1$\|^expired_keys:')" 3
}

# benchmark OPTION...: says what is wrong with it.
benchmark() {
    redis-benchmark -p "$port" --csv -n 10000 -c 20 "$@" \
        >"$scratch/bench" 2>&1 || echo "status $?"
    grep -i 'err\|warn' "$scratch/bench"
}

descriptors() { find "/proc/$server/fd" | wc -l; }
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$server/status"; }

# The second round leaves the server as the first one did.
test_load() {
    local before_fd before_kb
    command -v redis-benchmark >/dev/null || return
    for round in 1 2; do
        for depth in 1 16; do
            check "benchmark -P $depth" "$(benchmark -P "$depth" -r 1000 \
                -t ping,set,get,incr,mset)" ""
            check "its lines" "$(grep -c '^"' "$scratch/bench")" 7
        done
        check "large values" "$(benchmark -n 1000 -d 100000 -t set,get)" ""
        cli flushall >/dev/null
        sleep 0.2
        [ "$round" = 1 ] && before_fd=$(descriptors) before_kb=$(resident_kb)
    done
    check "descriptors after load" "$(descriptors)" "$before_fd"
    if ! is_sanitized; then # which keeps what is freed
        check_range "kilobytes after load" "$(resident_kb)" 0 \
            $((before_kb + 4096))
    fi
}

# rude TEST...
rude() {
    SERVER=$server python3 "$here/rude_client.py" "$port" "$@"
    check "rude_client.py $*" "$?" 0
}

start
test_values
test_counting
test_expiry
test_keys
test_server
test_load
if command -v python3 >/dev/null; then
    rude binary pipelined long_pipeline nonsense resets counting scanning \
        expiring
fi
reply ping -- PONG
check "a port in use" "$("$program" --port "$port" 2>&1; echo "$?")" \
    "resp-server: 127.0.0.1:$port: address already in use"$'\n1'
stop SIGINT INT

if command -v python3 >/dev/null; then
    start --value-limit 1000 --argument-limit 10 --request-limit 3000 --limit 4
    rude limits
    stop "limits" TERM
    start --value-limit 1000 --idle-timeout 1000
    rude stalling
    stop "stalling" TERM
    start
    rude stopping
    ended "stopping" 0
    start
    rude stopping_twice
    ended "a second signal" 143
    if ! is_sanitized; then
        memory_kb=700000 start
        rude exhausting
        kill -TERM "$server"
        wait "$server"
        check "status without memory" "$?" 0
    fi
    start --grace 100
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '*1\r\n' >&3
    reply ping -- PONG
    stop "a short grace" TERM
    exec 3<&-
else
    echo "skipped: rude clients: python3 is not installed"
fi

check "an unknown option" "$("$program" --nothing 2>&1 | sed -n 2p)" \
    "usage: resp-server [OPTION]..."
check "a bad number" "$("$program" --port x 2>&1)" \
    "resp-server: not a number in range: x"

checks_end
