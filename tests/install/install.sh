#!/usr/bin/env bash
# install.sh PREFIX: builds and runs programs against the copy of uvawait that
# is installed there, by nothing but what pkg-config and find_package say. The
# programs are made beside it, in PREFIX/../consumers.
set -euo pipefail
prefix=$(cd "${1:?usage: install.sh PREFIX}" && pwd)
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$prefix/../consumers
rm -rf "$work"
mkdir -p "$work"
work=$(cd "$work" && pwd)

pc_file=$(find "$prefix" -name uvawait.pc)
libdir=$(dirname "$(dirname "$pc_file")")
export PKG_CONFIG_PATH=$libdir/pkgconfig

passed=0 failed=0
# check DESCRIPTION COMMAND...
check() {
    local name=$1
    shift
    echo "-- $name"
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}

# compile OUTPUT "FLAGS" WORDS...: FLAGS are text from pkg-config, which quotes
# blanks in paths for the shell, so eval is the way to read them.
compile() {
    local output=$1 flags=$2
    shift 2
    eval "$(printf '%q ' "$@") -o $(printf '%q' "$output") $flags"
}

# The compiler's own; a consumer needs no flag of ours.
cc=${CC:-cc}
cxx=${CXX:-c++}

with_shared() {
    compile "$work/c" "$(pkg-config --cflags --libs uvawait)" \
        "$cc" "$here/consumer.c" &&
        LD_LIBRARY_PATH=$libdir "$work/c"
}

# Only ours is linked statically: libuv may be there as a shared library alone.
with_static() {
    local flags
    flags=$(pkg-config --static --cflags --libs uvawait |
        sed 's/-luvawait/-l:libuvawait.a/') &&
        compile "$work/c-static" "$flags" "$cc" "$here/consumer.c" &&
        "$work/c-static" && ! ldd "$work/c-static" | grep libuvawait
}

# libuv's own headers need POSIX, which -std=c11 hides unless it is asked for.
strict_c11() {
    compile "$work/c11" "$(pkg-config --cflags --libs uvawait)" "$cc" \
        -std=c11 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Wpedantic -Werror \
        "$here/consumer.c" &&
        LD_LIBRARY_PATH=$libdir "$work/c11"
}

typed() {
    compile "$work/typed" "$(pkg-config --cflags --libs uvawait)" "$cc" \
        -Wall -Wextra -Wpedantic -Werror "$here/typed.c" &&
        LD_LIBRARY_PATH=$libdir "$work/typed"
}

from_cxx() {
    compile "$work/cxx" "$(pkg-config --cflags --libs uvawait)" "$cxx" \
        -std=c++17 -Wall -Wextra -Wpedantic -Werror "$here/consumer.cc" &&
        LD_LIBRARY_PATH=$libdir "$work/cxx"
}

# header_files DIRECTORY SUFFIX: writes one file for each installed header, that
# includes it first and alone, and what uses the macros.
header_files() {
    local header
    mkdir -p "$1"
    while IFS= read -r header; do
        header=${header#"$prefix"/include/}
        printf '#include <%s>\nextern int nothing;\n' "$header" \
            >"$1/${header//\//-}.$2"
    done < <(find "$prefix/include" -name '*.h')
    cp "$here/macros.c" "$1/macros.$2"
    [ "$2" != c ] || cp "$here/typed.c" "$1"
}

# in_dialect COMPILER DIALECT FILES...: they compile, and nothing is to be said
# of them.
in_dialect() {
    local flags
    flags=$(pkg-config --cflags uvawait)
    eval "$(printf '%q ' "$1" "-std=$2" -Wall -Wextra -Wpedantic -Werror \
        -fsyntax-only "${@:3}") $flags"
}

# Of compilers, those that are here: a consumer may use another than we did. What
# a header lacks when it comes alone, it lacks in every dialect, so one of them
# sees each alone, and the others all of them together.
every_dialect() {
    local compiler dialect together
    header_files "$work/headers" c
    header_files "$work/headers" cc
    together=("$work"/headers/{uvawait.h,uvawait-async.h,macros})
    for compiler in "$cc" gcc clang; do
        check_dialect "$compiler" c11 "$work"/headers/*.c
        for dialect in c17 c2x gnu11 gnu2x; do
            check_dialect "$compiler" "$dialect" "${together[@]/%/.c}" \
                "$work/headers/typed.c"
        done
    done
    for compiler in "$cxx" g++ clang++; do
        check_dialect "$compiler" c++17 "$work"/headers/*.cc
        check_dialect "$compiler" c++20 "${together[@]/%/.cc}"
    done
}

# check_dialect COMPILER DIALECT FILES...: once for each program, by whatever
# name.
checked=' '
check_dialect() {
    local program
    program=$(command -v "$1" | xargs -r readlink -f)
    case $checked in *" $program $2 "*) return ;; esac
    [ -n "$program" ] || return 0
    checked+="$program $2 "
    check "headers and their macros: $1 -std=$2" in_dialect "$@"
}

from_cmake() {
    local generator=()
    if command -v ninja >/dev/null 2>&1; then
        generator=(-G Ninja)
    fi
    cmake -S "$here" -B "$work/cmake" "${generator[@]}" \
        -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release &&
        cmake --build "$work/cmake" &&
        "$work/cmake/consumer_shared" && "$work/cmake/consumer_static" &&
        "$work/cmake/consumer_cxx" &&
        ! ldd "$work/cmake/consumer_static" | grep libuvawait
}

soname() {
    local name major
    major=$(pkg-config --modversion uvawait | cut -d. -f1)
    name=$(readelf -d "$libdir/libuvawait.so" |
        sed -n 's/.*SONAME.*\[\(.*\)\]/\1/p')
    echo "$name"
    [ "$name" = "libuvawait.so.$major" ] && [ -e "$libdir/$name" ]
}

# Nothing that was installed knows where it was built or first installed.
relocatable() {
    ! grep -rIl "$(cd "$here/../.." && pwd)" "$prefix"
}

check "pkg-config --cflags --libs" with_shared
check "pkg-config --static and libuvawait.a" with_static
check "strict C11" strict_c11
check "the typed layer" typed
check "C++17" from_cxx
every_dialect
check "find_package(uvawait)" from_cmake
check "the soname" soname
check "no path of the build in it" relocatable
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
