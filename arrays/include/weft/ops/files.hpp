#pragma once

#include <weft/array.hpp>
#include <weft/ops/store.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace weft::arrays {

// Arrays in files. Writing runs the array: each chunk is written by the task that has it, beside its final place, and
// the whole is renamed when all chunks are there: a reader sees the old file, or the new one. Reading describes an
// array whose chunks read their own part of the file. No more than the chunks in work are in memory. Under several
// processes the path must mean the same file for all of them. Errors begin with the file's name.

/// How an array is written.
struct SaveOptions {
  /// Of Zarr: 2 or 3.
  int version = 3;
  /// Of stacks: along which axis there is a file for each chunk.
  int axis = 0;
  /// Of Zarr: "none", "zstd", "gzip", "blosc", or "lz4" (version 2); zstd where none is named. Of .npz: "none", or
  /// "deflate". Of TIFF: "none", "deflate" or "zstd"; deflate where none is named.
  std::string codec = {};
  /// -1: the codec's usual one.
  int level = -1;
  /// Of Zarr 3: the extents of a file that holds several chunks; a file for each chunk where it is empty.
  std::vector<std::int64_t> shard = {};
};
/// How an array is cut that is read.
struct LoadOptions {
  Chunks chunks = {};
  int axis = 0;
};

#define WEFT_HERE const std::source_location& where = std::source_location::current()

/// By the name's end: .npy, .npz (the array is `arr_0`), .zarr (a folder), .tif and .tiff, .raw and .bin (the elements
/// in C order, nothing else).
void save(const Client& client, const Array& array, const std::string& path, const SaveOptions& options = {},
          WEFT_HERE);
/// Reads .npy, .npz with one array, .zarr, and the first picture of .tif and .tiff.
Array load(const std::string& path, const LoadOptions& options = {}, WEFT_HERE);

void save_npy(const Client& client, const Array& array, const std::string& path, WEFT_HERE);
Array load_npy(const std::string& path, const LoadOptions& options = {}, WEFT_HERE);
using NamedArrays = std::vector<std::pair<std::string, Array>>;
/// Several arrays in one file, `save_npz(client, "out.npz", {{"x", x}, {"y", y}})`, as numpy.savez writes them, and
/// with the codec "deflate" as numpy.savez_compressed does: then each array is in memory as a whole.
void save_npz(const Client& client, const std::string& path, const NamedArrays& arrays, const SaveOptions& options = {},
              WEFT_HERE);
/// Reads an array of an .npz file, by its name; the only one needs none. Deflated ones are read as one chunk.
Array load_npz(const std::string& path, const std::string& name = {}, const LoadOptions& options = {}, WEFT_HERE);
/// A folder of 0.npy, 1.npy, ..., one for each chunk along an axis, as dask.array.to_npy_stack makes it.
void save_npy_stack(const Client& client, const Array& array, const std::string& folder,
                    const SaveOptions& options = {}, WEFT_HERE);
Array load_npy_stack(const std::string& folder, const LoadOptions& options = {}, WEFT_HERE);
void save_raw(const Client& client, const Array& array, const std::string& path, WEFT_HERE);
/// `skip` bytes come before the first element.
Array load_raw(const std::string& path, Dtype dtype, const Shape& shape, const LoadOptions& options = {},
               std::int64_t skip = 0, WEFT_HERE);
/// Chunks of the array become chunks of the store, all of one size: an array cut otherwise is rechunked first. Each
/// file is written by one task.
void save_zarr(const Client& client, const Array& array, const std::string& folder, const SaveOptions& options = {},
               WEFT_HERE);
/// A store of one array, packed or not; arrays of groups by their folders, or by `from_zarr`.
Array load_zarr(const std::string& folder, const LoadOptions& options = {}, WEFT_HERE);

/// Pictures in tiles: (rows, columns), with pages before and bands behind; a last axis of three axes is one of bands
/// where it is 3 or 4 long. Chunks are packed by the tasks that have them. BigTIFF where it needs to be.
void save_tiff(const Client& client, const Array& array, const std::string& path, const SaveOptions& options = {},
               WEFT_HERE);
/// The first picture of a file, and all of its kind: (page, row, column, band), without the axes that it lacks.
Array load_tiff(const std::string& path, const LoadOptions& options = {}, WEFT_HERE);

/// The place of a chunk in its array.
using ChunkRegion = Region;
/// Starts a task for each chunk that gives it to `write(region, values)`, and waits for all. `write` runs on the worker
/// that holds the chunk, several at once; a captureless callable, or one whose captures travel. For objects with a
/// `write`, see store.hpp.
template <class W>
requires(!detail::HasWrite<W>) void store(const Client& client, const Array& array, W write, WEFT_HERE);

#undef WEFT_HERE

namespace detail {

/// The chunks' regions, and the tasks that make them.
std::vector<std::pair<ChunkRegion, Delayed<Buffer>>> chunks_with_regions(const Array& array);
NDArray values_of(const Buffer& buffer, Dtype dtype, const ChunkRegion& region);

}  // namespace detail

template <class W>
requires(!detail::HasWrite<W>) void store(const Client& client, const Array& array, W write,
                                          const std::source_location& where) {
  const auto task = delayed(
      [write](const ChunkRegion& region, TypeCode code, TimeUnit unit, const Buffer& chunk) {
        write(region, detail::values_of(chunk, Dtype(code, unit), region));
        return std::int64_t{1};
      },
      where);
  std::vector<Delayed<std::int64_t>> tasks;
  for (const auto& [region, chunk] : detail::chunks_with_regions(array)) {
    tasks.push_back(task(region, array.dtype().code(), array.dtype().unit(), chunk));
  }
  detail::wait_for(client, tasks);
}

}  // namespace weft::arrays

namespace weft {
using arrays::ChunkRegion;
using arrays::load;
using arrays::load_npy;
using arrays::load_npy_stack;
using arrays::load_npz;
using arrays::load_raw;
using arrays::load_tiff;
using arrays::load_zarr;
using arrays::LoadOptions;
using arrays::NamedArrays;
using arrays::save_npz;
using arrays::SaveOptions;
}  // namespace weft
