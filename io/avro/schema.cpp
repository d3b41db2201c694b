#include "io/avro/schema.hpp"

#include "io/files/open_file.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <string_view>

namespace weft::io::avro {
namespace {

constexpr std::array<std::string_view, 14> kNames = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                                     "string", "record",  "enum", "array", "map",   "union",  "fixed"};
/// Deeper than any data, but for lists that are written as records in records.
constexpr unsigned kDeepest = 500;
/// Values that take no bytes, as nulls are: so many of an element are believed.
constexpr std::uint64_t kMostEmpty = 1 << 20;

}  // namespace

const char* kind_of(const AvroValue& value) {
  constexpr std::array<const char*, 7> kinds = {"null",   "a truth", "a whole number", "a number",
                                                "a text", "a list",  "a record"};
  return kinds[value.is.index()];
}

std::int64_t take_long(std::span<const std::byte>& from, const std::string& path) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 70; shift += 7) {
    if (from.empty()) fail(path, "the Avro data ends in the middle of a number: the file is damaged or cut off");
    const auto byte = static_cast<std::uint64_t>(from.front());
    from = from.subspan(1);
    if (shift == 63 && byte > 1) break;
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return static_cast<std::int64_t>(value >> 1 ^ (0 - (value & 1)));
  }
  fail(path, "a number in the Avro data has more than ten bytes: the file is damaged");
}

void put_long(std::vector<std::byte>& out, std::int64_t value) {
  auto left = static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
  for (; left >= 0x80; left >>= 7) out.push_back(static_cast<std::byte>(left | 0x80));
  out.push_back(static_cast<std::byte>(left));
}

/// Threading: one thread, while a schema is made.
class Schema::Parser {
 public:
  Parser(Schema& schema) : schema_(schema) {}

  std::uint32_t parse(const Json& json, const std::string& space, unsigned depth) {
    if (depth > kDeepest) refuse("types lie more than 500 deep in each other");
    if (json.is(Json::Text)) return named(json.text(), space);
    if (json.is(Json::List)) return union_of(json, space, depth);
    if (!json.is(Json::Object) || !json.has("type")) refuse("a type is a name, a list, or an object with \"type\"");
    const Json& type = json["type"];
    if (!type.is(Json::Text)) return parse(type, space, depth + 1);
    const std::string& what = type.text();
    if (what == "record" || what == "error") return record(json, space, depth);
    if (what == "enum") return symbols(json, space);
    if (what == "fixed") return fixed(json, space);
    if (what == "array") return items(Kind::Array, json, "items", space, depth);
    if (what == "map") return items(Kind::Map, json, "values", space, depth);
    return named(what, space);
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { fail(schema_.path_, "the Avro schema is none: " + what); }

  std::uint32_t add(Kind kind) {
    schema_.types_.push_back({});
    schema_.types_.back().kind = kind;
    return static_cast<std::uint32_t>(schema_.types_.size() - 1);
  }

  std::uint32_t named(const std::string& name, const std::string& space) {
    for (std::size_t i = 0; i <= static_cast<std::size_t>(Kind::String); ++i) {
      if (kNames[i] == name) return add(static_cast<Kind>(i));
    }
    for (const std::string& full : {space.empty() ? name : space + '.' + name, name}) {
      const auto known = known_.find(full);
      if (known != known_.end()) return known->second;
    }
    refuse("there is no type \"" + name + "\"");
  }

  /// Notes a type under its full name, whose namespace becomes that of what lies in it.
  std::uint32_t define(Kind kind, const Json& json, std::string& space) {
    if (!json["name"].is(Json::Text) || json["name"].text().empty()) refuse("a named type has no \"name\"");
    std::string name = json["name"].text();
    if (json["namespace"].is(Json::Text)) space = json["namespace"].text();
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) {
      space = name.substr(0, dot);
    } else if (!space.empty()) {
      name = space + '.' + name;
    }
    const std::uint32_t type = add(kind);
    schema_.types_[type].name = name;
    if (!known_.emplace(name, type).second) refuse("the type \"" + name + "\" is defined twice");
    return type;
  }

  std::uint32_t record(const Json& json, std::string space, unsigned depth) {
    const std::uint32_t type = define(Kind::Record, json, space);
    if (!json["fields"].is(Json::List)) refuse("the record \"" + schema_.types_[type].name + "\" has no \"fields\"");
    for (const Json& field : json["fields"].list()) {
      if (!field["name"].is(Json::Text) || !field.has("type")) refuse("a field needs a \"name\" and a \"type\"");
      const std::uint32_t of_field = parse(field["type"], space, depth + 1);
      schema_.types_[type].names.push_back(field["name"].text());
      schema_.types_[type].parts.push_back(of_field);
    }
    return type;
  }

  std::uint32_t symbols(const Json& json, std::string space) {
    const std::uint32_t type = define(Kind::Enum, json, space);
    for (const Json& symbol : json["symbols"].list()) {
      if (!symbol.is(Json::Text)) refuse("a symbol of an enum is no text");
      schema_.types_[type].names.push_back(symbol.text());
    }
    if (schema_.types_[type].names.empty()) refuse("an enum has no \"symbols\"");
    return type;
  }

  std::uint32_t fixed(const Json& json, std::string space) {
    const std::uint32_t type = define(Kind::Fixed, json, space);
    const double bytes = json["size"].number();
    if (!json["size"].is(Json::Number) || !(bytes >= 0 && bytes <= 1 << 30)) refuse("a fixed has no \"size\"");
    schema_.types_[type].bytes = static_cast<std::uint64_t>(bytes);
    return type;
  }

  std::uint32_t items(Kind kind, const Json& json, const char* key, const std::string& space, unsigned depth) {
    if (!json.has(key)) refuse(std::string("an array has no \"items\", or a map no \"values\""));
    const std::uint32_t type = add(kind);
    const std::uint32_t item = parse(json[key], space, depth + 1);
    schema_.types_[type].parts.push_back(item);
    return type;
  }

  std::uint32_t union_of(const Json& json, const std::string& space, unsigned depth) {
    const std::uint32_t type = add(Kind::Union);
    if (json.list().empty()) refuse("a union has no branches");
    for (const Json& branch : json.list()) {
      const std::uint32_t one = parse(branch, space, depth + 1);
      if (schema_.types_[one].kind == Kind::Union) refuse("a union lies in a union");
      schema_.types_[type].parts.push_back(one);
    }
    return type;
  }

  Schema& schema_;
  std::map<std::string, std::uint32_t> known_;
};

Schema::Schema(const std::string& text, const std::string& path) : path_(path) {
  // A name alone is JSON only with its quotation marks, but is written without them, too.
  const bool bare = text.find_first_of("\"{[") == std::string::npos;
  Parser(*this).parse(Json::parse(bare ? '"' + text + '"' : text, path), "", 0);
}

void Schema::damaged(const std::string& what) const { fail(path_, what + ": the file is damaged"); }

AvroValue Schema::read(std::span<const std::byte>& from) const {
  std::uint64_t left = kMostEmpty + from.size();
  return read(types_[0], from, {0, &left});
}

AvroValue Schema::read(const Type& type, std::span<const std::byte>& from, Depth depth) const {
  if (depth.now > kDeepest) damaged("values lie more than 500 deep in each other");
  if ((*depth.left)-- == 0) damaged("there are more values than bytes");
  const auto take = [&](std::uint64_t bytes) {
    if (bytes > from.size()) damaged("the Avro data ends in the middle of a value");
    const auto taken = from.first(static_cast<std::size_t>(bytes));
    from = from.subspan(static_cast<std::size_t>(bytes));
    return taken;
  };
  const auto text = [&](std::uint64_t bytes) {
    const auto taken = take(bytes);
    return std::string(reinterpret_cast<const char*>(taken.data()), taken.size());
  };
  const auto number = [&](auto kind) {
    std::memcpy(&kind, take(sizeof kind).data(), sizeof kind);
    return static_cast<double>(kind);
  };
  const auto long_text = [&] {
    const std::int64_t bytes = take_long(from, path_);
    if (bytes < 0) damaged("a text has a negative length");
    return text(static_cast<std::uint64_t>(bytes));
  };
  // Blocks of items: how many, if negative followed by their bytes; the last is empty.
  const auto blocks = [&](const auto& item) {
    for (std::int64_t count; (count = take_long(from, path_)) != 0;) {
      if (count < 0) {
        if (count == std::numeric_limits<std::int64_t>::min()) damaged("a list has no sensible length");
        count = -count;
        static_cast<void>(take_long(from, path_));
      }
      for (; count != 0; --count) item();
    }
  };
  switch (type.kind) {
    case Kind::Null:
      return {};
    case Kind::Boolean: {
      const auto byte = static_cast<unsigned>(take(1)[0]);
      if (byte > 1) damaged("a truth is neither 0 nor 1");
      return byte == 1;
    }
    case Kind::Int:
    case Kind::Long:
      return take_long(from, path_);
    case Kind::Float:
      return number(float{});
    case Kind::Double:
      return number(double{});
    case Kind::Bytes:
    case Kind::String:
      return long_text();
    case Kind::Fixed:
      return text(type.bytes);
    case Kind::Enum: {
      const std::int64_t symbol = take_long(from, path_);
      if (symbol < 0 || symbol >= static_cast<std::int64_t>(type.names.size())) damaged("an enum has no such symbol");
      return type.names[static_cast<std::size_t>(symbol)];
    }
    case Kind::Union: {
      const std::int64_t branch = take_long(from, path_);
      if (branch < 0 || branch >= static_cast<std::int64_t>(type.parts.size())) damaged("a union has no such branch");
      return read(part(type, static_cast<std::size_t>(branch)), from, depth.inside());
    }
    case Kind::Record: {
      AvroValue::Record record;
      for (std::size_t i = 0; i < type.parts.size(); ++i)
        record[type.names[i]] = read(part(type, i), from, depth.inside());
      return record;
    }
    case Kind::Array: {
      AvroValue::List list;
      blocks([&] { list.push_back(read(part(type, 0), from, depth.inside())); });
      return list;
    }
    case Kind::Map: {
      AvroValue::Record map;
      blocks([&] {
        std::string name = long_text();
        map[std::move(name)] = read(part(type, 0), from, depth.inside());
      });
      return map;
    }
  }
  return {};
}

bool Schema::fits(const Type& type, const AvroValue& value) const {
  switch (type.kind) {
    case Kind::Null:
      return value.is_null();
    case Kind::Boolean:
      return std::holds_alternative<bool>(value.is);
    case Kind::Int:
    case Kind::Long: {
      const auto* const whole = std::get_if<std::int64_t>(&value.is);
      return whole != nullptr && (type.kind == Kind::Long || *whole == static_cast<std::int32_t>(*whole));
    }
    case Kind::Float:
    case Kind::Double:
      return std::holds_alternative<double>(value.is) || std::holds_alternative<std::int64_t>(value.is);
    case Kind::Bytes:
    case Kind::String:
      return std::holds_alternative<std::string>(value.is);
    case Kind::Fixed:
      return std::holds_alternative<std::string>(value.is) && value.text().size() == type.bytes;
    case Kind::Enum: {
      if (!std::holds_alternative<std::string>(value.is)) return false;
      for (const std::string& symbol : type.names) {
        if (symbol == value.text()) return true;
      }
      return false;
    }
    case Kind::Union: {
      for (std::size_t i = 0; i < type.parts.size(); ++i) {
        if (fits(part(type, i), value)) return true;
      }
      return false;
    }
    case Kind::Record: {
      const auto* const record = std::get_if<AvroValue::Record>(&value.is);
      if (record == nullptr || record->size() != type.names.size()) return false;
      for (std::size_t i = 0; i < type.names.size(); ++i) {
        const auto field = record->find(type.names[i]);
        if (field == record->end() || !fits(part(type, i), field->second)) return false;
      }
      return true;
    }
    case Kind::Array: {
      const auto* const list = std::get_if<AvroValue::List>(&value.is);
      for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
        if (!fits(part(type, 0), (*list)[i])) return false;
      }
      return list != nullptr;
    }
    case Kind::Map: {
      const auto* const map = std::get_if<AvroValue::Record>(&value.is);
      if (map == nullptr) return false;
      for (const auto& [name, one] : *map) {
        if (!fits(part(type, 0), one)) return false;
      }
      return true;
    }
  }
  return false;
}

void Schema::write(const AvroValue& value, std::vector<std::byte>& out) const {
  write(types_[0], value, out, "the element", 0);
}

void Schema::write(const Type& type, const AvroValue& value, std::vector<std::byte>& out, const std::string& place,
                   unsigned depth) const {
  const auto refuse = [&] {
    const std::string_view kind = kNames[static_cast<std::size_t>(type.kind)];
    throw Error("to_avro: " + place + " is " + kind_of(value) + " and does not fit the schema, which has " +
                std::string(kind) + (type.name.empty() ? "" : " " + type.name) + " there");
  };
  const auto put = [&out](const void* from, std::size_t bytes) {
    const auto* const first = static_cast<const std::byte*>(from);
    out.insert(out.end(), first, first + bytes);
  };
  const auto put_text = [&](const std::string& text) {
    put_long(out, static_cast<std::int64_t>(text.size()));
    put(text.data(), text.size());
  };
  if (depth > kDeepest) throw Error("to_avro: " + place + " lies more than 500 deep");
  const bool looks_inside = type.kind == Kind::Record || type.kind == Kind::Array || type.kind == Kind::Map;
  if (!looks_inside && !fits(type, value)) refuse();
  switch (type.kind) {
    case Kind::Null:
      return;
    case Kind::Boolean:
      return out.push_back(static_cast<std::byte>(std::get<bool>(value.is) ? 1 : 0));
    case Kind::Int:
    case Kind::Long:
      return put_long(out, value.whole());
    case Kind::Float: {
      const auto number = static_cast<float>(value.number());
      return put(&number, sizeof number);
    }
    case Kind::Double: {
      const double number = value.number();
      return put(&number, sizeof number);
    }
    case Kind::Bytes:
    case Kind::String:
      return put_text(value.text());
    case Kind::Fixed:
      return put(value.text().data(), value.text().size());
    case Kind::Enum:
      for (std::size_t i = 0; i < type.names.size(); ++i) {
        if (type.names[i] == value.text()) return put_long(out, static_cast<std::int64_t>(i));
      }
      return;
    case Kind::Union:
      for (std::size_t i = 0; i < type.parts.size(); ++i) {
        if (!fits(part(type, i), value)) continue;
        put_long(out, static_cast<std::int64_t>(i));
        return write(part(type, i), value, out, place, depth + 1);
      }
      return;
    case Kind::Record: {
      const auto* const record = std::get_if<AvroValue::Record>(&value.is);
      if (record == nullptr) refuse();
      for (const auto& [name, one] : *record) {
        if (std::find(type.names.begin(), type.names.end(), name) == type.names.end())
          throw Error("to_avro: " + place + " has \"" + name + "\", which record " + type.name + " has not");
      }
      for (std::size_t i = 0; i < type.names.size(); ++i) {
        const auto field = record->find(type.names[i]);
        static const AvroValue nothing;
        const AvroValue& one = field == record->end() ? nothing : field->second;
        write(part(type, i), one, out, '"' + type.names[i] + "\" of " + place, depth + 1);
      }
      return;
    }
    case Kind::Array: {
      const auto* const list = std::get_if<AvroValue::List>(&value.is);
      if (list == nullptr) refuse();
      if (!list->empty()) put_long(out, static_cast<std::int64_t>(list->size()));
      for (const AvroValue& item : *list) write(part(type, 0), item, out, "an item of " + place, depth + 1);
      return put_long(out, 0);
    }
    case Kind::Map: {
      const auto* const map = std::get_if<AvroValue::Record>(&value.is);
      if (map == nullptr) refuse();
      if (!map->empty()) put_long(out, static_cast<std::int64_t>(map->size()));
      for (const auto& [name, one] : *map) {
        put_text(name);
        write(part(type, 0), one, out, '"' + name + "\" of " + place, depth + 1);
      }
      return put_long(out, 0);
    }
  }
}

}  // namespace weft::io::avro
