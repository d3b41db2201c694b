#pragma once

#include "io/fits/header.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Pictures that FITS keeps packed in the rows of a table, a tile each.
namespace weft::io::fits {

/// A column of a table that rows' cells lie in.
struct Column {
  std::string name;
  /// FITS's letter: "J", "A"; of lists ("P", "Q") that of their elements in `list`.
  char letter = 0, list = 0;
  std::int64_t count = 1;
  /// From the beginning of a row, and of a cell.
  std::uint64_t place = 0, bytes = 0;
};

/// Throws FileError where the columns do not fit into a row.
std::vector<Column> columns_of(const OpenFile& file, const Header& header);

/// How a packed picture lies.
struct Packed {
  std::vector<std::int64_t> shape, tile;
  ElementType type;
  std::string codec;
  /// Bits of what the packed numbers are, before they are scaled.
  std::int64_t stored_bits = 32;
  std::uint32_t rice_block = 32, rice_bytes = 4;
  /// Floats that were made integers: by how much, or in which columns that is.
  bool scaled = false, dithered = false, keeps_zeros = false;
  double scale = 1, zero = 0;
  std::int64_t blank = 0, first_dither = 1;
  std::vector<Column> columns;
  const Column *data = nullptr, *gzipped = nullptr, *plain = nullptr, *scales = nullptr, *zeros = nullptr,
               *blanks = nullptr;
  std::uint64_t rows = 0, row_bytes = 0, table = 0, heap = 0, end = 0;
  /// Why it cannot be read; empty where it can.
  std::string obstacle;
};

Packed packed_of(const OpenFile& file, const Header& header);

/// Reads and decodes a tile of `elements` numbers, in this machine's order of bytes.
void read_tile(const OpenFile& file, const Packed& packed, std::uint64_t number, std::span<std::byte> out);

/// Undoes the Rice coding of integers of `bytes` bytes, in blocks of `block`, into this machine's order. Throws
/// FileError naming `path` where the bits end too early.
void unpack_rice(const std::string& path, std::span<const std::byte> from, std::uint32_t block, std::uint32_t bytes,
                 std::span<std::int64_t> out);

}  // namespace weft::io::fits
