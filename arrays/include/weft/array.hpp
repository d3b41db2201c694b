#pragma once

#include <weft/client.hpp>
#include <weft/ndarray.hpp>
#include <weft/slice.hpp>

#include <iosfwd>
#include <memory>
#include <source_location>
#include <string>
#include <tuple>
#include <variant>
#include <vector>

/// Arrays and the functions on them. A program that says `using namespace weft` does not see these names: `sum(x)`,
/// `transpose(x)` or `log(x)` are found because `x` is an Array, so that a program may have a `sum` or an `add` of its
/// own. Where no argument is an Array, write `arrays::sum`. What makes arrays (`zeros`, `arange`, `concatenate`,
/// `random::uniform`, ...) is seen in weft as well.
namespace weft::arrays {

namespace expression {
struct Node;
using NodePointer = std::shared_ptr<const Node>;
}  // namespace expression

class Array;
class Operand;

/// Options of reductions. `axis`: one, a list, or all.
struct ReduceOptions {
  Axes axis = {};
  bool keepdims = false;
  double ddof = 0;
  std::optional<Dtype> dtype = {};
  std::string name = {};
};

/// One index of `x(...)`: a number, a slice, newaxis, ellipsis, a list of places, or a mask; and the line of the user's
/// source where it was written.
class Index {
 public:
  using Where = std::source_location;
  using Value =
      std::variant<std::int64_t, slice, NewAxis, Ellipsis, std::vector<std::int64_t>, expression::NodePointer>;

  template <std::integral I>
  Index(I place, const Where& where = Where::current())  // NOLINT
      : value_(static_cast<std::int64_t>(place)), where_(where) {}
  Index(slice part, const Where& where = Where::current()) : value_(part), where_(where) {}     // NOLINT
  Index(NewAxis axis, const Where& where = Where::current()) : value_(axis), where_(where) {}   // NOLINT
  Index(Ellipsis rest, const Where& where = Where::current()) : value_(rest), where_(where) {}  // NOLINT
  Index(std::vector<std::int64_t> places, const Where& where = Where::current())                // NOLINT
      : value_(std::move(places)), where_(where) {}
  Index(std::initializer_list<std::int64_t> places, const Where& where = Where::current())  // NOLINT
      : value_(std::vector<std::int64_t>(places)), where_(where) {}
  /// A mask of bools; it takes as many axes as it has. How many places it chooses, only running can tell.
  Index(const Array& mask, const Where& where = Where::current());  // NOLINT

  const Value& value() const { return value_; }
  const Where& where() const { return where_; }

 private:
  Value value_;
  Where where_;
};

/// A lazy n-dimensional array in chunks, with NumPy's meaning. Nothing runs before `Client::compute` or `persist`.
///
///     Array x = random::uniform({10'000, 10'000}, {.chunks = {1'000, 1'000}, .seed = 7});
///     Array y = x + transpose(x) - mean(x, {.axis = 0, .keepdims = true});
///     NDArray corner = client.compute(y(slice(0, 3), slice(0, 3)));
///
/// Owns: a share of the expression.  Threading: a value; expressions are constant.
class Array {
 public:
  using Where = std::source_location;
  /// No array: any use but assignment throws.
  Array() = default;
  explicit Array(expression::NodePointer node) : node_(std::move(node)) {}

  Dtype dtype() const;
  const Shape& shape() const;
  /// The sizes of the chunks along each axis.
  std::vector<std::vector<std::int64_t>> chunks() const;
  /// The number of chunks along each axis.
  std::vector<std::int64_t> numblocks() const;
  std::int64_t npartitions() const;
  std::int64_t size() const { return shape().elements(); }
  std::size_t ndim() const { return shape().size(); }
  std::size_t itemsize() const { return dtype().size(); }
  std::int64_t nbytes() const { return size() * static_cast<std::int64_t>(itemsize()); }
  const std::string& name() const;

  // One overload for each count, for a list in braces has no type that a template could deduce.
  Array operator()(const Index& a) const { return at({a}, a.where()); }
  Array operator()(const Index& a, const Index& b) const { return at({a, b}, a.where()); }
  Array operator()(const Index& a, const Index& b, const Index& c) const { return at({a, b, c}, a.where()); }
  Array operator()(const Index& a, const Index& b, const Index& c, const Index& d) const {
    return at({a, b, c, d}, a.where());
  }
  Array operator()(const Index& a, const Index& b, const Index& c, const Index& d, const Index& e) const {
    return at({a, b, c, d, e}, a.where());
  }
  Array operator()(const Index& a, const Index& b, const Index& c, const Index& d, const Index& e,
                   const Index& f) const {
    return at({a, b, c, d, e, f}, a.where());
  }
  template <class... I>
  requires(sizeof...(I) > 5) Array operator()(const Index& first, I&&... more) const {
    return at({first, Index(std::forward<I>(more), first.where())...}, first.where());
  }
  /// As operator(), for indices that are made while the program runs.
  Array at(const std::vector<Index>& index, const std::source_location& where = std::source_location::current()) const;

  /// Returns the array with `value`, which broadcasts, at the places that the indices mean: `x = x.set({0, slice(2)},
  /// 7)`. A mask stands alone and takes a scalar, or what broadcasts to the axes behind its own; else write where(mask,
  /// values, x).
  Array set(const std::vector<Index>& index, const Operand& value,
            const std::source_location& where = std::source_location::current()) const;
  /// Returns the chunks at these places of the grid of chunks, side by side: numbers, slices and lists, one for each
  /// axis, `x.blocks({0, slice(1, none)})`.
  Array blocks(const std::vector<Index>& index,
               const std::source_location& where = std::source_location::current()) const;

  /// The array itself: arrays never change.
  Array copy() const { return *this; }
  /// The same bytes read as another type of the same size.
  Array view(Dtype dtype, const std::source_location& where = std::source_location::current()) const;
  Array astype(Dtype dtype, const std::source_location& where = std::source_location::current()) const;
  Array rechunk(Chunks chunks, const std::source_location& where = std::source_location::current()) const;
  Array reshape(Shape shape, const std::source_location& where = std::source_location::current()) const;
  Array transpose(const std::source_location& where = std::source_location::current()) const;
  // NumPy's methods, each the function of its name (`stddev` for std). Reductions take options, or an axis alone.
#define WEFT_METHOD(name)                                                                                            \
  Array name(const ReduceOptions& options = {}, const std::source_location& where = std::source_location::current()) \
      const;                                                                                                         \
  template <std::integral I>                                                                                         \
  Array name(I axis, const std::source_location& where = std::source_location::current()) const {                    \
    return name(ReduceOptions{.axis = static_cast<int>(axis)}, where);                                               \
  }
  WEFT_METHOD(sum)
  WEFT_METHOD(mean)
  WEFT_METHOD(std)
  WEFT_METHOD(var)
  WEFT_METHOD(min)
  WEFT_METHOD(max)
  WEFT_METHOD(prod)
  WEFT_METHOD(any)
  WEFT_METHOD(all)
  WEFT_METHOD(argmin)
  WEFT_METHOD(argmax)
  WEFT_METHOD(cumsum)
  WEFT_METHOD(cumprod)
#undef WEFT_METHOD
  Array transpose(const std::vector<int>& axes, const Where& where = Where::current()) const;
  Array swapaxes(int first, int second, const Where& where = Where::current()) const;
  Array ravel(const Where& where = Where::current()) const;
  Array flatten(const Where& where = Where::current()) const { return ravel(where); }
  Array squeeze(const Axes& axis = {}, const Where& where = Where::current()) const;
  Array dot(const Array& other, const Where& where = Where::current()) const;
  Array clip(const Operand& low, const Operand& high, const Where& where = Where::current()) const;
  Array round(int decimals = 0, const Where& where = Where::current()) const;
  Array conj(const Where& where = Where::current()) const;
  Array real(const Where& where = Where::current()) const;
  Array imag(const Where& where = Where::current()) const;
  Array repeat(std::int64_t count, int axis, const Where& where = Where::current()) const;
  Array topk(std::int64_t k, int axis = -1, const Where& where = Where::current()) const;
  Array argtopk(std::int64_t k, int axis = -1, const Where& where = Where::current()) const;
  Array trace(std::int64_t k = 0, const Where& where = Where::current()) const;
  std::vector<Array> nonzero(const Where& where = Where::current()) const;

  /// Not a value: it has as many truths as elements, and none before it runs.
  template <class T>
  requires std::is_same_v<T, bool>
  explicit operator T() const {
    static_assert(!std::is_same_v<T, bool>,
                  "weft: an Array has no truth value: compute it first, or write any(x) or all(x); combine comparisons "
                  "with & and |");
    return false;
  }

  /// Type, shape, chunks and bytes; computes nothing.
  std::string text() const;
  friend std::ostream& operator<<(std::ostream& out, const Array& array);

  bool valid() const { return node_ != nullptr; }
  /// The expression. Throws Error where there is no array.
  const expression::NodePointer& node() const;

 private:
  expression::NodePointer node_;
};

/// An operand of an expression: an array or a scalar, and the line where it was written.
class Operand {
 public:
  Operand(const Array& array, const std::source_location& where = std::source_location::current())  // NOLINT
      : array_(array), where_(where) {}
  Operand(const Scalar& scalar, const std::source_location& where = std::source_location::current())  // NOLINT
      : scalar_(scalar), is_scalar_(true), where_(where) {}
  template <class T>
  requires(std::is_arithmetic_v<T>)
      Operand(T value, const std::source_location& where = std::source_location::current())  // NOLINT
      : scalar_(value), is_scalar_(true), where_(where) {}
  Operand(std::complex<double> value, const std::source_location& where = std::source_location::current())  // NOLINT
      : scalar_(value), is_scalar_(true), where_(where) {}

  bool is_scalar() const { return is_scalar_; }
  const Array& array() const { return array_; }
  const Scalar& scalar() const { return scalar_; }
  const std::source_location& where() const { return where_; }

 private:
  Array array_;
  Scalar scalar_;
  bool is_scalar_ = false;
  std::source_location where_;
};

#define WEFT_OPERATOR(symbol) Array operator symbol(const Operand& left, const Operand& right);
WEFT_OPERATOR(+)
WEFT_OPERATOR(-)
WEFT_OPERATOR(*)
WEFT_OPERATOR(/)
WEFT_OPERATOR(%)
WEFT_OPERATOR(&)
WEFT_OPERATOR(|)
WEFT_OPERATOR(^)
WEFT_OPERATOR(<<)
WEFT_OPERATOR(>>)
WEFT_OPERATOR(==)
WEFT_OPERATOR(!=)
WEFT_OPERATOR(<)
WEFT_OPERATOR(<=)
WEFT_OPERATOR(>)
WEFT_OPERATOR(>=)
#undef WEFT_OPERATOR
Array operator-(const Operand& operand);
Array operator+(const Operand& operand);
Array operator~(const Operand& operand);

template <class T>
concept MakesArrays = std::is_same_v<std::decay_t<T>, Array>;

// Short-circuit operators cannot be lazy.
template <class L, class R>
requires(MakesArrays<L> || MakesArrays<R>) void operator&&(const L&, const R&) {
  static_assert(!MakesArrays<L> && !MakesArrays<R>, "weft: && has no elementwise meaning: write a & b");
}
template <class L, class R>
requires(MakesArrays<L> || MakesArrays<R>) void operator||(const L&, const R&) {
  static_assert(!MakesArrays<L> && !MakesArrays<R>, "weft: || has no elementwise meaning: write a | b");
}

/// Runs what the arrays need, once, and returns their values.
std::vector<NDArray> compute_arrays(const Client& client, const std::vector<Array>& arrays);
/// Starts what the array needs; the returned one reads the results, which stay while it or a copy of it exists.
Array persist_array(const Client& client, const Array& array);

}  // namespace weft::arrays

namespace weft {

using arrays::Array;
using arrays::ReduceOptions;

template <>
struct CollectionTraits<Array> {
  using Value = NDArray;
  static NDArray compute(const Client& client, const Array& array) {
    return std::move(arrays::compute_arrays(client, {array}).front());
  }
  template <class... More>
  static auto compute(const Client& client, const Array& first, const More&... more) {
    std::vector<NDArray> values = arrays::compute_arrays(client, {first, more...});
    return [&]<std::size_t... I>(std::index_sequence<I...>) { return std::tuple(std::move(values[I])...); }
    (std::make_index_sequence<1 + sizeof...(More)>{});
  }
  static Array persist(const Client& client, const Array& array) { return arrays::persist_array(client, array); }
};

}  // namespace weft
