#pragma once

#include "arrays/expression/structure.hpp"
#include "arrays/kernels/device_stream.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace weft::arrays::expression {

/// What a device needs for a chunk of a structure, known from the extents and strides of its blocks.
struct DevicePlan {
  /// Bytes of rooms that the kernel works in; they hold nothing when it begins.
  std::vector<std::size_t> rooms;
  /// What the host would take for it, in instructions on one element.
  double steps = 0;
};

/// A second kernel of a kind of structure: it puts what makes a chunk on a stream of a device.
struct DeviceStructure {
  /// Returns what it needs for this chunk, or nothing where it does not know such chunks. Blocks have extents and
  /// strides; their addresses are names.
  std::optional<DevicePlan> (*plan)(const void* parameters, const ChunkWork& work);
  /// Addresses are the device's; the output is in C order. Throws gpu::DeviceError.
  void (*run)(const void* parameters, const ChunkWork& work, const std::vector<std::byte*>& rooms,
              const kernels::DeviceStream& stream);
  /// Why no chunk of the kind can be made on devices by this process, "" where some can.
  std::string (*missing)();
};

/// Says that a kind of structure has a kernel for devices; called before main, once for each. Returns true.
bool add_device_structure(const StructureType& type, const DeviceStructure& kernel);
/// Returns the kernel of a kind, or null.
const DeviceStructure* device_structure(const StructureType& type);

}  // namespace weft::arrays::expression
