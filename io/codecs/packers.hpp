#pragma once

#include "io/codecs/filters.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::io {

/// Whether this build has blosc.
bool has_blosc();
/// Undo one step; write exactly `out.size()` bytes. Throw FileError naming `path` where the bytes are damaged.
void unpack_blosc(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out);
void unpack_sized_lz4(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out);
/// Undoes a packer without knowing how many bytes come out; at most 1 GiB.
std::vector<std::byte> unpack_unsized(const std::string& path, const Filter& filter, std::span<const std::byte> from);

std::uint32_t crc32c(std::span<const std::byte> bytes);
std::uint32_t crc32(std::span<const std::byte> bytes);
std::uint32_t adler32(std::span<const std::byte> bytes);

}  // namespace weft::io
