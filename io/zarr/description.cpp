// The descriptions of Zarr arrays.
#include "io/zarr/description.hpp"

#include "io/files/open_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace weft::io::zarr {
namespace {

constexpr double kMostExtent = 4e18;

std::vector<std::int64_t> same_order(std::size_t rank) {
  std::vector<std::int64_t> order(rank);
  for (std::size_t axis = 0; axis < rank; ++axis) order[axis] = static_cast<std::int64_t>(axis);
  return order;
}

bool is_whole(const Json& value) {
  return value.is(Json::Number) && value.text().find_first_of(".eE") == std::string::npos;
}

/// A value of JSON as the attribute of a file: numbers and texts, and lists of either; all else as its text.
Attribute attribute_of(const std::string& name, const Json& value) {
  Attribute attribute;
  attribute.name = name;
  const bool list = value.is(Json::List);
  const std::vector<Json> alone = list ? std::vector<Json>{} : std::vector<Json>{value};
  const std::vector<Json>& values = list ? value.list() : alone;
  const auto all = [&](auto test) { return !values.empty() && std::all_of(values.begin(), values.end(), test); };
  if (list) attribute.shape = {static_cast<std::int64_t>(values.size())};
  if (all([](const Json& one) { return one.is(Json::Text); })) {
    attribute.type = {ElementKind::VariableText, 0, false, "string"};
    for (const Json& one : values) attribute.texts.push_back(one.text());
  } else if (all([](const Json& one) { return is_whole(one) || one.is(Json::Bool); })) {
    attribute.type = {ElementKind::Integer, 8, false, "int64"};
    for (const Json& one : values) {
      attribute.integers.push_back(one.is(Json::Bool) ? one.truth() : std::strtoll(one.text().c_str(), nullptr, 10));
    }
  } else if (all([](const Json& one) { return one.is(Json::Number); })) {
    attribute.type = {ElementKind::Float, 8, false, "float64"};
    for (const Json& one : values) attribute.reals.push_back(one.number());
  } else {
    attribute.shape.clear();
    attribute.type = {ElementKind::VariableText, 0, false, "string"};
    attribute.texts.push_back(value.dump());
  }
  return attribute;
}

/// What xarray writes for missing values that JSON has no number for: NaN as a word, or bytes in base 64.
void understand_fill(Description& description) {
  const ElementType& type = description.variable.type;
  if (type.kind != ElementKind::Float) return;
  for (Attribute& one : description.variable.attributes) {
    if ((one.name != "_FillValue" && one.name != "missing_value") || one.texts.size() != 1) continue;
    double value = std::nan("");
    const std::vector<std::byte> bytes = from_base64(one.texts[0]);
    if (one.texts[0] != "NaN" && bytes.size() == 8) std::memcpy(&value, bytes.data(), 8);
    one.type = {ElementKind::Float, 8, false, "float64"};
    one.texts.clear();
    one.reals = {value};
  }
}

void finish(Description& description, const std::string& path) {
  Variable& variable = description.variable;
  if (description.object.size() != variable.shape.size()) {
    fail(path, "its shape has " + std::to_string(variable.shape.size()) + " axes, its chunks have " +
                   std::to_string(description.object.size()));
  }
  if (!description.sharded) variable.chunk = description.object;
  if (variable.type.kind == ElementKind::Other && description.obstacle.empty()) {
    description.obstacle = "holds " + variable.type.name + ", which weft does not read";
  }
  if (variable.type.kind == ElementKind::VariableText && !description.chain.texts && description.obstacle.empty()) {
    description.obstacle = "holds objects that are no texts";
  }
  if (variable.type.is_number() && variable.type.bytes > 1 && description.chain.big_endian)
    variable.type.swapped = true;
  for (const Filter& filter : description.chain.filters) variable.filters.push_back(filter.text());
  understand_fill(description);
}

/// Takes the list of names out of the attributes.
void take_dimensions(Variable& variable, const char* name) {
  for (auto at = variable.attributes.begin(); at != variable.attributes.end(); ++at) {
    if (at->name != name) continue;
    if (at->texts.size() == variable.shape.size() && !at->shape.empty()) {
      variable.dimensions = at->texts;
      variable.attributes.erase(at);
    }
    return;
  }
}

}  // namespace

std::vector<Attribute> attributes_of(const Json& object) {
  std::vector<Attribute> attributes;
  for (const auto& [name, value] : object.members()) {
    const bool nothing = value.is(Json::Null) || (value.is(Json::List) && value.list().empty());
    if (!nothing) attributes.push_back(attribute_of(name, value));
  }
  return attributes;
}

std::vector<std::int64_t> extents_of(const Json& list, const std::string& path, const char* what, std::int64_t least) {
  std::vector<std::int64_t> values;
  if (!list.is(Json::List)) fail(path, std::string("does not tell the ") + what);
  if (list.list().size() > 64) fail(path, std::string("the ") + what + " has more than 64 axes");
  for (const Json& one : list.list()) {
    if (!is_whole(one) || one.number() < static_cast<double>(least) || one.number() > kMostExtent) {
      fail(path, std::string("the ") + what + " " + list.dump() + " is not one");
    }
    values.push_back(static_cast<std::int64_t>(one.number()));
  }
  return values;
}

std::string key_of(const std::vector<std::int64_t>& place, const std::string& separator, bool with_c) {
  std::string key = with_c ? "c" : "";
  for (std::size_t axis = 0; axis < place.size(); ++axis) {
    key += (axis > 0 || with_c ? separator : "") + std::to_string(place[axis]);
  }
  return key.empty() ? "0" : key;
}

Description describe_3(const Json& json, const std::string& path) {
  Description description;
  Variable& variable = description.variable;
  variable.shape = extents_of(json["shape"], path, "shape", 0);
  description.chain.order = same_order(variable.shape.size());
  if (json["chunk_grid"]["name"].text() != "regular") {
    description.obstacle = "has chunks that are no regular grid, which weft does not read";
    description.object = std::vector<std::int64_t>(variable.shape.size(), 1);
  } else {
    description.object = extents_of(json["chunk_grid"]["configuration"]["chunk_shape"], path, "shape of chunks", 1);
  }
  if (description.object.size() != variable.shape.size()) finish(description, path);
  const Json& type = json["data_type"];
  if (type.is(Json::Text)) {
    variable.type = element_of_name(type.text());
  } else {
    // Extended types are objects: {"name": "numpy.datetime64", "configuration": {"unit": "s", "scale_factor": 1}}.
    const std::string& name = type["name"].text();
    const Json& settings = type["configuration"];
    if (name == "numpy.datetime64" || name == "numpy.timedelta64") {
      const Json& factor = settings["scale_factor"];
      const std::string times = is_whole(factor) && factor.number() != 1 ? factor.text() : "";
      variable.type = element_of_name(name.substr(6) + "[" + times + settings["unit"].text() + "]");
    } else if (name == "fixed_length_utf32" && is_whole(settings["length_bytes"])) {
      description.wide_text = true;
      const double bytes = settings["length_bytes"].number();
      variable.type = {ElementKind::Text, bytes > 0 && bytes < 4e6 ? static_cast<std::uint32_t>(bytes) : 4, false,
                       "string"};
    } else if ((name == "null_terminated_bytes" || name == "raw_bytes") && is_whole(settings["length_bytes"])) {
      const double bytes = settings["length_bytes"].number();
      variable.type = {ElementKind::Text, bytes > 0 && bytes < 4e6 ? static_cast<std::uint32_t>(bytes) : 1, false,
                       "string"};
    } else {
      variable.type = element_of_name(name.empty() ? type.dump() : name);
    }
  }
  read_codecs(json["codecs"], description, path);
  const Json& keys = json["chunk_key_encoding"];
  description.with_c = keys["name"].text() != "v2";
  description.separator = description.with_c ? "/" : ".";
  if (keys["configuration"].has("separator")) description.separator = keys["configuration"]["separator"].text();
  variable.attributes = attributes_of(json["attributes"]);
  const Json& names = json["dimension_names"];
  if (names.is(Json::List) && names.list().size() == variable.shape.size()) {
    for (std::size_t axis = 0; axis < variable.shape.size(); ++axis) {
      const Json& name = names.list()[axis];
      variable.dimensions.push_back(name.is(Json::Text) ? name.text() : "dim_" + std::to_string(axis));
    }
  }
  variable.fill = fill_of(json["fill_value"], variable.type, path);
  finish(description, path);
  return description;
}

Description describe_2(const Json& json, const Json& attributes, const std::string& path) {
  Description description;
  Variable& variable = description.variable;
  variable.shape = extents_of(json["shape"], path, "shape", 0);
  description.object = extents_of(json["chunks"], path, "shape of chunks", 1);
  description.chain.order = same_order(variable.shape.size());
  if (json["order"].text() == "F") std::reverse(description.chain.order.begin(), description.chain.order.end());
  const Json& type = json["dtype"];
  variable.type = type.is(Json::Text) ? element_of_protocol(type.text(), description.wide_text)
                                      : ElementType{ElementKind::Other, 0, false, "records " + type.dump()};
  const auto add = [&](const Json& one) {
    if (one["id"].text() == "vlen-utf8") {
      description.chain.texts = true;
      return;
    }
    const std::string why = add_filter(one["id"].text(), one, description.chain.filters);
    if (!why.empty() && description.obstacle.empty()) description.obstacle = why;
  };
  for (const Json& one : json["filters"].list()) add(one);
  if (!json["compressor"].is(Json::Null)) add(json["compressor"]);
  description.with_c = false;
  description.separator = json.has("dimension_separator") ? json["dimension_separator"].text() : ".";
  variable.attributes = attributes_of(attributes);
  take_dimensions(variable, "_ARRAY_DIMENSIONS");
  const Json& fill = json["fill_value"];
  variable.fill = fill_of(fill, variable.type, path);
  // In stores of xarray the fill value is what stands for no value.
  if (!variable.dimensions.empty() && !fill.is(Json::Null) && variable.type.is_number() &&
      find_attribute(variable.attributes, "_FillValue") == nullptr) {
    variable.attributes.push_back(attribute_of("_FillValue", fill));
  }
  finish(description, path);
  return description;
}

}  // namespace weft::io::zarr
