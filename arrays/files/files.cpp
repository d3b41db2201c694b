// Arrays in one file: .npy and raw, and folders of such.
#include <weft/ops/files.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/files/stored_arrays.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/fits.hpp>
#include <weft/ops/structure.hpp>
#include <weft/remote.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

namespace weft::arrays {
namespace files {
namespace {

using expression::Box;
using expression::ChunkWork;
using expression::Need;

/// A box of the elements of a file.
struct ReadRegion {
  static constexpr const char* kName = "read_file";
  static constexpr bool kAssembles = false;
  std::string path;
  std::int64_t offset;
  std::vector<std::int64_t> shape;
  /// What the file was when the array was described: it has another name once the file has changed.
  std::int64_t file_bytes;
  std::int64_t changed_ns;
  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    const OpenedFile file(path, OpenedFile::Use::Read);
    read_box(file, {offset, shape, work.output.dtype.size()}, work.out.start, work.out.extent, work.output.data,
             work.output.strides);
  }
};

}  // namespace

std::int64_t WriteRegion::operator()(const std::string& path, std::int64_t offset,
                                     const std::vector<std::int64_t>& shape, const ChunkRegion& region,
                                     std::int64_t element_bytes, const Buffer& chunk) const {
  const OpenedFile file(path, OpenedFile::Use::Write);
  write_box(file, {offset, shape, static_cast<std::size_t>(element_bytes)}, region.start, region.extent, chunk.data());
  return 1;
}

Array read_from(const std::string& path, std::int64_t offset, Dtype dtype, const Shape& shape, const Chunks& chunks,
                const std::source_location& where) {
  std::error_code error;
  std::string full = std::filesystem::absolute(path, error).string();
  if (error) full = path;
  struct stat status {};
  if (::stat(full.c_str(), &status) != 0) status = {};
  const std::int64_t changed_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
  ReadRegion read{std::move(full), offset, shape.vector(), status.st_size, changed_ns};
  return Array(expression::make_structural(expression::make_structure(std::move(read)), {}, dtype,
                                           expression::make_grid(shape, chunks, dtype.size()), where));
}

namespace {

/// Writes a header and all chunks of the array behind it.
void write_whole(const Client& client, const Array& array, const std::string& path, const std::string& header,
                 const std::source_location& where) {
  in_place_of(path, [&](const std::string& part) {
    const auto offset = static_cast<std::int64_t>(header.size());
    const auto size = static_cast<std::int64_t>(array.itemsize());
    begin_file(part, header, array.nbytes());
    const auto write = delayed(WriteRegion{}, where);
    std::vector<Delayed<std::int64_t>> tasks;
    for (const auto& [region, chunk] : detail::chunks_with_regions(array)) {
      tasks.push_back(write(part, offset, array.shape().vector(), region, size, chunk));
    }
    detail::wait_for(client, tasks);
    tasks.clear();
    OpenedFile file(part, OpenedFile::Use::Write);
    file.finish();
  });
}

}  // namespace

void begin_file(const std::string& path, const std::string& header, std::int64_t bytes) {
  const OpenedFile file(path, OpenedFile::Use::Create);
  file.write(header.data(), header.size(), 0);
  file.resize(static_cast<std::int64_t>(header.size()) + bytes);
}

}  // namespace files

namespace detail {

std::vector<std::pair<ChunkRegion, Delayed<Buffer>>> chunks_with_regions(const Array& array) {
  std::vector<std::pair<ChunkRegion, Delayed<Buffer>>> list;
  std::int64_t number = 0;
  for (const Delayed<Buffer>& chunk : to_delayed(array)) {
    const expression::Box box = expression::chunk_box(array.node()->grid, number++);
    if (box.elements() > 0) list.emplace_back(ChunkRegion{box.start, box.extent}, chunk);
  }
  return list;
}

NDArray values_of(const Buffer& buffer, Dtype dtype, const ChunkRegion& region) {
  const Shape shape(region.extent);
  auto owner = std::make_shared<Buffer>(buffer);
  const std::byte* const data = owner->data();
  return NDArray::view(data, dtype, shape, c_strides(shape, dtype.size()), std::move(owner));
}

}  // namespace detail

void save_npy(const Client& client, const Array& array, const std::string& path, const std::source_location& where) {
  files::write_whole(client, array, path, files::npy_header(array.dtype(), array.shape().vector()), where);
}

void save_raw(const Client& client, const Array& array, const std::string& path, const std::source_location& where) {
  files::write_whole(client, array, path, "", where);
}

Array load_npy(const std::string& path, const LoadOptions& options, const std::source_location& where) {
  const files::NpyHeader header = files::read_npy_header({path, files::OpenedFile::Use::Read});
  if (header.converted) return files::load_stored(path, {}, options, where);
  if (!header.columns_first || header.shape.size() < 2) {
    return files::read_from(path, header.offset, header.dtype, Shape(header.shape), options.chunks, where);
  }
  // Columns first: the rows of the array turned around.
  std::vector<std::int64_t> turned(header.shape.rbegin(), header.shape.rend());
  std::vector<AxisChunks> chunks;
  const auto grid = expression::make_grid(Shape(header.shape), options.chunks, header.dtype.size());
  for (auto axis = grid.rbegin(); axis != grid.rend(); ++axis) chunks.emplace_back(axis->sizes());
  return transpose(files::read_from(path, header.offset, header.dtype, Shape(turned), Chunks(chunks), where), {},
                   where);
}

Array load_raw(const std::string& path, Dtype dtype, const Shape& shape, const LoadOptions& options, std::int64_t skip,
               const std::source_location& where) {
  const files::OpenedFile file(path, files::OpenedFile::Use::Read);
  const std::int64_t bytes = shape.elements() * static_cast<std::int64_t>(dtype.size());
  if (skip < 0 || skip + bytes > file.size()) {
    throw Error(path + ": is " + std::to_string(file.size()) + " bytes long; an array of shape " + shape.text() +
                " and " + dtype.name() + " behind the first " + std::to_string(skip) + " needs " +
                std::to_string(skip + bytes));
  }
  return files::read_from(path, skip, dtype, shape, options.chunks, where);
}

void save_npy_stack(const Client& client, const Array& array, const std::string& folder, const SaveOptions& options,
                    const std::source_location& where) {
  const auto ndim = static_cast<int>(array.ndim());
  const auto axis = static_cast<std::size_t>(Axes(options.axis).resolve(ndim)[0]);
  std::vector<AxisChunks> cut(array.ndim(), AxisChunks(AxisChunks::kWhole));
  cut[axis] = AxisChunks(array.chunks()[axis]);
  const Array slabs = rechunk(array, Chunks(cut), where);
  files::in_place_of(folder, [&](const std::string& part) {
    files::make_folder(part);
    const auto write = delayed(files::WriteRegion{}, where);
    std::vector<Delayed<std::int64_t>> tasks;
    int number = 0;
    for (auto& [region, chunk] : detail::chunks_with_regions(slabs)) {
      const std::string name = part + "/" + std::to_string(number++) + ".npy";
      const std::string header = files::npy_header(array.dtype(), region.extent);
      const files::OpenedFile file(name, files::OpenedFile::Use::Create);
      file.write(header.data(), header.size(), 0);
      ChunkRegion whole = region;
      std::fill(whole.start.begin(), whole.start.end(), 0);
      tasks.push_back(write(name, static_cast<std::int64_t>(header.size()), region.extent, whole,
                            static_cast<std::int64_t>(array.itemsize()), chunk));
    }
    // What dask.array.from_npy_stack reads: a pickle, in its oldest and plainest protocol.
    std::string info = "(dVchunks\n(";
    for (const auto& sizes : slabs.chunks()) {
      info += "(";
      for (const std::int64_t size : sizes) info += "I" + std::to_string(size) + "\n";
      info += "t";
    }
    info += "tsVdtype\ncnumpy\ndtype\n(V" + files::array_protocol_name(array.dtype()) + "\ntRsVaxis\nI" +
            std::to_string(axis) + "\ns.";
    const files::OpenedFile file(part + "/info", files::OpenedFile::Use::Create);
    file.write(info.data(), info.size(), 0);
    detail::wait_for(client, tasks);
  });
}

Array load_npy_stack(const std::string& folder, const LoadOptions& options, const std::source_location& where) {
  std::vector<Array> slabs;
  std::error_code error;
  for (int number = 0;; ++number) {
    const std::string name = folder + "/" + std::to_string(number) + ".npy";
    if (!std::filesystem::exists(name, error)) break;
    slabs.push_back(load_npy(name, {.chunks = Chunks(AxisChunks::kWhole)}, where));
  }
  if (slabs.empty()) throw Error(folder + ": holds no 0.npy: it is not a stack of .npy files");
  const Array whole = concatenate(slabs, options.axis, where);
  return options.chunks.given() ? rechunk(whole, options.chunks, where) : whole;
}

namespace {

std::string ending(const std::string& path) {
  std::string plain = io::shown_path(path);
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return std::filesystem::path(plain).extension().string();
}

}  // namespace

void save(const Client& client, const Array& array, const std::string& path, const SaveOptions& options,
          const std::source_location& where) {
  const std::string end = ending(path);
  if (end == ".npy") return save_npy(client, array, path, where);
  if (end == ".npz") return save_npz(client, path, {{"arr_0", array}}, options, where);
  if (end == ".zarr") return save_zarr(client, array, path, options, where);
  if (end == ".tif" || end == ".tiff") return save_tiff(client, array, path, options, where);
  if (end == ".raw" || end == ".bin") return save_raw(client, array, path, where);
  if (end == ".fits" || end == ".fit" || end == ".fts") return save_fits(client, array, path, where);
  throw Error(path +
              ": its name does not tell a format: arrays are saved as .npy, .npz, .zarr, .tif, .fits, .raw or .bin");
}

Array load(const std::string& path, const LoadOptions& options, const std::source_location& where) {
  const std::string end = ending(path);
  if (end == ".npy" && !io::is_remote(path)) return load_npy(path, options, where);
  if (end == ".npy" || end == ".npz" || end == ".zarr") return files::load_stored(path, {}, options, where);
  if (end == ".tif" || end == ".tiff") return load_tiff(path, options, where);
  if (end == ".fits" || end == ".fit" || end == ".fts") return load_fits(path, options, where);
  throw Error(io::shown_path(path) +
              ": its name does not tell a format: .npy, .npz, .zarr, .tif and .fits can be loaded; load_raw takes type "
              "and shape");
}

}  // namespace weft::arrays
