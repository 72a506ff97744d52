#!/usr/bin/env bash
# format.sh [--fix]: every C file is as clang-format 14 leaves it. Another
# version formats a little differently, so with one the check is skipped (77).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/tidy/files.sh
. tests/tidy/files.sh

formatter=''
for name in clang-format-14 clang-format; do
    if "$name" --version 2>/dev/null | grep -q 'version 14\.'; then
        formatter=$name
        break
    fi
done
if [ -z "$formatter" ]; then
    echo "clang-format 14 is not installed"
    exit 77
fi

passed=0 failed=0
while IFS= read -r file; do
    if [ "${1:-}" = --fix ]; then
        "$formatter" -i "$file"
    fi
    if "$formatter" --dry-run -Werror "$file"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done < <(our_files '*.c' '*.h' '*.cc')
if [ "$failed" -ne 0 ]; then
    echo "tests/tidy/format.sh --fix mends the $failed files above"
fi
echo "$((passed > 0)) passed, $((failed > 0)) failed"
[ "$failed" -eq 0 ]
