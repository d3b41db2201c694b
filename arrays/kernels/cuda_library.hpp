#pragma once

#include <initializer_list>
#include <memory>
#include <mutex>
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

/// Whether the process' device is one of tests, which no library of the machine knows.
bool pretended_device();

/// A library that is loaded when it is first asked for; a test may put another in its place, which those who are
/// calling the former do not notice. `Library` is made of the file, "" for the machine's. Owns: a share of it.
/// Threading: any thread.
template <class Library>
class LoadedLibrary {
 public:
  std::shared_ptr<Library> get() {
    const std::lock_guard lock(mutex_);
    if (library_ == nullptr) library_ = std::make_shared<Library>(file_);
    return library_;
  }
  void replace(const std::string& file) {
    const std::lock_guard lock(mutex_);
    file_ = file;
    library_ = nullptr;
  }
  bool replaced() {
    const std::lock_guard lock(mutex_);
    return !file_.empty();
  }

 private:
  std::mutex mutex_;
  std::string file_;
  std::shared_ptr<Library> library_;
};

}  // namespace weft::arrays::kernels
