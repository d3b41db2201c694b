#pragma once

#include "arrays/expression/device_structure.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace weft::arrays::ops {

/// What a chunk of transforms is, for devices.
struct LaneTransform {
  /// Of the sides in and out; real to complex numbers may want the whole spectrum.
  bool real_in = false, real_out = false, half_out = false;
  bool forward = true;
  double scale = 1;
  /// Axes, the one whose length differs last; elements along each in space, and how many the input lacks.
  const std::vector<std::int64_t>& axes;
  const std::vector<std::int64_t>& lengths;
  const std::vector<std::int64_t>& lacking;
};

/// Its kernel for devices, by cuFFT: DeviceStructure's functions.
std::optional<expression::DevicePlan> plan_transform(const LaneTransform& lanes, const expression::ChunkWork& work);
void run_transform(const LaneTransform& lanes, const expression::ChunkWork& work, const std::vector<std::byte*>& rooms,
                   const kernels::DeviceStream& stream);

}  // namespace weft::arrays::ops
