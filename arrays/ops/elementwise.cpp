#include <weft/ops/elementwise.hpp>

#include "arrays/ops/apply.hpp"
#include "arrays/ops/telling.hpp"
#include "arrays/ops/times.hpp"

#include <weft/error.hpp>
#include <weft/ops/blocks.hpp>

#include <cmath>
#include <limits>
#include <optional>

namespace weft::arrays {
namespace ops {

namespace {

enum Kinds : unsigned { B = 1, I = 2, F = 4, C = 8 };

struct OpInfo {
  const char* name;
  int arity;
  Rule rule;
  unsigned types;
};
constexpr OpInfo kOps[] = {
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) {#name, arity, Rule::rule, types},
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
};

unsigned kind_of(Dtype type) {
  if (type.is_bool()) return B;
  if (type.is_integer() || type.is_time()) return I;
  return type.is_floating() ? F : C;
}

/// Returns the floating type that NumPy computes with for integers of this type; there is no 16-bit one here.
Dtype floating_of(Dtype type) {
  if (type.is_floating() || type.is_complex()) return type;
  return type.size() <= 2 ? float32 : float64;
}

Dtype common_type(const OpInfo& info, const std::vector<Operand>& operands, std::size_t first) {
  std::optional<Dtype> type;
  for (std::size_t i = first; i < operands.size(); ++i) {
    if (operands[i].is_scalar()) continue;
    const Dtype one = operands[i].array().dtype();
    type = type ? promote(*type, one) : one;
  }
  for (std::size_t i = first; i < operands.size(); ++i) {
    if (!operands[i].is_scalar()) continue;
    const Scalar& scalar = operands[i].scalar();
    type = type ? promote(*type, scalar) : scalar.dtype();
    if (info.rule != Rule::Compare) scalar.require_fits(*type);
  }
  return *type;
}

[[noreturn]] void refuse_type(const OpInfo& info, Dtype type, const std::source_location& where) {
  throw Error(at_line(info.name, where) + "is not defined for " + type.name() +
              ": convert the operand with astype first");
}

Dtype compute_type(const OpInfo& info, const std::vector<Operand>& operands) {
  const std::source_location& where = operands[0].where();
  if (info.rule == Rule::Logical) return bool_;
  Dtype type = told(info.name, where, [&] { return common_type(info, operands, info.rule == Rule::Select ? 1 : 0); });
  if (info.rule == Rule::Float) type = floating_of(type);
  const OpCode op = static_cast<OpCode>(&info - kOps);
  const bool divides = info.rule == Rule::Divide || info.rule == Rule::Wide || op == OpCode::angle;
  if (divides && !type.is_floating() && !type.is_complex()) type = float64;
  if (info.rule == Rule::Wide) type = type.is_complex() ? complex128 : float64;
  if ((info.types & kind_of(type)) != 0) return type;
  // Some operations take bools for small integers, as NumPy does; differences and signs of bools mean nothing.
  const bool senseless =
      op == OpCode::subtract || op == OpCode::negative || op == OpCode::positive || op == OpCode::sign;
  if (type.is_bool() && !senseless && (info.types & I) != 0) return int8;
  if ((info.types & F) != 0 && (info.types & I) == 0 && !type.is_complex()) return floating_of(type);
  refuse_type(info, type, where);
}

Dtype result_type(const OpInfo& info, Dtype computed) {
  switch (info.rule) {
    case Rule::Compare:
    case Rule::Logical:
    case Rule::Test:
      return bool_;
    case Rule::Part:
      return computed.real();
    case Rule::Same:
    case Rule::Float:
    case Rule::Divide:
    case Rule::Wide:
    case Rule::Select:
      return computed;
  }
  return computed;
}

}  // namespace

Grid broadcast_grid(const std::vector<NodePointer>& inputs, const char* operation) {
  std::size_t ndim = 0;
  for (const NodePointer& input : inputs) ndim = std::max(ndim, input->grid.size());
  Grid grid(ndim);
  std::vector<bool> set(ndim, false);
  for (const NodePointer& input : inputs) {
    const std::size_t shift = ndim - input->grid.size();
    for (std::size_t axis = 0; axis < input->grid.size(); ++axis) {
      const expression::AxisGrid& mine = input->grid[axis];
      expression::AxisGrid& out = grid[axis + shift];
      if (!set[axis + shift]) {
        out = mine;
        set[axis + shift] = true;
      } else if (out == mine) {
        continue;
      } else if ((!out.known() || !mine.known()) && out.extent() != 1 && mine.extent() != 1) {
        throw Error(at_line(operation, inputs[0]->where) + "extents along axis " + std::to_string(axis + shift) +
                    " are not known before the arrays have run, and they are not of the same origin");
      } else if (out.extent() == mine.extent()) {
        out = expression::common_refinement(out, mine);
      } else if (out.extent() == 1) {
        out = mine;
      } else if (mine.extent() != 1) {
        std::string shapes;
        for (const NodePointer& one : inputs) shapes += (shapes.empty() ? "" : " and ") + one->shape.text();
        throw Error(at_line(operation, inputs[0]->where) + "the shapes " + shapes + " do not broadcast: axis " +
                    std::to_string(axis + shift) + " of the result would be both " + std::to_string(out.extent()) +
                    " and " + std::to_string(mine.extent()) + " long");
      }
    }
  }
  return grid;
}

Grid broadcast_grid(const std::vector<NodePointer>& inputs, const char* operation, const std::source_location& where) {
  try {
    return broadcast_grid(inputs, operation);
  } catch (const Error&) {
    for (const NodePointer& one : inputs) {
      if (expression::known(one->grid)) continue;
      throw Error(at_line(operation, where) +
                  "an operand has extents that only running can tell, and the other one's are not of the same origin: "
                  "give both compute_chunk_sizes(client, x)");
    }
    // Again with the line of the call.
    std::string shapes;
    for (const NodePointer& one : inputs) shapes += (shapes.empty() ? "" : " and ") + one->shape.text();
    throw Error(at_line(operation, where) + "operands of the shapes " + shapes +
                " do not broadcast together: from the last axis on, extents must be equal or 1");
  }
}

namespace {

Array apply_typed(const OpInfo& info, Dtype type, const std::vector<Operand>& operands) {
  const OpCode op = static_cast<OpCode>(&info - kOps);
  const std::source_location& where = operands[0].where();
  std::vector<NodePointer> inputs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Dtype wanted = info.rule == Rule::Select && i == 0 ? bool_ : type;
    const Operand& operand = operands[i];
    if (operand.is_scalar()) {
      inputs.push_back(expression::make_constant(operand.scalar(), wanted, operand.where()));
    } else {
      inputs.push_back(expression::make_cast(operand.array().node(), wanted, operand.where()));
    }
  }
  Grid grid = broadcast_grid(inputs, info.name, where);
  for (NodePointer& input : inputs) input = expression::broadcast_to_grid(input, grid, where);
  return Array(expression::make_elementwise(op, type.code(), result_type(info, type), std::move(grid),
                                            std::move(inputs), where));
}

bool fits(const Scalar& scalar, Dtype type) {
  try {
    scalar.require_fits(type);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// The comparison with the operands exchanged.
OpCode exchanged(OpCode op) {
  if (op == OpCode::less) return OpCode::greater;
  if (op == OpCode::less_equal) return OpCode::greater_equal;
  if (op == OpCode::greater) return OpCode::less;
  return op == OpCode::greater_equal ? OpCode::less_equal : op;
}

/// Compares integers whose common type does not hold them all, as NumPy does: by their values. Nothing where there is
/// such a type.
std::optional<Array> compare_values(OpCode op, const Operand& a, const Operand& b) {
  if (a.is_scalar()) return b.is_scalar() ? std::nullopt : compare_values(exchanged(op), b, a);
  const Dtype type = a.array().dtype();
  if (!type.is_integer()) return std::nullopt;
  if (b.is_scalar()) {
    const Scalar& scalar = b.scalar();
    if (!scalar.dtype().is_integer() || fits(scalar, type)) return std::nullopt;
    // No element is equal to it; all are on the same side.
    const bool above = scalar.real() > 0;
    const bool holds = op == OpCode::not_equal || (above ? op == OpCode::less || op == OpCode::less_equal
                                                         : op == OpCode::greater || op == OpCode::greater_equal);
    return apply(holds ? OpCode::equal : OpCode::not_equal, {a, a});
  }
  const Dtype other = b.array().dtype();
  if (other == uint64 && type.is_signed()) return compare_values(exchanged(op), b, a);
  if (type != uint64 || !other.is_signed()) return std::nullopt;
  // A negative number is below every unsigned one.
  const Array below = less(b, 0);
  const Array holds = apply(op, {a, Operand(b.array().astype(uint64, b.where()), b.where())});
  const bool if_below = op == OpCode::greater || op == OpCode::greater_equal || op == OpCode::not_equal;
  return if_below ? logical_or(below, holds) : logical_and(logical_not(below), holds);
}

/// Integers have no negative powers: told where the exponent is a number, and otherwise by the task that meets one.
Operand whole_exponent(const Operand& exponent, const std::source_location& where) {
  constexpr const char* kWhy =
      "integers to negative integer powers are not allowed: convert the base with astype(float64), or use float_power";
  if (exponent.is_scalar()) {
    if (exponent.scalar().integer() < 0) throw Error(at_line("power", where) + kWhy);
    return exponent;
  }
  const Dtype type = exponent.array().dtype();
  if (!type.is_signed()) return exponent;
  const Array checked = elementwise(
      [](std::int64_t power) {
        if (power < 0) throw Error(std::string("power: ") + kWhy);
        return power;
      },
      exponent);
  return {checked.astype(type, where), where};
}

Array nan_where_zero(const Operand& a, const Array& result) {
  return arrays::where(equal(a, 0), std::complex<double>(NAN, NAN), result);
}

/// Powers of complex numbers where C++ and NumPy differ: the power 0 is 1, and 0 has powers above 0 only.
Array complex_power(const Operand& base, const Operand& exponent, const Array& result) {
  if (exponent.is_scalar()) {
    const Scalar& scalar = exponent.scalar();
    const bool whole = scalar.imaginary() == 0;
    if (whole && scalar.real() > 0) return result;
    if (whole && scalar.real() == 0) return power(real(base), 0.0).astype(result.dtype(), exponent.where());
    return nan_where_zero(base, result);
  }
  const Array above = logical_and(greater(real(exponent), 0), equal(imag(exponent), 0));
  return arrays::where(
      equal(exponent, 0), 1.0,
      arrays::where(above, result, arrays::where(equal(base, 0), std::complex<double>(NAN, NAN), result)));
}

}  // namespace

Array apply(OpCode op, const std::vector<Operand>& operands) {
  const OpInfo& info = kOps[static_cast<std::size_t>(op)];
  const std::source_location& where = operands[0].where();
  if (info.rule != Rule::Logical && has_times(operands)) return apply_times(op, info.name, operands);
  if (info.rule == Rule::Compare) {
    if (const std::optional<Array> result = compare_values(op, operands[0], operands[1])) return *result;
  }
  const Dtype type = compute_type(info, operands);
  if (op == OpCode::power && type.is_integer()) {
    return apply_typed(info, type, {operands[0], whole_exponent(operands[1], where)});
  }
  const Array result = apply_typed(info, type, operands);
  if (!type.is_complex()) return result;
  if (op == OpCode::reciprocal) return nan_where_zero(operands[0], result);
  return op == OpCode::power || op == OpCode::float_power ? complex_power(operands[0], operands[1], result) : result;
}

}  // namespace ops

Array detail::elementwise(UserFunction function, const std::vector<Operand>& operands) {
  const std::source_location& where = operands[0].where();
  std::vector<ops::NodePointer> inputs;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const Dtype type = function.kernel->views[i].dtype;
    const Operand& operand = operands[i];
    inputs.push_back(operand.is_scalar() ? expression::make_constant(operand.scalar(), type, operand.where())
                                         : expression::make_cast(operand.array().node(), type, operand.where()));
  }
  ops::Grid grid = ops::broadcast_grid(inputs, "elementwise", where);
  for (ops::NodePointer& input : inputs) input = expression::broadcast_to_grid(input, grid, where);
  return Array(expression::make_elementwise(std::move(function), std::move(grid), std::move(inputs), where));
}

#define WEFT_ARGUMENTS_1 a
#define WEFT_ARGUMENTS_2 a, b
#define WEFT_ARGUMENTS_3 a, b, c
#define WEFT_PARAMETERS_1 const Operand& a
#define WEFT_PARAMETERS_2 const Operand &a, const Operand &b
#define WEFT_PARAMETERS_3 const Operand &a, const Operand &b, const Operand &c
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression)                          \
  Array name(WEFT_PARAMETERS_##arity) {                                                 \
    return ops::apply(ops::OpCode::name, std::vector<Operand>{WEFT_ARGUMENTS_##arity}); \
  }
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE

#define WEFT_OPERATOR(symbol, name) \
  Array operator symbol(const Operand& left, const Operand& right) { return name(left, right); }
WEFT_OPERATOR(+, add)
WEFT_OPERATOR(-, subtract)
WEFT_OPERATOR(*, multiply)
WEFT_OPERATOR(/, true_divide)
WEFT_OPERATOR(%, remainder)
WEFT_OPERATOR(&, bitwise_and)
WEFT_OPERATOR(|, bitwise_or)
WEFT_OPERATOR(^, bitwise_xor)
WEFT_OPERATOR(<<, left_shift)
WEFT_OPERATOR(>>, right_shift)
WEFT_OPERATOR(==, equal)
WEFT_OPERATOR(!=, not_equal)
WEFT_OPERATOR(<, less)
WEFT_OPERATOR(<=, less_equal)
WEFT_OPERATOR(>, greater)
WEFT_OPERATOR(>=, greater_equal)
#undef WEFT_OPERATOR
Array operator-(const Operand& operand) { return negative(operand); }
Array operator+(const Operand& operand) { return positive(operand); }
Array operator~(const Operand& operand) { return invert(operand); }

namespace {

Dtype type_of(const Operand& operand) {
  return operand.is_scalar() ? operand.scalar().dtype() : operand.array().dtype();
}

}  // namespace

Array round(const Operand& a, int decimals) {
  const Dtype type = type_of(a);
  if (!type.is_floating() && !type.is_complex()) {
    if (type.is_bool()) return rint(a);
    if (decimals >= 0) return positive(a);
    const double factor = std::pow(10.0, -decimals);
    return (rint(true_divide(a, factor)) * factor).astype(type);
  }
  if (decimals == 0) return rint(a);
  const double factor = std::pow(10.0, std::abs(decimals));
  return decimals > 0 ? rint(a * Operand(factor)) / factor : rint(a / Operand(factor)) * factor;
}

Array clip(const Operand& a, const Operand& low, const Operand& high) {
  // A number below all that the type holds is no lower bound, one above no upper one.
  const auto binds = [&](const Operand& bound, bool upper) {
    if (a.is_scalar() || !bound.is_scalar() || !type_of(a).is_integer()) return true;
    const Scalar& scalar = bound.scalar();
    return !scalar.dtype().is_integer() || ops::fits(scalar, type_of(a)) || (scalar.real() > 0) != upper;
  };
  const bool from_below = binds(low, false), from_above = binds(high, true);
  if (!from_below && !from_above) return positive(a);
  if (!from_below) return minimum(a, high);
  return from_above ? minimum(maximum(a, low), high) : maximum(a, low);
}

Array isclose(const Operand& a, const Operand& given, double rtol, double atol, bool equal_nan) {
  // The difference of two integers may not fit their type.
  const Dtype type = type_of(given);
  const bool whole = type.is_bool() || type.is_integer();
  const Operand b = !whole              ? given
                    : given.is_scalar() ? Operand(Scalar(given.scalar().real()), given.where())
                                        : Operand(given.array().astype(float64, given.where()), given.where());
  const Array near = less_equal(absolute(subtract(a, b)), add(multiply(absolute(b), rtol), atol));
  const Array close = where(logical_and(isfinite(a), isfinite(b)), near, equal(a, b));
  return equal_nan ? logical_or(close, logical_and(isnan(a), isnan(b))) : close;
}

Array nan_to_num(const Operand& a, double nan) {
  const Dtype type = type_of(a);
  if (type.is_complex()) {
    return add(nan_to_num(real(a), nan), multiply(nan_to_num(imag(a), nan), std::complex<double>(0, 1)));
  }
  if (!type.is_floating()) return a.is_scalar() ? positive(a) : a.array();
  const double most = type == float32 ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const Array known = where(isnan(a), nan, a);
  return where(equal(known, std::numeric_limits<double>::infinity()), most,
               where(equal(known, -std::numeric_limits<double>::infinity()), -most, known));
}

Array isposinf(const Operand& a) { return logical_and(isinf(a), greater(a, 0)); }
Array isneginf(const Operand& a) { return logical_and(isinf(a), less(a, 0)); }
Array isnull(const Operand& a) { return isnan(a); }
Array notnull(const Operand& a) { return logical_not(isnan(a)); }

Array select(const std::vector<Array>& conditions, const std::vector<Array>& choices, const Operand& otherwise) {
  if (conditions.empty() || conditions.size() != choices.size()) {
    throw Error(ops::at_line("select", otherwise.where()) + std::to_string(conditions.size()) + " conditions and " +
                std::to_string(choices.size()) + " choices were given; there must be as many, and at least one");
  }
  Array chosen = where(conditions.back(), choices.back(), otherwise);
  for (std::size_t i = conditions.size() - 1; i-- > 0;) chosen = where(conditions[i], choices[i], chosen);
  return chosen;
}

}  // namespace weft::arrays
