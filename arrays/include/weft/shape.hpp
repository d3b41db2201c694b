#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// The extents of an array, from any integers. An extent of -1 is not known before something has run.
class Shape {
 public:
  using value_type = std::int64_t;

  Shape() = default;
  template <std::integral... I>
  Shape(I... extents) : extents_{static_cast<std::int64_t>(extents)...} {}    // NOLINT: {3, n} is a shape
  Shape(std::vector<std::int64_t> extents) : extents_(std::move(extents)) {}  // NOLINT

  std::size_t size() const { return extents_.size(); }
  bool empty() const { return extents_.empty(); }
  std::int64_t operator[](std::size_t axis) const { return extents_[axis]; }
  std::int64_t& operator[](std::size_t axis) { return extents_[axis]; }
  auto begin() const { return extents_.begin(); }
  auto end() const { return extents_.end(); }
  std::int64_t back() const { return extents_.back(); }
  void push_back(std::int64_t extent) { extents_.push_back(extent); }
  const std::vector<std::int64_t>& vector() const { return extents_; }
  /// Returns the product of the extents. Throws Error where it needs more than 63 bits.
  std::int64_t elements() const;
  /// "(3, 4)", as NumPy prints it.
  std::string text() const;

  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::vector<std::int64_t> extents_;
};

/// One axis, several, or (empty) all of them.
class Axes {
 public:
  Axes() = default;
  template <std::integral I>
  Axes(I axis) : list_{static_cast<int>(axis)}, given_(true) {}          // NOLINT
  Axes(std::initializer_list<int> axes) : list_(axes), given_(true) {}   // NOLINT
  Axes(std::vector<int> axes) : list_(std::move(axes)), given_(true) {}  // NOLINT
  bool given() const { return given_; }
  const std::vector<int>& list() const { return list_; }
  /// Returns the axes of an array of `ndim` axes, counted from 0 and sorted; all where none was given. Throws Error for
  /// one that is out of range or named twice.
  std::vector<int> resolve(int ndim) const;

 private:
  std::vector<int> list_;
  bool given_ = false;
};

/// How an axis is cut: pieces of one size, pieces of given sizes, whole (-1), or chosen by weft.
class AxisChunks {
 public:
  AxisChunks() = default;
  template <std::integral I>
  AxisChunks(I size) : size_(static_cast<std::int64_t>(size)), automatic_(false) {}                          // NOLINT
  AxisChunks(std::initializer_list<std::int64_t> sizes) : sizes_(sizes), list_(true), automatic_(false) {}   // NOLINT
  AxisChunks(std::vector<std::int64_t> sizes) : sizes_(std::move(sizes)), list_(true), automatic_(false) {}  // NOLINT
  AxisChunks(const char* word);  // NOLINT: "auto"

  static constexpr std::int64_t kWhole = -1;
  bool automatic() const { return automatic_; }
  bool is_list() const { return list_; }
  std::int64_t size() const { return size_; }
  const std::vector<std::int64_t>& sizes() const { return sizes_; }

 private:
  std::int64_t size_ = 0;
  std::vector<std::int64_t> sizes_;
  bool list_ = false;
  bool automatic_ = true;
};

/// How an array is cut into chunks: `{1000, 1000}`, `1000` for every axis, `{{3, 4}, {5}}`, `"auto"`, `{-1, "auto"}`.
class Chunks {
 public:
  Chunks() = default;
  template <std::integral I>
  Chunks(I size) : each_(AxisChunks(size)), given_(true) {}                       // NOLINT
  Chunks(const char* word) : each_(AxisChunks(word)), given_(true) {}             // NOLINT
  Chunks(std::initializer_list<AxisChunks> axes) : axes_(axes), given_(true) {}   // NOLINT
  Chunks(std::vector<AxisChunks> axes) : axes_(std::move(axes)), given_(true) {}  // NOLINT
  bool given() const { return given_; }
  const std::optional<AxisChunks>& each() const { return each_; }
  const std::vector<AxisChunks>& axes() const { return axes_; }

 private:
  std::optional<AxisChunks> each_;
  std::vector<AxisChunks> axes_;
  bool given_ = false;
};

}  // namespace weft
