#pragma once

#include "frames/files/pieces.hpp"
#include "frames/rows/aggregate.hpp"
#include "frames/rows/order.hpp"

#include <weft/column_expression.hpp>
#include <weft/delayed.hpp>

#include <memory>
#include <string>
#include <vector>

namespace weft::frames {

/// What is done to each partition by itself; all steps of a pipeline are one task.
struct PipelineStep {
  enum class Kind : std::uint8_t {
    Filter,
    Select,
    Assign,
    Rename,
    DropMissing,
    Distinct,
    Top,
    BeginStates,
    SampleKeys,
    CountRows,
    Slice
  };
  Kind kind = Kind::Filter;
  ColumnExpr expression = {};
  std::vector<std::string> names = {};   ///< selected, renamed, looked at; of Assign: the one name
  std::vector<std::string> others = {};  ///< new names
  AggregatePlan aggregates = {};
  SortOrder order = {};
  std::int64_t first = 0, count = 0;
};

/// What a file's partitions are read with.
struct ReadPlan {
  enum class Format : std::uint8_t { None, Csv, Parquet, Hdf };
  Format format = Format::None;
  CsvFormat csv = {};
  std::vector<std::string> columns = {};  ///< only these are read; empty: all
  std::string dataset = {};               ///< of HDF5: the table, or the group
};

/// Reading and steps: what a task of a partition is told, one copy for all of them.
struct Pipeline {
  ReadPlan read = {};
  std::vector<PipelineStep> steps = {};
};

/// Returns the table after the steps.
Table run_steps(Table table, const std::vector<PipelineStep>& steps);
/// Returns the columns of the beginning that the steps need, in its order.
std::vector<std::string> needed_columns(const Table& begin, const std::vector<PipelineStep>& steps);

/// What the tasks of frames run.
struct RunOnFile {
  Table operator()(const FilePiece& piece, const Pipeline& pipeline) const;
};
struct RunOnTable {
  Table operator()(const Table& table, const Pipeline& pipeline) const;
};
struct JoinStates {
  Table operator()(const std::vector<Table>& parts, const AggregatePlan& plan) const {
    return join_states(parts, plan);
  }
};
struct FinishStates {
  Table operator()(const Table& states, const AggregatePlan& plan) const { return finish_states(states, plan); }
};

/// The partitions of a frame and what is still to be done to each: immutable, shared by all frames and series made of
/// it.
struct FramePlan {
  std::vector<Delayed<Table>> tables;  // where the partitions are computed by tasks
  std::vector<FilePiece> pieces;       // where they are read from files
  ReadPlan read;
  Table begin;  // the columns before the steps, without rows
  std::vector<PipelineStep> steps;
  Table meta;                        // the columns after them, without rows
  std::string index;                 // the column that rows are sorted by, where that is known
  std::uint64_t rows = 0;            // frames with the same have the same rows in the same partitions
  std::vector<std::uint64_t> marks;  // one of the beginning, one of each step: equal ones are the same

  std::size_t partition_count() const { return read.format == ReadPlan::Format::None ? tables.size() : pieces.size(); }
};
using SharedPlan = std::shared_ptr<const FramePlan>;

/// Tells whether an expression over the rows of one plan means the same over those of another: one that was made of it
/// by steps which leave the columns that are read as they were.
bool reads_same(const FramePlan& from, const ColumnExpr& expression, const FramePlan& to);
/// Returns the plan with one step more; errors in it are thrown here.
SharedPlan with_step(const SharedPlan& plan, PipelineStep step);
/// Describes a task for each partition.
std::vector<Delayed<Table>> describe(const FramePlan& plan, const std::source_location& where);
/// The same for one partition.
Delayed<Table> describe_one(const FramePlan& plan, std::size_t partition, const std::source_location& where);
/// Makes a plan of tables that tasks compute. `meta`: their columns.
SharedPlan plan_of(std::vector<Delayed<Table>> tables, const Table& meta);
/// Returns a mark that no other plan has.
std::uint64_t fresh_mark();

/// Joins states of neighbours, eight at a time, until one is left, and finishes it.
Delayed<Table> aggregate(const SharedPlan& plan, const AggregatePlan& aggregates, const std::source_location& where);

}  // namespace weft::frames
