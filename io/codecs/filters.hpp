#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::io {

/// One step that stored bytes went through; numbers are HDF5's registry, and weft's own beyond it for what only Zarr
/// has.
struct Filter {
  static constexpr std::uint32_t kDeflate = 1, kShuffle = 2, kFletcher32 = 3, kSzip = 4, kNbit = 5, kScaleOffset = 6,
                                 kLz4 = 32004, kBlosc = 32001, kZstd = 32015;
  /// A gzip file; lz4 behind its size; sums of four bytes behind the rest (`values[0]` 1: before it); differences of
  /// integers of `values[0]` bytes.
  static constexpr std::uint32_t kGzip = 0x10001, kSizedLz4 = 0x10002, kCrc32c = 0x10003, kCrc32 = 0x10004,
                                 kAdler32 = 0x10005, kDelta = 0x10006;
  std::uint32_t id = 0;
  std::vector<std::uint32_t> values;

  /// For people: "deflate 4".
  std::string text() const;
};

/// Returns what to say about a filter that this build cannot undo, with what to install; empty where it can.
std::string missing_codec(const Filter& filter);

/// Undoes the filters (given in the order of writing; bit i of `skipped` set: filter i was not applied) and writes
/// exactly `out.size()` bytes. `stored` is the chunk as it is in the file; it may be changed.
/// Throws FileError naming `path` where the bytes cannot be decoded or give another number of bytes.
void undo_filters(const std::string& path, const std::vector<Filter>& filters, std::uint32_t skipped,
                  std::span<std::byte> stored, std::span<std::byte> out);

/// The same where the number of bytes is not known before, as for texts: at most 1 GiB.
std::vector<std::byte> undo_filters_unsized(const std::string& path, const std::vector<Filter>& filters,
                                            std::span<const std::byte> stored);

/// Applies the filters that weft writes (shuffle, deflate, gzip, zstd, sized lz4, blosc, crc32c) in their order; blosc
/// shuffles elements of `element_bytes`. Throws FileError naming `path` where this build lacks one.
std::vector<std::byte> apply_filters(const std::string& path, const std::vector<Filter>& filters,
                                     std::size_t element_bytes, std::span<const std::byte> from);

/// Puts bytes i, i + n, i + 2n, ... of `from` next to each other, where n is the number of elements: undoes a shuffle.
void unshuffle(const std::byte* from, std::size_t bytes, std::size_t element_bytes, std::byte* out);
std::uint32_t fletcher32(const std::byte* data, std::size_t bytes);

/// Reverses the bytes of each element in place.
void swap_bytes(std::byte* data, std::size_t elements, std::size_t element_bytes);

}  // namespace weft::io
