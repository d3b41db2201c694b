// Running sums and products along an axis.
#include <weft/ops/cumulative.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/kernels/scan.hpp"
#include "arrays/ops/apply.hpp"
#include "arrays/ops/axes.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/structure.hpp>
#include <weft/times.hpp>

#include <algorithm>
#include <limits>

namespace weft::arrays {
namespace {

using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;
using expression::NodePointer;
using kernels::Scan;
using kernels::ScanBlock;
using ops::at_line;
using Where = std::source_location;

ScanBlock scan_shape(const std::vector<std::int64_t>& shape, std::size_t axis) {
  ScanBlock block;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    (i < axis ? block.outer : (i == axis ? block.n : block.inner)) *= shape[i];
  }
  return block;
}

/// The elements of a block side by side in C order; copied where they do not lie so.
class Packed {
 public:
  explicit Packed(const Block& block) : data_(block.data) {
    const auto packed = c_strides(Shape(block.shape), block.dtype.size());
    bool ordered = true;
    for (std::size_t axis = 0; axis < packed.size(); ++axis) {
      ordered = ordered && (block.shape[axis] == 1 || packed[axis] == block.strides[axis]);
    }
    if (ordered || block.data == nullptr) return;
    copy_.resize(static_cast<std::size_t>(Shape(block.shape).elements()) * block.dtype.size());
    kernels::copy_box(copy_.data(), packed.data(), block.data, block.strides.data(), block.shape.data(), packed.size(),
                      block.dtype.size());
    data_ = copy_.data();
  }
  const std::byte* data() const { return data_; }

 private:
  const std::byte* data_;
  std::vector<std::byte> copy_;
};

/// The total of each chunk along the axis.
struct ChunkTotals {
  static constexpr const char* kName = "cumulative_totals";
  static constexpr bool kAssembles = false;
  Scan scan;
  std::uint64_t axis;
  AxisGrid pieces;
  void needs(const Box& out, std::vector<Need>& needs) const {
    Need need{0, out, {}};
    need.box.start[axis] = pieces.start(out.start[axis]);
    need.box.extent[axis] = pieces.size(out.start[axis]);
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    kernels::scan_total(scan, from.dtype, scan_shape(from.shape, axis), Packed(from).data(), work.output.data);
  }
};

/// What comes before each chunk.
struct TotalsBefore {
  static constexpr const char* kName = "cumulative_before";
  static constexpr bool kAssembles = false;
  Scan scan;
  std::uint64_t axis;
  void needs(const Box& out, std::vector<Need>& needs) const { needs.push_back({0, out, {}}); }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    kernels::scan_before(scan, from.dtype, scan_shape(from.shape, axis), Packed(from).data(), work.output.data);
  }
};

struct Cumulate {
  static constexpr const char* kName = "cumulative";
  static constexpr bool kAssembles = false;
  Scan scan;
  std::uint64_t axis;
  AxisGrid pieces;
  void needs(const Box& out, std::vector<Need>& needs) const {
    needs.push_back({0, out, {}});
    if (pieces.count() == 1) return;
    Need before{1, out, {}};
    before.box.start[axis] = pieces.find(out.start[axis]);
    before.box.extent[axis] = 1;
    needs.push_back(std::move(before));
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr) return;
    const Packed elements(from);
    const ScanBlock block = scan_shape(from.shape, axis);
    if (pieces.count() == 1) {
      kernels::scan_block(scan, from.dtype, block, elements.data(), nullptr, work.output.data);
    } else {
      kernels::scan_block(scan, from.dtype, block, elements.data(), Packed(work.inputs[1]).data(), work.output.data);
    }
  }
};

Dtype cumulative_type(Scan scan, Dtype type) {
  if (scan != Scan::Sum && scan != Scan::Product) return type;
  if (type.is_bool() || type.is_signed()) return int64;
  return type.is_unsigned() ? uint64 : type;
}

Array cumulative(const char* call, Scan scan, const Array& array, const ReduceOptions& options, const Where& where);

/// Of times: of their counts, NaT from the first NaT on.
Array cumulative_times(const char* call, Scan scan, const Array& array, const ReduceOptions& options,
                       const Where& where) {
  const bool span = array.dtype().code() == TypeCode::Timedelta64;
  if (scan == Scan::Product || (scan == Scan::Sum && !span)) {
    throw Error(at_line(call, where) + "is not defined for " + array.dtype().name());
  }
  const Array none = isnat(array, where), counts = array.view(int64, where);
  const Array known = scan == Scan::Sum ? arrays::where(none, Scalar(0), counts) : counts;
  const Array ended = cumulative(call, Scan::Max, none.astype(int8, where), {.axis = options.axis}, where) > 0;
  return arrays::where(ended, std::numeric_limits<std::int64_t>::min(),
                       cumulative(call, scan, known, {.axis = options.axis}, where))
      .view(array.dtype(), where);
}

Array cumulative(const char* call, Scan scan, const Array& array, const ReduceOptions& options, const Where& where) {
  ops::require_known(*array.node(), call, where);
  if (array.dtype().is_time()) return cumulative_times(call, scan, array, options, where);
  Array whole = array;
  std::size_t axis = 0;
  if (options.axis.given()) {
    try {
      const std::vector<int> axes = options.axis.resolve(static_cast<int>(array.ndim()));
      if (axes.size() != 1) throw Error("takes one axis, or none for the array as one line");
      axis = static_cast<std::size_t>(axes[0]);
    } catch (const Error& error) {
      throw Error(at_line(call, where) + error.what());
    }
  } else if (array.ndim() != 1) {
    whole = ravel(array, where);
  }
  const Dtype dtype = options.dtype.value_or(cumulative_type(scan, array.dtype()));
  if (dtype.is_bool() && (scan == Scan::Sum || scan == Scan::Product))
    throw Error(at_line(call, where) + "is not defined for bool: give another dtype");
  const NodePointer node = whole.astype(dtype, where).node();
  const AxisGrid pieces = node->grid[axis];
  std::vector<NodePointer> inputs{node};
  if (pieces.count() > 1) {
    Grid grid = node->grid;
    grid[axis] = AxisGrid::regular(pieces.count(), 1);
    const NodePointer totals = expression::make_structural(expression::make_structure(ChunkTotals{scan, axis, pieces}),
                                                           {node}, kernels::scan_type(dtype), grid, where);
    grid[axis] = AxisGrid::whole(pieces.count());
    inputs.push_back(expression::make_structural(expression::make_structure(TotalsBefore{scan, axis}), {totals},
                                                 totals->dtype, grid, where));
  }
  return Array(expression::make_structural(expression::make_structure(Cumulate{scan, axis, pieces}), std::move(inputs),
                                           dtype, node->grid, where));
}

Array without_nan(const Array& array, int instead) {
  const Dtype type = array.dtype();
  if (!type.is_floating() && !type.is_complex()) return array;
  return arrays::where(isnan(array), Scalar(Scalar(instead), type), array);
}

}  // namespace

Array cumsum(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("cumsum", Scan::Sum, array, options, where);
}
Array cumprod(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("cumprod", Scan::Product, array, options, where);
}
Array nancumsum(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("nancumsum", Scan::Sum, without_nan(array, 0), options, where);
}
Array nancumprod(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("nancumprod", Scan::Product, without_nan(array, 1), options, where);
}
Array cummax(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("cummax", Scan::Max, array, options, where);
}
Array cummin(const Array& array, const ReduceOptions& options, const Where& where) {
  return cumulative("cummin", Scan::Min, array, options, where);
}

Array push(const Array& array, std::int64_t limit, int axis, const Where& where) {
  const Dtype type = array.dtype();
  if (!type.is_floating() && !type.is_complex()) return array;
  const Array filled = cumulative("push", Scan::Last, array, {.axis = axis}, where);
  if (limit < 0) return filled;
  // How far back the number was taken from.
  const auto along = ops::resolve_axis("push", axis, array.ndim(), where);
  Shape line = Shape(std::vector<std::int64_t>(array.ndim(), 1));
  line[along] = array.shape()[along];
  const Array place = broadcast_to(reshape(arange(line[along]), line, where), array.shape(), where);
  const Array known = arrays::where(isnan(array), std::int64_t{-1}, place);
  const Array last = cummax(known, {.axis = axis}, where);
  return arrays::where(place - last <= limit, filled, array);
}

}  // namespace weft::arrays
