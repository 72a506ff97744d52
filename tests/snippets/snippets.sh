#!/usr/bin/env bash
# snippets.sh PREFIX: every C block of README.md and docs/ compiles against the
# uvawait installed in PREFIX and, if it has a main, runs and exits with 0.
#
# A block is a program if it, or what is added to it, has a main; else code at
# file scope under #include <uvawait.h>. HTML comments on lines of their own
# directly above a block say more:
#
#   <!-- snippet: body -->          the inside of a task's function
#   <!-- snippet: no-run -->        compile only
#   <!-- snippet: elsewhere -->     cut out of a program that has its own test
#   <!-- snippet: output: a\nb -->  it prints just this (and a last newline)
#   <!-- snippet: before            declarations that the block relies on and
#   int fetch(void *arg);           the reader need not see
#   -->
#   <!-- snippet: after             the same, behind the block: a main that runs
#   int main(void) { ... }          what it shows
#   -->
set -euo pipefail
prefix=$(cd "${1:?usage: snippets.sh PREFIX}" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

work=$prefix/../snippets
rm -rf "$work"
mkdir -p "$work"
pc_file=$(find "$prefix" -name uvawait.pc)
libdir=$(dirname "$(dirname "$pc_file")")
export PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
flags=$(pkg-config --cflags --libs uvawait)

# is_program N: whether there is a main in the block or behind it.
is_program() {
    grep -qE '^int main\(' "$work/$1.body" "$work/$1.after"
}

# assemble N: makes N.c of the block and its comments.
assemble() {
    local base=$work/$1
    if is_program "$1"; then
        cat "$base.before" "$base.body" "$base.after"
        return
    fi
    printf '#include <uvawait.h>\n'
    cat "$base.before"
    if grep -qx 'body' "$base.how"; then
        printf 'int snippet_body(void *arg);\nint snippet_body(void *arg) {\n'
        printf '(void)arg;\n{\n'
        cat "$base.body"
        printf '\n}\nreturn 0;\n}\n'
    else
        cat "$base.body" "$base.after"
    fi
}

# compile N: programs as a strict reader would, parts without asking that
# everything in them be used.
compile() {
    local base=$work/$1 quoted
    printf -v quoted '%q' "$base"
    if is_program "$1"; then
        eval "cc -Wall -Wextra -Werror -o $quoted $quoted.c $flags"
    else
        eval "cc -Wall -Wextra -Werror -Wno-unused -c -o $quoted.o" \
            "$quoted.c $flags"
    fi
}

# runs N: status 0 within 20 s and, if it says so, the right output.
runs() {
    local base=$work/$1 expected
    (cd "$work" && timeout 20 "./$1" >"$1.out" 2>"$1.err" </dev/null) || {
        echo "exit status $?"
        cat "$base.out" "$base.err"
        return 1
    }
    if grep -q '^output: ' "$base.how"; then
        expected=$(sed -n 's/^output: //p' "$base.how")
        diff <(printf '%b\n' "$expected") "$base.out"
    fi
}

# try N: the whole of one block.
try() {
    assemble "$1" >"$work/$1.c"
    compile "$1" || return 1
    if [ -x "$work/$1" ] && ! grep -qx 'no-run' "$work/$1.how"; then
        runs "$1"
    fi
}

files=()
[ ! -e README.md ] || files+=(README.md)
while IFS= read -r file; do
    files+=("$file")
done < <(find docs -name '*.md' 2>/dev/null | sort)

passed=0 failed=0 next=1
for file in "${files[@]}"; do
    while read -r number line; do
        next=$((number + 1))
        if grep -qx 'elsewhere' "$work/$number.how"; then
            continue
        fi
        if try "$number"; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "FAILED: the block at $file:$line"
        fi
    done < <(awk -v dir="$work" -v first="$next" \
        -f tests/snippets/extract.awk "$file")
done
# The chapter that is cut out of programs is what they are now.
if docs/guide/side_by_side.py --check; then
    passed=$((passed + 1))
else
    failed=$((failed + 1))
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
