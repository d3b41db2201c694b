# Install rules, the CMake package, the pkg-config file. Consumers see the prefix only, which may be moved.
if(NOT WEFT_INSTALL)
  return()
endif()
include(CMakePackageConfigHelpers)

set(weft_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/weft")

set(weft_rooms core comm gpu io mpi_launch)
set(weft_libraries weft_core weft_comm weft_gpu weft_io weft_dashboard weft_weft)
if(TARGET weft_arrays)
  list(APPEND weft_rooms arrays frames)
  list(APPEND weft_libraries weft_arrays weft_frames)
endif()
install(TARGETS ${weft_libraries} EXPORT weft_targets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}"
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
if(TARGET weft_command)
  install(TARGETS weft_command RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endif()
foreach(room ${weft_rooms})
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/${room}/include/" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.hpp" PATTERN "*.def")
endforeach()
install(FILES "${PROJECT_BINARY_DIR}/generated/include/weft/version.hpp"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/weft")

install(EXPORT weft_targets NAMESPACE weft:: DESTINATION "${weft_package_dir}")
configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/weftConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/generated/weftConfig.cmake" INSTALL_DESTINATION "${weft_package_dir}")
# Before 1.0 a new minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/generated/weftConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/generated/weftConfig.cmake"
  "${PROJECT_BINARY_DIR}/generated/weftConfigVersion.cmake" DESTINATION "${weft_package_dir}")

# The prefix is found from the place of the file, so a moved prefix keeps working.
file(RELATIVE_PATH weft_pc_to_prefix "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
list(JOIN WEFT_MPI_LIBRARIES " " weft_pc_libraries)
if(WEFT_LIBBACKTRACE_FOUND)
  string(APPEND weft_pc_libraries " -lbacktrace")
endif()
if(WEFT_HWLOC_FOUND)
  string(APPEND weft_pc_libraries " ${WEFT_HWLOC_LIBRARIES}")
endif()
if(WEFT_HAS_CUDA)
  string(APPEND weft_pc_libraries " ${WEFT_CUDART_LIBRARY} -ldl -lrt")
endif()
if(WEFT_HAS_UCX)
  string(APPEND weft_pc_libraries " ${WEFT_UCP_LIBRARY} ${WEFT_UCS_LIBRARY}")
endif()
if(WEFT_HAS_TLS)
  string(APPEND weft_pc_libraries " ${WEFT_SSL_LIBRARY} ${WEFT_CRYPTO_LIBRARY}")
endif()
set(weft_pc_rooms "")
if(WEFT_HDF5_FOUND)
  string(APPEND weft_pc_libraries " ${WEFT_HDF5_HL_LIBRARY} ${WEFT_HDF5_LIBRARY}")
endif()
foreach(library LIBDEFLATE ZSTD LZ4 BLOSC SZIP ECCODES)
  if(WEFT_${library}_INCLUDES AND WEFT_${library}_LIBRARY)
    string(APPEND weft_pc_libraries " ${WEFT_${library}_LIBRARY}")
  endif()
endforeach()
if(WEFT_KOKKOS_FOUND)
  string(APPEND weft_pc_libraries " ${WEFT_KOKKOS_LIBRARY}")
endif()
if(TARGET weft_arrays)
  set(weft_pc_rooms "-lweft_frames -lweft_arrays")
  if(CMAKE_DL_LIBS)
    string(APPEND weft_pc_libraries " -l${CMAKE_DL_LIBS}")
  endif()
endif()
configure_file("${PROJECT_SOURCE_DIR}/cmake/weft.pc.in" "${PROJECT_BINARY_DIR}/generated/weft.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/generated/weft.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/weft")
