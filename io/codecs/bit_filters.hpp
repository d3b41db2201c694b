#pragma once

#include "io/codecs/filters.hpp"

/// HDF5's own filters that keep only the bits that matter: of integers of few bits (nbit), of differences from the
/// least value, also of floats that were rounded to decimals (scaleoffset).
namespace weft::io {

/// Each writes exactly `out.size()` bytes in the order of bytes that the dataset has. Throws FileError naming `path`.
void unpack_nbit(const std::string& path, const Filter& filter, std::span<const std::byte> from,
                 std::span<std::byte> out);
void unpack_scaleoffset(const std::string& path, const Filter& filter, std::span<const std::byte> from,
                        std::span<std::byte> out);

}  // namespace weft::io
