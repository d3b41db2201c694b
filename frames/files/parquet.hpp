#pragma once

#include "frames/files/pieces.hpp"

#include <weft/frame_options.hpp>

namespace weft {

namespace frames {

/// What a file says of one column of one row group.
struct ColumnBounds {
  std::string column;
  Cell least, most;           ///< none where the file does not say
  std::int64_t missing = -1;  ///< how many; -1: not known
};

/// What the footers say.
struct ParquetPlan {
  Table schema;  ///< without rows
  std::vector<FilePiece> pieces;
  std::vector<std::uint64_t> rows;                ///< of each piece
  std::vector<std::vector<ColumnBounds>> bounds;  ///< of each piece
};

/// Reads the footers of all files. Throws weft::Error where schemas differ, naming both files and the column.
ParquetPlan plan_parquet(const std::vector<std::string>& paths, const ParquetOptions& options);
/// Reads row groups [first, end) of a file; `columns` in this order, empty: all.
Table read_parquet_piece(const FilePiece& piece, const std::vector<std::string>& columns);
/// Writes a table as one file, complete when it appears under its name.
void write_parquet(const std::string& path, const Table& table, const ParquetWriteOptions& options);

}  // namespace frames
}  // namespace weft
