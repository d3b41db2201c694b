#include "arrays/kernels/device_stream.hpp"

namespace weft::arrays::kernels {

namespace {

const SpaceLoops& loops_of_devices() {
  const SpaceLoops* const loops = cuda_loops();
  if (loops != nullptr) return *loops;
  throw gpu::DeviceError("this build of weft has no kernels for devices: build it where CMake finds nvcc");
}

}  // namespace

void DeviceStream::copy(const BoxCopy& box) const {
  if (stream_.pretended()) return stream_.host([box] { host_loops().copy(nullptr, box); });
  loops_of_devices().copy(native(), box);
}

void DeviceStream::scale(const Scaling& scaling) const {
  if (stream_.pretended()) return stream_.host([scaling] { host_loops().scale(nullptr, scaling); });
  loops_of_devices().scale(native(), scaling);
}

}  // namespace weft::arrays::kernels
