#include "arrays/kernels/device_stream.hpp"

namespace weft::arrays::kernels {

void DeviceStream::copy(const BoxCopy& box) const {
  if (stream_.pretended()) return stream_.host([box] { host_loops().copy(nullptr, box); });
  const SpaceLoops* const loops = cuda_loops();
  if (loops == nullptr) {
    throw gpu::DeviceError("this build of weft has no kernels for devices: build it where CMake finds nvcc");
  }
  loops->copy(native(), box);
}

}  // namespace weft::arrays::kernels
