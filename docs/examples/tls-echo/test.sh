#!/usr/bin/env bash
# Talks TLS to the server of this example and to its client, with openssl on
# the other side, and runs the tests of tls_stream.c:
#
#     test.sh TLS_ECHO TLS_TEST
set -u
trap '' PIPE

tls_echo=$1
tls_test=$2
here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
scratch=$(mktemp -d)
server=

cleanup() {
    [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

# start COMMAND...: a server; sets server and port, once it has printed it.
start() {
    "$@" >"$scratch/out" 2>"$scratch/err" &
    server=$!
    port=
    for _ in $(seq 100); do
        port=$(sed -n -e 's/^listening on 127.0.0.1://p' \
            -e 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$scratch/out")
        [ -n "$port" ] && return
        sleep 0.05
    done
    echo "FAILED $1 does not start: $(cat "$scratch/err")"
    exit 1
}

# stop NAME: by SIGTERM, as a supervisor would.
stop() {
    kill -TERM "$server"
    wait "$server"
    check "status of $1 after SIGTERM" "$?" 0
    server=
}

# s_client ARGUMENTS...: openssl's client, which has to trust us.
s_client() {
    timeout 20 openssl s_client -connect "127.0.0.1:$port" -CAfile \
        "$scratch/ca.pem" -verify_return_error -verify_hostname localhost "$@"
}

client() { timeout 20 "$tls_echo" client 127.0.0.1 "$port" "$@"; }

test_openssl_client() {
    local version
    for version in -tls1_2 -tls1_3; do
        check "s_client $version" "$( (
            printf 'one\ntwo\n'
            sleep 0.5
        ) | s_client -quiet -no_ign_eof "$version" 2>/dev/null)" \
            $'one\ntwo'
    done
    # K asks for new keys both ways, so that reading has to write.
    (
        printf 'before\n'
        sleep 0.3
        printf 'K\n'
        sleep 0.3
        printf 'after\n'
        sleep 0.3
        printf 'Q\n'
    ) | s_client -tls1_3 >"$scratch/keys" 2>&1
    check "new keys" "$(grep -c -x -e KEYUPDATE -e before -e after \
        "$scratch/keys")" 3
}

test_own_client() {
    seq 200000 >"$scratch/sent"
    client "$scratch/ca.pem" <"$scratch/sent" >"$scratch/came"
    check "status of the client" "$?" 0
    check "what came back" "$(cksum <"$scratch/came")" \
        "$(cksum <"$scratch/sent")"
    check_has "another name" \
        "$(client "$scratch/ca.pem" example.org 2>&1 <&-)" 'hostname mismatch'
    check_has "another authority" \
        "$(client "$scratch/other.pem" 2>&1 </dev/null)" \
        'unable to get local issuer certificate'
}

# What the server has to survive, and says about it.
test_bad_clients() {
    local began victim
    printf 'GET / HTTP/1.0\r\n\r\n' | timeout 10 bash -c \
        "exec 3<>/dev/tcp/127.0.0.1/$port; cat >&3; cat <&3" >/dev/null
    bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; printf '\26\3\1' >&3"
    began=$SECONDS
    timeout 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port; cat <&3" >/dev/null
    check "a client that says nothing is sent away" \
        "$((SECONDS - began < 5))" 1
    # Killed in the middle: the connection ends without close_notify.
    openssl s_client -quiet -connect "127.0.0.1:$port" \
        < <(
            echo begun
            sleep 3
        ) >"$scratch/begun" 2>/dev/null &
    victim=$!
    for _ in $(seq 100); do
        [ -s "$scratch/begun" ] && break
        sleep 0.05
    done
    kill -KILL "$victim"
    wait "$victim" 2>/dev/null
    check "served afterwards" "$(echo still | client "$scratch/ca.pem")" still
}

# Against a server of another make: it answers each line backwards.
test_own_client_elsewhere() {
    start openssl s_server -accept 127.0.0.1:0 -rev -cert \
        "$scratch/server.pem" -key "$scratch/server.key"
    check "s_server -rev" "$(printf 'abc\nxyz\n' | {
        cat
        sleep 0.5
    } | client "$scratch/ca.pem" localhost)" $'cba\nzyx'
    kill -KILL "$server"
    wait "$server" 2>/dev/null
    server=
    check_has "cannot connect" "$(client "$scratch/ca.pem" 2>&1 </dev/null)" \
        'connection refused'
}

if ! command -v openssl >/dev/null 2>&1; then
    echo "skipped: openssl is not installed (Debian: openssl)"
    exit 0
fi
bash "$here/certificates.sh" "$scratch" || exit 1
"$tls_test" "$scratch" >"$scratch/test.log" 2>&1
check "status of $(basename "$tls_test")" "$?" 0
grep -v ' passed, ' "$scratch/test.log"
counts=$(grep ' passed, ' "$scratch/test.log")
passed=$((passed + ${counts%% *}))

start "$tls_echo" serve 0 "$scratch/server.pem" "$scratch/server.key" 800
test_openssl_client
test_own_client
test_bad_clients
stop tls-echo
check_has "plain text" "$(cat "$scratch/err")" 'no handshake: http request'
check_has "hung up" "$(cat "$scratch/err")" \
    "no handshake: software caused connection abort"
check_has "a client that says nothing" "$(cat "$scratch/err")" \
    'no handshake: the handshake took too long'
check_has "a client that was killed" "$(cat "$scratch/err")" \
    "connection: software caused connection abort"
test_own_client_elsewhere
"$tls_echo" serve 0 /dev/null /dev/null 2>"$scratch/err"
check "status without a certificate" "$?" 1
check_has "without a certificate" "$(cat "$scratch/err")" /dev/null
checks_end
