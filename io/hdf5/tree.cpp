// From the root group to variables: links, objects, attributes, and the dimensions that NetCDF-4 makes of them.
#include "io/hdf5/tree.hpp"

#include "io/formats/format.hpp"
#include "io/hdf5/mapping.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace weft::io::hdf5 {

Message shared_message(Source& source, const Message& message);

std::vector<std::string> Values::texts(const Datatype& type, Cursor cursor, std::int64_t count) {
  std::vector<std::string> texts;
  for (std::int64_t i = 0; i < count; ++i) {
    std::string text;
    if (type.kind == Datatype::Class::Text) {
      text = cursor.text(type.element.bytes);
      text.erase(std::min(text.find('\0'), text.size()));
      while (type.space_padded && !text.empty() && text.back() == ' ') text.pop_back();
    } else {
      const std::uint32_t bytes = cursor.u32();
      const std::uint64_t collection = source_.address(cursor);
      const auto [data, size] = heap_.find(collection, cursor.u32());
      if (data != nullptr) text.assign(reinterpret_cast<const char*>(data), std::min<std::uint64_t>(bytes, size));
      while (!text.empty() && text.back() == '\0') text.pop_back();
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

void Values::numbers(const Datatype& type, Cursor cursor, std::int64_t count, Attribute& out) {
  const ElementType& element = type.element;
  std::vector<std::byte> bytes(static_cast<std::size_t>(count) * element.bytes);
  if (!bytes.empty()) std::memcpy(bytes.data(), cursor.take(bytes.size()), bytes.size());
  swap_box(bytes.data(), {element.bytes}, {count}, element);
  straighten(type, bytes.data(), {element.bytes}, {count});
  std::vector<double> values(static_cast<std::size_t>(count));
  to_doubles(element, bytes.data(), count, values.data());
  if (element.kind != ElementKind::Float) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::int64_t value = static_cast<std::int64_t>(element.bytes == 8 ? 0.0 : values[i]);
      if (element.bytes == 8) std::memcpy(&value, bytes.data() + 8 * i, 8);
      out.integers.push_back(value);
    }
  }
  if (element.kind == ElementKind::Float || element.bytes == 8) out.reals = std::move(values);
}

Attribute Values::attribute(Cursor cursor) {
  Attribute out;
  const unsigned version = cursor.u8();
  if (version < 1 || version > 3) source_.unknown("has attributes of version " + std::to_string(version));
  const unsigned flags = cursor.u8();
  const std::uint64_t name_bytes = cursor.u16(), type_bytes = cursor.u16(), space_bytes = cursor.u16();
  if (version == 3) cursor.skip(1);
  const auto part = [&](std::uint64_t bytes) {
    const Cursor piece(source_.file.path(), cursor.take(bytes), bytes);
    if (version == 1 && bytes % 8 != 0) cursor.skip(8 - bytes % 8);
    return piece;
  };
  Cursor name = part(name_bytes);
  out.name = name.zero_ended();
  Cursor type_part = part(type_bytes);
  const Cursor space_part = part(space_bytes);
  if (version > 1 && (flags & 1) != 0) {
    Message reference;
    reference.type = Message::kDatatype;
    reference.bytes = type_bytes;
    reference.data = type_part.take(type_bytes);
    const Message message = shared_message(source_, reference);
    type_part = Cursor(source_.file.path(), message.data, message.bytes);
  }
  const Datatype type = parse_datatype(source_, type_part);
  const Dataspace space = parse_dataspace(source_, space_part);
  out.type = type.element;
  out.shape = space.extents;
  const std::int64_t count = space.elements();
  if (static_cast<std::uint64_t>(count) > cursor.left() / std::max<std::uint32_t>(1, type.element.bytes)) {
    if (type.element.bytes > 0) source_.damaged("the attribute '" + out.name + "' is longer than its description");
  }
  if (count > (std::int64_t{1} << 24)) source_.damaged("the attribute '" + out.name + "' is too long");
  if (type.element.kind == ElementKind::Text || type.element.kind == ElementKind::VariableText) {
    out.texts = texts(type, cursor, count);
    if (out.texts.empty()) out.texts.emplace_back();
  } else if (type.element.is_number() && type.element.kind != ElementKind::Complex) {
    numbers(type, cursor, count, out);
  } else if (type.kind == Datatype::Class::Reference && type.element.bytes == source_.address_bytes) {
    for (std::int64_t i = 0; i < count; ++i) out.integers.push_back(static_cast<std::int64_t>(source_.address(cursor)));
  } else if (type.kind == Datatype::Class::List && type.base[0].kind == Datatype::Class::Reference) {
    // The first of each list: a dimension has one scale.
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t members = cursor.u32();
      const std::uint64_t collection = source_.address(cursor);
      const auto [data, bytes] = heap_.find(collection, cursor.u32());
      const bool there = members > 0 && data != nullptr && bytes >= source_.address_bytes;
      Cursor list(source_.file.path(), data, there ? bytes : 0);
      out.integers.push_back(there ? static_cast<std::int64_t>(source_.address(list)) : -1);
    }
  }
  return out;
}

std::string plain_path(const std::string& path) {
  std::string out;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, end - begin);
    if (!name.empty() && name != ".") out += (out.empty() ? "" : "/") + name;
    begin = end + 1;
  }
  return out;
}

namespace {

/// Larger elements are no numbers or texts that anybody has written; a damaged file may tell of such.
constexpr std::uint32_t kMostElementBytes = 64 << 20;
constexpr std::size_t kMostColumns = 2000;

struct Link {
  std::string name;
  std::uint64_t address = 0;
  std::uint64_t order = 0;
  /// Of a soft link, or one into another file.
  std::string target;
  bool external = false;
  std::string file;
};

class Walker {
 public:
  explicit Walker(Source& source) : source_(source), values_(source) {}

  Contents walk(std::uint64_t root) {
    object(root, "");
    name_dimensions();
    return std::move(out_);
  }

 private:
  /// What is known of a dataset besides what users see.
  struct Hidden {
    std::uint64_t address = 0;
    bool scale = false;
    bool only_dimension = false;
    std::vector<std::int64_t> dimension_list;
    std::vector<std::int64_t> coordinate_ids;
    std::int64_t id = -1;
    std::vector<std::string> labels;
  };

  void object(std::uint64_t address, const std::string& path) {
    if (!seen_.insert(address).second) {
      out_.remarks.push_back("/" + path + " is another name of something above");
      return;
    }
    const std::vector<Message> messages = read_messages(source_, address);
    const auto has = [&](std::uint16_t type) {
      return std::any_of(messages.begin(), messages.end(), [&](const Message& one) { return one.type == type; });
    };
    if (has(Message::kLayout) && has(Message::kDataspace) && has(Message::kDatatype)) {
      dataset(address, path, messages);
    } else if (has(Message::kSymbolTable) || has(Message::kLinkInfo) || has(Message::kLink) || path.empty()) {
      group(path, messages);
    }
  }

  void group(const std::string& path, const std::vector<Message>& messages) {
    out_.groups.push_back({path, visible(attributes(messages)), {}});
    std::vector<Link> found;
    for (const Message& message : messages) {
      Cursor cursor(source_.file.path(), message.data, message.bytes);
      if (message.type == Message::kLink) {
        found.push_back(link(cursor));
      } else if (message.type == Message::kLinkInfo) {
        dense_links(cursor, found);
      } else if (message.type == Message::kSymbolTable) {
        const std::uint64_t tree = source_.address(cursor);
        old_links(tree, source_.address(cursor), -1, found);
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const Link& a, const Link& b) {
      return a.order != b.order ? a.order < b.order : a.name < b.name;
    });
    for (const Link& one : found) {
      const std::string below = path.empty() ? one.name : path + "/" + one.name;
      if (std::count(below.begin(), below.end(), '/') > 200) source_.damaged("its groups are nested too deeply");
      if (one.external) {
        if (one.file.empty()) {
          out_.remarks.push_back("/" + below + " is a link of a kind that is not known");
        } else {
          out_.links.push_back({below, one.file, plain_path(one.target)});
        }
      } else if (!one.target.empty()) {
        const bool from_root = one.target[0] == '/' || path.empty();
        out_.links.push_back({below, "", plain_path(from_root ? one.target : path + "/" + one.target)});
      } else {
        object(one.address, below);
      }
    }
  }

  Link link(Cursor cursor) const {
    Link out;
    const unsigned version = cursor.u8();
    if (version != 1) source_.unknown("has links of version " + std::to_string(version));
    const unsigned flags = cursor.u8();
    const unsigned type = (flags & 8) != 0 ? cursor.u8() : 0;
    if ((flags & 4) != 0) out.order = cursor.u64();
    if ((flags & 16) != 0) cursor.skip(1);
    out.name = cursor.text(cursor.number(1u << (flags & 3)));
    if (type == 0) {
      out.address = source_.address(cursor);
    } else {
      const std::uint16_t bytes = cursor.u16();
      out.target = cursor.text(bytes);
      out.external = type != 1;
      // A byte of flags, the file's name, a zero, the object's name, a zero.
      if (type == 64 && bytes > 1) {
        Cursor names(source_.file.path(), reinterpret_cast<const std::byte*>(out.target.data()), bytes);
        names.skip(1);
        out.file = names.zero_ended();
        out.target = names.zero_ended();
      }
      if (out.target.empty()) out.target = "?";
    }
    return out;
  }

  void dense_links(Cursor cursor, std::vector<Link>& found) {
    cursor.skip(1);
    const unsigned flags = cursor.u8();
    if ((flags & 1) != 0) cursor.skip(8);
    const std::uint64_t heap_address = source_.address(cursor);
    const std::uint64_t names = source_.address(cursor);
    if (!source_.defined(heap_address)) return;
    FractalHeap heap(source_, heap_address);
    walk_tree2(source_, names, [&](Cursor record) {
      record.skip(4);
      found.push_back(link(heap.find(record)));
    });
  }

  void old_links(std::uint64_t address, std::uint64_t heap, int parent_level, std::vector<Link>& found) {
    if (!source_.defined(address)) return;
    Cursor head = source_.at(address, 8);
    source_.expect(head, "TREE");
    if (head.u8() != 0) source_.damaged("a group's index is of another kind");
    const int level = head.u8();
    if (parent_level >= 0 && level != parent_level - 1) source_.damaged("a group's index is no tree");
    const std::uint64_t used = head.u16();
    const std::uint64_t words = 2ull * source_.address_bytes + used * (source_.length_bytes + source_.address_bytes);
    Cursor cursor = source_.at(address, 8 + words);
    cursor.skip(8 + 2ull * source_.address_bytes);
    for (std::uint64_t i = 0; i < used; ++i) {
      source_.length(cursor);
      const std::uint64_t child = source_.address(cursor);
      if (level > 0) {
        old_links(child, heap, level, found);
      } else {
        symbols(child, heap, found);
      }
    }
  }

  void symbols(std::uint64_t address, std::uint64_t heap, std::vector<Link>& found) {
    Cursor head = source_.at(address, 8);
    source_.expect(head, "SNOD");
    head.skip(2);
    const std::uint64_t count = head.u16();
    const std::uint64_t entry = 2ull * source_.address_bytes + 24;
    Cursor cursor = source_.at(address + 8, count * entry);
    for (std::uint64_t i = 0; i < count; ++i) {
      Link one;
      one.name = local_heap_name(source_, heap, source_.address(cursor));
      one.address = source_.address(cursor);
      const std::uint32_t kind = cursor.u32();
      cursor.skip(4);
      const std::uint32_t target = cursor.u32();
      cursor.skip(12);
      if (kind == 2) one.target = local_heap_name(source_, heap, target);
      found.push_back(std::move(one));
    }
  }

  std::vector<Attribute> attributes(const std::vector<Message>& messages) {
    std::vector<std::pair<std::uint32_t, Attribute>> found;
    for (const Message& message : messages) {
      Cursor cursor(source_.file.path(), message.data, message.bytes);
      if (message.type == Message::kAttribute) {
        if ((message.flags & 2) != 0) source_.unknown("has descriptions in a heap of shared messages");
        found.emplace_back(static_cast<std::uint32_t>(found.size()), values_.attribute(cursor));
      } else if (message.type == Message::kAttributeInfo) {
        cursor.skip(1);
        const unsigned flags = cursor.u8();
        if ((flags & 1) != 0) cursor.skip(2);
        const std::uint64_t heap_address = source_.address(cursor);
        const std::uint64_t names = source_.address(cursor);
        if (!source_.defined(heap_address)) continue;
        FractalHeap heap(source_, heap_address);
        walk_tree2(source_, names, [&](Cursor record) {
          const Cursor id(source_.file.path(), record.take(heap.id_bytes()), heap.id_bytes());
          record.skip(1);
          const std::uint32_t order = record.u32();
          found.emplace_back(order, values_.attribute(heap.find(id)));
        });
      }
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Attribute> out;
    for (auto& [order, one] : found) out.push_back(std::move(one));
    return out;
  }

  /// Leaves out what only keeps dimensions together.
  static std::vector<Attribute> visible(std::vector<Attribute> all) {
    static const std::set<std::string> kHidden = {"CLASS",
                                                  "NAME",
                                                  "REFERENCE_LIST",
                                                  "DIMENSION_LIST",
                                                  "DIMENSION_LABELS",
                                                  "_Netcdf4Dimid",
                                                  "_Netcdf4Coordinates",
                                                  "_nc3_strict",
                                                  "_NCProperties"};
    std::erase_if(all, [&](const Attribute& one) { return kHidden.count(one.name) != 0; });
    return all;
  }

  void dataset(std::uint64_t address, const std::string& path, const std::vector<Message>& messages) {
    Dataset data;
    Variable variable;
    variable.path = path;
    const Message* layout = nullptr;
    for (const Message& message : messages) {
      Cursor cursor(source_.file.path(), message.data, message.bytes);
      switch (message.type) {
        case Message::kDataspace:
          data.space = parse_dataspace(source_, cursor);
          break;
        case Message::kDatatype:
          data.type = parse_datatype(source_, cursor);
          break;
        case Message::kLayout:
          layout = &message;
          break;
        case Message::kFilters:
          data.filters = parse_filters(source_, cursor);
          break;
        case Message::kOldFill:
        case Message::kFill:
          fill(message.type, cursor, variable.fill);
          break;
        case Message::kExternalFiles:
          data.obstacle = "keeps its data in other files";
          break;
        default:
          break;
      }
    }
    data.layout = parse_layout(source_, {source_.file.path(), layout->data, layout->bytes}, data.space.extents.size());
    if (data.layout.kind == Layout::Kind::Other) data.obstacle = data.layout.other;
    if (data.layout.kind == Layout::Kind::Virtual) {
      data.layout.mappings = std::make_shared<std::vector<Mapping>>(
          parse_mappings(source_, data.layout.address, data.layout.heap_index, data.space.extents.size()));
    }
    variable.type = data.type.element;
    variable.shape = data.space.extents;
    if (data.space.null) variable.shape = {0};
    if (data.space.null) data.obstacle = "has no value";
    variable.chunk = data.layout.chunk;
    for (const Filter& filter : data.filters) variable.filters.push_back(filter.text());
    if (variable.type.bytes > kMostElementBytes) {
      data.obstacle = "has elements of more than 64 MiB";
      variable.fill.clear();
    } else {
      if (variable.fill.size() != variable.type.bytes) variable.fill.assign(variable.type.bytes, std::byte{0});
      if (data.type.field) data.stored_fill = variable.fill;
      swap_box(variable.fill.data(), {}, {}, variable.type);
      straighten(data.type, variable.fill.data(), {}, {});
    }
    Hidden hidden;
    hidden.address = address;
    variable.attributes = attributes(messages);
    dimension_attributes(variable.attributes, hidden);
    variable.attributes = visible(std::move(variable.attributes));
    data.record_bytes = data.type.element.bytes;
    table_ = path;
    // An array type only adds axes; of a compound the table itself is named, too.
    std::size_t columns = 0;
    if (data.type.kind == Datatype::Class::Array && data.obstacle.empty())
      members(variable, data, hidden, data.type, 0, columns);
    if (columns == 0) add(variable, data, hidden);
    if (data.type.kind == Datatype::Class::Compound && data.type.element.kind == ElementKind::Other &&
        data.obstacle.empty())
      members(variable, data, hidden, data.type, 0, columns);
  }

  void add(const Variable& variable, const Dataset& data, const Hidden& hidden) {
    out_.variables.push_back(variable);
    out_.datasets.push_back(data);
    hidden_.push_back(hidden);
  }

  /// Each member of a compound is a variable of its own, the columns of a table; members of members are, too, and
  /// arrays have axes more. `type` begins `place` bytes from the record's beginning.
  void members(const Variable& of, const Dataset& data, const Hidden& hidden, const Datatype& type, std::uint64_t place,
               std::size_t& columns) {
    if (type.kind == Datatype::Class::Array) {
      Variable wider = of;
      wider.shape.insert(wider.shape.end(), type.extents.begin(), type.extents.end());
      if (data.layout.kind == Layout::Kind::Chunked)
        wider.chunk.insert(wider.chunk.end(), type.extents.begin(), type.extents.end());
      return members(wider, data, hidden, type.base[0], place, columns);
    }
    if (type.element.kind != ElementKind::Other) {
      if (++columns > kMostColumns) return;
      Dataset member = data;
      member.member = of.path.substr(table_.size());
      member.type = type;
      member.place = static_cast<std::uint32_t>(place);
      Variable column = of;
      column.type = type.element;
      column.fill.assign(of.fill.begin() + static_cast<std::ptrdiff_t>(place),
                         of.fill.begin() + static_cast<std::ptrdiff_t>(place + type.element.bytes));
      if (type.field) member.stored_fill = column.fill;
      swap_box(column.fill.data(), {}, {}, column.type);
      straighten(type, column.fill.data(), {}, {});
      Hidden plain;
      plain.dimension_list = hidden.dimension_list;
      plain.labels = hidden.labels;
      return add(column, member, plain);
    }
    if (type.kind != Datatype::Class::Compound) return;
    out_.groups.push_back({of.path, {}, {}});
    for (std::size_t i = 0; i < type.base.size(); ++i) {
      Variable below = of;
      below.path += "/" + type.names[i];
      below.attributes.clear();
      members(below, data, hidden, type.base[i], place + type.places[i], columns);
    }
  }

  void fill(std::uint16_t type, Cursor cursor, std::vector<std::byte>& out) const {
    bool defined = true;
    if (type == Message::kFill) {
      const unsigned version = cursor.u8();
      if (version == 3) {
        defined = (cursor.u8() & 0x20) != 0;
      } else {
        cursor.skip(2);
        defined = cursor.u8() != 0 || version == 1;
      }
    }
    if (!defined || cursor.left() < 4) return;
    const std::uint32_t bytes = cursor.u32();
    if (bytes == 0 || bytes > cursor.left()) return;
    const std::byte* const data = cursor.take(bytes);
    out.assign(data, data + bytes);
  }

  static void dimension_attributes(const std::vector<Attribute>& attributes, Hidden& hidden) {
    for (const Attribute& one : attributes) {
      if (one.name == "CLASS") hidden.scale = one.text() == "DIMENSION_SCALE";
      if (one.name == "NAME") hidden.only_dimension = one.text().starts_with("This is a netCDF dimension but not");
      if (one.name == "DIMENSION_LIST") hidden.dimension_list = one.integers;
      if (one.name == "_Netcdf4Coordinates") hidden.coordinate_ids = one.integers;
      if (one.name == "_Netcdf4Dimid" && !one.integers.empty()) hidden.id = one.integers[0];
      if (one.name == "DIMENSION_LABELS") hidden.labels = one.texts;
    }
    hidden.only_dimension = hidden.only_dimension && hidden.scale;
  }

  static std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }
  static std::string group_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
  }

  void name_dimensions() {
    std::map<std::uint64_t, std::size_t> by_address;
    std::map<std::int64_t, std::size_t> by_id;
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      if (!hidden_[i].scale) continue;
      by_address.emplace(hidden_[i].address, i);
      if (hidden_[i].id >= 0) by_id.emplace(hidden_[i].id, i);
    }
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      Variable& one = out_.variables[i];
      const Hidden& hidden = hidden_[i];
      std::vector<std::string> names(one.shape.size());
      for (std::size_t axis = 0; axis < names.size(); ++axis) {
        if (axis < hidden.labels.size()) names[axis] = hidden.labels[axis];
        if (axis < hidden.dimension_list.size()) {
          const auto found = by_address.find(static_cast<std::uint64_t>(hidden.dimension_list[axis]));
          if (found != by_address.end()) names[axis] = name_of(out_.variables[found->second].path);
        } else if (hidden.scale && axis < hidden.coordinate_ids.size()) {
          const auto found = by_id.find(hidden.coordinate_ids[axis]);
          if (found != by_id.end()) names[axis] = name_of(out_.variables[found->second].path);
        } else if (hidden.scale && axis == 0) {
          names[axis] = name_of(one.path);
        }
      }
      const bool all = std::none_of(names.begin(), names.end(), [](const std::string& name) { return name.empty(); });
      if (all) one.dimensions = std::move(names);
    }
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      if (!hidden_[i].scale || out_.variables[i].shape.empty()) continue;
      const std::string group = group_of(out_.variables[i].path);
      for (Group& one : out_.groups) {
        if (one.path != group) continue;
        const Dataspace& space = out_.datasets[i].space;
        one.dimensions.push_back({name_of(out_.variables[i].path), space.extents[0], space.most[0] < 0});
      }
    }
    drop_bare_dimensions();
  }

  /// Datasets that only say how long a dimension is are no variables.
  void drop_bare_dimensions() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < hidden_.size(); ++i) {
      if (hidden_[i].only_dimension) continue;
      if (kept != i) {
        out_.variables[kept] = std::move(out_.variables[i]);
        out_.datasets[kept] = std::move(out_.datasets[i]);
      }
      ++kept;
    }
    out_.variables.resize(kept);
    out_.datasets.resize(kept);
  }

  Source& source_;
  Values values_;
  Contents out_;
  std::vector<Hidden> hidden_;
  std::set<std::uint64_t> seen_;
  /// The dataset whose members are being named.
  std::string table_;
};

}  // namespace

Contents read_contents(Source& source, std::uint64_t root) { return Walker(source).walk(root); }

Contents read_own_contents(Source& source) {
  const std::uint64_t root = read_superblock(source);
  Contents contents = read_contents(source, root);
  settle_virtual(source.file.path(), contents);
  return contents;
}

}  // namespace weft::io::hdf5
