#pragma once

#include "frames/files/pieces.hpp"

#include <weft/frame_options.hpp>

namespace weft::frames {

/// What the files say of a table.
struct HdfPlan {
  Table schema;  ///< without rows
  std::vector<FilePiece> pieces;
};

/// Reads the descriptions of all files. Throws weft::Error where their tables differ, naming both files and the column.
HdfPlan plan_hdf(const std::vector<std::string>& paths, const std::string& dataset, const HdfOptions& options);
/// Reads rows [first, end) of the table or group `dataset`; `columns` in this order, empty: all.
Table read_hdf_piece(const FilePiece& piece, const std::string& dataset, const std::vector<std::string>& columns);

}  // namespace weft::frames
