#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft::frames {

/// What one partition reads of a file: bytes of a text, row groups, or rows of a table.
struct FilePiece {
  std::string path;
  std::uint64_t first = 0;  ///< byte where lines begin to be its own; of Parquet: the row group; of HDF5: the row
  std::uint64_t end = 0;    ///< byte behind which no line begins; of Parquet and HDF5: the one behind the last
};

/// Throws where two files differ in what is read of them.
void require_equal_columns(const std::string& path, const Table& schema, const std::string& other_path,
                           const Table& other);

/// How the columns of a text are read: what `plan_csv` made of the options and of the first file's beginning.
struct CsvFormat {
  char separator = ',';
  char quote = '"';
  char comment = 0;                  ///< 0: none
  std::uint64_t skip_rows = 0;       ///< lines before the header of each file
  bool header = true;                ///< the first line of each file names the columns
  std::vector<std::string> names;    ///< of all columns of the file
  std::vector<ColumnType> types;     ///< of each
  std::vector<std::string> missing;  ///< fields that stand for a missing value
  bool trim = false;                 ///< blanks around fields
};

}  // namespace weft::frames
