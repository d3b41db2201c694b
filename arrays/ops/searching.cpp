// Where values stand among sorted ones.
#include "arrays/ops/lanes.hpp"
#include "arrays/ops/telling.hpp"

#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/sorting.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>

namespace weft::arrays {
namespace {

using ops::at_line;
using ops::AxisGrid;
using ops::Block;
using ops::Box;
using ops::ChunkWork;
using ops::Need;
using ops::structural;

std::vector<std::uint64_t> keys_of(const Block& block) {
  std::vector<std::int64_t> order;
  std::int64_t count = 1;
  for (std::size_t axis = 0; axis < block.shape.size(); ++axis) {
    order.push_back(static_cast<std::int64_t>(axis));
    count *= block.shape[axis];
  }
  std::vector<std::byte> values(static_cast<std::size_t>(count) * block.dtype.size());
  if (count > 0) ops::copy_in_order(block, order, values.data());
  std::vector<std::uint64_t> keys(static_cast<std::size_t>(count));
  kernels::write_keys(block.dtype, values.data(), keys.size(), keys.data());
  kernels::merge_zeros(block.dtype, keys.data(), keys.size());
  return keys;
}

/// The place of each element is the sum of its places in the pieces of the sorted vector. `member`: whether it is
/// there.
struct Search {
  static constexpr const char* kName = "searchsorted";
  static constexpr bool kAssembles = false;
  AxisGrid sorted;
  bool right;
  bool member;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, {}});
    for (std::int64_t piece = 0; piece < sorted.count(); ++piece) {
      needs.push_back(ops::vector_need(1, sorted.start(piece), sorted.size(piece)));
    }
  }
  void run(const ChunkWork& work) const {
    const std::vector<std::uint64_t> wanted = keys_of(work.inputs[0]);
    auto* const places = reinterpret_cast<std::int64_t*>(work.output.data);
    auto* const found = reinterpret_cast<bool*>(work.output.data);
    if (member) {
      std::fill(found, found + wanted.size(), false);
    } else {
      std::fill(places, places + wanted.size(), 0);
    }
    for (std::size_t piece = 1; piece < work.inputs.size(); ++piece) {
      const std::vector<std::uint64_t> keys = keys_of(work.inputs[piece]);
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        if (member) {
          // NaN equals nothing.
          const bool number = !work.inputs[0].dtype.is_floating() || wanted[i] != kernels::kLastKey;
          found[i] = found[i] || (number && std::binary_search(keys.begin(), keys.end(), wanted[i]));
        } else {
          const auto at = right ? std::upper_bound(keys.begin(), keys.end(), wanted[i])
                                : std::lower_bound(keys.begin(), keys.end(), wanted[i]);
          places[i] += at - keys.begin();
        }
      }
    }
  }
};

Array search(const char* operation, const Array& values, const Array& sorted, bool right, bool member,
             const std::source_location& where) {
  const Dtype dtype = ops::told("searchsorted", where, [&] { return promote(values.dtype(), sorted.dtype()); });
  if (dtype.is_complex()) throw Error(at_line(operation, where) + "complex numbers have no order");
  return structural(Search{sorted.node()->grid[0], right, member},
                    {values.astype(dtype, where), sorted.astype(dtype, where)}, member ? bool_ : int64,
                    values.node()->grid, where);
}

}  // namespace

Array searchsorted(const Array& sorted, const Array& values, Side side, const std::source_location& where) {
  if (sorted.ndim() != 1) {
    throw Error(at_line("searchsorted", where) + "the sorted array has " + std::to_string(sorted.ndim()) +
                " dimensions; it must have one");
  }
  return search("searchsorted", values, sorted, side == Side::Right, false, where);
}

Array digitize(const Array& array, const std::vector<double>& bins, bool right, const std::source_location& where) {
  const bool up = std::is_sorted(bins.begin(), bins.end());
  if (!up && !std::is_sorted(bins.rbegin(), bins.rend())) {
    throw Error(at_line("digitize", where) + "the bins neither ascend nor descend");
  }
  std::vector<double> ascending = bins;
  if (!up) std::reverse(ascending.begin(), ascending.end());
  const Array sorted = from_ndarray(NDArray::of(ascending), -1, where);
  const Array places = search("digitize", array, sorted, !right, false, where);
  if (up) return places;
  return Operand(static_cast<std::int64_t>(bins.size()), where) - Operand(places, where);
}

Array isin(const Array& array, const Array& wanted, bool invert, const std::source_location& where) {
  Array flat = wanted.ndim() == 1 ? wanted : ravel(wanted, where);
  const Dtype dtype = ops::told("isin", where, [&] { return promote(array.dtype(), flat.dtype()); });
  if (dtype.is_complex()) throw Error(at_line("isin", where) + "complex numbers have no order");
  flat = sort(rechunk(flat.astype(dtype, where), -1, where), 0, where);
  const Array found = search("isin", array, flat, false, true, where);
  return invert ? logical_not(Operand(found, where)) : found;
}

}  // namespace weft::arrays
