#include "frames/frame/reduce.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

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

Series operator/(const ColumnExpr& a, const Series& b) { return b.pow(-1.0).with(a, ColumnOp::Multiply); }

DataFrame Series::to_frame() const {
  return DataFrame(frames::with_step(
      frames::with_step(plan_, {.kind = PipelineStep::Kind::Assign, .expression = expression_, .names = {name_}}),
      {.kind = PipelineStep::Kind::Select, .names = {name_}}));
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
