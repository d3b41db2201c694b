#pragma once

#include <weft/ops/creation.hpp>
#include <weft/ops/kernel.hpp>

#include <array>

namespace weft::arrays {

// Kernels of a program on chunks. A kernel takes a view of each input and one of its output, which it writes, and may
// ask which chunk that is:
//
//     map_blocks(x, [](ChunkView<const float, 2> in, ChunkView<double, 2> out, const BlockInfo& info) { ... });
//
// Types and ranks follow from its signature and are checked when the expression is built. A kernel for any type and
// rank takes NDArrays and returns one: `[](NDArray in) -> NDArray`; its result must have the type and shape that was
// declared.

/// Options of map_blocks.
struct MapBlocksOptions {
  /// Of a kernel that returns NDArrays: the type of the result; the first input's where it is not given.
  std::optional<Dtype> dtype = {};
  /// The result's shape, where it differs from the inputs': chunks grow or shrink in proportion.
  std::optional<Shape> shape = {};
  /// The result's chunks: as many along each axis as there are blocks; one number: that of each block.
  Chunks chunks = {};
  /// Axes of the inputs that the result lacks: a kernel is given them whole.
  std::vector<int> drop_axis = {};
  /// Axes of the result that the inputs lack, counted in the result; of extent 1 where neither shape nor chunks say
  /// more.
  std::vector<int> new_axis = {};
};

/// An array with a letter for each of its axes, for blockwise.
struct Lettered {
  Array array;
  std::string letters;
};
struct BlockwiseOptions {
  /// Of a kernel that returns NDArrays.
  std::optional<Dtype> dtype = {};
  /// Extents of letters that no input has.
  std::vector<std::pair<char, std::int64_t>> new_axes = {};
};
struct GufuncOptions {
  /// Where there is one core dimension, (i): the axis of the inputs that it is, in place of their last one; what of the
  /// outputs has a core dimension has it there too.
  std::optional<int> axis = {};
  /// Outputs that lack the one core dimension have an axis of extent 1 in its place.
  bool keepdims = false;
  /// Of a kernel that returns NDArrays.
  std::optional<Dtype> dtype = {};
  /// Of a kernel that returns several NDArrays: the type of each.
  std::vector<Dtype> output_dtypes = {};
  /// Extents of core dimensions that only the outputs have, by their name.
  std::vector<std::pair<std::string, std::int64_t>> output_sizes = {};
};
/// Options of apply_along_axis.
struct AlongAxisOptions {
  /// How many elements a kernel writes that takes the line's place by another one; as many as it reads if not given.
  std::optional<std::int64_t> length = {};
};
/// Options of coarsen.
struct CoarsenOptions {
  /// Leaves out what is left over at the end of an axis, which is an error otherwise.
  bool trim_excess = false;
};

namespace detail {
using Where = std::source_location;
Array map_blocks(const std::vector<Array>& inputs, UserFunction function, const MapBlocksOptions& options,
                 const Where& where);
Array blockwise(UserFunction function, const std::string& out, const std::vector<Lettered>& inputs,
                const BlockwiseOptions& options, const Where& where);
/// As many arrays as the kernel has outputs.
std::vector<Array> apply_gufunc(UserFunction function, const std::string& signature, const std::vector<Array>& inputs,
                                const GufuncOptions& options, const Where& where);
Array apply_along_axis(UserFunction function, int axis, const Array& array, const AlongAxisOptions& options,
                       const Where& where);
Array from_function(const Shape& shape, UserFunction function, const CreateOptions& options, const Where& where);
Array elementwise(UserFunction function, const std::vector<Operand>& operands);
Array reduction(const Array& array, UserFunction chunk, UserFunction combine, UserFunction aggregate,
                const ReduceOptions& options, const Where& where);
}  // namespace detail

/// Applies a kernel to each chunk. Several inputs broadcast; their chunks meet, whatever they were.
template <class F>
Array map_blocks(const Array& array, F kernel, const MapBlocksOptions& options = {},
                 const std::source_location& where = std::source_location::current()) {
  return detail::map_blocks({array}, detail::chunk_function(std::move(kernel), where), options, where);
}
template <class F>
Array map_blocks(const std::vector<Array>& arrays, F kernel, const MapBlocksOptions& options = {},
                 const std::source_location& where = std::source_location::current()) {
  return detail::map_blocks(arrays, detail::chunk_function(std::move(kernel), where), options, where);
}

/// Applies a kernel to blocks that letters put together: `blockwise(f, "ik", {{x, "ij"}, {y, "jk"}})`. Axes whose
/// letter the result lacks are given whole.
template <class F>
Array blockwise(F kernel, const std::string& out, const std::vector<Lettered>& inputs,
                const BlockwiseOptions& options = {},
                const std::source_location& where = std::source_location::current()) {
  return detail::blockwise(detail::chunk_function(std::move(kernel), where), out, inputs, options, where);
}

/// Applies a kernel to the core dimensions of the inputs, for each place along their other axes, which broadcast:
/// `apply_gufunc(f, "(i),(i)->()", {x, y})`. Core dimensions are the last axes; the views have them only. A kernel that
/// writes several views makes several arrays, in one pass:
///
///     auto [least, most] = apply_gufunc(
///         [](ChunkView<const double, 1> line, ChunkView<double, 0> least, ChunkView<double, 0> most) { ... },
///         "(i)->(),()", {x});
template <class F>
auto apply_gufunc(F kernel, const std::string& signature, const std::vector<Array>& inputs,
                  const GufuncOptions& options = {},
                  const std::source_location& where = std::source_location::current()) {
  auto function = detail::chunk_function<true>(std::move(kernel), where);
  constexpr std::size_t kOutputs = detail::ChunkKernel<F, true>::kOutputs;
  std::vector<Array> made = detail::apply_gufunc(std::move(function), signature, inputs, options, where);
  if constexpr (kOutputs == 1) {
    return std::move(made.front());
  } else {
    std::array<Array, kOutputs> several;
    std::move(made.begin(), made.end(), several.begin());
    return several;
  }
}

/// A kernel with its signature, to be called with arrays: `auto norm = as_gufunc("(i)->()", f); norm(x)`.
/// Owns: the kernel.  Threading: constant.
template <class F>
class Gufunc {
 public:
  Gufunc(std::string signature, F kernel, GufuncOptions options, const std::source_location& where)
      : signature_(std::move(signature)), kernel_(std::move(kernel)), options_(std::move(options)), where_(where) {}
  template <class... A>
  requires(std::is_same_v<A, Array>&&...) auto operator()(const Array& first, const A&... more) const {
    return apply_gufunc(kernel_, signature_, {first, more...}, options_, where_);
  }
  const std::string& signature() const { return signature_; }

 private:
  std::string signature_;
  F kernel_;
  GufuncOptions options_;
  std::source_location where_;
};
template <class F>
Gufunc<F> as_gufunc(const std::string& signature, F kernel, const GufuncOptions& options = {},
                    const std::source_location& where = std::source_location::current()) {
  return Gufunc<F>(signature, std::move(kernel), options, where);
}

/// Applies a kernel to each line along an axis. `[](ChunkView<const T, 1> line, ChunkView<R, 0> out) { out() = ...; }`
/// makes a number of it, and the axis vanishes; a kernel that writes a ChunkView<R, 1> puts another line in its place.
template <class F>
Array apply_along_axis(F kernel, int axis, const Array& array, const AlongAxisOptions& options = {},
                       const std::source_location& where = std::source_location::current()) {
  return detail::apply_along_axis(detail::chunk_function(std::move(kernel), where), axis, array, options, where);
}

/// Makes an array whose chunks a kernel writes: `from_function({n, m}, [](ChunkView<float, 2> out, BlockInfo) { ...
/// })`.
template <class F>
Array from_function(const Shape& shape, F kernel, const CreateOptions& options = {},
                    const std::source_location& where = std::source_location::current()) {
  return detail::from_function(shape, detail::chunk_function(std::move(kernel), where), options, where);
}

/// Applies a function of numbers to one to three arrays or scalars, element by element, within the pass of what is
/// around it: `elementwise([](float a, float b) { return a * b + 1; }, x, y)`. Operands are converted to its
/// parameters' types.
template <class F, class... O>
Array elementwise(F function, const Operand& first, const O&... more) {
  static_assert(sizeof...(O) < 3, "weft: elementwise takes three arrays at most: apply it twice");
  return detail::elementwise(detail::element_function<1 + sizeof...(O)>(std::move(function), first.where()),
                             {first, Operand(more, first.where())...});
}

/// Reduces with three kernels: `chunk` of a chunk to extent 1 along the axes, `combine` of partial results side by side
/// to extent 1, in a tree, and `aggregate` as combine, to the result. All views have the array's rank.
template <class Chunk, class Combine, class Aggregate>
Array reduction(const Array& array, Chunk chunk, Combine combine, Aggregate aggregate,
                const ReduceOptions& options = {},
                const std::source_location& where = std::source_location::current()) {
  return detail::reduction(array, detail::chunk_function(std::move(chunk), where),
                           detail::chunk_function(std::move(combine), where),
                           detail::chunk_function(std::move(aggregate), where), options, where);
}

/// Reduces blocks of neighbours: `coarsen(arrays::mean, x, {{0, 2}, {1, 3}})` gives the mean of each 2 x 3 elements.
Array coarsen(Array (*reduction)(const Array&, const ReduceOptions&, const std::source_location&), const Array& array,
              const std::vector<std::pair<int, std::int64_t>>& factors, const CoarsenOptions& options = {},
              const std::source_location& where = std::source_location::current());

/// Reduces one axis after the other, which stay with extent 1: `apply_over_axes(arrays::sum, x, {0, 2})`.
Array apply_over_axes(Array (*reduction)(const Array&, const ReduceOptions&, const std::source_location&),
                      const Array& array, const Axes& axes,
                      const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::apply_along_axis;
using arrays::apply_gufunc;
using arrays::as_gufunc;
using arrays::blockwise;
using arrays::elementwise;
using arrays::from_function;
using arrays::map_blocks;
}  // namespace weft
