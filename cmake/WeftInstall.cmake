# Install rules, the CMake package, the pkg-config file.
if(NOT WEFT_INSTALL)
  return()
endif()
