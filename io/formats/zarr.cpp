// Zarr, versions 2 and 3: a folder that is an array, or a group of such.
#include "io/codecs/filters.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"
#include "io/remote/objects.hpp"
#include "io/zarr/description.hpp"
#include "io/zarr/texts.hpp"

#include <weft/remote.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

namespace weft::io {
namespace {

using zarr::Description;
using zarr::is_there;
using zarr::Texts;

/// Chunks beyond this are not worth the memory that they would ask for.
constexpr std::uint64_t kMostChunkBytes = std::uint64_t{1} << 32;
constexpr int kDeepest = 32;
/// The files that describe a store; the first that is there does.
constexpr const char* kDescriptions[] = {"zarr.json", ".zmetadata", ".zarray", ".zgroup"};

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
    texts_.fetch({path_}, {"zarr.json", ".zmetadata", ".zarray", ".zgroup", ".zattrs"});
    const OpenFile description(description_of_this());
    file_bytes_ = description.size();
    changed_ns_ = description.changed_ns();
    const std::string of_3 = path_below(path_, "zarr.json");
    format_ = texts_.has(of_3) ? "Zarr 3" : "Zarr 2";
    groups_.push_back({});
    if (texts_.has(of_3)) {
      const Json json = texts_.json(of_3);
      if (json["node_type"].text() == "array") {
        add_array(last_name(path_), path_, zarr::describe_3(json, of_3));
      } else {
        group_3(json);
      }
    } else if (texts_.has(path_below(path_, ".zarray"))) {
      add_array(last_name(path_), path_, array_2(path_));
    } else if (texts_.has(path_below(path_, ".zmetadata"))) {
      consolidated_2(texts_.json(path_below(path_, ".zmetadata")));
    } else {
      walk("", 0);
    }
    name_dimensions();
    texts_.forget();
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
    if (is_remote(path_)) return path_.rfind("s3://", 0) == 0 ? remote::list_below(folders_[variable], true).bytes : 0;
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
  /// The file that describes the store, as described_by has it, from what has come already.
  std::string description_of_this() {
    for (const char* const name : kDescriptions) {
      if (is_remote(path_) && texts_.has(path_below(path_, name))) return path_below(path_, name);
    }
    return described_by(path_);
  }

  Description array_2(const std::string& folder) {
    const std::string path = path_below(folder, ".zarray");
    return zarr::describe_2(texts_.json(path), texts_.json_or_none(path_below(folder, ".zattrs")), path);
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
        add_array(name, path_below(path_, name), zarr::describe_3(one, path_below(path_, "zarr.json")));
      } else {
        add_group(name, one["attributes"]);
      }
    }
  }

  void consolidated_2(const Json& json) {
    const std::string path = path_below(path_, ".zmetadata");
    const Json& all = json["metadata"];
    if (!all.is(Json::Object)) fail(path, "holds no descriptions");
    for (const auto& [key, one] : all.members()) {
      const std::size_t slash = key.rfind('/');
      const std::string name = slash == std::string::npos ? "" : key.substr(0, slash);
      const std::string what = slash == std::string::npos ? key : key.substr(slash + 1);
      refuse_outside(name);
      const Json& attributes = all[(name.empty() ? "" : name + "/") + ".zattrs"];
      if (what == ".zarray") add_array(name, path_below(path_, name), zarr::describe_2(one, attributes, path));
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
    const std::string folder = group.empty() ? path_ : path_below(path_, group);
    if (texts_.has(path_below(folder, "zarr.json"))) {
      add_group(group, texts_.json(path_below(folder, "zarr.json"))["attributes"]);
    } else {
      add_group(group, texts_.json_or_none(path_below(folder, ".zattrs")));
    }
    if (depth == kDeepest) {
      remarks_.push_back(group + ": groups deeper than " + std::to_string(kDeepest) + " are not looked through");
      return;
    }
    const std::set<std::string> names = folders_in(folder);
    std::vector<std::string> all;
    for (const std::string& name : names) all.push_back(path_below(folder, name));
    texts_.fetch(all, {"zarr.json", ".zarray", ".zgroup", ".zattrs"});
    for (const std::string& name : names) {
      const std::string full = group.empty() ? name : group + "/" + name;
      const std::string below = path_below(path_, full);
      const std::string of_3 = path_below(below, "zarr.json");
      if (texts_.has(of_3)) {
        const Json json = texts_.json(of_3);
        if (json["node_type"].text() == "array") {
          add_array(full, below, zarr::describe_3(json, of_3));
        } else {
          walk(full, depth + 1);
        }
      } else if (texts_.has(path_below(below, ".zarray"))) {
        add_array(full, below, array_2(below));
      } else if (texts_.has(path_below(below, ".zgroup"))) {
        walk(full, depth + 1);
      }
    }
  }

  static std::set<std::string> folders_in(const std::string& folder) {
    std::set<std::string> names;
    if (is_remote(folder)) {
      if (folder.rfind("s3://", 0) != 0) {
        fail(folder,
             "is a group without one description of all that is in it (consolidated metadata), and http knows "
             "no lists: name one of its arrays");
      }
      for (const std::string& name : remote::list_below(folder, false).folders) names.insert(name);
      return names;
    }
    std::error_code error;
    for (auto at = std::filesystem::directory_iterator(folder, error);
         !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
      std::error_code unknown;
      if (at->is_directory(unknown)) names.insert(at->path().filename().string());
    }
    if (error) fail(folder, "cannot be listed: " + error.message());
    return names;
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

  using Place = std::vector<std::int64_t>;

  /// Calls visit(place, stored bytes, whether there are any) for each chunk that a box touches. The bytes may be
  /// changed.
  template <class F>
  void each_chunk(std::size_t variable, const Place& start, const Place& extent, F visit) const {
    if (is_remote(path_)) return each_far_chunk(variable, start, extent, visit);
    const Description& data = arrays_[variable];
    thread_local std::vector<std::byte> stored;
    each_cell(data.object, start, extent, [&](const Place& at) {
      const std::optional<OpenFile> file = open_if_there(object_name(variable, at));
      if (!data.sharded) {
        stored.resize(file ? file->size() : 0);
        if (file) file->read(0, stored.data(), stored.size());
        visit(at, std::span<std::byte>(stored), file.has_value());
        return;
      }
      std::vector<std::uint64_t> index;
      if (file) {
        std::vector<std::byte> packed(index_bytes(variable, file->path()));
        if (packed.size() > file->size()) short_shard(file->path());
        file->read(data.index_in_front ? 0 : file->size() - packed.size(), packed.data(), packed.size());
        index = shard_index(variable, file->path(), packed);
      }
      each_inner(variable, at, start, extent, [&](const Place& inner, std::uint64_t number) {
        const auto [place, bytes, there] = place_in(index, number, file ? file->path() : "", file ? file->size() : 0);
        stored.resize(bytes);
        if (there) file->read(place, stored.data(), stored.size());
        visit(inner, std::span<std::byte>(stored), there);
      });
    });
  }

  /// The same where objects are asked for by a network: many at once, of shards first their indices.
  template <class F>
  void each_far_chunk(std::size_t variable, const Place& start, const Place& extent, F visit) const {
    const Description& data = arrays_[variable];
    std::vector<remote::Part> parts;
    std::vector<Place> places;
    each_cell(data.object, start, extent, [&](const Place& at) {
      places.push_back(at);
      parts.push_back({object_name(variable, at)});
    });
    // What packed bytes may be longer than plain ones by.
    const std::uint64_t chunk_bytes =
        product(variables_[variable].chunk, std::max(1u, variables_[variable].type.bytes));
    const std::uint64_t most = data.chain.texts ? kMostChunkBytes : 2 * chunk_bytes + (1 << 20);
    if (!data.sharded) {
      return remote::read_parts(parts, most,
                                [&](std::size_t i, std::optional<std::span<std::byte>> stored, std::uint64_t) {
                                  visit(places[i], stored.value_or(std::span<std::byte>()), stored.has_value());
                                });
    }
    for (remote::Part& one : parts) {
      one.bytes = index_bytes(variable, one.path);
      if (!data.index_in_front) one.place = remote::kLastBytes;
    }
    std::vector<remote::Part> chunks;
    std::vector<Place> inner_places;
    remote::read_parts(parts, most, [&](std::size_t i, std::optional<std::span<std::byte>> packed, std::uint64_t size) {
      if (packed && packed->size() != parts[i].bytes) short_shard(parts[i].path);
      const std::vector<std::uint64_t> index =
          packed ? shard_index(variable, parts[i].path, *packed) : std::vector<std::uint64_t>{};
      each_inner(variable, places[i], start, extent, [&](const Place& inner, std::uint64_t number) {
        const auto [place, bytes, there] = place_in(index, number, parts[i].path, size);
        if (!there || bytes == 0) return visit(inner, std::span<std::byte>(), there);
        if (bytes > most) fail(parts[i].path, "has an index of chunks that are too long: the shard is damaged");
        chunks.push_back({parts[i].path, place, bytes});
        inner_places.push_back(inner);
      });
    });
    remote::read_parts(chunks, most, [&](std::size_t i, std::optional<std::span<std::byte>> stored, std::uint64_t) {
      if (!stored) fail(chunks[i].path, "is not there any more");
      visit(inner_places[i], *stored, true);
    });
  }

  std::string object_name(std::size_t variable, const Place& at) const {
    return path_below(folders_[variable], zarr::key_of(at, arrays_[variable].separator, arrays_[variable].with_c));
  }

  /// Calls visit(place, number within the shard) for the chunks of a shard that the box touches.
  template <class F>
  void each_inner(std::size_t variable, const Place& at, const Place& start, const Place& extent, F visit) const {
    const Place& object = arrays_[variable].object;
    const Place& chunk = variables_[variable].chunk;
    const std::size_t rank = chunk.size();
    Place low(rank), part(rank);
    for (std::size_t axis = 0; axis < rank; ++axis) {
      const std::int64_t begin = at[axis] * object[axis];
      low[axis] = std::max(begin, start[axis]);
      part[axis] = std::min(begin + object[axis], start[axis] + extent[axis]) - low[axis];
    }
    each_cell(chunk, low, part, [&](const Place& inner) {
      std::uint64_t number = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        const std::int64_t across = object[axis] / chunk[axis];
        number = number * static_cast<std::uint64_t>(across) + static_cast<std::uint64_t>(inner[axis] % across);
      }
      visit(inner, number);
    });
  }

  struct InShard {
    std::uint64_t place = 0, bytes = 0;
    bool there = false;
  };
  /// Where a chunk of a shard is; `index` is empty where there is no shard.
  static InShard place_in(const std::vector<std::uint64_t>& index, std::uint64_t number, const std::string& path,
                          std::uint64_t size) {
    constexpr std::uint64_t kNone = ~std::uint64_t{0};
    if (index.empty() || (index[2 * number] == kNone && index[2 * number + 1] == kNone)) return {};
    const std::uint64_t place = index[2 * number];
    const std::uint64_t bytes = index[2 * number + 1];
    if (place > size || bytes > size - place) {
      fail(path, "has an index that leads beyond its end: the shard is damaged");
    }
    return {place, bytes, true};
  }
  [[noreturn]] static void short_shard(const std::string& path) {
    fail(path, "is too short for the index of its shard: it is truncated or damaged");
  }

  /// Bytes of the index of a shard, as it is stored.
  std::uint64_t index_bytes(std::size_t variable, const std::string& path) const {
    const Description& data = arrays_[variable];
    constexpr std::uint64_t kMostInner = std::uint64_t{1} << 26;
    std::uint64_t count = 1;
    for (std::size_t axis = 0; axis < data.object.size(); ++axis) {
      const auto across = static_cast<std::uint64_t>(data.object[axis] / variables_[variable].chunk[axis]);
      if (__builtin_mul_overflow(count, across, &count) || count > kMostInner) short_shard(path);
    }
    std::uint64_t bytes = 16 * count;
    for (const Filter& filter : data.index_filters) {
      if (filter.id != Filter::kCrc32c && filter.id != Filter::kCrc32) fail(path, "has a packed index of its shards");
      bytes += 4;
    }
    return bytes;
  }

  /// Places and sizes of the chunks in a shard, from the bytes of its index.
  std::vector<std::uint64_t> shard_index(std::size_t variable, const std::string& path,
                                         std::span<std::byte> stored) const {
    const std::vector<Filter>& filters = arrays_[variable].index_filters;
    std::vector<std::uint64_t> index((stored.size() - 4 * filters.size()) / 8);
    undo_filters(path, filters, 0, stored, std::as_writable_bytes(std::span(index)));
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
    return object_name(variable, at);
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

  /// Until all is described.
  Texts texts_;
  std::vector<Description> arrays_;
  std::vector<std::string> folders_;
};

}  // namespace

namespace {

/// The description of a store on a server, or nothing. `may_be_refused`: where access to all is refused, too.
std::optional<std::string> far_description(const std::string& path, bool may_be_refused = true) {
  std::vector<remote::Part> parts;
  for (const char* const name : kDescriptions) parts.push_back({path_below(path, name), 0, 1, may_be_refused});
  std::set<std::size_t> there;
  remote::read_parts(parts, 1 << 20, [&](std::size_t i, std::optional<std::span<std::byte>> text, std::uint64_t) {
    if (text) there.insert(i);
  });
  if (there.empty()) return {};
  return parts[*there.begin()].path;
}

/// Whether the name of an address says that it is a store, or a file, or neither.
std::optional<bool> named_as_store(const std::string& path) {
  const std::string shown = shown_path(path);
  if (shown.back() == '/') return true;
  const std::string name = shown.substr(shown.rfind('/') + 1);
  if (shown.find(".zarr") != std::string::npos || name.find('.') == std::string::npos) return true;
  static const std::set<std::string> kFiles = {".nc",  ".nc4",   ".cdf",  ".h5",   ".hdf5", ".he5", ".grib",
                                               ".grb", ".grib2", ".grb2", ".npy",  ".npz",  ".tif", ".tiff",
                                               ".png", ".jpg",   ".jpeg", ".fits", ".fit",  ".fts"};
  if (kFiles.count(name.substr(name.rfind('.'))) != 0) return false;
  return {};
}

}  // namespace

bool is_remote_store(const std::string& path) {
  const std::optional<bool> named = named_as_store(path);
  return named ? *named : far_description(path).has_value();
}

std::string described_by(const std::string& path) {
  if (is_remote(path)) {
    if (named_as_store(path) == std::optional(false)) return path;
    const std::optional<std::string> found = far_description(path);
    if (found) return *found;
    if (!named_as_store(path)) return path;
    static_cast<void>(far_description(path, false));  // says so where access is refused
    fail(path, "holds neither zarr.json nor .zarray or .zgroup: it is no Zarr store");
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) return path;
  for (const char* const name : kDescriptions) {
    if (is_there(path_below(path, name))) return path_below(path, name);
  }
  fail(path, "is a folder that holds neither zarr.json nor .zarray or .zgroup: it is no Zarr store");
}

std::shared_ptr<const StoredFile> open_zarr(const std::string& path) { return std::make_shared<ZarrStore>(path); }

}  // namespace weft::io
