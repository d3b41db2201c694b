// Fourier transforms by FFTW, for those who ask for it by WEFT_FFT=fftw: the library is under the GPL, so weft is not
// linked with it and needs none of its files; it is loaded when the first transform runs. Complex transforms only:
// those of real numbers stay with pocketfft.
#include "arrays/kernels/fftw.hpp"

#include <weft/error.hpp>

#include <dlfcn.h>

#include <complex>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace weft::arrays::kernels {
namespace {

/// One axis, as FFTW's 64-bit guru interface has it: strides count elements.
struct FftwAxis {
  std::ptrdiff_t n, in, out;
};

constexpr int kForward = -1;
constexpr unsigned kFlags = 1u << 6 | 1u << 1;  // estimate: the arrays are not touched; whatever their alignment

/// The functions of one precision. Owns: the library, which stays until the program ends.
struct Functions {
  void* (*complex)(int, const FftwAxis*, int, const FftwAxis*, void*, void*, int, unsigned) = nullptr;
  void (*execute)(void*) = nullptr;
  void (*destroy)(void*) = nullptr;
};

template <class F>
void find(void* library, const std::string& name, F& function) {
  function = reinterpret_cast<F>(dlsym(library, name.c_str()));
  if (function == nullptr) throw Error("WEFT_FFT=fftw: the library lacks " + name);
}

template <class T>
Functions load() {
  const bool single = std::is_same_v<T, float>;
  const char* const file = single ? "libfftw3f.so.3" : "libfftw3.so.3";
  void* const library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw Error(std::string("WEFT_FFT=fftw: ") + file + " could not be loaded: install FFTW, or leave WEFT_FFT out");
  }
  const std::string prefix = single ? "fftwf_" : "fftw_";
  Functions functions;
  find(library, prefix + "plan_guru64_dft", functions.complex);
  find(library, prefix + "execute", functions.execute);
  find(library, prefix + "destroy_plan", functions.destroy);
  return functions;
}

template <class T>
const Functions& functions() {
  static const Functions loaded = load<T>();
  return loaded;
}

/// Plans are made by one thread at a time, and run by any.
std::mutex& planning() {
  static std::mutex mutex;
  return mutex;
}

struct Axes {
  std::vector<FftwAxis> along, others;
};

Axes axes_of(const FftWork& work, std::size_t in_bytes, std::size_t out_bytes) {
  std::vector<bool> transformed(work.shape.size(), false);
  const auto axis_of = [&](std::size_t axis) {
    return FftwAxis{static_cast<std::ptrdiff_t>(work.shape[axis]),
                    work.in_strides[axis] / static_cast<std::ptrdiff_t>(in_bytes),
                    work.out_strides[axis] / static_cast<std::ptrdiff_t>(out_bytes)};
  };
  Axes axes;
  for (const std::size_t axis : work.axes) {
    transformed[axis] = true;
    axes.along.push_back(axis_of(axis));
  }
  for (std::size_t axis = 0; axis < work.shape.size(); ++axis) {
    if (!transformed[axis]) axes.others.push_back(axis_of(axis));
  }
  return axes;
}

/// Multiplies every element of a strided box.
template <class E, class T>
void scale_box(std::byte* data, const std::vector<std::size_t>& shape, const std::vector<std::ptrdiff_t>& strides,
               std::size_t axis, T factor) {
  if (axis == shape.size()) {
    *reinterpret_cast<E*>(data) *= factor;
    return;
  }
  for (std::size_t i = 0; i < shape[axis]; ++i) {
    scale_box<E>(data + static_cast<std::ptrdiff_t>(i) * strides[axis], shape, strides, axis + 1, factor);
  }
}

}  // namespace

bool fftw_found() {
  try {
    static_cast<void>(functions<double>());
    static_cast<void>(functions<float>());
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool wants_fftw() {
  static const bool wanted = [] {
    const char* const named = std::getenv("WEFT_FFT");
    return named != nullptr && std::string_view(named) == "fftw";
  }();
  return wanted;
}

template <class T>
void fftw_complex(const FftWork& work, const std::byte* in, std::byte* out) {
  const Functions& library = functions<T>();
  const Axes axes = axes_of(work, 2 * sizeof(T), 2 * sizeof(T));
  void* plan = nullptr;
  {
    const std::lock_guard lock(planning());
    plan = library.complex(static_cast<int>(axes.along.size()), axes.along.data(), static_cast<int>(axes.others.size()),
                           axes.others.data(), const_cast<std::byte*>(in), out, work.forward ? kForward : -kForward,
                           kFlags);
  }
  if (plan == nullptr) throw Error("WEFT_FFT=fftw: FFTW has no plan for this transform: leave WEFT_FFT out");
  library.execute(plan);
  {
    const std::lock_guard lock(planning());
    library.destroy(plan);
  }
  if (work.scale != 1) scale_box<std::complex<T>>(out, work.shape, work.out_strides, 0, static_cast<T>(work.scale));
}

template void fftw_complex<float>(const FftWork&, const std::byte*, std::byte*);
template void fftw_complex<double>(const FftWork&, const std::byte*, std::byte*);

}  // namespace weft::arrays::kernels
