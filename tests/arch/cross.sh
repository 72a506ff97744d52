#!/usr/bin/env bash
# cross.sh: what other machines do, under qemu's emulation of user space.
#
#   the switch       switch_check.c for AArch64 and RISC-V 64, linked statically:
#                    in assembly and by ucontext, not optimised and optimised,
#                    and on AArch64 with pointer authentication
#   the library      all of it for AArch64 with library_check.c, against libuv
#                    of Debian's arm64. RISC-V 64 is not among the machines of
#                    Debian 12, so there is no libuv for it: only its switch
#
# libuv's packages are fetched with an index of their own under the build
# directory and unpacked there: the system's list of architectures, its indexes
# and its packages stay as they are. Where that cannot be done (no network,
# UVA_NO_INSTALL, another distribution) the reason is printed and the rest
# counts.
#
# UVA_CROSS_DIR is the build directory (build/cross).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${UVA_CROSS_DIR:-build/cross}
mkdir -p "$build"
build=$(cd "$build" && pwd)
passed=0 failed=0

warnings=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wvla -Werror)
flags=(-std=c11 -D_GNU_SOURCE -g -I. -Iruntime "${warnings[@]}")

has() { command -v "$1" >/dev/null 2>&1; }

# check NAME COMMAND...: runs a program that ends with "N passed, M failed" and
# adds that up; one that does not is one failure.
check() {
    local name=$1 output status=0 counts
    shift
    output=$(timeout 120 "$@" 2>&1) || status=$?
    counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' \
        <<<"$output")
    if [[ $counts =~ ^[0-9]+\ [0-9]+$ ]]; then
        passed=$((passed + ${counts% *}))
        failed=$((failed + ${counts#* }))
        [ "$status" -eq 0 ] || [ "${counts#* }" -ne 0 ] ||
            failed=$((failed + 1))
    else
        failed=$((failed + 1))
        status=${status/#0/1}
    fi
    if [ "$status" -ne 0 ]; then
        echo "$name: FAILED (status $status)"
        printf '%s\n' "    ${output//$'\n'/$'\n    '}"
    else
        echo "$name: ${counts% *} passed"
    fi
}

# compiled NAME COMMAND...: a compilation that must succeed.
compiled() {
    local name=$1
    shift
    if ! "$@"; then
        echo "$name: does not compile"
        failed=$((failed + 1))
        return 1
    fi
}

# ---- the switch --------------------------------------------------------------

# switch_check TRIPLET QEMU FLAGS...
switch_check() {
    local compiler=$1-gcc qemu=$2 name program
    name="switch, ${1%%-*}, ${*:3}"
    program=$build/switch_check-${1%%-*}
    shift 2
    compiled "$name" "$compiler" "${flags[@]}" -Itests "$@" -static \
        -fasynchronous-unwind-tables -o "$program" tests/arch/switch_check.c \
        runtime/fiber.c runtime/arch/*.c runtime/arch/*.S || return 0
    check "$name" "$qemu" "$program"
}

# emulator NAME: the command of this emulator, dynamic or static.
emulator() {
    if has "qemu-$1"; then
        echo "qemu-$1"
    elif has "qemu-$1-static"; then
        echo "qemu-$1-static"
    else
        return 1
    fi
}

# can_cross TRIPLET: a compiler, its libc and an emulator; else says what lacks.
can_cross() {
    if ! has "$1-gcc"; then
        echo "${1%%-*}: no $1-gcc (Debian: gcc-$1)"
        return 1
    elif [ ! -e "/usr/$1/include/stdio.h" ]; then
        echo "${1%%-*}: no C library to compile against (Debian:" \
            "libc6-dev-$2-cross)"
        return 1
    elif ! emulator "${1%%-*}" >/dev/null; then
        echo "${1%%-*}: no qemu-${1%%-*} (Debian: qemu-user)"
        return 1
    fi
}

# ---- libuv for another machine --------------------------------------------------

# fetch_libuv ARCHITECTURE DIRECTORY: unpacks its libuv there; else says why not.
fetch_libuv() {
    local machine=$1 directory=$2 apt=$2/apt log=$2/apt.log options
    [ ! -e "$directory/done" ] || return 0
    if [ -n "${UVA_NO_INSTALL:-}" ]; then
        echo "UVA_NO_INSTALL is set"
        return 1
    elif ! has apt-get || ! has dpkg-deb; then
        echo "there is no apt-get here"
        return 1
    fi
    rm -rf "$directory"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
    : >"$apt/status"
    # The sources are the system's; what is known and fetched is our own.
    options=(-q -o "APT::Architecture=$machine"
        -o "APT::Architectures::=$machine" -o "APT::Sandbox::User="
        -o "Dir::State::lists=$apt/lists" -o "Dir::State::status=$apt/status"
        -o "Dir::Cache=$apt/cache" -o "Acquire::Languages=none"
        -o "Acquire::Retries=1" -o "Acquire::http::Timeout=20"
        -o "Acquire::https::Timeout=20" -o "DPkg::Post-Invoke="
        -o "APT::Update::Post-Invoke=" -o "APT::Update::Post-Invoke-Success=")
    # A source that has nothing for this machine makes update fail; download
    # tells whether it mattered.
    timeout 300 apt-get "${options[@]}" update >"$log" 2>&1 || true
    if ! (cd "$apt" && timeout 300 apt-get "${options[@]}" download \
        libuv1 libuv1-dev) >>"$log" 2>&1; then
        echo "libuv for $machine could not be fetched:" \
            "$(grep '^[EW]:' "$log" | tail -n 1)"
        return 1
    fi
    local package
    for package in "$apt"/*.deb; do
        dpkg-deb -x "$package" "$directory/root"
    done
    rm -rf "$apt"
    touch "$directory/done"
}

# ---- the library ----------------------------------------------------------------

# library TRIPLET ARCHITECTURE FLAGS...
library() {
    local triplet=$1 machine=$2 reason object
    local directory=$build/$machine
    local root=$directory/root objects=$directory/objects
    local name="library, ${triplet%%-*}"
    if ! reason=$(fetch_libuv "$machine" "$directory"); then
        echo "$name: skipped: $reason"
        return 0
    fi
    rm -rf "$objects"
    mkdir -p "$objects"
    local file
    for file in runtime/*.c runtime/io/*.c runtime/arch/*.[cS] api/*.c; do
        object=$objects/$(tr / _ <<<"$file").o
        compiled "$name, $file" "$triplet-gcc" "${flags[@]}" -O2 \
            -DUVA_BUILDING -Iapi/include -isystem "$root/usr/include" \
            -c "$file" -o "$object" || return 0
    done
    compiled "$name" "$triplet-gcc" "${flags[@]}" -O2 -Iapi/include \
        -isystem "$root/usr/include" -o "$directory/library_check" \
        tests/arch/library_check.c "$objects"/*.o \
        -L"$root/usr/lib/$triplet" -luv -lpthread || return 0
    check "$name" "$(emulator "${triplet%%-*}")" -L "/usr/$triplet" \
        -E "LD_LIBRARY_PATH=$root/usr/lib/$triplet" "$directory/library_check"
}

# ---- all of it --------------------------------------------------------------------

tried=''
if can_cross aarch64-linux-gnu arm64; then
    tried=1
    qemu=$(emulator aarch64)
    for level in -O0 -O2; do
        switch_check aarch64-linux-gnu "$qemu" "$level"
        switch_check aarch64-linux-gnu "$qemu" "$level" -DUVA__SWITCH_UCONTEXT
    done
    switch_check aarch64-linux-gnu "$qemu" -O2 -mbranch-protection=standard
    library aarch64-linux-gnu arm64
fi
if can_cross riscv64-linux-gnu riscv64; then
    tried=1
    qemu=$(emulator riscv64)
    for level in -O0 -O2; do
        switch_check riscv64-linux-gnu "$qemu" "$level"
        switch_check riscv64-linux-gnu "$qemu" "$level" -DUVA__SWITCH_UCONTEXT
    done
fi
if [ -z "$tried" ]; then
    echo "no cross compiler with an emulator is installed"
    exit 77
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
