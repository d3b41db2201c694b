#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

/// What is made of the values of a group. Missing values are skipped, but by Size.
enum class AggregateKind : std::uint8_t {
  Sum,
  Product,
  Mean,
  Count,
  Size,
  Min,
  Max,
  Std,
  Var,
  First,
  Last,
  Nunique,
  Any,
  All,
  Median
};

/// Returns the kind that a word stands for, as "mean"; throws weft::Error naming those there are.
AggregateKind aggregate_kind(const std::string& name);
std::string name_of(AggregateKind kind);

/// One column of what an aggregation gives.
struct Aggregate {
  AggregateKind kind = AggregateKind::Sum;
  std::string column = {};  ///< of the values; empty for Size
  std::string name = {};    ///< of the result
  std::uint32_t ddof = 1;
};

/// How groups are made.
struct GroupOptions {
  bool sort = true;    ///< groups by their keys, else as they first appear
  bool dropna = true;  ///< rows with a missing key are in no group
};

/// Which rows a merge keeps.
struct MergeOptions {
  std::string how = "inner";  ///< "left", "right", "outer", "leftsemi", "leftanti"
  std::vector<std::string> on = {};
  std::vector<std::string> left_on = {}, right_on = {};
  std::vector<std::string> suffixes = {"_x", "_y"};
  std::string indicator = {};   ///< a column that says "left_only", "right_only" or "both"
  std::size_t npartitions = 0;  ///< of the result; 0: as many as the larger side has
  /// The right side goes whole to each partition of the left one, which keeps its partitions and its order. Unless it
  /// is said, that is done where the right side is one partition.
  int broadcast = -1;
};

/// How `read_csv` reads texts of separated fields.
struct CsvOptions {
  char separator = ',';
  char quote = '"';
  char comment = 0;                       ///< lines that begin with it are skipped
  bool header = true;                     ///< the first line names the columns
  std::vector<std::string> names = {};    ///< of the columns, where there is no header or other names are wanted
  std::vector<std::string> columns = {};  ///< only these, in the order of the file; empty: all
  std::map<std::string, std::string> types = {};  ///< "float64", "int64", "string", "category", ...; others are guessed
  std::vector<std::string> dates = {};            ///< columns of dates and times
  std::vector<std::string> missing = {"", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "<NA>", "#N/A"};
  bool assume_missing = false;  ///< whole numbers are read as float64 unless `types` says otherwise
  std::uint64_t skip_rows = 0;  ///< lines before the header of each file
  std::uint64_t blocksize = std::uint64_t{64} << 20;  ///< bytes of a file in one partition; 0: each file is one
  std::uint64_t sample = std::uint64_t{1} << 18;      ///< bytes of the first file from which types are guessed
};

/// How `to_csv` writes.
struct CsvWriteOptions {
  char separator = ',';
  bool header = true;
  std::string missing = {};
};

/// How `read_parquet` reads.
struct ParquetOptions {
  std::vector<std::string> columns = {};  ///< only these, in this order; empty: all
  std::uint64_t blocksize = 0;            ///< row groups are joined to partitions of about so many bytes; 0: one each
};

/// How `read_hdf` reads.
struct HdfOptions {
  std::vector<std::string> columns = {};  ///< only these, in this order; empty: all
  /// Most rows of a partition, rounded down to whole stored chunks; 0: each file is one.
  std::uint64_t chunk_rows = std::uint64_t{1} << 20;
};

/// How `to_parquet` writes.
struct ParquetWriteOptions {
  std::string compression = "zstd";        ///< "none", "snappy", "gzip", "zstd"
  std::uint64_t row_group_rows = 1 << 20;  ///< most rows of a row group
};

}  // namespace weft
