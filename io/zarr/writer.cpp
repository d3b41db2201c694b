// Writing Zarr: descriptions, and one object after the other, by whoever has it.
#include <weft/remote.hpp>
#include <weft/zarr_writer.hpp>

#include "io/codecs/packers.hpp"
#include "io/files/name_beside.hpp"
#include "io/files/open_file.hpp"
#include "io/files/size_limit.hpp"
#include "io/formats/format.hpp"
#include "io/remote/objects.hpp"
#include "io/zarr/description.hpp"

#include <weft/journal.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>

namespace weft::io {
namespace {

std::string list_of(const std::vector<std::int64_t>& values) {
  std::string text;
  for (const std::int64_t value : values) text += (text.empty() ? "" : ", ") + std::to_string(value);
  return "[" + text + "]";
}

std::string real_text(double value) {
  if (std::isnan(value)) return "\"NaN\"";
  if (std::isinf(value)) return value < 0 ? "\"-Infinity\"" : "\"Infinity\"";
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  const std::string shown = text;
  return shown.find_first_of(".en") == std::string::npos ? shown + ".0" : shown;
}

std::string texts_of(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& one : texts) out += (out.empty() ? "" : ", ") + quoted_json(one);
  return "[" + out + "]";
}

std::string value_of(const Attribute& attribute) {
  std::string out;
  const auto add = [&](const std::string& one) { out += (out.empty() ? "" : ", ") + one; };
  for (const std::string& one : attribute.texts) add(quoted_json(one));
  if (attribute.texts.empty() && !attribute.integers.empty()) {
    for (const std::int64_t one : attribute.integers) add(std::to_string(one));
  } else {
    for (const double one : attribute.reals) add(real_text(one));
  }
  return attribute.shape.empty() && !out.empty() ? out : "[" + out + "]";
}

std::string object_of(const std::vector<Attribute>& attributes, const std::string& first = {}) {
  std::string out = first;
  for (const Attribute& one : attributes)
    out += (out.empty() ? "" : ", ") + quoted_json(one.name) + ": " + value_of(one);
  return "{" + out + "}";
}

int level_of(const ZarrLayout& layout) {
  if (layout.level >= 0) return layout.level;
  return layout.codec == "zstd" ? 3 : layout.codec == "gzip" ? 6 : 5;
}

/// What a chunk goes through.
std::vector<Filter> filters_of(const ZarrLayout& layout) {
  const auto level = static_cast<std::uint32_t>(level_of(layout));
  if (layout.codec == "zstd") return {{Filter::kZstd, {level}}};
  if (layout.codec == "gzip") return {{Filter::kGzip, {level}}};
  if (layout.codec == "lz4") return {{Filter::kSizedLz4, {}}};
  if (layout.codec == "blosc") return {{Filter::kBlosc, {level, 1, 1}}};
  return {};
}

/// The codec as version 3 names it.
std::string codec_3(const ZarrLayout& layout, std::uint32_t element_bytes) {
  const std::string level = std::to_string(level_of(layout));
  if (layout.codec == "zstd")
    return R"({"name": "zstd", "configuration": {"level": )" + level + R"(, "checksum": false}})";
  if (layout.codec == "gzip") return R"({"name": "gzip", "configuration": {"level": )" + level + "}}";
  return R"({"name": "blosc", "configuration": {"cname": "zstd", "clevel": )" + level + R"(, "shuffle": )" +
         (element_bytes > 1 ? R"("shuffle")" : R"("noshuffle")") + R"(, "typesize": )" + std::to_string(element_bytes) +
         R"(, "blocksize": 0}})";
}

std::string codec_2(const ZarrLayout& layout) {
  const std::string level = std::to_string(level_of(layout));
  if (layout.codec == "none") return "null";
  if (layout.codec == "lz4") return R"({"id": "lz4", "acceleration": 1})";
  if (layout.codec == "blosc") {
    return R"({"id": "blosc", "cname": "zstd", "clevel": )" + level + R"(, "shuffle": 1, "blocksize": 0})";
  }
  return R"({"id": ")" + layout.codec + R"(", "level": )" + level + "}";
}

std::string codecs_3(const ZarrLayout& layout, const ElementType& type) {
  const std::string bytes =
      type.bytes > 1 ? R"({"name": "bytes", "configuration": {"endian": "little"}})" : R"({"name": "bytes"})";
  const std::string list = "[" + bytes + (layout.codec == "none" ? "" : ", " + codec_3(layout, type.bytes)) + "]";
  if (layout.shard.empty()) return list;
  return R"([{"name": "sharding_indexed", "configuration": {"chunk_shape": )" + list_of(layout.chunk) +
         R"(, "codecs": )" + list +
         R"(, "index_codecs": [{"name": "bytes", "configuration": {"endian": "little"}}, {"name": "crc32c"}], )" +
         R"("index_location": "end"}}])";
}

std::string fill_text(const ElementType& type, const std::vector<double>& fill) {
  const double value = fill.empty() ? 0 : fill[0];
  if (type.kind == ElementKind::Boolean) return value != 0 ? "true" : "false";
  if (type.kind == ElementKind::Complex) return "[" + real_text(value) + ", 0.0]";
  if (type.kind == ElementKind::Float) return real_text(value);
  char text[40];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

/// Makes the folders above a path; stores on servers have none.
void make_folders(const std::string& folder) {
  if (is_remote(folder)) return;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(folder, "cannot be made: " + error.message());
}

/// Writes a file under another name and gives it its own when it is complete.
void write_whole(const std::string& path, const std::vector<std::byte>& bytes) {
  this_task::has_effect();
  if (is_remote(path)) return remote::write_object(path, bytes);
  const std::string beside = name_beside(path);
  const auto refuse = [&](const char* what) {
    const int error = errno;
    ::unlink(beside.c_str());
    fail(path, std::string(what) + ": " + std::strerror(error));
  };
  const int descriptor = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (descriptor < 0) refuse("cannot be made");
  const bool allowed = within_size_limit(bytes.size());
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t some = allowed ? ::write(descriptor, bytes.data() + done, bytes.size() - done) : -1;
    if (some < 0 && allowed && errno == EINTR) continue;
    if (some < 0) {
      const int error = allowed ? errno : EFBIG;
      ::close(descriptor);
      errno = error;
      refuse("cannot be written");
    }
    done += static_cast<std::size_t>(some);
  }
  if (::close(descriptor) != 0) refuse("cannot be written");
  if (::rename(beside.c_str(), path.c_str()) != 0) refuse("cannot be renamed");
}

void write_text(const std::string& path, const std::string& text) {
  const auto* const begin = reinterpret_cast<const std::byte*>(text.data());
  write_whole(path, {begin, begin + text.size()});
}

/// The elements of a chunk, with zeros where the object ends within it.
void gather(const std::byte* data, const std::vector<std::int64_t>& extent, const std::vector<std::int64_t>& first,
            const std::vector<std::int64_t>& chunk, std::uint32_t element_bytes, std::vector<std::byte>& out) {
  const std::vector<std::int64_t> from = packed_strides(extent, element_bytes);
  const std::vector<std::int64_t> to = packed_strides(chunk, element_bytes);
  std::vector<std::int64_t> part(chunk.size());
  bool whole = true;
  for (std::size_t axis = 0; axis < chunk.size(); ++axis) {
    part[axis] = std::min(chunk[axis], extent[axis] - first[axis]);
    data += first[axis] * from[axis];
    whole = whole && part[axis] == chunk[axis];
  }
  if (!whole) std::fill(out.begin(), out.end(), std::byte{0});
  copy_box(out.data(), to.data(), data, from.data(), part.data(), chunk.size(), element_bytes);
}

}  // namespace

void check_zarr(const std::string& path, const ZarrLayout& layout) {
  const ElementType type = zarr::element_of_name(layout.type);
  if (layout.version != 2 && layout.version != 3) {
    fail(path, "there is no version " + std::to_string(layout.version) + " of Zarr: give 2 or 3");
  }
  if (!type.is_number() || zarr::protocol_of(type).empty()) fail(path, "Zarr has no type for " + layout.type);
  if (layout.version == 3 && type.name.find('[') != std::string::npos) {
    fail(path, "version 3 of Zarr has no type for " + layout.type + ": save it with version 2");
  }
  static constexpr const char* kCodecs[] = {"none", "zstd", "gzip", "blosc", "lz4"};
  if (std::find(std::begin(kCodecs), std::end(kCodecs), layout.codec) == std::end(kCodecs)) {
    fail(path, "there is no codec '" + layout.codec + "': give none, zstd, gzip, blosc or lz4");
  }
  if (layout.codec == "lz4" && layout.version == 3) fail(path, "version 3 of Zarr has no lz4 by itself: take blosc");
  for (const Filter& filter : filters_of(layout)) {
    const std::string missing = missing_codec(filter);
    if (!missing.empty()) fail(path, "cannot be written: it " + missing);
  }
  if (layout.level > 22) fail(path, "there is no level " + std::to_string(layout.level) + " of " + layout.codec);
  if (layout.shard.empty()) return;
  if (layout.version == 2) fail(path, "version 2 of Zarr has no shards: give version 3");
  bool fits = layout.shard.size() == layout.chunk.size();
  for (std::size_t axis = 0; fits && axis < layout.chunk.size(); ++axis) {
    fits = layout.shard[axis] > 0 && layout.shard[axis] % layout.chunk[axis] == 0;
  }
  if (!fits) {
    fail(path, "shards of " + list_of(layout.shard) + " are not whole numbers of chunks of " + list_of(layout.chunk));
  }
}

void write_zarr_description(const std::string& folder, const ZarrLayout& layout,
                            const std::vector<std::string>& dimensions, const std::vector<Attribute>& attributes,
                            const std::vector<double>& fill) {
  check_zarr(folder, layout);
  make_folders(folder);
  const ElementType type = zarr::element_of_name(layout.type);
  if (layout.version == 2) {
    const std::string names = dimensions.empty() ? "" : "\"_ARRAY_DIMENSIONS\": " + texts_of(dimensions);
    if (!names.empty() || !attributes.empty())
      write_text(path_below(folder, ".zattrs"), object_of(attributes, names) + "\n");
    const bool described = !dimensions.empty() || layout.shape.empty();
    const bool no_fill = type.kind == ElementKind::Complex || (described && fill.empty());
    write_text(path_below(folder, ".zarray"),
               "{\"zarr_format\": 2, \"shape\": " + list_of(layout.shape) + ", \"chunks\": " + list_of(layout.chunk) +
                   ", \"dtype\": " + quoted_json(zarr::protocol_of(type)) + ", \"compressor\": " + codec_2(layout) +
                   ", \"fill_value\": " + (no_fill ? "null" : fill_text(type, fill)) +
                   ", \"order\": \"C\", \"filters\": null, \"dimension_separator\": \".\"}\n");
    return;
  }
  write_text(
      path_below(folder, "zarr.json"),
      "{\"zarr_format\": 3, \"node_type\": \"array\", \"shape\": " + list_of(layout.shape) +
          ", \"data_type\": " + quoted_json(type.name) +
          ", \"chunk_grid\": {\"name\": \"regular\", \"configuration\": {\"chunk_shape\": " + list_of(layout.object()) +
          "}}, \"chunk_key_encoding\": {\"name\": \"default\", \"configuration\": {\"separator\": \"/\"}}, "
          "\"fill_value\": " +
          fill_text(type, fill) + ", \"codecs\": " + codecs_3(layout, type) +
          (dimensions.empty() ? "" : ", \"dimension_names\": " + texts_of(dimensions)) +
          ", \"attributes\": " + object_of(attributes) + "}\n");
}

void write_zarr_object(const std::string& folder, const ZarrLayout& layout, const std::vector<std::int64_t>& place,
                       const std::vector<std::int64_t>& extent, const std::byte* data) {
  const ElementType type = zarr::element_of_name(layout.type);
  const std::string path =
      path_below(folder, zarr::key_of(place, layout.version == 2 ? "." : "/", layout.version == 3));
  make_folders(path.substr(0, path.rfind('/')));
  const std::vector<Filter> filters = filters_of(layout);
  std::int64_t chunk_bytes = type.bytes;
  for (const std::int64_t one : layout.chunk) chunk_bytes *= one;
  std::vector<std::byte> chunk(static_cast<std::size_t>(chunk_bytes));
  const std::size_t rank = layout.chunk.size();
  if (layout.shard.empty()) {
    gather(data, extent, std::vector<std::int64_t>(rank, 0), layout.chunk, type.bytes, chunk);
    write_whole(path, filters.empty() ? chunk : apply_filters(path, filters, type.bytes, chunk));
    return;
  }
  std::uint64_t count = 1;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    count *= static_cast<std::uint64_t>(layout.shard[axis] / layout.chunk[axis]);
  }
  // Chunks beyond the array's end are not there: their places are all ones.
  std::vector<std::uint64_t> index(2 * count, ~std::uint64_t{0});
  std::vector<std::byte> shard;
  std::vector<std::int64_t> first(rank);
  for (std::uint64_t number = 0; number < count; ++number) {
    std::uint64_t left = number;
    bool there = true;
    for (std::size_t axis = rank; axis-- > 0;) {
      const auto across = static_cast<std::uint64_t>(layout.shard[axis] / layout.chunk[axis]);
      first[axis] = static_cast<std::int64_t>(left % across) * layout.chunk[axis];
      left /= across;
      there = there && first[axis] < extent[axis];
    }
    if (!there) continue;
    gather(data, extent, first, layout.chunk, type.bytes, chunk);
    const std::vector<std::byte> packed = apply_filters(path, filters, type.bytes, chunk);
    index[2 * number] = shard.size();
    index[2 * number + 1] = packed.size();
    shard.insert(shard.end(), packed.begin(), packed.end());
  }
  const std::vector<std::byte> tail = apply_filters(path, {{Filter::kCrc32c, {}}}, 8, std::as_bytes(std::span(index)));
  shard.insert(shard.end(), tail.begin(), tail.end());
  write_whole(path, shard);
}

void write_zarr_group(const std::string& folder, int version, const std::vector<Attribute>& attributes,
                      const std::vector<std::string>& arrays) {
  make_folders(folder);
  const auto text_of = [&](const std::string& name) -> std::optional<std::string> {
    const std::optional<OpenFile> file = open_if_there(path_below(folder, name));
    if (!file) return {};
    std::string text(file->size(), ' ');
    file->read(0, text.data(), text.size());
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  };
  std::string all;
  if (version == 2) {
    write_text(path_below(folder, ".zattrs"), object_of(attributes) + "\n");
    all = "\".zgroup\": {\"zarr_format\": 2}, \".zattrs\": " + object_of(attributes);
    for (const std::string& name : arrays) {
      for (const char* const what : {"/.zarray", "/.zattrs"}) {
        if (const auto text = text_of(name + what)) all += ", " + quoted_json(name + what) + ": " + *text;
      }
    }
    write_text(path_below(folder, ".zmetadata"), "{\"zarr_consolidated_format\": 1, \"metadata\": {" + all + "}}\n");
    write_text(path_below(folder, ".zgroup"), "{\"zarr_format\": 2}\n");
    return;
  }
  for (const std::string& name : arrays) {
    const std::optional<std::string> text = text_of(name + "/zarr.json");
    if (!text) fail(path_below(folder, name), "is no array that the group could describe");
    all += (all.empty() ? "" : ", ") + quoted_json(name) + ": " + *text;
  }
  write_text(path_below(folder, "zarr.json"),
             "{\"zarr_format\": 3, \"node_type\": \"group\", \"attributes\": " + object_of(attributes) +
                 ", \"consolidated_metadata\": {\"kind\": \"inline\", \"must_understand\": false, \"metadata\": {" +
                 all + "}}}\n");
}

}  // namespace weft::io
