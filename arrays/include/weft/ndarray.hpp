#pragma once

#include <weft/buffer.hpp>
#include <weft/chunk_view.hpp>
#include <weft/dtype.hpp>
#include <weft/shape.hpp>

#include <iosfwd>
#include <memory>
#include <span>
#include <vector>

namespace weft {

/// Values in the memory of this process, of a type known when the program runs: what computing an Array gives.
/// Owns: a share of the bytes; copies see the same elements.  Threading: as a pointer to the elements.
class NDArray {
 public:
  /// An array without dimensions that holds 0.0.
  NDArray();
  /// Makes an array with elements in C order, not initialised.
  NDArray(Dtype dtype, Shape shape);
  /// Makes an array of a shape from its elements in C order.
  template <class T>
  static NDArray of(const std::vector<T>& values, Shape shape) {
    NDArray array(dtype_of<T>(), std::move(shape));
    array.fill_from(values.data(), values.size());
    return array;
  }
  static NDArray of(const std::vector<bool>& values, Shape shape);
  template <class T>
  static NDArray of(const std::vector<T>& values) {
    return of(values, Shape(values.size()));
  }
  /// Sees memory of somebody else, without copying; `owner` keeps it alive. Strides are in bytes.
  static NDArray view(const void* data, Dtype dtype, Shape shape, std::vector<std::int64_t> strides,
                      std::shared_ptr<const void> owner);

  Dtype dtype() const { return dtype_; }
  const Shape& shape() const { return shape_; }
  /// In bytes, as NumPy has them.
  const std::vector<std::int64_t>& strides() const { return strides_; }
  std::size_t ndim() const { return shape_.size(); }
  std::int64_t size() const { return size_; }
  std::int64_t nbytes() const { return size_ * static_cast<std::int64_t>(dtype_.size()); }
  const std::byte* data() const { return data_; }
  /// Writable only where the elements are this array's own (made by a constructor or `of`).
  std::byte* mutable_data();
  const std::shared_ptr<const void>& owner() const { return owner_; }
  bool contiguous() const;
  /// Returns the same elements in C order, without gaps; itself where it already is so.
  NDArray as_contiguous() const;

  /// Returns the only element. Throws Error where there are others, or where T is another type than the dtype.
  template <class T>
  T item() const {
    require_type(dtype_of<T>(), "item");
    require_single();
    return *reinterpret_cast<const T*>(data_);
  }
  /// Returns one element by its indices; negative ones count from the end.
  template <class T, std::integral... I>
  T at(I... index) const {
    require_type(dtype_of<T>(), "at");
    return *reinterpret_cast<const T*>(element({static_cast<std::int64_t>(index)...}));
  }
  /// Returns the elements in C order. Throws Error where T is another type, or the elements do not lie side by side.
  template <class T>
  std::span<const T> span() const {
    require_type(dtype_of<T>(), "span");
    require_contiguous();
    return {reinterpret_cast<const T*>(data_), static_cast<std::size_t>(size_)};
  }
  template <class T>
  std::vector<T> to_vector() const {
    require_type(dtype_of<T>(), "to_vector");
    const NDArray packed = as_contiguous();
    const T* const first = reinterpret_cast<const T*>(packed.data_);
    return std::vector<T>(first, first + packed.size_);
  }

  /// Returns the elements as kernels see those of a chunk. Throws Error where T or the number of dimensions is another
  /// one.
  template <class T, std::size_t N>
  ChunkView<const T, N> chunk_view() const {
    require_type(dtype_of<T>(), "chunk_view");
    require_ndim(N);
    std::array<std::int64_t, N> extents, strides;
    for (std::size_t axis = 0; axis < N; ++axis) {
      extents[axis] = shape_[axis];
      strides[axis] = strides_[axis] / static_cast<std::int64_t>(sizeof(T));
    }
    return {reinterpret_cast<const T*>(data_), extents, strides};
  }

  /// As NumPy prints it; large arrays are shortened.
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const NDArray& array);

 private:
  void fill_from(const void* values, std::size_t count);
  void require_type(Dtype wanted, const char* call) const;
  void require_single() const;
  void require_contiguous() const;
  void require_ndim(std::size_t wanted) const;
  const std::byte* element(const std::vector<std::int64_t>& index) const;

  Dtype dtype_;
  Shape shape_;
  std::vector<std::int64_t> strides_;
  std::int64_t size_ = 0;
  const std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
  bool own_ = false;
};

/// Returns the strides in bytes of elements in C order without gaps.
std::vector<std::int64_t> c_strides(const Shape& shape, std::size_t element_bytes);

}  // namespace weft
