# same.awk WANTED GOT, with -v tolerance=SECONDS: says where the two differ.
# Numbers with a point are times, and may differ by so much.

# Puts the times of `line` into `times`; the line without them.
function take_times(line, times,    n, rest) {
    rest = ""
    n = 0
    while (match(line, /[0-9]+\.[0-9]+/)) {
        times[++n] = substr(line, RSTART, RLENGTH)
        rest = rest substr(line, 1, RSTART - 1) "<time>"
        line = substr(line, RSTART + RLENGTH)
    }
    times[0] = n
    return rest line
}

function differ(at, wanted, got) {
    printf "line %d: got \"%s\", wanted \"%s\"\n", at, got, wanted
}

FNR == NR {
    wanted[++lines] = $0
    next
}

FNR > lines {
    differ(FNR, "", $0)
    next
}

{
    seen = FNR
    if (take_times(wanted[FNR], a) != take_times($0, b)) {
        differ(FNR, wanted[FNR], $0)
        next
    }
    for (i = 1; i <= a[0]; i++) {
        apart = a[i] - b[i]
        if (apart > tolerance || apart < -tolerance)
            differ(FNR, wanted[FNR], $0)
    }
}

END {
    for (i = seen + 1; i <= lines; i++)
        differ(i, wanted[i], "")
}
