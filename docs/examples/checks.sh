# shellcheck shell=bash
# checks.sh - what the tests of the examples share: checks that are counted, and
# their end. Sourced, never run.

passed=0
failed=0

# check NAME GOT WANTED
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: got "%s", wanted "%s"\n' "$1" "$2" "$3"
    fi
}

# check_range NAME GOT LOW HIGH
check_range() {
    if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED %s: got %s, wanted %s to %s\n' "$1" "$2" "$3" "$4"
    fi
}

# check_has NAME GOT PART
check_has() {
    case $2 in
    *"$3"*) passed=$((passed + 1)) ;;
    *)
        failed=$((failed + 1))
        printf 'FAILED %s: "%s" is not in "%s"\n' "$1" "$3" "$2"
        ;;
    esac
}

now_ms() {
    local now=${EPOCHREALTIME/[.,]/}
    echo "${now%???}"
}

# The last call of a test: the counts, as tests/run reads them, and the status.
checks_end() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
