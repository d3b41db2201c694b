// A variable as pictures of a TIFF file.
#include "mpi_launch/command/data/picture.hpp"

#include <weft/arrays.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <optional>
#include <utility>

namespace weft::command::data {
namespace {

/// The first label and the step, where all are evenly apart.
std::optional<std::pair<double, double>> even_labels(const std::map<std::string, Coordinate>& labels,
                                                     const std::string& dim) {
  const auto found = labels.find(dim);
  if (found == labels.end() || found->second.numbers().size() < 2) return {};
  const std::vector<double>& values = found->second.numbers();
  const auto last = static_cast<double>(values.size() - 1);
  const double step = (values.back() - values.front()) / last;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(std::fabs(values[i] - (values.front() + static_cast<double>(i) * step)) <= 1e-4 * std::fabs(step))) return {};
  }
  if (step == 0 || !std::isfinite(step)) return {};
  return std::pair(values.front(), step);
}

io::Attribute numbers(std::string name, std::vector<double> values) {
  io::Attribute one = io::number_attribute(std::move(name), 0);
  one.shape = {std::ssize(values)};
  one.reals = std::move(values);
  return one;
}

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
}

std::string number_text(double value) {
  char words[40];
  std::snprintf(words, sizeof words, "%.17g", value);
  return words;
}

}  // namespace

Picture picture_of(const std::string& path, const LabelledArray& source, const arrays::Array& values,
                   const std::map<std::string, Coordinate>& labels) {
  Picture out;
  out.array = values;
  std::vector<std::string> dims = source.dims();
  if (dims.size() < 2 || dims.size() > 4) {
    throw Error("'" + path + "': '" + source.name() + "' has " + std::to_string(dims.size()) +
                " dimensions; pictures have rows and columns, with pages before and bands behind: --isel takes places "
                "of the others");
  }
  // Bands in front become bands of each pixel.
  const auto band = std::find(dims.begin(), dims.end() - 2, "band");
  if (band != dims.end() - 2) {
    std::vector<int> order(dims.size());
    std::iota(order.begin(), order.end(), 0);
    const auto place = band - dims.begin();
    std::rotate(order.begin() + place, order.begin() + place + 1, order.end());
    out.array = arrays::transpose(values, order);
    std::rotate(dims.begin() + place, dims.begin() + place + 1, dims.end());
  }
  out.with_bands = dims.size() > 2 && dims.back() == "band";
  const std::size_t columns = dims.size() - (out.with_bands ? 2 : 1);
  if (columns > 2) {
    throw Error("'" + path + "': '" + source.name() +
                "' has more dimensions than pages, rows, columns and bands: "
                "--isel takes places of them");
  }
  const auto x = even_labels(labels, dims[columns]), y = even_labels(labels, dims[columns - 1]);
  if (!x || !y) return out;
  out.mapped = true;
  std::tie(out.first_x, out.step_x) = *x;
  std::tie(out.first_y, out.step_y) = *y;
  out.degrees = is_one_of(dims[columns], {"lon", "longitude"}) && is_one_of(dims[columns - 1], {"lat", "latitude"});
  return out;
}

std::vector<io::Attribute> picture_attributes(const std::vector<io::Attribute>& attributes, const Encoding& encoding,
                                              const std::vector<io::Attribute>& of_file, const Picture& picture) {
  std::vector<io::Attribute> out;
  const auto keep = [&](const char* name) {
    for (const std::vector<io::Attribute>* all : {&attributes, &of_file}) {
      const io::Attribute* const found = io::find_attribute(*all, name);
      if (found == nullptr) continue;
      out.push_back(*found);
      return;
    }
  };
  for (const char* const name : {"ImageDescription", "GeoKeyDirectory", "GeoDoubleParams", "GeoAsciiParams"})
    keep(name);
  const io::Attribute* const kind = io::find_attribute(attributes, "GTRasterTypeGeoKey");
  const bool centred = kind != nullptr && !kind->integers.empty() && kind->integers[0] == 2;
  if (picture.mapped) {
    const double half = centred ? 0 : 0.5;
    const double left = picture.first_x - half * picture.step_x, top = picture.first_y - half * picture.step_y;
    if (picture.step_x > 0 && picture.step_y < 0) {
      out.push_back(numbers("ModelPixelScale", {picture.step_x, -picture.step_y, 0}));
      out.push_back(numbers("ModelTiepoint", {0, 0, 0, left, top, 0}));
    } else {
      out.push_back(numbers("ModelTransformation",
                            {picture.step_x, 0, 0, left, 0, picture.step_y, 0, top, 0, 0, 0, 0, 0, 0, 0, 1}));
    }
    if (picture.degrees && io::find_attribute(out, "GeoKeyDirectory") == nullptr) {
      // Geographic, pixels are areas, WGS 84.
      io::Attribute keys = numbers("GeoKeyDirectory", {});
      keys.integers = {1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 1, 2048, 0, 1, 4326};
      out.push_back(std::move(keys));
    }
  }
  if (encoding.fill) out.push_back(io::number_attribute("_FillValue", *encoding.fill));
  if (encoding.packed) {
    const auto item = [](const char* name, const char* role, double value) {
      return std::string("  <Item name=\"") + name + "\" sample=\"0\" role=\"" + role + "\">" + number_text(value) +
             "</Item>\n";
    };
    out.push_back(io::text_attribute("GDAL_METADATA", "<GDALMetadata>\n" + item("OFFSET", "offset", encoding.offset) +
                                                          item("SCALE", "scale", encoding.scale) +
                                                          "</GDALMetadata>\n"));
  }
  return out;
}

}  // namespace weft::command::data
