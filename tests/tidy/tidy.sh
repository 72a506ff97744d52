#!/usr/bin/env bash
# tidy.sh: the house rules that a machine can check. Each rule is one check; a
# breach prints FILE:LINE and what to do. docs/HACKING.md says why they are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/tidy/files.sh
. tests/tidy/files.sh
here=tests/tidy

passed=0 failed=0
# rule NAME COMMAND...: what the command prints are breaches; lines that begin
# with "warning: " are shown and do not count.
rule() {
    local name=$1 output warnings
    shift
    output=$("$@")
    warnings=$(grep '^warning: ' <<<"$output" || true)
    output=$(grep -v '^warning: ' <<<"$output" || true)
    [ -z "$warnings" ] || printf '%s\n' "$warnings"
    if [ -z "$output" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'rule "%s" is broken:\n%s\n' "$name" "$output"
    fi
}

mapfile -t code < <(our_files '*.c' '*.h' '*.S' '*.cc')
mapfile -t bodies < <(our_files '*.c' '*.cc')
mapfile -t shared < <(our_files '*.c' '*.h' '*.S' '*.cc' '*.sh' '*.txt' \
    '*.md' '*.cmake' '*.in' '*.json' '*/run' '.gitignore' '.clang-format')

# grep_files PATTERN FILE...: the breaches as FILE:LINE: TEXT.
grep_files() {
    local pattern=$1
    shift
    [ $# -eq 0 ] || grep -nHE -- "$pattern" "$@" || true
}

# Counted in characters, not bytes.
long_lines() {
    local limit=$1
    shift
    [ $# -eq 0 ] || LC_ALL=C.UTF-8 grep -nHE -- "^.{$((limit + 1))}" "$@" |
        cut -c1-100 || true
}

long_files() {
    local file lines
    for file in "${code[@]}"; do
        lines=$(wc -l <"$file")
        if [ "$lines" -gt 800 ]; then
            echo "$file: $lines lines; more than 800 is more than one idea"
        elif [ "$lines" -gt 600 ]; then
            echo "warning: $file: $lines lines (aim for 600)"
        fi
    done
}

long_functions() {
    [ ${#bodies[@]} -eq 0 ] || awk -f "$here/functions.awk" "${bodies[@]}"
}

# Written in two parts, so that this file does not break the rule itself.
unfinished='TO''DO|FIX''ME|XX''X|not impl''emented'

# Of the runtime's headers api/ may include the seam, and nothing else.
api_includes() {
    local file line header
    while IFS= read -r file; do
        while IFS=: read -r line header; do
            if [ "$header" != runtime/seam.h ] &&
                [ ! -e "api/include/$header" ] &&
                { [ ! -e "api/$header" ] || [[ $header == *..* ]]; }; then
                echo "$file:$line: includes \"$header\"; of runtime/ only" \
                    "runtime/seam.h may be included"
            fi
        done < <(sed -n 's/^ *# *include *[<"]\(runtime\/[^">]*\)[">].*/\1/p;
                         s/^ *# *include *"\([^"]*\)".*/\1/p' "$file" |
            grep -n '')
    done < <(our_files 'api/*.c' 'api/*.h' | grep -v '^api/include/')
}

# runtime/ knows of api/ only the public headers.
runtime_includes() {
    grep_files '^ *# *include *[<"](\.\./)*(\.\./api/|api/)' \
        "${runtime_files[@]}"
}

# The switch knows nothing but itself and the public headers.
arch_includes() {
    local file
    while IFS= read -r file; do
        sed -n 's/^ *# *include *"\([^"]*\)".*/\1/p' "$file" |
            while IFS= read -r header; do
                [ -e "runtime/arch/$(basename "$header")" ] ||
                    [ -e "api/include/$header" ] ||
                    [[ $header == */sanitizers.h || $header == sanitizers.h ]] ||
                    [[ $header == */fiber.h || $header == fiber.h ]] ||
                    echo "$file: includes \"$header\"; runtime/arch is the" \
                        "lowest floor"
            done
    done < <(our_files 'runtime/arch/*')
}

public_includes() {
    grep_files '^ *# *include *"(\.\./)*(runtime|api)/' "${public[@]}"
}

doc_blocks() {
    [ ${#public[@]} -eq 0 ] || awk -f "$here/docblocks.awk" "${public[@]}"
}

# Every UV_E... that a public header names is one of libuv's.
error_codes() {
    local header code
    header=$(pkg-config --variable=includedir libuv 2>/dev/null)/uv.h
    [ -f "$header" ] && [ ${#public[@]} -gt 0 ] || return 0
    grep -ohE 'UV_E[A-Z0-9_]+' "${public[@]}" | sort -u |
        while IFS= read -r code; do
            # UV_EAI_... stands for all that begin so.
            grep -qE "XX\(${code#UV_}$([[ $code == *_ ]] || echo ,)" \
                "$header" ||
                echo "libuv has no $code"
        done
}

mapfile -t runtime_files < <(our_files 'runtime/*.c' 'runtime/*.h' \
    'runtime/*.S')
mapfile -t public < <(our_files 'api/include/*.h')

rule "C lines of at most 80 characters" long_lines 80 "${code[@]}"
rule "no blanks at the end of a line" grep_files '[[:blank:]]+$' "${shared[@]}"
rule "no tabs in C" grep_files $'\t' "${code[@]}"
rule "files of at most 800 lines" long_files
rule "functions of at most 70 lines" long_functions
rule "nothing unfinished" grep_files "$unfinished" "${shared[@]}"
rule "api/ enters runtime/ by the seam" api_includes
rule "runtime/ includes nothing of api/ but public headers" runtime_includes
rule "runtime/arch stands alone" arch_includes
rule "public headers include public headers" public_includes
rule "every public function has its doc block" doc_blocks
rule "error codes in public headers exist" error_codes

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
