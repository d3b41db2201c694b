#pragma once

#include <initializer_list>
#include <string>

namespace weft::arrays::kernels {

/// Opens a library of the CUDA toolkit: the first of these files that the loader finds, or that lies where the toolkit
/// was when weft was configured. `instead`: this file alone, where it is not "". Null, and why, where there is none. It
/// stays until the program ends.
void* open_cuda_library(std::initializer_list<const char*> files, const std::string& instead, std::string& problem);

/// Finds a function of it; notes the first that is missing.
void* find_cuda_function(void* library, const char* name, std::string& problem);

template <class F>
void find_cuda_function(void* library, const char* name, F& function, std::string& problem) {
  function = reinterpret_cast<F>(find_cuda_function(library, name, problem));
}

}  // namespace weft::arrays::kernels
