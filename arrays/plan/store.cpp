// Hands chunks to objects of the program.
#include <weft/ops/store.hpp>

#include "arrays/expression/node.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <deque>
#include <exception>

namespace weft::arrays::detail {

void check_store(const Array& array, const ViewType& view, const StoreOptions& options, const char* what,
                 const std::source_location& where) {
  expression::require_known(*array.node(), "store", where);
  if (!options.at.empty() && options.at.size() != array.ndim()) {
    throw Error(expression::at_line("store", where) + "the place `at` has " + std::to_string(options.at.size()) +
                " numbers, but the array has " + std::to_string(array.ndim()) + " axes: give one number for each");
  }
  const Dtype dtype = array.dtype();
  if ((view.dtype == dtype || (dtype.is_time() && view.dtype == int64)) && view.rank == array.ndim()) return;
  throw Error(expression::at_line("store", where) + what + " " + std::to_string(view.rank) + " axes of " +
              view.dtype.name() + ", but the array has " + std::to_string(array.ndim()) + " of " + dtype.name() +
              ": change the target, or convert the array with astype");
}

CreateOptions created_like(const Array& array) {
  std::vector<AxisChunks> chunks;
  for (const std::vector<std::int64_t>& sizes : array.chunks()) chunks.emplace_back(sizes);
  return {.dtype = array.dtype(), .chunks = std::move(chunks)};
}

Region moved(const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
             const StoreOptions& options) {
  Region region{start, extent};
  for (std::size_t axis = 0; axis < options.at.size(); ++axis) region.start[axis] += options.at[axis];
  return region;
}

std::vector<Region> regions_of(const Array& array, const StoreOptions& options) {
  const expression::Grid& grid = array.node()->grid;
  std::vector<Region> regions;
  for (std::int64_t chunk = 0; chunk < expression::chunk_count(grid); ++chunk) {
    const expression::Box box = expression::chunk_box(grid, chunk);
    regions.push_back(moved(box.start, box.extent, options));
  }
  return regions;
}

RawView view_of(const Region& region, Dtype dtype, const Buffer& chunk) {
  // Views of inputs are const: nobody writes through this pointer.
  return {const_cast<std::byte*>(chunk.data()), dtype, region.extent, c_strides(Shape(region.extent), dtype.size())};
}

void wait_for(const Client& client, const std::vector<Delayed<std::int64_t>>& tasks) {
  std::vector<Future<std::int64_t>> running;
  running.reserve(tasks.size());
  for (const auto& task : tasks) running.push_back(client.persist(task));
  // All of them are waited for, so that nobody writes any more once an error is told.
  std::exception_ptr first;
  for (auto& one : running) {
    try {
      static_cast<void>(one.result());
    } catch (...) {
      if (first == nullptr) first = std::current_exception();
    }
  }
  if (first != nullptr) std::rethrow_exception(first);
}

void store_here(const Client& client, std::vector<StoredChunk> chunks) {
  constexpr std::size_t kAhead = 32;
  std::deque<Future<Buffer>> ahead;
  std::size_t started = 0;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    for (; started < chunks.size() && started < i + kAhead; ++started) {
      ahead.push_back(client.persist(chunks[started].chunk));
      // The description goes, so that the chunk is freed when it has been written.
      chunks[started].chunk = Delayed<Buffer>();
    }
    const Future<Buffer> next = std::move(ahead.front());
    ahead.pop_front();
    const StoredChunk& one = chunks[i];
    const Buffer& values = next.result();
    const Lease held = one.options->lock ? one.options->lock->acquire() : Lease();
    one.write(one.target, one.region, view_of(one.region, one.dtype, values));
  }
}

}  // namespace weft::arrays::detail
