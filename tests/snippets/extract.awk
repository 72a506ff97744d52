# extract.awk: writes each fenced C block of a Markdown file to
# DIR/<n>.c, with how to treat it in DIR/<n>.how, and prints n, line by line,
# with the line that the block begins at.
#
# -v dir=DIR -v first=N (number of the first block). The comments that a block
# may stand under are described in snippets.sh.

function flush_how(    file) {
    file = dir "/" number ".how"
    printf "%s", how > file
    close(file)
}

BEGIN { number = first; how = before = after = "" }

# A comment of ours, on one line or up to "-->".
/^<!-- snippet: before *$/ { in_before = 1; next }
in_before && /^-->/ { in_before = 0; next }
in_before { before = before $0 "\n"; next }
/^<!-- snippet: after *$/ { in_after = 1; next }
in_after && /^-->/ { in_after = 0; next }
in_after { after = after $0 "\n"; next }
/^<!-- snippet: .* -->$/ && !in_code {
    line = $0
    sub(/^<!-- snippet: /, "", line)
    sub(/ -->$/, "", line)
    how = how line "\n"
    next
}

/^```c *$/ && !in_code {
    in_code = 1
    file = dir "/" number ".body"
    printf "" > file
    start = FNR
    next
}
/^```/ && in_code {
    in_code = 0
    close(file)
    flush_how()
    file = dir "/" number ".before"
    printf "%s", before > file
    close(file)
    file = dir "/" number ".after"
    printf "%s", after > file
    close(file)
    print number, start
    number++
    how = before = after = ""
    next
}
in_code { print > file; next }
/^```/ { in_other = !in_other }
/[^ ]/ { how = before = after = "" }
