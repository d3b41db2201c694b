#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::io {

/// How an array lies in a Zarr store. A plain struct, so that tasks can take it along.
struct ZarrLayout {
  /// 2 or 3.
  int version = 3;
  /// An element's type as `ElementType::name` has it: "float32", "datetime64[s]".
  std::string type;
  std::vector<std::int64_t> shape;
  /// What is packed as one.
  std::vector<std::int64_t> chunk;
  /// What is a file of its own: whole numbers of chunks; the chunk where it is empty. Version 3 only.
  std::vector<std::int64_t> shard;
  /// "none", "zstd", "gzip", "lz4" (version 2 only) or "blosc" (zstd behind a shuffle of bytes).
  std::string codec = "zstd";
  /// -1: the codec's usual one.
  int level = -1;

  /// The extents of what one task writes.
  const std::vector<std::int64_t>& object() const { return shard.empty() ? chunk : shard; }
};

/// Throws FileError where such an array cannot be written, by this build or at all; `path` is what it is to be named.
void check_zarr(const std::string& path, const ZarrLayout& layout);

/// Writes the description of an array into its folder, which is made. Dimensions may be empty. `fill`: what stands for
/// no value (of version 2: its fill value, too); nothing where it is empty.
void write_zarr_description(const std::string& folder, const ZarrLayout& layout,
                            const std::vector<std::string>& dimensions = {},
                            const std::vector<Attribute>& attributes = {}, const std::vector<double>& fill = {});

/// Packs and writes one object, chunk or shard: the one at `place` of the grid of objects, with `extent` elements that
/// lie in C order. It appears when it is complete; writing it again is the same. No two objects share a file.
void write_zarr_object(const std::string& folder, const ZarrLayout& layout, const std::vector<std::int64_t>& place,
                       const std::vector<std::int64_t>& extent, const std::byte* data);

/// Writes the description of a group; `arrays` are in it already, and are described once more in the group's own
/// description, so that one read opens all.
void write_zarr_group(const std::string& folder, int version, const std::vector<Attribute>& attributes,
                      const std::vector<std::string>& arrays);

}  // namespace weft::io
