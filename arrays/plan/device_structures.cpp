#include "arrays/plan/device_structures.hpp"

#include "arrays/expression/device_structure.hpp"
#include "arrays/plan/defer.hpp"
#include "arrays/plan/device_work.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <weft/log.hpp>
#include <weft/ndarray.hpp>

#include <algorithm>
#include <mutex>
#include <string>
#include <utility>

namespace weft::arrays::lowering {
namespace {

using expression::Block;
using expression::DevicePlan;
using expression::DeviceStructure;
using expression::Need;

/// A chunk of a structure, and what is gathered before its kernel. Addresses are names.
/// Owns: what its view refers to, so it is not copied.
struct PlannedChunk {
  PlannedChunk(const Stage& of, const Box& whole) : stage(of), box(whole) {}
  const Stage& stage;
  const Box& box;
  std::vector<Need> needs;
  std::vector<Block> blocks;
  Block output;
  NamedChunks named;
  DevicePlan plan;

  expression::ChunkWork work() const { return {box, needs, blocks, output, {}}; }
};

bool plan_chunk(PlannedChunk& chunk, const DeviceStructure& kernel, const std::vector<SourceChunk>& chunks) {
  const Stage& stage = chunk.stage;
  const void* const parameters = stage.structure->parameters.get();
  stage.structure->type->needs(parameters, chunk.box, chunk.needs);
  const Dtype type(stage.type, stage.unit);
  chunk.output = {nullptr, type, chunk.box.extent, c_strides(Shape(chunk.box.extent), type.size())};
  const ChunkInputs inputs(chunks, chunk.named);
  for (const Need& need : chunk.needs) {
    const Source& source = stage.sources[need.input];
    Block& block = chunk.blocks.emplace_back();
    block.dtype = Dtype(source.type, source.unit);
    block.shape = need.box.extent;
    block.strides.assign(need.box.ndim(), 0);
    if (need.box.elements() == 0) continue;
    const LoadedSource loaded =
        prepare_load(stage, Load{need.input, expression::identity_map(source.grid.size())}, need.box, inputs);
    block.data = const_cast<std::byte*>(loaded.first);
    block.strides = loaded.strides;
  }
  auto plan = kernel.plan(parameters, chunk.work());
  if (!plan || !device_gathers(chunk.named)) return false;
  chunk.plan = std::move(*plan);
  return true;
}

/// Structures whose inputs and extents are there before anything runs.
const DeviceStructure* kernel_of(const Stage& stage) {
  const auto made = [](const Source& source) { return !source.made.empty(); };
  const expression::StructureType& type = *stage.structure->type;
  if (type.defers || type.assembles || deferred(stage)) return nullptr;
  if (std::any_of(stage.sources.begin(), stage.sources.end(), made)) return nullptr;
  return expression::device_structure(type);
}

void tell_once(const std::string& what, const std::string& why) {
  static std::mutex mutex;
  static std::vector<std::string> told;
  {
    const std::lock_guard lock(mutex);
    if (std::find(told.begin(), told.end(), why) != told.end() || told.size() >= 16) return;
    told.push_back(why);
  }
  logging::warning("arrays", what, " runs on the CPU: ", why);
}

}  // namespace

bool structure_known_on_device(const Stage& stage) {
  const DeviceStructure* const kernel = kernel_of(stage);
  if (kernel == nullptr || expression::chunk_count(stage.grid) == 0) return false;
  if (const std::string why = kernel->missing(); !why.empty()) {
    tell_once(stage.structure->type->name, why);
    return false;
  }
  const Box box = expression::chunk_box(stage.grid, 0);
  if (box.elements() == 0) return false;
  std::vector<SourceChunk> chunks;
  list_sources(stage, box, chunks);
  PlannedChunk chunk(stage, box);
  return plan_chunk(chunk, *kernel, chunks);
}

std::optional<double> structure_steps(const Stage& stage, const Box& box, const std::vector<SourceChunk>& chunks) {
  const DeviceStructure* const kernel = kernel_of(stage);
  PlannedChunk chunk(stage, box);
  if (kernel == nullptr || box.elements() == 0 || !plan_chunk(chunk, *kernel, chunks)) return {};
  return chunk.plan.steps;
}

std::optional<gpu::DeviceBuffer> structure_on_device(const Stage& stage, const Box& box,
                                                     const std::vector<SourceChunk>& chunks,
                                                     const std::vector<gpu::DeviceBuffer>& inputs) {
  const DeviceStructure* const kernel = kernel_of(stage);
  PlannedChunk chunk(stage, box);
  if (kernel == nullptr || box.elements() == 0 || !plan_chunk(chunk, *kernel, chunks)) return {};
  DeviceWork device(inputs);
  device.add_rooms(chunk.named);
  gpu::Work& work = device.work();
  work.name(stage.structure->type->name);
  const auto out = work.output(static_cast<std::size_t>(box.elements()) * chunk.output.dtype.size());
  std::vector<gpu::Work::Operand> operands;
  for (const std::size_t bytes : chunk.plan.rooms) operands.push_back(work.scratch(std::max<std::size_t>(1, bytes)));
  work.begin();
  std::vector<std::byte*> rooms;
  for (const auto& operand : operands) rooms.push_back(work.data<std::byte>(operand));
  for (Block& block : chunk.blocks)
    if (block.data != nullptr) block.data = device.place(0, block.data);
  chunk.output.data = work.data<std::byte>(out);
  const std::vector<kernels::BoxCopy> copies = device.copies(0, chunk.named);
  work.launch([&](gpu::NativeStream native) {
    const kernels::DeviceStream stream(work.device(), native);
    for (const kernels::BoxCopy& copy : copies) stream.copy(copy);
    kernel->run(stage.structure->parameters.get(), chunk.work(), rooms, stream);
  });
  return stage.device == Stage::kAlways && lost_anyway(inputs) ? work.leave(out) : work.finish(out);
}

}  // namespace weft::arrays::lowering
