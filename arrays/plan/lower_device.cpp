// Chunks that devices may hold: which steps make them, and where they become the host's.

#include "arrays/expression/device_chunks.hpp"
#include "arrays/plan/device_pass.hpp"
#include "arrays/plan/device_tasks.hpp"
#include "arrays/plan/lower.hpp"

namespace weft::arrays::lowering {
namespace {

/// Bytes of a chunk below which starting a kernel takes longer than the loop: a pass stays on the CPU without asking.
constexpr std::int64_t kTinyChunk = 64 << 10;

}  // namespace

Stage::Device Lowering::device_of(const Stage& stage) const {
  if (device_ == Stage::kNever || !known_on_device(stage)) return Stage::kNever;
  if (device_ == Stage::kAlways) return device_;
  std::int64_t bytes = static_cast<std::int64_t>(Dtype(stage.type).size());
  for (const auto& axis : stage.grid) bytes *= axis.largest();
  return bytes < kTinyChunk ? Stage::kNever : device_;
}

bool Lowering::on_device(const expression::NodePointer& node) {
  if (node->kind == expression::NodeKind::Stored) return expression::device_chunks(*node) != nullptr;
  const std::shared_ptr<const Stage>& stage = step_of(node).stage;
  return stage->kind != Stage::Reduce && stage->device != Stage::kNever;
}

const Delayed<gpu::DeviceBuffer>& Lowering::device_chunk(const expression::NodePointer& node, std::int64_t number) {
  if (const auto other = stands_for(*node, number)) return device_chunk(other->first, other->second);
  if (const auto* stored = expression::device_chunks(*node)) return (*stored)[static_cast<std::size_t>(number)];
  Step& step = step_of(node);
  const auto known = step.device_chunks.find(number);
  if (known != step.device_chunks.end()) return known->second;
  Delayed<gpu::DeviceBuffer> made;
  if (on_device(node)) {
    std::vector<SourceChunk> chunks;
    list_sources(*step.stage, expression::chunk_box(step.stage->grid, number), chunks);
    const auto compute = delayed(ComputeAnywhere{}, node->where);
    made = compute(StageReference{step.stage}, number, device_inputs_of(step, chunks));
  } else {
    made = delayed(HoldChunk{}, node->where)(chunk(node, number));
  }
  return step.device_chunks.emplace(number, std::move(made)).first->second;
}

std::vector<Delayed<gpu::DeviceBuffer>> Lowering::device_inputs_of(Step& step, const std::vector<SourceChunk>& chunks) {
  std::vector<Delayed<gpu::DeviceBuffer>> inputs;
  inputs.reserve(chunks.size());
  for (const SourceChunk& one : chunks) inputs.push_back(device_chunk(step.sources[one.source], one.chunk));
  return inputs;
}

}  // namespace weft::arrays::lowering
