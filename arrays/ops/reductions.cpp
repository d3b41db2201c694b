#include <weft/ops/reductions.hpp>

#include "arrays/ops/apply.hpp"
#include "arrays/ops/times.hpp"

#include <weft/error.hpp>
#include <weft/ops/elementwise.hpp>

#include <algorithm>

namespace weft::arrays {

ops::NodePointer ops::drop_axes(const NodePointer& node, const std::vector<std::uint8_t>& reduced,
                                const std::source_location& where) {
  expression::Grid grid;
  expression::IndexMap map(reduced.size());
  for (std::size_t axis = 0; axis < reduced.size(); ++axis) {
    if (reduced[axis] != 0) continue;
    map[axis].out_axis = static_cast<std::int32_t>(grid.size());
    grid.push_back(node->grid[axis]);
  }
  return expression::make_view(node, std::move(map), std::move(grid), "squeeze", where);
}

namespace {

using expression::Finish;
using expression::ReduceCode;
using expression::ReduceSpec;

/// What a reduction does with types.
enum class TypeRule { Sum, Same, Truth, Count, Mean, Spread, Place };

struct Kind {
  const char* name;
  ReduceCode code;
  Finish finish;
  TypeRule types;
};

Dtype sum_type(Dtype type) {
  if (type.is_bool() || type.is_signed()) return int64;
  return type.is_unsigned() ? uint64 : type;
}

Dtype result_type(const Kind& kind, Dtype type, const ReduceOptions& options) {
  if (options.dtype) return *options.dtype;
  switch (kind.types) {
    case TypeRule::Sum:
      return sum_type(type);
    case TypeRule::Same:
      return type;
    case TypeRule::Truth:
      return bool_;
    case TypeRule::Count:
    case TypeRule::Place:
      return int64;
    case TypeRule::Mean:
      return type.is_floating() || type.is_complex() ? type : float64;
    case TypeRule::Spread:
      return type.is_floating() || type.is_complex() ? type.real() : float64;
  }
  return type;
}

bool has_identity(const Kind& kind) { return kind.types != TypeRule::Same && kind.types != TypeRule::Place; }

/// Lets the state count its elements, where their number is not known before.
void count_while_running(ReduceSpec& spec) {
  spec.count = -1;
  if (spec.finish == Finish::Mean) {
    spec.code = ReduceCode::Moments;
    spec.finish = Finish::CountedMean;
  }
  if (spec.finish == Finish::Var) spec.finish = Finish::CountedVar;
  if (spec.finish == Finish::Std) spec.finish = Finish::CountedStd;
}

Array reduce(const Kind& kind, const Array& array, const ReduceOptions& options, const std::source_location& where) {
  if (array.dtype().is_time()) return ops::reduce_times(kind.name, array, options, where);
  expression::NodePointer input = array.node();
  const auto ndim = static_cast<int>(input->grid.size());
  std::vector<int> axes;
  try {
    axes = options.axis.resolve(ndim);
  } catch (const Error& error) {
    throw Error(ops::at_line(kind.name, where) + error.what());
  }
  if (kind.types == TypeRule::Place && options.axis.given() && axes.size() != 1) {
    throw Error(ops::at_line(kind.name, where) + "takes one axis, or none for the whole array");
  }
  if (options.dtype && kind.types != TypeRule::Place && kind.types != TypeRule::Truth) {
    input = expression::make_cast(input, *options.dtype, where);
  }
  // Sums of large integers may not fit their type; NumPy adds them up as floating numbers.
  if (kind.finish == Finish::Mean && input->dtype.is_integer() && input->dtype.size() == 8) {
    input = expression::make_cast(input, float64, where);
  }
  ReduceSpec spec;
  spec.code = kind.code;
  spec.finish = kind.finish;
  spec.ddof = options.ddof;
  spec.reduced.assign(input->grid.size(), 0);
  spec.count = 1;
  bool counted = true;
  for (const int axis : axes) {
    spec.reduced[static_cast<std::size_t>(axis)] = 1;
    counted = counted && input->grid[static_cast<std::size_t>(axis)].known();
    spec.count *= static_cast<double>(input->shape[static_cast<std::size_t>(axis)]);
  }
  if (!counted) {
    if (kind.types == TypeRule::Place) ops::require_known(*input, kind.name, where);
    count_while_running(spec);
  }
  if (counted && spec.count == 0 && !has_identity(kind)) {
    throw Error(ops::at_line(kind.name, where) + "there is nothing to choose from along an axis of extent 0 (shape " +
                input->shape.text() + ")");
  }
  if (kind.types == TypeRule::Place) {
    spec.place_strides.assign(input->grid.size(), 0);
    std::int64_t stride = 1;
    for (std::size_t axis = input->grid.size(); axis-- > 0;) {
      if (spec.reduced[axis] == 0) continue;
      spec.place_strides[axis] = stride;
      stride *= input->shape[axis];
    }
  }
  const Dtype type = result_type(kind, input->dtype, options);
  expression::NodePointer node =
      expression::make_reduced(input, std::move(spec), type, options.name.empty() ? kind.name : options.name, where);
  if (!options.keepdims) {
    std::vector<std::uint8_t> reduced = node->reduce.reduced;
    node = ops::drop_axes(node, reduced, where);
  }
  return Array(std::move(node));
}

}  // namespace

#define WEFT_REDUCTION(name, code, finish, types)                                                     \
  Array name(const Array& array, const ReduceOptions& options, const std::source_location& where) {   \
    return reduce({#name, ReduceCode::code, Finish::finish, TypeRule::types}, array, options, where); \
  }
WEFT_REDUCTION(sum, Sum, Value, Sum)
WEFT_REDUCTION(prod, Prod, Value, Sum)
WEFT_REDUCTION(min, Min, Value, Same)
WEFT_REDUCTION(max, Max, Value, Same)
WEFT_REDUCTION(any, Any, Value, Truth)
WEFT_REDUCTION(all, All, Value, Truth)
WEFT_REDUCTION(count_nonzero, CountNonzero, Value, Count)
WEFT_REDUCTION(mean, Sum, Mean, Mean)
WEFT_REDUCTION(var, Moments, Var, Spread)
WEFT_REDUCTION(stddev, Moments, Std, Spread)
WEFT_REDUCTION(argmin, ArgMin, Place, Place)
WEFT_REDUCTION(argmax, ArgMax, Place, Place)
WEFT_REDUCTION(nansum, NanSum, Value, Sum)
WEFT_REDUCTION(nanprod, NanProd, Value, Sum)
WEFT_REDUCTION(nanmin, NanMin, Value, Same)
WEFT_REDUCTION(nanmax, NanMax, Value, Same)
WEFT_REDUCTION(nanmean, NanMoments, CountedMean, Mean)
WEFT_REDUCTION(nanvar, NanMoments, CountedVar, Spread)
WEFT_REDUCTION(nanstd, NanMoments, CountedStd, Spread)
WEFT_REDUCTION(nanargmin, NanArgMin, Place, Place)
WEFT_REDUCTION(nanargmax, NanArgMax, Place, Place)
#undef WEFT_REDUCTION

Array ptp(const Array& array, const ReduceOptions& options, const std::source_location& where) {
  return subtract({max(array, options, where), where}, {min(array, options, where), where});
}

}  // namespace weft::arrays
