#include "arrays/plan/device_pass.hpp"

#include "arrays/plan/defer.hpp"
#include "arrays/plan/device_structures.hpp"
#include "arrays/plan/device_work.hpp"
#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/fold_blocks.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace weft::arrays::lowering {
namespace {

using kernels::BoxCopy;
using kernels::Pass;
using kernels::ReduceState;

/// A pass, and what is gathered before it. Addresses are names.
struct Planned {
  Pass pass;
  NamedChunks named;
  /// Of a fold: the state it goes to, and the first output in it.
  std::int64_t state = 0, first_output = 0;
};

bool plan(const Stage& stage, const Box& box, const std::vector<SourceChunk>& chunks, Planned& planned) {
  const TileWalk walk(stage, box, ChunkInputs(chunks, planned.named));
  if (!walk.flatten(planned.pass)) return false;
  return device_gathers(planned.named);
}

/// Gives the operands of a pass their true addresses.
void settle(Planned& planned, const DeviceWork& device, std::size_t number) {
  for (kernels::PassOperand& operand : planned.pass.operands) {
    if (operand.first != nullptr) operand.first = device.place(number, operand.first);
  }
}

/// Calls use(loops, stream) where the device's kernels run: at once for a CUDA stream, which they are put on; in its
/// order for a pretended one.
template <class Use>
void on_stream(gpu::Work& work, Use use) {
  work.launch([use = std::move(use)](gpu::NativeStream stream) {
    if (stream.pretended()) {
      stream.host([use] { use(kernels::host_loops(), nullptr); });
      return;
    }
    const kernels::SpaceLoops* const loops = kernels::cuda_loops();
    if (loops == nullptr) {
      throw gpu::DeviceError("this build of weft has no kernels for devices: build it where CMake finds nvcc");
    }
    use(*loops, stream.cuda());
  });
}

ReduceState parts_at(const StateLayout& layout, std::byte* data, const kernels::ReduceKernel& kernel,
                     std::int64_t first_output) {
  ReduceState state = state_at(layout, data);
  for (int part = 0; part < 3; ++part) {
    if (part >= kernel.parts) {
      state.parts[part] = nullptr;
      continue;
    }
    const auto size = static_cast<std::int64_t>(Dtype(kernel.types[part]).size());
    state.parts[part] = static_cast<std::byte*>(state.parts[part]) + first_output * size;
  }
  return state;
}

/// Bytes of a pass, read and written, that take the device less time than starting a kernel takes the host.
constexpr std::size_t kShortPass = std::size_t{4} << 20;

/// Where all passes are the device's, short ones go there together; where the place is a question of time, each is
/// timed alone.
bool goes_with_others(const Stage& stage, std::size_t out_bytes, const std::vector<gpu::DeviceBuffer>& inputs) {
  std::size_t bytes = out_bytes;
  for (const gpu::DeviceBuffer& input : inputs) bytes += input.size();
  return stage.device == Stage::kAlways && bytes <= kShortPass;
}

/// What is folded at once. Where the place of a pass is a question of time, the blocks are the host's, so that the bits
/// are too; where all passes are the device's, blocks for the cache of a processor would only be many kernels.
std::vector<FoldBlock> blocks_of(const Stage& stage, const ReductionTree& tree, std::int64_t leaf) {
  if (stage.device != Stage::kAlways) return fold_blocks(stage, tree, leaf);
  std::vector<FoldBlock> blocks;
  const auto [first, end] = tree.chunks_of(leaf);
  for (std::int64_t chunk = first; chunk < end; ++chunk) blocks.push_back({tree.box(chunk), 0});
  return blocks;
}

}  // namespace

std::string architecture_mismatch(const std::string& built, int major, int minor) {
  const int device = 10 * major + minor;
  std::string rest = built;
  for (std::size_t at = rest.find("sm_"); at != std::string::npos; at = rest.find("sm_", at + 3)) {
    if (std::atoi(rest.c_str() + at + 3) <= device) return {};
  }
  return "this weft was built for " + built + ", this device is sm_" + std::to_string(device) +
         ": build it with -DWEFT_CUDA_ARCHITECTURES=" + std::to_string(device);
}

std::string why_not_on_devices() {
  std::string why;
  for (const gpu::DeviceFacts& device : gpu::devices()) {
    if (device.major == 0) return {};  // pretended: it runs the host's loops
    if (kernels::cuda_loops() == nullptr) return "this weft was built without nvcc, so it has no kernels for devices";
    why = architecture_mismatch(kernels::cuda_architectures(), device.major, device.minor);
    if (why.empty()) return {};
  }
  return why.empty() ? gpu::why_no_device() : why;
}

bool known_on_device(const Stage& stage) {
  if (stage.kind == Stage::Structural) return structure_known_on_device(stage);
  if (deferred(stage)) return false;
  const auto made = [](const Source& source) { return !source.made.empty(); };
  if (std::any_of(stage.sources.begin(), stage.sources.end(), made)) return false;
  if (expression::chunk_count(stage.grid) == 0) return false;
  const Box box = expression::chunk_box(stage.grid, 0);
  if (box.elements() == 0) return false;
  std::vector<SourceChunk> chunks;
  list_sources(stage, box, chunks);
  Planned planned;
  return plan(stage, box, chunks, planned);
}

std::optional<gpu::DeviceBuffer> compute_on_device(const Stage& stage, const Box& box,
                                                   const std::vector<SourceChunk>& chunks,
                                                   const std::vector<gpu::DeviceBuffer>& inputs) {
  if (box.elements() == 0) return {};
  Planned planned;
  if (!plan(stage, box, chunks, planned)) return {};
  DeviceWork device(inputs);
  device.add_rooms(planned.named);
  gpu::Work& work = device.work();
  const std::size_t bytes = static_cast<std::size_t>(box.elements()) * Dtype(stage.type).size();
  const auto out = work.output(bytes);
  const bool together = goes_with_others(stage, bytes, inputs);
  if (together) work.join_batches();
  work.begin();
  const auto copies = device.copies(0, planned.named);
  settle(planned, device, 0);
  auto* const to = work.data<std::byte>(out);
  on_stream(work, [copies, pass = planned.pass, to](const kernels::SpaceLoops& loops, void* stream) {
    for (const BoxCopy& copy : copies) loops.copy(stream, copy);
    loops.write(stream, pass, to);
  });
  return together && lost_anyway(inputs) ? work.leave(out) : work.finish(out);
}

std::optional<Buffer> fold_on_device(const Stage& stage, const ReductionTree& tree, std::int64_t first,
                                     std::int64_t end, const std::vector<SourceChunk>& chunks,
                                     const std::vector<gpu::DeviceBuffer>& inputs) {
  const TypeCode type = stage.program.registers[stage.program.result];
  const kernels::ReduceKernel& kernel = kernels::reduce_kernel(stage.reduce.code, type);
  const StateLayout layout = state_layout(stage, tree.outputs());
  std::vector<Planned> passes;
  std::int64_t most_tiles = 0;
  for (std::int64_t leaf = first; leaf < end; ++leaf) {
    for (const FoldBlock& block : blocks_of(stage, tree, leaf)) {
      if (block.box.elements() == 0) continue;
      Planned& planned = passes.emplace_back();
      planned.state = leaf - first;
      planned.first_output = block.first_output;
      if (!plan(stage, block.box, chunks, planned)) return {};
      most_tiles = std::max(most_tiles, kernels::fold_states(planned.pass));
    }
  }
  if (passes.empty() || layout.bytes == 0) return {};
  // Folds of one work follow each other, so they share the room for the states of tiles.
  const StateLayout tiles = state_layout(stage, std::max<std::int64_t>(1, most_tiles));
  DeviceWork device(inputs);
  for (const Planned& planned : passes) device.add_rooms(planned.named);
  gpu::Work& work = device.work();
  const auto states = work.output(layout.bytes * static_cast<std::size_t>(end - first));
  const auto room = work.scratch(tiles.bytes);
  work.begin();
  std::vector<std::vector<BoxCopy>> copies;
  for (std::size_t number = 0; number < passes.size(); ++number) {
    copies.push_back(device.copies(number, passes[number].named));
    settle(passes[number], device, number);
  }
  on_stream(work, [&, at = work.data<std::byte>(states), tiles_at = work.data<std::byte>(room)](
                      const kernels::SpaceLoops& loops, void* stream) {
    for (std::int64_t leaf = first; leaf < end; ++leaf) {
      std::byte* const mine = at + static_cast<std::size_t>(leaf - first) * layout.bytes;
      loops.begin(stream, {stage.reduce.code, type, parts_at(layout, mine, kernel, 0)}, layout.outputs);
    }
    for (std::size_t number = 0; number < passes.size(); ++number) {
      const Planned& planned = passes[number];
      for (const BoxCopy& copy : copies[number]) loops.copy(stream, copy);
      std::byte* const mine = at + static_cast<std::size_t>(planned.state) * layout.bytes;
      loops.fold(stream, planned.pass, {stage.reduce.code, type, parts_at(layout, mine, kernel, planned.first_output)},
                 parts_at(tiles, tiles_at, kernel, 0));
    }
  });
  return work.finish(states).fetch();
}

}  // namespace weft::arrays::lowering
