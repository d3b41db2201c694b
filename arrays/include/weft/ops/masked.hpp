#pragma once

#include <weft/array.hpp>
#include <weft/ops/creation.hpp>

#include <iosfwd>
#include <optional>

/// Arrays some of whose elements do not count, as numpy.ma has them. The functions are found by their argument.
namespace weft::ma {

using arrays::Array;
using arrays::Operand;
using arrays::ReduceOptions;

#define WEFT_HERE const std::source_location& where = std::source_location::current()

/// What computing a masked array gives.
struct MaskedValues {
  NDArray data;
  NDArray mask;
  Scalar fill;
  /// As NumPy prints it: -- where an element is masked.
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const MaskedValues& values);
};

/// An array and the mask that tells which of its elements do not count. Lazy as arrays are.
/// Owns: shares of two expressions.  Threading: a value.
class MaskedArray {
 public:
  MaskedArray() = default;
  /// Throws Error where the mask does not broadcast to the data.
  MaskedArray(const Array& data, const Array& mask, std::optional<Scalar> fill = {}, WEFT_HERE);
  /// Nothing is masked.
  MaskedArray(const Array& data, WEFT_HERE);  // NOLINT: every array is one

  const Array& data() const { return data_; }
  const Array& mask() const { return mask_; }
  /// What `filled` puts where nothing counts: given, or NumPy's for the type (1e20, 999999, True).
  Scalar fill_value() const;
  Dtype dtype() const { return data_.dtype(); }
  const Shape& shape() const { return data_.shape(); }
  std::size_t ndim() const { return data_.ndim(); }
  std::int64_t size() const { return data_.size(); }

  /// As indexing an array: data and mask alike.
  MaskedArray at(const std::vector<arrays::Index>& index, WEFT_HERE) const {
    return MaskedArray(data_.at(index, where), mask_.at(index, where), fill_, where);
  }
  MaskedArray operator()(const arrays::Index& a) const { return at({a}, a.where()); }
  MaskedArray operator()(const arrays::Index& a, const arrays::Index& b) const { return at({a, b}, a.where()); }
  MaskedArray operator()(const arrays::Index& a, const arrays::Index& b, const arrays::Index& c) const {
    return at({a, b, c}, a.where());
  }
  template <class... I>
  requires(sizeof...(I) > 2) MaskedArray operator()(const arrays::Index& first, I&&... more) const {
    return at({first, arrays::Index(std::forward<I>(more), first.where())...}, first.where());
  }
  MaskedArray with_fill(const Scalar& fill) const;
  MaskedArray astype(Dtype dtype, WEFT_HERE) const;
  MaskedArray reshape(const Shape& shape, WEFT_HERE) const;
  MaskedArray transpose(WEFT_HERE) const;

  // What is masked in one operand is masked in the result; so are quotients by zero.
  friend MaskedArray operator+(const MaskedArray& a, const MaskedArray& b);
  friend MaskedArray operator-(const MaskedArray& a, const MaskedArray& b);
  friend MaskedArray operator*(const MaskedArray& a, const MaskedArray& b);
  friend MaskedArray operator/(const MaskedArray& a, const MaskedArray& b);
  friend MaskedArray operator+(const MaskedArray& a, const Scalar& b);
  friend MaskedArray operator-(const MaskedArray& a, const Scalar& b);
  friend MaskedArray operator*(const MaskedArray& a, const Scalar& b);
  friend MaskedArray operator/(const MaskedArray& a, const Scalar& b);
  friend MaskedArray operator+(const Scalar& a, const MaskedArray& b);
  friend MaskedArray operator-(const Scalar& a, const MaskedArray& b);
  friend MaskedArray operator*(const Scalar& a, const MaskedArray& b);
  friend MaskedArray operator/(const Scalar& a, const MaskedArray& b);
  friend MaskedArray operator-(const MaskedArray& a);
#define WEFT_COMPARE(symbol)                                                      \
  friend MaskedArray operator symbol(const MaskedArray& a, const MaskedArray& b); \
  friend MaskedArray operator symbol(const MaskedArray& a, const Scalar& b);
  WEFT_COMPARE(<)
  WEFT_COMPARE(<=)
  WEFT_COMPARE(>)
  WEFT_COMPARE(>=)
  WEFT_COMPARE(==)
  WEFT_COMPARE(!=)
#undef WEFT_COMPARE

 private:
  Array data_;
  Array mask_;
  std::optional<Scalar> fill_;
};

MaskedArray masked_array(const Array& data, const Array& mask, std::optional<Scalar> fill = {}, WEFT_HERE);
/// Masks where the condition holds (and where it is masked itself).
MaskedArray masked_where(const Array& condition, const MaskedArray& array, WEFT_HERE);
MaskedArray masked_equal(const MaskedArray& array, const Scalar& value, WEFT_HERE);
MaskedArray masked_not_equal(const MaskedArray& array, const Scalar& value, WEFT_HERE);
MaskedArray masked_greater(const MaskedArray& array, const Scalar& value, WEFT_HERE);
MaskedArray masked_greater_equal(const MaskedArray& array, const Scalar& value, WEFT_HERE);
MaskedArray masked_less(const MaskedArray& array, const Scalar& value, WEFT_HERE);
MaskedArray masked_less_equal(const MaskedArray& array, const Scalar& value, WEFT_HERE);
/// Masks values in [low, high] (outside of it).
MaskedArray masked_inside(const MaskedArray& array, double low, double high, WEFT_HERE);
MaskedArray masked_outside(const MaskedArray& array, double low, double high, WEFT_HERE);
/// Masks what is not a finite number.
MaskedArray masked_invalid(const MaskedArray& array, WEFT_HERE);
/// Masks what is close to the value, which becomes the fill value.
MaskedArray masked_values(const MaskedArray& array, double value, double rtol = 1e-5, double atol = 1e-8, WEFT_HERE);
/// As masked_invalid, and the elements themselves become the fill value.
MaskedArray fix_invalid(const MaskedArray& array, WEFT_HERE);
MaskedArray set_fill_value(const MaskedArray& array, const Scalar& fill);

/// Returns the array with the fill value, or this one, where elements are masked.
Array filled(const MaskedArray& array, std::optional<Scalar> fill = {}, WEFT_HERE);
Array getdata(const MaskedArray& array);
Array getmaskarray(const MaskedArray& array);
MaskedArray zeros_like(const MaskedArray& array, WEFT_HERE);
MaskedArray ones_like(const MaskedArray& array, WEFT_HERE);
MaskedArray empty_like(const MaskedArray& array, WEFT_HERE);
MaskedArray where(const MaskedArray& condition, const MaskedArray& yes, const MaskedArray& no);

// Roots and logarithms of numbers that have none are masked.
MaskedArray sqrt(const MaskedArray& a);
MaskedArray log(const MaskedArray& a);
MaskedArray exp(const MaskedArray& a);
MaskedArray absolute(const MaskedArray& a);

// Reductions look at what is not masked; where there is nothing, the result is masked.
MaskedArray sum(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray prod(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray min(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray max(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray any(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray all(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray mean(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray var(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray stddev(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
MaskedArray average(const MaskedArray& array, const std::optional<Array>& weights = {},
                    const ReduceOptions& options = {}, WEFT_HERE);
/// Largest minus smallest.
MaskedArray ptp(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
/// The places of the smallest and the largest element that is not masked.
Array argmin(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
Array argmax(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);
/// The places, along each axis, of the elements that are neither masked nor zero.
std::vector<Array> nonzero(const MaskedArray& array, WEFT_HERE);
MaskedArray concatenate(const std::vector<MaskedArray>& arrays, int axis = 0, WEFT_HERE);
/// Returns how many elements are not masked.
Array count(const MaskedArray& array, const ReduceOptions& options = {}, WEFT_HERE);

#undef WEFT_HERE

}  // namespace weft::ma

namespace weft {

template <>
struct CollectionTraits<ma::MaskedArray> {
  using Value = ma::MaskedValues;
  static Value compute(const Client& client, const ma::MaskedArray& array) {
    std::vector<NDArray> values = arrays::compute_arrays(client, {array.data(), array.mask()});
    return {std::move(values[0]), std::move(values[1]), array.fill_value()};
  }
  static ma::MaskedArray persist(const Client& client, const ma::MaskedArray& array) {
    return ma::MaskedArray(arrays::persist_array(client, array.data()), arrays::persist_array(client, array.mask()),
                           array.fill_value());
  }
};

}  // namespace weft
