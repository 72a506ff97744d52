#!/usr/bin/env bash
# mistakes.sh: mistakes.c compiles without a mistake, under many warnings, and
# with each of its mistakes it does not, for the reason that stands there and
# with the place in the program. gcc and clang, C11 and C23.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LC_ALL=C # ASCII quotes
file=tests/not_compiling/mistakes.c
work=build/mistakes
mkdir -p "$work"
read -r -a flags < <(pkg-config --cflags libuv)
flags+=(-I api/include -Wall -Wextra -Wpedantic)

passed=0 failed=0
# passes WHAT COMMAND...: counts it, and says what went wrong.
passes() {
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $what"
        sed 's/^/    /' "$work/log"
    fi
}

# compile COMPILER STANDARD MORE...: what it says goes to $work/log.
compile() {
    local compiler=$1 standard=$2
    shift 2
    "$compiler" "-std=$standard" "${flags[@]}" "$@" -c -o "$work/mistakes.o" \
        "$file" >"$work/log" 2>&1
}

control() {
    compile "$@" -Wshadow -Wconversion -Wstrict-prototypes \
        -Wmissing-prototypes -Wpointer-arith -Werror
}

# names_place FIRST LAST: one of these lines is in what the compiler said.
names_place() {
    awk -v first="$1" -v last="$2" '
        match($0, /mistakes\.c:[0-9]+/) {
            line = substr($0, RSTART + 11, RLENGTH - 11) + 0
            if (line >= first && line <= last) { found = 1 }
        }
        END { exit !found }' "$work/log"
}

# mistake COMPILER STANDARD NUMBER FIRST LAST VERB TEXT
mistake() {
    local compiler=$1 standard=$2 number=$3 first=$4 last=$5 verb=$6 text=$7
    local status=0
    compile "$compiler" "$standard" "-DMISTAKE=$number" || status=$?
    case $verb in
    says) [ "$status" -ne 0 ] ;;
    warns) [ "$status" -eq 0 ] ;;
    esac && grep -qF -- "$text" "$work/log" && names_place "$first" "$last"
}

# mistakes COMPILER: "NUMBER FIRST LAST VERB TEXT" of each in the file.
mistakes() {
    awk -v compiler="$1" '
        function flush() {
            if (number != "" && text != "")
                print number, first, FNR, verb, text
            number = text = ""
        }
        /^#(if|elif|else|endif)/ { flush() }
        /^#(if|elif) MISTAKE == [0-9]+/ { number = $4; first = FNR }
        $1 == "/*" && $2 == compiler {
            verb = $3; sub(/:$/, "", verb)
            text = $0
            sub(/^[^:]*: /, "", text); sub(/ \*\/$/, "", text)
        }' "$file"
}

for compiler in gcc clang; do
    if ! command -v "$compiler" >/dev/null; then
        echo "skipped: $compiler is not installed"
        continue
    fi
    for standard in c11 c2x; do
        for level in -O0 -Os; do
            passes "$compiler $standard $level: the control" \
                control "$compiler" "$standard" "$level"
        done
        while read -r number first last verb text; do
            passes "$compiler $standard: mistake $number: $text" \
                mistake "$compiler" "$standard" "$number" "$first" "$last" \
                "$verb" "$text"
        done < <(mistakes "$compiler")
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
