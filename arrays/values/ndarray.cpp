#include <weft/ndarray.hpp>

#include "arrays/kernels/copy.hpp"

#include <weft/error.hpp>

#include <cstring>

namespace weft {

std::vector<std::int64_t> c_strides(const Shape& shape, std::size_t element_bytes) {
  std::vector<std::int64_t> strides(shape.size());
  auto stride = static_cast<std::int64_t>(element_bytes);
  for (std::size_t axis = shape.size(); axis-- > 0;) {
    strides[axis] = stride;
    stride *= shape[axis];
  }
  return strides;
}

NDArray::NDArray() : NDArray(float64, Shape()) { std::memset(mutable_data(), 0, sizeof(double)); }

NDArray::NDArray(Dtype dtype, Shape shape)
    : dtype_(dtype), shape_(std::move(shape)), strides_(c_strides(shape_, dtype.size())), size_(shape_.elements()) {
  auto buffer = std::make_shared<Buffer>(
      Buffer::allocate(std::max<std::size_t>(1, static_cast<std::size_t>(size_) * dtype.size())));
  data_ = buffer->data();
  owner_ = std::move(buffer);
  own_ = true;
}

NDArray NDArray::of(const std::vector<bool>& values, Shape shape) {
  std::vector<std::uint8_t> bytes(values.begin(), values.end());
  NDArray array(bool_, std::move(shape));
  array.fill_from(bytes.data(), bytes.size());
  return array;
}

NDArray NDArray::view(const void* data, Dtype dtype, Shape shape, std::vector<std::int64_t> strides,
                      std::shared_ptr<const void> owner) {
  if (strides.size() != shape.size()) {
    throw Error("NDArray::view: " + std::to_string(strides.size()) + " strides were given for the shape " +
                shape.text());
  }
  NDArray array(dtype, Shape(0));
  array.size_ = shape.elements();
  array.shape_ = std::move(shape);
  array.strides_ = std::move(strides);
  array.data_ = static_cast<const std::byte*>(data);
  array.owner_ = std::move(owner);
  array.own_ = false;
  return array;
}

std::byte* NDArray::mutable_data() {
  if (!own_) throw Error("the elements of this array belong to somebody else and cannot be written: copy it first");
  return const_cast<std::byte*>(data_);
}

bool NDArray::contiguous() const {
  if (size_ == 0) return true;
  auto stride = static_cast<std::int64_t>(dtype_.size());
  for (std::size_t axis = shape_.size(); axis-- > 0;) {
    if (shape_[axis] != 1 && strides_[axis] != stride) return false;
    stride *= shape_[axis];
  }
  return true;
}

NDArray NDArray::as_contiguous() const {
  if (contiguous()) return *this;
  NDArray packed(dtype_, shape_);
  if (ndim() > arrays::kernels::kMostAxes) throw Error("arrays have at most 32 dimensions");
  arrays::kernels::copy_box(packed.mutable_data(), packed.strides_.data(), data_, strides_.data(),
                            shape_.vector().data(), ndim(), dtype_.size());
  return packed;
}

void NDArray::fill_from(const void* values, std::size_t count) {
  if (static_cast<std::int64_t>(count) != size_) {
    throw Error(std::to_string(count) + " values do not fill an array of shape " + shape_.text() + ", which has " +
                std::to_string(size_));
  }
  if (count > 0) std::memcpy(mutable_data(), values, count * dtype_.size());
}

void NDArray::require_type(Dtype wanted, const char* call) const {
  // Times are read as the integers they are counted in.
  if (wanted == dtype_ || (dtype_.is_time() && wanted == int64)) return;
  throw Error(std::string("NDArray::") + call + "<" + wanted.name() + ">: the elements are " + dtype_.name() +
              "; ask for that type, or convert the array with astype before it is computed");
}

void NDArray::require_single() const {
  if (size_ != 1) {
    throw Error("NDArray::item: an array of shape " + shape_.text() + " has " + std::to_string(size_) +
                " elements; use at(), span() or to_vector()");
  }
}

void NDArray::require_contiguous() const {
  if (!contiguous()) {
    throw Error("NDArray::span: the elements of this array do not lie side by side; use as_contiguous() first");
  }
}

void NDArray::require_ndim(std::size_t wanted) const {
  if (ndim() == wanted) return;
  throw Error("NDArray::chunk_view: an array of " + std::to_string(ndim()) + " dimensions was asked for " +
              std::to_string(wanted));
}

const std::byte* NDArray::element(const std::vector<std::int64_t>& index) const {
  if (index.size() != ndim()) {
    throw Error("NDArray::at: " + std::to_string(index.size()) + " indices were given for an array of shape " +
                shape_.text());
  }
  const std::byte* place = data_;
  for (std::size_t axis = 0; axis < index.size(); ++axis) {
    const std::int64_t at = index[axis] < 0 ? index[axis] + shape_[axis] : index[axis];
    if (at < 0 || at >= shape_[axis]) {
      throw Error("NDArray::at: index " + std::to_string(index[axis]) + " is out of bounds for axis " +
                  std::to_string(axis) + " of extent " + std::to_string(shape_[axis]));
    }
    place += at * strides_[axis];
  }
  return place;
}

}  // namespace weft
