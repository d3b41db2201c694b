#include "arrays/expression/box.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>

namespace weft::arrays::expression {

AxisGrid AxisGrid::regular(std::int64_t extent, std::int64_t chunk) {
  AxisGrid grid;
  grid.extent_ = extent;
  grid.chunk_ = std::max<std::int64_t>(1, std::min(chunk, std::max<std::int64_t>(extent, 1)));
  grid.count_ = std::max<std::int64_t>(1, (extent + grid.chunk_ - 1) / grid.chunk_);
  return grid;
}

AxisGrid AxisGrid::of(const std::vector<std::int64_t>& sizes) {
  std::int64_t extent = 0;
  for (const std::int64_t size : sizes) extent += size;
  // Equal pieces are kept as such, however they were given.
  bool equal = !sizes.empty();
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) equal = equal && sizes[i] == sizes[0];
  if (equal && sizes[0] > 0 && sizes.back() > 0 && sizes.back() <= sizes[0]) return regular(extent, sizes[0]);
  AxisGrid grid;
  grid.extent_ = extent;
  for (std::int64_t end = 0; const std::int64_t size : sizes) {
    end += size;
    grid.ends_.push_back(end);
  }
  if (grid.ends_.empty()) grid.ends_.push_back(0);
  grid.count_ = static_cast<std::int64_t>(grid.ends_.size());
  return grid;
}

AxisGrid AxisGrid::deferred(std::int64_t count, std::uint64_t origin_high, std::uint64_t origin_low) {
  AxisGrid grid;
  grid.extent_ = -1;
  grid.count_ = count;
  grid.chunk_ = kDeferredStep;
  grid.origin_ = {origin_high, origin_low};
  return grid;
}

std::int64_t AxisGrid::noted_size(std::int64_t piece) const {
  for (const auto& [noted, size] : noted_) {
    if (noted == piece) return size;
  }
  return 1;
}

std::int64_t AxisGrid::find(std::int64_t place) const {
  if (ends_.empty()) return std::min(place / chunk_, count_ - 1);
  return std::upper_bound(ends_.begin(), ends_.end() - 1, place) - ends_.begin();
}

std::int64_t AxisGrid::largest() const {
  std::int64_t largest = size(0);
  if (ends_.empty()) return largest;
  for (std::int64_t piece = 1; piece < count_; ++piece) largest = std::max(largest, size(piece));
  return largest;
}

std::vector<std::int64_t> AxisGrid::sizes() const {
  if (!known()) return std::vector<std::int64_t>(static_cast<std::size_t>(count_), -1);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(count_));
  for (std::int64_t piece = 0; piece < count_; ++piece) sizes[static_cast<std::size_t>(piece)] = size(piece);
  return sizes;
}

bool operator==(const AxisGrid& a, const AxisGrid& b) {
  return a.extent_ == b.extent_ && a.count_ == b.count_ && a.ends_ == b.ends_ && a.origin_ == b.origin_ &&
         (!a.ends_.empty() || a.count_ == 1 || a.chunk_ == b.chunk_);
}

std::int64_t chunk_count(const Grid& grid) {
  std::int64_t count = 1;
  for (const AxisGrid& axis : grid) count *= axis.count();
  return count;
}

Shape shape_of(const Grid& grid) {
  Shape shape;
  for (const AxisGrid& axis : grid) shape.push_back(axis.extent());
  return shape;
}

void chunk_coordinates(const Grid& grid, std::int64_t chunk, std::int64_t* coordinates) {
  for (std::size_t axis = grid.size(); axis-- > 0;) {
    coordinates[axis] = chunk % grid[axis].count();
    chunk /= grid[axis].count();
  }
}

std::int64_t chunk_number(const Grid& grid, const std::int64_t* coordinates) {
  std::int64_t chunk = 0;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) chunk = chunk * grid[axis].count() + coordinates[axis];
  return chunk;
}

Box chunk_box(const Grid& grid, std::int64_t chunk) {
  Box box;
  box.start.resize(grid.size());
  box.extent.resize(grid.size());
  chunk_coordinates(grid, chunk, box.start.data());
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    const std::int64_t piece = box.start[axis];
    box.start[axis] = grid[axis].start(piece);
    box.extent[axis] = grid[axis].size(piece);
  }
  return box;
}

AxisGrid common_refinement(const AxisGrid& a, const AxisGrid& b) {
  if (a == b || b.count() == 1) return a;
  if (a.count() == 1) return b;
  std::vector<std::int64_t> sizes;
  std::int64_t at = 0;
  for (std::int64_t i = 0, j = 0; i < a.count() && j < b.count();) {
    const std::int64_t next = std::min(a.end(i), b.end(j));
    if (next > at) sizes.push_back(next - at);
    at = next;
    if (a.end(i) == next) ++i;
    if (j < b.count() && b.end(j) == next) ++j;
  }
  return AxisGrid::of(sizes);
}

namespace {

/// Bytes of a chunk that weft chooses: small enough for several to be in a cache or a device at once, large enough for
/// the cost of a task to vanish.
constexpr double kAutoBytes = 8.0 * 1024 * 1024;

[[noreturn]] void refuse(const Shape& shape, const std::string& what) {
  throw Error("chunks of an array of shape " + shape.text() + ": " + what);
}

AxisGrid axis_grid(const Shape& shape, std::size_t axis, const AxisChunks& chunks) {
  const std::int64_t extent = shape[axis];
  if (chunks.is_list()) {
    std::int64_t sum = 0;
    for (const std::int64_t size : chunks.sizes()) {
      if (size < 0) refuse(shape, "a chunk of axis " + std::to_string(axis) + " has the size " + std::to_string(size));
      sum += size;
    }
    if (sum != extent) {
      refuse(shape, "the sizes given for axis " + std::to_string(axis) + " add up to " + std::to_string(sum) +
                        ", not " + std::to_string(extent));
    }
    return AxisGrid::of(chunks.sizes());
  }
  if (chunks.size() == AxisChunks::kWhole) return AxisGrid::whole(extent);
  if (chunks.size() <= 0) {
    refuse(shape, "the chunk size of axis " + std::to_string(axis) + " is " + std::to_string(chunks.size()) +
                      "; give a positive size, -1 for the whole axis, or \"auto\"");
  }
  return AxisGrid::regular(extent, chunks.size());
}

}  // namespace

Grid make_grid(const Shape& shape, const Chunks& chunks, std::size_t element_bytes, const Grid& present) {
  for (const std::int64_t extent : shape) {
    if (extent < 0 && chunks.given()) {
      refuse(shape, "an extent is not known before the array has run: call compute_chunk_sizes first");
    }
  }
  std::vector<AxisChunks> axes = chunks.axes();
  if (chunks.each()) axes.assign(shape.size(), *chunks.each());
  if (!chunks.given()) {
    if (!present.empty() || shape.empty()) return present;
    axes.assign(shape.size(), AxisChunks());
  }
  if (axes.size() == 1 && shape.size() > 1 && !axes[0].is_list()) axes.assign(shape.size(), axes[0]);
  if (axes.size() != shape.size()) {
    refuse(shape,
           "sizes for " + std::to_string(axes.size()) + " axes were given; there are " + std::to_string(shape.size()));
  }
  Grid grid(shape.size());
  double fixed = static_cast<double>(element_bytes);
  std::vector<std::size_t> open;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    if (axes[axis].automatic()) {
      open.push_back(axis);
      continue;
    }
    grid[axis] = axis_grid(shape, axis, axes[axis]);
    fixed *= static_cast<double>(std::max<std::int64_t>(1, grid[axis].largest()));
  }
  // Open axes get equal pieces; those shorter than that stay whole and leave their room to the others.
  std::sort(open.begin(), open.end(), [&](std::size_t a, std::size_t b) { return shape[a] < shape[b]; });
  double room = std::max(1.0, kAutoBytes / fixed);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const double each = std::pow(room, 1.0 / static_cast<double>(open.size() - i));
    const std::int64_t extent = shape[open[i]];
    std::int64_t piece = std::max<std::int64_t>(1, static_cast<std::int64_t>(each));
    if (piece >= extent) {
      piece = std::max<std::int64_t>(1, extent);
    } else {
      // Pieces of equal size rather than a short last one.
      const std::int64_t count = (extent + piece - 1) / piece;
      piece = (extent + count - 1) / count;
    }
    grid[open[i]] = AxisGrid::regular(extent, piece);
    room = std::max(1.0, room / static_cast<double>(piece));
  }
  return grid;
}

Grid make_grid(const Shape& shape, const Chunks& chunks, std::size_t element_bytes) {
  return make_grid(shape, chunks, element_bytes, {});
}

}  // namespace weft::arrays::expression
