# Kernels that nvcc compiles, where it is found. Sets WEFT_NVCC and WEFT_CUDA_ARCHITECTURES; see docs/gpu.md.
include_guard(DIRECTORY)

set(WEFT_NVCC "")
if(WEFT_HAS_CUDA AND CUDAToolkit_NVCC_EXECUTABLE)
  set(WEFT_NVCC "${CUDAToolkit_NVCC_EXECUTABLE}")
endif()

set(WEFT_CUDA_ARCHITECTURES "" CACHE STRING "What devices kernels are compiled for: 90, or 80;90; empty: those of this machine, or 90")
set(weft_architectures "${WEFT_CUDA_ARCHITECTURES}")
if(WEFT_NVCC AND NOT weft_architectures)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
                  OUTPUT_VARIABLE weft_capabilities ERROR_QUIET RESULT_VARIABLE weft_smi)
  if(weft_smi EQUAL 0)
    string(REGEX MATCHALL "[0-9]+\\.[0-9]+" weft_architectures "${weft_capabilities}")
    list(TRANSFORM weft_architectures REPLACE "\\." "")
    list(REMOVE_DUPLICATES weft_architectures)
  endif()
  if(NOT weft_architectures)
    set(weft_architectures 90)
  endif()
endif()
set(WEFT_CUDA_ARCHITECTURES_FOUND "${weft_architectures}")

# Adds a .cu file to a library: code for each architecture, and what newer devices translate by themselves.
function(weft_compile_cuda target source)
  set(object "${CMAKE_CURRENT_BINARY_DIR}/${source}.o")
  get_filename_component(folder "${object}" DIRECTORY)
  file(MAKE_DIRECTORY "${folder}")
  set(code "")
  set(text "")
  foreach(architecture IN LISTS WEFT_CUDA_ARCHITECTURES_FOUND)
    list(APPEND code -gencode "arch=compute_${architecture},code=[sm_${architecture},compute_${architecture}]")
    string(APPEND text " sm_${architecture}")
  endforeach()
  string(STRIP "${text}" text)
  string(REPLACE " " ", " text "${text}")
  find_program(WEFT_CCACHE ccache)
  set(launcher "")
  if(WEFT_CCACHE)
    set(launcher "${WEFT_CCACHE}")
  endif()
  add_custom_command(
    OUTPUT "${object}"
    COMMAND ${launcher} "${WEFT_NVCC}" -std=c++20 -O3 --expt-relaxed-constexpr --fmad=false -diag-suppress=186 ${code}
            -ccbin "${CMAKE_CXX_COMPILER}" -Xcompiler=-fPIC,-fwrapv
            "-DWEFT_CUDA_ARCHITECTURES_TEXT=\"${text}\""
            "-I${PROJECT_SOURCE_DIR}" "-I${PROJECT_SOURCE_DIR}/core/include" "-I${PROJECT_SOURCE_DIR}/arrays/include"
            -MD -MT "${object}" -MF "${object}.d" -c "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${object}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPFILE "${object}.d"
    COMMENT "Compiling ${source} for ${text}"
    VERBATIM)
  target_sources(${target} PRIVATE "${object}")
  set_source_files_properties("${object}" PROPERTIES EXTERNAL_OBJECT TRUE GENERATED TRUE)
endfunction()
