// GRIB 1 and 2: the messages of a file, put together to variables over members, times, steps and levels.
#include "io/formats/format.hpp"
#include "io/grib/keys.hpp"
#include "io/grib/messages.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>
#include <tuple>
#include <utility>

namespace weft::io {
namespace {

using grib::Field;
using grib::FieldKeys;

const ElementType kFloat32{ElementKind::Float, 4, false, "float32"};
const ElementType kFloat64{ElementKind::Float, 8, false, "float64"};
const ElementType kInt64{ElementKind::Integer, 8, false, "int64"};

Attribute text(const char* name, const std::string& value) {
  Attribute attribute;
  attribute.name = name;
  attribute.type = {ElementKind::VariableText, 0, false, "string"};
  attribute.texts = {value};
  return attribute;
}

Attribute real(const char* name, double value) {
  Attribute attribute;
  attribute.name = name;
  attribute.type = kFloat64;
  attribute.reals = {value};
  return attribute;
}

Attribute whole(const char* name, std::int64_t value) {
  Attribute attribute;
  attribute.name = name;
  attribute.type = kInt64;
  attribute.integers = {value};
  return attribute;
}

/// Owns: the open file, what its messages say, and the labels of dimensions.  Threading: constant; any thread.
class GribFile final : public StoredFile {
 public:
  explicit GribFile(const std::string& path) : file_(path) {
    path_ = path;
    format_ = "GRIB";
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    if (!grib::has_eccodes()) {
      file_.fail("is GRIB, and this build of weft lacks ecCodes: install libeccodes-dev and build again");
    }
    fields_ = grib::find_fields(file_);
    keys_.reserve(fields_.size());
    for (const Field& field : fields_) keys_.push_back(keys_of(field));
    groups_.push_back({});
    groups_[0].attributes = {text("Conventions", "CF-1.7"), whole("GRIB_edition", fields_[0].edition),
                             text("GRIB_centre", keys_[0].centre)};
    gather();
    alike_.clear();
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    check_box(*this, one, start, extent);
    if (std::any_of(extent.begin(), extent.end(), [](std::int64_t e) { return e == 0; })) return;
    const Source& source = sources_[variable];
    if (!source.obstacle.empty()) file_.fail("'" + one.path + "' " + source.obstacle);
    if (source.outer == kLabels) {
      const std::vector<std::int64_t> from = packed_strides(one.shape, one.type.bytes);
      const std::byte* first = source.labels.data();
      for (std::size_t axis = 0; axis < from.size(); ++axis) first += start[axis] * from[axis];
      copy_box(out, strides.data(), first, from.data(), extent.data(), extent.size(), one.type.bytes);
      return;
    }
    read_fields(one, source, start, extent, out, strides);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    file_.fail("'" + variables_[variable].path + "' holds numbers, not text");
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    const Source& source = sources_[variable];
    std::uint64_t bytes = source.labels.size();
    for (const std::int32_t field : source.fields) {
      if (field >= 0) bytes += fields_[static_cast<std::size_t>(field)].data_section.bytes;
    }
    return bytes;
  }

 private:
  static constexpr std::size_t kLabels = ~std::size_t{0};

  /// Where a variable's values come from.
  struct Source {
    /// Axes that count fields; kLabels: the values are in `labels`.
    std::size_t outer = kLabels;
    std::vector<std::byte> labels;
    /// The field of each place of the outer axes; -1: there is none.
    std::vector<std::int32_t> fields;
    bool columns_first = false;
    std::string obstacle;
  };

  /// Asks ecCodes, which takes a millisecond, once for all fields that differ in nothing but their time.
  FieldKeys keys_of(const Field& field) {
    const grib::Likeness like = grib::likeness_of(field);
    if (const auto found = alike_.find(like.text); found != alike_.end()) {
      FieldKeys keys = found->second;
      keys.time = like.time;
      return keys;
    }
    const FieldKeys keys = grib::read_keys(path_, grib::message_of(file_, field, false));
    // Where ecCodes has the time otherwise, each is asked for.
    if (!like.text.empty() && keys.time == like.time) alike_.emplace(like.text, keys);
    return keys;
  }

  /// Fields that are one variable: the same quantity, kind of level and grid.
  using Kind = std::tuple<std::string, std::string, std::string, std::string>;

  void gather() {
    std::map<Kind, std::vector<std::int32_t>> kinds;
    std::vector<const Kind*> order;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const FieldKeys& key = keys_[i];
      const Kind kind{base_name(key), key.level_type, key.grid, key.step_type};
      const auto [found, fresh] = kinds.try_emplace(kind);
      if (fresh) order.push_back(&found->first);
      found->second.push_back(static_cast<std::int32_t>(i));
    }
    for (const Kind* const kind : order) add_variable(name_of(*kind, kinds), kinds.at(*kind));
  }

  static std::string base_name(const FieldKeys& key) {
    if (!key.name.empty()) return key.name;
    if (!key.short_name.empty()) return key.short_name;
    return "p" + std::to_string(key.parameter);
  }

  /// "t"; "t_isobaricInhPa" where other levels have it, too; then by the kind of step, and by number.
  std::string name_of(const Kind& kind, const std::map<Kind, std::vector<std::int32_t>>& kinds) const {
    bool levels = false, steps = false;
    for (const auto& [other, unused] : kinds) {
      if (std::get<0>(other) != std::get<0>(kind) || other == kind) continue;
      levels = levels || std::get<1>(other) != std::get<1>(kind);
      steps = steps || (std::get<1>(other) == std::get<1>(kind) && std::get<3>(other) != std::get<3>(kind));
    }
    std::string name = std::get<0>(kind);
    if (levels && !std::get<1>(kind).empty()) name += "_" + std::get<1>(kind);
    if (steps && !std::get<3>(kind).empty()) name += "_" + std::get<3>(kind);
    const std::string plain = name;
    for (int number = 2; has(name); ++number) name = plain + "_" + std::to_string(number);
    return name;
  }

  template <class T, class F>
  static std::vector<T> distinct(const std::vector<FieldKeys>& keys, const std::vector<std::int32_t>& fields, F value) {
    std::vector<T> values;
    for (const std::int32_t field : fields) values.push_back(value(keys[static_cast<std::size_t>(field)]));
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return values;
  }

  /// Returns the name of a dimension with these labels: another one of the same name gets a number.
  template <class T>
  std::string dimension(const std::string& wanted, const std::vector<T>& labels, const ElementType& type,
                        std::vector<Attribute> attributes) {
    std::vector<std::byte> bytes(labels.size() * sizeof(T));
    std::memcpy(bytes.data(), labels.data(), bytes.size());
    std::string name = wanted;
    for (int number = 2;; ++number) {
      if (!has(name)) break;
      if (sources_[find(name)].labels == bytes) return name;
      name = wanted + "_" + std::to_string(number);
    }
    groups_[0].dimensions.push_back({name, static_cast<std::int64_t>(labels.size()), false});
    add_labels(name, {name}, {static_cast<std::int64_t>(labels.size())}, std::move(bytes), type, std::move(attributes));
    return name;
  }

  void add_labels(const std::string& name, std::vector<std::string> dimensions, std::vector<std::int64_t> shape,
                  std::vector<std::byte> bytes, const ElementType& type, std::vector<Attribute> attributes) {
    Variable variable;
    variable.path = name;
    variable.type = type;
    variable.shape = std::move(shape);
    variable.dimensions = std::move(dimensions);
    variable.attributes = std::move(attributes);
    variable.fill.resize(type.bytes);
    variables_.push_back(std::move(variable));
    Source source;
    source.labels = std::move(bytes);
    sources_.push_back(std::move(source));
  }

  void add_variable(const std::string& name, const std::vector<std::int32_t>& fields) {
    const FieldKeys& first = keys_[static_cast<std::size_t>(fields[0])];
    const auto members = distinct<std::int64_t>(keys_, fields, [](const FieldKeys& key) { return key.member; });
    const auto times = distinct<std::int64_t>(keys_, fields, [](const FieldKeys& key) { return key.time; });
    const auto steps = distinct<double>(keys_, fields, [](const FieldKeys& key) { return key.step_hours; });
    auto levels = distinct<double>(keys_, fields, [](const FieldKeys& key) { return key.level; });
    // Pressure falls with height: the ground comes first.
    const bool pressure = first.level_type.rfind("isobaric", 0) == 0;
    if (pressure) std::reverse(levels.begin(), levels.end());
    Variable variable;
    variable.type = kFloat32;
    const auto axis = [&](const std::string& dimension_name, std::size_t extent) {
      variable.dimensions.push_back(dimension_name);
      variable.shape.push_back(static_cast<std::int64_t>(extent));
    };
    const bool over_members = members.size() > 1, over_steps = steps.size() > 1, over_levels = levels.size() > 1;
    if (over_members) {
      axis(dimension("number", members, kInt64,
                     {text("long_name", "ensemble member numerical id"), text("standard_name", "realization"),
                      text("units", "1")}),
           members.size());
    }
    axis(dimension("time", times, kInt64,
                   {text("long_name", "initial time of forecast"), text("standard_name", "forecast_reference_time"),
                    text("units", "seconds since 1970-01-01T00:00:00"), text("calendar", "proleptic_gregorian")}),
         times.size());
    if (over_steps) {
      axis(dimension("step", steps, kFloat64,
                     {text("long_name", "time since forecast_reference_time"), text("standard_name", "forecast_period"),
                      text("units", "hours")}),
           steps.size());
    }
    const std::string level_name = first.level_type.empty() ? "level" : first.level_type;
    if (over_levels) {
      std::vector<Attribute> attributes = {text("long_name", level_name)};
      if (pressure) {
        attributes.push_back(text("units", first.level_type == "isobaricInPa" ? "Pa" : "hPa"));
        attributes.push_back(text("positive", "down"));
      }
      axis(dimension(level_name, levels, kFloat64, attributes), levels.size());
    }
    Source source;
    source.outer = variable.shape.size();
    source.columns_first = first.columns_first;
    if (first.alternating) source.obstacle = "has rows that run to and fro, which weft does not read";
    const auto count = static_cast<std::size_t>(
        std::accumulate(variable.shape.begin(), variable.shape.end(), std::int64_t{1}, std::multiplies<>()));
    source.fields.assign(count, -1);
    const auto index = [](const auto& values, auto value) {
      return static_cast<std::size_t>(std::find(values.begin(), values.end(), value) - values.begin());
    };
    for (const std::int32_t field : fields) {
      const FieldKeys& key = keys_[static_cast<std::size_t>(field)];
      std::size_t place = over_members ? index(members, key.member) : 0;
      place = place * times.size() + index(times, key.time);
      if (over_steps) place = place * steps.size() + index(steps, key.step_hours);
      if (over_levels) place = place * levels.size() + index(levels, key.level);
      // The first of two messages that say the same.
      if (source.fields[place] < 0) source.fields[place] = field;
    }
    variable.chunk.assign(source.outer, 1);
    add_grid(fields[0], variable);
    variable.attributes = describe(first);
    if (!over_steps) variable.attributes.push_back(real("GRIB_step_hours", steps[0]));
    if (!over_levels && !first.level_type.empty()) variable.attributes.push_back(real("GRIB_level", levels[0]));
    variable.path = name;
    const float none = std::numeric_limits<float>::quiet_NaN();
    variable.fill.resize(4);
    std::memcpy(variable.fill.data(), &none, 4);
    variables_.push_back(std::move(variable));
    sources_.push_back(std::move(source));
  }

  static std::vector<Attribute> describe(const FieldKeys& key) {
    std::vector<Attribute> attributes;
    const auto add = [&](const char* name, const std::string& value) {
      if (!value.empty()) attributes.push_back(text(name, value));
    };
    add("units", key.units);
    add("long_name", key.long_name);
    add("standard_name", key.standard_name);
    attributes.push_back(whole("GRIB_paramId", key.parameter));
    add("GRIB_shortName", key.short_name);
    add("GRIB_typeOfLevel", key.level_type);
    add("GRIB_stepType", key.step_type);
    add("GRIB_gridType", key.grid_type);
    return attributes;
  }

  /// The axes of the grid, and where its points lie.
  void add_grid(std::int32_t field, Variable& variable) {
    const FieldKeys& key = keys_[static_cast<std::size_t>(field)];
    const std::vector<Attribute> north = {text("units", "degrees_north"), text("standard_name", "latitude"),
                                          text("long_name", "latitude")};
    const std::vector<Attribute> east = {text("units", "degrees_east"), text("standard_name", "longitude"),
                                         text("long_name", "longitude")};
    const bool straight = key.rows > 0 && (key.grid_type == "regular_ll" || key.grid_type == "regular_gg");
    const auto [known, first_of_grid] = places_.try_emplace(key.grid);
    auto& [latitudes, longitudes] = known->second;
    if (first_of_grid) {
      grib::read_places(path_, grib::message_of(file_, fields_[static_cast<std::size_t>(field)], true), straight,
                        latitudes, longitudes);
    }
    // Edition 1 does not tell the points of a reduced grid.
    std::int64_t points = key.points;
    if (straight) {
      if (static_cast<std::int64_t>(latitudes.size()) != key.rows ||
          static_cast<std::int64_t>(longitudes.size()) != key.columns) {
        file_.fail("has a grid whose rows and columns are not what it says: it is damaged");
      }
      variable.dimensions.push_back(dimension("latitude", latitudes, kFloat64, north));
      variable.dimensions.push_back(dimension("longitude", longitudes, kFloat64, east));
    } else {
      points = key.points == 0 ? static_cast<std::int64_t>(latitudes.size()) : key.points;
      if (static_cast<std::int64_t>(latitudes.size()) != points) {
        file_.fail("has a grid of " + std::to_string(latitudes.size()) + " points that says it has " +
                   std::to_string(key.points));
      }
      const auto [found, fresh] = grids_.try_emplace(key.grid, grids_.size());
      const std::string ending = found->second == 0 ? "" : "_" + std::to_string(found->second + 1);
      std::vector<std::string> names = key.rows > 0 ? std::vector<std::string>{"y" + ending, "x" + ending}
                                                    : std::vector<std::string>{"values" + ending};
      const std::vector<std::int64_t> shape =
          key.rows > 0 ? std::vector<std::int64_t>{key.rows, key.columns} : std::vector<std::int64_t>{points};
      if (fresh) {
        for (std::size_t axis = 0; axis < names.size(); ++axis)
          groups_[0].dimensions.push_back({names[axis], shape[axis], false});
        const auto bytes_of = [](const std::vector<double>& values) {
          const auto bytes = std::as_bytes(std::span(values));
          return std::vector<std::byte>(bytes.begin(), bytes.end());
        };
        add_labels("latitude" + ending, names, shape, bytes_of(latitudes), kFloat64, north);
        add_labels("longitude" + ending, names, shape, bytes_of(longitudes), kFloat64, east);
      }
      variable.dimensions.insert(variable.dimensions.end(), names.begin(), names.end());
    }
    if (key.rows > 0) {
      variable.shape.insert(variable.shape.end(), {key.rows, key.columns});
      variable.chunk.insert(variable.chunk.end(), {key.rows, key.columns});
    } else {
      variable.shape.push_back(points);
      variable.chunk.push_back(points);
    }
  }

  void read_fields(const Variable& one, const Source& source, const std::vector<std::int64_t>& start,
                   const std::vector<std::int64_t>& extent, std::byte* out,
                   const std::vector<std::int64_t>& strides) const {
    const std::size_t outer = source.outer;
    const std::size_t inner = one.shape.size() - outer;
    const std::vector<std::int64_t> grid(one.shape.begin() + static_cast<std::ptrdiff_t>(outer), one.shape.end());
    std::vector<std::int64_t> from = packed_strides(grid, 4);
    if (source.columns_first && inner == 2) from = {4, 4 * grid[0]};
    std::uint64_t points = 1;
    for (const std::int64_t e : grid) points *= static_cast<std::uint64_t>(e);
    std::int64_t inside = 0;
    for (std::size_t k = 0; k < inner; ++k) inside += start[outer + k] * from[k];
    thread_local std::vector<float> values;
    values.resize(points);
    std::vector<std::int64_t> at(outer, 0);
    for (;;) {
      std::int64_t place = 0;
      std::byte* to = out;
      for (std::size_t axis = 0; axis < outer; ++axis) {
        place = place * one.shape[axis] + start[axis] + at[axis];
        to += at[axis] * strides[axis];
      }
      const std::int32_t field = source.fields[static_cast<std::size_t>(place)];
      if (field < 0) {
        fill_box(to, strides.data() + outer, extent.data() + outer, inner, one.fill.data(), 4);
      } else {
        unpack(fields_[static_cast<std::size_t>(field)], points, values.data());
        copy_box(to, strides.data() + outer, reinterpret_cast<const std::byte*>(values.data()) + inside, from.data(),
                 extent.data() + outer, inner, 4);
      }
      std::size_t axis = outer;
      for (;;) {
        if (axis-- == 0) return;
        if (++at[axis] < extent[axis]) break;
        at[axis] = 0;
      }
    }
  }

  void unpack(const Field& field, std::uint64_t points, float* out) const {
    if (field.simple) return grib::unpack_simple(file_, field, points, out);
    grib::unpack(path_, grib::message_of(file_, field, true), points, out);
  }

  OpenFile file_;
  std::vector<Field> fields_;
  std::vector<FieldKeys> keys_;
  std::map<std::string, FieldKeys> alike_;
  std::vector<Source> sources_;
  std::map<std::string, std::size_t> grids_;
  /// Latitudes and longitudes of each grid, read once.
  std::map<std::string, std::pair<std::vector<double>, std::vector<double>>> places_;
};

bool probe_grib(std::span<const std::byte> head) {
  for (std::size_t i = 0; i + 8 <= head.size() && i < 512; ++i) {
    const auto edition = static_cast<int>(head[i + 7]);
    if (std::memcmp(head.data() + i, "GRIB", 4) == 0 && (edition == 1 || edition == 2)) return true;
  }
  return false;
}

std::shared_ptr<const StoredFile> open_grib(const std::string& path) { return std::make_shared<GribFile>(path); }

}  // namespace

const Format kGrib{"GRIB", probe_grib, open_grib};

}  // namespace weft::io
