#include "frames/rows/windows.hpp"

#include "frames/plan/pipeline.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

namespace weft {
namespace {

using Tables = std::vector<Delayed<Table>>;
constexpr const char* kName = "value";

Table one(Column column) { return Table({{kName, std::move(column)}}); }

/// What a partition adds to a running sum: its last value.
struct LastOf {
  Table operator()(const Table& table, frames::Cumulative kind) const {
    const Column none = frames::cumulate(table[std::size_t{0}].slice(0, 0), kind, {});
    return one(frames::last_value(frames::cumulate(table[std::size_t{0}], kind, none)));
  }
};
struct CarryOn {
  Table operator()(const Table& before, const Table& more, frames::Cumulative kind) const {
    const Column& carried = before[std::size_t{0}];
    const Column& next = more[std::size_t{0}];
    return one(next.size() == 0 ? carried : frames::cumulate(next, kind, carried));
  }
};
struct CumulatePart {
  Table operator()(const Table& table, const Table& before, frames::Cumulative kind) const {
    return Table(
        {{table.columns().front().name, frames::cumulate(table[std::size_t{0}], kind, before[std::size_t{0}])}});
  }
};

/// The last, or first, rows of neighbours that lie next to a partition.
struct EndRows {
  Table operator()(const Table& first, const Table& second, std::int64_t count, bool last) const {
    const Table both = Table::concat({first, second});
    const auto rows = static_cast<std::int64_t>(both.row_count());
    return both.slice(static_cast<std::size_t>(last ? std::max<std::int64_t>(0, rows - count) : 0),
                      static_cast<std::size_t>(count));
  }
};
struct SlidePart {
  Table operator()(const Table& before, const Table& table, const Table& behind, const frames::Window& window) const {
    const Table all = Table::concat({before, table, behind});
    return Table({{table.columns().front().name,
                   frames::slide(all[std::size_t{0}], window, before.row_count(), table.row_count())}});
  }
};
struct PutColumn {
  Table operator()(const Table& table, const Table& other, const std::string& name) const {
    Table with = table;
    with.set(name, other[std::size_t{0}]);
    return with;
  }
};

frames::SharedPlan same_rows(Tables tables, const Table& meta, const frames::SharedPlan& as) {
  auto plan = std::make_shared<frames::FramePlan>(*frames::plan_of(std::move(tables), meta));
  plan->rows = as->rows;
  return plan;
}

}  // namespace

Series Series::cumulate(int kind, const Where& where) const {
  const auto how = static_cast<frames::Cumulative>(kind);
  const frames::SharedPlan plan = to_frame().plan();
  const Table meta({{name_, frames::cumulate(plan->meta[std::size_t{0}], how, {})}});
  const Tables parts = frames::describe(*plan, where);
  const DelayedFunction<LastOf> last({}, where);
  const DelayedFunction<CarryOn> carry({}, where);
  const DelayedFunction<CumulatePart> run({}, where);
  Delayed<Table> before = delayed(one(meta[std::size_t{0}]), where);
  Tables made;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    made.push_back(run(parts[i], before, how));
    if (i + 1 < parts.size()) before = carry(before, last(parts[i], how), how);
  }
  return Series(same_rows(std::move(made), meta, plan_), col(name_), name_);
}

Series Series::cumsum(const Where& where) const { return cumulate(static_cast<int>(frames::Cumulative::Sum), where); }
Series Series::cumprod(const Where& where) const {
  return cumulate(static_cast<int>(frames::Cumulative::Product), where);
}
Series Series::cummin(const Where& where) const { return cumulate(static_cast<int>(frames::Cumulative::Min), where); }
Series Series::cummax(const Where& where) const { return cumulate(static_cast<int>(frames::Cumulative::Max), where); }

Series Series::slide(int kind, std::int64_t rows, std::int64_t least, const Where& where) const {
  const frames::Window window{static_cast<frames::WindowKind>(kind), rows, least};
  const frames::SharedPlan plan = to_frame().plan();
  const Table meta({{name_, frames::slide(plan->meta[std::size_t{0}], window, 0, 0)}});
  const Tables parts = frames::describe(*plan, where);
  const DelayedFunction<EndRows> ends({}, where);
  const DelayedFunction<SlidePart> run({}, where);
  const Delayed<Table> none = delayed(plan->meta, where);
  const std::int64_t before = frames::rows_before(window), behind = frames::rows_behind(window);
  // What lies next to a partition may reach over several others.
  Tables ahead(parts.size(), none), after(parts.size(), none);
  for (std::size_t i = 1; i < parts.size() && before > 0; ++i)
    ahead[i] = ends(ahead[i - 1], parts[i - 1], before, true);
  for (std::size_t i = parts.size(); i-- > 1 && behind > 0;) after[i - 1] = ends(parts[i], after[i], behind, false);
  Tables made;
  for (std::size_t i = 0; i < parts.size(); ++i) made.push_back(run(ahead[i], parts[i], after[i], window));
  return Series(same_rows(std::move(made), meta, plan_), col(name_), name_);
}

Series Series::shift(std::int64_t periods, const Where& where) const {
  return slide(static_cast<int>(frames::WindowKind::Shift), periods, 0, where);
}
Series Series::diff(std::int64_t periods, const Where& where) const {
  return slide(static_cast<int>(frames::WindowKind::Diff), periods, 0, where);
}

Rolling Series::rolling(std::int64_t window, std::int64_t min_periods) const {
  if (window < 1) throw Error("rolling: a window has at least one row");
  return Rolling(*this, window, min_periods == 0 ? window : min_periods);
}

Series Rolling::sum(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Sum), rows_, least_, where);
}
Series Rolling::mean(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Mean), rows_, least_, where);
}
Series Rolling::min(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Min), rows_, least_, where);
}
Series Rolling::max(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Max), rows_, least_, where);
}
Series Rolling::count(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Count), rows_, 0, where);
}
Series Rolling::std(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Std), rows_, least_, where);
}
Series Rolling::var(const Where& where) const {
  return column_.slide(static_cast<int>(frames::WindowKind::Var), rows_, least_, where);
}

DataFrame DataFrame::assign_beside(const std::string& name, const Series& value, const Where& where) const {
  const Tables mine = to_delayed(where), others = value.to_frame().to_delayed(where);
  const DelayedFunction<PutColumn> put({}, where);
  Tables made;
  for (std::size_t i = 0; i < mine.size(); ++i) made.push_back(put(mine[i], others[i], name));
  Table meta = plan_->meta;
  meta.set(name, frames::evaluate(value.expression_, value.plan_->meta));
  return DataFrame(same_rows(std::move(made), meta, plan_));
}

namespace {

/// Puts f(column) beside, in the place of each column of numbers.
template <class F>
DataFrame each_of_numbers(const DataFrame& frame, F function) {
  DataFrame changed = frame;
  for (const Table::Named& one : frame.meta().columns()) {
    const ColumnType type = one.column.type();
    if (type == ColumnType::Int32 || type == ColumnType::Int64 || type == ColumnType::Float32 ||
        type == ColumnType::Float64)
      changed = changed.assign(one.name, function(frame[one.name]));
  }
  return changed;
}

}  // namespace

DataFrame DataFrame::cumsum() const {
  return each_of_numbers(*this, [](const Series& one) { return one.cumsum(); });
}

DataFrame DataFrame::diff(std::int64_t periods) const {
  return each_of_numbers(*this, [&](const Series& one) { return one.diff(periods); });
}

}  // namespace weft
