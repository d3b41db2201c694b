#include "frames/frame/reduce.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <algorithm>

namespace weft {
namespace {

using frames::PipelineStep;
using Kind = PipelineStep::Kind;

struct GiveTable {
  Table operator()(const Table& table) const { return table; }
};
struct RowsOf {
  std::int64_t operator()(const std::vector<Table>& parts) const {
    std::int64_t rows = 0;
    for (const Table& part : parts) rows += part["rows"].data<std::int64_t>()[0];
    return rows;
  }
};

bool is_number(ColumnType type) {
  return type == ColumnType::Int32 || type == ColumnType::Int64 || type == ColumnType::Float32 ||
         type == ColumnType::Float64;
}
bool is_any(ColumnType) { return true; }

}  // namespace

Table schema(const std::vector<std::pair<std::string, std::string>>& columns) {
  Table table;
  for (const auto& [name, type] : columns) {
    if (table.has(name)) throw Error("schema: column '" + name + "' comes twice");
    const ColumnType its = column_type(type);
    table.set(name, its == ColumnType::Category ? Column::categories({}, Column::of(std::vector<std::string>{}))
                                                : Column(its, 0));
  }
  return table;
}

DataFrame DataFrame::from_table(Table table, std::size_t partitions, const Where& where) {
  if (partitions == 0) throw Error("DataFrame::from_table: a frame has at least one partition");
  std::vector<Delayed<Table>> tables;
  const std::size_t rows = table.row_count();
  const DelayedFunction<GiveTable> give({}, where);
  for (std::size_t i = 0; i < partitions; ++i) {
    const std::size_t first = rows * i / partitions;
    tables.push_back(give(partitions == 1 ? table : table.slice(first, rows * (i + 1) / partitions - first)));
  }
  return DataFrame(frames::plan_of(std::move(tables), table.empty_like()));
}

DataFrame DataFrame::from_delayed(std::vector<Delayed<Table>> partitions, const Table& meta, const Where&) {
  return DataFrame(frames::plan_of(std::move(partitions), meta));
}

DataFrame DataFrame::from_futures(const std::vector<Future<Table>>& partitions, const Table& meta, const Where& where) {
  std::vector<Delayed<Table>> tables;
  for (const Future<Table>& future : partitions) {
    detail::require_client(future);
    arena::add_use(future.task_id());
    tables.push_back(Delayed<Table>::adopt(future.task_id()));
  }
  return from_delayed(std::move(tables), meta, where);
}

std::vector<std::string> DataFrame::columns() const { return plan_->meta.names(); }

std::vector<ColumnType> DataFrame::dtypes() const {
  std::vector<ColumnType> types;
  for (const Table::Named& one : plan_->meta.columns()) types.push_back(one.column.type());
  return types;
}

const Table& DataFrame::meta() const { return plan_->meta; }
std::size_t DataFrame::npartitions() const { return plan_->partition_count(); }

Delayed<std::int64_t> DataFrame::row_count(const Where& where) const {
  const frames::SharedPlan counted = frames::with_step(plan_, {.kind = Kind::CountRows});
  return DelayedFunction<RowsOf>({}, where)(frames::describe(*counted, where));
}

std::pair<std::int64_t, std::int64_t> DataFrame::shape(const Client& client) const {
  return {client.compute(row_count()), static_cast<std::int64_t>(plan_->meta.column_count())};
}

Series DataFrame::operator[](const std::string& column) const {
  static_cast<void>(plan_->meta[column]);
  return Series(plan_, col(column), column);
}

DataFrame DataFrame::operator[](const std::vector<std::string>& columns) const {
  return DataFrame(frames::with_step(plan_, {.kind = Kind::Select, .names = columns}));
}

DataFrame DataFrame::operator[](const Series& condition) const {
  return filter(Series(plan_, ColumnExpr(), "the frame").expression_of(condition));
}

DataFrame DataFrame::filter(const ColumnExpr& condition) const {
  return DataFrame(frames::with_step(plan_, {.kind = Kind::Filter, .expression = condition}));
}

DataFrame DataFrame::assign(const std::string& name, const ColumnExpr& value) const {
  return DataFrame(frames::with_step(plan_, {.kind = Kind::Assign, .expression = value, .names = {name}}));
}

DataFrame DataFrame::assign(const std::string& name, const Series& value) const {
  if (value.plan_ != plan_ && value.plan_->rows == plan_->rows &&
      !frames::reads_same(*value.plan_, value.expression_, *plan_))
    return assign_beside(name, value, Where::current());
  return assign(name, Series(plan_, ColumnExpr(), "the frame").expression_of(value));
}

DataFrame DataFrame::drop(const std::vector<std::string>& columns) const {
  for (const std::string& name : columns) static_cast<void>(plan_->meta[name]);
  std::vector<std::string> kept = plan_->meta.names();
  std::erase_if(
      kept, [&](const std::string& name) { return std::find(columns.begin(), columns.end(), name) != columns.end(); });
  return (*this)[kept];
}

DataFrame DataFrame::rename(const std::vector<std::pair<std::string, std::string>>& old_to_new) const {
  PipelineStep step{.kind = Kind::Rename};
  for (const auto& [old, fresh] : old_to_new) {
    static_cast<void>(plan_->meta[old]);
    step.names.push_back(old);
    step.others.push_back(fresh);
  }
  return DataFrame(frames::with_step(plan_, std::move(step)));
}

DataFrame DataFrame::astype(const std::vector<std::pair<std::string, std::string>>& types) const {
  DataFrame changed = *this;
  for (const auto& [name, type] : types) changed = changed.assign(name, col(name).astype(type));
  return changed;
}

DataFrame DataFrame::dropna(const std::vector<std::string>& subset, bool all) const {
  return DataFrame(frames::with_step(plan_, {.kind = Kind::DropMissing, .names = subset, .count = all ? 1 : 0}));
}

DataFrame DataFrame::fillna(const ColumnExpr& value, const std::vector<std::string>& subset) const {
  const bool text = frames::evaluate(value, plan_->meta).type() == ColumnType::String;
  DataFrame filled = *this;
  for (const Table::Named& one : plan_->meta.columns()) {
    const bool of_text = one.column.type() == ColumnType::String || one.column.type() == ColumnType::Category;
    const bool named = std::find(subset.begin(), subset.end(), one.name) != subset.end();
    if (subset.empty() ? of_text == text && one.column.type() != ColumnType::Timestamp : named)
      filled = filled.assign(one.name, col(one.name).fillna(value));
  }
  return filled;
}

DataFrame DataFrame::each(bool (*fits)(ColumnType),
                          const std::function<ColumnExpr(const ColumnExpr&)>& function) const {
  DataFrame changed = *this;
  for (const Table::Named& one : plan_->meta.columns()) {
    if (fits(one.column.type())) changed = changed.assign(one.name, function(col(one.name)));
  }
  return changed;
}

DataFrame DataFrame::isna() const {
  return each(&is_any, [](const ColumnExpr& one) { return one.isna(); });
}
DataFrame DataFrame::notna() const {
  return each(&is_any, [](const ColumnExpr& one) { return one.notna(); });
}
DataFrame DataFrame::abs() const {
  return each(&is_number, [](const ColumnExpr& one) { return one.abs(); });
}
DataFrame DataFrame::round(std::int64_t decimals) const {
  return each(&is_number, [decimals](const ColumnExpr& one) { return one.round(decimals); });
}

DataFrame DataFrame::each_number(const ColumnExpr& other, ColumnOp op) const {
  return each(&is_number, [&](const ColumnExpr& one) { return one.with(other, op); });
}

DataFrame DataFrame::isin(const std::vector<Cell>& values) const {
  return each(&is_any, [&](const ColumnExpr& one) { return one.isin(values); });
}

DataFrame DataFrame::where(const Series& condition) const {
  // All columns see the condition as it was before any of them changed.
  const std::string name = "the condition";
  const DataFrame told = assign(name, condition);
  DataFrame changed = told;
  for (const Table::Named& one : plan_->meta.columns())
    changed = changed.assign(one.name, col(one.name).where(col(name)));
  return changed.drop({name});
}

namespace {
struct Product {
  std::int64_t operator()(std::int64_t rows, std::int64_t columns) const { return rows * columns; }
};
}  // namespace

Delayed<std::int64_t> DataFrame::size(const Where& where) const {
  return DelayedFunction<Product>({}, where)(row_count(where), static_cast<std::int64_t>(plan_->meta.column_count()));
}

DataFrame DataFrame::set_index(const std::string& column, bool sorted, const Where& where) const {
  static_cast<void>(plan_->meta[column]);
  const DataFrame ordered = sorted ? *this : sort_values({column}, {true}, 0, where);
  auto named = std::make_shared<frames::FramePlan>(*ordered.plan_);
  named->index = column;
  return DataFrame(std::move(named));
}

const std::string& DataFrame::index() const { return plan_->index; }

DataFrame DataFrame::reset_index() const {
  auto plain = std::make_shared<frames::FramePlan>(*plan_);
  plain->index.clear();
  return DataFrame(std::move(plain));
}

namespace {
const std::string& require_index(const DataFrame& frame, const char* what) {
  if (frame.index().empty()) throw Error(std::string(what) + " needs an index: set_index(\"column\") sorts by one");
  return frame.index();
}
}  // namespace

DataFrame DataFrame::loc(const ColumnExpr& least, const ColumnExpr& most) const {
  return filter(col(require_index(*this, "loc")).between(least, most));
}

DataFrame DataFrame::join(const DataFrame& right, const std::string& how, const Where& where) const {
  return merge(right,
               {.how = how, .left_on = {require_index(*this, "join")}, .right_on = {require_index(right, "join")}},
               where);
}

std::vector<Cell> DataFrame::divisions(const Client& client) const {
  const std::string name = require_index(*this, "divisions");
  frames::AggregatePlan how;
  how.aggregates = {{AggregateKind::Min, name, "least"}, {AggregateKind::Max, name, "most"}};
  const frames::SharedPlan begun = frames::with_step(plan_, {.kind = Kind::BeginStates, .aggregates = how});
  std::vector<Cell> all;
  Cell last;
  for (const Future<Table>& one : client.persist(frames::describe(*begun, Where::current()))) {
    const Table ends = frames::finish_states(one.result(), how);
    all.push_back(ends["least"].cell(0));
    if (ends["most"].cell(0).index() != 0) last = ends["most"].cell(0);
  }
  all.push_back(last);
  return all;
}

DataFrame DataFrame::reduce(AggregateKind kind, std::uint32_t ddof, const Where& where) const {
  frames::AggregatePlan how;
  for (const Table::Named& one : plan_->meta.columns()) {
    if (frames::fits(kind, one.column.type())) how.aggregates.push_back({kind, one.name, one.name, ddof});
  }
  if (how.aggregates.empty()) throw Error("no column of the frame has a " + name_of(kind));
  const Table meta = frames::finish_states(frames::begin_states(plan_->meta, how), how);
  return DataFrame(frames::plan_of({frames::aggregate(plan_, how, where)}, meta));
}

GroupBy DataFrame::groupby(const std::vector<std::string>& keys, const GroupOptions& options) const {
  if (keys.empty()) throw Error("groupby: no key was named");
  for (const std::string& key : keys) static_cast<void>(plan_->meta[key]);
  return GroupBy(plan_, keys, options);
}
GroupBy DataFrame::groupby(std::initializer_list<const char*> keys, const GroupOptions& options) const {
  return groupby(std::vector<std::string>(keys.begin(), keys.end()), options);
}
GroupBy DataFrame::groupby(const std::string& key, const GroupOptions& options) const {
  return groupby(std::vector<std::string>{key}, options);
}
GroupBy DataFrame::groupby(const char* key, const GroupOptions& options) const {
  return groupby(std::string(key), options);
}

GroupBy DataFrame::groupby(const Series& key, const GroupOptions& options) const {
  const ColumnExpr& expression = Series(plan_, ColumnExpr(), "the frame").expression_of(key);
  if (expression.is_name() && expression.name() == key.name()) return groupby(key.name(), options);
  // The values that the key is made of stay to be aggregated: so the key has a name of its own where it needs one.
  std::string name = key.name();
  while (plan_->meta.has(name)) name += "_key";
  return GroupBy(frames::with_step(plan_, {.kind = Kind::Assign, .expression = expression, .names = {name}}), {name},
                 options);
}

GroupBy DataFrame::groupby(const ColumnExpr& key, const GroupOptions& options) const {
  return groupby(Series(plan_, key, key.name()), options);
}

std::vector<Delayed<Table>> DataFrame::to_delayed(const Where& where) const { return frames::describe(*plan_, where); }

DataFrame DataFrame::get_partition(std::size_t number) const { return partitions(number, 1); }

DataFrame DataFrame::partitions(std::size_t first, std::size_t count) const {
  if (count == 0 || first >= npartitions() || count > npartitions() - first)
    throw Error("partitions " + std::to_string(first) + " to " + std::to_string(first + count) +
                " were asked for: the frame has " + std::to_string(npartitions()));
  auto part = std::make_shared<frames::FramePlan>(*plan_);
  const auto cut = [&](auto& list) {
    if (list.empty()) return;
    const auto begin = list.begin() + static_cast<std::ptrdiff_t>(first);
    list = {begin, begin + static_cast<std::ptrdiff_t>(count)};
  };
  cut(part->tables);
  cut(part->pieces);
  part->marks.front() = part->rows = frames::fresh_mark();
  return DataFrame(std::move(part));
}

Table DataFrame::compute(const Client& client) const {
  const std::vector<Future<Table>> futures = client.persist(to_delayed());
  std::vector<Table> parts;
  for (const Future<Table>& future : futures) parts.push_back(future.result());
  return Table::concat(parts);
}

DataFrame DataFrame::persist(const Client& client) const {
  const std::vector<Delayed<Table>> tables = to_delayed();
  static_cast<void>(client.persist(tables));
  auto computed = std::make_shared<frames::FramePlan>(*frames::plan_of(tables, plan_->meta));
  computed->rows = plan_->rows;
  computed->index = plan_->index;
  return DataFrame(std::move(computed));
}

Table DataFrame::head(const Client& client, std::size_t rows) const {
  std::vector<Table> parts;
  std::size_t there = 0;
  for (std::size_t i = 0; i < npartitions() && (parts.empty() || there < rows); ++i) {
    const frames::SharedPlan some =
        frames::with_step(plan_, {.kind = Kind::Slice, .count = static_cast<std::int64_t>(rows - there)});
    parts.push_back(client.compute(frames::describe_one(*some, i, Where::current())));
    there += parts.back().row_count();
  }
  return Table::concat(parts);
}

Table DataFrame::tail(const Client& client, std::size_t rows) const {
  const auto count = static_cast<std::int64_t>(rows);
  const frames::SharedPlan some = frames::with_step(plan_, {.kind = Kind::Slice, .first = -count, .count = count});
  return client.compute(frames::describe_one(*some, npartitions() - 1, Where::current()));
}

}  // namespace weft
