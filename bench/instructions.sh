#!/usr/bin/env bash
# bench/instructions.sh PROGRAM [--update | --show] [WORKLOAD...]
#
# Counts the instructions (and the readings of the clock) of each workload of
# bench/instructions.c, and fails where one takes over 3 % more than
# bench/instructions.json says. A workload is run with two numbers of operations
# under callgrind; the difference is what the operations cost, without the
# start. Nothing of it depends on how fast the machine is, so there is nothing
# to repeat.
#
#   --update  writes the file anew, and says what has changed: the reason
#             belongs into the message of the commit
#   --show    only counts
#
# Status 77: the counts of the file do not hold here (another compiler, flags,
# libuv or libc), or valgrind is missing; the last line says which.
set -euo pipefail
usage='usage: bench/instructions.sh PROGRAM [--update | --show] [WORKLOAD...]'
program=$(realpath -m "${1:?$usage}")
shift
cd "$(dirname "${BASH_SOURCE[0]}")/.."
file=bench/instructions.json
few=4000 many=12000
percent=3

mode=compare
case ${1:-} in
--update | --show)
    mode=${1#--}
    shift
    ;;
esac

skip() {
    echo "$*"
    exit 77
}
command -v valgrind >/dev/null 2>&1 ||
    skip 'valgrind is not installed (Debian: valgrind)'
[ -x "$program" ] || skip "there is no $program"

# The library's own memcpy and its like come in variants for the processor;
# these are there everywhere.
export GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS
GLIBC_TUNABLES+=,-AVX512F,-AVX512VL,-EVEX

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

made_with() {
    echo "machine: $(uname -m)"
    "$program" --made-with
}

# recorded KEY: its line in the file; each entry has one of its own.
recorded() {
    [ ! -e "$file" ] || grep -F "\"$1\": " "$file" || true
}

# count WORKLOAD N: instructions and readings of the clock of one process.
count() {
    local instructions readings
    readings=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        "$program" "$1" "$2" 2>"$scratch/log") || {
        cat "$scratch/log" >&2
        return 1
    }
    instructions=$(sed -n 's/.*Collected *: *//p' "$scratch/log")
    echo "$instructions $readings"
}

# measure WORKLOAD: instructions and readings for each operation.
measure() {
    local low high
    low=$(count "$1" "$few") && high=$(count "$1" "$many") || return 1
    awk -v n=$((many - few)) '{ printf "%.1f %.3f\n", ($3 - $1) / n,
        ($4 - $2) / n }' <<<"$low $high"
}

# judge NAME NEW-INSTRUCTIONS NEW-READINGS: one line; fails for a regression.
judge() {
    recorded "$1" | awk -v name="$1" -v now="$2" -v clock="$3" \
        -v percent="$percent" '
        function more(is, was, least) {
            return is > was * (1 + percent / 100) && is - was > least
        }
        { found = 1; gsub(/[{},:"]/, " "); was = $(NF - 2); clock_was = $NF }
        END {
            if (!found) {
                print name ": not in the file; bench/instructions.sh --update"
                exit 1
            }
            change = was > 0 ? sprintf(" (%+.1f %%)", (now / was - 1) * 100) \
                             : ""
            line = sprintf("%-34s %8.1f instructions, was %.1f%s", name, now,
                           was, change)
            if (clock + 0 != clock_was + 0)
                line = line sprintf("; %.3f readings of the clock, was %.3f",
                                    clock, clock_was)
            if (more(now, was, 0.3) || more(clock, clock_was, 0.002)) {
                print line ": TOO MANY"
                exit 1
            }
            if (more(was, now, 0.3))
                line = line ": fewer; --update would keep it so"
            print line
        }'
}

if [ "$mode" = compare ]; then
    while IFS= read -r line; do
        recorded "${line%%: *}" | grep -qF "\"${line#*: }\"" ||
            skip "the counts were not made with $line ($file)"
    done < <(made_with)
fi
if [ $# -gt 0 ]; then
    [ "$mode" != update ] || {
        echo "--update counts all of them" >&2
        exit 2
    }
    names=("$@")
else
    mapfile -t names < <("$program" --list)
fi

passed=0 failed=0
: >"$scratch/rows"
for name in "${names[@]}"; do
    read -r instructions readings < <(measure "$name") || {
        echo "$name: could not be counted" >&2
        exit 1
    }
    printf '        "%s": {"instructions": %s, "clock": %s},\n' "$name" \
        "$instructions" "$readings" >>"$scratch/rows"
    if [ "$mode" = show ]; then
        printf '%-34s %8.1f instructions, %.3f readings of the clock\n' \
            "$name" "$instructions" "$readings"
    elif judge "$name" "$instructions" "$readings"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
done

case $mode in
update)
    {
        printf '{\n    "made with": {\n'
        made_with | sed 's/\(.*\): \(.*\)/        "\1": "\2",/; $s/,$//'
        printf '    },\n    "for each operation": {\n'
        sed '$s/,$//' "$scratch/rows"
        printf '    }\n}\n'
    } >"$scratch/new"
    cp "$scratch/new" "$file"
    echo "$file is written; say why in the message of the commit"
    ;;
compare)
    if [ "$failed" -gt 0 ]; then
        echo "If it has to be so: bench/instructions.sh PROGRAM --update, and" \
            "the reason in the message of the same commit."
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
    ;;
esac
