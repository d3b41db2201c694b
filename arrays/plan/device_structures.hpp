#pragma once

#include "arrays/plan/stage.hpp"

#include <weft/gpu.hpp>

#include <optional>
#include <vector>

namespace weft::arrays::lowering {

/// Chunks of structures that have a kernel for devices (device_structure.hpp). As in device_pass.hpp.

/// Tells whether a device knows the chunks of a structural stage, by its first one. Warns, once for each reason, where
/// it would but lacks a library.
bool structure_known_on_device(const Stage& stage);
/// What the host would take for a chunk, in instructions on one element; nothing where a device does not know it.
std::optional<double> structure_steps(const Stage& stage, const Box& box, const std::vector<SourceChunk>& chunks);
std::optional<gpu::DeviceBuffer> structure_on_device(const Stage& stage, const Box& box,
                                                     const std::vector<SourceChunk>& chunks,
                                                     const std::vector<gpu::DeviceBuffer>& inputs);

}  // namespace weft::arrays::lowering
