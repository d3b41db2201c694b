// Hands chunks to objects of the program.
#include <weft/ops/store.hpp>

#include "arrays/expression/node.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <deque>

namespace weft::arrays::detail {

void check_store(const Array& array, const ViewType& view, const std::source_location& where) {
  expression::require_known(*array.node(), "store", where);
  const Dtype dtype = array.dtype();
  if ((view.dtype == dtype || (dtype.is_time() && view.dtype == int64)) && view.rank == array.ndim()) return;
  throw Error(expression::at_line("store", where) + "the target writes " + std::to_string(view.rank) + " axes of " +
              view.dtype.name() + ", but the array has " + std::to_string(array.ndim()) + " of " + dtype.name() +
              ": change the target's write, or convert the array with astype");
}

std::vector<Region> regions_of(const Array& array) {
  const expression::Grid& grid = array.node()->grid;
  std::vector<Region> regions;
  for (std::int64_t chunk = 0; chunk < expression::chunk_count(grid); ++chunk) {
    const expression::Box box = expression::chunk_box(grid, chunk);
    regions.push_back({box.start, box.extent});
  }
  return regions;
}

RawView view_of(const Region& region, Dtype dtype, const Buffer& chunk) {
  // Views of inputs are const: nobody writes through this pointer.
  return {const_cast<std::byte*>(chunk.data()), dtype, region.extent, c_strides(Shape(region.extent), dtype.size())};
}

void store_here(const Client& client, const Array& array, void* target, WriteRegion write) {
  constexpr std::size_t kAhead = 32;
  const std::vector<Region> regions = regions_of(array);
  std::deque<Future<Buffer>> ahead;
  std::vector<Delayed<Buffer>> chunks = to_delayed(array);
  std::size_t started = 0;
  for (std::size_t i = 0; i < regions.size(); ++i) {
    for (; started < regions.size() && started < i + kAhead; ++started) {
      ahead.push_back(client.persist(chunks[started]));
      // The description goes, so that the chunk is freed when it has been written.
      chunks[started] = Delayed<Buffer>();
    }
    const Future<Buffer> next = std::move(ahead.front());
    ahead.pop_front();
    write(target, regions[i], view_of(regions[i], array.dtype(), next.result()));
  }
}

}  // namespace weft::arrays::detail
