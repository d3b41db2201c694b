// Zarr, versions 2 and 3: a folder that is an array, or a group of such.
#include "io/codecs/filters.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"
#include "io/zarr/description.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <set>

namespace weft::io {
namespace {

using zarr::Description;

/// Chunks beyond this are not worth the memory that they would ask for.
constexpr std::uint64_t kMostChunkBytes = std::uint64_t{1} << 32;
constexpr int kDeepest = 32;

bool is_there(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Json read_json(const std::string& path) {
  const OpenFile file(path);
  if (file.size() > (std::uint64_t{1} << 28)) file.fail("is too long for a description");
  std::string text(file.size(), ' ');
  file.read(0, text.data(), text.size());
  return Json::parse(text, path);
}

std::string last_name(const std::string& folder) {
  std::string plain = folder;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  const std::string name = std::filesystem::path(plain).stem().string();
  return name.empty() ? "array" : name;
}

std::uint64_t product(const std::vector<std::int64_t>& extents, std::uint64_t bytes) {
  for (const std::int64_t extent : extents) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes)) return ~std::uint64_t{0};
  }
  return bytes;
}

/// Owns: what the descriptions say; no file stays open.  Threading: constant; any thread.
class ZarrStore final : public StoredFile {
 public:
  explicit ZarrStore(const std::string& path) {
    path_ = path;
    while (path_.size() > 1 && path_.back() == '/') path_.pop_back();
    const OpenFile description(described_by(path_));
    file_bytes_ = description.size();
    changed_ns_ = description.changed_ns();
    format_ = is_there(path_ + "/zarr.json") ? "Zarr 3" : "Zarr 2";
    groups_.push_back({});
    if (is_there(path_ + "/zarr.json")) {
      const Json json = read_json(path_ + "/zarr.json");
      if (json["node_type"].text() == "array") {
        add_array(last_name(path_), path_, zarr::describe_3(json, path_ + "/zarr.json"));
      } else {
        group_3(json);
      }
    } else if (is_there(path_ + "/.zarray")) {
      add_array(last_name(path_), path_, array_2(path_));
    } else if (is_there(path_ + "/.zmetadata")) {
      consolidated_2(read_json(path_ + "/.zmetadata"));
    } else {
      walk("", 0);
    }
    name_dimensions();
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    const Description& data = arrays_[variable];
    check_box(*this, one, start, extent);
    if (one.type.kind == ElementKind::VariableText) {
      fail(path_, "'" + one.path + "' holds strings: read_text reads them");
    }
    require_readable(variable);
    each_chunk(variable, start, extent,
               [&](const std::vector<std::int64_t>& at, std::span<std::byte> stored, bool there) {
                 put_chunk(variable, at, stored, there, start, extent, out, strides);
               });
    const bool turned = one.type.swapped && (one.type.is_number() || data.wide_text);
    if (turned) swap_elements(one, data, extent, out, strides);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    const Description& data = arrays_[variable];
    if (one.type.kind != ElementKind::Text && one.type.kind != ElementKind::VariableText) {
      fail(path_, "'" + one.path + "' holds " + one.type.name + ", not text");
    }
    require_readable(variable);
    const auto count = static_cast<std::uint64_t>(one.elements());
    if (count > kMostChunkBytes / 64) fail(path_, "'" + one.path + "' has more text than can be read at once");
    std::vector<std::string> texts(count);
    const std::vector<std::int64_t> start(one.shape.size(), 0);
    if (one.type.kind == ElementKind::VariableText) {
      each_chunk(variable, start, one.shape,
                 [&](const std::vector<std::int64_t>& at, std::span<std::byte> stored, bool there) {
                   if (there) put_texts(variable, at, stored, texts);
                 });
      return texts;
    }
    return texts_of(read_box(variable, start, one.shape), one.type.bytes, data.wide_text);
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (auto at = std::filesystem::recursive_directory_iterator(folders_[variable], error);
         !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      const std::string name = at->path().filename().string();
      std::error_code unknown;
      if (name[0] == '.' || name == "zarr.json" || !at->is_regular_file(unknown)) continue;
      const std::uint64_t size = at->file_size(unknown);
      if (!unknown) bytes += size;
    }
    return bytes;
  }

 private:
  static Description array_2(const std::string& folder) {
    const std::string path = folder + "/.zarray";
    const std::string attributes = folder + "/.zattrs";
    return zarr::describe_2(read_json(path), is_there(attributes) ? read_json(attributes) : Json(), path);
  }

  void add_array(const std::string& name, const std::string& folder, Description description) {
    description.variable.path = name;
    variables_.push_back(description.variable);
    folders_.push_back(folder);
    arrays_.push_back(std::move(description));
  }

  void add_group(const std::string& name, const Json& attributes) {
    if (name.empty()) {
      groups_.front().attributes = zarr::attributes_of(attributes);
    } else {
      groups_.push_back({name, zarr::attributes_of(attributes), {}});
    }
  }

  void group_3(const Json& json) {
    const Json& all = json["consolidated_metadata"]["metadata"];
    if (!all.is(Json::Object)) return walk("", 0);
    add_group("", json["attributes"]);
    for (const auto& [name, one] : all.members()) {
      refuse_outside(name);
      if (one["node_type"].text() == "array") {
        add_array(name, path_ + "/" + name, zarr::describe_3(one, path_ + "/zarr.json"));
      } else {
        add_group(name, one["attributes"]);
      }
    }
  }

  void consolidated_2(const Json& json) {
    const std::string path = path_ + "/.zmetadata";
    const Json& all = json["metadata"];
    if (!all.is(Json::Object)) fail(path, "holds no descriptions");
    for (const auto& [key, one] : all.members()) {
      const std::size_t slash = key.rfind('/');
      const std::string name = slash == std::string::npos ? "" : key.substr(0, slash);
      const std::string what = slash == std::string::npos ? key : key.substr(slash + 1);
      refuse_outside(name);
      const Json& attributes = all[(name.empty() ? "" : name + "/") + ".zattrs"];
      if (what == ".zarray") add_array(name, path_ + "/" + name, zarr::describe_2(one, attributes, path));
      if (what == ".zgroup") add_group(name, attributes);
    }
  }

  /// Names in a description lead to folders below it and nowhere else.
  void refuse_outside(const std::string& name) const {
    const std::string slashed = "/" + name + "/";
    if (slashed.find("/../") != std::string::npos || name.rfind('/', 0) == 0) {
      fail(path_, "names '" + name + "', which lies outside of it");
    }
  }

  /// A group without a description of all that is in it: its folders are looked through.
  void walk(const std::string& group, int depth) {
    const std::string folder = group.empty() ? path_ : path_ + "/" + group;
    if (is_there(folder + "/zarr.json")) {
      add_group(group, read_json(folder + "/zarr.json")["attributes"]);
    } else {
      add_group(group, is_there(folder + "/.zattrs") ? read_json(folder + "/.zattrs") : Json());
    }
    if (depth == kDeepest) {
      remarks_.push_back(group + ": groups deeper than " + std::to_string(kDeepest) + " are not looked through");
      return;
    }
    std::set<std::string> names;
    std::error_code error;
    for (auto at = std::filesystem::directory_iterator(folder, error);
         !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      std::error_code unknown;
      if (at->is_directory(unknown)) names.insert(at->path().filename().string());
    }
    if (error) fail(folder, "cannot be listed: " + error.message());
    for (const std::string& name : names) {
      const std::string full = group.empty() ? name : group + "/" + name;
      const std::string below = path_ + "/" + full;
      if (is_there(below + "/zarr.json")) {
        const Json json = read_json(below + "/zarr.json");
        if (json["node_type"].text() == "array") {
          add_array(full, below, zarr::describe_3(json, below + "/zarr.json"));
        } else {
          walk(full, depth + 1);
        }
      } else if (is_there(below + "/.zarray")) {
        add_array(full, below, array_2(below));
      } else if (is_there(below + "/.zgroup")) {
        walk(full, depth + 1);
      }
    }
  }

  /// The dimensions of a group are those that its arrays name.
  void name_dimensions() {
    for (const Variable& one : variables_) {
      const std::size_t slash = one.path.rfind('/');
      const std::string name = slash == std::string::npos ? "" : one.path.substr(0, slash);
      auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& each) { return each.path == name; });
      if (group == groups_.end()) group = groups_.begin();
      for (std::size_t axis = 0; axis < one.dimensions.size(); ++axis) {
        const bool known = std::any_of(group->dimensions.begin(), group->dimensions.end(),
                                       [&](const Dimension& each) { return each.name == one.dimensions[axis]; });
        if (!known) group->dimensions.push_back({one.dimensions[axis], one.shape[axis], false});
      }
    }
  }

  void require_readable(std::size_t variable) const {
    const Description& data = arrays_[variable];
    const Variable& one = variables_[variable];
    if (!data.obstacle.empty()) fail(path_, "'" + one.path + "' " + data.obstacle);
    for (const Filter& filter : data.chain.filters) {
      const std::string missing = missing_codec(filter);
      if (!missing.empty()) fail(path_, "'" + one.path + "' " + missing);
    }
    if (product(one.chunk, std::max<std::uint32_t>(1, one.type.bytes)) > kMostChunkBytes) {
      fail(path_, "'" + one.path + "' has chunks of more than 4 GiB");
    }
  }

  /// Calls visit(place, stored bytes, whether there are any) for each chunk that a box touches. The bytes may be
  /// changed.
  template <class F>
  void each_chunk(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
                  F visit) const {
    const Description& data = arrays_[variable];
    const std::vector<std::int64_t>& chunk = variables_[variable].chunk;
    thread_local std::vector<std::byte> stored;
    each_cell(data.object, start, extent, [&](const std::vector<std::int64_t>& at) {
      const std::string path = folders_[variable] + "/" + zarr::key_of(at, data.separator, data.with_c);
      const std::optional<OpenFile> file = open_if_there(path);
      if (!data.sharded) {
        stored.resize(file ? file->size() : 0);
        if (file) file->read(0, stored.data(), stored.size());
        visit(at, std::span<std::byte>(stored), file.has_value());
        return;
      }
      // The part of the box that lies in this shard, chunk by chunk.
      const std::size_t rank = chunk.size();
      std::vector<std::int64_t> low(rank), part(rank);
      for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::int64_t begin = at[axis] * data.object[axis];
        low[axis] = std::max(begin, start[axis]);
        part[axis] = std::min(begin + data.object[axis], start[axis] + extent[axis]) - low[axis];
      }
      const std::vector<std::uint64_t> index = file ? shard_index(variable, *file) : std::vector<std::uint64_t>{};
      each_cell(chunk, low, part, [&](const std::vector<std::int64_t>& inner) {
        std::uint64_t number = 0;
        for (std::size_t axis = 0; axis < rank; ++axis) {
          const std::int64_t across = data.object[axis] / chunk[axis];
          number = number * static_cast<std::uint64_t>(across) + static_cast<std::uint64_t>(inner[axis] % across);
        }
        const std::uint64_t none = ~std::uint64_t{0};
        const std::uint64_t place = file ? index[2 * number] : none;
        const std::uint64_t bytes = file ? index[2 * number + 1] : none;
        const bool there = place != none || bytes != none;
        if (there && (place > file->size() || bytes > file->size() - place)) {
          file->fail("has an index that leads beyond its end: the shard is damaged");
        }
        stored.resize(there ? bytes : 0);
        if (there) file->read(place, stored.data(), stored.size());
        visit(inner, std::span<std::byte>(stored), there);
      });
    });
  }

  /// Places and sizes of the chunks in a shard.
  std::vector<std::uint64_t> shard_index(std::size_t variable, const OpenFile& file) const {
    const Description& data = arrays_[variable];
    std::uint64_t count = 1;
    for (std::size_t axis = 0; axis < data.object.size(); ++axis) {
      const auto across = static_cast<std::uint64_t>(data.object[axis] / variables_[variable].chunk[axis]);
      if (__builtin_mul_overflow(count, across, &count) || count > file.size()) {
        file.fail("is too short for the index of its shard: it is truncated or damaged");
      }
    }
    std::uint64_t bytes = 16 * count;
    for (const Filter& filter : data.index_filters) {
      if (filter.id != Filter::kCrc32c && filter.id != Filter::kCrc32) file.fail("has a packed index of its shards");
      bytes += 4;
    }
    if (bytes > file.size()) file.fail("is too short for the index of its shard: it is truncated or damaged");
    std::vector<std::byte> stored(bytes);
    file.read(data.index_in_front ? 0 : file.size() - bytes, stored.data(), stored.size());
    std::vector<std::uint64_t> index(2 * count);
    undo_filters(file.path(), data.index_filters, 0, stored, std::as_writable_bytes(std::span(index)));
    return index;
  }

  /// Where the elements of a chunk lie, axis by axis of the array.
  static std::vector<std::int64_t> stored_strides(const Description& data, const Variable& one) {
    const std::size_t rank = one.chunk.size();
    std::vector<std::int64_t> strides(rank);
    auto stride = static_cast<std::int64_t>(one.type.bytes);
    for (std::size_t k = rank; k-- > 0;) {
      const auto axis = static_cast<std::size_t>(data.chain.order[k]);
      strides[axis] = stride;
      stride *= one.chunk[axis];
    }
    return strides;
  }

  /// Decodes a chunk and puts what it shares with the box into its place.
  void put_chunk(std::size_t variable, const std::vector<std::int64_t>& at, std::span<std::byte> stored, bool there,
                 const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent, std::byte* out,
                 const std::vector<std::int64_t>& strides) const {
    const Variable& one = variables_[variable];
    const Description& data = arrays_[variable];
    const std::vector<std::int64_t> from_strides = stored_strides(data, one);
    const ChunkPart part(at, one.chunk, from_strides, {start, extent, out, strides}, one.type.bytes);
    if (!there) {
      std::vector<std::byte> fill = one.fill;
      if (one.type.is_number()) swap_box(fill.data(), {}, {}, one.type);
      return part.fill(fill.data());
    }
    const std::uint64_t bytes = product(one.chunk, one.type.bytes);
    // No codec packs better than this; a damaged chunk is not worth the memory that it asks for.
    if (bytes / 70000 > stored.size() + 16) damaged_chunk(variable, at, "is far too small");
    if (data.chain.filters.empty() && stored.size() != bytes) {
      damaged_chunk(variable, at,
                    "is " + std::to_string(stored.size()) + " bytes long, not the " + std::to_string(bytes) +
                        " of an uncompressed chunk");
    }
    part.put(bytes, [&](std::span<std::byte> decoded) {
      undo_filters(chunk_name(variable, at), data.chain.filters, 0, stored, decoded);
    });
  }

  std::string chunk_name(std::size_t variable, const std::vector<std::int64_t>& at) const {
    return folders_[variable] + "/" + zarr::key_of(at, arrays_[variable].separator, arrays_[variable].with_c);
  }
  [[noreturn]] void damaged_chunk(std::size_t variable, const std::vector<std::int64_t>& at,
                                  const std::string& text) const {
    fail(chunk_name(variable, at), text);
  }

  /// Puts the strings of a chunk into their places of the whole array.
  void put_texts(std::size_t variable, const std::vector<std::int64_t>& at, std::span<const std::byte> stored,
                 std::vector<std::string>& texts) const {
    const Variable& one = variables_[variable];
    const std::vector<std::byte> bytes =
        undo_filters_unsized(chunk_name(variable, at), arrays_[variable].chain.filters, stored);
    std::size_t place = 0;
    const auto number = [&] {
      if (bytes.size() - place < 4) damaged_chunk(variable, at, "ends within its texts: it is damaged");
      std::uint32_t value = 0;
      for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<std::uint32_t>(bytes[place + i]);
      place += 4;
      return value;
    };
    const std::uint32_t count = number();
    if (count != product(one.chunk, 1))
      damaged_chunk(variable, at, "holds another number of texts than its description says");
    const std::size_t rank = one.chunk.size();
    std::vector<std::int64_t> inside(rank);
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t length = number();
      if (length > bytes.size() - place) damaged_chunk(variable, at, "ends within its texts: it is damaged");
      std::uint64_t left = i;
      for (std::size_t k = rank; k-- > 0;) {
        const auto axis = static_cast<std::size_t>(arrays_[variable].chain.order[k]);
        inside[axis] = static_cast<std::int64_t>(left % static_cast<std::uint64_t>(one.chunk[axis]));
        left /= static_cast<std::uint64_t>(one.chunk[axis]);
      }
      std::int64_t target = 0;
      bool fits = true;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::int64_t index = at[axis] * one.chunk[axis] + inside[axis];
        fits = fits && index < one.shape[axis];
        target = target * one.shape[axis] + index;
      }
      if (fits)
        texts[static_cast<std::size_t>(target)].assign(reinterpret_cast<const char*>(bytes.data() + place), length);
      place += length;
    }
  }

  /// Numbers, and the characters of wide text, in this machine's order of bytes.
  static void swap_elements(const Variable& one, const Description& data, const std::vector<std::int64_t>& extent,
                            std::byte* out, const std::vector<std::int64_t>& strides) {
    if (!data.wide_text) return swap_box(out, strides, extent, one.type);
    swap_wide_text(out, strides, extent, one.type.bytes);
  }

  std::vector<Description> arrays_;
  std::vector<std::string> folders_;
};

}  // namespace

std::string described_by(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return path;
  for (const char* const name : {"/zarr.json", "/.zmetadata", "/.zarray", "/.zgroup"}) {
    if (is_there(path + name)) return path + name;
  }
  fail(path, "is a folder that holds neither zarr.json nor .zarray or .zgroup: it is no Zarr store");
}

std::shared_ptr<const StoredFile> open_zarr(const std::string& path) { return std::make_shared<ZarrStore>(path); }

}  // namespace weft::io
