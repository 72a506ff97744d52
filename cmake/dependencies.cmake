# What the library itself needs: libuv >= 1.44 through pkg-config, threads, and,
# where it is installed, valgrind's header (a few instructions per stack made;
# none per switch). Tests and benchmarks look for their own things.

find_package(PkgConfig QUIET)
if(NOT PkgConfig_FOUND)
    message(FATAL_ERROR
        "pkg-config is needed to find libuv (Debian: pkg-config)")
endif()

# The prefix is ours, so that a project that embeds this one and looks for
# libuv itself is not disturbed.
pkg_check_modules(UVAWAIT_LIBUV IMPORTED_TARGET "libuv>=1.44")
if(NOT UVAWAIT_LIBUV_FOUND)
    message(FATAL_ERROR "libuv 1.44 or later is needed (Debian: libuv1-dev)")
endif()

set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# Looked for anew each time: valgrind may have been installed since.
unset(UVA_VALGRIND_HEADER CACHE)
include(CheckIncludeFile)
check_include_file(valgrind/valgrind.h UVA_VALGRIND_HEADER)
if(UVA_VALGRIND_HEADER)
    target_compile_definitions(uvawait_flags INTERFACE UVA__HAVE_VALGRIND)
endif()
