#pragma once

#include "frames/files/parquet/pages.hpp"

#include <span>

namespace weft::frames::parquet {

/// Reads one column of several row groups.
Column read_column(const io::OpenFile& file, const Leaf& leaf, std::span<const RowGroup> groups);

/// Makes stored values those of the column's type. Throws FileError where one does not fit.
void convert(const std::string& path, const Leaf& leaf, const std::byte* stored, std::size_t count, std::byte* out);
/// The same for values stored as bytes: decimals, halves.
void convert_texts(const Leaf& leaf, const std::int64_t* ends, const char* bytes, std::size_t count, std::byte* out);
/// Returns bytes of a stored value that is no text.
std::size_t stored_width(Physical physical);
/// Returns a stored value, as an integer in nanoseconds or as it is, where it has that many bytes and fits.
Cell bound_of(const Leaf& leaf, const std::string& stored);

}  // namespace weft::frames::parquet
