#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::arrays::kernels {

// Fourier transforms of strided memory, by pocketfft. Its header is found when weft is configured; without it every
// transform throws. Threading: any thread; each call runs on the caller's thread alone.

/// Returns whether weft was built with pocketfft.
bool has_fft();
/// Throws Error, which tells how to get pocketfft, where there is none.
void require_fft(const char* operation);

/// One transform along some axes. Strides are in bytes.
struct FftWork {
  /// Of the elements in space: of both sides but for the complex side of a real transform, which has n/2+1 along the
  /// last of the axes.
  std::vector<std::size_t> shape;
  std::vector<std::ptrdiff_t> in_strides;
  std::vector<std::ptrdiff_t> out_strides;
  std::vector<std::size_t> axes;
  bool forward = true;
  double scale = 1;
};

/// `T` is float or double; in and out are std::complex of it, or T on the real side. In and out may be the same.
template <class T>
void fft_complex(const FftWork& work, const std::byte* in, std::byte* out);
template <class T>
void fft_real_to_complex(const FftWork& work, const std::byte* in, std::byte* out);
template <class T>
void fft_complex_to_real(const FftWork& work, const std::byte* in, std::byte* out);

}  // namespace weft::arrays::kernels
