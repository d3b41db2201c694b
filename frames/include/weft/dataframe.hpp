#pragma once

#include <weft/client.hpp>
#include <weft/series.hpp>

#include <functional>
#include <utility>

namespace weft {

class GroupBy;

/// Columns and their types, as a table without rows: `schema({{"name", "string"}, {"age", "int64"}})`.
Table schema(const std::vector<std::pair<std::string, std::string>>& columns);

/// Rows in partitions, each a Table that a task computes: Dask's dataframe. Nothing runs before a client computes.
///
///     DataFrame rides = read_csv("rides-*.csv", {.dates = {"when"}});
///     DataFrame tips = rides[rides["fare"] > 20].groupby(rides["when"].dt().hour())["tip"].mean();
///     std::cout << tips.compute(client);
///
/// Columns are what there is: no index beside them. Rows keep their order. Whatever is done row by row goes into one
/// task for each partition, with the reading of its file, of which only the columns needed are read. Bits of results
/// depend on the data and its partitions alone.
///
/// Owns: a share of the description; copying is cheap.  Threading: as an int.
class DataFrame {
 public:
  using Where = std::source_location;

  /// Cuts a table into partitions of about equal length.
  static DataFrame from_table(Table table, std::size_t partitions = 1, const Where& where = Where::current());
  /// Makes a frame of lazy tables, one partition each. `meta`: their columns (schema).
  static DataFrame from_delayed(std::vector<Delayed<Table>> partitions, const Table& meta,
                                const Where& where = Where::current());
  /// Makes a frame of tables that are being computed.
  static DataFrame from_futures(const std::vector<Future<Table>>& partitions, const Table& meta,
                                const Where& where = Where::current());
  /// Makes a partition of each f(item).
  template <class F, class T>
  static DataFrame from_map(F function, const std::vector<T>& items, const Table& meta,
                            const Where& where = Where::current()) {
    const DelayedFunction<F> one(std::move(function), where);
    std::vector<Delayed<Table>> partitions;
    for (const T& item : items) partitions.push_back(one(item));
    return from_delayed(std::move(partitions), meta, where);
  }

  // --- What it is ----------------------------------------------------------------------------------------------------
  std::vector<std::string> columns() const;
  std::vector<ColumnType> dtypes() const;
  /// Returns the columns as a table without rows.
  const Table& meta() const;
  std::size_t npartitions() const;
  std::size_t ndim() const { return 2; }
  /// Describes how many rows there are; shape() computes it.
  Delayed<std::int64_t> row_count(const Where& where = Where::current()) const;
  std::pair<std::int64_t, std::int64_t> shape(const Client& client) const;
  /// Describes rows times columns.
  Delayed<std::int64_t> size(const Where& where = Where::current()) const;

  // --- Row by row ----------------------------------------------------------------------------------------------------
  Series operator[](const std::string& column) const;
  Series operator[](const char* column) const { return (*this)[std::string(column)]; }
  DataFrame operator[](const std::vector<std::string>& columns) const;
  DataFrame operator[](std::initializer_list<const char*> columns) const {
    return (*this)[std::vector<std::string>(columns.begin(), columns.end())];
  }
  DataFrame operator[](const Series& condition) const;
  DataFrame operator[](const ColumnExpr& condition) const { return filter(condition); }
  DataFrame filter(const ColumnExpr& condition) const;
  /// Puts a column behind the others, or in the place of one with its name.
  DataFrame assign(const std::string& name, const ColumnExpr& value) const;
  /// The series is of this frame, or of one with the same rows: what cumsum, shift, rolling and the like give.
  DataFrame assign(const std::string& name, const Series& value) const;
  DataFrame drop(const std::vector<std::string>& columns) const;
  DataFrame rename(const std::vector<std::pair<std::string, std::string>>& old_to_new) const;
  DataFrame astype(const std::vector<std::pair<std::string, std::string>>& types) const;
  /// Drops rows with a missing value in one of the columns (`all`: in all of them); none named: all columns.
  DataFrame dropna(const std::vector<std::string>& subset = {}, bool all = false) const;
  /// Puts a value in the place of missing ones, in all columns that it fits, or in those named.
  DataFrame fillna(const ColumnExpr& value, const std::vector<std::string>& subset = {}) const;
  DataFrame isna() const;
  DataFrame notna() const;
  /// What the operator gives of each column of numbers and the other side.
  DataFrame add(const ColumnExpr& other) const { return each_number(other, ColumnOp::Add); }
  DataFrame sub(const ColumnExpr& other) const { return each_number(other, ColumnOp::Subtract); }
  DataFrame mul(const ColumnExpr& other) const { return each_number(other, ColumnOp::Multiply); }
  DataFrame div(const ColumnExpr& other) const { return each_number(other, ColumnOp::Divide); }
  DataFrame truediv(const ColumnExpr& other) const { return div(other); }
  DataFrame floordiv(const ColumnExpr& other) const { return each_number(other, ColumnOp::FloorDivide); }
  DataFrame mod(const ColumnExpr& other) const { return each_number(other, ColumnOp::Modulo); }
  DataFrame pow(const ColumnExpr& other) const { return each_number(other, ColumnOp::Power); }
  DataFrame eq(const ColumnExpr& other) const { return each_number(other, ColumnOp::Equal); }
  DataFrame ne(const ColumnExpr& other) const { return each_number(other, ColumnOp::NotEqual); }
  DataFrame lt(const ColumnExpr& other) const { return each_number(other, ColumnOp::Less); }
  DataFrame le(const ColumnExpr& other) const { return each_number(other, ColumnOp::LessEqual); }
  DataFrame gt(const ColumnExpr& other) const { return each_number(other, ColumnOp::Greater); }
  DataFrame ge(const ColumnExpr& other) const { return each_number(other, ColumnOp::GreaterEqual); }
  DataFrame isin(const std::vector<Cell>& values) const;
  /// Keeps values where the condition holds; the others are missing.
  DataFrame where(const Series& condition) const;
  DataFrame abs() const;
  DataFrame round(std::int64_t decimals = 0) const;
  /// Makes a table of each partition by a function of yours. `meta`: its columns; those of this frame unless given.
  template <class F>
  DataFrame map_partitions(F function, const Table& meta, const Where& where = Where::current()) const {
    const DelayedFunction<F> one(std::move(function), where);
    std::vector<Delayed<Table>> made;
    for (const Delayed<Table>& partition : to_delayed(where)) made.push_back(one(partition));
    return from_delayed(std::move(made), meta, where);
  }
  template <class F>
  DataFrame map_partitions(F function, const Where& where = Where::current()) const {
    return map_partitions(std::move(function), meta(), where);
  }

  // --- Reductions: one row, of the columns that go with them ---------------------------------------------------------
  DataFrame sum(const Where& where = Where::current()) const { return reduce(AggregateKind::Sum, 0, where); }
  DataFrame prod(const Where& where = Where::current()) const { return reduce(AggregateKind::Product, 0, where); }
  DataFrame mean(const Where& where = Where::current()) const { return reduce(AggregateKind::Mean, 0, where); }
  DataFrame min(const Where& where = Where::current()) const { return reduce(AggregateKind::Min, 0, where); }
  DataFrame max(const Where& where = Where::current()) const { return reduce(AggregateKind::Max, 0, where); }
  DataFrame count(const Where& where = Where::current()) const { return reduce(AggregateKind::Count, 0, where); }
  DataFrame nunique(const Where& where = Where::current()) const { return reduce(AggregateKind::Nunique, 0, where); }
  DataFrame any(const Where& where = Where::current()) const { return reduce(AggregateKind::Any, 0, where); }
  DataFrame all(const Where& where = Where::current()) const { return reduce(AggregateKind::All, 0, where); }
  DataFrame median(const Where& where = Where::current()) const { return reduce(AggregateKind::Median, 0, where); }
  DataFrame std(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return reduce(AggregateKind::Std, ddof, where);
  }
  DataFrame var(std::uint32_t ddof = 1, const Where& where = Where::current()) const {
    return reduce(AggregateKind::Var, ddof, where);
  }

  DataFrame quantile(double q, const Where& where = Where::current()) const;
  /// Each number and those before it, column by column; other columns stay.
  DataFrame cumsum() const;
  DataFrame diff(std::int64_t periods = 1) const;

  // --- By key --------------------------------------------------------------------------------------------------------
  GroupBy groupby(const std::vector<std::string>& keys, const GroupOptions& options = {}) const;
  GroupBy groupby(std::initializer_list<const char*> keys, const GroupOptions& options = {}) const;
  GroupBy groupby(const std::string& key, const GroupOptions& options = {}) const;
  GroupBy groupby(const char* key, const GroupOptions& options = {}) const;
  /// Groups by what is computed of the columns.
  GroupBy groupby(const Series& key, const GroupOptions& options = {}) const;
  GroupBy groupby(const ColumnExpr& key, const GroupOptions& options = {}) const;
  DataFrame drop_duplicates(const std::vector<std::string>& subset = {}, const Where& where = Where::current()) const;
  /// Joins rows with equal keys. Without names, the columns of both are the keys.
  DataFrame merge(const DataFrame& right, const MergeOptions& options = {},
                  const Where& where = Where::current()) const;
  /// Joins on the index of both.
  DataFrame join(const DataFrame& right, const std::string& how = "left", const Where& where = Where::current()) const;
  /// Puts rows with equal keys into one partition.
  DataFrame shuffle(const std::vector<std::string>& on, std::size_t npartitions = 0,
                    const Where& where = Where::current()) const;

  // --- Order ---------------------------------------------------------------------------------------------------------
  /// Sorts all rows, missing values last; equal ones keep their order. Partitions become about equally long.
  DataFrame sort_values(const std::vector<std::string>& by, const std::vector<bool>& ascending = {},
                        std::size_t npartitions = 0, const Where& where = Where::current()) const;
  /// Sorts by a column that rows are then found by: loc. `sorted`: they are in order already.
  DataFrame set_index(const std::string& column, bool sorted = false, const Where& where = Where::current()) const;
  /// The column that set_index named; empty where there is none.
  const std::string& index() const;
  bool known_divisions() const { return !index().empty(); }
  DataFrame reset_index() const;
  /// The rows whose index lies between the two, both included.
  DataFrame loc(const ColumnExpr& least, const ColumnExpr& most) const;
  /// Computes the least index of each partition, and the greatest of the last one.
  std::vector<Cell> divisions(const Client& client) const;
  DataFrame nlargest(std::size_t count, const std::vector<std::string>& by,
                     const Where& where = Where::current()) const;
  DataFrame nsmallest(std::size_t count, const std::vector<std::string>& by,
                      const Where& where = Where::current()) const;

  // --- Partitions ----------------------------------------------------------------------------------------------------
  /// Returns the lazy tables that the frame consists of: inputs for any task, without a copy.
  std::vector<Delayed<Table>> to_delayed(const Where& where = Where::current()) const;
  DataFrame get_partition(std::size_t number) const;
  DataFrame partitions(std::size_t first, std::size_t count) const;
  /// Joins or cuts neighbouring partitions until there are so many.
  DataFrame repartition(std::size_t npartitions, const Where& where = Where::current()) const;
  /// Joins or cuts partitions that are known to the client, until each takes about so many bytes: computes their sizes.
  DataFrame repartition_bytes(const Client& client, std::uint64_t bytes, const Where& where = Where::current()) const;

  // --- Running it ----------------------------------------------------------------------------------------------------
  /// Runs what the rows need and returns all of them in order.
  Table compute(const Client& client) const;
  /// Starts computing the partitions; their results are kept while this frame or one made from it exists.
  DataFrame persist(const Client& client) const;
  /// Returns the first rows, computing one partition after another until there are enough.
  Table head(const Client& client, std::size_t rows = 5) const;
  /// Returns the last rows of the last partition.
  Table tail(const Client& client, std::size_t rows = 5) const;
  /// Writes each partition to a file; returns the files' paths. A `*` in `path` becomes the partition's number; without
  /// one, `path` is a folder. Files appear when they are complete.
  std::vector<std::string> to_csv(const Client& client, const std::string& path,
                                  const CsvWriteOptions& options = {}) const;
  std::vector<std::string> to_parquet(const Client& client, const std::string& path,
                                      const ParquetWriteOptions& options = {}) const;

  const frames::SharedPlan& plan() const { return plan_; }
  explicit DataFrame(frames::SharedPlan plan) : plan_(std::move(plan)) {}

 private:
  friend class Series;
  DataFrame assign_beside(const std::string& name, const Series& value, const Where& where) const;
  DataFrame reduce(AggregateKind kind, std::uint32_t ddof, const Where& where) const;
  DataFrame each_number(const ColumnExpr& other, ColumnOp op) const;
  /// Puts f(column) in the place of each column that `fits`.
  DataFrame each(bool (*fits)(ColumnType), const std::function<ColumnExpr(const ColumnExpr&)>& function) const;

  frames::SharedPlan plan_;
};

/// Puts the rows of frames one behind the other. Columns are those of the first; what another lacks is missing there.
DataFrame concat(const std::vector<DataFrame>& frames,
                 const std::source_location& where = std::source_location::current());
/// As frame.merge(right, options).
inline DataFrame merge(const DataFrame& left, const DataFrame& right, const MergeOptions& options = {},
                       const std::source_location& where = std::source_location::current()) {
  return left.merge(right, options, where);
}

/// Reads texts of separated fields: a path, or a pattern such as "rides-*.csv". Partitions are blocks of lines.
DataFrame read_csv(const std::string& pattern, const CsvOptions& options = {});
DataFrame read_csv(const std::vector<std::string>& patterns, const CsvOptions& options = {});
/// Reads files of Apache Parquet; a folder means the files in it. Partitions are row groups.
DataFrame read_parquet(const std::string& pattern, const ParquetOptions& options = {});
DataFrame read_parquet(const std::vector<std::string>& patterns, const ParquetOptions& options = {});
/// Reads tables of HDF5 files: `dataset` names a table ("events/table") as PyTables, h5py and pandas write them, or a
/// group whose one-dimensional datasets are the columns. Partitions are rows of one file.
DataFrame read_hdf(const std::string& pattern, const std::string& dataset, const HdfOptions& options = {});
DataFrame read_hdf(const std::vector<std::string>& patterns, const std::string& dataset,
                   const HdfOptions& options = {});

template <>
struct CollectionTraits<DataFrame> {
  using Value = Table;
  static Table compute(const Client& client, const DataFrame& frame) { return frame.compute(client); }
  template <class... More>
  static auto compute(const Client& client, const DataFrame& first, const More&... more) {
    const auto running = std::tuple(first.persist(client), more.persist(client)...);
    return std::apply([&](const auto&... one) { return std::tuple(one.compute(client)...); }, running);
  }
  static DataFrame persist(const Client& client, const DataFrame& frame) { return frame.persist(client); }
};

}  // namespace weft

#include <weft/groupby.hpp>
