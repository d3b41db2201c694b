#include "frames/expression/operand.hpp"

#include <weft/error.hpp>

#include <cmath>
#include <cstring>
#include <limits>

namespace weft::frames {
namespace {

/// Elements of one type, or one that stands for all.
template <class T>
struct Values {
  const T* data = nullptr;
  T one{};
  Column kept;  // what `data` points into

  Values(const Operand& operand, ColumnType type) {
    if (!operand.is_literal) {
      kept = operand.column.cast(type);
      data = kept.data<T>();
      return;
    }
    const Column column = spread(operand.literal, 1, type).cast(type);
    one = column.data<T>()[0];
  }
};

template <class Out, class T, class F>
void apply(const Values<T>& a, const Values<T>& b, std::size_t rows, Out* out, F function) {
  if (a.data != nullptr && b.data != nullptr) {
    for (std::size_t i = 0; i < rows; ++i) out[i] = function(a.data[i], b.data[i]);
  } else if (a.data != nullptr) {
    for (std::size_t i = 0; i < rows; ++i) out[i] = function(a.data[i], b.one);
  } else {
    const T left = a.one;
    for (std::size_t i = 0; i < rows; ++i) out[i] = function(left, b.data != nullptr ? b.data[i] : b.one);
  }
}

/// Marks rows in which an operand is marked missing, or is a literal that is.
void mark_missing(const Operand& a, const Operand& b, Column& result) {
  const auto all_of = [](const Operand& one) { return one.is_literal && one.literal.index() == 0; };
  const bool marked =
      (!a.is_literal && a.column.has_missing_marks()) || (!b.is_literal && b.column.has_missing_marks());
  if (!marked && !all_of(a) && !all_of(b)) return;
  std::uint8_t* const marks = result.make_marks();
  if (all_of(a) || all_of(b)) {
    if (result.size() != 0) std::memset(marks, 0, result.size());
    return;
  }
  for (const Operand* const one : {&a, &b}) {
    if (one->is_literal || !one->column.has_missing_marks()) continue;
    for (std::size_t i = 0; i < result.size(); ++i) marks[i] = marks[i] & one->column.marks()[i];
  }
}

ColumnType type_of(const Operand& operand, ColumnType other) {
  if (!operand.is_literal) return operand.column.type();
  switch (operand.literal.index()) {
    case 0:
      return other;
    case 1:
      return ColumnType::Bool;
    case 2:
      return other == ColumnType::Int32 || other == ColumnType::Float32 ? other : ColumnType::Int64;
    case 3:
      return other == ColumnType::Float32 ? other : ColumnType::Float64;
    default:
      return ColumnType::String;
  }
}

bool is_text(ColumnType type) { return type == ColumnType::String || type == ColumnType::Category; }
bool is_float(ColumnType type) { return type == ColumnType::Float32 || type == ColumnType::Float64; }

/// Returns the type in which two numbers are computed with.
ColumnType number_type(ColumnType a, ColumnType b) {
  if (a == b) return a == ColumnType::Bool ? ColumnType::Int64 : a;
  if (is_float(a) || is_float(b)) {
    const ColumnType other = is_float(a) ? b : a;
    const bool narrow = (a == ColumnType::Float32 || b == ColumnType::Float32) && other == ColumnType::Bool;
    return narrow ? ColumnType::Float32 : ColumnType::Float64;
  }
  return a == ColumnType::Int64 || b == ColumnType::Int64 ? ColumnType::Int64 : ColumnType::Int32;
}

template <class T>
T wrapped(ColumnOp op, T a, T b) {
  using U = std::make_unsigned_t<T>;
  const U x = static_cast<U>(a), y = static_cast<U>(b);
  return static_cast<T>(op == ColumnOp::Add ? x + y : op == ColumnOp::Subtract ? x - y : x * y);
}

template <class T>
T floor_divided(T a, T b) {
  if (b == 0 || (b == -1 && a == std::numeric_limits<T>::min())) return b == 0 ? 0 : a;
  const T quotient = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? static_cast<T>(quotient - 1) : quotient;
}

template <class T>
T floor_modulo(T a, T b) {
  if (b == 0 || b == -1) return 0;
  const T rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? static_cast<T>(rest + b) : rest;
}

double real_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

std::int64_t whole_power(std::int64_t base, std::int64_t exponent) {
  std::uint64_t result = 1, square = static_cast<std::uint64_t>(base);
  for (; exponent > 0; exponent >>= 1, square *= square) {
    if ((exponent & 1) != 0) result *= square;
  }
  return static_cast<std::int64_t>(result);
}

template <class T>
Column whole_arithmetic(ColumnOp op, const Operand& a, const Operand& b, ColumnType type, std::size_t rows) {
  Column result(type, rows);
  T* const out = result.data<T>();
  const Values<T> x(a, type), y(b, type);
  if (op == ColumnOp::Add) {
    apply(x, y, rows, out, [](T l, T r) { return wrapped(ColumnOp::Add, l, r); });
  } else if (op == ColumnOp::Subtract) {
    apply(x, y, rows, out, [](T l, T r) { return wrapped(ColumnOp::Subtract, l, r); });
  } else if (op == ColumnOp::Multiply) {
    apply(x, y, rows, out, [](T l, T r) { return wrapped(ColumnOp::Multiply, l, r); });
  } else if (op == ColumnOp::FloorDivide) {
    apply(x, y, rows, out, [](T l, T r) { return floor_divided(l, r); });
  } else if (op == ColumnOp::Modulo) {
    apply(x, y, rows, out, [](T l, T r) { return floor_modulo(l, r); });
  } else {
    apply(x, y, rows, out, [](T l, T r) { return static_cast<T>(whole_power(l, r)); });
  }
  mark_missing(a, b, result);
  if (op != ColumnOp::FloorDivide && op != ColumnOp::Modulo) return result;
  // A whole number has no value for what division by zero gives: it is missing.
  for (std::size_t i = 0; i < rows; ++i) {
    if ((y.data != nullptr ? y.data[i] : y.one) != 0) continue;
    (result.has_missing_marks() ? const_cast<std::uint8_t*>(result.marks()) : result.make_marks())[i] = 0;
  }
  return result;
}

template <class T>
Column real_arithmetic(ColumnOp op, const Operand& a, const Operand& b, ColumnType type, std::size_t rows) {
  Column result(type, rows);
  T* const out = result.data<T>();
  const Values<T> x(a, type), y(b, type);
  if (op == ColumnOp::Add) {
    apply(x, y, rows, out, [](T l, T r) { return l + r; });
  } else if (op == ColumnOp::Subtract) {
    apply(x, y, rows, out, [](T l, T r) { return l - r; });
  } else if (op == ColumnOp::Multiply) {
    apply(x, y, rows, out, [](T l, T r) { return l * r; });
  } else if (op == ColumnOp::Divide) {
    apply(x, y, rows, out, [](T l, T r) { return l / r; });
  } else if (op == ColumnOp::FloorDivide) {
    apply(x, y, rows, out, [](T l, T r) { return std::floor(l / r); });
  } else if (op == ColumnOp::Modulo) {
    apply(x, y, rows, out, [](T l, T r) { return static_cast<T>(real_modulo(l, r)); });
  } else {
    apply(x, y, rows, out, [](T l, T r) { return std::pow(l, r); });
  }
  return result;
}

Column joined_texts(const Operand& a, const Operand& b, std::size_t rows) {
  const Column x = column_of(a, rows).cast(ColumnType::String), y = column_of(b, rows).cast(ColumnType::String);
  std::vector<std::string> texts(rows);
  for (std::size_t i = 0; i < rows; ++i) texts[i] = std::string(x.text(i)).append(y.text(i));
  Column result = Column::of(texts);
  mark_missing({x, {}, false}, {y, {}, false}, result);
  return result;
}

Column arithmetic(ColumnOp op, const Operand& a, const Operand& b, std::size_t rows) {
  const ColumnType of_b = type_of(b, type_of(a, ColumnType::Float64));
  const ColumnType of_a = type_of(a, of_b);
  if (is_text(of_a) && is_text(of_b) && op == ColumnOp::Add) return joined_texts(a, b, rows);
  if (is_text(of_a) || is_text(of_b)) refuse_operands(op, a, b);
  const bool time_a = of_a == ColumnType::Timestamp, time_b = of_b == ColumnType::Timestamp;
  if (time_a || time_b) {
    // The span between two times is a whole number of nanoseconds, and so is what may be added to one.
    const bool span = op == ColumnOp::Subtract && time_a && time_b;
    const bool shift = (op == ColumnOp::Subtract && time_a && !time_b) || (op == ColumnOp::Add && time_a != time_b);
    if (!span && !shift) refuse_operands(op, a, b);
    return whole_arithmetic<std::int64_t>(op, a, b, ColumnType::Int64, rows)
        .cast(span ? ColumnType::Int64 : ColumnType::Timestamp);
  }
  ColumnType type = number_type(of_a, of_b);
  if (op == ColumnOp::Divide && !is_float(type)) type = ColumnType::Float64;
  if (op == ColumnOp::Power && !is_float(type)) {
    const auto* const exponent = std::get_if<std::int64_t>(&b.literal);
    if (b.is_literal && (exponent == nullptr || *exponent < 0)) type = ColumnType::Float64;
  }
  if (type == ColumnType::Int32) return whole_arithmetic<std::int32_t>(op, a, b, type, rows);
  if (type == ColumnType::Int64) return whole_arithmetic<std::int64_t>(op, a, b, type, rows);
  if (type == ColumnType::Float32) return real_arithmetic<float>(op, a, b, type, rows);
  return real_arithmetic<double>(op, a, b, ColumnType::Float64, rows);
}

template <class T>
void compare(ColumnOp op, const Values<T>& a, const Values<T>& b, std::size_t rows, std::uint8_t* out) {
  if (op == ColumnOp::Equal) {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l == r; });
  } else if (op == ColumnOp::NotEqual) {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l != r; });
  } else if (op == ColumnOp::Less) {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l < r; });
  } else if (op == ColumnOp::LessEqual) {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l <= r; });
  } else if (op == ColumnOp::Greater) {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l > r; });
  } else {
    apply(a, b, rows, out, [](const T& l, const T& r) -> std::uint8_t { return l >= r; });
  }
}

bool holds(ColumnOp op, int order) {
  if (op == ColumnOp::Equal) return order == 0;
  if (op == ColumnOp::NotEqual) return order != 0;
  if (op == ColumnOp::Less) return order < 0;
  if (op == ColumnOp::LessEqual) return order <= 0;
  if (op == ColumnOp::Greater) return order > 0;
  return order >= 0;
}

ColumnOp turned(ColumnOp op) {
  if (op == ColumnOp::Less) return ColumnOp::Greater;
  if (op == ColumnOp::LessEqual) return ColumnOp::GreaterEqual;
  if (op == ColumnOp::Greater) return ColumnOp::Less;
  if (op == ColumnOp::GreaterEqual) return ColumnOp::LessEqual;
  return op;
}

/// Compares with one text: a category's list is looked at once.
void compare_with(ColumnOp op, const Column& column, std::string_view text, std::uint8_t* out) {
  if (column.type() == ColumnType::Category) {
    const Column& list = column.category_list();
    std::vector<std::uint8_t> of_code(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) of_code[i] = holds(op, list.text(i).compare(text)) ? 1 : 0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      const std::int32_t code = column.data<std::int32_t>()[i];
      out[i] = code >= 0 ? of_code[static_cast<std::size_t>(code)] : 0;
    }
    return;
  }
  for (std::size_t i = 0; i < column.size(); ++i) out[i] = holds(op, column.text(i).compare(text)) ? 1 : 0;
}

void compare_texts(ColumnOp op, const Operand& a, const Operand& b, std::size_t rows, std::uint8_t* out) {
  if (b.is_literal && b.literal.index() == 4) return compare_with(op, a.column, std::get<std::string>(b.literal), out);
  if (a.is_literal && a.literal.index() == 4)
    return compare_with(turned(op), b.column, std::get<std::string>(a.literal), out);
  const Column x = column_of(a, rows), y = column_of(b, rows);
  for (std::size_t i = 0; i < rows; ++i) out[i] = holds(op, x.text(i).compare(y.text(i))) ? 1 : 0;
}

/// Returns a literal text as the time it names, where it stands beside a time.
Operand as_time(const Operand& operand) {
  if (!operand.is_literal || operand.literal.index() != 4) return operand;
  const auto time = parse_timestamp(std::get<std::string>(operand.literal));
  if (!time)
    throw Error("'" + std::get<std::string>(operand.literal) +
                "' is no time to compare with: write \"2015-03-29 07:05:00\"");
  return {{}, *time, true};
}

Column comparison(ColumnOp op, const Operand& left, const Operand& right, std::size_t rows) {
  Operand a = left, b = right;
  ColumnType of_b = type_of(b, type_of(a, ColumnType::Float64));
  ColumnType of_a = type_of(a, of_b);
  if (of_a == ColumnType::Timestamp || of_b == ColumnType::Timestamp) {
    a = as_time(a);
    b = as_time(b);
    of_a = of_b = ColumnType::Timestamp;
  }
  if (is_text(of_a) != is_text(of_b)) refuse_operands(op, left, right);
  Column result(ColumnType::Bool, rows);
  auto* const out = result.data<std::uint8_t>();
  if (is_text(of_a)) {
    compare_texts(op, a, b, rows, out);
  } else if (of_a == ColumnType::Timestamp) {
    compare(op, Values<std::int64_t>(a, ColumnType::Int64), Values<std::int64_t>(b, ColumnType::Int64), rows, out);
  } else if (of_a == of_b && of_a == ColumnType::Float32) {
    compare(op, Values<float>(a, of_a), Values<float>(b, of_a), rows, out);
  } else if (is_float(of_a) || is_float(of_b)) {
    compare(op, Values<double>(a, ColumnType::Float64), Values<double>(b, ColumnType::Float64), rows, out);
  } else {
    compare(op, Values<std::int64_t>(a, ColumnType::Int64), Values<std::int64_t>(b, ColumnType::Int64), rows, out);
  }
  // What is missing equals nothing. (NaN has seen to that itself.)
  const std::uint8_t unequal = op == ColumnOp::NotEqual ? 1 : 0;
  for (const Operand* const one : {&a, &b}) {
    if (one->is_literal ? one->literal.index() == 0 : false) {
      if (rows != 0) std::memset(out, unequal, rows);
    } else if (!one->is_literal && (one->column.has_missing_marks() || one->column.type() == ColumnType::Category)) {
      for (std::size_t i = 0; i < rows; ++i) out[i] = one->column.is_missing(i) ? unequal : out[i];
    }
  }
  return result;
}

Column logic(ColumnOp op, const Operand& a, const Operand& b, std::size_t rows) {
  const ColumnType of_a = type_of(a, ColumnType::Bool), of_b = type_of(b, ColumnType::Bool);
  if (of_a != ColumnType::Bool || of_b != ColumnType::Bool) refuse_operands(op, a, b);
  const Column x = a.is_literal ? spread(a.literal, rows, ColumnType::Bool) : a.column;
  const Column y = b.is_literal ? spread(b.literal, rows, ColumnType::Bool) : b.column;
  Column result(ColumnType::Bool, rows);
  auto* const out = result.data<std::uint8_t>();
  const auto* const l = x.data<std::uint8_t>();
  const auto* const r = y.data<std::uint8_t>();
  for (std::size_t i = 0; i < rows; ++i) out[i] = op == ColumnOp::And ? l[i] & r[i] : l[i] | r[i];
  if (!x.has_missing_marks() && !y.has_missing_marks()) return result;
  std::uint8_t* const marks = result.make_marks();
  const std::uint8_t decides = op == ColumnOp::And ? 0 : 1;
  for (std::size_t i = 0; i < rows; ++i) {
    const bool no_x = x.is_missing(i), no_y = y.is_missing(i);
    if (!no_x && !no_y) continue;
    const bool decided = (!no_x && l[i] == decides) || (!no_y && r[i] == decides);
    marks[i] = decided ? 1 : 0;
    out[i] = decides;
  }
  return result;
}

template <class T, class F>
Column mapped(const Column& column, ColumnType type, F function) {
  Column result(type, column.size());
  for (std::size_t i = 0; i < column.size(); ++i) result.data<T>()[i] = function(column.data<T>()[i]);
  result.share_marks_of(column);
  return result;
}

/// Half to even, at this many decimals.
double rounded(double value, std::int64_t decimals) {
  const double scale = std::pow(10.0, static_cast<double>(decimals));
  const double scaled = value * scale;
  return std::isfinite(scaled) ? std::nearbyint(scaled) / scale : value;
}

Column real_function(const ColumnStep& step, const Column& column) {
  const Column real = column.cast(ColumnType::Float64);
  Column result(ColumnType::Float64, real.size());
  const double* const in = real.data<double>();
  double* const out = result.data<double>();
  for (std::size_t i = 0; i < real.size(); ++i) {
    out[i] = step.op == ColumnOp::Sqrt  ? std::sqrt(in[i])
             : step.op == ColumnOp::Exp ? std::exp(in[i])
             : step.op == ColumnOp::Log ? std::log(in[i])
                                        : rounded(in[i], step.first);
  }
  return column.type() == ColumnType::Float32 ? result.cast(ColumnType::Float32) : result;
}

Column number_function(const ColumnStep& step, const Operand& a, std::size_t rows) {
  const Column column = column_of(a, rows);
  const ColumnType type = column.type();
  if (is_text(type) || type == ColumnType::Timestamp) refuse_operand(step.op, a);
  if (step.op == ColumnOp::Negate || step.op == ColumnOp::Absolute) {
    const bool negate = step.op == ColumnOp::Negate;
    if (type == ColumnType::Float64)
      return mapped<double>(column, type, [negate](double x) { return negate ? -x : std::fabs(x); });
    if (type == ColumnType::Float32)
      return mapped<float>(column, type, [negate](float x) { return negate ? -x : std::fabs(x); });
    const Column whole = column.cast(ColumnType::Int64);
    return mapped<std::int64_t>(whole, ColumnType::Int64,
                                [negate](std::int64_t x) {
                                  return negate || x < 0 ? wrapped(ColumnOp::Subtract, std::int64_t{0}, x) : x;
                                })
        .cast(type == ColumnType::Int32 ? type : ColumnType::Int64);
  }
  if (step.op == ColumnOp::Round && !is_float(type) && step.first >= 0) return column;
  if (step.op == ColumnOp::Round && !is_float(type)) return real_function(step, column).cast(type);
  return real_function(step, column);
}

}  // namespace

std::string_view symbol_of(ColumnOp op) {
  constexpr std::string_view kSymbols[] = {"a name", "a literal", "+",  "-",   "*",     "/",    "floordiv", "%",
                                           "pow",    "==",        "!=", "<",   "<=",    ">",    ">=",       "&",
                                           "|",      "-",         "!",  "abs", "round", "sqrt", "exp",      "log"};
  const auto number = static_cast<std::size_t>(op);
  return number < std::size(kSymbols) ? kSymbols[number] : op == ColumnOp::Where ? "where" : "this function";
}

void refuse_operands(ColumnOp op, const Operand& a, const Operand& b) {
  throw Error("'" + std::string(symbol_of(op)) + "' does not go with " + kind_of(a) + " and " + kind_of(b) +
              ": astype makes columns alike");
}

void refuse_operand(ColumnOp op, const Operand& a) {
  throw Error("'" + std::string(symbol_of(op)) + "' does not go with " + kind_of(a));
}

Operand binary(ColumnOp op, const Operand& a, const Operand& b, std::size_t rows) {
  if (op == ColumnOp::And || op == ColumnOp::Or) return {logic(op, a, b, rows), {}, false};
  if (op >= ColumnOp::Equal && op <= ColumnOp::GreaterEqual) return {comparison(op, a, b, rows), {}, false};
  return {arithmetic(op, a, b, rows), {}, false};
}

Operand unary(const ColumnStep& step, const Operand& a, std::size_t rows) {
  if (step.op == ColumnOp::Cast) return {column_of(a, rows).cast(static_cast<ColumnType>(step.first)), {}, false};
  if (step.op == ColumnOp::IsIn) return {is_in(column_of(a, rows), step.list), {}, false};
  const Column column = column_of(a, rows);
  if (step.op == ColumnOp::IsMissing || step.op == ColumnOp::IsPresent) {
    Column result(ColumnType::Bool, rows);
    for (std::size_t i = 0; i < rows; ++i)
      result.data<std::uint8_t>()[i] = column.is_missing(i) == (step.op == ColumnOp::IsMissing) ? 1 : 0;
    return {std::move(result), {}, false};
  }
  if (step.op == ColumnOp::Not) {
    if (column.type() != ColumnType::Bool) refuse_operand(step.op, a);
    return {mapped<std::uint8_t>(column, ColumnType::Bool, [](std::uint8_t x) -> std::uint8_t { return x == 0; }),
            {},
            false};
  }
  if (step.op == ColumnOp::Codes) {
    static_cast<void>(column.category_list());
    Column codes(ColumnType::Int32, rows);
    if (rows != 0) std::memcpy(codes.data<std::int32_t>(), column.data<std::int32_t>(), rows * sizeof(std::int32_t));
    return {std::move(codes), {}, false};
  }
  if (step.op >= ColumnOp::Year && step.op <= ColumnOp::Floor) {
    if (column.type() != ColumnType::Timestamp)
      throw Error("dt() needs a column of timestamps, and this one is of " + std::string(name_of(column.type())) +
                  ": name it in .dates when it is read, or use astype(\"timestamp\")");
    return {date_part(step, column), {}, false};
  }
  if (step.op >= ColumnOp::Length && step.op <= ColumnOp::Matches) {
    if (!is_text(column.type()))
      throw Error("str() needs a column of strings, and this one is of " + std::string(name_of(column.type())) +
                  ": astype(\"string\") makes one");
    return {text_part(step, column), {}, false};
  }
  return {number_function(step, a, rows), {}, false};
}

}  // namespace weft::frames
