#pragma once

#include "arrays/kernels/device_stream.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::arrays::kernels {

// Fourier transforms on devices by cuFFT, without any scale. Loaded as cuBLAS is. Threading: any thread.

/// Transforms along the last of some axes that lie one behind the other, or along one axis with others behind it.
/// Distances count elements of their side. In and out are not the same.
struct DeviceTransform {
  enum Kind : std::uint8_t { Complex, RealToComplex, ComplexToReal };
  Kind kind = Complex;
  bool single = false, forward = true;
  /// In space; of the complex side of a real transform the last axis has n/2+1.
  std::vector<std::int64_t> lengths;
  std::int64_t stride = 1, in_distance = 1, out_distance = 1, batch = 1;
  /// So many such, which begin so far apart.
  std::int64_t times = 1, in_step = 0, out_step = 0;
  const std::byte* in = nullptr;
  std::byte* out = nullptr;
};

/// Returns why the library cannot be used and what to do, "" where it can.
std::string why_no_cufft();
/// Bytes that the library works in; nothing where it knows no such transform.
std::optional<std::size_t> cufft_room(const DeviceTransform& transform);
/// Puts it on a stream. A transform to real numbers loses its input. Throws gpu::DeviceError.
void transform_on_device(const DeviceStream& stream, const DeviceTransform& transform, std::byte* room,
                         std::size_t room_bytes);

/// Loads this file instead of the machine's library from now on, "" for that one again; for tests.
void set_cufft_file(const std::string& file);

}  // namespace weft::arrays::kernels
