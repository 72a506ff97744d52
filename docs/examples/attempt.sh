#!/usr/bin/env bash
# attempt.sh SCRIPT [ARGUMENTS]: runs an example's test, and once more if it
# fails. These tests talk with programs that we did not write, in real time, on
# machines that do other things meanwhile; the tests of the library do not, and
# have one try. What failed first is shown in any case.
set -uo pipefail

first=$(mktemp)
trap 'rm -f "$first"' EXIT
bash "$@" >"$first" 2>&1
status=$?
if [ "$status" -eq 0 ] || [ "$status" -eq 77 ]; then
    cat "$first"
    exit "$status"
fi
sed 's/^/first attempt: /' "$first"
bash "$@"
