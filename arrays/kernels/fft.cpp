#include "arrays/kernels/fft.hpp"

#include "arrays/kernels/fftw.hpp"

#include <weft/error.hpp>

#include <complex>
#include <string>

#ifdef WEFT_POCKETFFT
#define POCKETFFT_NO_MULTITHREADING
#define POCKETFFT_CACHE_SIZE 64
#include <pocketfft_hdronly.h>
#endif

namespace weft::arrays::kernels {

#ifdef WEFT_POCKETFFT

bool has_fft() { return true; }
void require_fft(const char*) {}

template <class T>
void fft_complex(const FftWork& work, const std::byte* in, std::byte* out) {
  using C = std::complex<T>;
  if (wants_fftw()) return fftw_complex<T>(work, in, out);
  pocketfft::c2c<T>(work.shape, work.in_strides, work.out_strides, work.axes, work.forward,
                    reinterpret_cast<const C*>(in), reinterpret_cast<C*>(out), static_cast<T>(work.scale));
}

template <class T>
void fft_real_to_complex(const FftWork& work, const std::byte* in, std::byte* out) {
  pocketfft::r2c<T>(work.shape, work.in_strides, work.out_strides, work.axes, work.forward,
                    reinterpret_cast<const T*>(in), reinterpret_cast<std::complex<T>*>(out),
                    static_cast<T>(work.scale));
}

template <class T>
void fft_complex_to_real(const FftWork& work, const std::byte* in, std::byte* out) {
  pocketfft::c2r<T>(work.shape, work.in_strides, work.out_strides, work.axes, work.forward,
                    reinterpret_cast<const std::complex<T>*>(in), reinterpret_cast<T*>(out),
                    static_cast<T>(work.scale));
}

#else

bool has_fft() { return false; }
void require_fft(const char* operation) {
  throw Error(std::string(operation) +
              ": this weft was built without Fourier transforms: its build found no pocketfft_hdronly.h. Run "
              "tools/setup, or name its folder in -DWEFT_POCKETFFT_INCLUDE, and build again");
}

template <class T>
void fft_complex(const FftWork&, const std::byte*, std::byte*) {
  require_fft("fft");
}
template <class T>
void fft_real_to_complex(const FftWork&, const std::byte*, std::byte*) {
  require_fft("rfft");
}
template <class T>
void fft_complex_to_real(const FftWork&, const std::byte*, std::byte*) {
  require_fft("irfft");
}

#endif

template void fft_complex<float>(const FftWork&, const std::byte*, std::byte*);
template void fft_complex<double>(const FftWork&, const std::byte*, std::byte*);
template void fft_real_to_complex<float>(const FftWork&, const std::byte*, std::byte*);
template void fft_real_to_complex<double>(const FftWork&, const std::byte*, std::byte*);
template void fft_complex_to_real<float>(const FftWork&, const std::byte*, std::byte*);
template void fft_complex_to_real<double>(const FftWork&, const std::byte*, std::byte*);

}  // namespace weft::arrays::kernels
