#include "frames/rows/aggregate.hpp"

#include <weft/error.hpp>

#include "frames/rows/groups.hpp"
#include "frames/rows/order.hpp"
#include "frames/rows/states.hpp"

#include <algorithm>

namespace weft::frames {
namespace {

bool is_chosen(AggregateKind kind) {
  return kind == AggregateKind::Min || kind == AggregateKind::Max || kind == AggregateKind::First ||
         kind == AggregateKind::Last;
}
bool is_list(AggregateKind kind) { return kind == AggregateKind::Nunique || kind == AggregateKind::Median; }

/// Returns how many columns the states take whose first two these are.
std::size_t width_of(AggregateKind kind, ColumnType first) {
  switch (kind) {
    case AggregateKind::Sum:
      return first == ColumnType::Int64 ? 1 : 2;
    case AggregateKind::Mean:
    case AggregateKind::Std:
    case AggregateKind::Var:
      return 3;
    case AggregateKind::Nunique:
      return 2;
    case AggregateKind::Product:
    case AggregateKind::Count:
    case AggregateKind::Size:
    case AggregateKind::Min:
    case AggregateKind::Max:
    case AggregateKind::First:
    case AggregateKind::Last:
    case AggregateKind::Any:
    case AggregateKind::All:
    case AggregateKind::Median:
      return 1;
  }
  return 1;
}

/// The groups of a table's rows, those of no group behind the others.
struct Grouped {
  Groups groups;
  Grouping grouping;
};

Grouped grouped(const Table& table, const AggregatePlan& plan, bool drop_missing) {
  Grouped all;
  const std::size_t rows = table.row_count();
  if (plan.keys.empty()) {
    all.groups.group_of.resize(rows);
    all.grouping = {all.groups.group_of.data(), rows, 1, true};
    return all;
  }
  all.groups = group_rows(table, plan.keys, drop_missing);
  const auto count = static_cast<std::uint32_t>(all.groups.first_row.size());
  if (drop_missing) {
    for (std::uint32_t& group : all.groups.group_of) group = std::min(group, count);
  }
  all.grouping = {all.groups.group_of.data(), rows, count};
  return all;
}

std::vector<Table::Named> keys_of(const Table& table, const AggregatePlan& plan, const Grouped& all) {
  std::vector<Table::Named> columns;
  for (const std::string& key : plan.keys) columns.push_back({key, table[key].take(all.groups.first_row)});
  return columns;
}

void put_states(std::vector<Table::Named>& columns, States states, std::size_t& next) {
  for (Column& state : states) columns.push_back({"#" + std::to_string(next++), std::move(state)});
}

/// Returns the columns of the next aggregate's states.
States next_states(const Table& table, AggregateKind kind, std::size_t& next) {
  States states;
  const std::size_t width = width_of(kind, table["#" + std::to_string(next)].type());
  for (std::size_t k = 0; k < width; ++k) states.push_back(table["#" + std::to_string(next++)]);
  return states;
}

States begun(const Table& rows, const Aggregate& aggregate, const Grouping& groups) {
  if (aggregate.kind == AggregateKind::Size) return begin_sums(aggregate, Column(), groups);
  const Column& values = rows[aggregate.column];
  if (is_chosen(aggregate.kind)) return {chosen_values(aggregate, values, groups)};
  return is_list(aggregate.kind) ? begin_lists(aggregate, values, groups) : begin_sums(aggregate, values, groups);
}

States joined(const Aggregate& aggregate, const States& states, const Grouping& groups) {
  if (is_chosen(aggregate.kind)) return {chosen_values(aggregate, states[0], groups)};
  return is_list(aggregate.kind) ? join_lists(aggregate, states, groups) : join_sums(aggregate, states, groups);
}

Column finished(const Aggregate& aggregate, const States& states) {
  if (is_chosen(aggregate.kind)) return states[0];
  return is_list(aggregate.kind) ? finish_lists(aggregate, states) : finish_sums(aggregate, states);
}

}  // namespace

void refuse_values(const Aggregate& aggregate, ColumnType type) {
  const bool time = type == ColumnType::Timestamp;
  throw Error("column '" + aggregate.column + "' of " + std::string(weft::name_of(type)) + " has no " +
              weft::name_of(aggregate.kind) + ": " +
              (time ? "times have first, last, min, max, count and nunique; astype(\"int64\") makes numbers of them"
                    : "strings have first, last, min, max, count and nunique"));
}

Table begin_states(const Table& rows, const AggregatePlan& plan) {
  const Grouped all = grouped(rows, plan, plan.drop_missing);
  std::vector<Table::Named> columns = keys_of(rows, plan, all);
  std::size_t next = 0;
  for (const Aggregate& aggregate : plan.aggregates) put_states(columns, begun(rows, aggregate, all.grouping), next);
  return Table(std::move(columns));
}

Table join_states(const std::vector<Table>& parts, const AggregatePlan& plan) {
  if (parts.size() == 1) return parts.front();
  const Table states = Table::concat(parts);
  const Grouped all = grouped(states, plan, false);
  std::vector<Table::Named> columns = keys_of(states, plan, all);
  std::size_t from = 0, next = 0;
  for (const Aggregate& aggregate : plan.aggregates)
    put_states(columns, joined(aggregate, next_states(states, aggregate.kind, from), all.grouping), next);
  return Table(std::move(columns));
}

Table finish_states(const Table& states, const AggregatePlan& plan) {
  std::vector<Table::Named> columns;
  for (const std::string& key : plan.keys) columns.push_back({key, states[key]});
  std::size_t next = 0;
  for (const Aggregate& aggregate : plan.aggregates)
    columns.push_back({aggregate.name, finished(aggregate, next_states(states, aggregate.kind, next))});
  Table values(std::move(columns));
  if (!plan.sort || plan.keys.empty()) return values;
  return values.take(sorted_rows(values, {plan.keys, std::vector<bool>(plan.keys.size(), true)}));
}

}  // namespace weft::frames
