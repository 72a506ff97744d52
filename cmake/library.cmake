# The two layers as object libraries, and the two libraries made of them.

file(GLOB uva_runtime_sources CONFIGURE_DEPENDS
    "${PROJECT_SOURCE_DIR}/runtime/*.c"
    "${PROJECT_SOURCE_DIR}/runtime/io/*.c"
    "${PROJECT_SOURCE_DIR}/runtime/arch/*.c"
    "${PROJECT_SOURCE_DIR}/runtime/arch/*.S")
file(GLOB uva_api_sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/api/*.c")

# uva_layer(NAME SOURCES...): one layer. Position independent, since the same
# objects go into the shared library; hidden, since only UVA_API exports.
function(uva_layer name)
    add_library(${name} OBJECT ${ARGN})
    set_target_properties(${name} PROPERTIES
        POSITION_INDEPENDENT_CODE ON
        C_VISIBILITY_PRESET hidden)
    target_compile_definitions(${name} PRIVATE UVA_BUILDING)
    target_include_directories(${name} PRIVATE
        "${PROJECT_SOURCE_DIR}/api/include" "${PROJECT_SOURCE_DIR}")
    target_link_libraries(${name} PRIVATE
        uvawait_flags PkgConfig::UVAWAIT_LIBUV Threads::Threads)
endfunction()

uva_layer(uvawait_runtime ${uva_runtime_sources})
uva_layer(uvawait_api ${uva_api_sources})

# uva_library(NAME KIND EXPORT_NAME): a library of both layers' objects.
function(uva_library name kind export_name)
    add_library(${name} ${kind}
        $<TARGET_OBJECTS:uvawait_runtime> $<TARGET_OBJECTS:uvawait_api>)
    add_library(uvawait::${export_name} ALIAS ${name})
    set_target_properties(${name} PROPERTIES
        OUTPUT_NAME uvawait
        EXPORT_NAME ${export_name}
        LINKER_LANGUAGE C
        VERSION ${PROJECT_VERSION}
        SOVERSION ${PROJECT_VERSION_MAJOR})
    target_include_directories(${name} PUBLIC
        "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/api/include>"
        "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>")
    target_link_libraries(${name} PUBLIC PkgConfig::UVAWAIT_LIBUV)
endfunction()

uva_library(uvawait SHARED uvawait)
uva_library(uvawait_static STATIC uvawait_static)
target_link_libraries(uvawait PRIVATE Threads::Threads)
target_link_libraries(uvawait_static PUBLIC Threads::Threads)
if(NOT UVA_SANITIZE)
    target_link_options(uvawait PRIVATE -Wl,--no-undefined)
endif()
