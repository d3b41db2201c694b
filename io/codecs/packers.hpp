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

/// Deflated bytes with nothing around them, as ZIP has them. Where this build lacks libdeflate they throw, too.
void inflate_raw(const std::string& path, std::span<const std::byte> from, std::span<std::byte> out);
/// As inflate_raw, where nobody knows how many bytes come out: `most` at most.
std::vector<std::byte> inflate_raw_all(const std::string& path, std::span<const std::byte> from, std::size_t most);
std::vector<std::byte> deflate_raw(const std::string& path, std::span<const std::byte> from, int level);
/// Unpacks what is there of the beginning, until one of the two ends; what does not come out is left as it is. Nothing
/// tells whether the bytes are right: for looking at descriptions, which check themselves.
void inflate_start(std::span<const std::byte> from, std::span<std::byte> out);

std::uint32_t crc32c(std::span<const std::byte> bytes);
/// `before`: the sum of the bytes in front of these.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);
std::uint32_t adler32(std::span<const std::byte> bytes);

}  // namespace weft::io
