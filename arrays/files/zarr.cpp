// Uncompressed Zarr stores, versions 2 and 3: a folder with a description and a file for each chunk, all of one size.
#include <weft/ops/files.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/files/json.hpp"
#include "arrays/files/stored_arrays.hpp"
#include "arrays/kernels/copy.hpp"
#include "arrays/ops/apply.hpp"

#include <weft/error.hpp>
#include <weft/ops/structure.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <limits>

namespace weft::arrays {
namespace files {
namespace {

using expression::Box;
using expression::ChunkWork;
using expression::Need;

/// What the description of a store says.
struct ZarrArray {
  int version = 3;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> chunk;
  Dtype dtype;
  std::string separator = "/";
  /// Version 3's "default" keys begin with a c.
  bool with_c = true;
  /// One element.
  std::vector<std::uint8_t> fill;
};

std::string key_of(const std::vector<std::int64_t>& place, const std::string& separator, bool with_c) {
  std::string key = with_c ? "c" : "";
  for (std::size_t axis = 0; axis < place.size(); ++axis) {
    key += (axis > 0 || with_c ? separator : "") + std::to_string(place[axis]);
  }
  return key.empty() ? "0" : key;
}

/// A box, from the chunks it touches.
struct ReadZarr {
  static constexpr const char* kName = "read_zarr";
  static constexpr bool kAssembles = false;
  std::string folder;
  std::vector<std::int64_t> chunk;
  std::string separator;
  bool with_c;
  std::vector<std::uint8_t> fill;

  void needs(const Box&, std::vector<Need>&) const {}
  void run(const ChunkWork& work) const {
    const std::size_t ndim = chunk.size();
    if (work.out.elements() == 0) return;
    std::vector<std::int64_t> first(ndim), last(ndim);
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      first[axis] = work.out.start[axis] / chunk[axis];
      last[axis] = (work.out.start[axis] + work.out.extent[axis] - 1) / chunk[axis];
    }
    std::vector<std::int64_t> place = first;
    for (;;) {
      one(work, place);
      std::size_t axis = ndim;
      for (;;) {
        if (axis-- == 0) return;
        if (++place[axis] <= last[axis]) break;
        place[axis] = first[axis];
      }
    }
  }

 private:
  void one(const ChunkWork& work, const std::vector<std::int64_t>& place) const {
    const std::size_t ndim = chunk.size();
    const std::size_t bytes = work.output.dtype.size();
    std::vector<std::int64_t> start(ndim), extent(ndim);
    std::byte* to = work.output.data;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      const std::int64_t begin = std::max(work.out.start[axis], place[axis] * chunk[axis]);
      const std::int64_t end = std::min(work.out.start[axis] + work.out.extent[axis], (place[axis] + 1) * chunk[axis]);
      start[axis] = begin - place[axis] * chunk[axis];
      extent[axis] = end - begin;
      to += (begin - work.out.start[axis]) * work.output.strides[axis];
    }
    const std::string path = folder + "/" + key_of(place, separator, with_c);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      // A chunk that is not there was never written.
      const std::vector<std::int64_t> still(ndim, 0);
      kernels::copy_box(to, work.output.strides.data(), reinterpret_cast<const std::byte*>(fill.data()), still.data(),
                        extent.data(), ndim, bytes);
      return;
    }
    const OpenedFile file(path, OpenedFile::Use::Read);
    const std::int64_t whole = Shape(chunk).elements() * static_cast<std::int64_t>(bytes);
    if (file.size() != whole) {
      throw Error(path + ": is " + std::to_string(file.size()) + " bytes long, not the " + std::to_string(whole) +
                  " of an uncompressed chunk");
    }
    read_box(file, {0, chunk, bytes}, start, extent, to, work.output.strides);
  }
};

/// Writes one chunk, with zeros where the array ends within it.
struct WriteZarrChunk {
  std::int64_t operator()(const std::string& path, const std::vector<std::int64_t>& chunk, const ChunkRegion& region,
                          std::int64_t element_bytes, const Buffer& values) const {
    const auto bytes = static_cast<std::size_t>(element_bytes);
    const std::size_t slash = path.rfind('/');
    make_folder(path.substr(0, slash));
    const OpenedFile file(path, OpenedFile::Use::Create);
    file.resize(Shape(chunk).elements() * element_bytes);
    write_box(file, {0, chunk, bytes}, std::vector<std::int64_t>(chunk.size(), 0), region.extent, values.data());
    return 1;
  }
};

std::string numbers(const std::vector<std::int64_t>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(values[i]);
  return text + "]";
}

std::string description(const ZarrArray& zarr) {
  const std::string zero = zarr.dtype.is_bool() ? "false" : zarr.dtype.is_floating() ? "0.0" : "0";
  if (zarr.version == 2) {
    const std::string fill = zarr.dtype.is_complex() ? "[0.0, 0.0]" : zero;
    return "{\n  \"zarr_format\": 2,\n  \"shape\": " + numbers(zarr.shape) + ",\n  \"chunks\": " + numbers(zarr.chunk) +
           ",\n  \"dtype\": \"" + array_protocol_name(zarr.dtype) +
           "\",\n  \"compressor\": null,\n  \"fill_value\": " + (zarr.dtype.is_complex() ? "null" : fill) +
           ",\n  \"order\": \"C\",\n  \"filters\": null,\n  \"dimension_separator\": \".\"\n}\n";
  }
  const std::string fill = zarr.dtype.is_complex() ? "[0.0, 0.0]" : zero;
  const std::string bytes = zarr.dtype.size() == 1
                                ? "{\"name\": \"bytes\"}"
                                : "{\"name\": \"bytes\", \"configuration\": {\"endian\": \"little\"}}";
  return "{\n  \"zarr_format\": 3,\n  \"node_type\": \"array\",\n  \"shape\": " + numbers(zarr.shape) +
         ",\n  \"data_type\": \"" + zarr.dtype.name() +
         "\",\n  \"chunk_grid\": {\"name\": \"regular\", \"configuration\": {\"chunk_shape\": " + numbers(zarr.chunk) +
         "}},\n  \"chunk_key_encoding\": {\"name\": \"default\", \"configuration\": {\"separator\": \"/\"}},\n  "
         "\"fill_value\": " +
         fill + ",\n  \"codecs\": [" + bytes + "],\n  \"attributes\": {}\n}\n";
}

std::vector<std::int64_t> extents(const Json& list, const std::string& path, const char* what, std::int64_t least) {
  std::vector<std::int64_t> values;
  if (!list.is(Json::List)) throw Error(path + ": does not tell the " + what);
  for (const Json& one : list.list()) {
    if (!one.is(Json::Number) || one.number() < static_cast<double>(least) || one.number() > 9e18) {
      throw Error(path + ": the " + what + " is not one");
    }
    values.push_back(static_cast<std::int64_t>(one.number()));
  }
  return values;
}

/// The bytes of one element that stands for what was not written.
std::vector<std::uint8_t> fill_bytes(const Json& fill, Dtype dtype, const std::string& path) {
  std::vector<std::uint8_t> bytes(dtype.size(), 0);
  double value = 0;
  if (fill.is(Json::Null)) return bytes;
  if (fill.is(Json::Text)) {
    if (fill.text() == "NaN") {
      value = std::numeric_limits<double>::quiet_NaN();
    } else if (fill.text() == "Infinity") {
      value = std::numeric_limits<double>::infinity();
    } else if (fill.text() == "-Infinity") {
      value = -std::numeric_limits<double>::infinity();
    } else {
      throw Error(path + ": the fill value '" + fill.text() + "' is not understood");
    }
  } else if (fill.is(Json::Bool)) {
    value = fill.truth() ? 1 : 0;
  } else if (fill.is(Json::Number)) {
    if (dtype.is_integer() || dtype.is_time()) {
      const bool big = dtype == uint64;
      const std::uint64_t whole = big ? std::strtoull(fill.text().c_str(), nullptr, 10)
                                      : static_cast<std::uint64_t>(std::strtoll(fill.text().c_str(), nullptr, 10));
      std::memcpy(bytes.data(), &whole, dtype.size());
      return bytes;
    }
    value = fill.number();
  } else if (fill.is(Json::List) && dtype.is_complex() && fill.list().size() == 2) {
    Scalar(std::complex<double>(fill.list()[0].number(), fill.list()[1].number())).write(dtype, bytes.data());
    return bytes;
  } else {
    throw Error(path + ": the fill value is not understood");
  }
  Scalar(value).write(dtype, bytes.data());
  return bytes;
}

Json read_json(const std::string& path) {
  const OpenedFile file(path, OpenedFile::Use::Read);
  if (file.size() > (1 << 24)) throw Error(path + ": is too long for the description of an array");
  std::string text(static_cast<std::size_t>(file.size()), ' ');
  file.read(text.data(), text.size(), 0);
  return Json::parse(text, path);
}

void require_order(const std::string& endian, const std::string& path) {
  if (endian == "big") throw Error(path + ": its elements are in another order of bytes than this machine's");
}

ZarrArray read_version_3(const std::string& path) {
  const Json json = read_json(path);
  ZarrArray zarr;
  if (json["node_type"].text() != "array") throw Error(path + ": is a group, not an array: name one of its arrays");
  zarr.shape = extents(json["shape"], path, "shape", 0);
  if (json["chunk_grid"]["name"].text() != "regular") throw Error(path + ": its chunks are not a regular grid");
  zarr.chunk = extents(json["chunk_grid"]["configuration"]["chunk_shape"], path, "shape of chunks", 1);
  if (!json["data_type"].is(Json::Text)) throw Error(path + ": its elements are of a type that arrays do not have");
  zarr.dtype = dtype_of_protocol(json["data_type"].text(), path);
  for (const Json& codec : json["codecs"].list()) {
    const std::string& name = codec["name"].text();
    if (name != "bytes") {
      throw Error(path + ": its chunks went through '" + name + "': only uncompressed ones can be read");
    }
    require_order(codec["configuration"]["endian"].text(), path);
  }
  const Json& keys = json["chunk_key_encoding"];
  zarr.with_c = keys["name"].text() != "v2";
  zarr.separator = zarr.with_c ? "/" : ".";
  if (keys["configuration"].has("separator")) zarr.separator = keys["configuration"]["separator"].text();
  zarr.fill = fill_bytes(json["fill_value"], zarr.dtype, path);
  return zarr;
}

ZarrArray read_version_2(const std::string& path) {
  const Json json = read_json(path);
  ZarrArray zarr;
  zarr.version = 2;
  zarr.shape = extents(json["shape"], path, "shape", 0);
  zarr.chunk = extents(json["chunks"], path, "shape of chunks", 1);
  if (!json["dtype"].is(Json::Text)) throw Error(path + ": its elements are records, which arrays do not hold");
  zarr.dtype = dtype_of_protocol(json["dtype"].text(), path);
  const bool filtered = json["filters"].is(Json::List) && !json["filters"].list().empty();
  if (!json["compressor"].is(Json::Null) || filtered) {
    const std::string& name = filtered ? json["filters"].list()[0]["id"].text() : json["compressor"]["id"].text();
    throw Error(path + ": its chunks went through '" + name + "': only uncompressed ones can be read");
  }
  if (json["order"].text() == "F") throw Error(path + ": its chunks are stored columns first, which cannot be read");
  zarr.with_c = false;
  zarr.separator = json.has("dimension_separator") ? json["dimension_separator"].text() : ".";
  zarr.fill = fill_bytes(json["fill_value"], zarr.dtype, path);
  return zarr;
}

}  // namespace
}  // namespace files

void save_zarr(const Client& client, const Array& array, const std::string& folder, const SaveOptions& options,
               const std::source_location& where) {
  if (options.version != 2 && options.version != 3) {
    throw Error(ops::at_line("save_zarr", where) + "there is no version " + std::to_string(options.version) +
                " of Zarr: give 2 or 3");
  }
  if (options.version == 3 && array.dtype().is_time()) {
    throw Error(ops::at_line("save_zarr", where) + "version 3 of Zarr has no type for " + array.dtype().name() +
                ": save it with version 2");
  }
  files::ZarrArray zarr;
  zarr.version = options.version;
  zarr.shape = array.shape().vector();
  zarr.dtype = array.dtype();
  std::vector<AxisChunks> cut;
  for (const expression::AxisGrid& axis : array.node()->grid) {
    zarr.chunk.push_back(std::max<std::int64_t>(1, axis.largest()));
    cut.emplace_back(zarr.chunk.back());
  }
  const Array regular = array.ndim() == 0 ? array : rechunk(array, Chunks(cut), where);
  files::in_place_of(folder, [&](const std::string& part) {
    files::make_folder(part);
    const auto write = delayed(files::WriteZarrChunk{}, where);
    std::vector<Delayed<std::int64_t>> tasks;
    for (const auto& [region, chunk] : detail::chunks_with_regions(regular)) {
      std::vector<std::int64_t> place(region.start.size());
      for (std::size_t axis = 0; axis < place.size(); ++axis) place[axis] = region.start[axis] / zarr.chunk[axis];
      const std::string key = files::key_of(place, zarr.version == 2 ? "." : "/", zarr.version == 3);
      tasks.push_back(write(part + "/" + key, zarr.chunk, region, static_cast<std::int64_t>(array.itemsize()), chunk));
    }
    detail::wait_for(client, tasks);
    const std::string text = files::description(zarr);
    files::OpenedFile file(part + (zarr.version == 2 ? "/.zarray" : "/zarr.json"), files::OpenedFile::Use::Create);
    file.write(text.data(), text.size(), 0);
    file.finish();
  });
}

Array load_zarr(const std::string& folder, const LoadOptions& options, const std::source_location& where) {
  struct stat status {};
  const std::string three = folder + "/zarr.json", two = folder + "/.zarray";
  const bool is_three = ::stat(three.c_str(), &status) == 0;
  if (!is_three && ::stat(two.c_str(), &status) != 0) {
    throw Error(folder + ": holds neither zarr.json nor .zarray: it is not a Zarr array");
  }
  files::ZarrArray zarr = is_three ? files::read_version_3(three) : files::read_version_2(two);
  if (zarr.chunk.size() != zarr.shape.size()) {
    throw Error(folder + ": its shape has " + std::to_string(zarr.shape.size()) + " axes, its chunks have " +
                std::to_string(zarr.chunk.size()));
  }
  const Shape shape(zarr.shape);
  std::vector<AxisChunks> stored;
  for (const std::int64_t extent : zarr.chunk) stored.emplace_back(extent);
  const auto grid = expression::make_grid(shape, Chunks(stored), zarr.dtype.size());
  const auto wanted = options.chunks.given() ? expression::make_grid(shape, options.chunks, zarr.dtype.size()) : grid;
  return Array(expression::make_structural(
      expression::make_structure(
          files::ReadZarr{folder, std::move(zarr.chunk), zarr.separator, zarr.with_c, std::move(zarr.fill)}),
      {}, zarr.dtype, wanted, where));
}

}  // namespace weft::arrays
