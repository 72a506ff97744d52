#!/usr/bin/env bash
# conformance.sh: compares the ids that tests claim to show, CONFORMS("K-031"),
# with the ones that tests/conformance.txt asks for. Each section is one check,
# which fails when an id of it has no test; so does a claim that is not listed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

list=tests/conformance.txt
claimed=$(
    for file in tests/test_*.c; do
        if [ -e "$file" ]; then
            # A claim may go over several lines.
            tr '\n' ' ' <"$file" | grep -oE 'CONFORMS\([^)]*\)' || true
        fi
    done | grep -oE '[A-Z]-[0-9]{3}' | sort -u || true
)

awk -v claimed="$claimed" '
    function close_section() {
        if (wanted + excused == 0) return
        printf "%-40.40s %3d of %3d", section, covered, wanted
        if (excused) printf ", %d not applicable", excused
        if (missing != "") printf "; no test:%s", missing
        print ""
        if (missing == "") passed++; else failed++
    }
    BEGIN {
        n = split(claimed, ids, "\n")
        for (i = 1; i <= n; i++) if (ids[i] != "") has[ids[i]] = 1
    }
    /^## / {
        close_section()
        section = substr($0, 4)
        wanted = covered = excused = 0
        missing = ""
        next
    }
    /^#/ || /^ *$/ { next }
    $1 !~ /^[A-Z]-[0-9][0-9][0-9]$/ { print "not an id: " $0; failed++; next }
    listed[$1]++ { print "listed twice: " $1; failed++; next }
    $2 == "no:" { excused++; next }
    { wanted++ }
    $1 in has { covered++; next }
    { missing = missing " " $1 }
    END {
        close_section()
        for (id in has) if (!(id in listed)) {
            print "claimed by a test, but not in the list: " id
            failed++
        }
        print passed + 0 " passed, " failed + 0 " failed"
        exit failed > 0
    }' "$list"
