# docblocks.awk: what is wrong with the documentation of the public functions.
#
# Every declaration that begins with UVA_API stands under a block /** ... */
# with the fields Context, Parks, Cancel, Returns, Owns, in this order. Those
# that a macro stands in front of, uva_..._at and uva_async_..., need none.

function report(text) { printf "%s:%d: %s\n", FILENAME, FNR, text }

function check_block(    i, at, last) {
    if (block == "") {
        report("no doc block above: " declared)
        return
    }
    last = 0
    for (i = 1; i <= count; i++) {
        at = index(block, "\n * " fields[i] ":")
        if (at == 0) {
            report("the doc block lacks \"" fields[i] ":\": " declared)
            return
        }
        if (at < last) {
            report("\"" fields[i] ":\" is out of order: " declared)
            return
        }
        last = at
    }
}

BEGIN { count = split("Context Parks Cancel Returns Owns", fields, " ") }

FNR == 1 { block = ""; inside = collecting = 0 }

/^\/\*\*/ { inside = 1; block = "" }
inside {
    block = block "\n" $0
    if (/\*\//) { inside = 0 }
    next
}

/^UVA_API/ { declared = ""; collecting = 1 }
collecting {
    declared = declared $0
    if (!/;/) { next }
    collecting = 0
    # The functions behind a macro, ..._at and uva_async_..., are documented
    # with the macro.
    if (declared !~ /uva_([a-z0-9_]+_at|async_[a-z0-9_]+)\(/) { check_block() }
    block = ""
    next
}

# Anything but blank lines and attributes comes between block and declaration.
/[^ ]/ && !/^UVA_/ && !/^#/ { block = "" }
