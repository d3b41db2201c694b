// Masked arrays: pairs of arrays, and expressions of these.
#include <weft/ops/masked.hpp>

#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/masks.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/structure.hpp>

#include <cstring>
#include <limits>
#include <ostream>

namespace weft::ma {
namespace {

using Where = std::source_location;

Array pick(const Operand& condition, const Operand& yes, const Operand& no) {
  return arrays::where(condition, yes, no);
}

/// The data with a value of its own type where it is masked.
Array covered(const MaskedArray& array, const Scalar& value) {
  return pick(array.mask(), Scalar(value, array.dtype()), array.data());
}

Array either(const Array& a, const Array& b) { return arrays::logical_or(a, b); }

/// The result keeps the left operand's data where it is masked, as NumPy's does.
MaskedArray combined(const Array& result, const MaskedArray& a, const Array& mask) {
  return MaskedArray(pick(mask, a.data().astype(result.dtype()), result), mask);
}

/// As combined; what is not a finite number is masked as well, as where NumPy's operations have a domain.
MaskedArray combined_finite(const Array& result, const MaskedArray& a, const Array& mask) {
  return combined(result, a, either(mask, arrays::logical_not(arrays::isfinite(result))));
}

MaskedArray masked_if(const Array& condition, const MaskedArray& array, const Where& where) {
  return MaskedArray(array.data(), either(array.mask(), condition), array.fill_value(), where);
}

Scalar largest(Dtype type, bool positive) {
  if (type.is_floating()) {
    const double inf = std::numeric_limits<double>::infinity();
    return Scalar(positive ? inf : -inf);
  }
  if (type.is_bool()) return Scalar(positive);
  if (type.is_unsigned()) {
    if (!positive) return Scalar(0);
    return Scalar(type.size() == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * type.size())) - 1);
  }
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() >> (64 - 8 * type.size());
  return Scalar(positive ? most : -most - 1);
}

}  // namespace

MaskedArray::MaskedArray(const Array& data, const Array& mask, std::optional<Scalar> fill,
                         const std::source_location& where)
    : data_(data), fill_(fill) {
  const Array truth = mask.astype(bool_, where);
  mask_ = truth.shape() == data.shape() ? truth : arrays::broadcast_to(truth, data.shape(), where);
}

MaskedArray::MaskedArray(const Array& data, const std::source_location& where)
    : data_(data), mask_(arrays::zeros_like(data.astype(bool_, where), where)) {}

Scalar MaskedArray::fill_value() const {
  if (fill_) return *fill_;
  const Dtype type = data_.dtype();
  if (type.is_floating() || type.is_complex()) return Scalar(1e20);
  return type.is_bool() ? Scalar(true) : Scalar(999'999);
}

MaskedArray MaskedArray::with_fill(const Scalar& fill) const {
  MaskedArray other = *this;
  other.fill_ = fill;
  return other;
}

MaskedArray MaskedArray::astype(Dtype dtype, const std::source_location& where) const {
  return MaskedArray(data_.astype(dtype, where), mask_, fill_, where);
}
MaskedArray MaskedArray::reshape(const Shape& shape, const std::source_location& where) const {
  return MaskedArray(data_.reshape(shape, where), mask_.reshape(shape, where), fill_, where);
}
MaskedArray MaskedArray::transpose(const std::source_location& where) const {
  return MaskedArray(data_.transpose(where), mask_.transpose(where), fill_, where);
}

MaskedArray masked_array(const Array& data, const Array& mask, std::optional<Scalar> fill,
                         const std::source_location& where) {
  return MaskedArray(data, mask, fill, where);
}
MaskedArray masked_where(const Array& condition, const MaskedArray& array, const std::source_location& where) {
  return masked_if(condition, array, where);
}
#define WEFT_MASKED(name, function)                                                                    \
  MaskedArray name(const MaskedArray& array, const Scalar& value, const std::source_location& where) { \
    return masked_if(arrays::function({array.data(), where}, {value, where}), array, where);           \
  }
WEFT_MASKED(masked_not_equal, not_equal)
WEFT_MASKED(masked_greater, greater)
WEFT_MASKED(masked_greater_equal, greater_equal)
WEFT_MASKED(masked_less, less)
WEFT_MASKED(masked_less_equal, less_equal)
#undef WEFT_MASKED
MaskedArray masked_equal(const MaskedArray& array, const Scalar& value, const std::source_location& where) {
  return masked_if(arrays::equal({array.data(), where}, {value, where}), array, where).with_fill(value);
}
MaskedArray masked_inside(const MaskedArray& array, double low, double high, const std::source_location& where) {
  if (high < low) std::swap(low, high);
  return masked_if((array.data() >= low) & (array.data() <= high), array, where);
}
MaskedArray masked_outside(const MaskedArray& array, double low, double high, const std::source_location& where) {
  if (high < low) std::swap(low, high);
  return masked_if((array.data() < low) | (array.data() > high), array, where);
}
MaskedArray masked_invalid(const MaskedArray& array, const std::source_location& where) {
  return masked_if(arrays::logical_not(arrays::isfinite(array.data())), array, where);
}
MaskedArray masked_values(const MaskedArray& array, double value, double rtol, double atol,
                          const std::source_location& where) {
  return masked_if(arrays::isclose(array.data(), value, rtol, atol), array, where).with_fill(value);
}
MaskedArray fix_invalid(const MaskedArray& array, const std::source_location& where) {
  const MaskedArray masked = masked_invalid(array, where);
  const Array bad = arrays::logical_not(arrays::isfinite(array.data()));
  const Array data = pick(bad, Scalar(array.fill_value(), array.dtype()), array.data());
  return MaskedArray(data, masked.mask(), array.fill_value(), where);
}
MaskedArray set_fill_value(const MaskedArray& array, const Scalar& fill) { return array.with_fill(fill); }

Array filled(const MaskedArray& array, std::optional<Scalar> fill, const std::source_location&) {
  return covered(array, fill.value_or(array.fill_value()));
}
Array getdata(const MaskedArray& array) { return array.data(); }
Array getmaskarray(const MaskedArray& array) { return array.mask(); }
MaskedArray zeros_like(const MaskedArray& array, const std::source_location& where) {
  return MaskedArray(arrays::zeros_like(array.data(), where), array.mask(), {}, where);
}
MaskedArray ones_like(const MaskedArray& array, const std::source_location& where) {
  return MaskedArray(arrays::ones_like(array.data(), where), array.mask(), {}, where);
}
MaskedArray empty_like(const MaskedArray& array, const std::source_location& where) { return zeros_like(array, where); }

MaskedArray where(const MaskedArray& condition, const MaskedArray& yes, const MaskedArray& no) {
  const Array mask = either(pick(condition.data(), yes.mask(), no.mask()), condition.mask());
  return MaskedArray(pick(condition.data(), yes.data(), no.data()), mask);
}

MaskedArray sqrt(const MaskedArray& a) {
  return combined_finite(arrays::sqrt(a.data()), a, either(a.mask(), a.data() < 0));
}
MaskedArray log(const MaskedArray& a) {
  return combined_finite(arrays::log(a.data()), a, either(a.mask(), a.data() <= 0));
}
MaskedArray exp(const MaskedArray& a) { return combined(arrays::exp(a.data()), a, a.mask()); }
MaskedArray absolute(const MaskedArray& a) { return combined(arrays::absolute(a.data()), a, a.mask()); }

namespace {

ReduceOptions of_masks(const ReduceOptions& options) { return {.axis = options.axis, .keepdims = options.keepdims}; }

/// Elements that do not count are `neutral`; nothing but such gives a masked result.
template <class Reduce>
MaskedArray reduced(const MaskedArray& array, const Scalar& neutral, const ReduceOptions& options, const Where& where,
                    const Reduce& reduce) {
  const Array result = reduce(covered(array, neutral), options, where);
  return MaskedArray(result, arrays::all(array.mask(), of_masks(options), where), {}, where);
}

}  // namespace

MaskedArray sum(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, Scalar(0), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::sum(a, o, w); });
}
MaskedArray prod(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, Scalar(1), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::prod(a, o, w); });
}
MaskedArray min(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, largest(array.dtype(), true), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::min(a, o, w); });
}
MaskedArray max(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, largest(array.dtype(), false), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::max(a, o, w); });
}
MaskedArray any(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, Scalar(0), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::any(a, o, w); });
}
MaskedArray all(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return reduced(array, Scalar(1), options, where,
                 [](const Array& a, const ReduceOptions& o, const Where& w) { return arrays::all(a, o, w); });
}

MaskedArray ptp(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return max(array, options, where) - min(array, options, where);
}
Array argmin(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return arrays::argmin(covered(array, largest(array.dtype(), true)), options, where);
}
Array argmax(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return arrays::argmax(covered(array, largest(array.dtype(), false)), options, where);
}
std::vector<Array> nonzero(const MaskedArray& array, const std::source_location& where) {
  return arrays::nonzero(covered(array, Scalar(0)), where);
}
MaskedArray concatenate(const std::vector<MaskedArray>& parts, int axis, const std::source_location& where) {
  std::vector<Array> data, masks;
  for (const MaskedArray& one : parts) {
    data.push_back(one.data());
    masks.push_back(one.mask());
  }
  return MaskedArray(arrays::concatenate(data, axis, where), arrays::concatenate(masks, axis, where), {}, where);
}

Array count(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  return arrays::sum(arrays::logical_not(array.mask()), of_masks(options), where);
}

MaskedArray mean(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  ReduceOptions sums = options;
  const bool whole = array.dtype().is_integer() || array.dtype().is_bool();
  if (whole && !sums.dtype) sums.dtype = float64;
  const MaskedArray total = sum(array, sums, where);
  const Array elements = count(array, options, where);
  const Array mean = total.data() / arrays::maximum(elements, 1);
  // NumPy divides arrays of sums within their domain, and a single sum as a plain number.
  const Array mask =
      mean.ndim() == 0 ? total.mask() : either(total.mask(), arrays::logical_not(arrays::isfinite(mean)));
  return MaskedArray(mean.astype(total.dtype(), where), mask, {}, where);
}

MaskedArray var(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  ReduceOptions kept = of_masks(options);
  kept.keepdims = true;
  const MaskedArray center = mean(array, kept, where);
  const Array apart = array.data() - center.data();
  const Array squares = array.dtype().is_complex() ? arrays::square(arrays::absolute(apart)) : arrays::square(apart);
  const Array total =
      arrays::sum(pick(array.mask(), Scalar(Scalar(0), squares.dtype()), squares), of_masks(options), where);
  const Array room = count(array, options, where) - options.ddof;
  const Array result = total / arrays::where(room > 0.0, room, 1.0);
  return MaskedArray(result.astype(total.dtype(), where), room <= 0.0, {}, where);
}
MaskedArray stddev(const MaskedArray& array, const ReduceOptions& options, const std::source_location& where) {
  const MaskedArray squares = var(array, options, where);
  return MaskedArray(arrays::sqrt(squares.data()), squares.mask(), {}, where);
}

MaskedArray average(const MaskedArray& array, const std::optional<Array>& weights, const ReduceOptions& options,
                    const std::source_location& where) {
  if (!weights) return mean(array, options, where);
  const Array wide = arrays::broadcast_to(weights->astype(float64, where), array.shape(), where);
  const Array counting = pick(array.mask(), 0.0, wide);
  const Array products = pick(array.mask(), 0.0, array.data() * wide);
  const Array total = arrays::sum(counting, of_masks(options), where);
  const Array mean = arrays::sum(products, of_masks(options), where) / arrays::where(total == 0.0, 1.0, total);
  return MaskedArray(mean, total == 0.0, {}, where);
}

#define WEFT_TWO(symbol, function)                                                        \
  MaskedArray operator symbol(const MaskedArray& a, const MaskedArray& b) {               \
    return combined(arrays::function(a.data(), b.data()), a, either(a.mask(), b.mask())); \
  }                                                                                       \
  MaskedArray operator symbol(const MaskedArray& a, const Scalar& b) {                    \
    return combined(arrays::function(a.data(), b), a, a.mask());                          \
  }
WEFT_TWO(+, add)
WEFT_TWO(-, subtract)
WEFT_TWO(*, multiply)
#undef WEFT_TWO
MaskedArray operator/(const MaskedArray& a, const MaskedArray& b) {
  const double tiny = std::numeric_limits<double>::min();
  const Array unsafe =
      arrays::greater_equal(arrays::multiply(arrays::absolute(a.data()), tiny), arrays::absolute(b.data()));
  return combined_finite(arrays::true_divide(a.data(), b.data()), a, either(either(a.mask(), b.mask()), unsafe));
}
MaskedArray operator/(const MaskedArray& a, const Scalar& b) {
  return operator/(a, MaskedArray(arrays::full_like(a.data().astype(promote(a.dtype(), b)), b)));
}
#define WEFT_LEFT(symbol, function)                                                            \
  MaskedArray operator symbol(const Scalar& a, const MaskedArray& b) {                         \
    return MaskedArray(arrays::full_like(b.data().astype(promote(b.dtype(), a)), a)) symbol b; \
  }
WEFT_LEFT(+, add)
WEFT_LEFT(-, subtract)
WEFT_LEFT(*, multiply)
WEFT_LEFT(/, true_divide)
#undef WEFT_LEFT
MaskedArray operator-(const MaskedArray& a) { return combined(arrays::negative(a.data()), a, a.mask()); }
#define WEFT_COMPARE(symbol, function)                                                    \
  MaskedArray operator symbol(const MaskedArray& a, const MaskedArray& b) {               \
    return MaskedArray(arrays::function(a.data(), b.data()), either(a.mask(), b.mask())); \
  }                                                                                       \
  MaskedArray operator symbol(const MaskedArray& a, const Scalar& b) {                    \
    return MaskedArray(arrays::function(a.data(), b), a.mask());                          \
  }
WEFT_COMPARE(<, less)
WEFT_COMPARE(<=, less_equal)
WEFT_COMPARE(>, greater)
WEFT_COMPARE(>=, greater_equal)
WEFT_COMPARE(==, equal)
WEFT_COMPARE(!=, not_equal)
#undef WEFT_COMPARE

std::string MaskedValues::text() const {
  // Each element as NumPy prints it, blanks where it is masked replaced by dashes of the same width.
  std::string text = data.text();
  // What is shortened does not tell which elements it shows.
  if (text.find("...") != std::string::npos) return text + "\nmasked where\n" + mask.text();
  const NDArray hidden = mask.as_contiguous();
  const auto* const masked = reinterpret_cast<const std::uint8_t*>(hidden.data());
  std::string out;
  std::int64_t element = 0;
  for (std::size_t i = 0; i < text.size();) {
    const bool starts = std::strchr("[] \n", text[i]) == nullptr;
    if (!starts) {
      out += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && std::strchr("[] \n", text[end]) == nullptr) ++end;
    const bool hides = element < hidden.size() && masked[element] != 0;
    ++element;
    out += hides ? "--" : text.substr(i, end - i);
    i = end;
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const MaskedValues& values) { return out << values.text(); }

}  // namespace weft::ma
