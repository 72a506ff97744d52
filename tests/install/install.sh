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

from_cxx() {
    compile "$work/cxx" "$(pkg-config --cflags --libs uvawait)" "$cxx" \
        -std=c++17 -Wall -Wextra -Wpedantic -Werror "$here/consumer.cc" &&
        LD_LIBRARY_PATH=$libdir "$work/cxx"
}

# Every installed header can be included first and alone, from both languages.
headers_stand_alone() {
    local header flags status=0
    flags=$(pkg-config --cflags uvawait)
    while IFS= read -r header; do
        header=${header#"$prefix"/include/}
        printf '#include <%s>\nextern int nothing;\n' "$header" \
            >"$work/header.c"
        cp "$work/header.c" "$work/header.cc"
        compile "$work/header.o" "$flags" "$cc" -std=c11 -Wall -Wextra \
            -Wpedantic -Werror -c "$work/header.c" || status=1
        compile "$work/header.o" "$flags" "$cxx" -std=c++17 -Wall -Wextra \
            -Wpedantic -Werror -c "$work/header.cc" || status=1
    done < <(find "$prefix/include" -name '*.h')
    return "$status"
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
check "C++17" from_cxx
check "headers stand alone" headers_stand_alone
check "find_package(uvawait)" from_cmake
check "the soname" soname
check "no path of the build in it" relocatable
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
