// What chunks went through, from the lists of Zarr's descriptions.
#include "io/files/open_file.hpp"
#include "io/zarr/description.hpp"

#include <algorithm>

namespace weft::io::zarr {
namespace {

std::uint32_t small_number(const Json& value, std::uint32_t otherwise) {
  if (!value.is(Json::Number) || value.number() < 0 || value.number() > 1e6) return otherwise;
  return static_cast<std::uint32_t>(value.number());
}

std::uint32_t in_front(const Json& settings, const char* usual) {
  const std::string& place = settings["location"].text();
  return (place.empty() ? std::string(usual) : place) == "start" ? 1 : 0;
}

/// Axis k of what is stored, as axes of the array; empty where the codec is wrong.
std::vector<std::int64_t> transposed(const Json& order, std::size_t rank) {
  std::vector<std::int64_t> axes(rank);
  for (std::size_t k = 0; k < rank; ++k) axes[k] = static_cast<std::int64_t>(k);
  if (order.is(Json::Text) && order.text() == "C") return axes;
  if (order.is(Json::Text) && order.text() == "F") {
    std::reverse(axes.begin(), axes.end());
    return axes;
  }
  if (!order.is(Json::List) || order.list().size() != rank) return {};
  std::vector<bool> seen(rank, false);
  for (std::size_t k = 0; k < rank; ++k) {
    const double axis = order.list()[k].is(Json::Number) ? order.list()[k].number() : -1;
    if (!(axis >= 0 && axis < static_cast<double>(rank)) || seen[static_cast<std::size_t>(axis)]) return {};
    axes[k] = static_cast<std::int64_t>(axis);
    seen[static_cast<std::size_t>(axis)] = true;
  }
  return axes;
}

std::string plain_name(const std::string& name) {
  static constexpr char kPrefix[] = "numcodecs.";
  return name.rfind(kPrefix, 0) == 0 ? name.substr(sizeof kPrefix - 1) : name;
}

/// One list of codecs; `shards` says whether shards may stand in it.
void read_chain(const Json& list, Description& description, Chain& chain, const std::string& path, bool shards) {
  if (!list.is(Json::List) || list.list().empty()) fail(path, "does not tell what its chunks went through");
  const std::size_t rank = description.variable.shape.size();
  bool bytes = false;
  for (const Json& codec : list.list()) {
    const std::string name = plain_name(codec.is(Json::Text) ? codec.text() : codec["name"].text());
    const Json& settings = codec["configuration"];
    const auto refuse = [&](const std::string& text) {
      if (description.obstacle.empty()) description.obstacle = text;
    };
    if (name == "transpose") {
      const std::vector<std::int64_t> axes = transposed(settings["order"], rank);
      if (axes.size() != rank || bytes) fail(path, "the codec 'transpose' has an order that is none of its axes");
      std::vector<std::int64_t> order(rank);
      for (std::size_t k = 0; k < rank; ++k) order[k] = chain.order[static_cast<std::size_t>(axes[k])];
      chain.order = order;
    } else if (name == "bytes" || name == "endian") {
      chain.big_endian = settings["endian"].text() == "big";
      bytes = true;
    } else if (name == "vlen-utf8") {
      chain.texts = true;
      bytes = true;
    } else if (name == "sharding_indexed") {
      if (!shards || &codec != &list.list().back()) {
        refuse("has shards in another way than as its last codec");
        return;
      }
      for (std::size_t k = 0; k < rank; ++k) {
        if (chain.order[k] != static_cast<std::int64_t>(k)) refuse("has transposed shards");
      }
      description.sharded = true;
      description.variable.chunk = extents_of(settings["chunk_shape"], path, "shape of the chunks in a shard", 1);
      if (description.variable.chunk.size() != rank) fail(path, "its shards' chunks have another number of axes");
      for (std::size_t axis = 0; axis < rank; ++axis) {
        if (description.object[axis] % description.variable.chunk[axis] != 0) {
          fail(path, "its shards are not whole numbers of their chunks");
        }
      }
      description.index_in_front = settings["index_location"].text() == "start";
      Chain index;
      index.order = chain.order;
      read_chain(settings["index_codecs"], description, index, path, false);
      description.index_filters = index.filters;
      if (index.big_endian) refuse("has shards whose index is in another order of bytes");
      read_chain(settings["codecs"], description, chain, path, false);
      return;
    } else {
      const std::string why = add_filter(name, settings, chain.filters);
      if (!why.empty()) refuse(why);
    }
  }
}

}  // namespace

std::string add_filter(const std::string& full_name, const Json& settings, std::vector<Filter>& filters) {
  const std::string name = plain_name(full_name);
  const auto add = [&](std::uint32_t id, std::vector<std::uint32_t> values = {}) {
    filters.push_back({id, std::move(values)});
    return std::string();
  };
  // Their results are read as they are: they only rounded what was written.
  if (name == "bitround" || name == "quantize") return {};
  if (name == "zlib") return add(Filter::kDeflate, {small_number(settings["level"], 1)});
  if (name == "gzip") return add(Filter::kGzip, {small_number(settings["level"], 1)});
  if (name == "zstd") return add(Filter::kZstd, {small_number(settings["level"], 3)});
  if (name == "lz4") return add(Filter::kSizedLz4);
  if (name == "blosc") return add(Filter::kBlosc);
  if (name == "crc32c") return add(Filter::kCrc32c, {in_front(settings, "end")});
  if (name == "crc32") return add(Filter::kCrc32, {in_front(settings, "start")});
  if (name == "adler32") return add(Filter::kAdler32, {in_front(settings, "start")});
  if (name == "fletcher32") return add(Filter::kFletcher32);
  if (name == "shuffle") return add(Filter::kShuffle, {std::max(1u, small_number(settings["elementsize"], 4))});
  if (name == "delta") {
    bool wide = false;
    const std::string& from = settings["dtype"].text();
    const ElementType type = from.find_first_of("<>|") == 0 ? element_of_protocol(from, wide) : element_of_name(from);
    const bool same = !settings.has("astype") || settings["astype"].text() == from;
    const bool whole = type.kind == ElementKind::Integer || type.kind == ElementKind::Unsigned;
    if (!whole || !same || type.swapped)
      return "went through 'delta' of " + settings.dump() + ", which weft does not undo";
    return add(Filter::kDelta, {type.bytes});
  }
  return "went through '" + full_name + "', which weft does not undo: write it with zstd, gzip, lz4 or blosc";
}

void read_codecs(const Json& list, Description& description, const std::string& path) {
  read_chain(list, description, description.chain, path, true);
}

}  // namespace weft::io::zarr
