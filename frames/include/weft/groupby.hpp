#pragma once

#include <weft/dataframe.hpp>

// Part of <weft/dataframe.hpp>, which includes it.

namespace weft {

namespace frames {

/// Returns the rows of each group, groups in the order of their keys, or as they first appear.
std::vector<Table> cut_groups(const Table& table, const std::vector<std::string>& keys, const GroupOptions& options);

template <class F>
struct ApplyToGroups {
  F function;
  Table operator()(const Table& table, const std::vector<std::string>& keys, const GroupOptions& options,
                   const Table& meta) const {
    std::vector<Table> made = {meta};
    for (const Table& group : cut_groups(table, keys, options)) made.push_back(function(group));
    return Table::concat(made);
  }
};

}  // namespace frames

/// A frame's rows by groups of equal keys: `frame.groupby("vendor").mean({"fare"})`. Results have a row for each group:
/// the keys' columns, then the values'; they are one partition. Owns: a share of the description.  Threading: as an
/// int.
class GroupBy {
 public:
  using Where = std::source_location;

  /// Only these columns are aggregated.
  GroupBy operator[](const std::vector<std::string>& columns) const;
  GroupBy operator[](const char* column) const { return (*this)[std::vector<std::string>{column}]; }
  /// The columns' values, or those of all other columns that go with it.
  DataFrame sum(const Where& where = Where::current()) const { return one(AggregateKind::Sum, 0, where); }
  DataFrame prod(const Where& where = Where::current()) const { return one(AggregateKind::Product, 0, where); }
  DataFrame mean(const Where& where = Where::current()) const { return one(AggregateKind::Mean, 0, where); }
  DataFrame count(const Where& where = Where::current()) const { return one(AggregateKind::Count, 0, where); }
  DataFrame min(const Where& where = Where::current()) const { return one(AggregateKind::Min, 0, where); }
  DataFrame max(const Where& where = Where::current()) const { return one(AggregateKind::Max, 0, where); }
  DataFrame first(const Where& where = Where::current()) const { return one(AggregateKind::First, 0, where); }
  DataFrame last(const Where& where = Where::current()) const { return one(AggregateKind::Last, 0, where); }
  DataFrame nunique(const Where& where = Where::current()) const { return one(AggregateKind::Nunique, 0, where); }
  DataFrame median(const Where& where = Where::current()) const { return one(AggregateKind::Median, 0, where); }
  DataFrame std(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return one(AggregateKind::Std, ddof, where);
  }
  DataFrame var(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return one(AggregateKind::Var, ddof, where);
  }
  /// How many rows each group has, as "size".
  DataFrame size(const Where& where = Where::current()) const;
  /// Makes a table of each group's rows by a function of yours, called with a table; results stand one behind the
  /// other, in as many partitions as the frame has. `meta`: their columns. What the aggregations above do not have is
  /// made with it.
  template <class F>
  DataFrame apply(F function, const Table& meta, const Where& where = Where::current()) const {
    const DelayedFunction<frames::ApplyToGroups<F>> one({std::move(function)}, where);
    std::vector<Delayed<Table>> made;
    for (const Delayed<Table>& partition : DataFrame(plan_).shuffle(keys_, 0, where).to_delayed(where))
      made.push_back(one(partition, keys_, options_, meta));
    return DataFrame::from_delayed(std::move(made), meta, where);
  }
  /// Several at once: `aggregate({{"fare", "mean"}, {"fare", "std"}, {"tip", "sum"}})`; results are called "fare_mean",
  /// ...
  DataFrame aggregate(const std::vector<std::pair<std::string, std::string>>& column_to_kind,
                      const Where& where = Where::current()) const;
  DataFrame aggregate(std::vector<Aggregate> aggregates, const Where& where = Where::current()) const;

 private:
  friend class DataFrame;
  GroupBy(frames::SharedPlan plan, std::vector<std::string> keys, const GroupOptions& options)
      : plan_(std::move(plan)), keys_(std::move(keys)), options_(options) {}
  DataFrame one(AggregateKind kind, std::uint32_t ddof, const Where& where) const;

  frames::SharedPlan plan_;
  std::vector<std::string> keys_;
  std::vector<std::string> values_;
  GroupOptions options_;
};

}  // namespace weft
