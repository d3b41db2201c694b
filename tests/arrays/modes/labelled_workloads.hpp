#pragma once

#include <weft/weft.hpp>

#include <weft/labelled.hpp>

#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <string>

/// Operations of arrays with labels, for modes_job.
namespace weft {

/// The square array as the globe.
inline LabelledArray globe(const Array& x) {
  const std::string n = std::to_string(x.shape()[0]);
  const LatLonGrid grid = LatLonGrid::named("r" + n + "x" + n);
  return {x,
          {"lat", "lon"},
          {{"lat", Coordinate::of_numbers("lat", grid.lat())}, {"lon", Coordinate::of_numbers("lon", grid.lon())}}};
}

/// As days of some years, at many places.
inline LabelledArray days(const Array& x) {
  io::Attribute units;
  units.name = "units";
  units.type.kind = io::ElementKind::VariableText;
  units.texts = {"days since 2001-01-01"};
  std::vector<double> labels;
  for (std::int64_t i = 0; i < x.shape()[0]; ++i) labels.push_back(static_cast<double>(i));
  return {x, {"time", "place"}, {{"time", Coordinate::of_numbers("time", labels, {units})}}};
}

inline LatLonGrid grid_for(const Array& x) {
  return LatLonGrid::named("r" + std::to_string(x.shape()[0] * 2 / 3) + "x" + std::to_string(x.shape()[0] / 4));
}

/// Points that wander over the globe; 420 x 420 of them at most.
inline Array swath(const Array& x) {
  const std::int64_t n = std::min<std::int64_t>(420, x.shape()[0]);
  std::vector<double> lat, lon;
  for (std::int64_t i = 0; i < n * n; ++i) {
    lat.push_back(std::sin(static_cast<double>(i / n) * 0.01) * 80 + static_cast<double>(i % n) * 0.01);
    lon.push_back(static_cast<double>(i / n) * 0.3 + static_cast<double>(i % n) * 0.05);
  }
  return LabelledArray(x(slice(0, n), slice(0, n)), {"y", "x"})
      .regrid_points({"y", "x"}, NDArray::of(lat, {n, n}), NDArray::of(lon, {n, n}), grid_for(x),
                     {.max_distance_km = 300})
      .data();
}

inline LabelledArray cosines(const LabelledArray& field) {
  std::vector<double> weights;
  for (const double lat : field.coordinates().at("lat").numbers())
    weights.push_back(std::cos(lat * std::numbers::pi / 180));
  return {from(std::move(weights)), {"lat"}, {{"lat", field.coordinates().at("lat")}}};
}

inline void add_labelled_workloads(std::map<std::string, std::function<Array(const Array&)>>& to) {
  to["rolling"] = [](const Array& x) {
    return days(x).rolling("time", 30, {.center = true, .min_periods = 1}).std().data();
  };
  to["coarsen"] = [](const Array& x) {
    return globe(x).coarsen({{"lat", 3}, {"lon", 5}}, {.excess = Excess::Trim}).max().data();
  };
  to["resample"] = [](const Array& x) { return days(x).resample("time", "1M").mean().data(); };
  to["by-month"] = [](const Array& x) { return days(x).groupby("time.month").var().data(); };
  to["weighted"] = [](const Array& x) { return globe(x).weighted(cosines(globe(x))).mean({"lat", "lon"}).data(); };
  to["weighted-quantile"] = [](const Array& x) {
    return globe(x).weighted(cosines(globe(x))).quantile({0.1, 0.5}, {"lat"}).data();
  };
  to["rank"] = [](const Array& x) { return days(x).rank("time").data()(slice(none, none, 7)); };
  to["gaps"] = [](const Array& x) {
    return days(x).where(days(x) > 0.2).ffill("time").shift("time", 3).cumsum("time").data();
  };
  to["interp"] = [](const Array& x) { return days(x).interp("time", {0.5, 17.25, 18, 100.75}).data(); };
  to["stacked"] = [](const Array& x) { return globe(x).stack("all", {"lon", "lat"}).data()(slice(none, none, 11)); };
  for (const std::string method : {"nearest", "bilinear", "conservative"}) {
    to["regrid-" + method] = [method](const Array& x) {
      return globe(x).regrid(grid_for(x), {.method = method}).data();
    };
  }
  to["swath"] = &swath;
}

}  // namespace weft
