#pragma once

#include "frames/files/pieces.hpp"

#include <weft/frame_options.hpp>

namespace weft {

namespace frames {

/// Returns the files that patterns name, sorted within each pattern. Throws weft::Error where one names none.
std::vector<std::string> files_of(const std::vector<std::string>& patterns, const char* caller);
/// Looks at the beginning of the first file. Throws weft::Error naming the file, the column and what to do.
CsvFormat plan_csv(const std::vector<std::string>& paths, const CsvOptions& options);
/// Cuts files into blocks; those compressed by gzip or zstd (by their first bytes) are one piece each.
std::vector<FilePiece> cut_csv(const std::vector<std::string>& paths, const CsvOptions& options);
/// Reads the lines that begin in the piece. `columns`: only these, in this order; empty: all. Throws weft::Error naming
/// file, line (or byte), column and what the field says, and what to do.
Table read_csv_piece(const FilePiece& piece, const CsvFormat& format, const std::vector<std::string>& columns);
/// Returns a table as text that pandas reads equal: shortest digits that give the same float, quotes where needed.
std::string csv_text(const Table& table, const CsvWriteOptions& options, bool header);

}  // namespace frames
}  // namespace weft
