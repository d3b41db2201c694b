// Runs array expressions: describes their chunks, starts them, and puts the values together.
#include "arrays/expression/device_chunks.hpp"
#include "arrays/kernels/copy.hpp"
#include "arrays/kernels/spaces/spaces.hpp"
#include "arrays/plan/defer.hpp"
#include "arrays/plan/device_pass.hpp"
#include "arrays/plan/lower.hpp"

#include <weft/client.hpp>
#include <weft/client_info.hpp>
#include <weft/error.hpp>
#include <weft/ops/masks.hpp>

#include <algorithm>
#include <functional>
#include <utility>

namespace weft::arrays {
namespace {

/// Returns the grid with the extents that the chunks tell.
expression::Grid known_grid(const expression::Grid& planned,
                            const std::function<std::vector<std::int64_t>(std::int64_t chunk)>& extents_of) {
  expression::Grid grid = planned;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    if (grid[axis].known()) continue;
    // Chunks at one place of an axis are equally long: ask the first of them.
    std::vector<std::int64_t> sizes;
    std::vector<std::int64_t> at(grid.size(), 0);
    for (at[axis] = 0; at[axis] < planned[axis].count(); ++at[axis]) {
      sizes.push_back(extents_of(expression::chunk_number(planned, at.data()))[axis]);
    }
    grid[axis] = expression::AxisGrid::of(sizes);
  }
  return grid;
}

/// Returns the extents of a chunk; -1 along axes that were known before.
std::vector<std::int64_t> told_extents(const expression::Grid& grid, const Buffer& chunk) {
  const std::size_t words = lowering::deferred_axes(grid);
  std::vector<std::int64_t> extents(grid.size(), -1);
  std::size_t word = 0;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    if (!grid[axis].known()) extents[axis] = lowering::deferred_word(chunk, words, word++);
  }
  return extents;
}

/// Gives the extents that a chunk tells, so that only they are sent.
struct TellExtents {
  std::vector<std::int64_t> operator()(const expression::Grid& grid, const Buffer& chunk) const {
    return told_extents(grid, chunk);
  }
};

void place_chunk(NDArray& whole, const expression::Box& box, const Buffer& part) {
  std::byte* to = whole.mutable_data();
  for (std::size_t axis = 0; axis < box.ndim(); ++axis) to += box.start[axis] * whole.strides()[axis];
  const auto strides = c_strides(Shape(box.extent), whole.dtype().size());
  kernels::copy_box(to, whole.strides().data(), part.data(), strides.data(), box.extent.data(), box.ndim(),
                    whole.dtype().size());
}

NDArray assemble(const expression::Node& node, std::vector<Future<Buffer>> futures) {
  if (expression::known(node.grid)) {
    NDArray whole(node.dtype, node.shape);
    for (std::size_t chunk = 0; chunk < futures.size(); ++chunk) {
      const Future<Buffer> future = std::move(futures[chunk]);
      place_chunk(whole, expression::chunk_box(node.grid, static_cast<std::int64_t>(chunk)), future.result());
    }
    return whole;
  }
  std::vector<Buffer> parts;
  for (Future<Buffer>& future : futures) parts.push_back(std::move(future).result());
  const expression::Grid grid = known_grid(
      node.grid, [&](std::int64_t chunk) { return told_extents(node.grid, parts[static_cast<std::size_t>(chunk)]); });
  NDArray whole(node.dtype, expression::shape_of(grid));
  for (std::size_t chunk = 0; chunk < parts.size(); ++chunk) {
    place_chunk(whole, expression::chunk_box(grid, static_cast<std::int64_t>(chunk)), parts[chunk]);
  }
  return whole;
}

std::function<lowering::Circumstances()> circumstances_of(const Client& client) {
  return [&client] {
    const ClientInfo info = client.info();
    lowering::Circumstances found{info.scheduler == "mpi", 1, 0};
    for (const WorkerInfo& worker : info.workers) {
      found.slots = std::max(found.slots, worker.slots);
      const bool less = found.memory_bytes == 0 || worker.memory_bytes < found.memory_bytes;
      if (worker.memory_bytes != 0 && less) found.memory_bytes = worker.memory_bytes;
    }
    return found;
  };
}

/// Tells whether passes run in Kokkos' host space.
bool wants_kokkos(const Client& client) {
  if (client.settings().array_kernels != "kokkos") return false;
  if (kernels::has_host_space()) return true;
  throw ConfigError("--weft-array-kernels=kokkos: this build of weft has no Kokkos (" + kernels::host_space_text() +
                    "); use --weft-array-kernels=tiles, or build it where CMake finds Kokkos");
}

/// Whether passes run on devices. Where tasks run in other processes, those see for themselves what they have.
lowering::Stage::Device wants_device(const Client& client) {
  using lowering::Stage;
  const std::string& wanted = client.settings().array_device;
  if (wanted == "cpu") return Stage::kNever;
  const Stage::Device device = wanted == "gpu" ? Stage::kAlways : Stage::kWhereFirst;
  if (client.info().scheduler == "mpi") return device;
  std::string why = lowering::why_not_on_devices();
  if (why.empty() && gpu::usable()) return device;
  if (device == Stage::kWhereFirst) return Stage::kNever;
  if (why.empty()) why = "every device of this process has failed";
  throw ConfigError("--weft-array-device=gpu: " + why + "; use --weft-array-device=auto, which goes on on the CPU");
}

/// Tasks that make the chunks of some nodes.
struct Described {
  /// Of each node.
  std::vector<std::vector<Delayed<Buffer>>> chunks;
  /// Of one whose chunks stay on devices.
  std::vector<Delayed<gpu::DeviceBuffer>> on_device;
  /// Those that start before all others.
  std::vector<Delayed<Buffer>> first;
};

/// Describes all chunks before any of them starts: the lowering holds what is between, and what was made meanwhile
/// would stay until it ends. `on_device`: chunks of the one node may stay there.
Described describe(const Client& client, const std::vector<expression::NodePointer>& nodes, bool on_device) {
  lowering::Lowering lowered(nodes, nullptr, circumstances_of(client), wants_kokkos(client), wants_device(client));
  Described described;
  for (const expression::NodePointer& node : nodes) {
    const std::int64_t count = expression::chunk_count(node->grid);
    std::vector<Delayed<Buffer>>& chunks = described.chunks.emplace_back();
    if (on_device && count > 0 && lowered.on_device(node)) {
      for (std::int64_t i = 0; i < count; ++i) described.on_device.push_back(lowered.device_chunk(node, i));
    } else {
      for (std::int64_t i = 0; i < count; ++i) chunks.push_back(lowered.chunk(node, i));
    }
  }
  described.first = lowered.cutting();
  return described;
}

/// Starts what must start first; from then on only who reads it keeps it.
void start_first(const Client& client, Described& described) { client.persist(std::exchange(described.first, {})); }

}  // namespace

std::vector<NDArray> compute_arrays(const Client& client, const std::vector<Array>& arrays) {
  std::vector<std::vector<Future<Buffer>>> futures;
  {
    std::vector<expression::NodePointer> nodes;
    for (const Array& array : arrays) nodes.push_back(array.node());
    Described described = describe(client, nodes, false);
    start_first(client, described);
    for (const std::vector<Delayed<Buffer>>& chunks : described.chunks) futures.push_back(client.persist(chunks));
    // The descriptions go here, so that each chunk is freed as soon as it has its place.
  }
  std::vector<NDArray> results;
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    results.push_back(assemble(*arrays[i].node(), std::move(futures[i])));
  }
  return results;
}

Array persist_array(const Client& client, const Array& array) {
  const expression::NodePointer& node = array.node();
  Described described = describe(client, {node}, true);
  start_first(client, described);
  if (!described.on_device.empty()) {
    client.persist(described.on_device);
    return Array(expression::make_stored_on_device(node->dtype, node->grid, std::move(described.on_device), node->name,
                                                   node->where));
  }
  std::vector<Delayed<Buffer>> chunks = std::move(described.chunks.front());
  client.persist(chunks);
  return Array(expression::make_stored(node->dtype, node->grid, std::move(chunks), node->name, node->where));
}

Array compute_chunk_sizes(const Client& client, const Array& array) {
  if (expression::known(array.node()->grid)) return array;
  const Array kept = persist_array(client, array);
  const expression::NodePointer& node = kept.node();
  const auto tell = delayed(TellExtents{}, node->where);
  std::vector<Delayed<std::vector<std::int64_t>>> told;
  for (const Delayed<Buffer>& chunk : node->chunks) told.push_back(tell(node->grid, chunk));
  const std::vector<std::vector<std::int64_t>> extents = client.compute(told);
  expression::Grid grid =
      known_grid(node->grid, [&](std::int64_t chunk) { return extents[static_cast<std::size_t>(chunk)]; });
  return Array(expression::make_stored(node->dtype, std::move(grid), node->chunks, node->name, node->where));
}

}  // namespace weft::arrays
