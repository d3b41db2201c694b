#pragma once

#include "arrays/files/region_io.hpp"

#include <weft/ops/files.hpp>

namespace weft::arrays::files {

/// Writes a box of elements in C order to its place in a file that exists.
struct WriteRegion {
  std::int64_t operator()(const std::string& path, std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const ChunkRegion& region, std::int64_t element_bytes, const Buffer& chunk) const;
};

/// Runs `write(temporary name)`, and puts what it wrote in place; removes it where something goes wrong.
template <class Write>
void in_place_of(const std::string& path, const Write& write) {
  const std::string part = temporary_name(path);
  try {
    write(part);
    replace(part, path);
  } catch (...) {
    remove_quietly(part);
    throw;
  }
}

/// Returns the array in a file's bytes, from `offset` on, in C order.
Array read_from(const std::string& path, std::int64_t offset, Dtype dtype, const Shape& shape, const Chunks& chunks,
                const std::source_location& where);

}  // namespace weft::arrays::files
