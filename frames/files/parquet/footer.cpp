#include "frames/files/parquet/footer.hpp"

#include <weft/storage.hpp>

#include "core/config/nearest.hpp"
#include "frames/files/parquet/thrift.hpp"
#include "io/files/json.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace weft::frames::parquet {
namespace {

/// A node of the schema, as it is stored: the tree in the order of its nodes.
struct Node {
  std::string name;
  std::int32_t physical = -1, repetition = 0, children = 0;
  Leaf leaf;
  Annotation said;
};

void read_logical(ThriftReader& in, Node& node) {
  in.record([&](const ThriftReader::Field& kind) {
    node.said.logical = kind.id;
    in.record([&](const ThriftReader::Field& field) {
      if (kind.id == 5 && field.id == 1) {
        node.leaf.scale = in.small(field);
      } else if (kind.id == 10 && field.id == 1) {
        node.said.bits = in.small(field);
      } else if (kind.id == 10 && field.id == 2) {
        node.said.is_signed = in.truth(field);
      } else if ((kind.id == 7 || kind.id == 8) && field.id == 2) {
        in.record([&](const ThriftReader::Field& unit) {
          node.said.unit = unit.id;
          in.skip(unit);
        });
      } else {
        in.skip(field);
      }
    });
  });
}

Node read_node(ThriftReader& in) {
  Node node;
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        node.physical = in.small(field);
        break;
      case 2:
        node.leaf.width = in.small(field);
        break;
      case 3:
        node.repetition = in.small(field);
        break;
      case 4:
        node.name = in.text(field);
        break;
      case 5:
        node.children = in.small(field);
        break;
      case 6:
        node.said.converted = in.small(field);
        break;
      case 7:
        node.leaf.scale = in.small(field);
        break;
      case 10:
        read_logical(in, node);
        break;
      default:
        in.skip(field);
    }
  });
  return node;
}

void read_statistics(ThriftReader& in, ChunkPlace& chunk) {
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        chunk.old_most = in.text(field);
        break;
      case 2:
        chunk.old_least = in.text(field);
        break;
      case 3:
        chunk.missing = in.whole(field);
        break;
      case 5:
        chunk.most = in.text(field);
        break;
      case 6:
        chunk.least = in.text(field);
        break;
      default:
        in.skip(field);
    }
  });
}

std::uint64_t count_of(ThriftReader& in, const ThriftReader::Field& field) {
  const std::int64_t value = in.whole(field);
  if (value < 0) in.damaged("a count in its description is negative");
  return static_cast<std::uint64_t>(value);
}

void read_chunk_data(ThriftReader& in, ChunkPlace& chunk) {
  std::uint64_t dictionary = 0;
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 4:
        chunk.codec = static_cast<Codec>(in.small(field));
        break;
      case 5:
        chunk.values = count_of(in, field);
        break;
      case 6:
        chunk.unpacked = count_of(in, field);
        break;
      case 7:
        chunk.bytes = count_of(in, field);
        break;
      case 9:
        chunk.first = count_of(in, field);
        break;
      case 11:
        dictionary = count_of(in, field);
        break;
      case 12:
        read_statistics(in, chunk);
        break;
      default:
        in.skip(field);
    }
  });
  // Some writers say 0 where there is none.
  if (dictionary != 0) chunk.first = std::min(chunk.first, dictionary);
}

ChunkPlace read_chunk(ThriftReader& in) {
  ChunkPlace chunk;
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        chunk.elsewhere = !in.text(field).empty();
        break;
      case 3:
        read_chunk_data(in, chunk);
        break;
      case 8:
      case 9:
        chunk.encrypted = true;
        in.skip(field);
        break;
      default:
        in.skip(field);
    }
  });
  return chunk;
}

RowGroup read_group(ThriftReader& in) {
  RowGroup group;
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        in.records(field, [&] { group.chunks.push_back(read_chunk(in)); });
        break;
      case 3:
        group.rows = count_of(in, field);
        break;
      default:
        in.skip(field);
    }
  });
  return group;
}

/// Names of the columns that are categories, by what pandas or weft wrote beside the schema.
void add_categories(const std::string& path, const std::string& key, const std::string& value,
                    std::vector<std::string>& names) {
  if (key != "pandas" && key != "weft") return;
  try {
    const io::Json said = io::Json::parse(value, path);
    for (const io::Json& one : said["columns"].list()) {
      if (one["pandas_type"].text() == "categorical") names.push_back(one["field_name"].text());
    }
  } catch (const io::FileError&) {
    // It is a hint of another program; without it the columns are strings.
  }
}

/// What a footer's record holds before it is checked.
struct Stored {
  std::vector<Node> nodes;
  std::vector<std::string> categories;
  std::vector<bool> ordered;
  bool encrypted = false;
};

void read_pair(ThriftReader& in, const std::string& path, Stored& stored) {
  std::string key, value;
  in.record([&](const ThriftReader::Field& field) {
    if (field.id == 1) {
      key = in.text(field);
    } else if (field.id == 2) {
      value = in.text(field);
    } else {
      in.skip(field);
    }
  });
  add_categories(path, key, value, stored.categories);
}

void read_record(ThriftReader& in, const std::string& path, Footer& footer, Stored& stored) {
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 2:
        in.records(field, [&] { stored.nodes.push_back(read_node(in)); });
        break;
      case 3:
        footer.rows = count_of(in, field);
        break;
      case 4:
        in.records(field, [&] { footer.groups.push_back(read_group(in)); });
        break;
      case 5:
        in.records(field, [&] { read_pair(in, path, stored); });
        break;
      case 7:
        in.records(field, [&] {
          stored.ordered.push_back(false);
          in.record([&](const ThriftReader::Field& order) {
            stored.ordered.back() = order.id == 1;
            in.skip(order);
          });
        });
        break;
      case 8:
        stored.encrypted = true;
        in.skip(field);
        break;
      default:
        in.skip(field);
    }
  });
}

/// Makes the columns: those right below the root that are no lists or structs can be read.
void make_leaves(const std::string& path, Stored& stored, Footer& footer) {
  const auto damaged = [&](const char* what) {
    io::fail(path, std::string("its schema ") + what + ": the file is damaged");
  };
  std::vector<Node>& nodes = stored.nodes;
  if (nodes.empty()) damaged("is missing");
  std::size_t at = 1, chunk = 0;
  for (std::int32_t i = 0; i < nodes.front().children; ++i) {
    if (at >= nodes.size()) damaged("ends too early");
    Node& top = nodes[at];
    Leaf leaf = top.leaf;
    leaf.name = top.name;
    leaf.chunk = chunk;
    leaf.optional = top.repetition == 1;
    leaf.flat = top.children == 0 && top.repetition != 2;
    if (leaf.flat) {
      if (top.physical < 0 || top.physical > 7) damaged("has a type that is none");
      leaf.physical = static_cast<Physical>(top.physical);
      understand(path, leaf, top.said);
      const bool category =
          std::find(stored.categories.begin(), stored.categories.end(), leaf.name) != stored.categories.end();
      if (category && leaf.type == ColumnType::String) leaf.type = ColumnType::Category;
      if (chunk >= stored.ordered.size() || !stored.ordered[chunk]) leaf.ordered = leaf.ordered && leaf.signed_order;
    }
    // Over all that is below it.
    for (std::int64_t below = 1; below > 0; --below, ++at) {
      if (at >= nodes.size()) damaged("ends too early");
      if (nodes[at].children < 0) damaged("has a negative count");
      below += nodes[at].children;
      if (nodes[at].children == 0) ++chunk;
    }
    if (footer.find(leaf.name) != nullptr) damaged("has two columns of one name");
    footer.leaves.push_back(std::move(leaf));
  }
  for (const RowGroup& group : footer.groups) {
    if (group.chunks.size() != chunk) damaged("and a row group differ in the number of columns");
  }
}

void check_counts(const std::string& path, std::uint64_t file_bytes, const Footer& footer) {
  std::uint64_t rows = 0;
  for (const RowGroup& group : footer.groups) {
    rows += group.rows;
    if (group.rows >= 0xffffffffu || rows > most_rows(file_bytes))
      io::fail(path, "claims more rows than a file of " + std::to_string(file_bytes) + " bytes holds: it is damaged");
  }
  if (rows != footer.rows)
    io::fail(path, "its row groups have " + std::to_string(rows) + " rows, but it claims " +
                       std::to_string(footer.rows) + ": it is damaged");
}

/// Reads a footer; `bytes`: how long it was.
std::shared_ptr<const Footer> parse(const io::OpenFile& file, std::size_t& bytes) {
  const std::string& path = file.path();
  if (file.size() < 12) file.fail("is too short for a Parquet file");
  std::vector<std::byte> end(std::min<std::uint64_t>(file.size(), io::kPageBytes));
  file.read(file.size() - end.size(), end.data(), end.size());
  const auto magic = [](const std::byte* at) { return std::string_view(reinterpret_cast<const char*>(at), 4); };
  const std::string_view last = magic(end.data() + end.size() - 4);
  if (last == "PARE") file.fail("its description is encrypted, which weft does not read: write it without encryption");
  if (last != "PAR1") file.fail("is no Parquet file, or its end is missing: it does not end with 'PAR1'");
  std::uint32_t size = 0;
  std::memcpy(&size, end.data() + end.size() - 8, 4);
  if (size > file.size() - 12) file.fail("its description is longer than the file: it is damaged");
  if (size + std::size_t{8} > end.size()) {
    end.resize(size + std::size_t{8});
    file.read(file.size() - end.size(), end.data(), end.size());
  }
  bytes = size;
  auto footer = std::make_shared<Footer>();
  Stored stored;
  ThriftReader in(path, end.data() + end.size() - 8 - size, size);
  read_record(in, path, *footer, stored);
  if (stored.nodes.empty() && stored.encrypted) file.fail("is encrypted, which weft does not read");
  make_leaves(path, stored, *footer);
  check_counts(path, file.size(), *footer);
  return footer;
}

}  // namespace

const Leaf* Footer::find(const std::string& name) const {
  const auto found = std::find_if(leaves.begin(), leaves.end(), [&](const Leaf& one) { return one.name == name; });
  return found == leaves.end() ? nullptr : &*found;
}

std::shared_ptr<const Footer> read_footer(const io::OpenFile& file) {
  // Each piece of a file asks for its footer, which of many row groups is long.
  struct Kept {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t changed_ns = 0;
    std::shared_ptr<const Footer> footer;
  };
  static std::mutex mutex;
  static std::vector<Kept> kept;
  constexpr std::size_t kMostKept = 8;
  {
    const std::scoped_lock lock(mutex);
    for (const Kept& one : kept) {
      if (one.path == file.path() && one.size == file.size() && one.changed_ns == file.changed_ns()) return one.footer;
    }
  }
  std::size_t bytes = 0;
  std::shared_ptr<const Footer> footer = parse(file, bytes);
  // Short ones are quickly read again, and a file that is replaced at once may have the same size and time.
  if (bytes < io::kPageBytes) return footer;
  const std::scoped_lock lock(mutex);
  if (kept.size() >= kMostKept) kept.erase(kept.begin());
  kept.push_back({file.path(), file.size(), file.changed_ns(), footer});
  return footer;
}

std::vector<const Leaf*> wanted_leaves(const std::string& path, const Footer& footer,
                                       const std::vector<std::string>& names) {
  std::vector<const Leaf*> wanted;
  if (names.empty()) {
    for (const Leaf& leaf : footer.leaves) wanted.push_back(&leaf);
  }
  for (const std::string& name : names) {
    const Leaf* const leaf = footer.find(name);
    if (leaf == nullptr) {
      std::vector<std::string> all;
      for (const Leaf& one : footer.leaves) all.push_back(one.name);
      const std::string nearest = nearest_name(name, all);
      std::string list;
      for (const std::string& one : all) list += (list.empty() ? "" : ", ") + one;
      io::fail(path, "has no column '" + name + "'" + (nearest.empty() ? "" : " (did you mean '" + nearest + "'?)") +
                         ": its columns are " + list);
    }
    wanted.push_back(leaf);
  }
  for (const Leaf* const leaf : wanted) {
    if (!leaf->flat)
      io::fail(path, "column '" + leaf->name +
                         "' holds lists or structs, which weft does not read: name the other columns in `columns`");
  }
  return wanted;
}

}  // namespace weft::frames::parquet
