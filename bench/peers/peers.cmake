# The peers: the same workloads by other means, as far as those are installed.
# The target "peers" builds all of them that bench/run --peers runs; what is in
# Rust and C++ only then, since it takes a minute.

find_program(BENCH_GO go)
find_program(BENCH_NODE NAMES node nodejs)
# Debian's before any other: that is the one that python3-uvloop is for.
find_program(BENCH_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(BENCH_PYTHON python3)
find_program(BENCH_CARGO cargo PATHS /usr/bin NO_DEFAULT_PATH)
find_program(BENCH_RUSTC rustc PATHS /usr/bin NO_DEFAULT_PATH)
find_library(BENCH_BOOST_FIBER boost_fiber)

add_custom_target(peers)
target_compile_definitions(bench_flags INTERFACE
    "BENCH_PEERS=\"${CMAKE_CURRENT_SOURCE_DIR}/peers\"")

# ---- C and C++ ---------------------------------------------------------------

foreach(name uvawait libuv)
    add_executable(peer_${name} peers/${name}.c)
    target_link_libraries(peer_${name} PRIVATE bench_flags)
    add_dependencies(peers peer_${name})
endforeach()

include(CheckLanguage)
check_language(CXX)
if(CMAKE_CXX_COMPILER AND BENCH_BOOST_CONTEXT)
    enable_language(CXX)
    add_executable(peer_context EXCLUDE_FROM_ALL peers/context.cpp)
    target_link_libraries(peer_context PRIVATE "${BENCH_BOOST_CONTEXT}")
    add_dependencies(peers peer_context)
    if(BENCH_BOOST_FIBER)
        add_executable(peer_fiber EXCLUDE_FROM_ALL peers/fiber.cpp)
        target_link_libraries(peer_fiber PRIVATE
            "${BENCH_BOOST_FIBER}" "${BENCH_BOOST_CONTEXT}")
        add_dependencies(peers peer_fiber)
    endif()
endif()

# ---- Go ----------------------------------------------------------------------

# A program of peers/ in Go, and the target that builds it.
function(uva_go_peer name)
    set(program "${CMAKE_CURRENT_BINARY_DIR}/peer_${name}")
    add_custom_command(OUTPUT "${program}"
        COMMAND "${CMAKE_COMMAND}" -E env GO111MODULE=off
            "GOCACHE=${CMAKE_CURRENT_BINARY_DIR}/go-cache"
            "${BENCH_GO}" build -o "${program}"
            "${CMAKE_CURRENT_SOURCE_DIR}/peers/${name}.go"
        DEPENDS "peers/${name}.go" VERBATIM)
    add_custom_target(bench_go_${name} DEPENDS "${program}")
    add_dependencies(peers bench_go_${name})
endfunction()

if(BENCH_GO)
    foreach(name micro sync echo http)
        uva_go_peer(${name})
    endforeach()
    target_compile_definitions(bench_flags INTERFACE
        "BENCH_GO_PEER=\"${CMAKE_CURRENT_BINARY_DIR}/peer_sync\""
        "BENCH_GO_ECHO=\"${CMAKE_CURRENT_BINARY_DIR}/peer_echo\"")
endif()

# ---- Rust --------------------------------------------------------------------

# Debian's crates are a directory that stands for crates.io. Cargo writes beside
# its sources, so it gets a copy of them.
file(GLOB uva_crate_tokio /usr/share/cargo/registry/tokio-1.*)
file(GLOB uva_crate_hyper /usr/share/cargo/registry/hyper-0.14.*)
if(BENCH_CARGO AND BENCH_RUSTC AND uva_crate_tokio)
    set(crate "${CMAKE_CURRENT_BINARY_DIR}/tokio")
    set(uva_tokio_features "")
    if(uva_crate_hyper)
        set(uva_tokio_features --features http)
    endif()
    file(CONFIGURE OUTPUT "${crate}/home/config.toml" CONTENT
"[source.crates-io]\nreplace-with = \"debian\"\n
[source.debian]\ndirectory = \"/usr/share/cargo/registry\"\n")
    file(GLOB uva_rust_sources CONFIGURE_DEPENDS
        "${CMAKE_CURRENT_SOURCE_DIR}/peers/tokio/*")
    add_custom_command(OUTPUT "${crate}/target/release/micro"
        COMMAND "${CMAKE_COMMAND}" -E copy ${uva_rust_sources} "${crate}"
        COMMAND "${CMAKE_COMMAND}" -E env "CARGO_HOME=${crate}/home"
            "RUSTC=${BENCH_RUSTC}" "${BENCH_CARGO}" build --release --offline
            --quiet ${uva_tokio_features}
        WORKING_DIRECTORY "${crate}"
        DEPENDS ${uva_rust_sources} VERBATIM)
    add_custom_target(bench_tokio DEPENDS "${crate}/target/release/micro")
    add_dependencies(peers bench_tokio)
    target_compile_definitions(bench_flags INTERFACE
        "BENCH_TOKIO_ECHO=\"${crate}/target/release/echo\"")
endif()

# ---- Node and Python ---------------------------------------------------------

if(BENCH_NODE)
    target_compile_definitions(bench_flags INTERFACE
        "BENCH_NODE=\"${BENCH_NODE}\"")
endif()
if(BENCH_PYTHON)
    target_compile_definitions(bench_flags INTERFACE
        "BENCH_PYTHON=\"${BENCH_PYTHON}\"")
    execute_process(COMMAND "${BENCH_PYTHON}" -c "import uvloop"
        RESULT_VARIABLE uva_no_uvloop OUTPUT_QUIET ERROR_QUIET)
    if(NOT uva_no_uvloop)
        target_compile_definitions(bench_flags INTERFACE BENCH_UVLOOP)
    endif()
endif()
