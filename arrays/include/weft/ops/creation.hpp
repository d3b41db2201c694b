#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

/// Options of arrays that are made from nothing.
struct CreateOptions {
  std::optional<Dtype> dtype = {};
  Chunks chunks = {};
  std::string name = {};
};

Array zeros(const Shape& shape, const CreateOptions& options = {},
            const std::source_location& where = std::source_location::current());
Array ones(const Shape& shape, const CreateOptions& options = {},
           const std::source_location& where = std::source_location::current());
/// As zeros: there is no memory to leave as it is.
Array empty(const Shape& shape, const CreateOptions& options = {},
            const std::source_location& where = std::source_location::current());
/// The value's kind gives the type where no dtype is named.
Array full(const Shape& shape, const Scalar& value, const CreateOptions& options = {},
           const std::source_location& where = std::source_location::current());
Array zeros_like(const Array& array, const std::source_location& where = std::source_location::current());
Array ones_like(const Array& array, const std::source_location& where = std::source_location::current());
Array full_like(const Array& array, const Scalar& value,
                const std::source_location& where = std::source_location::current());
/// Returns the numbers from `start` to before `stop`, `step` apart; integers if all three are.
Array arange(const Scalar& start, const Scalar& stop, const Scalar& step = 1, const CreateOptions& options = {},
             const std::source_location& where = std::source_location::current());
Array arange(const Scalar& stop, const CreateOptions& options = {},
             const std::source_location& where = std::source_location::current());
/// Returns `count` numbers from `start` to `stop`, both included.
Array linspace(double start, double stop, std::int64_t count = 50, const CreateOptions& options = {},
               const std::source_location& where = std::source_location::current());
/// Returns ones on the k-th diagonal, zeros elsewhere; `columns` -1: as many as rows.
Array eye(std::int64_t rows, std::int64_t columns = -1, std::int64_t k = 0, const CreateOptions& options = {},
          const std::source_location& where = std::source_location::current());
/// Returns ones at and below the k-th diagonal.
Array tri(std::int64_t rows, std::int64_t columns = -1, std::int64_t k = 0, const CreateOptions& options = {},
          const std::source_location& where = std::source_location::current());
/// Returns the indices along one axis of a shape, as an array of that shape.
Array indices(const Shape& shape, int axis, const CreateOptions& options = {},
              const std::source_location& where = std::source_location::current());

/// Makes an array of values in memory. Chunks of rows are seen in place; others are copied when they are first needed.
Array from_ndarray(const NDArray& values, const Chunks& chunks = {},
                   const std::source_location& where = std::source_location::current());
template <class T>
Array from(std::vector<T>&& values, const Chunks& chunks = {},
           const std::source_location& where = std::source_location::current()) {
  auto owner = std::make_shared<std::vector<T>>(std::move(values));
  const Shape shape(owner->size());
  return from_ndarray(NDArray::view(owner->data(), dtype_of<T>(), shape, c_strides(shape, sizeof(T)), owner), chunks,
                      where);
}
/// Sees memory of somebody else. Strides are in bytes; `owner` keeps the memory alive.
Array from_buffer(const void* data, Dtype dtype, const Shape& shape, std::vector<std::int64_t> strides,
                  std::shared_ptr<const void> owner, const Chunks& chunks = {},
                  const std::source_location& where = std::source_location::current());
/// Makes an array of chunks that tasks give; each a buffer of its elements in C order.
Array from_delayed(const std::vector<Delayed<Buffer>>& chunks, Dtype dtype,
                   const std::vector<std::vector<std::int64_t>>& sizes,
                   const std::source_location& where = std::source_location::current());
/// Returns the chunks as tasks, in C order of their places; each gives the elements in C order.
std::vector<Delayed<Buffer>> to_delayed(const Array& array);
/// The same of several arrays: what they share is described once.
std::vector<std::vector<Delayed<Buffer>>> to_delayed(const std::vector<Array>& arrays);

}  // namespace weft::arrays

namespace weft {
using arrays::arange;
using arrays::CreateOptions;
using arrays::empty;
using arrays::eye;
using arrays::from;
using arrays::from_buffer;
using arrays::from_delayed;
using arrays::from_ndarray;
using arrays::full;
using arrays::full_like;
using arrays::indices;
using arrays::linspace;
using arrays::ones;
using arrays::ones_like;
using arrays::tri;
using arrays::zeros;
using arrays::zeros_like;
}  // namespace weft
