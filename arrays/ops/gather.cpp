// Elements at the places of a table: what each chunk of the result reads is told when the expression is built.
#include "arrays/ops/gather.hpp"

#include "arrays/ops/telling.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/neighbours.hpp>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

namespace weft::arrays {
namespace ops {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;

template <class T>
std::vector<T> elements(const Block& block) {
  std::vector<T> out;
  std::vector<std::int64_t> at(block.shape.size(), 0);
  const std::int64_t count = Shape(block.shape).elements();
  for (std::int64_t i = 0; i < count; ++i) {
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) offset += at[axis] * block.strides[axis];
    out.push_back(*reinterpret_cast<const T*>(block.data + offset));
    for (std::size_t axis = at.size(); axis-- > 0 && ++at[axis] == block.shape[axis];) at[axis] = 0;
  }
  return out;
}
template std::vector<std::int64_t> elements(const Block& block);
template std::vector<double> elements(const Block& block);

bool next_outer(const ChunkWork& work, std::vector<std::int64_t>& at, std::vector<std::int64_t>& offsets) {
  bool more = false;
  for (std::size_t axis = at.size(); axis-- > 0 && !more;) {
    more = ++at[axis] < work.output.shape[axis];
    if (!more) at[axis] = 0;
  }
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    offsets[i] = 0;
    for (std::size_t axis = 0; axis < at.size(); ++axis) offsets[i] += at[axis] * work.inputs[i].strides[axis];
  }
  return more;
}

PlaceFinder::PlaceFinder(const Gather& gather, const ChunkWork& work)
    : gather_(gather), work_(work), at_(gather.extents.size()) {
  for (const std::int64_t extent : gather.extents) all_ *= extent;
  while (boxes_ < work.needs.size() && work.needs[boxes_].input == 0) ++boxes_;
  outer_ = work.needs[0].box.ndim() - at_.size();
}

PlaceFinder::Found PlaceFinder::operator()(std::int64_t place) {
  if (place < 0 || place >= all_) return {};
  for (std::size_t axis = at_.size(); axis-- > 0;) {
    at_[axis] = place % gather_.extents[axis];
    place /= gather_.extents[axis];
  }
  // Neighbours are mostly in the same box.
  for (std::size_t tried = 0; tried < boxes_; ++tried, last_ = (last_ + 1) % boxes_) {
    const Box& box = work_.needs[last_].box;
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t axis = 0; axis < at_.size() && inside; ++axis) {
      const std::int64_t apart = at_[axis] - box.start[outer_ + axis];
      inside = apart >= 0 && apart < box.extent[outer_ + axis];
      offset += apart * work_.inputs[last_].strides[outer_ + axis];
    }
    if (inside) return {static_cast<std::int32_t>(last_), offset};
  }
  return {};
}

namespace {

using Found = PlaceFinder::Found;

template <class T>
void copy_found(const std::vector<Found>& found, std::span<const Block> blocks,
                const std::vector<std::int64_t>& offsets, const void* fill, std::byte* to) {
  T nothing;
  std::memcpy(&nothing, fill, sizeof nothing);
  T* out = reinterpret_cast<T*>(to);
  for (const Found& one : found) {
    if (one.block < 0) {
      *out++ = nothing;
      continue;
    }
    const auto block = static_cast<std::size_t>(one.block);
    std::memcpy(out++, blocks[block].data + offsets[block] + one.offset, sizeof(T));
  }
}

struct Wide {
  std::uint64_t words[2];
};

void copy_found(std::size_t bytes, const std::vector<Found>& found, std::span<const Block> blocks,
                const std::vector<std::int64_t>& offsets, const void* fill, std::byte* to) {
  if (bytes == 1) return copy_found<std::uint8_t>(found, blocks, offsets, fill, to);
  if (bytes == 2) return copy_found<std::uint16_t>(found, blocks, offsets, fill, to);
  if (bytes == 4) return copy_found<std::uint32_t>(found, blocks, offsets, fill, to);
  if (bytes == 8) return copy_found<std::uint64_t>(found, blocks, offsets, fill, to);
  return copy_found<Wide>(found, blocks, offsets, fill, to);
}

}  // namespace

void Gather::add_box(const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent) {
  boxes.insert(boxes.end(), start.begin(), start.end());
  boxes.insert(boxes.end(), extent.begin(), extent.end());
}

void Gather::end_chunk() { begins.push_back(static_cast<std::int64_t>(boxes.size())); }

void Gather::needs(const Box& out, std::vector<Need>& needs) const {
  const std::size_t outer = out.ndim() - table.size(), axes = extents.size();
  std::vector<std::int64_t> chunk;
  for (std::size_t axis = 0; axis < table.size(); ++axis) chunk.push_back(table[axis].find(out.start[outer + axis]));
  const auto number = static_cast<std::size_t>(expression::chunk_number(table, chunk.data()));
  const auto first = static_cast<std::ptrdiff_t>(outer);
  for (std::int64_t at = begins[number]; at < begins[number + 1]; at += static_cast<std::int64_t>(2 * axes)) {
    const auto start = boxes.begin() + at, extent = start + static_cast<std::ptrdiff_t>(axes);
    Need need;
    need.box.start.assign(out.start.begin(), out.start.begin() + first);
    need.box.start.insert(need.box.start.end(), start, extent);
    need.box.extent.assign(out.extent.begin(), out.extent.begin() + first);
    need.box.extent.insert(need.box.extent.end(), extent, extent + static_cast<std::ptrdiff_t>(axes));
    needs.push_back(std::move(need));
  }
  needs.push_back(
      {1, {{out.start.begin() + first, out.start.end()}, {out.extent.begin() + first, out.extent.end()}}, {}});
}

void Gather::run(const ChunkWork& work) const {
  const std::size_t outer = work.output.shape.size() - table.size(), bytes = work.output.dtype.size();
  if (Shape(work.output.shape).elements() == 0) return;
  PlaceFinder find(*this, work);
  std::vector<Found> found;
  for (const std::int64_t place : elements<std::int64_t>(work.inputs.back())) found.push_back(find(place));
  const std::span<const Block> blocks = work.inputs.first(find.boxes());
  std::vector<std::int64_t> at(outer, 0), offsets(blocks.size(), 0);
  std::byte* to = work.output.data;
  do {
    copy_found(bytes, found, blocks, offsets, fill.data(), to);
    to += found.size() * bytes;
  } while (next_outer(work, at, offsets));
}

Array gathered(const Array& array, const Array& table, std::size_t axes, Gather gather,
               const std::source_location& where) {
  const NodePointer& source = array.node();
  Grid grid(source->grid.begin(), source->grid.end() - static_cast<std::ptrdiff_t>(axes));
  for (std::size_t axis = grid.size(); axis < source->grid.size(); ++axis) {
    gather.extents.push_back(source->shape[axis]);
  }
  gather.table = table.node()->grid;
  grid.insert(grid.end(), gather.table.begin(), gather.table.end());
  return Array(expression::make_structural(expression::make_structure(std::move(gather)), {source, table.node()},
                                           source->dtype, std::move(grid), where));
}

PlaceBoxes::PlaceBoxes(const Grid& source, const Shape& shape, std::size_t axes)
    : grid_(source.end() - static_cast<std::ptrdiff_t>(axes), source.end()), at_(axes), chunk_(axes) {
  for (std::size_t axis = shape.size() - axes; axis < shape.size(); ++axis) extents_.push_back(shape[axis]);
}

void PlaceBoxes::add(std::int64_t place) {
  for (std::size_t axis = extents_.size(); axis-- > 0;) {
    at_[axis] = place % extents_[axis];
    place /= extents_[axis];
    chunk_[axis] = grid_[axis].find(at_[axis]);
  }
  const std::int64_t number = expression::chunk_number(grid_, chunk_.data());
  if (number != last_) {
    box_ = &boxes_.try_emplace(number, at_, at_).first->second;
    last_ = number;
  }
  for (std::size_t axis = 0; axis < at_.size(); ++axis) {
    box_->first[axis] = std::min(box_->first[axis], at_[axis]);
    box_->second[axis] = std::max(box_->second[axis], at_[axis]);
  }
}

void PlaceBoxes::move_to(Gather& gather) {
  // There is one at least, of one element.
  if (boxes_.empty()) add(0);
  for (auto& [number, box] : boxes_) {
    for (std::size_t axis = 0; axis < at_.size(); ++axis) box.second[axis] += 1 - box.first[axis];
    gather.add_box(box.first, box.second);
  }
  gather.end_chunk();
  boxes_.clear();
  last_ = -1;
}

Chunks table_chunks(const Array& array, std::size_t axes, const Shape& table) {
  std::int64_t most = 1;
  for (std::size_t axis = array.ndim() - axes; axis < array.ndim(); ++axis) {
    most *= std::max<std::int64_t>(1, array.node()->grid[axis].largest());
  }
  std::vector<AxisChunks> sizes(table.size(), AxisChunks(1));
  for (std::size_t axis = sizes.size(); axis-- > 0;) {
    const std::int64_t extent = std::max<std::int64_t>(1, table[axis]);
    sizes[axis] = AxisChunks(std::min(extent, std::max<std::int64_t>(1, most)));
    most /= extent;
  }
  return Chunks(std::move(sizes));
}

namespace {

std::int64_t elements_of(const Array& array, std::size_t axes) {
  std::int64_t count = 1;
  for (std::size_t axis = array.ndim() - axes; axis < array.ndim(); ++axis) count *= array.shape()[axis];
  return count;
}

}  // namespace
}  // namespace ops

Array gather_lut(const Array& array, const NDArray& places, const GatherOptions& options,
                 const std::source_location& where) {
  const std::string call = ops::at_line("gather_lut", where);
  expression::require_known(*array.node(), "gather_lut", where);
  if (options.axes < 1 || options.axes > static_cast<int>(array.ndim())) {
    throw Error(call + "the places count through the last " + std::to_string(options.axes) +
                " axes, but the array has the shape " + array.shape().text());
  }
  if (places.dtype() != int64) {
    throw Error(call + "the places are of type " + places.dtype().name() + ": give int64, with -1 for none");
  }
  const auto axes = static_cast<std::size_t>(options.axes);
  const std::int64_t count = ops::elements_of(array, axes);
  if (count == 0) throw Error(call + "the array of shape " + array.shape().text() + " has no elements to take");
  const NDArray table = places.as_contiguous();
  const Chunks chunks = options.chunks.given() ? options.chunks : ops::table_chunks(array, axes, table.shape());
  const Array stored = from_ndarray(table, chunks, where);
  ops::Gather gather;
  ops::PlaceBoxes boxes(array.node()->grid, array.shape(), axes);
  bool missing = false;
  const auto* const data = reinterpret_cast<const std::int64_t*>(table.data());
  const std::int64_t pieces = expression::chunk_count(stored.node()->grid);
  for (std::int64_t piece = 0; piece < pieces; ++piece) {
    const expression::Box box = expression::chunk_box(stored.node()->grid, piece);
    std::vector<std::int64_t> at(box.ndim(), 0);
    for (std::int64_t i = 0; i < box.elements(); ++i) {
      std::int64_t place = 0;
      for (std::size_t axis = 0; axis < at.size(); ++axis) {
        place = place * table.shape()[axis] + box.start[axis] + at[axis];
      }
      const std::int64_t one = data[place];
      if (one >= 0 && one < count) {
        boxes.add(one);
      } else {
        missing = true;
      }
      for (std::size_t axis = at.size(); axis-- > 0 && ++at[axis] == box.extent[axis];) at[axis] = 0;
    }
    boxes.move_to(gather);
  }
  Array values = array;
  if (missing && !options.fill && !array.dtype().is_floating() && !array.dtype().is_complex()) {
    if (array.dtype().is_time()) throw Error(call + "times have no NaN for places that are not there: give .fill");
    values = array.astype(float64, where);
  }
  ops::told("gather_lut", where, [&] {
    const Scalar fill = options.fill.value_or(Scalar(std::numeric_limits<double>::quiet_NaN()));
    if (missing) fill.write(values.dtype(), gather.fill.data());
  });
  return ops::gathered(values, stored, axes, std::move(gather), where);
}

}  // namespace weft::arrays
