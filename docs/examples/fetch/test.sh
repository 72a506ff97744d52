#!/usr/bin/env bash
# Fetches from servers of its own (server.py), http and https:
#
#     test.sh FETCH SESSION_TEST
set -u

fetch=$1
session_test=$2
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
scratch=$(mktemp -d)
servers=()
export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost

cleanup() {
    local server
    for server in "${servers[@]}"; do
        kill -KILL "$server" && wait "$server"
    done 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

# start [CERTIFICATE KEY]: sets port.
start() {
    python3 "$here/server.py" "$@" >"$scratch/out" 2>"$scratch/err" &
    servers+=($!)
    port=
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening on 127.0.0.1://p' "$scratch/out")
        [ -n "$port" ] && return
        sleep 0.05
    done
    echo "FAILED server.py does not start: $(cat "$scratch/err")"
    exit 1
}

# run ARGUMENTS...: sets lines (sorted, without sizes and times), status and ms.
run() {
    local began
    began=$(now_ms)
    timeout 50 "$fetch" "$@" >"$scratch/lines" 2>"$scratch/errors"
    status=$?
    ms=$(($(now_ms) - began))
    lines=$(sed 's/  ([0-9]* bytes, [0-9]* ms)$//' "$scratch/lines" |
        LC_ALL=C sort)
}

# Ten answers of 200 ms each, in turn and at once.
test_times() {
    local urls=() sequential
    for i in $(seq 10); do
        urls+=("$http/slow/200?$i")
    done
    run -j 1 "${urls[@]}"
    check "status in turn" "$status" 0
    check "answers in turn" "$(grep -c '^200 ' <<<"$lines")" 10
    check_range "ms in turn" "$ms" 2000 20000
    sequential=$ms
    run -j 10 "${urls[@]}"
    check "status at once" "$status" 0
    check "answers at once" "$(grep -c '^200 ' <<<"$lines")" 10
    check_range "ms at once" "$ms" 200 $((sequential / 2))
    run -j 5 "${urls[@]}"
    check_range "ms for five at a time" "$ms" 400 $((sequential * 4 / 5))
}

test_session() {
    run -j 1 -b "$http/bytes/3" "$http/bytes/2" "$http/connections"
    check "bodies" "$(sed -n '2p' "$scratch/lines" | cut -c1-3)" xxx
    local before after
    before=$(sed -n 's/^\([0-9]*\) connections/\1/p' "$scratch/lines")
    run -j 1 -b "$http/bytes/3" "$http/bytes/2" "$http/connections"
    after=$(sed -n 's/^\([0-9]*\) connections/\1/p' "$scratch/lines")
    check "one connection for a session" "$((after - before))" 1
    run "$http/bytes/1000000" "$http/moved"
    check "sizes" "$(sed 's/.*(\(.*\) bytes.*/\1/' "$scratch/lines" | sort)" \
        $'1000000\n5'
}

# Each URL has its own result, however the others fare.
test_failures() {
    run -t 700 -m 1000 "$http/status/404" "$http/hang" "$http/reset" \
        "$http/short" "$http/bytes/2000" "$http/bytes/20" \
        http://127.0.0.1:1/ http://no.such.host.invalid/ gopher://a/ 'http://['
    check "status" "$status" 1
    check "404" "$(grep -c "^404  $http/status/404" <<<"$lines")" 1
    check "a success among failures" \
        "$(grep -c "^200  $http/bytes/20$" <<<"$lines")" 1
    check "a timeout" \
        "$(grep -c "^failed  $http/hang  (connection timed out)" \
            <<<"$lines")" 1
    check "a reset" "$(grep -c "^failed  $http/reset  (.*[Rr]eset" \
        <<<"$lines")" 1
    check "failures" "$(grep -c '^failed  ' <<<"$lines")" 8
    check_range "ms" "$ms" 700 10000
}

# What is cut is taken back at once, not when the session ends: the server
# has noticed while the next URL is fetched.
test_taken_back() {
    run -j 1 -t 1000 -b "$http/hang" "$http/hung-up/2"
    check "the server noticed" "$(grep -c '^2 hung up' "$scratch/lines")" 1
}

test_progress() {
    run -p "$http/slow/300" "$http/bytes/100000"
    check "progress" \
        "$(tr '\r' '\n' <"$scratch/errors" | grep -c '1 of 2, 97 KiB')" \
        "$(tr '\r' '\n' <"$scratch/errors" | grep -c '1 of 2')"
    check "shown" "$(grep -c 'of 2' "$scratch/errors")" 1
    run "$http/bytes/1"
    check "none" "$(cat "$scratch/errors")" ""
}

test_interrupted() {
    local pid began
    "$fetch" "$http/hang" "$http/hang?2" >"$scratch/lines" 2>&1 &
    pid=$!
    sleep 0.5
    kill -TERM "$pid" # bash's jobs ignore SIGINT
    began=$(now_ms)
    wait "$pid"
    check "status after SIGTERM" "$?" 130
    check_range "ms to stop" "$(($(now_ms) - began))" 0 3000
    check "both were cut" "$(grep -c '^failed .*canceled' \
        "$scratch/lines")" 2
}

test_https() {
    local https
    if ! command -v openssl >/dev/null 2>&1; then
        echo "skipped: https, openssl is not installed (Debian: openssl)"
        return
    fi
    bash "$here/../tls-echo/certificates.sh" "$scratch" || exit 1
    start "$scratch/server.pem" "$scratch/server.key"
    https=https://localhost:$port
    run -c "$scratch/ca.pem" "$https/bytes/10" "$https/slow/100" \
        "https://127.0.0.1:$port/bytes/1"
    check "status of https" "$status" 0
    check "answers by https" "$(grep -c '^200 ' <<<"$lines")" 3
    run -c "$scratch/other.pem" "$https/bytes/10"
    check "another authority" "$status: $(grep -c '^failed .*certificate' \
        <<<"$lines")" "1: 1"
    run -c "$scratch/ca.pem" "http://127.0.0.1:$port/bytes/10"
    check "plain text to https" "$status" 1
}

test_session_alone() {
    timeout 50 "$session_test" >"$scratch/test.log" 2>&1
    check "status of $(basename "$session_test")" "$?" 0
    grep -v ' passed, ' "$scratch/test.log"
    local counts
    counts=$(grep ' passed, ' "$scratch/test.log")
    passed=$((passed + ${counts%% *}))
}

test_session_alone
if ! command -v python3 >/dev/null 2>&1; then
    echo "skipped: python3 is not installed (Debian: python3)"
    echo "$passed passed, $failed failed"
    exit "$((failed > 0))"
fi
start
http=http://127.0.0.1:$port
test_times
test_session
test_failures
test_taken_back
test_progress
test_interrupted
test_https
run
check "status without arguments" "$status" 2
checks_end
