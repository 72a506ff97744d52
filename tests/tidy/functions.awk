# functions.awk: functions of more than 70 lines, as FILE:LINE: LINES NAME.
#
# Relies on the format: what begins in the first column and ends with "{" opens
# a body, "}" in the first column closes it; a type or a table is no function.

FNR == 1 { head = ""; open = 0 }

open && /^}/ {
    lines = FNR - open + 1
    if (lines > 70) {
        printf "%s:%d: %d lines, %s\n", FILENAME, open, lines, name
    }
    open = 0
    next
}

open { next }

# The head of a declaration may go over several lines.
/^[A-Za-z_]/ { head = $0; start = FNR }
/^[ ]/ { head = head " " $0 }
/^[#\/]/ || /;[ ]*$/ { head = "" }

head != "" && /{[ ]*$/ && head ~ /\(/ && head !~ /=[ ]*{/ {
    open = start
    name = head
    sub(/\(.*/, "", name)
    sub(/.*[ *]/, "", name)
    head = ""
}
