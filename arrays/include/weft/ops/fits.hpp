#pragma once

#include <weft/ops/files.hpp>

#include <source_location>
#include <string>

namespace weft::arrays {

/// Writes a picture of FITS, of any number of axes: integers and floats of 8 to 64 bits, unsigned ones as FITS has
/// them. Each chunk is written by the task that has it. `save` does the same where a name ends with .fits, .fit or
/// .fts.
void save_fits(const Client& client, const Array& array, const std::string& path,
               const std::source_location& where = std::source_location::current());
/// Reads the first picture of a file, packed or not, as its numbers are stored.
Array load_fits(const std::string& path, const LoadOptions& options = {},
                const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::load_fits;
using arrays::save_fits;
}  // namespace weft
