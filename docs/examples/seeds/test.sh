#!/usr/bin/env bash
# Runs one of the seed programs and compares it with the Python one:
#
#     test.sh PROGRAM           in real time, which takes as long as in Python
#     test.sh --virtual PROGRAM as built with virtual.h, in no time
#
# Its output must be that of expected/NAME.out, which Python has written; times
# in it may differ a little.
set -u

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=docs/examples/checks.sh
. "$here/../checks.sh"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

clock=real
if [ "${1:-}" = --virtual ]; then
    clock=virtual
    shift
fi
if [ $# -ne 1 ]; then
    echo "usage: test.sh [--virtual] PROGRAM" >&2
    exit 2
fi
program=$1
name=$(basename "$program")
name=${name#seed_}
name=${name%-virtual}

# How long the Python program takes, in ms.
python_ms() {
    case $name in
    05_* | 07_* | 09_*) echo 1000 ;;
    06_*) echo 400 ;;
    10_*) echo 5000 ;;
    11_* | 18_*) echo 200 ;;
    12_* | 16_* | 17_*) echo 500 ;;
    13_*) echo 2000 ;;
    14_*) echo 7700 ;;
    15_*) echo 1500 ;;
    *) echo 0 ;;
    esac
}

# run: leaves out and err, and sets status and took_ms.
run() {
    local start
    start=$(now_ms)
    "$program" >"$scratch/out" 2>"$scratch/err"
    status=$?
    took_ms=$(($(now_ms) - start))
}

# The tasks of 04 end in an order that nobody knows, and after a time that is
# said in the last line: two seconds of blocking sleep and whole ones of others.
check_random() {
    local total
    check "three tasks, twice" "$(sed -n '1,3p' "$scratch/out" | sort)" \
        "$(printf 'task %d finished\n' 1 2 3)"
    check "three tasks, again" "$(sed -n '5,7p' "$scratch/out" | sort)" \
        "$(printf 'task %d finished\n' 1 2 3)"
    check "the rest of the output" \
        "$(sed -e '1,3d' -e '5,7d' -e 's/[0-9.]* seconds/7.01 seconds/' \
            "$scratch/out")" \
        "$(sed -e '1,3d' -e '5,7d' "$here/expected/$name.out")"
    total=$(sed -n 's/^Total time elapsed: \([0-9]*\)\.\([0-9]*\) .*/\1\20/p' \
        "$scratch/out")
    check_range "total time" "$total" 2000 8500
    if [ "$clock" = real ]; then
        check_range "total time, and what we measured" "$took_ms" \
            "$total" $((total + 500))
    fi
}

check_output() {
    local tolerance=0.3
    [ "$clock" = real ] || tolerance=0.0011
    check "output" "$(awk -v tolerance=$tolerance -f "$here/same.awk" \
        "$here/expected/$name.out" "$scratch/out")" ""
}

# at TEXT: "18_common_mistakes.c:LINE" of the first line with this text.
at() {
    echo "$name.c:$(grep -nF -m 1 "$1" "$here/$name.c" | cut -d: -f1)"
}

# check_said PART...: one report on standard error has all the parts.
check_said() {
    local line part missing=everything
    while IFS= read -r line; do
        missing=
        for part in "$@"; do
            [[ $line == *"$part"* ]] || missing=$part
        done
        [ -n "$missing" ] || break
    done <"$scratch/err"
    check "a report with '$*'" "$missing" ""
}

# What CPython says of these mistakes, in our words: which function, and where.
check_reports() {
    check_said "coroutine 'fetch_data" "never awaited" \
        "$(at 'UVA_FUTURE(fetch_data())')"
    check_said "uva_run" "inside a runtime of this thread" \
        "in task 'run_inside_running_loop'" \
        "$(at 'UVA_RUN(run_inside_running_loop())')"
    check_said "task 'boom" "nobody looked" "lost" "$(at 'UVA_SPAWN(boom())')"
    check_said "task 'sleeps" "still pending" "$(at 'UVA_SPAWN(sleeps(')"
    if [ "$clock" = real ]; then
        check_said "task 'blocks_the_loop'" "blocks the loop" "and goes on" \
            "$(at ' blocks_the_loop())')"
        check_said "task 'blocks_the_loop'" "ran for 0." "without parking" \
            "$(at ' blocks_the_loop())')"
    fi
}

# With so few descriptors it starts, but cannot make a loop. Those that whoever
# runs us has left open do not count.
check_failure() {
    local status
    (
        exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        ulimit -n 6
        exec "$program"
    ) >/dev/null 2>"$scratch/err"
    status=$?
    check "exit status after a failure" "$status" 1
    if grep -q '^UVA_MAIN' "$here/$name.c"; then
        check_said "failed (run at" "$(at UVA_MAIN)" "too many open files"
    fi
}

run
check "exit status" "$status" 0
case $name in
04_*) check_random ;;
*) check_output ;;
esac
case $name in
18_*) check_reports ;;
*) check "standard error" "$(cat "$scratch/err")" "" ;;
esac
if [ "$clock" = virtual ]; then
    # Other programs may have had the processor: the best of some runs counts.
    for _ in 1 2 3 4 5 6 7 8 9; do
        [ "$took_ms" -gt 100 ] || break
        run
    done
    check_range "milliseconds of real time" "$took_ms" 0 100
elif [[ $name != 04_* ]]; then
    check_range "milliseconds" "$took_ms" "$(python_ms)" \
        $(($(python_ms) + 500))
fi
if [ "$clock" = real ]; then
    check_failure
fi
checks_end
