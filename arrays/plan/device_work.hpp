#pragma once

#include "arrays/kernels/spaces/loops.hpp"
#include "arrays/plan/evaluate.hpp"

#include <weft/gpu.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace weft::arrays::lowering {

/// Whether what was gathered of named chunks is what a device gathers.
inline bool device_gathers(const NamedChunks& named) {
  return std::all_of(named.copies.begin(), named.copies.end(), [](const NamedChunks::Copy& copy) {
    return copy.extents.size() <= static_cast<std::size_t>(kernels::kPassAxes);
  });
}

/// Whether the device alone has something that is needed: a failure loses the chunk in any case then, so nobody has to
/// wait for its end. Otherwise the host computes it after a failure.
inline bool lost_anyway(const std::vector<gpu::DeviceBuffer>& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](const auto& input) { return !input.on_host(); });
}

/// The operands of a work, and where they lie once it has begun.
/// Owns: the work.  Threading: one task.
class DeviceWork {
 public:
  explicit DeviceWork(const std::vector<gpu::DeviceBuffer>& inputs) {
    for (const gpu::DeviceBuffer& input : inputs) chunks_.push_back(work_.input(input));
  }
  /// Of each pass of the work, in their order.
  void add_rooms(const NamedChunks& named) {
    std::vector<gpu::Work::Operand>& rooms = rooms_.emplace_back();
    for (const std::size_t bytes : named.rooms) rooms.push_back(work_.scratch(std::max<std::size_t>(1, bytes)));
  }
  gpu::Work& work() { return work_; }

  /// Returns what is gathered for a pass. The work has begun.
  std::vector<kernels::BoxCopy> copies(std::size_t number, const NamedChunks& named) const {
    std::vector<kernels::BoxCopy> copies;
    for (const NamedChunks::Copy& copy : named.copies) {
      kernels::BoxCopy& box = copies.emplace_back();
      box.axes = static_cast<std::int32_t>(copy.extents.size());
      box.element_bytes = static_cast<std::int32_t>(copy.element_bytes);
      std::copy(copy.extents.begin(), copy.extents.end(), box.extents);
      std::copy(copy.to_strides.begin(), copy.to_strides.end(), box.to_strides);
      std::copy(copy.from_strides.begin(), copy.from_strides.end(), box.from_strides);
      box.from = place(number, copy.from);
      box.to = place(number, copy.to);
    }
    return copies;
  }
  /// Returns the address that a name of a pass stands for. The work has begun.
  std::byte* place(std::size_t number, const std::byte* name) const {
    const auto word = reinterpret_cast<std::uintptr_t>(name);
    const std::size_t operand = (word >> NamedChunks::kPlaceBits) - 1;
    const std::uintptr_t offset = word & ((std::uintptr_t{1} << NamedChunks::kPlaceBits) - 1);
    const gpu::Work::Operand at =
        operand < chunks_.size() ? chunks_[operand] : rooms_[number][operand - chunks_.size()];
    return work_.data<std::byte>(at) + offset;
  }

 private:
  std::vector<gpu::Work::Operand> chunks_;
  std::vector<std::vector<gpu::Work::Operand>> rooms_;
  gpu::Work work_;  // the last member: where the task ends early it waits for the stream, which uses the others
};

}  // namespace weft::arrays::lowering
