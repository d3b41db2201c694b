#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::io {

/// One step that stored bytes went through; numbers are HDF5's registry.
struct Filter {
  static constexpr std::uint32_t kDeflate = 1, kShuffle = 2, kFletcher32 = 3, kSzip = 4, kNbit = 5, kScaleOffset = 6,
                                 kLz4 = 32004, kBlosc = 32001, kZstd = 32015;
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

/// Puts bytes i, i + n, i + 2n, ... of `from` next to each other, where n is the number of elements: undoes a shuffle.
void unshuffle(const std::byte* from, std::size_t bytes, std::size_t element_bytes, std::byte* out);
std::uint32_t fletcher32(const std::byte* data, std::size_t bytes);

/// Reverses the bytes of each element in place.
void swap_bytes(std::byte* data, std::size_t elements, std::size_t element_bytes);

}  // namespace weft::io
