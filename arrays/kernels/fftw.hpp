#pragma once

#include "arrays/kernels/fft.hpp"

namespace weft::arrays::kernels {

/// Returns whether the user asked for FFTW: WEFT_FFT=fftw, which all processes of a job share.
bool wants_fftw();
/// Returns whether the library can be loaded.
bool fftw_found();
/// As fft_complex. Throws Error where the library is not there.  Threading: any thread.
template <class T>
void fftw_complex(const FftWork& work, const std::byte* in, std::byte* out);

}  // namespace weft::arrays::kernels
