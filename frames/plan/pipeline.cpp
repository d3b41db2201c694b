#include "frames/plan/pipeline.hpp"

#include "core/journal/journal.hpp"
#include "frames/files/csv.hpp"
#include "frames/files/hdf.hpp"
#include "frames/files/parquet.hpp"
#include "frames/rows/groups.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <atomic>
#include <set>

namespace weft::frames {
namespace {

using Kind = PipelineStep::Kind;

Table renamed(const Table& table, const PipelineStep& step) {
  std::vector<Table::Named> columns;
  for (const Table::Named& one : table.columns()) {
    const auto found = std::find(step.names.begin(), step.names.end(), one.name);
    const auto at = static_cast<std::size_t>(found - step.names.begin());
    columns.push_back({found == step.names.end() ? one.name : step.others[at], one.column});
  }
  return Table(std::move(columns));
}

/// Drops rows in which one of the columns is missing; `count` 1: only those in which all are.
Table without_missing(const Table& table, const PipelineStep& step) {
  const std::vector<std::string> names = step.names.empty() ? table.names() : step.names;
  std::vector<std::uint32_t> missing(table.row_count(), 0);
  for (const std::string& name : names) {
    const Column& column = table[name];
    for (std::size_t i = 0; i < missing.size(); ++i) missing[i] += column.is_missing(i) ? 1u : 0u;
  }
  const std::size_t most = step.count == 1 ? names.size() - 1 : 0;
  std::vector<std::uint8_t> keep(missing.size());
  for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = missing[i] <= most ? 1 : 0;
  return table.filter(keep);
}

Table distinct(const Table& table, const PipelineStep& step) {
  const Groups groups = group_rows(table, step.names.empty() ? table.names() : step.names, false);
  return groups.first_row.size() == table.row_count() ? table : table.take(groups.first_row);
}

Table run_step(const Table& table, const PipelineStep& step) {
  switch (step.kind) {
    case Kind::Filter:
      return table.filter(evaluate_condition(step.expression, table));
    case Kind::Select:
      return table.select(step.names);
    case Kind::Assign: {
      Table with = table;
      with.set(step.names.front(), evaluate(step.expression, table));
      return with;
    }
    case Kind::Rename:
      return renamed(table, step);
    case Kind::DropMissing:
      return without_missing(table, step);
    case Kind::Distinct:
      return distinct(table, step);
    case Kind::Top:
      return top_rows(table, step.order, static_cast<std::size_t>(step.count));
    case Kind::BeginStates:
      return begin_states(table, step.aggregates);
    case Kind::SampleKeys:
      return sample_keys(table, step.order, static_cast<std::size_t>(step.count));
    case Kind::CountRows:
      return Table({{"rows", Column::of(std::vector<std::int64_t>{static_cast<std::int64_t>(table.row_count())})}});
    case Kind::Slice: {
      const auto rows = static_cast<std::int64_t>(table.row_count());
      const std::int64_t first = step.first < 0 ? std::max<std::int64_t>(0, rows + step.first) : step.first;
      return table.slice(static_cast<std::size_t>(std::min(first, rows)), static_cast<std::size_t>(step.count));
    }
  }
  return table;
}

/// Returns what must be there before the step, given what is needed behind it.
std::set<std::string> needed_before(const PipelineStep& step, std::set<std::string> needed) {
  const auto add = [&](const std::vector<std::string>& names) { needed.insert(names.begin(), names.end()); };
  switch (step.kind) {
    case Kind::Filter:
      add(step.expression.reads());
      break;
    case Kind::Assign:
      if (needed.erase(step.names.front()) != 0) add(step.expression.reads());
      break;
    case Kind::Rename: {
      std::set<std::string> before;
      for (const std::string& name : needed) {
        const auto found = std::find(step.others.begin(), step.others.end(), name);
        before.insert(found == step.others.end() ? name
                                                 : step.names[static_cast<std::size_t>(found - step.others.begin())]);
      }
      return before;
    }
    case Kind::DropMissing:
    case Kind::Distinct:
      add(step.names);
      break;
    case Kind::Top:
      add(step.order.by);
      break;
    case Kind::BeginStates: {
      std::set<std::string> before(step.aggregates.keys.begin(), step.aggregates.keys.end());
      for (const Aggregate& one : step.aggregates.aggregates) {
        if (!one.column.empty()) before.insert(one.column);
      }
      return before;
    }
    case Kind::SampleKeys:
      return {step.order.by.begin(), step.order.by.end()};
    case Kind::CountRows:
      return {};
    case Kind::Select:
    case Kind::Slice:
      break;
  }
  return needed;
}

/// Tells whether the step looks at all columns, whatever is needed behind it.
bool needs_all(const PipelineStep& step) {
  return (step.kind == Kind::DropMissing || step.kind == Kind::Distinct) && step.names.empty();
}

/// Returns the steps without what nothing is made of any more.
std::vector<PipelineStep> pruned(const Table& begin, const std::vector<PipelineStep>& steps) {
  std::vector<Table> before = {begin};
  for (const PipelineStep& step : steps) before.push_back(run_step(before.back(), step));
  std::vector<std::string> last = before.back().names();
  std::set<std::string> needed(last.begin(), last.end());
  std::vector<PipelineStep> kept;
  for (std::size_t i = steps.size(); i-- > 0;) {
    PipelineStep step = steps[i];
    if (step.kind == Kind::Assign && !needed.contains(step.names.front())) continue;
    if (step.kind == Kind::Select)
      std::erase_if(step.names, [&](const std::string& name) { return !needed.contains(name); });
    if (needs_all(step)) {
      last = before[i].names();
      needed.insert(last.begin(), last.end());
    }
    needed = needed_before(step, std::move(needed));
    kept.push_back(std::move(step));
  }
  std::reverse(kept.begin(), kept.end());
  return kept;
}

Pipeline pipeline_of(const FramePlan& plan) {
  Pipeline pipeline{plan.read, pruned(plan.begin, plan.steps)};
  if (plan.read.format == ReadPlan::Format::None) return pipeline;
  pipeline.read.columns = needed_columns(plan.begin, plan.steps);
  // Something must be read to know how many rows there are.
  if (pipeline.read.columns.empty() && plan.begin.column_count() != 0)
    pipeline.read.columns = {plan.begin.columns().front().name};
  return pipeline;
}

Delayed<Table> describe_with(const FramePlan& plan, std::size_t partition, const Delayed<Pipeline>& pipeline,
                             const std::source_location& where) {
  if (plan.read.format == ReadPlan::Format::None) {
    return plan.steps.empty() ? plan.tables[partition]
                              : DelayedFunction<RunOnTable>({}, where)(plan.tables[partition], pipeline);
  }
  const journal::ReadsFile state(plan.pieces[partition].path);
  return AnnotatedFunction<RunOnFile>({}, {.pure = true}, where)(plan.pieces[partition], pipeline);
}

}  // namespace

Table run_steps(Table table, const std::vector<PipelineStep>& steps) {
  for (const PipelineStep& step : steps) table = run_step(table, step);
  return table;
}

std::vector<std::string> needed_columns(const Table& begin, const std::vector<PipelineStep>& steps) {
  const std::vector<std::string> last = run_steps(begin, steps).names();
  std::set<std::string> needed(last.begin(), last.end());
  for (std::size_t i = steps.size(); i-- > 0;) {
    if (needs_all(steps[i])) {
      const std::vector<std::string> all =
          run_steps(begin, {steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(i)}).names();
      needed.insert(all.begin(), all.end());
    }
    needed = needed_before(steps[i], std::move(needed));
  }
  std::vector<std::string> names = begin.names();
  std::erase_if(names, [&](const std::string& name) { return !needed.contains(name); });
  return names;
}

Table RunOnFile::operator()(const FilePiece& piece, const Pipeline& pipeline) const {
  const ReadPlan& read = pipeline.read;
  switch (read.format) {
    case ReadPlan::Format::Csv:
      return run_steps(read_csv_piece(piece, read.csv, read.columns), pipeline.steps);
    case ReadPlan::Format::Parquet:
      return run_steps(read_parquet_piece(piece, read.columns), pipeline.steps);
    case ReadPlan::Format::Hdf:
      return run_steps(read_hdf_piece(piece, read.dataset, read.columns), pipeline.steps);
    case ReadPlan::Format::None:
      break;
  }
  throw Error("a partition of no file was to be read from one");
}

Table RunOnTable::operator()(const Table& table, const Pipeline& pipeline) const {
  return run_steps(table, pipeline.steps);
}

std::uint64_t fresh_mark() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

bool reads_same(const FramePlan& from, const ColumnExpr& expression, const FramePlan& to) {
  if (from.marks.size() > to.marks.size() || !std::equal(from.marks.begin(), from.marks.end(), to.marks.begin()))
    return false;
  const std::vector<std::string> read = expression.reads();
  const auto reads = [&](const std::string& name) { return std::find(read.begin(), read.end(), name) != read.end(); };
  for (std::size_t i = from.steps.size(); i < to.steps.size(); ++i) {
    const PipelineStep& step = to.steps[i];
    const bool changes = step.kind == Kind::Assign || step.kind == Kind::Rename;
    if (changes && (std::any_of(step.names.begin(), step.names.end(), reads) ||
                    std::any_of(step.others.begin(), step.others.end(), reads)))
      return false;
    if (step.kind == Kind::BeginStates || step.kind == Kind::SampleKeys || step.kind == Kind::CountRows) return false;
  }
  return std::all_of(read.begin(), read.end(), [&](const std::string& name) { return to.meta.has(name); });
}

SharedPlan with_step(const SharedPlan& plan, PipelineStep step) {
  auto longer = std::make_shared<FramePlan>(*plan);
  longer->marks.push_back(fresh_mark());
  if (step.kind != Kind::Assign && step.kind != Kind::Select && step.kind != Kind::Rename)
    longer->rows = longer->marks.back();
  longer->meta = run_step(plan->meta, step);
  const bool changed = (step.kind == Kind::Assign || step.kind == Kind::Rename) &&
                       std::find(step.names.begin(), step.names.end(), plan->index) != step.names.end();
  if (changed || step.kind == Kind::Top || !longer->meta.has(longer->index)) longer->index.clear();
  longer->steps.push_back(std::move(step));
  return longer;
}

SharedPlan plan_of(std::vector<Delayed<Table>> tables, const Table& meta) {
  if (tables.empty()) throw Error("a frame needs at least one partition");
  auto plan = std::make_shared<FramePlan>();
  plan->marks = {plan->rows = fresh_mark()};
  plan->tables = std::move(tables);
  plan->begin = plan->meta = meta.empty_like();
  return plan;
}

std::vector<Delayed<Table>> describe(const FramePlan& plan, const std::source_location& where) {
  if (plan.read.format == ReadPlan::Format::None && plan.steps.empty()) return plan.tables;
  const Delayed<Pipeline> pipeline = delayed(pipeline_of(plan), where);
  std::vector<Delayed<Table>> partitions;
  partitions.reserve(plan.partition_count());
  for (std::size_t i = 0; i < plan.partition_count(); ++i)
    partitions.push_back(describe_with(plan, i, pipeline, where));
  return partitions;
}

Delayed<Table> describe_one(const FramePlan& plan, std::size_t partition, const std::source_location& where) {
  if (plan.read.format == ReadPlan::Format::None && plan.steps.empty()) return plan.tables[partition];
  return describe_with(plan, partition, delayed(pipeline_of(plan), where), where);
}

Delayed<Table> aggregate(const SharedPlan& plan, const AggregatePlan& aggregates, const std::source_location& where) {
  constexpr std::size_t kFan = 8;
  const SharedPlan begun = with_step(plan, {.kind = Kind::BeginStates, .aggregates = aggregates});
  const Delayed<AggregatePlan> how = delayed(aggregates, where);
  std::vector<Delayed<Table>> states = describe(*begun, where);
  const DelayedFunction<JoinStates> join({}, where);
  while (states.size() > 1) {
    std::vector<Delayed<Table>> joined;
    for (std::size_t first = 0; first < states.size(); first += kFan) {
      const std::size_t end = std::min(states.size(), first + kFan);
      if (end - first == 1) {
        joined.push_back(states[first]);
      } else {
        joined.push_back(join(std::vector<Delayed<Table>>(states.begin() + static_cast<std::ptrdiff_t>(first),
                                                          states.begin() + static_cast<std::ptrdiff_t>(end)),
                              how));
      }
    }
    states = std::move(joined);
  }
  return DelayedFunction<FinishStates>({}, where)(states.front(), how);
}

}  // namespace weft::frames
