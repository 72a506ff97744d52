#!/usr/bin/env bash
# Starts a PostgreSQL of its own, reached by a socket in a directory of its own,
# and asks it:
#
#     test.sh PG_QUERY
# shellcheck disable=SC2016  # $1 in a statement is the statement's
set -u

# shellcheck source=docs/examples/checks.sh
. "$(dirname "${BASH_SOURCE[0]}")/../checks.sh"
running=

skip() {
    echo "skipped: $*"
    exit 0
}

# ---- the server --------------------------------------------------------------

# as_nobody COMMAND...: PostgreSQL does not run as root.
as_nobody() {
    if [ "$(id -u)" -eq 0 ]; then
        (cd / && exec setpriv --reuid=nobody --regid=nogroup --clear-groups \
            "$@")
    else
        "$@"
    fi
}

find_postgresql() {
    local directory
    for directory in /usr/lib/postgresql/*/bin $(pg_config --bindir 2>&1); do
        if [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ]; then
            bin=$directory
        fi
    done
    [ -n "${bin:-}" ] ||
        skip "there is no PostgreSQL server (Debian: postgresql)"
    if [ "$(id -u)" -eq 0 ] && ! as_nobody true 2>/dev/null; then
        skip "PostgreSQL does not run as root, and setpriv cannot change that"
    fi
}

# control COMMAND [OPTIONS]: pg_ctl.
control() {
    as_nobody "$bin/pg_ctl" -D "$scratch/data" -l "$scratch/server.log" \
        -w -t 40 "$@" >>"$scratch/control.log" 2>&1
}

cleanup() {
    [ -n "$running" ] && control stop -m immediate
    rm -rf "$scratch"
}

start_server() {
    as_nobody "$bin/initdb" -D "$scratch/data" -U tester -A trust -N \
        >"$scratch/control.log" 2>&1 || {
        cat "$scratch/control.log"
        exit 1
    }
    cat >>"$scratch/data/postgresql.conf" <<TEXT
listen_addresses = ''
unix_socket_directories = '$scratch'
max_connections = 20
fsync = off
TEXT
    running=1
    control start || {
        cat "$scratch/control.log" "$scratch/server.log"
        exit 1
    }
}

sql() { "$bin/psql" -h "$scratch" -U tester -d postgres -Atc "$1"; }

# ---- the tests ---------------------------------------------------------------

# run LINES ARGUMENTS...: sets lines (sorted), summary, status and ms.
run() {
    local input=$1 began
    shift
    began=$(now_ms)
    printf '%b' "$input" | timeout 50 "$pg_query" "${@:1:$#-1}" "$conninfo" \
        "${@: -1}" >"$scratch/lines" 2>"$scratch/errors"
    status=$?
    ms=$(($(now_ms) - began))
    lines=$(sort -n "$scratch/lines")
    summary=$(cat "$scratch/errors")
}

test_parameters() {
    run '2\n3\n' 'select $1::int * 10'
    check "rows" "$lines" $'1\t20\n2\t30'
    check "status" "$status" 0
    run 'a\t\\N\nb\tc\n' 'select $1::text, $2::text'
    check "NULL and two columns" "$lines" $'1\ta\t\\N\n2\tb\tc'
    run "'; drop table x; --\n" 'select $1::text'
    check "no injection" "$lines" $'1\t\'; drop table x; --'
    run '\n' "select i from generate_series(1, 3) i"
    check "several rows" "$lines" $'1\t1\n1\t2\n1\t3'
    run '\n' 'create table numbers (n int primary key)'
    check "no rows" "$status: $lines" '0: '
    run '300000\n' "select length(repeat('abcdefgh', \$1::int))"
    check "a long computation" "$lines" $'1\t2400000'
    run '300000\n' "select repeat('abcdefgh', \$1::int)"
    check "a large answer" "$(wc -c <"$scratch/lines")" 2400003
}

test_failures() {
    run '1\n1\n2\n' -n 1 'insert into numbers values ($1::int) returning n'
    check "others go on" "$(cut -c1-10 <<<"$lines")" \
        $'1\t1\n2\tfailed: \n3\t2'
    check_has "why" "$lines" 'duplicate key value'
    check "one connection, kept" "$summary" \
        '3 statements, 1 failed, 1 connections'
    check "status" "$status" 1
    run '\n' 'selekt'
    check_has "syntax" "$lines" 'syntax error'
    run '1\t2\n' 'select $1::int'
    check_has "too many parameters" "$lines" 'supplies 2 parameters'
    run '\n' 'copy numbers to stdout'
    check_has "COPY" "$lines" 'failed: operation not supported'
    run '\n\n' -n 1 'begin'
    check "a transaction left open is not passed on" "$summary" \
        '2 statements, 0 failed, 2 connections'
}

# Eight statements of 300 ms on eight connections, and on two.
test_pool() {
    local eight='.3\n.3\n.3\n.3\n.3\n.3\n.3\n.3\n'
    run "$eight" -n 8 'select pg_sleep($1::float8)'
    check "at once" "$summary" '8 statements, 0 failed, 8 connections'
    check_range "ms at once" "$ms" 300 2000
    run "$eight" -n 2 'select pg_sleep($1::float8)'
    check "by twos" "$summary" '8 statements, 0 failed, 2 connections'
    check_range "ms by twos" "$ms" 1200 20000
}

# A statement that takes too long is stopped on the server, and its connection
# serves the next one.
test_timeout() {
    run '30\n0\n' -n 1 -t 400 'select pg_sleep($1::float8)'
    check "timed out" "$(head -n 1 <<<"$lines")" \
        $'1\tfailed: connection timed out'
    check "kept" "$summary" '2 statements, 1 failed, 1 connections'
    check_range "ms" "$ms" 400 5000
    check "none runs on" "$(sql "select count(*) from pg_stat_activity
        where query like '%pg_sleep(\$1%' and state = 'active'
        and pid <> pg_backend_pid()")" 0
    check_has "the server was asked" "$(cat "$scratch/server.log")" \
        'canceling statement due to user request'
}

# Statements that end about when their time is over: each succeeds or times out,
# and a cancellation never meets the statement after its own.
test_cut_anywhere() {
    local input='' i
    for i in $(seq 300); do
        input+="0.00$((i % 10))\n"
    done
    run "$input" -n 4 -t 5 'select pg_sleep($1::float8)'
    check "statements" "$(wc -l <<<"$lines")" 300
    check "neither a success nor a timeout" "$(grep -v -c -E \
        -e $'^[0-9]+\t(failed: connection timed out)?$' <<<"$lines")" 0
    check "some time out" "$(grep -q 'timed out' <<<"$lines" && echo yes)" yes
    check_has "connections are kept" "$summary" ' failed, 4 connections'
}

test_interrupted() {
    local pid began
    yes 30 | head -n 100 | "$pg_query" -n 2 -t 60000 "$conninfo" \
        'select pg_sleep($1::float8)' >"$scratch/lines" 2>&1 &
    pid=$!
    sleep 1
    began=$(now_ms)
    kill -TERM "$pid"
    wait "$pid"
    check "status after SIGTERM" "$?" 130
    check_range "ms to stop" "$(($(now_ms) - began))" 0 4000
    check "none runs on" "$(sql "select count(*) from pg_stat_activity
        where query like '%pg_sleep(\$1%' and state = 'active'
        and pid <> pg_backend_pid()")" 0
}

# The server goes away under one statement and an idle connection, and comes
# back. Only the statement that ran fails.
test_restart() {
    {
        printf '0.5\n0.5\n'
        sleep 1
        printf '30\n'
        sleep 1
        control restart -m immediate
        printf '0\n0\n0\n'
    } | timeout 50 "$pg_query" -n 2 -t 40000 "$conninfo" \
        'select pg_sleep($1::float8)' >"$scratch/lines" 2>"$scratch/errors"
    check "after a restart" "$(sort -n "$scratch/lines")" \
        $'1\t\n2\t\n3\tfailed: connection reset by peer\n4\t\n5\t\n6\t'
    check_has "opened again" "$(cat "$scratch/errors")" \
        '6 statements, 1 failed, 4 connections'
    control stop
    {
        printf '0\n'
        sleep 1
        control start
    } | timeout 50 "$pg_query" "$conninfo" 'select pg_sleep($1::float8)' \
        >"$scratch/lines" 2>&1
    check_has "waits for a server" "$(cat "$scratch/lines")" \
        '1 statements, 0 failed, 1 connections'
}

test_no_server() {
    conninfo="host=$scratch/none user=tester dbname=postgres"
    run '\n' -w 300 'select 1'
    check_has "no server" "$lines" 'failed: connection to server on socket'
    check_range "ms" "$ms" 100 3000
    conninfo="host=$scratch user=tester dbname=none"
    run '\n' 'select 1'
    check_has "no database" "$lines" 'database "none" does not exist'
    check_range "ms without a second try" "$ms" 0 3000
    conninfo='nonsense'
    run '\n' 'select 1'
    check_has "no conninfo" "$lines" 'missing "="'
}

pg_query=$1
find_postgresql
scratch=$(mktemp -d)
trap cleanup EXIT
if [ "$(id -u)" -eq 0 ]; then
    chown nobody:nogroup "$scratch"
fi
conninfo="host=$scratch user=tester dbname=postgres"
start_server
test_parameters
test_failures
test_pool
test_timeout
test_cut_anywhere
test_interrupted
test_restart
test_no_server
checks_end
