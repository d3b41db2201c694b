#include <weft/array.hpp>

#include "arrays/expression/node.hpp"

#include <weft/error.hpp>
#include <weft/ops/cumulative.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/masks.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/sorting.hpp>
#include <weft/ops/structure.hpp>

#include <ostream>

namespace weft::arrays {

const expression::NodePointer& Array::node() const {
  if (node_ == nullptr) throw Error("this Array is empty: assign an expression to it before it is used");
  return node_;
}

Dtype Array::dtype() const { return node()->dtype; }
const Shape& Array::shape() const { return node()->shape; }
const std::string& Array::name() const { return node()->name; }

std::vector<std::vector<std::int64_t>> Array::chunks() const {
  std::vector<std::vector<std::int64_t>> sizes;
  for (const expression::AxisGrid& axis : node()->grid) sizes.push_back(axis.sizes());
  return sizes;
}

std::vector<std::int64_t> Array::numblocks() const {
  std::vector<std::int64_t> counts;
  for (const expression::AxisGrid& axis : node()->grid) counts.push_back(axis.count());
  return counts;
}

std::int64_t Array::npartitions() const { return expression::chunk_count(node()->grid); }

Array Array::astype(Dtype dtype, const std::source_location& where) const {
  return Array(expression::make_cast(node(), dtype, where));
}
Array Array::view(Dtype dtype, const std::source_location& where) const {
  if (dtype.size() != this->dtype().size()) {
    throw Error(expression::at_line("view", where) + "an array of " + this->dtype().name() + " cannot be read as " +
                dtype.name() + ", whose elements have another size: convert it with astype");
  }
  return Array(expression::make_reinterpreted(node(), dtype, where));
}
Array Array::rechunk(Chunks chunks, const std::source_location& where) const {
  return arrays::rechunk(*this, chunks, where);
}
Array Array::reshape(Shape shape, const std::source_location& where) const {
  return arrays::reshape(*this, shape, where);
}
Array Array::transpose(const std::source_location& where) const { return arrays::transpose(*this, {}, where); }
#define WEFT_METHOD(name, function)                                                          \
  Array Array::name(const ReduceOptions& options, const std::source_location& where) const { \
    return arrays::function(*this, options, where);                                          \
  }
WEFT_METHOD(sum, sum)
WEFT_METHOD(mean, mean)
WEFT_METHOD(std, stddev)
WEFT_METHOD(var, var)
WEFT_METHOD(min, min)
WEFT_METHOD(max, max)
WEFT_METHOD(prod, prod)
WEFT_METHOD(any, any)
WEFT_METHOD(all, all)
WEFT_METHOD(argmin, argmin)
WEFT_METHOD(argmax, argmax)
WEFT_METHOD(cumsum, cumsum)
WEFT_METHOD(cumprod, cumprod)
#undef WEFT_METHOD

Array Array::transpose(const std::vector<int>& axes, const Where& where) const {
  return arrays::transpose(*this, axes, where);
}
Array Array::swapaxes(int first, int second, const Where& where) const {
  return arrays::swapaxes(*this, first, second, where);
}
Array Array::ravel(const Where& where) const { return arrays::ravel(*this, where); }
Array Array::squeeze(const Axes& axis, const Where& where) const { return arrays::squeeze(*this, axis, where); }
Array Array::dot(const Array& other, const Where& where) const { return arrays::dot(*this, other, where); }
Array Array::clip(const Operand& low, const Operand& high, const Where& where) const {
  return arrays::clip(Operand(*this, where), low, high);
}
Array Array::round(int decimals, const Where& where) const { return arrays::round(Operand(*this, where), decimals); }
Array Array::conj(const Where& where) const { return arrays::conj(Operand(*this, where)); }
Array Array::real(const Where& where) const { return arrays::real(Operand(*this, where)); }
Array Array::imag(const Where& where) const { return arrays::imag(Operand(*this, where)); }
Array Array::repeat(std::int64_t count, int axis, const Where& where) const {
  return arrays::repeat(*this, count, axis, where);
}
Array Array::topk(std::int64_t k, int axis, const Where& where) const { return arrays::topk(*this, k, axis, where); }
Array Array::argtopk(std::int64_t k, int axis, const Where& where) const {
  return arrays::argtopk(*this, k, axis, where);
}
Array Array::trace(std::int64_t k, const Where& where) const { return arrays::trace(*this, k, where); }
std::vector<Array> Array::nonzero(const Where& where) const { return arrays::nonzero(*this, where); }

std::string Array::text() const {
  if (node_ == nullptr) return "Array()";
  std::string text = "Array(" + name() + ", shape " + shape().text() + ", " + dtype().name() + ", chunks (";
  for (std::size_t axis = 0; axis < node_->grid.size(); ++axis) {
    const expression::AxisGrid& grid = node_->grid[axis];
    if (axis > 0) text += ", ";
    text += grid.known() ? std::to_string(grid.largest()) : "?";
    if (grid.count() > 1) text += " x " + std::to_string(grid.count());
  }
  if (!expression::known(node_->grid)) return text + "), ? B)";
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double bytes = static_cast<double>(nbytes());
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  char size[32];
  std::snprintf(size, sizeof size, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return text + "), " + size + ")";
}

std::ostream& operator<<(std::ostream& out, const Array& array) { return out << array.text(); }

}  // namespace weft::arrays
