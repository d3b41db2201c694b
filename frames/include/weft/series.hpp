#pragma once

#include <weft/column_expression.hpp>
#include <weft/delayed.hpp>
#include <weft/frame_options.hpp>

#include <memory>
#include <source_location>

namespace weft {

class Client;
class DataFrame;
class Rolling;

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
  std::size_t ndim() const { return 1; }
  /// Computes the different texts of a column of categories, in order. Partitions may list them otherwise: where they
  /// meet, their lists are united.
  std::vector<std::string> categories(const Client& client) const;

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

  /// Describes the value below which this share of the values lies, between two of them by a straight line. All values
  /// of the column come together in one task.
  Delayed<double> quantile(double q, const Where& where = Where::current()) const;

  // --- Rows and those before them: series of a frame with the same rows, to be assigned to this one
  // ---------------------
  Series cumsum(const Where& where = Where::current()) const;
  Series cumprod(const Where& where = Where::current()) const;
  Series cummin(const Where& where = Where::current()) const;
  Series cummax(const Where& where = Where::current()) const;
  /// The value so many rows before; negative: behind. Missing where there is none.
  Series shift(std::int64_t periods = 1, const Where& where = Where::current()) const;
  /// The value less the one so many rows before.
  Series diff(std::int64_t periods = 1, const Where& where = Where::current()) const;
  /// Windows of so many rows that end with each row; missing where fewer than `min_periods` values are in one (0: the
  /// window).
  Rolling rolling(std::int64_t window, std::int64_t min_periods = 0) const;

  /// Describes each value and how often it comes, most often first: columns of the series' name and "count".
  DataFrame value_counts(const Where& where = Where::current()) const;
  /// Describes the different values in the order in which they first appear.
  DataFrame unique(const Where& where = Where::current()) const;
  DataFrame nlargest(std::size_t count, const Where& where = Where::current()) const;
  DataFrame nsmallest(std::size_t count, const Where& where = Where::current()) const;
  DataFrame to_frame() const;
  DataFrame dropna() const;

  /// Runs what the values need and returns all of them in order.
  Column compute(const Client& client) const;

  Series with(ColumnStep step) const;
  Series with(const Series& other, ColumnOp op) const;
  Series with(const ColumnExpr& other, ColumnOp op) const;
  /// As with, where the other side stands first: 1 / series.
  Series behind(const ColumnExpr& first, ColumnOp op) const { return made(first.with(expression_, op)); }
  template <class A, class B>
  Series with(const A& second, const B& third, ColumnOp op) const {
    return made(expression_.with(expression_of(second), expression_of(third), op));
  }

 private:
  friend class DataFrame;
  friend class GroupBy;
  friend class Rolling;
  Series cumulate(int kind, const Where& where) const;
  Series slide(int kind, std::int64_t rows, std::int64_t least, const Where& where) const;
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

/// Windows that slide over a column: `frame["x"].rolling(7).mean()`.
/// Owns: a share of the description.  Threading: as an int.
class Rolling {
 public:
  using Where = std::source_location;
  Series sum(const Where& where = Where::current()) const;
  Series mean(const Where& where = Where::current()) const;
  Series min(const Where& where = Where::current()) const;
  Series max(const Where& where = Where::current()) const;
  Series count(const Where& where = Where::current()) const;
  Series std(const Where& where = Where::current()) const;
  Series var(const Where& where = Where::current()) const;

 private:
  friend class Series;
  Rolling(Series column, std::int64_t rows, std::int64_t least)
      : column_(std::move(column)), rows_(rows), least_(least) {}

  Series column_;
  std::int64_t rows_, least_;
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
// Numbers on the left.
inline Series operator+(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Add); }
inline Series operator-(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Subtract); }
inline Series operator*(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Multiply); }
inline Series operator/(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Divide); }
inline Series operator%(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Modulo); }
inline Series operator<(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Less); }
inline Series operator<=(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::LessEqual); }
inline Series operator>(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Greater); }
inline Series operator>=(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::GreaterEqual); }
inline Series operator==(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::Equal); }
inline Series operator!=(const ColumnExpr& a, const Series& b) { return b.behind(a, ColumnOp::NotEqual); }
Series operator&&(const Series&, const Series&) = delete;  // write & between columns
Series operator||(const Series&, const Series&) = delete;  // write | between columns

}  // namespace weft
