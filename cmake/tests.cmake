# uva_test() and what it stands on: check, the fault injection of
# tests/support/faults.h, and the labels in a test file's first line.

pkg_check_modules(CHECK IMPORTED_TARGET check)
if(NOT CHECK_FOUND)
    message(FATAL_ERROR "check is needed for the tests (Debian: check); "
        "-DUVA_BUILD_TESTS=OFF builds without them")
endif()

# Debian has check as a static library only. Repacked as a shared object, its
# own malloc and free stay out of reach of the fault injection.
add_library(support_check INTERFACE)
set(uva_check_archive ${CHECK_LINK_LIBRARIES})
list(FILTER uva_check_archive INCLUDE REGEX "/libcheck[^/]*\\.a$")
if(uva_check_archive)
    file(CONFIGURE OUTPUT "${CMAKE_CURRENT_BINARY_DIR}/support_check.c"
        CONTENT "extern int support_check;\nint support_check = 1;\n")
    add_library(support_check_shared SHARED
        "${CMAKE_CURRENT_BINARY_DIR}/support_check.c")
    target_link_libraries(support_check_shared PRIVATE
        -Wl,--whole-archive ${uva_check_archive} -Wl,--no-whole-archive
        PkgConfig::CHECK Threads::Threads)
    target_link_libraries(support_check INTERFACE support_check_shared)
endif()
target_link_libraries(support_check INTERFACE PkgConfig::CHECK)

# The linker is told to wrap what faults.h lists: one WRAP_...( line each.
set(uva_faults_header "${PROJECT_SOURCE_DIR}/tests/support/faults_list.h")
set_property(DIRECTORY APPEND PROPERTY
    CMAKE_CONFIGURE_DEPENDS "${uva_faults_header}")
file(STRINGS "${uva_faults_header}" uva_fault_lines REGEX "^WRAP_[A-Z0-9]+\\(")
set(uva_wrap_options "")
foreach(line IN LISTS uva_fault_lines)
    string(REGEX REPLACE "^WRAP_[A-Z0-9]+\\([A-Z0-9_]+, ([a-z0-9_]+).*" "\\1"
        symbol "${line}")
    list(APPEND uva_wrap_options "-Wl,--wrap=${symbol}")
endforeach()

# What tests see: the public headers, and by "runtime/x.h" the library's own.
add_library(support_flags INTERFACE)
target_include_directories(support_flags INTERFACE
    "${PROJECT_SOURCE_DIR}/api/include" "${PROJECT_SOURCE_DIR}"
    "${PROJECT_SOURCE_DIR}/tests")
target_link_libraries(support_flags INTERFACE
    uvawait_flags support_check PkgConfig::UVAWAIT_LIBUV Threads::Threads
    ${CMAKE_DL_LIBS})

# Two builds of the support code: with the wrapped symbols, and without, for
# tests whose subject would be disturbed by them.
file(GLOB uva_support_sources CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/tests/support/*.c")
add_library(support_faults OBJECT ${uva_support_sources})
target_link_libraries(support_faults PRIVATE support_flags)
add_library(support_plain OBJECT ${uva_support_sources})
target_link_libraries(support_plain PRIVATE support_flags)
target_compile_definitions(support_plain PRIVATE SUPPORT_NO_FAULTS)

# uva_test(NAME [SOURCES file...] [LABELS label...] [LIBS lib...] [NO_FAULTS]
#          [ALONE] [TIMEOUT seconds])
#
# ALONE is for what compares times: nothing else runs meanwhile. An executable NAME and a ctest entry of that name. SOURCES defaults to
# NAME.c. TIMEOUT is that of one case (5 s; 20 s where the build or
# SUPPORT_SLOW=1 makes everything slow); the whole program gets 300 s.
function(uva_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg
        "NO_FAULTS;ALONE" "TIMEOUT" "SOURCES;LABELS;LIBS")
    if(NOT arg_SOURCES)
        set(arg_SOURCES "${name}.c")
    endif()
    set(support support_faults)
    if(arg_NO_FAULTS)
        set(support support_plain)
    endif()
    add_executable(${name} ${arg_SOURCES} $<TARGET_OBJECTS:${support}>)
    target_link_libraries(${name} PRIVATE
        uvawait_static support_flags ${arg_LIBS})
    if(NOT arg_NO_FAULTS)
        target_link_options(${name} PRIVATE ${uva_wrap_options})
    endif()
    if(arg_TIMEOUT)
        target_compile_definitions(${name} PRIVATE
            SUPPORT_TIMEOUT=${arg_TIMEOUT})
    endif()
    add_test(NAME ${name} COMMAND
        sh "${PROJECT_SOURCE_DIR}/tests/support/launch.sh"
        $<TARGET_FILE:${name}>)
    set_tests_properties(${name} PROPERTIES TIMEOUT 300)
    if(arg_ALONE)
        set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)
    endif()
    if(arg_LABELS)
        set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}")
    endif()
endfunction()

# uva_test_file(FILE): a test with nothing but its file, which may begin with
#   /* labels: threads valgrind; timeout: 30; libs: m; no-faults; alone */
# each part optional.
function(uva_test_file file)
    get_filename_component(name "${file}" NAME_WE)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
    file(STRINGS "${file}" first LIMIT_COUNT 1)
    # A one-line head comment may hold semicolons, which are list separators.
    string(REPLACE ";" "|" first "${first}")
    set(options "")
    if(first MATCHES "[* |]labels: *([a-z0-9_ -]+)")
        string(STRIP "${CMAKE_MATCH_1}" value)
        string(REPLACE " " ";" value "${value}")
        list(APPEND options LABELS ${value})
    endif()
    if(first MATCHES "[* |]libs: *([A-Za-z0-9_ -]+)")
        string(STRIP "${CMAKE_MATCH_1}" value)
        string(REPLACE " " ";" value "${value}")
        list(APPEND options LIBS ${value})
    endif()
    if(first MATCHES "[* |]timeout: *([0-9]+)")
        list(APPEND options TIMEOUT ${CMAKE_MATCH_1})
    endif()
    if(first MATCHES "[* |]no-faults[ |*]")
        list(APPEND options NO_FAULTS)
    endif()
    if(first MATCHES "[* |]alone[ |*]")
        list(APPEND options ALONE)
    endif()
    uva_test(${name} SOURCES "${file}" ${options})
endfunction()
