#pragma once

#include <weft/column_expression.hpp>
#include <weft/delayed.hpp>
#include <weft/frame_options.hpp>

#include <memory>
#include <source_location>

namespace weft {

class Client;
class DataFrame;

namespace frames {
struct FramePlan;
using SharedPlan = std::shared_ptr<const FramePlan>;
}  // namespace frames

/// A column of a DataFrame, or what is computed of its columns row by row: `frame["fare"] * 1.1`. Series of one frame
/// go together in operators; of different frames they do not (merge them, or assign to one).
///
/// Owns: a share of the frame's description.  Threading: as an int.
class Series : public ColumnMethods<Series> {
 public:
  using Where = std::source_location;

  const std::string& name() const { return name_; }
  ColumnType dtype() const;
  Series rename(std::string name) const;
  const ColumnExpr& expression() const { return expression_; }
  std::size_t npartitions() const;

  // --- Reductions: described, computed by a client -------------------------------------------------------------------
  Delayed<Cell> sum(const Where& where = Where::current()) const { return reduce(AggregateKind::Sum, 0, where); }
  Delayed<Cell> prod(const Where& where = Where::current()) const { return reduce(AggregateKind::Product, 0, where); }
  Delayed<Cell> min(const Where& where = Where::current()) const { return reduce(AggregateKind::Min, 0, where); }
  Delayed<Cell> max(const Where& where = Where::current()) const { return reduce(AggregateKind::Max, 0, where); }
  Delayed<Cell> any(const Where& where = Where::current()) const { return reduce(AggregateKind::Any, 0, where); }
  Delayed<Cell> all(const Where& where = Where::current()) const { return reduce(AggregateKind::All, 0, where); }
  Delayed<double> mean(const Where& where = Where::current()) const { return real(AggregateKind::Mean, 0, where); }
  Delayed<double> median(const Where& where = Where::current()) const { return real(AggregateKind::Median, 0, where); }
  Delayed<double> std(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return real(AggregateKind::Std, ddof, where);
  }
  Delayed<double> var(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return real(AggregateKind::Var, ddof, where);
  }
  /// Describes how many values are not missing, how many rows there are, how many different values.
  Delayed<std::int64_t> count(const Where& where = Where::current()) const {
    return whole(AggregateKind::Count, where);
  }
  Delayed<std::int64_t> size(const Where& where = Where::current()) const { return whole(AggregateKind::Size, where); }
  Delayed<std::int64_t> nunique(const Where& where = Where::current()) const {
    return whole(AggregateKind::Nunique, where);
  }

  /// Describes each value and how often it comes, most often first: columns of the series' name and "count".
  DataFrame value_counts(const Where& where = Where::current()) const;
  /// Describes the different values in the order in which they first appear.
  DataFrame unique(const Where& where = Where::current()) const;
  DataFrame nlargest(std::size_t count, const Where& where = Where::current()) const;
  DataFrame nsmallest(std::size_t count, const Where& where = Where::current()) const;
  DataFrame to_frame() const;

  /// Runs what the values need and returns all of them in order.
  Column compute(const Client& client) const;

  Series with(ColumnStep step) const;
  Series with(const Series& other, ColumnOp op) const;
  Series with(const ColumnExpr& other, ColumnOp op) const;
  template <class A, class B>
  Series with(const A& second, const B& third, ColumnOp op) const {
    return made(expression_.with(expression_of(second), expression_of(third), op));
  }

 private:
  friend class DataFrame;
  friend class GroupBy;
  Series(frames::SharedPlan plan, ColumnExpr expression, std::string name)
      : plan_(std::move(plan)), expression_(std::move(expression)), name_(std::move(name)) {}
  Series made(ColumnExpr expression) const;
  /// Returns the other's expression; throws where it is of another frame.
  const ColumnExpr& expression_of(const Series& other) const;
  const ColumnExpr& expression_of(const ColumnExpr& other) const { return other; }
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_convertible_v<T, std::string>) ColumnExpr expression_of(const T& value)
  const { return ColumnExpr(value); }
  Delayed<Cell> reduce(AggregateKind kind, std::uint32_t ddof, const Where& where) const;
  Delayed<double> real(AggregateKind kind, std::uint32_t ddof, const Where& where) const;
  Delayed<std::int64_t> whole(AggregateKind kind, const Where& where) const;

  frames::SharedPlan plan_;
  ColumnExpr expression_;
  std::string name_;
};

#define WEFT_SERIES_OPERATOR(SYMBOL, OP)                                                              \
  inline Series operator SYMBOL(const Series& a, const Series& b) { return a.with(b, ColumnOp::OP); } \
  inline Series operator SYMBOL(const Series& a, const ColumnExpr& b) { return a.with(b, ColumnOp::OP); }
WEFT_SERIES_OPERATOR(+, Add)
WEFT_SERIES_OPERATOR(-, Subtract)
WEFT_SERIES_OPERATOR(*, Multiply)
WEFT_SERIES_OPERATOR(/, Divide)
WEFT_SERIES_OPERATOR(%, Modulo)
WEFT_SERIES_OPERATOR(==, Equal)
WEFT_SERIES_OPERATOR(!=, NotEqual)
WEFT_SERIES_OPERATOR(<, Less)
WEFT_SERIES_OPERATOR(<=, LessEqual)
WEFT_SERIES_OPERATOR(>, Greater)
WEFT_SERIES_OPERATOR(>=, GreaterEqual)
WEFT_SERIES_OPERATOR(&, And)
WEFT_SERIES_OPERATOR(|, Or)
#undef WEFT_SERIES_OPERATOR
// Numbers on the left: what is not symmetric is turned round by way of the literal.
inline Series operator+(const ColumnExpr& a, const Series& b) { return b.with(a, ColumnOp::Add); }
inline Series operator*(const ColumnExpr& a, const Series& b) { return b.with(a, ColumnOp::Multiply); }
inline Series operator-(const ColumnExpr& a, const Series& b) { return (-b).with(a, ColumnOp::Add); }
Series operator/(const ColumnExpr& a, const Series& b);
Series operator&&(const Series&, const Series&) = delete;  // write & between columns
Series operator||(const Series&, const Series&) = delete;  // write | between columns

}  // namespace weft
