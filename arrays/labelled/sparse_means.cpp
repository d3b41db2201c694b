// Means by a table of weights. The entries stand in the order of the table's chunks, so that each task is sent its own.
#include "arrays/labelled/sparse_means.hpp"

#include <weft/ops/creation.hpp>

#include <cmath>
#include <limits>

namespace weft::labelled {
namespace {

using arrays::expression::Block;
using arrays::expression::Box;
using arrays::expression::ChunkWork;
using arrays::expression::Need;
using arrays::ops::PlaceFinder;

constexpr double kRounding = 1e-9;

/// One chunk's entries, found among its blocks.
struct Entries {
  std::vector<std::int64_t> counts;
  std::vector<PlaceFinder::Found> found;
  std::vector<double> weights;
};

template <class T>
void mix(const Entries& entries, std::span<const Block> blocks, const std::vector<std::int64_t>& offsets,
         double min_coverage, T* out) {
  std::size_t at = 0;
  for (const std::int64_t count : entries.counts) {
    double sum = 0, whole = 0;
    for (std::int64_t i = 0; i < count; ++i, ++at) {
      const PlaceFinder::Found& one = entries.found[at];
      if (one.block < 0) continue;
      const auto block = static_cast<std::size_t>(one.block);
      const T value = *reinterpret_cast<const T*>(blocks[block].data + offsets[block] + one.offset);
      if (std::isnan(value)) continue;
      sum += entries.weights[at] * static_cast<double>(value);
      whole += entries.weights[at];
    }
    const bool enough = whole > 0 && whole >= min_coverage - kRounding;
    *out++ = static_cast<T>(enough ? sum / whole : std::numeric_limits<double>::quiet_NaN());
  }
}

template <class T>
void run_typed(const Entries& entries, const ChunkWork& work, std::size_t boxes, std::size_t outer,
               double min_coverage) {
  std::vector<std::int64_t> at(outer, 0), offsets(boxes, 0);
  T* out = reinterpret_cast<T*>(work.output.data);
  do {
    mix(entries, work.inputs.first(boxes), offsets, min_coverage, out);
    out += entries.counts.size();
  } while (arrays::ops::next_outer(work, at, offsets));
}

}  // namespace

void SparseMeans::needs(const Box& out, std::vector<Need>& needs) const {
  gather.needs(out, needs);
  const std::size_t outer = out.ndim() - gather.table.size();
  std::vector<std::int64_t> chunk;
  for (std::size_t axis = 0; axis < gather.table.size(); ++axis)
    chunk.push_back(gather.table[axis].find(out.start[outer + axis]));
  const auto number = static_cast<std::size_t>(arrays::expression::chunk_number(gather.table, chunk.data()));
  for (const std::uint32_t input : {2U, 3U})
    needs.push_back({input, {{entries[number]}, {entries[number + 1] - entries[number]}}, {}});
}

void SparseMeans::run(const ChunkWork& work) const {
  if (Shape(work.output.shape).elements() == 0) return;
  PlaceFinder find(gather, work);
  const std::size_t boxes = find.boxes(), outer = work.output.shape.size() - gather.table.size();
  Entries own;
  own.counts = arrays::ops::elements<std::int64_t>(work.inputs[boxes]);
  for (const std::int64_t place : arrays::ops::elements<std::int64_t>(work.inputs[boxes + 1]))
    own.found.push_back(find(place));
  own.weights = arrays::ops::elements<double>(work.inputs[boxes + 2]);
  if (work.output.dtype == float32) {
    run_typed<float>(own, work, boxes, outer, min_coverage);
  } else {
    run_typed<double>(own, work, boxes, outer, min_coverage);
  }
}

arrays::Array sparse_means(const arrays::Array& array, std::size_t axes, const SparseWeights& weights,
                           const Shape& shape, double min_coverage, const std::source_location& where) {
  std::vector<std::int64_t> counts;
  for (std::size_t i = 0; i + 1 < weights.begins.size(); ++i)
    counts.push_back(weights.begins[i + 1] - weights.begins[i]);
  const arrays::Array table =
      arrays::from_ndarray(NDArray::of(counts, shape), arrays::ops::table_chunks(array, axes, shape), where);
  const arrays::expression::Grid& grid = table.node()->grid;
  SparseMeans means;
  means.min_coverage = min_coverage;
  arrays::ops::PlaceBoxes boxes(array.node()->grid, array.shape(), axes);
  SparseWeights in_order;
  std::vector<std::int64_t> sizes;
  for (std::int64_t piece = 0; piece < arrays::expression::chunk_count(grid); ++piece) {
    const Box box = arrays::expression::chunk_box(grid, piece);
    std::vector<std::int64_t> at(box.ndim(), 0);
    for (std::int64_t i = 0; i < box.elements(); ++i) {
      std::int64_t target = 0;
      for (std::size_t axis = 0; axis < at.size(); ++axis) target = target * shape[axis] + box.start[axis] + at[axis];
      const auto one = static_cast<std::size_t>(target);
      for (auto entry = static_cast<std::size_t>(weights.begins[one]);
           entry < static_cast<std::size_t>(weights.begins[one + 1]); ++entry) {
        boxes.add(weights.places[entry]);
        in_order.add(weights.places[entry], weights.weights[entry]);
      }
      for (std::size_t axis = at.size(); axis-- > 0 && ++at[axis] == box.extent[axis];) at[axis] = 0;
    }
    // Each chunk has one entry at least, which may count for none of its places.
    if (std::ssize(in_order.places) == means.entries.back()) in_order.add(0, 0);
    boxes.move_to(means.gather);
    sizes.push_back(std::ssize(in_order.places) - means.entries.back());
    means.entries.push_back(std::ssize(in_order.places));
  }
  const arrays::Array places = arrays::from_ndarray(NDArray::of(in_order.places), Chunks({AxisChunks(sizes)}), where);
  const arrays::Array shares = arrays::from_ndarray(NDArray::of(in_order.weights), Chunks({AxisChunks(sizes)}), where);
  const arrays::expression::NodePointer& source = array.node();
  arrays::expression::Grid out(source->grid.begin(), source->grid.end() - static_cast<std::ptrdiff_t>(axes));
  for (std::size_t axis = out.size(); axis < source->grid.size(); ++axis)
    means.gather.extents.push_back(source->shape[axis]);
  means.gather.table = grid;
  out.insert(out.end(), grid.begin(), grid.end());
  return arrays::Array(arrays::expression::make_structural(arrays::expression::make_structure(std::move(means)),
                                                           {source, table.node(), places.node(), shares.node()},
                                                           source->dtype, std::move(out), where));
}

}  // namespace weft::labelled
