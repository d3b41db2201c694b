#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <vector>

namespace weft {

/// Elements of a chunk in memory, of a type and rank that the compiler knows: what kernels of a program are given.
///
///     map_blocks(x, [](ChunkView<const float, 2> in, ChunkView<float, 2> out) {
///       for (std::int64_t i = 0; i < in.extent(0); ++i)
///         for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, j) = 2 * in(i, j);
///     });
///
/// Owns: nothing.  Threading: as a pointer to the elements.
template <class T, std::size_t N>
class ChunkView {
 public:
  using element_type = T;
  using value_type = std::remove_const_t<T>;
  static constexpr std::size_t kRank = N;

  constexpr ChunkView() = default;
  /// Strides are in elements.
  constexpr ChunkView(T* data, const std::array<std::int64_t, N>& extents, const std::array<std::int64_t, N>& strides)
      : data_(data), extents_(extents), strides_(strides) {}

  constexpr T* data() const { return data_; }
  constexpr std::int64_t extent(std::size_t axis) const { return extents_[axis]; }
  constexpr std::int64_t stride(std::size_t axis) const { return strides_[axis]; }
  constexpr const std::array<std::int64_t, N>& extents() const { return extents_; }
  constexpr const std::array<std::int64_t, N>& strides() const { return strides_; }
  constexpr std::int64_t size() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : extents_) count *= extent;
    return count;
  }
  /// Tells whether the elements lie side by side in C order.
  constexpr bool contiguous() const {
    std::int64_t stride = 1;
    for (std::size_t axis = N; axis-- > 0;) {
      if (extents_[axis] != 1 && strides_[axis] != stride) return false;
      stride *= extents_[axis];
    }
    return true;
  }
  /// Returns the elements without the margins that map_overlap gave: indices below zero and behind the extents lead
  /// into the margins.
  template <class Info>
  constexpr ChunkView inner(const Info& info) const {
    ChunkView part = *this;
    for (std::size_t axis = 0; axis < N; ++axis) {
      part.data_ += info.before[axis] * strides_[axis];
      part.extents_[axis] -= info.before[axis] + info.after[axis];
    }
    return part;
  }
  template <class... I>
  constexpr T& operator()(I... index) const {
    static_assert(sizeof...(I) == N, "weft: a ChunkView takes as many indices as it has dimensions");
    const std::array<std::int64_t, N> places{static_cast<std::int64_t>(index)...};
    std::int64_t offset = 0;
    for (std::size_t axis = 0; axis < N; ++axis) offset += places[axis] * strides_[axis];
    return data_[offset];
  }

 private:
  T* data_ = nullptr;
  std::array<std::int64_t, N> extents_{};
  std::array<std::int64_t, N> strides_{};
};

/// Which chunk of the result a kernel makes.
/// Threading: a value.
struct BlockInfo {
  /// Its number along each axis, and how many there are.
  std::vector<std::int64_t> location;
  std::vector<std::int64_t> count;
  /// Where it begins in the result, and its extents.
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> shape;
  /// Elements around the chunk that the inputs have along each axis: zero but in map_overlap.
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};

/// A part of an array: where it begins and its extents.
struct Region {
  std::vector<std::int64_t> start;
  std::vector<std::int64_t> extent;
};

}  // namespace weft
