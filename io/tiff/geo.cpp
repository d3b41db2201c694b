// GeoTIFF: where pictures lie on the earth.
#include "io/tiff/pages.hpp"

#include <map>

namespace weft::io::tiff {
namespace {

Attribute attribute(const std::string& name, ElementKind kind) {
  Attribute one;
  one.name = name;
  one.type = kind == ElementKind::Float     ? ElementType{kind, 8, false, "float64"}
             : kind == ElementKind::Integer ? ElementType{kind, 8, false, "int64"}
                                            : ElementType{ElementKind::VariableText, 0, false, "string"};
  return one;
}

}  // namespace

std::string name_of_geokey(std::uint16_t key) {
  static const std::map<std::uint16_t, std::string> kNames = {
      {1024, "GTModelTypeGeoKey"},        {1025, "GTRasterTypeGeoKey"},
      {1026, "GTCitationGeoKey"},         {2048, "GeographicTypeGeoKey"},
      {2049, "GeogCitationGeoKey"},       {2050, "GeogGeodeticDatumGeoKey"},
      {2051, "GeogPrimeMeridianGeoKey"},  {2052, "GeogLinearUnitsGeoKey"},
      {2054, "GeogAngularUnitsGeoKey"},   {2056, "GeogEllipsoidGeoKey"},
      {2057, "GeogSemiMajorAxisGeoKey"},  {2058, "GeogSemiMinorAxisGeoKey"},
      {2059, "GeogInvFlatteningGeoKey"},  {2061, "GeogPrimeMeridianLongGeoKey"},
      {3072, "ProjectedCSTypeGeoKey"},    {3073, "PCSCitationGeoKey"},
      {3074, "ProjectionGeoKey"},         {3075, "ProjCoordTransGeoKey"},
      {3076, "ProjLinearUnitsGeoKey"},    {3078, "ProjStdParallel1GeoKey"},
      {3079, "ProjStdParallel2GeoKey"},   {3080, "ProjNatOriginLongGeoKey"},
      {3081, "ProjNatOriginLatGeoKey"},   {3082, "ProjFalseEastingGeoKey"},
      {3083, "ProjFalseNorthingGeoKey"},  {3084, "ProjFalseOriginLongGeoKey"},
      {3085, "ProjFalseOriginLatGeoKey"}, {3088, "ProjCenterLongGeoKey"},
      {3089, "ProjCenterLatGeoKey"},      {3092, "ProjScaleAtNatOriginGeoKey"},
      {4096, "VerticalCSTypeGeoKey"},     {4097, "VerticalCitationGeoKey"},
      {4099, "VerticalUnitsGeoKey"}};
  const auto found = kNames.find(key);
  return found != kNames.end() ? found->second : "GeoKey_" + std::to_string(key);
}

void add_geokeys(const std::vector<std::uint64_t>& directory, const std::vector<double>& doubles,
                 const std::string& texts, std::vector<Attribute>& attributes) {
  constexpr std::uint64_t kDoubles = 34736, kTexts = 34737, kOwn = 32767;
  std::uint64_t system = 0;
  for (std::size_t i = 4; i + 4 <= directory.size(); i += 4) {
    const auto key = static_cast<std::uint16_t>(directory[i]);
    const std::uint64_t where = directory[i + 1], count = directory[i + 2], value = directory[i + 3];
    if (where == 0) {
      Attribute one = attribute(name_of_geokey(key), ElementKind::Integer);
      one.integers = {static_cast<std::int64_t>(value)};
      attributes.push_back(std::move(one));
      // A projected system says more than the geographic one below it.
      if ((key == 3072 || (key == 2048 && system == 0)) && value != 0 && value != kOwn) system = value;
    } else if (where == kDoubles && value <= doubles.size() && count <= doubles.size() - value) {
      Attribute one = attribute(name_of_geokey(key), ElementKind::Float);
      const auto first = doubles.begin() + static_cast<std::ptrdiff_t>(value);
      one.reals.assign(first, first + static_cast<std::ptrdiff_t>(count));
      if (count != 1) one.shape = {static_cast<std::int64_t>(count)};
      attributes.push_back(std::move(one));
    } else if (where == kTexts && value <= texts.size()) {
      Attribute one = attribute(name_of_geokey(key), ElementKind::VariableText);
      std::string text = texts.substr(value, count);
      // Texts lie one behind the other with a bar between.
      while (!text.empty() && (text.back() == '|' || text.back() == '\0')) text.pop_back();
      one.texts = {std::move(text)};
      attributes.push_back(std::move(one));
    }
  }
  if (system == 0) return;
  Attribute crs = attribute("crs", ElementKind::VariableText);
  crs.texts = {"EPSG:" + std::to_string(system)};
  attributes.push_back(std::move(crs));
}

}  // namespace weft::io::tiff
