#pragma once

#include "frames/files/parquet/codecs.hpp"

#include <weft/table.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::frames::parquet {

/// One column of one row group, ready for a file.
struct WrittenChunk {
  std::vector<std::byte> bytes;  ///< pages, that of the dictionary in front
  Physical physical = Physical::Boolean;
  bool has_dictionary = false;
  std::uint64_t first_data = 0;  ///< where the first page of data begins in the bytes
  std::uint64_t unpacked = 0;    ///< what the bytes would be without a codec
  std::uint64_t values = 0, missing = 0;
  std::optional<std::string> least, most;
};

/// Returns rows [first, first + count) as pages: by a dictionary where few values repeat, else as they are.
WrittenChunk write_chunk(const std::string& path, const Column& column, std::size_t first, std::size_t count,
                         Codec codec);
/// Returns how values of a column are stored.
Physical physical_of(ColumnType type);

/// Appends numbers as runs and packed bits.
void append_runs(std::vector<std::byte>& out, const std::uint32_t* values, std::size_t count, unsigned width);

}  // namespace weft::frames::parquet
