#pragma once

#include "arrays/kernels/spaces/loops.hpp"
#include "arrays/plan/tasks.hpp"

#include <weft/gpu.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::arrays::lowering {

/// Passes of a stage on a device. Each function plans with named chunks first (evaluate.hpp), so that all room is
/// reserved at once, and returns nothing where the pass has what devices do not know; then the host computes it.
/// They throw gpu::DeviceError. `chunks` and `inputs` go together.

/// Returns why this build's kernels run on none of the devices of this process, "" where they do on one.
std::string why_not_on_devices();
/// The same of one device: its kernels were compiled for `built` ("sm_80, sm_90"), the device is `major`.`minor`. A
/// device also takes what was compiled for an older one.
std::string architecture_mismatch(const std::string& built, int major, int minor);

/// Tells whether a device knows the passes of a stage, by one of its chunks.
bool known_on_device(const Stage& stage);

/// Computes the elements of a box.
std::optional<gpu::DeviceBuffer> compute_on_device(const Stage& stage, const Box& box,
                                                   const std::vector<SourceChunk>& chunks,
                                                   const std::vector<gpu::DeviceBuffer>& inputs);

/// Folds leaves [first, end) of a reduction, each into a state of its own; the states, one behind the other, as
/// `state_layout` lays each, on the host.
std::optional<Buffer> fold_on_device(const Stage& stage, const ReductionTree& tree, std::int64_t first,
                                     std::int64_t end, const std::vector<SourceChunk>& chunks,
                                     const std::vector<gpu::DeviceBuffer>& inputs);

}  // namespace weft::arrays::lowering
