#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// Writing pictures of FITS: a header, and behind it the numbers in C order, which anybody may put in their places.
namespace weft::io {

/// Returns the header of a picture of elements of this type ("uint16", as `ElementType::name` has it). Attributes whose
/// names fit into eight letters become cards. Throws FileError that names `path` where FITS has no such type.
std::string fits_header(const std::string& path, const std::string& type, const std::vector<std::int64_t>& shape,
                        const std::vector<Attribute>& attributes);
/// Turns elements into what FITS stores, in place, and returns how many bytes one has.
std::size_t encode_fits(const std::string& type, std::span<std::byte> elements);
/// Bytes of the data in the file, with the zeros that fill the last block.
std::int64_t fits_data_bytes(std::int64_t bytes);

}  // namespace weft::io
