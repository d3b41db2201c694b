#pragma once

#include <weft/array.hpp>

#include <string>

namespace weft::arrays {

/// Pictures whose names match a pattern, in the order of their names, as (picture, row, column) or, coloured, (picture,
/// row, column, colour); one chunk each. Reads TIFF, PNG, and binary PGM and PPM, of 8 and 16 bits.
Array imread(const std::string& pattern, const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::imread;
}  // namespace weft
