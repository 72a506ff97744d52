# shellcheck shell=bash
# packages.sh - what tests/run and bench/run share: finding and installing what
# is missing, and running commands with visible progress. Sourced, never run.
#
# A package is written "probe package", one a line; the package is Debian's
# name, and the probe says how to see that it is there:
#
#   cmd:NAME[,NAME...]   one of these commands
#   pc:MODULE[>=VERSION] a pkg-config module
#   file:GLOB            a file
#   cmake:VERSION        cmake, at least this version
#
# Everything here writes to standard error: standard output belongs to the
# program that is run in the end. Nothing is downloaded, and apt-get is not
# even called, when nothing is missing.

if [ -t 2 ] && [ "${TERM:-dumb}" != dumb ]; then
    ui_terminal=1 ui_bold=$'\e[1m' ui_red=$'\e[31m' ui_green=$'\e[32m'
    ui_yellow=$'\e[33m' ui_plain=$'\e[0m' ui_erase=$'\r\e[K'
else
    ui_terminal='' ui_bold='' ui_red='' ui_green=''
    ui_yellow='' ui_plain='' ui_erase=''
fi
# Read by the scripts that source this.
export ui_bold ui_red ui_green ui_yellow ui_plain

say() { printf '%s\n' "$*" >&2; }
die() {
    say "${ui_red}error:${ui_plain} $*"
    exit 1
}

# run_logged LOG COMMAND...: appends the command's output to LOG and returns its
# status. Shows the newest line of it meanwhile: in place on a terminal, else
# every 20 seconds.
#
# A command in the background of a script ignores SIGINT, and so would the tests
# that it starts; env puts that right where it can.
run_logged() {
    local log=$1 pid line waited=0
    local reset=(env --default-signal=INT --default-signal=QUIT)
    shift
    if [ "$(type -t "$1")" = function ] ||
        ! "${reset[@]}" true 2>/dev/null; then
        reset=()
    fi
    "${reset[@]}" "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    run_logged_pid=$pid
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        waited=$((waited + 1))
        if [ -n "$ui_terminal" ]; then
            line=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-70)
            printf '%s    %s' "$ui_erase" "$line" >&2
        elif [ $((waited % 100)) -eq 0 ]; then
            line=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | cut -c1-100)
            say "    ... $line"
        fi
    done
    printf '%s' "$ui_erase" >&2
    run_logged_pid=''
    wait "$pid"
}

# An interrupted script takes along what it started.
run_logged_pid=''
run_logged_interrupted() {
    if [ -n "$run_logged_pid" ]; then
        kill "$run_logged_pid" 2>/dev/null || true
    fi
    printf '%s' "$ui_erase" >&2
    say 'interrupted'
    exit 130
}
trap run_logged_interrupted INT TERM

# packages_has PROBE
packages_has() {
    local kind=${1%%:*} what=${1#*:} name names
    case $kind in
    cmd)
        IFS=, read -r -a names <<<"$what"
        for name in "${names[@]}"; do
            if command -v "$name" >/dev/null 2>&1; then
                return 0
            fi
        done
        return 1
        ;;
    pc)
        command -v pkg-config >/dev/null 2>&1 &&
            pkg-config --exists "${what/>=/ >= }" 2>/dev/null
        ;;
    file)
        compgen -G "$what" >/dev/null
        ;;
    cmake)
        name=$(cmake --version 2>/dev/null | sed -n '1s/.*version //p')
        [ -n "$name" ] &&
            printf '%s\n%s\n' "$what" "$name" | sort -CV
        ;;
    *)
        die "no such probe: $1"
        ;;
    esac
}

# packages_missing "LINES": the packages of these lines that are not there.
packages_missing() {
    local probe package
    while read -r probe package; do
        if [ -n "$probe" ] && ! packages_has "$probe"; then
            printf '%s\n' "$package"
        fi
    done <<<"$1" | sort -u
}

# packages_as_root COMMAND...
packages_as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif [ -t 0 ] && [ -t 2 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

# packages_apt LOG PACKAGE...: installs; the index is fetched once per run.
packages_updated=''
packages_apt() {
    local log=$1
    shift
    if [ "$(id -u)" -ne 0 ]; then
        # The password, if one is needed, is asked for here, where it is seen.
        packages_as_root true || return 1
    fi
    if [ -z "$packages_updated" ]; then
        packages_updated=1
        say "    apt-get update"
        run_logged "$log" packages_as_root \
            env DEBIAN_FRONTEND=noninteractive apt-get update -q ||
            say "    apt-get update failed; trying with the index there is"
    fi
    say "    apt-get install $*"
    run_logged "$log" packages_as_root \
        env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -q --no-install-recommends "$@"
}

# packages_can_install: says why not otherwise.
packages_can_install() {
    if [ -n "${UVA_NO_INSTALL:-}" ]; then
        printf 'UVA_NO_INSTALL is set'
    elif ! command -v apt-get >/dev/null 2>&1; then
        printf 'there is no apt-get here'
    elif [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null 2>&1; then
        printf 'you are not root and there is no sudo'
    else
        return 0
    fi
    return 1
}

# packages_ensure DIRECTORY "REQUIRED" "OPTIONAL": installs what is missing.
# Ends the script, naming the packages, if a required one cannot be had; an
# optional one that could not be had is noted in DIRECTORY and not tried again.
packages_ensure() {
    local directory=$1 log=$1/packages.log tried=$1/packages-tried reason
    local required optional package
    if ! mkdir -p "$directory" || ! touch "$tried" "$log" 2>/dev/null; then
        die "cannot write to $PWD/$directory"
    fi
    : >"$log"
    required=$(packages_missing "$2")
    optional=$(packages_missing "$3" | grep -vxFf "$tried" || true)
    if [ -z "$required$optional" ]; then
        return 0
    fi
    if ! reason=$(packages_can_install); then
        if [ -n "$required" ]; then
            die "missing, and $reason: ${required//$'\n'/ }" \
                "(names of Debian packages; on another system, install what" \
                "they hold and run this again)"
        fi
        say "  not installed, and $reason: ${optional//$'\n'/ }"
        return 0
    fi
    if [ -n "$required" ]; then
        say "${ui_bold}installing${ui_plain}" \
            "what is needed: ${required//$'\n'/ }"
        # One word a package, on purpose; names hold no blanks.
        # shellcheck disable=SC2086
        packages_apt "$log" $required || cat "$log" >&2
        required=$(packages_missing "$2")
        [ -z "$required" ] ||
            die "could not be installed: ${required//$'\n'/ }"
    fi
    if [ -n "$optional" ]; then
        say "${ui_bold}installing${ui_plain}" \
            "what is of use: ${optional//$'\n'/ }"
        # shellcheck disable=SC2086
        packages_apt "$log" $optional || for package in $optional; do
            packages_apt "$log" "$package" || true
        done
        packages_missing "$3" >"$tried"
        if [ -s "$tried" ]; then
            say "  could not be had: $(tr '\n' ' ' <"$tried")"
        fi
    fi
}

# What every build needs.
packages_build='
cmd:gcc,clang gcc
file:/usr/include/stdio.h libc6-dev
cmake:3.25 cmake
cmd:ninja ninja-build
cmd:pkg-config pkg-config
pc:libuv>=1.44 libuv1-dev
pc:check check
pc:jansson libjansson-dev
'
export packages_build

# packages_configure LOG PRESET: configures build/PRESET where that is not done.
# The presets leave the generator open; a new directory gets Ninja.
packages_configure() {
    local log=$1 preset=$2
    if [ -e "build/$preset/CMakeCache.txt" ]; then
        run_logged "$log" cmake --preset "$preset"
    else
        run_logged "$log" cmake --preset "$preset" -G Ninja
    fi
}
