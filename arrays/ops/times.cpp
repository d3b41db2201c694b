// Times: expressions of their counts, int64, in which NaT is the least number.
#include "arrays/ops/times.hpp"

#include "arrays/values/ticks.hpp"

#include <weft/ops/elementwise.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/times.hpp>

#include <algorithm>

namespace weft::arrays {

/// The quotient rounded down, which the calendar is computed with.
static Array quotient(const Array& a, std::int64_t b) { return floor_divide(a, b); }

namespace {

using Where = std::source_location;
using expression::make_cast;

Array raw(const Array& array) {
  return array.dtype() == int64 ? array : Array(make_cast(array.node(), int64, array.node()->where));
}

Array typed(const Array& counts, Dtype dtype) {
  return Array(make_cast(raw(counts).node(), dtype, counts.node()->where));
}

Array none_among(const Array& counts) { return equal(counts, kNaT); }

Array pick(const Operand& condition, const Operand& yes, const Operand& no) { return where(condition, yes, no); }

/// What stands for NaT where the least number would be chosen wrongly.
Array last_if_none(const Array& counts) {
  return pick(none_among(counts), std::numeric_limits<std::int64_t>::max(), counts);
}

/// The counts of an operand in a unit; numbers count units already.
Array counts_in(const Operand& operand, Dtype wanted) {
  if (operand.is_scalar()) {
    const Scalar& scalar = operand.scalar();
    std::int64_t count = scalar.integer();
    if (scalar.dtype().is_time() && count != kNaT) {
      count = convert_ticks(count, scalar.dtype(), Dtype(scalar.dtype().code(), wanted.unit()));
    }
    return full({}, Scalar(Scalar(count), int64), {.dtype = int64}, operand.where());
  }
  const Array& array = operand.array();
  if (!array.dtype().is_time()) return array.astype(int64, operand.where());
  return raw(array.astype(Dtype(array.dtype().code(), wanted.unit()), operand.where()));
}

Dtype type_of(const Operand& operand) {
  return operand.is_scalar() ? operand.scalar().dtype() : operand.array().dtype();
}

/// Two operands of which one at least is a time.
struct Pair {
  const char* name;
  const Operand& a;
  const Operand& b;
  Dtype left = type_of(a);
  Dtype right = type_of(b);

  bool dates(Dtype type) const { return type.code() == TypeCode::Datetime64; }
  bool spans(Dtype type) const { return type.code() == TypeCode::Timedelta64; }
  bool whole(Dtype type) const { return type.is_integer() || type.is_bool(); }
  [[noreturn]] void refuse() const {
    throw Error(ops::at_line(name, a.where()) + "is not defined for " + left.name() + " and " + right.name());
  }
  TimeUnit unit() const {
    if (!left.is_time()) return right.unit();
    return right.is_time() ? std::max(left.unit(), right.unit()) : left.unit();
  }
  Dtype as(TypeCode code) const { return Dtype(code, unit()); }
  Array x() const { return counts_in(a, as(TypeCode::Timedelta64)); }
  Array y() const { return counts_in(b, as(TypeCode::Timedelta64)); }
  /// The counts of an operation, NaT where one of the operands is.
  Array guarded(const Array& counts, TypeCode code) const {
    return typed(pick(logical_or(none_among(x()), none_among(y())), kNaT, counts), as(code));
  }
};

Array add_times(const Pair& two) {
  const bool date = two.dates(two.left) || two.dates(two.right);
  if (two.dates(two.left) && two.dates(two.right)) two.refuse();
  for (const Dtype type : {two.left, two.right}) {
    if (!type.is_time() && !two.whole(type)) two.refuse();
  }
  return two.guarded(two.x() + two.y(), date ? TypeCode::Datetime64 : TypeCode::Timedelta64);
}

Array subtract_times(const Pair& two) {
  if (two.dates(two.right) && !two.dates(two.left)) two.refuse();
  for (const Dtype type : {two.left, two.right}) {
    if (!type.is_time() && !two.whole(type)) two.refuse();
  }
  const bool date = two.dates(two.left) && !two.dates(two.right);
  return two.guarded(two.x() - two.y(), date ? TypeCode::Datetime64 : TypeCode::Timedelta64);
}

/// The counts, a float64 rounded toward zero; NaN and what is out of range become NaT.
Array span_of(const Array& real, const Array& none, Dtype type) {
  const Array fits = logical_and(greater(real, -9.2233720368547758e18), less(real, 9.2233720368547758e18));
  const Array counts = pick(fits, real, 0.0).astype(int64);
  return typed(pick(logical_and(fits, logical_not(none)), counts, kNaT), type);
}

Array number_of(const Operand& operand) {
  if (operand.is_scalar()) return full({}, Scalar(operand.scalar().real()), {.dtype = float64}, operand.where());
  return operand.array().astype(float64, operand.where());
}

Array multiply_times(const Pair& two) {
  const bool first = two.spans(two.left);
  const Dtype span = first ? two.left : two.right, other = first ? two.right : two.left;
  if (!two.spans(span) || other.is_time() || other.is_complex()) two.refuse();
  const Operand& time = first ? two.a : two.b;
  const Operand& factor = first ? two.b : two.a;
  const Array counts = counts_in(time, span);
  if (two.whole(other)) {
    return typed(pick(none_among(counts), kNaT, counts * counts_in(factor, int64)), span);
  }
  return span_of(counts.astype(float64) * number_of(factor), none_among(counts), span);
}

Array divide_times(const Pair& two, bool floored) {
  if (!two.spans(two.left) || two.dates(two.right) || two.right.is_complex()) two.refuse();
  if (two.spans(two.right)) {
    const Array x = two.x(), y = two.y();
    const Array none = logical_or(none_among(x), none_among(y));
    if (floored)
      return pick(logical_or(none, equal(y, 0)), Scalar(0), floor_divide(x, pick(equal(y, 0), Scalar(1), y)));
    return pick(none, std::numeric_limits<double>::quiet_NaN(), true_divide(x, y));
  }
  // By a number always toward zero, as NumPy has it.
  const Array counts = counts_in(two.a, two.left);
  if (!two.whole(two.right)) {
    return span_of(counts.astype(float64) / number_of(two.b), none_among(counts), two.left);
  }
  const Array by = counts_in(two.b, int64);
  const Array safe = pick(equal(by, 0), Scalar(1), by);
  const Array down = floor_divide(counts, safe);
  const Array quotients = pick(logical_and(less(down, 0), not_equal(down * safe, counts)), down + 1, down);
  return typed(pick(logical_or(none_among(counts), equal(by, 0)), kNaT, quotients), two.left);
}

Array remainder_times(const Pair& two) {
  if (!two.spans(two.left) || !two.spans(two.right)) two.refuse();
  const Array x = two.x(), y = two.y();
  const Array none = logical_or(logical_or(none_among(x), none_among(y)), equal(y, 0));
  return typed(pick(none, kNaT, remainder(x, pick(equal(y, 0), Scalar(1), y))), two.as(TypeCode::Timedelta64));
}

void require_same_kind(const Pair& two) {
  if (two.dates(two.left) != two.dates(two.right)) two.refuse();
  for (const Dtype type : {two.left, two.right}) {
    if (!type.is_time() && !two.whole(type)) two.refuse();
  }
}

Array compare_times(ops::OpCode op, const Pair& two) {
  require_same_kind(two);
  const Array x = two.x(), y = two.y();
  const Array known = logical_not(logical_or(none_among(x), none_among(y)));
  const Array holds = ops::apply(op, {x, y});
  return op == ops::OpCode::not_equal ? logical_or(holds, logical_not(known)) : logical_and(holds, known);
}

Array choose_times(ops::OpCode op, const Pair& two) {
  require_same_kind(two);
  const TypeCode code = two.dates(two.left) ? TypeCode::Datetime64 : TypeCode::Timedelta64;
  const Array x = two.x(), y = two.y();
  if (op == ops::OpCode::maximum) return two.guarded(maximum(x, y), code);
  if (op == ops::OpCode::minimum) return two.guarded(minimum(x, y), code);
  if (op == ops::OpCode::fmax) return typed(maximum(x, y), two.as(code));
  return typed(pick(none_among(x), y, pick(none_among(y), x, minimum(x, y))), two.as(code));
}

Array one_time(ops::OpCode op, const char* name, const Operand& operand) {
  const Dtype type = type_of(operand);
  const Array counts = counts_in(operand, type);
  const Array none = none_among(counts);
  if (op == ops::OpCode::isnan) return none;
  if (op == ops::OpCode::isfinite) return logical_not(none);
  if (op == ops::OpCode::isinf) return logical_and(none, logical_not(none));
  if (op == ops::OpCode::positive) return typed(counts, type);
  if (op == ops::OpCode::logical_not) return equal(counts, 0);
  if (type.code() == TypeCode::Timedelta64) {
    // The negative of NaT is itself.
    if (op == ops::OpCode::negative) return typed(negative(counts), type);
    if (op == ops::OpCode::absolute || op == ops::OpCode::fabs) return typed(absolute(counts), type);
    if (op == ops::OpCode::sign) return typed(pick(none, kNaT, sign(counts)), type);
  }
  throw Error(ops::at_line(name, operand.where()) + "is not defined for " + type.name());
}

}  // namespace

bool ops::has_times(const std::vector<Operand>& operands) {
  return std::any_of(operands.begin(), operands.end(), [](const Operand& one) { return type_of(one).is_time(); });
}

Array ops::apply_times(OpCode op, const char* name, const std::vector<Operand>& operands) {
  if (operands.size() == 1) return one_time(op, name, operands[0]);
  if (op == OpCode::where) {
    const Pair two{name, operands[1], operands[2]};
    require_same_kind(two);
    const bool date = two.dates(two.left) || two.dates(two.right);
    return typed(pick(operands[0], two.x(), two.y()), two.as(date ? TypeCode::Datetime64 : TypeCode::Timedelta64));
  }
  const Pair two{name, operands[0], operands[1]};
  const auto is_one_of = [&](std::initializer_list<OpCode> codes) {
    return std::find(codes.begin(), codes.end(), op) != codes.end();
  };
  if (op == OpCode::add) return add_times(two);
  if (op == OpCode::subtract) return subtract_times(two);
  if (op == OpCode::multiply) return multiply_times(two);
  if (op == OpCode::true_divide) return divide_times(two, false);
  if (op == OpCode::floor_divide) return divide_times(two, true);
  if (op == OpCode::remainder) return remainder_times(two);
  if (is_one_of({OpCode::equal, OpCode::not_equal, OpCode::less, OpCode::less_equal, OpCode::greater,
                 OpCode::greater_equal})) {
    return compare_times(op, two);
  }
  if (is_one_of({OpCode::maximum, OpCode::minimum, OpCode::fmax, OpCode::fmin})) return choose_times(op, two);
  two.refuse();
}

expression::NodePointer expression::convert_unit(const NodePointer& input, Dtype dtype, const Where& where) {
  if (input->dtype.code() != dtype.code()) {
    throw Error(at_line("astype", where) + input->dtype.name() + " does not become " + dtype.name() +
                ": subtract or add a datetime");
  }
  const Array counts = raw(Array(input));
  try {
    return typed(pick(none_among(counts), kNaT, convert_ticks(counts, input->dtype, dtype)), dtype).node();
  } catch (const Error& error) {
    throw Error(at_line("astype", where) + error.what());
  }
}

Array ops::reduce_times(const std::string& name, const Array& array, const ReduceOptions& options, const Where& where) {
  const Array counts = raw(array);
  const Dtype type = array.dtype();
  const bool span = type.code() == TypeCode::Timedelta64;
  const auto unless_none = [&](const Array& result) {
    return typed(pick(any(none_among(counts), options, where), kNaT, result), type);
  };
  const Array without = pick(none_among(counts), Scalar(0), counts);
  // The least number is NaT: it is found first, and last where numbers are asked for.
  if (name == "min") return typed(min(counts, options, where), type);
  if (name == "max") return unless_none(max(counts, options, where));
  if (name == "nanmax") return typed(max(counts, options, where), type);
  if (name == "nanmin") {
    const Array least = min(last_if_none(counts), options, where);
    return typed(pick(equal(least, std::numeric_limits<std::int64_t>::max()), kNaT, least), type);
  }
  if (name == "argmin") return argmin(counts, options, where);
  if (name == "argmax") return argmax(last_if_none(counts), options, where);
  if (name == "nanargmin") return argmin(last_if_none(counts), options, where);
  if (name == "nanargmax") return argmax(counts, options, where);
  if (name == "any") return any(counts, options, where);
  if (name == "all") return all(counts, options, where);
  if (name == "count_nonzero") return count_nonzero(counts, options, where);
  if (span && name == "sum") return unless_none(sum(without, options, where));
  if (span && name == "nansum") return typed(sum(without, options, where), type);
  if (span && name == "mean") {
    const Array total = sum(without, options, where);
    const Array number = sum(ones_like(counts, where), options, where);
    return unless_none(raw(typed(total, type) / number));
  }
  throw Error(at_line(name.c_str(), where) + "is not defined for " + type.name() +
              (span ? "" : ": subtract a datetime first"));
}

Array ops::arange_times(const Scalar& start, const Scalar& stop, const Scalar& step, const CreateOptions& options,
                        const Where& where) {
  Dtype type = start.dtype();
  if (!type.is_time())
    throw Error(at_line("arange", where) + "begins with a number and ends with " + stop.dtype().name());
  for (const Scalar* one : {&stop, &step}) {
    if (one->dtype().is_time()) type = Dtype(type.code(), std::max(type.unit(), one->dtype().unit()));
  }
  if (options.dtype) type = *options.dtype;
  const auto counts = [&](const Scalar& one) {
    const Dtype own = one.dtype();
    if (!own.is_time()) return one.integer();
    return convert_ticks(one.integer(), own, Dtype(own.code(), type.unit()));
  };
  CreateOptions whole = options;
  whole.dtype = int64;
  return typed(arange(counts(start), counts(stop), counts(step), whole, where), type);
}

Array isnat(const Array& array, const Where& where) {
  if (!array.dtype().is_time()) {
    throw Error(ops::at_line("isnat", where) + "is defined for times, not for " + array.dtype().name());
  }
  return none_among(raw(array));
}

}  // namespace weft::arrays
