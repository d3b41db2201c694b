#pragma once

#include "arrays/kernels/spaces/loops.hpp"

#include <weft/gpu.hpp>

namespace weft::arrays::kernels {

/// Where kernels of structures put their work: a stream of a device. Addresses given to it are the device's.
/// Owns: nothing.  Threading: one thread at a time.
class DeviceStream {
 public:
  DeviceStream(unsigned device, gpu::NativeStream stream) : device_(device), stream_(stream) {}
  unsigned device() const { return device_; }
  /// A cudaStream_t; on a pretended device what stands for one.
  void* native() const { return stream_.cuda(); }
  /// Move a box and scale numbers, in the stream's order. Throw gpu::DeviceError where this build has no kernels.
  void copy(const BoxCopy& box) const;
  void scale(const Scaling& scaling) const;

 private:
  unsigned device_;
  gpu::NativeStream stream_;
};

}  // namespace weft::arrays::kernels
