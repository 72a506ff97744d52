# What `cmake --install` lays down: headers, both libraries, uvawait.pc and the
# CMake package. All of it finds its prefix from its own place, so that an
# installed tree may be moved.

include(CMakePackageConfigHelpers)

set(uva_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/uvawait")
set(uva_pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

install(TARGETS uvawait uvawait_static EXPORT uvawaitTargets
    LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
    ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/api/include/"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h")

install(EXPORT uvawaitTargets NAMESPACE uvawait::
    DESTINATION "${uva_package_dir}")
configure_package_config_file(
    "${PROJECT_SOURCE_DIR}/cmake/uvawaitConfig.cmake.in"
    "${PROJECT_BINARY_DIR}/uvawaitConfig.cmake"
    INSTALL_DESTINATION "${uva_package_dir}"
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(
    "${PROJECT_BINARY_DIR}/uvawaitConfigVersion.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/uvawaitConfig.cmake"
    "${PROJECT_BINARY_DIR}/uvawaitConfigVersion.cmake"
    DESTINATION "${uva_package_dir}")

# uva_pc_path(RESULT DIRECTORY): how the .pc file spells an install directory.
# A relative one hangs on the prefix; an absolute one (packagers may give one)
# is taken as it is.
function(uva_pc_path result directory)
    if(IS_ABSOLUTE "${directory}")
        set(${result} "${directory}" PARENT_SCOPE)
    else()
        set(${result} "\${prefix}/${directory}" PARENT_SCOPE)
    endif()
endfunction()

uva_pc_path(uva_pc_libdir "${CMAKE_INSTALL_LIBDIR}")
uva_pc_path(uva_pc_includedir "${CMAKE_INSTALL_INCLUDEDIR}")
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(uva_pc_prefix "${CMAKE_INSTALL_PREFIX}")
else()
    file(RELATIVE_PATH uva_pc_up "/${uva_pkgconfig_dir}" "/")
    string(REGEX REPLACE "/$" "" uva_pc_up "${uva_pc_up}")
    set(uva_pc_prefix "\${pcfiledir}/${uva_pc_up}")
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/uvawait.pc.in"
    "${PROJECT_BINARY_DIR}/uvawait.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/uvawait.pc"
    DESTINATION "${uva_pkgconfig_dir}")
