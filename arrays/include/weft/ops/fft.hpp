#pragma once

#include <weft/array.hpp>
#include <weft/ops/creation.hpp>

/// Discrete Fourier transforms, with NumPy's names and meaning, of axes in one chunk or in many. A task transforms
/// whole lanes; where the axis lies in several chunks, the other axes are cut instead. A long vector in chunks is
/// transformed as a matrix, columns then rows, so that no task holds all of it. float32 gives complex64, everything
/// else complex128.
///
///     Array spectrum = fft::rfft(x, {.axis = 0});
namespace weft::fft {

using arrays::Array;

/// Whether this weft was built with transforms; without, they throw a sentence that says how to get them.
bool available();

/// Which direction is divided by the number of elements: the inverse, both by its root, or the forward one.
enum class Norm : std::uint8_t { Backward, Ortho, Forward };

struct Options {
  int axis = -1;
  /// Length along the axis: the input is cut, or filled up with zeros. Of irfft and hfft it is that of the output.
  std::optional<std::int64_t> n = {};
  Norm norm = Norm::Backward;
};
/// `axes` empty: all, or as many of the last as `s` has lengths.
struct ManyOptions {
  std::vector<int> axes = {};
  std::vector<std::int64_t> s = {};
  Norm norm = Norm::Backward;
};

#define WEFT_FFT(name)                                        \
  Array name(const Array& array, const Options& options = {}, \
             const std::source_location& where = std::source_location::current());
#define WEFT_FFT_MANY(name, standard)                                   \
  Array name(const Array& array, const ManyOptions& options = standard, \
             const std::source_location& where = std::source_location::current());
WEFT_FFT(fft)
WEFT_FFT(ifft)
/// Of real numbers: the first half of the spectrum, n/2+1; the other is its mirror.
WEFT_FFT(rfft)
/// Real numbers from the first half of their spectrum; 2(m-1) of m unless `n` says.
WEFT_FFT(irfft)
/// The spectrum, which is real, of numbers that are symmetric about 0 (their first half is given), and its inverse.
WEFT_FFT(hfft)
WEFT_FFT(ihfft)
WEFT_FFT_MANY(fft2, (ManyOptions{{-2, -1}, {}, Norm::Backward}))
WEFT_FFT_MANY(ifft2, (ManyOptions{{-2, -1}, {}, Norm::Backward}))
WEFT_FFT_MANY(rfft2, (ManyOptions{{-2, -1}, {}, Norm::Backward}))
WEFT_FFT_MANY(irfft2, (ManyOptions{{-2, -1}, {}, Norm::Backward}))
WEFT_FFT_MANY(fftn, {})
WEFT_FFT_MANY(ifftn, {})
/// Of real numbers: half a spectrum along the last of the axes.
WEFT_FFT_MANY(rfftn, {})
WEFT_FFT_MANY(irfftn, {})
#undef WEFT_FFT
#undef WEFT_FFT_MANY

/// The frequencies of a spectrum of `n` elements that are `d` apart: 0, the positive ones, the negative ones.
Array fftfreq(std::int64_t n, double d = 1, const arrays::CreateOptions& options = {},
              const std::source_location& where = std::source_location::current());
/// The same for rfft.
Array rfftfreq(std::int64_t n, double d = 1, const arrays::CreateOptions& options = {},
               const std::source_location& where = std::source_location::current());
/// Moves the frequency 0 to the middle, and back.
Array fftshift(const Array& array, const Axes& axes = {},
               const std::source_location& where = std::source_location::current());
Array ifftshift(const Array& array, const Axes& axes = {},
                const std::source_location& where = std::source_location::current());

}  // namespace weft::fft
