#pragma once

#include <weft/ops/blocks.hpp>

namespace weft::arrays {

/// What is seen beyond the ends of an axis.
enum class Boundary {
  None,      ///< nothing: chunks at an end have no margin there
  Reflect,   ///< the elements from the end on, in reverse: c b a | a b c
  Periodic,  ///< the elements of the other end
  Nearest,   ///< the last element, again and again
  Constant,  ///< a value
};

/// How many elements of its neighbours a chunk sees before and after it along an axis.
struct Margin {
  std::int64_t before = 0;
  std::int64_t after = 0;
  Margin() = default;
  template <std::integral I>
  Margin(I both) : before(static_cast<std::int64_t>(both)), after(before) {}  // NOLINT
  template <std::integral I, std::integral J>
  Margin(I its_before, J its_after)
      : before(static_cast<std::int64_t>(its_before)), after(static_cast<std::int64_t>(its_after)) {}
};

/// One for every axis, or a list: one for each.
template <class T>
class ForEachAxis {
 public:
  ForEachAxis() = default;
  template <class U>
  requires std::is_convertible_v<U, T> ForEachAxis(U every) : list_{T(every)}, every_(true) {}  // NOLINT
  ForEachAxis(std::initializer_list<T> each) : list_(each) {}                                   // NOLINT
  ForEachAxis(std::vector<T> each) : list_(std::move(each)) {}                                  // NOLINT
  /// Returns one for each of `ndim` axes; an empty list where another number was given.
  std::vector<T> on(std::size_t ndim) const {
    if (every_) return std::vector<T>(ndim, list_[0]);
    return list_.size() == ndim ? list_ : std::vector<T>();
  }

 private:
  std::vector<T> list_;
  bool every_ = false;
};

/// Options of map_overlap and overlap.
struct OverlapOptions {
  /// One number for every axis, or for each axis one, or two: `{1, 1}`, `{{2, 0}, {1, 1}}`.
  ForEachAxis<Margin> depth = 0;
  ForEachAxis<Boundary> boundary = Boundary::None;
  /// Of Boundary::Constant.
  ForEachAxis<Scalar> value = Scalar(0);
  /// map_overlap: the kernel writes the chunk without its margins; else with them.
  bool trim = true;
  /// map_overlap: each element follows from those within the depth alone, so that the kernel may be called for a few
  /// rows at a time, which stay in the cache. `info` then tells those rows.
  bool local = false;
  /// Of a kernel that returns NDArrays.
  std::optional<Dtype> dtype = {};
};

/// Returns the array with the margins around each chunk: its chunks are larger, elements at their borders are there
/// several times.
Array overlap(const Array& array, const OverlapOptions& options,
              const std::source_location& where = std::source_location::current());
/// Leaves the margins of `overlap` out again; `options` must be the same.
Array trim_overlap(const Array& array, const OverlapOptions& options,
                   const std::source_location& where = std::source_location::current());
/// Leaves out the first and last elements of each chunk.
Array trim_internal(const Array& array, const ForEachAxis<Margin>& depth,
                    const std::source_location& where = std::source_location::current());
/// Returns the windows of `extents` along the axes, as last axes: element [..., i, ..., k] is element i + k.
Array sliding_window_view(const Array& array, const std::vector<std::int64_t>& extents, const Axes& axis = {},
                          const std::source_location& where = std::source_location::current());

namespace detail {
Array map_overlap(const std::vector<Array>& inputs, UserFunction function, const OverlapOptions& options,
                  const std::source_location& where);
}  // namespace detail

/// Applies a kernel to each chunk with margins around it:
///
///     map_overlap(x, [](ChunkView<const float, 2> wide, ChunkView<float, 2> out, const BlockInfo& info) {
///       const auto in = wide.inner(info);   // in(-1, 0) is in the margin
///       for (std::int64_t i = 0; i < out.extent(0); ++i)
///         for (std::int64_t j = 0; j < out.extent(1); ++j) out(i, j) = in(i - 1, j) + in(i + 1, j);
///     }, {.depth = {1, 0}, .boundary = Boundary::Periodic});
///
/// Only the borders of neighbours move, where chunks are much larger than their borders: a chunk is two tasks, one that
/// cuts its borders out for its neighbours and one that runs the kernel. Arrays given together have the same shape.
template <class F>
Array map_overlap(const Array& array, F kernel, const OverlapOptions& options,
                  const std::source_location& where = std::source_location::current()) {
  return detail::map_overlap({array}, detail::chunk_function(std::move(kernel), where), options, where);
}
template <class F>
Array map_overlap(const std::vector<Array>& arrays, F kernel, const OverlapOptions& options,
                  const std::source_location& where = std::source_location::current()) {
  return detail::map_overlap(arrays, detail::chunk_function(std::move(kernel), where), options, where);
}

}  // namespace weft::arrays

namespace weft {
using arrays::Boundary;
using arrays::map_overlap;
using arrays::OverlapOptions;
}  // namespace weft
