#!/usr/bin/env bash
# Talks to the server as curl, wrk and rude clients do, and checks its answers:
#
#     test.sh PROGRAM
#
# Rude clients are bash's /dev/tcp. Needs curl; without wrk its part is left
# out.
set -u

# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
program=${1:?usage: test.sh PROGRAM}
scratch=$(mktemp -d)
server=

cleanup() {
    [ -n "$server" ] && kill -KILL "$server" 2>/dev/null
    rm -rf "$scratch"
}
trap cleanup EXIT

if ! command -v curl >/dev/null; then
    echo "skipped: curl is not installed (Debian: curl)"
    exit 77
fi

# start OPTION...: sets server, port and url.
start() {
    : >"$scratch/out"
    (
        ulimit -n "${descriptors_max:-$(ulimit -n)}"
        exec "$program" --port 0 --root "$scratch/root" "$@"
    ) >"$scratch/out" 2>"$scratch/err" &
    server=$!
    for _ in $(seq 200); do
        port=$(sed -n 's/^listening on .*:\([0-9]*\)$/\1/p' "$scratch/out")
        url=http://127.0.0.1:$port
        [ -n "$port" ] && return
        sleep 0.05
    done
    echo "FAILED the server does not start: $(cat "$scratch/err")"
    exit 1
}

# stop NAME: by SIGTERM; its status is 0 and it has said nothing.
stop() {
    kill -TERM "$server"
    wait "$server"
    check "status after $1" "$?" 0
    check "standard error after $1" "$(cat "$scratch/err")" ""
    server=
}

get() { curl -s --max-time 20 "$@"; }
status() { get -o /dev/null -w '%{http_code}' "$@"; }
# field NAME CURL'S ARGUMENTS...: a field of the answer's head.
field() {
    local name=$1
    shift
    get -D - -o /dev/null "$@" | tr -d '\r' | sed -n "s/^$name: //Ip"
}

# raw BYTES: sends them (as printf %b) on a new connection, prints the answer up
# to the end of the connection.
raw() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf '%b' "$1" >&3
    timeout 20 cat <&3 | tr -d '\r'
    exec 3<&-
}
raw_status() { raw "$1" | sed -n '1s/^HTTP.1.1 \([0-9]*\).*/\1/p'; }

# ---- answers ---------------------------------------------------------------

test_answers() {
    check "GET" "$(get "$url/hello")" "Hello, world!"
    check "with a query" "$(get "$url/hello?a=b")" "Hello, world!"
    check "HEAD's length" "$(field Content-Length -I "$url/hello")" 14
    check "HEAD's body" \
        "$(raw 'HEAD /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
            sed '1,/^$/d')" ""
    check "nothing there" "$(status "$url/nothing")" 404
    check "another method" "$(status -X DELETE "$url/hello")" 405
    check "Allow" "$(field Allow -X DELETE "$url/hello")" "GET, HEAD"
    check "another method for a file" "$(status -d x "$url/poem.txt")" 405
    check "GET of what is to be posted" "$(field Allow "$url/api/echo")" POST
    check "a wish to upgrade" "$(get --http2 "$url/hello")" "Hello, world!"
    check "the absolute form" \
        "$(raw_status 'GET http://x/hello HTTP/1.0\r\n\r\n')" 200
    check "HTTP/1.0" "$(raw 'GET /hello HTTP/1.0\r\n\r\n' | tail -n 1)" \
        "Hello, world!"
    check "HTTP/1.0 kept alive" \
        "$(raw 'GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /hello HTTP/1.0\r\n\r\n' |
            grep -c -e '^Hello' -e '^Connection: keep-alive')" 3
}

test_refusals() {
    local long
    check "no HTTP" "$(raw_status 'hello\r\n\r\n')" 400
    check "no Host" "$(raw_status 'GET / HTTP/1.1\r\n\r\n')" 400
    check "two Hosts" \
        "$(raw_status 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')" 400
    check "two lengths" \
        "$(raw_status 'POST /api/echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n')" 400
    check "HTTP/2.0" "$(raw_status 'GET / HTTP/2.0\r\nHost: a\r\n\r\n')" 505
    check "an expectation" \
        "$(status -H 'Expect: wonders' "$url/hello")" 417
    long=$(printf '%9000s' '' | tr ' ' a)
    check "a long field" "$(status -H "Long: $long" "$url/hello")" 431
    check "a long target" "$(status "$url/$long")" 431
    check "a field that fits" \
        "$(status -H "Long: ${long:0:7000}" "$url/hello")" 200
    head -c 1100000 /dev/zero >"$scratch/large"
    check "a large body" \
        "$(status -H 'Expect:' --data-binary "@$scratch/large" \
            "$url/api/echo")" 413
    check "a large body that is announced" \
        "$(status -H 'Expect: 100-continue' --data-binary "@$scratch/large" \
            "$url/api/echo")" 413
    check "a large body in chunks" \
        "$(status -H 'Expect:' -H 'Transfer-Encoding: chunked' \
            --data-binary "@$scratch/large" "$url/api/echo")" 413
}

test_json() {
    local deep body
    check "echo" "$(get -d '{"a": [1, 2.5, null], "b": "\u00e4"}' \
        "$url/api/echo")" '{"a":[1,2.5,null],"b":"ä"}'
    check "echo of chunks" "$(get -H 'Transfer-Encoding: chunked' -d '[ true ]' \
        "$url/api/echo")" '[true]'
    check "chunks in pieces, with a trailer" \
        "$(raw 'POST /api/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n[1,\r\n2\r\n2]\r\n0\r\nHost: y\r\n\r\n' |
            tail -n 1)" '[1,2]'
    check "100-continue" \
        "$(get -H 'Expect: 100-continue' -d '[]' "$url/api/echo")" '[]'
    check "no JSON" "$(status -d '[1,' "$url/api/echo")" 400
    check "no JSON, explained" "$(get -d $'[1,\n}' "$url/api/echo" |
        sed 's/.*\("line":[0-9]*\).*/\1/')" '"line":2'
    check "an empty body" "$(status -X POST "$url/api/echo")" 400
    deep=$(printf '%100000s' '' | tr ' ' '[')
    check "deep JSON" "$(printf '%s' "$deep" |
        status --data-binary @- "$url/api/echo")" 400
    body=$(printf '[%s1]' "$(printf '%200000s' '' | sed 's/ /1,/g')")
    check "much JSON" "$(printf '%s' "$body" |
        get -H 'Expect:' --data-binary @- "$url/api/echo" | cksum)" \
        "$(printf '%s' "$body" | cksum)"
    check "statistics" "$(get "$url/api/stats" |
        grep -c '"connections_open": 1,')" 1
}

test_files() {
    local etag changed
    check "a file" "$(get "$url/poem.txt" | cksum)" \
        "$(cksum <"$scratch/root/poem.txt")"
    check "an empty file" "$(get -w '%{http_code}' "$url/empty")" 200
    check "a large file" "$(get "$url/large.bin" | cksum)" \
        "$(cksum <"$scratch/root/large.bin")"
    check "an encoded name" "$(get "$url/poem%2etxt" | cksum)" \
        "$(cksum <"$scratch/root/poem.txt")"
    check "a type" "$(field Content-Type "$url/poem.txt")" \
        "text/plain; charset=utf-8"
    check "the type of anything" "$(field Content-Type "$url/large.bin")" \
        application/octet-stream
    check "the index" "$(get "$url/")" "the index"
    check "a directory" "$(status "$url/folder")" 301
    check "a directory's place" "$(field Location "$url/folder")" /folder/
    check "a directory's place, of many slashes" \
        "$(field Location --path-as-is "$url//folder")" /folder/
    check "a directory's index" "$(get -L "$url/folder")" "in the folder"
    check "a directory without one" "$(status "$url/bare/")" 404
    check "a named pipe" "$(status "$url/pipe")" 403
    check "HEAD of a file" "$(field Content-Length -I "$url/large.bin")" 3000000
    etag=$(field ETag "$url/poem.txt")
    changed=$(field Last-Modified "$url/poem.txt")
    check "the same tag" \
        "$(status -H "If-None-Match: W/\"x\", $etag" "$url/poem.txt")" 304
    check "another tag" \
        "$(status -H 'If-None-Match: "x"' "$url/poem.txt")" 200
    check "not changed since" \
        "$(status -H "If-Modified-Since: $changed" "$url/poem.txt")" 304
    check "changed since" "$(status -H \
        'If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT' "$url/poem.txt")" 200
    check "a tag counts more than a date" \
        "$(status -H 'If-None-Match: "x"' -H "If-Modified-Since: $changed" \
            "$url/poem.txt")" 200
}

# The secret lies beside the root, and as a hidden file in it.
test_traversal() {
    local path
    for path in /../secret /%2e%2e/secret /..%2fsecret /folder/../../secret \
        /%2e%2e%2fsecret /folder/%2e./..//secret //../secret /.secret \
        /folder/.%2e/.secret /./secret; do
        check "$path" "$(status --path-as-is "$url$path")" 404
    done
    check "a NUL in a name" "$(status "$url/poem.txt%00.png")" 400
    check "half an encoding" "$(status "$url/poem%2")" 400
    check "no path" "$(raw_status 'GET secret HTTP/1.0\r\n\r\n')" 400
}

# ---- connections -----------------------------------------------------------

test_connections() {
    local many got start count
    check "a connection used again" \
        "$(get -w '%{num_connects} ' -o /dev/null "$url/hello" \
            -o /dev/null "$url/poem.txt" -o /dev/null "$url/nothing")" "1 0 0 "
    many=
    for i in $(seq 200); do
        many+="POST /api/echo HTTP/1.1\r\nHost: x\r\n"
        many+="Content-Length: ${#i}\r\n\r\n$i"
        many+='GET /hello HTTP/1.1\r\nHost: x\r\n\r\n'
    done
    many+='GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    got=$(raw "$many" | sed -e 's/HTTP.1.1 .*//' -e '/^[A-Z][A-Za-z-]*: /d' |
        grep -v '^$')
    check "a pipeline of 401, in order" "$got" \
        "$(for i in $(seq 200); do printf '%s\nHello, world!\n' "$i"; done
            echo 'Hello, world!')"
    # About as many answers as fill the output buffer.
    for count in 100 $(seq 112 128); do
        many=$(printf "%${count}s" '' |
            sed 's/ /GET \/hello HTTP\/1.1\\r\\nHost: x\\r\\n\\r\\n/g')
        got=$(raw "$many?\r\n")
        check "a pipeline of $count that ends in nonsense" \
            "$(grep -c '^Hello' <<<"$got") $(tail -n 1 <<<"$got")" \
            "$count 400 Bad Request"
    done
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    many='GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    for ((start = 0; start < ${#many}; start++)); do
        [ "${many:start:1}" = "\\" ] && {
            printf '%b' "${many:start:2}" >&3
            start=$((start + 1))
            continue
        }
        printf '%s' "${many:start:1}" >&3
    done
    check "byte by byte" "$(timeout 10 tail -n 1 <&3)" "Hello, world!"
    exec 3<&-
    for _ in 1 2 3 4 5; do # and away
        exec 3<>"/dev/tcp/127.0.0.1/$port"
        printf 'GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n' >&3
        exec 3<&-
    done
    check "after clients were gone" "$(get "$url/hello")" "Hello, world!"
}

# More clients than descriptors: some wait, none is lost, and the server says
# so.
test_shortage() {
    local i fds=() fd
    descriptors_max=40 start
    for i in $(seq 60); do
        exec {fd}<>"/dev/tcp/127.0.0.1/$port"
        fds+=("$fd")
    done
    # Nothing is asked before it ran out: a server that comes late to its
    # queue would else serve them one after the other.
    for i in $(seq 50); do
        grep -q 'accepting pauses' "$scratch/err" && break
        sleep 0.1
    done
    for fd in "${fds[@]}"; do
        printf 'GET /hello HTTP/1.0\r\n\r\n' >&"$fd"
    done
    for fd in "${fds[@]}"; do
        timeout 10 tail -n 1 <&"$fd"
        exec {fd}<&-
    done >"$scratch/got"
    check "answers without descriptors" \
        "$(grep -c '^Hello, world!$' "$scratch/got")" 60
    check_range "what is said of it" \
        "$(grep -c 'accepting pauses' "$scratch/err")" 1 20
    : >"$scratch/err"
    stop "a shortage of descriptors"
}

test_timeouts() {
    local start
    start --head-timeout 0.5 --idle-timeout 0.7 --body-timeout 0.4 \
        --send-timeout 0.6
    start=$(now_ms)
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    (
        printf 'GET / HTTP/1.1\r\n' >&3
        while sleep 0.1 && printf 'A: b\r\n' >&3; do :; done
    ) 2>/dev/null &
    check "a trickled head" "$(timeout 10 head -n 1 <&3 | tr -d '\r')" \
        "HTTP/1.1 408 Request Timeout"
    check_range "milliseconds of it" "$(($(now_ms) - start))" 450 9000
    kill $! 2>/dev/null
    wait $! 2>/dev/null
    exec 3<&-
    check "half a body" \
        "$(raw_status 'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n[')" 408
    start=$(now_ms)
    check "an idle connection" \
        "$(raw 'GET /hello HTTP/1.1\r\nHost: x\r\n\r\n' | tail -n 1)" \
        "Hello, world!"
    check_range "milliseconds of it" "$(($(now_ms) - start))" 650 9000
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n' >&3
    sleep 1.5 # reads nothing
    check_range "bytes for a client that stands still" \
        "$(timeout 10 wc -c <&3)" 1000 29000000
    exec 3<&-
    stop "timeouts"
}

# ---- stopping --------------------------------------------------------------

# Leaves one under way on descriptor 3, of which only the first line is read.
begin_download() {
    exec 3<>"/dev/tcp/127.0.0.1/$port"
    printf 'GET /huge.bin HTTP/1.1\r\nHost: x\r\n\r\n' >&3
    IFS= read -r -t 20 _ <&3
}

test_stop() {
    local start
    start
    exec 3<>"/dev/tcp/127.0.0.1/$port" # idle
    get --limit-rate 15M -o "$scratch/download" "$url/huge.bin" &
    local download=$!
    until [ -s "$scratch/download" ]; do sleep 0.05; done
    start=$(now_ms)
    kill -TERM "$server"
    check "an idle connection at the stop" "$(timeout 20 cat <&3; echo $?)" 0
    exec 3<&-
    check "a new one" "$(status "$url/hello")" 000
    wait "$download"
    check "the download's status" "$?" 0
    check "the download" "$(cksum <"$scratch/download")" \
        "$(cksum <"$scratch/root/huge.bin")"
    wait "$server"
    check "status" "$?" 0
    check_range "milliseconds to stop" "$(($(now_ms) - start))" 300 20000
    check "standard error" "$(cat "$scratch/err")" ""

    start --grace 0.4
    begin_download
    start=$(now_ms)
    stop "the time of grace"
    check_range "milliseconds of grace" "$(($(now_ms) - start))" 350 9000
    exec 3<&-

    start
    begin_download
    kill -INT "$server"
    while [ "$(status "$url/hello")" != 000 ]; do sleep 0.05; done
    kill -INT "$server"
    wait "$server" 2>/dev/null
    check "status after a second signal" "$?" 130
    server=
    exec 3<&-
}

# ---- load ------------------------------------------------------------------

descriptors() { find "/proc/$server/fd" -mindepth 1 | wc -l; }
memory_kb() { sed -n 's/^VmRSS:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$server/status"; }

# Waits until the connections of the last clients are closed; how many
# descriptors are open then.
settled() {
    for _ in $(seq 50); do
        [ "$(descriptors)" -le "$1" ] && break
        sleep 0.1
    done
    descriptors
}

downloads() {
    local i same=0
    for i in $(seq 100); do
        printf 'url = "%s/large.bin"\noutput = "%s/got.%d"\n' \
            "$url" "$scratch" "$i"
    done >"$scratch/config"
    get --parallel --parallel-immediate --parallel-max 100 --max-time 60 \
        -K "$scratch/config" 2>/dev/null
    for i in $(seq 100); do
        cmp -s "$scratch/root/large.bin" "$scratch/got.$i" &&
            same=$((same + 1))
    done
    rm -f "$scratch"/got.*
    check "downloads at the same time" "$same" 100
}

load() {
    if ! command -v wrk >/dev/null; then
        [ "$1" = first ] && echo "left out: wrk is not installed (Debian: wrk)"
        return
    fi
    wrk -t 1 -c 64 -d 2 "$url/hello" >"$scratch/wrk"
    check "errors under the $1 load" \
        "$(grep -e 'Socket errors' -e Non-2xx "$scratch/wrk")" ""
    check_range "requests of the $1 load" \
        "$(sed -n 's/^ *\([0-9]*\) requests in.*/\1/p' "$scratch/wrk")" \
        100 99999999
}

test_load() {
    local before memory
    start --log "$scratch/log"
    before=$(descriptors)
    load first
    downloads
    check "descriptors after the load" "$(settled "$before")" "$before"
    memory=$(memory_kb)
    load second
    downloads
    check "descriptors after the second load" "$(settled "$before")" "$before"
    # AddressSanitizer keeps what was freed.
    if ! grep -q __asan_init "$program"; then
        check_range "memory after the second load, KiB" "$(memory_kb)" 0 \
            $((memory + 2048))
    fi
    get "$url/%22quoted%22" -o /dev/null
    stop "load"
    check "lines of the log" "$(grep -c '"GET /large.bin HTTP/1.1" 200 3000000$' \
        "$scratch/log")" 200
    check "the last line" "$(sed -n '$s/\[[^]]*\]/[]/p' "$scratch/log")" \
        '127.0.0.1 - - [] "GET /%22quoted%22 HTTP/1.1" 404 14'
}

mkdir -p "$scratch/root/folder" "$scratch/root/bare"
cd "$scratch/root" || exit 1
echo secret >../secret
echo secret >.secret
seq 5000 >poem.txt
: >empty
echo "the index" >index.html
echo "in the folder" >folder/index.html
head -c 3000000 /dev/urandom >large.bin
truncate -s 30000000 huge.bin
mkfifo pipe

start
test_answers
test_refusals
test_json
test_files
test_traversal
test_connections
stop "answers"
test_shortage
test_timeouts
test_stop
test_load
checks_end
