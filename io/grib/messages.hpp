#pragma once

#include "io/files/open_file.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// GRIB editions 1 and 2: a file is messages, each of which says of itself what it is. Sections, and values packed in
/// the usual way, are read here; what the numbers in them mean, and other packings, is ecCodes' (keys.hpp).
namespace weft::io::grib {

/// A piece of the file.
struct Piece {
  std::uint64_t place = 0;
  std::uint64_t bytes = 0;
};

/// One field: of edition 2 a message may hold several.
struct Field {
  int edition = 2;
  /// Section 0, as the message has it.
  std::vector<std::byte> indicator;
  /// Edition 1: product, grid. Edition 2: sections 1 to 5, those that there are. What is small is kept.
  std::vector<std::byte> head;
  /// Where bit 1 says that a value is there; nothing where all are.
  Piece bitmap;
  /// The packed values, without the section's own head.
  Piece data;
  /// The whole section of values.
  Piece data_section;
  /// The section of the bitmap; nothing where there is none.
  Piece bitmap_section;

  /// value = (reference + n x 2^binary) / 10^decimal for numbers n of `bits` bits.
  bool simple = false;
  double reference = 0;
  int binary = 0;
  int decimal = 0;
  unsigned bits = 0;
  /// Numbers that are stored.
  std::uint64_t count = 0;
};

/// What a field says of itself but its reference time and its packing: fields of which this is the same are alike in
/// all else that is asked of them. Where that cannot be told so, `text` is empty.
struct Likeness {
  std::string text;
  /// The reference time, in seconds since 1970.
  std::int64_t time = 0;
};
Likeness likeness_of(const Field& field);

/// Days since 1970 of a date of the Gregorian calendar.
std::int64_t days_of(std::int64_t year, std::int64_t month, std::int64_t day);

/// Finds all fields. Throws FileError where the file is damaged.
std::vector<Field> find_fields(const OpenFile& file);

/// Returns the field as a message of its own: without its values (what describes it), or with them.
std::vector<std::byte> message_of(const OpenFile& file, const Field& field, bool values);

/// Unpacks a field of the simple packing into `points` numbers; NaN where the bitmap says that there is none.
void unpack_simple(const OpenFile& file, const Field& field, std::uint64_t points, float* out);

}  // namespace weft::io::grib
