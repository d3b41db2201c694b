#include "frames/frame/reduce.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <limits>

namespace weft {
namespace {

using frames::PipelineStep;

struct FirstCell {
  Cell operator()(const Table& table) const { return table[std::size_t{0}].cell(0); }
};
struct FirstReal {
  double operator()(const Table& table) const {
    return table[std::size_t{0}].cast(ColumnType::Float64).data<double>()[0];
  }
};
struct FirstWhole {
  std::int64_t operator()(const Table& table) const { return table[std::size_t{0}].data<std::int64_t>()[0]; }
};

}  // namespace

ColumnType Series::dtype() const { return frames::evaluate(expression_, plan_->meta).type(); }

std::size_t Series::npartitions() const { return plan_->partition_count(); }

Series Series::made(ColumnExpr expression) const {
  // What does not go together is told at the line that writes it.
  static_cast<void>(frames::evaluate(expression, plan_->meta));
  return Series(plan_, std::move(expression), name_);
}

const ColumnExpr& Series::expression_of(const Series& other) const {
  if (other.plan_ != plan_ && !frames::reads_same(*other.plan_, other.expression_, *plan_))
    throw Error("column '" + other.name_ + "' is of another frame than '" + name_ +
                "': merge the frames, or assign both columns to one");
  return other.expression_;
}

Series Series::with(ColumnStep step) const { return made(expression_.with(std::move(step))); }
Series Series::with(const ColumnExpr& other, ColumnOp op) const { return made(expression_.with(other, op)); }

Series Series::with(const Series& other, ColumnOp op) const {
  if (other.plan_ != plan_ && frames::reads_same(*plan_, expression_, *other.plan_))
    return Series(other.plan_, expression_, name_).with(other, op);
  return made(expression_.with(expression_of(other), op));
}

Series Series::rename(std::string name) const { return Series(plan_, expression_, std::move(name)); }

DataFrame Series::to_frame() const {
  return DataFrame(frames::with_step(
      frames::with_step(plan_, {.kind = PipelineStep::Kind::Assign, .expression = expression_, .names = {name_}}),
      {.kind = PipelineStep::Kind::Select, .names = {name_}}));
}

DataFrame Series::dropna() const { return to_frame().dropna(); }

namespace {

/// Gives the quantile of each column of all tables, as a row.
struct QuantilesOf {
  Table operator()(const std::vector<Table>& parts, double q) const {
    Table row;
    for (std::size_t k = 0; k < parts.front().column_count(); ++k)
      row.set(parts.front().columns()[k].name, Column::of(std::vector<double>{of_column(parts, k, q)}));
    return row;
  }
  static double of_column(const std::vector<Table>& parts, std::size_t number, double q) {
    std::vector<double> values;
    for (const Table& part : parts) {
      const Column column = part[number].cast(ColumnType::Float64);
      for (std::size_t i = 0; i < column.size(); ++i) {
        if (!column.is_missing(i)) values.push_back(column.data<double>()[i]);
      }
    }
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    const double place = q * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(values.begin(), at, values.end());
    const double low = *at;
    if (below + 1 == values.size()) return low;
    const double high = *std::min_element(at + 1, values.end());
    return low + (high - low) * (place - static_cast<double>(below));
  }
};

}  // namespace

Delayed<double> Series::quantile(double q, const Where& where) const {
  return DelayedFunction<FirstReal>({}, where)(to_frame().quantile(q, where).to_delayed(where).front());
}

DataFrame DataFrame::quantile(double q, const Where& where) const {
  if (!(q >= 0 && q <= 1)) throw Error("quantile: " + std::to_string(q) + " is not between 0 and 1");
  std::vector<std::string> names;
  Table meta;
  for (const Table::Named& one : plan_->meta.columns()) {
    if (!frames::fits(AggregateKind::Median, one.column.type())) continue;
    names.push_back(one.name);
    meta.set(one.name, Column(ColumnType::Float64, 0));
  }
  if (names.empty()) throw Error("no column of the frame has a quantile");
  const std::vector<Delayed<Table>> parts = (*this)[names].to_delayed(where);
  return DataFrame(frames::plan_of({DelayedFunction<QuantilesOf>({}, where)(parts, q)}, meta));
}

std::vector<std::string> Series::categories(const Client& client) const {
  const Column texts = to_frame().drop_duplicates().dropna().compute(client)[std::size_t{0}].cast(ColumnType::String);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < texts.size(); ++i) all.emplace_back(texts.text(i));
  std::sort(all.begin(), all.end());
  return all;
}

Column Series::compute(const Client& client) const { return to_frame().compute(client)[std::size_t{0}]; }

namespace {

Delayed<Table> reduced(const Series& series, AggregateKind kind, std::uint32_t ddof,
                       const std::source_location& where) {
  const frames::SharedPlan plan = series.to_frame().plan();
  frames::require_fits(kind, series.name(), plan->meta[std::size_t{0}].type());
  frames::AggregatePlan how;
  how.aggregates = {{kind, kind == AggregateKind::Size ? "" : series.name(), series.name(), ddof}};
  return frames::aggregate(plan, how, where);
}

}  // namespace

Delayed<Cell> Series::reduce(AggregateKind kind, std::uint32_t ddof, const Where& where) const {
  return DelayedFunction<FirstCell>({}, where)(reduced(*this, kind, ddof, where));
}
Delayed<double> Series::real(AggregateKind kind, std::uint32_t ddof, const Where& where) const {
  return DelayedFunction<FirstReal>({}, where)(reduced(*this, kind, ddof, where));
}
Delayed<std::int64_t> Series::whole(AggregateKind kind, const Where& where) const {
  return DelayedFunction<FirstWhole>({}, where)(reduced(*this, kind, 0, where));
}

DataFrame Series::value_counts(const Where& where) const {
  const DataFrame counted =
      to_frame().groupby(name_, {.sort = false}).aggregate({{AggregateKind::Size, "", "count"}}, where);
  return counted.sort_values({"count"}, {false}, 1, where);
}

DataFrame Series::unique(const Where& where) const { return to_frame().drop_duplicates({}, where); }
DataFrame Series::nlargest(std::size_t count, const Where& where) const {
  return to_frame().nlargest(count, {name_}, where);
}
DataFrame Series::nsmallest(std::size_t count, const Where& where) const {
  return to_frame().nsmallest(count, {name_}, where);
}

}  // namespace weft
