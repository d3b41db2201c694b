#pragma once

#include "arrays/plan/tasks.hpp"
#include "core/policies/device_placement.hpp"

#include <weft/gpu.hpp>

#include <vector>

namespace weft::arrays::lowering {

/// Computes one chunk of a stage that a device knows, on a device or here: `Stage::device` says whether that is a
/// question of time. A device that fails, or is too small, leaves the chunk to the host.
struct ComputeAnywhere {
  gpu::DeviceBuffer operator()(const StageReference& stage, std::int64_t chunk,
                               const std::vector<Delayed<gpu::DeviceBuffer>>& inputs) const;
};

/// ReduceNode, with the leaves folded on a device or here.
struct ReduceAnywhere {
  Buffer operator()(const StageReference& stage, std::int64_t output, int level, std::int64_t node, bool last,
                    const std::vector<Delayed<gpu::DeviceBuffer>>& inputs) const;
};

/// A chunk as the host reads it; nothing is copied where it is there.
struct FetchChunk {
  Buffer operator()(const gpu::DeviceBuffer& chunk) const { return chunk.fetch(); }
};
/// A chunk of the host, as devices take it; the first that uses it copies it.
struct HoldChunk {
  gpu::DeviceBuffer operator()(const Buffer& chunk) const { return gpu::DeviceBuffer(chunk); }
};

/// What this process has measured of its devices and itself, and how many passes ran where; for placement and reports.
struct DeviceBooks {
  policies::DeviceRates rates;
  std::uint64_t on_device = 0, on_cpu = 0;
  /// Begun on a device and computed here, because it failed or was too small.
  std::uint64_t came_back = 0;
};
DeviceBooks device_books();

}  // namespace weft::arrays::lowering
