#pragma once

#include "arrays/files/region_io.hpp"

#include <weft/client.hpp>
#include <weft/ops/files.hpp>
#include <weft/tiff_writer.hpp>

#include <deque>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft::arrays::files {

/// Writes a box of elements in C order to its place in a file that exists.
struct WriteRegion {
  std::int64_t operator()(const std::string& path, std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const ChunkRegion& region, std::int64_t element_bytes, const Buffer& chunk) const;
};

/// Makes a file of a header and `bytes` zeros, for tasks that fill it.
void begin_file(const std::string& path, const std::string& header, std::int64_t bytes);

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

/// Starts what each chunk needs, `ahead` of them before the first is taken, and takes them one after the other, in the
/// order of the grid: `start(region, chunk)` gives a future, `take(region, value)` has its value.
template <class Start, class Take>
void in_turn(const Array& array, std::size_t ahead, const Start& start, const Take& take) {
  using Running = std::invoke_result_t<Start, const ChunkRegion&, const Delayed<Buffer>&>;
  std::deque<std::pair<ChunkRegion, Running>> running;
  const auto take_first = [&] {
    auto [region, future] = std::move(running.front());
    running.pop_front();
    take(region, std::move(future).result());
  };
  for (const auto& [region, chunk] : detail::chunks_with_regions(array)) {
    if (running.size() == ahead) take_first();
    running.emplace_back(region, start(region, chunk));
  }
  while (!running.empty()) take_first();
}

/// Returns how an array of pictures lies in a TIFF file: (rows, columns), with pages before and bands behind.
io::TiffLayout tiff_layout(const Shape& shape, bool with_bands);
/// Cuts an array so that each chunk is whole tiles of one page.
Array cut_for_tiff(const Array& array, const io::TiffLayout& layout);
/// Packs the tiles of such a chunk of encoded elements.
std::vector<io::TiffTile> tiles_of(const std::string& path, const io::TiffLayout& layout, const ChunkRegion& region,
                                   const std::byte* elements);

/// Returns an array of a file that io reads, without CF's packing: the one of this name, or the only one.
Array load_stored(const std::string& path, const std::string& name, const LoadOptions& options,
                  const std::source_location& where);

}  // namespace weft::arrays::files
