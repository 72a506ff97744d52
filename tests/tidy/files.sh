# shellcheck shell=bash
# files.sh - which files are ours. Sourced by the checks beside it, which run at
# the top of the tree.

# our_files PATTERN...: tracked files and new ones that are not ignored, one a
# line; without git (an unpacked archive) what find sees outside build/.
our_files() {
    local pattern
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -co --exclude-standard -- "$@" | sort -u |
            while IFS= read -r file; do
                [ ! -f "$file" ] || printf '%s\n' "$file"
            done
        return
    fi
    for pattern in "$@"; do
        find . -path ./build -prune -o -type f -path "./$pattern" -print
    done | sed 's|^\./||' | sort -u
}
