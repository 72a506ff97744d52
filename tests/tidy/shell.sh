#!/usr/bin/env bash
# shell.sh: every script is clean under shellcheck.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/tidy/files.sh
. tests/tidy/files.sh

if ! command -v shellcheck >/dev/null 2>&1; then
    echo "shellcheck is not installed"
    exit 77
fi
scripts=()
while IFS= read -r file; do
    case $file in
    *.sh) scripts+=("$file") ;;
    *) if head -c 64 "$file" | grep -qa '^#!.*sh$'; then
        scripts+=("$file")
    fi ;;
    esac
done < <(our_files '*.sh' '*/run')
shellcheck -x "${scripts[@]}"
echo "1 passed, 0 failed"
