#include "frames/frame/reduce.hpp"
#include "frames/rows/groups.hpp"
#include "frames/rows/order.hpp"

#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <numeric>

namespace weft {
namespace {

constexpr std::pair<AggregateKind, std::string_view> kKinds[] = {
    {AggregateKind::Sum, "sum"},     {AggregateKind::Product, "prod"}, {AggregateKind::Mean, "mean"},
    {AggregateKind::Count, "count"}, {AggregateKind::Size, "size"},    {AggregateKind::Min, "min"},
    {AggregateKind::Max, "max"},     {AggregateKind::Std, "std"},      {AggregateKind::Var, "var"},
    {AggregateKind::First, "first"}, {AggregateKind::Last, "last"},    {AggregateKind::Nunique, "nunique"},
    {AggregateKind::Any, "any"},     {AggregateKind::All, "all"},      {AggregateKind::Median, "median"}};

}  // namespace

AggregateKind aggregate_kind(const std::string& name) {
  std::string all;
  for (const auto& [kind, word] : kKinds) {
    if (word == name) return kind;
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  throw Error("groups cannot be aggregated by '" + name + "': there are " + all);
}

std::string name_of(AggregateKind kind) {
  for (const auto& [one, word] : kKinds) {
    if (one == kind) return std::string(word);
  }
  return "?";
}

namespace frames {

bool fits(AggregateKind kind, ColumnType type) {
  const bool text = type == ColumnType::String || type == ColumnType::Category;
  switch (kind) {
    case AggregateKind::Sum:
    case AggregateKind::Product:
    case AggregateKind::Mean:
    case AggregateKind::Std:
    case AggregateKind::Var:
    case AggregateKind::Any:
    case AggregateKind::All:
    case AggregateKind::Median:
      return !text && type != ColumnType::Timestamp;
    case AggregateKind::Count:
    case AggregateKind::Size:
    case AggregateKind::Min:
    case AggregateKind::Max:
    case AggregateKind::First:
    case AggregateKind::Last:
    case AggregateKind::Nunique:
      return true;
  }
  return true;
}

void require_fits(AggregateKind kind, const std::string& column, ColumnType type) {
  if (!fits(kind, type))
    throw Error("column '" + column + "' is of " + std::string(name_of(type)) + ", which has no " + name_of(kind) +
                ": name other columns, or use astype");
}

std::vector<Table> cut_groups(const Table& table, const std::vector<std::string>& keys, const GroupOptions& options) {
  const Groups groups = group_rows(table, keys, options.dropna);
  std::vector<std::vector<std::uint32_t>> rows(groups.first_row.size());
  for (std::size_t i = 0; i < groups.group_of.size(); ++i) {
    if (groups.group_of[i] != Groups::kNoGroup) rows[groups.group_of[i]].push_back(static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  if (options.sort) order = sorted_rows(table.take(groups.first_row), {keys, std::vector<bool>(keys.size(), true)});
  std::vector<Table> cut;
  for (const std::uint32_t group : order) cut.push_back(table.take(rows[group]));
  return cut;
}

}  // namespace frames

GroupBy GroupBy::operator[](const std::vector<std::string>& columns) const {
  for (const std::string& name : columns) static_cast<void>(plan_->meta[name]);
  GroupBy narrower = *this;
  narrower.values_ = columns;
  return narrower;
}

DataFrame GroupBy::one(AggregateKind kind, std::uint32_t ddof, const Where& where) const {
  std::vector<Aggregate> all;
  for (const std::string& name : values_.empty() ? plan_->meta.names() : values_) {
    const ColumnType type = plan_->meta[name].type();
    if (values_.empty() && (std::find(keys_.begin(), keys_.end(), name) != keys_.end() || !frames::fits(kind, type)))
      continue;
    all.push_back({kind, name, name, ddof});
  }
  return aggregate(std::move(all), where);
}

DataFrame GroupBy::size(const Where& where) const { return aggregate({{AggregateKind::Size, "", "size"}}, where); }

DataFrame GroupBy::aggregate(const std::vector<std::pair<std::string, std::string>>& column_to_kind,
                             const Where& where) const {
  std::vector<Aggregate> all;
  for (const auto& [column, kind] : column_to_kind) all.push_back({aggregate_kind(kind), column, column + "_" + kind});
  return aggregate(std::move(all), where);
}

DataFrame GroupBy::aggregate(std::vector<Aggregate> aggregates, const Where& where) const {
  if (aggregates.empty()) throw Error("no column is left to aggregate beside the keys: name some");
  for (Aggregate& one : aggregates) {
    if (one.name.empty()) one.name = one.column.empty() ? name_of(one.kind) : one.column;
    if (one.kind == AggregateKind::Size) {
      one.column.clear();
    } else {
      frames::require_fits(one.kind, one.column, plan_->meta[one.column].type());
    }
  }
  const frames::AggregatePlan how{keys_, std::move(aggregates), options_.dropna, options_.sort};
  const Table meta = frames::finish_states(frames::begin_states(plan_->meta, how), how);
  return DataFrame(frames::plan_of({frames::aggregate(plan_, how, where)}, meta));
}

}  // namespace weft
