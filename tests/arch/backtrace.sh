#!/usr/bin/env bash
# backtrace.sh: gdb sees through a task's stack to its end, wherever it stops:
# in a function that a task's body called, at the switch, after each single
# instruction of the switch, and behind it; going to a new stack and to one that
# was parked. The same with ucontext, but for the single steps: that switch is
# libc's.
#
# Compiles the library itself, so that it needs no build before. UVA_BACKTRACE_DIR
# is the build directory (build/backtrace).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${UVA_BACKTRACE_DIR:-build/backtrace}
passed=0 failed=0

skip() {
    echo "$*"
    exit 77
}
command -v gdb >/dev/null 2>&1 || skip "gdb is not installed (Debian: gdb)"
compiler=${CC:-gcc}
command -v "$compiler" >/dev/null 2>&1 || skip "there is no $compiler here"

# ---- the programs ------------------------------------------------------------

flags="-std=c11 -D_GNU_SOURCE -DUVA_BUILDING -O2 -g -Iapi/include -I. -Iruntime"
flags+=" $(pkg-config --cflags libuv)"

# compile DIRECTORY FLAGS FILE...: two at a time.
compile() {
    local directory=$1 extra=$2
    shift 2
    rm -rf "$directory"
    mkdir -p "$directory"
    # One word a flag, on purpose.
    # shellcheck disable=SC2016
    printf '%s\n' "$@" | xargs -P 2 -I FILE sh -c '
        exec '"$compiler $flags $extra"' -c FILE \
            -o '"$directory"'/"$(echo FILE | tr / _)".o'
}

# program NAME OBJECT...
program() {
    local name=$1
    shift
    # shellcheck disable=SC2046,SC2086
    "$compiler" $flags -o "$build/$name" tests/arch/backtrace_target.c "$@" \
        $(pkg-config --libs libuv) -lpthread
}

# Only the lowest floor knows how stacks are switched.
compile "$build/objects" '' runtime/*.c runtime/io/*.c api/*.c
compile "$build/objects-asm" '' runtime/arch/*.[cS]
compile "$build/objects-ucontext" -DUVA__SWITCH_UCONTEXT runtime/arch/*.[cS]
program asm "$build"/objects/*.o "$build"/objects-asm/*.o
program ucontext "$build"/objects/*.o "$build"/objects-ucontext/*.o

# ---- what gdb says -------------------------------------------------------------

# look PROGRAM COMMAND...: runs gdb; each backtrace begins with "@@ LABEL".
look() {
    local name=$1 arguments=()
    shift
    local command
    for command in 'set pagination off' 'set confirm off' 'set width 0' \
        'set disable-randomization off' 'set print frame-arguments none' "$@"; do
        arguments+=(-ex "$command")
    done
    DEBUGINFOD_URLS='' timeout 120 gdb -nx -batch "${arguments[@]}" \
        "$build/$name" >"$build/$name.log" 2>&1 || true
    if grep -qE 'ptrace: Operation not permitted|Could not trace' \
        "$build/$name.log"; then
        skip "gdb may not trace a program here"
    fi
}

# steps LABEL COUNT: gdb commands for a backtrace after each instruction.
steps() {
    local i
    for ((i = 0; i < $2; i++)); do
        printf '%s\n' "echo @@ $1, instruction $i\\n" bt stepi
    done
}

# judge PROGRAM LABEL COUNT LAST FUNCTION...: COUNT backtraces have this label;
# each shows the functions in this order, among others, without a frame of ours
# that gdb could not name and without a complaint, and ends in one of LAST (a
# pattern). What lies above enter, ucontext's entry, is libc's affair.
# gdb takes our names for Ada's and may write uva.switch: points and underscores
# are the same here.
judge() {
    local result
    result=$(awk -v label="$2" -v wanted="$3" -v last="$4" -v calls="${*:5}" '
        function finish(    i, at, n, call) {
            if (!open) return
            open = 0
            seen++
            why = complaint
            if (why == "" && name[frames] !~ ("^(" last ")$"))
                why = "ends in " name[frames]
            n = split(calls, call, " ")
            for (i = at = 1; why == "" && i <= n; i++) {
                while (at <= frames && name[at] !~ ("^(" call[i] ")$")) at++
                if (at > frames) why = "lacks " call[i]
            }
            if (why == "") good++
            else print text "-> " why
        }
        /^@@ / {
            finish()
            open = index($0, "@@ " label) == 1
            frames = 0; complaint = ""; text = $0 "\n"
            next
        }
        /^(Breakpoint|Temporary breakpoint) / { finish() }
        /^0x[0-9a-f]+ in |^[0-9]+\t/ { finish() }
        open && /Backtrace stopped|corrupt|previous frame|annot access/ {
            complaint = $0
        }
        open && /^#[0-9]+ / {
            line = $0
            text = text line "\n"
            sub(/^#[0-9]+ +(0x[0-9a-f]+ in )?/, "", line)
            foreign = line ~ / from /
            sub(/ .*/, "", line)
            gsub(/\./, "__", line)
            if (line == "??" && !foreign) complaint = "a frame without a name"
            name[++frames] = line
            if (line == "enter") finish()
        }
        END {
            finish()
            print good + 0, wanted - good
        }' "$build/$1.log")
    local counts=${result##*$'\n'}
    passed=$((passed + ${counts% *}))
    if [ "${counts#* }" -ne 0 ]; then
        failed=$((failed + ${counts#* }))
        printf '%s\n' "$1, $2: ${counts#* } of $3 are not as they should be" \
            "${result%$'\n'*}" "  (all of it: $build/$1.log)"
    fi
}

body=(bt_c bt_b bt_a bt_body uva__task_run uva__stack_main)

# The switch has 22 instructions on x86-64; more steps lead into what comes
# after it, on the other stack.
count=30
mapfile -t to_new < <(steps 'to a new stack' "$count")
mapfile -t to_parked < <(steps 'to a parked stack' "$count")
look asm 'tbreak uva__switch' run "${to_new[@]}" \
    'break bt_c' continue 'echo @@ in a task\n' bt continue \
    'tbreak uva__switch' continue "${to_parked[@]}"
judge asm 'to a new stack' "$count" '_start|main|uva__switch_entry'
judge asm 'in a task' 1 uva__switch_entry "${body[@]}"
judge asm 'to a parked stack' "$count" uva__switch_entry "${body[@]}"

look ucontext 'break bt_c' run continue 'echo @@ in a task\n' bt \
    'tbreak uva__switch' continue 'echo @@ at the switch\n' bt \
    finish 'echo @@ behind the switch\n' bt
for label in 'in a task' 'at the switch' 'behind the switch'; do
    judge ucontext "$label" 1 enter "${body[@]}"
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
