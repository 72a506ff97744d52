#!/usr/bin/env bash
# exports.sh LIBRARY [--update]: the dynamic symbols of libuvawait.so are those
# of api/exports.txt, all begin with uva_, and every global symbol of the static
# library beside it begins so too. --update writes the list instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C

library=${1:?usage: exports.sh LIBRARY [--update]}
list=api/exports.txt
exported=$(nm -D --defined-only "$library" | awk '{ print $NF }' |
    sed 's/@.*//' | sort -u)
if [ "${2:-}" = --update ]; then
    printf '%s\n' "$exported" >"$list"
    exit 0
fi

passed=0 failed=0
# check DESCRIPTION OUTPUT: passes if OUTPUT is empty.
check() {
    if [ -z "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '%s:\n%s\n' "$1" "$2"
    fi
}

if [ -f "$list" ]; then
    difference=$(diff <(printf '%s\n' "$exported") "$list" || true)
else
    difference="there is no $list"
fi
check "exported (<) and listed in $list (>) differ" "$difference"
check "exported, but not named uva_..." \
    "$(grep -v '^uva_' <<<"$exported" || true)"
check "exported, but internal by its name" \
    "$(grep '^uva__' <<<"$exported" || true)"

archive=$(dirname "$library")/libuvawait.a
if [ -f "$archive" ]; then
    check "global in $archive, but not named uva_..." "$(
        nm -g --defined-only "$archive" 2>/dev/null |
            awk 'NF == 3 && $3 !~ /^uva_/ && $3 !~ /^DW[.]ref[.]/ {
                     print $3
                 }' | sort -u
    )"
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
