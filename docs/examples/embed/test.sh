#!/usr/bin/env bash
# Talks to the servers of this example and checks what they answer:
#
#     test.sh PROGRAM...
#
# Each PROGRAM (plain, server) is started on a free port with a directory of
# its own, asked everything, and stopped by SIGTERM in the middle of its work.
# Needs bash alone: its /dev/tcp is the client.
set -u

# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
scratch=$(mktemp -d)
server=

cleanup() {
    [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

# start PROGRAM: sets server and port.
start() {
    "$1" 0 "$scratch/files" >"$scratch/out" 2>"$scratch/err" &
    server=$!
    port=
    for _ in $(seq 100); do
        port=$(sed -n 's/^listening on 127.0.0.1://p' "$scratch/out")
        [ -n "$port" ] && return
        sleep 0.05
    done
    echo "FAILED $1 does not start: $(cat "$scratch/err")"
    exit 1
}

# ask LINE...: sends lines on one connection, prints as many lines of answer.
ask() {
    local line
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%s\n' "$@" >&3
    for _ in "$@"; do
        IFS= read -r -t 10 line <&3 || line="(no answer)"
        printf '%s\n' "$line"
    done
    exec 3<&-
}

test_commands() {
    check ECHO "$(ask 'ECHO two words')" "two words"
    check "several lines at once" "$(ask 'ECHO a' 'ECHO b' 'ECHO c')" \
        $'a\nb\nc'
    check_range TIME "$(ask TIME)" "$(($(date +%s) - 5))" \
        "$(($(date +%s) + 5))"
    check SLEEP "$(ask 'SLEEP 30')" "SLEPT 30"
    check "an unknown command" "$(ask HELLO)" "ERROR unknown command"
    check QUIT "$(ask QUIT)" "BYE"
}

test_fetch() {
    local got
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'FETCH poem\n' >&3
    IFS= read -r -t 10 got <&3
    check "FETCH's head" "$got" "FILE poem $(wc -c <"$scratch/files/poem")"
    printf 'QUIT\n' >&3
    cat <&3 >"$scratch/got"
    exec 3<&-
    printf 'BYE\n' | cat "$scratch/files/poem" - >"$scratch/wanted"
    check "FETCH's contents" "$(cksum <"$scratch/got")" \
        "$(cksum <"$scratch/wanted")"
    check "FETCH of what is not there" "$(ask 'FETCH nothing')" \
        "ERROR nothing: no such file or directory"
    check "FETCH outside the directory" "$(ask 'FETCH ../poem')" \
        "ERROR not a name of a file"
}

# Callbacks and tasks at the same time: a hundred fetches of 20 ms each, with
# sleeps between them, take less than a quarter of what they would in turn;
# and a line is answered while they go on.
test_concurrent() {
    local start answers line
    start=$(now_ms)
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    for i in $(seq 100); do
        printf 'FETCH number\nSLEEP 20\n'
        [ "$i" = 50 ] && printf 'ECHO first\n'
    done >&3
    IFS= read -r -t 10 line <&3
    check "an answer while fetches go on" "$line" first
    answers=0
    while [ "$answers" -lt 300 ] && IFS= read -r -t 10 line <&3; do
        case $line in
        "FILE number 3" | 42 | "SLEPT 20") answers=$((answers + 1)) ;;
        *) check "an answer of many" "$line" "FILE, contents or SLEPT" ;;
        esac
    done
    exec 3<&-
    check "answers of fetches and sleeps" "$answers" 300
    check_range "milliseconds for 200 waits of 20" \
        "$(($(now_ms) - start))" 20 1000
}

# A client that goes away does not take the server with it.
test_gone() {
    for _ in 1 2 3 4 5; do
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf 'FETCH poem\nSLEEP 10\nFETCH number\n' >&3
        exec 3<&-
    done
    sleep 0.1
    check "ECHO after clients were gone" "$(ask 'ECHO here')" here
}

# Stopped while tasks, timers and a read are under way.
test_stop() {
    local start status
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'SLEEP 60000\nFETCH poem\nFETCH number\nECHO sent\n' >&3
    IFS= read -r -t 10 _ <&3
    start=$(now_ms)
    kill -TERM "$server"
    wait "$server"
    status=$?
    server=
    exec 3<&-
    check "status after SIGTERM" "$status" 0
    check_range "milliseconds to stop" "$(($(now_ms) - start))" 0 2000
    check "the last line" "$(sed -n '$s/ after.*//p' "$scratch/out")" stopped
    # The library names the tasks that the stop has cut short.
    check "standard error" "$(grep -v -e ' lines, ' -e ' still pending' \
        "$scratch/err")" ""
}

if [ $# -eq 0 ]; then
    echo "usage: test.sh PROGRAM..." >&2
    exit 2
fi
mkdir "$scratch/files"
seq 5000 >"$scratch/files/poem"
echo 42 >"$scratch/files/number"
for program in "$@"; do
    start "$program"
    test_commands
    test_fetch
    test_concurrent
    test_gone
    test_stop
done
checks_end
