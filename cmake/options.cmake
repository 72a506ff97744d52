# What a builder may choose, and the flags that follow from it. The flags hang
# on one interface target, uvawait_flags, that every target of ours links
# privately: nothing of it reaches a consumer.

if(PROJECT_IS_TOP_LEVEL)
    set(uva_default_on ON)
else()
    set(uva_default_on OFF)
endif()

if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64|aarch64|arm64|riscv64)$")
    set(uva_default_switch asm)
else()
    set(uva_default_switch ucontext)
endif()

set(UVA_SWITCH ${uva_default_switch} CACHE STRING
    "How stacks are switched: asm (x86-64, AArch64, RISC-V 64) or ucontext")
set_property(CACHE UVA_SWITCH PROPERTY STRINGS asm ucontext)
set(UVA_SANITIZE "" CACHE STRING
    "Instrument everything: address (with undefined) or thread; empty for none")
set_property(CACHE UVA_SANITIZE PROPERTY STRINGS "" address thread)
option(UVA_WERROR "Treat warnings as errors" OFF)
option(UVA_BUILD_TESTS "Build the tests" ${uva_default_on})
option(UVA_BUILD_BENCH "Build the benchmarks" ${uva_default_on})
option(UVA_BUILD_EXAMPLES "Build docs/examples" ${uva_default_on})

if(NOT UVA_SWITCH MATCHES "^(asm|ucontext)$")
    message(FATAL_ERROR "UVA_SWITCH is '${UVA_SWITCH}': use asm or ucontext")
endif()
if(NOT UVA_SANITIZE MATCHES "^(address|thread)?$")
    message(FATAL_ERROR
        "UVA_SANITIZE is '${UVA_SANITIZE}': use address, thread or nothing")
endif()

add_library(uvawait_flags INTERFACE)
set(uva_warnings
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes
    -Wmissing-prototypes -Wpointer-arith -Wvla)
if(UVA_WERROR)
    list(APPEND uva_warnings -Werror)
endif()
target_compile_options(uvawait_flags INTERFACE
    "$<$<COMPILE_LANGUAGE:C>:${uva_warnings}>")
target_compile_definitions(uvawait_flags INTERFACE
    $<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE>
    $<$<STREQUAL:${UVA_SWITCH},ucontext>:UVA__SWITCH_UCONTEXT>)

# Every build of ours is plain C11; GNU extensions stand behind a feature test.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Sanitizers are for this directory and all below, link step included: half an
# instrumented program reports errors that are not there.
if(UVA_SANITIZE STREQUAL "address")
    add_compile_options(-fsanitize=address,undefined
        -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=address,undefined)
elseif(UVA_SANITIZE STREQUAL "thread")
    add_compile_options(-fsanitize=thread -fno-omit-frame-pointer)
    add_link_options(-fsanitize=thread)
endif()
