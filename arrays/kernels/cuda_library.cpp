#include "arrays/kernels/cuda_library.hpp"

#include <weft/gpu.hpp>

#include <dlfcn.h>

namespace weft::arrays::kernels {

void* open_cuda_library(std::initializer_list<const char*> files, const std::string& instead, std::string& problem) {
  const auto open = [&](const std::string& file) {
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
      problem.clear();
    } else if (problem.empty()) {
      const char* const why = dlerror();
      problem = why != nullptr ? why : file;
    }
    return library;
  };
  if (!instead.empty()) return open(instead);
  for (const char* const file : files)
    if (void* const library = open(file)) return library;
  const std::string folder = WEFT_CUDA_LIBRARIES;
  for (const char* const file : files)
    if (void* const library = folder.empty() ? nullptr : open(folder + "/" + file)) return library;
  return nullptr;
}

bool pretended_device() {
  const auto& devices = gpu::devices();
  return !devices.empty() && devices.front().major == 0;
}

void* find_cuda_function(void* library, const char* name, std::string& problem) {
  void* const function = library == nullptr ? nullptr : dlsym(library, name);
  if (function == nullptr && problem.empty()) problem = std::string("it lacks ") + name;
  return function;
}

}  // namespace weft::arrays::kernels
