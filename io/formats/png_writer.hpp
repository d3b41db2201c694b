#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace weft::io {

/// Returns a PNG file of a picture: three bytes a pixel (red, green, blue), row by row from the top. Throws FileError
/// where this build cannot deflate.
std::vector<std::byte> png_bytes(std::int64_t rows, std::int64_t columns, std::span<const std::uint8_t> colours);

}  // namespace weft::io
