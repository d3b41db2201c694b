#pragma once

#include <weft/column_methods.hpp>

#include <type_traits>

namespace weft {

/// A column to be computed from columns of a table, row by row: `col("fare") * 2 + col("tip")`. Operators follow
/// pandas: `/` is true division, `%` has the divisor's sign, missing values make missing values, comparisons with them
/// are false (true for !=). A whole number divided by zero (`floordiv`, `%`) is missing. The span between two
/// timestamps is a whole number of nanoseconds. Owns: its steps; nothing is computed.  Threading: as a vector.
class ColumnExpr : public ColumnMethods<ColumnExpr> {
 public:
  ColumnExpr() = default;
  /// A literal.
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_convertible_v<T, std::string>) ColumnExpr(const T& value)
      : ColumnExpr(literal(cell_of(value))) {}
  static ColumnExpr literal(Cell value);
  static ColumnExpr named(std::string name);

  /// The steps in the order in which they are taken; each takes the last columns away and leaves one.
  const std::vector<ColumnStep>& steps() const { return steps_; }
  /// The name of the first column that it reads.
  std::string name() const;
  /// Returns the names of all columns it reads.
  std::vector<std::string> reads() const;
  /// Tells whether it is a column as it stands.
  bool is_name() const { return steps_.size() == 1 && steps_.front().op == ColumnOp::Named; }

  friend ColumnExpr operator+(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Add); }
  friend ColumnExpr operator-(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Subtract); }
  friend ColumnExpr operator*(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Multiply); }
  friend ColumnExpr operator/(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Divide); }
  friend ColumnExpr operator%(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Modulo); }
  friend ColumnExpr operator==(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Equal); }
  friend ColumnExpr operator!=(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::NotEqual); }
  friend ColumnExpr operator<(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Less); }
  friend ColumnExpr operator<=(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::LessEqual); }
  friend ColumnExpr operator>(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Greater); }
  friend ColumnExpr operator>=(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::GreaterEqual); }
  friend ColumnExpr operator&(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::And); }
  friend ColumnExpr operator|(const ColumnExpr& a, const ColumnExpr& b) { return a.with(b, ColumnOp::Or); }
  // Both sides would be computed in any case, and of every row: write & and | between columns.
  friend ColumnExpr operator&&(const ColumnExpr&, const ColumnExpr&) = delete;
  friend ColumnExpr operator||(const ColumnExpr&, const ColumnExpr&) = delete;

  /// Appends a step that takes this column.
  ColumnExpr with(ColumnStep step) const;
  /// Appends other expressions, and a step that takes all of them.
  ColumnExpr with(const ColumnExpr& other, ColumnOp op) const;
  ColumnExpr with(const ColumnExpr& second, const ColumnExpr& third, ColumnOp op) const;

 private:
  template <class T>
  static Cell cell_of(const T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      return value;
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<std::int64_t>(value);
    } else if constexpr (std::is_floating_point_v<T>) {
      return static_cast<double>(value);
    } else {
      return std::string(value);
    }
  }
  template <class Archive>
  friend void weft_fields(Archive& archive, ColumnExpr& expression) {
    archive(expression.steps_);
  }

  std::vector<ColumnStep> steps_;
};

/// The column of a table that has this name.
inline ColumnExpr col(std::string name) { return ColumnExpr::named(std::move(name)); }

namespace frames {

/// Returns the column that the expression gives of the table's rows; a literal stands in every row. Throws weft::Error
/// naming the step and the types where they do not go together.
Column evaluate(const ColumnExpr& expression, const Table& table);
/// Returns a byte a row, 1 where the condition holds (missing: 0). Throws where it is no column of bools.
std::vector<std::uint8_t> evaluate_condition(const ColumnExpr& condition, const Table& table);

}  // namespace frames
}  // namespace weft
