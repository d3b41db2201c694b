#include "arrays/plan/device_tasks.hpp"

#include "arrays/plan/device_pass.hpp"
#include "arrays/plan/device_structures.hpp"
#include "arrays/plan/evaluate.hpp"

#include <weft/log.hpp>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>

namespace weft::arrays::lowering {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Below these, what is timed is the start of a pass and not its rate.
constexpr double kTimedSteps = 1 << 16;
constexpr double kTimedBytes = 1 << 20;

/// What the passes of this process measured.
/// Owns: the books.  Threading: any thread; one mutex, taken twice a pass.
class Measurements {
 public:
  static Measurements& get() {
    static Measurements all;
    return all;
  }
  DeviceBooks books() const {
    const std::lock_guard lock(mutex_);
    return books_;
  }
  double waiting() const {
    const std::lock_guard lock(mutex_);
    return std::max(0.0, waiting_s_);
  }
  /// A pass joins the device's queue; returns what it is expected to take.
  double begin(double expected) {
    const std::lock_guard lock(mutex_);
    waiting_s_ += expected;
    return expected;
  }
  void give_up(double expected) {
    const std::lock_guard lock(mutex_);
    waiting_s_ -= expected;
    ++books_.came_back;
  }
  /// Warns of what a device could not do, once for each reason.
  void tell(const std::string& why) {
    {
      const std::lock_guard lock(mutex_);
      if (std::find(told_.begin(), told_.end(), why) != told_.end() || told_.size() >= 16) return;
      told_.push_back(why);
    }
    logging::warning("arrays", "a pass goes on on the CPU: ", why);
  }
  /// `alone`: nothing else was in the device's queue, so the time is that of this pass.
  void ended_on_device(const policies::DevicePass& pass, double expected, double seconds, bool alone) {
    const std::lock_guard lock(mutex_);
    waiting_s_ -= expected;
    ++books_.on_device;
    if (!alone) return;
    policies::DeviceRates& rates = books_.rates;
    const double copied = pass.host_bytes / rates.link_bytes;
    if (pass.host_bytes >= kTimedBytes && pass.host_bytes > 4 * pass.steps * rates.link_bytes / rates.device_steps) {
      const double kernel = pass.steps / rates.device_steps + rates.launch_s;
      rates.link_bytes = policies::measured(rates.link_bytes, pass.host_bytes, seconds - kernel);
    } else if (pass.steps >= kTimedSteps) {
      rates.device_steps = policies::measured(rates.device_steps, pass.steps, seconds - copied - rates.launch_s);
    }
  }
  void ended_on_cpu(const policies::DevicePass& pass, double seconds) {
    const std::lock_guard lock(mutex_);
    ++books_.on_cpu;
    if (pass.steps < kTimedSteps) return;
    books_.rates.cpu_steps = policies::measured(books_.rates.cpu_steps, pass.steps, seconds);
  }

 private:
  mutable std::mutex mutex_;
  DeviceBooks books_;
  double waiting_s_ = 0;
  std::vector<std::string> told_;
};

std::vector<gpu::DeviceBuffer> values_of(const std::vector<Delayed<gpu::DeviceBuffer>>& handles) {
  std::vector<gpu::DeviceBuffer> values;
  values.reserve(handles.size());
  for (const auto& handle : handles) values.push_back(handle.value());
  return values;
}
std::vector<Buffer> fetched(const std::vector<gpu::DeviceBuffer>& inputs) {
  std::vector<Buffer> buffers;
  buffers.reserve(inputs.size());
  for (const auto& input : inputs) buffers.push_back(input.fetch());
  return buffers;
}

policies::DevicePass needs_of(const Stage& stage, double elements, double out_bytes,
                              const std::vector<gpu::DeviceBuffer>& inputs) {
  policies::DevicePass pass;
  // A pass that only moves still takes a step an element.
  pass.steps = elements * static_cast<double>(stage.program.code.size() + 1);
  for (const auto& input : inputs) {
    const auto bytes = static_cast<double>(input.size());
    if (!input.on_device()) pass.host_bytes += bytes;
    if (!input.on_host()) pass.device_bytes += bytes;
  }
  pass.out_bytes = out_bytes;
  pass.out_stays = stage.kind != Stage::Reduce;
  return pass;
}

policies::DeviceState device_state() {
  policies::DeviceState state;
  const std::size_t count = gpu::devices().size();
  for (unsigned device = 0; device < count; ++device) {
    const gpu::DeviceReport report = gpu::report(device);
    const auto budget = static_cast<double>(report.budget_bytes);
    state.budget_bytes = std::max(state.budget_bytes, budget);
    state.free_bytes += std::max(0.0, budget - static_cast<double>(report.used_bytes));
  }
  state.waiting_s = Measurements::get().waiting() / static_cast<double>(std::max<std::size_t>(1, count));
  return state;
}

/// Runs `on_device` where the pass goes there and the device does what it is asked; returns nothing where the host has
/// to.
template <class Result, class Run>
std::optional<Result> try_device(const Stage& stage, const policies::DevicePass& pass, const Run& on_device) {
  if (!gpu::usable()) return {};
  Measurements& measured = Measurements::get();
  const policies::DeviceRates rates = measured.books().rates;
  const policies::DeviceState state = device_state();
  if (stage.device == Stage::kWhereFirst && place_pass(pass, rates, state) == policies::DeviceChoice::Cpu) return {};
  // What is the device's anyway may not have run yet when its task ends.
  // A library's steps are not those of passes.
  const bool alone = state.waiting_s <= 0 && stage.device == Stage::kWhereFirst && stage.kind != Stage::Structural;
  const double expected = measured.begin(device_seconds(pass, rates, state));
  const Clock::time_point start = Clock::now();
  try {
    std::optional<Result> result = on_device();
    if (result) {
      measured.ended_on_device(pass, expected, seconds_since(start), alone);
    } else {
      measured.give_up(expected);
    }
    return result;
  } catch (const gpu::DeviceError& error) {
    // The device failed, or has no room for this pass. Inputs that only it held are told when they are fetched.
    measured.give_up(expected);
    measured.tell(error.what());
    return {};
  } catch (...) {
    measured.give_up(expected);
    throw;
  }
}

}  // namespace

DeviceBooks device_books() { return Measurements::get().books(); }

gpu::DeviceBuffer ComputeAnywhere::operator()(const StageReference& reference, std::int64_t chunk,
                                              const std::vector<Delayed<gpu::DeviceBuffer>>& handles) const {
  const Stage& stage = *reference.stage;
  const Box box = expression::chunk_box(stage.grid, chunk);
  std::vector<SourceChunk> chunks;
  list_sources(stage, box, chunks);
  const std::vector<gpu::DeviceBuffer> inputs = values_of(handles);
  const auto bytes = static_cast<std::size_t>(box.elements()) * Dtype(stage.type).size();
  auto pass = needs_of(stage, static_cast<double>(box.elements()), static_cast<double>(bytes), inputs);
  const bool structural = stage.kind == Stage::Structural;
  if (structural) pass.steps = structure_steps(stage, box, chunks).value_or(pass.steps);
  auto made = try_device<gpu::DeviceBuffer>(stage, pass, [&] {
    return structural ? structure_on_device(stage, box, chunks, inputs) : compute_on_device(stage, box, chunks, inputs);
  });
  if (made) return std::move(*made);
  const std::vector<Buffer> buffers = fetched(inputs);
  const Clock::time_point start = Clock::now();
  if (structural) return gpu::DeviceBuffer(compute_structure(stage, box, ChunkInputs(chunks, buffers)));
  Buffer out = Buffer::allocate(std::max<std::size_t>(bytes, 1));
  compute_box(stage, box, ChunkInputs(chunks, buffers), out.data());
  Measurements::get().ended_on_cpu(pass, seconds_since(start));
  return gpu::DeviceBuffer(std::move(out));
}

Buffer ReduceAnywhere::operator()(const StageReference& reference, std::int64_t output, int level, std::int64_t node,
                                  bool last, const std::vector<Delayed<gpu::DeviceBuffer>>& handles) const {
  const Stage& stage = *reference.stage;
  const ReductionTree tree(stage, output);
  const auto [first, end] = tree.leaves_below(level, node);
  std::vector<SourceChunk> chunks;
  double elements = 0;
  for (std::int64_t leaf = first; leaf < end; ++leaf) {
    tree.list_sources(stage, leaf, chunks);
    const auto [first_chunk, end_chunk] = tree.chunks_of(leaf);
    for (std::int64_t chunk = first_chunk; chunk < end_chunk; ++chunk) {
      elements += static_cast<double>(tree.box(chunk).elements());
    }
  }
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
  const std::vector<gpu::DeviceBuffer> inputs = values_of(handles);
  const auto bytes = state_layout(stage, tree.outputs()).bytes * static_cast<std::size_t>(end - first);
  const auto pass = needs_of(stage, elements, static_cast<double>(bytes), inputs);
  const auto states =
      try_device<Buffer>(stage, pass, [&] { return fold_on_device(stage, tree, first, end, chunks, inputs); });
  const std::vector<Buffer> none;
  if (states) return reduce_node(stage, output, level, node, last, ChunkInputs(chunks, none), &*states);
  const std::vector<Buffer> buffers = fetched(inputs);
  const Clock::time_point start = Clock::now();
  Buffer state = reduce_node(stage, output, level, node, last, ChunkInputs(chunks, buffers));
  Measurements::get().ended_on_cpu(pass, seconds_since(start));
  return state;
}

}  // namespace weft::arrays::lowering
