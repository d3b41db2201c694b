// `weft sample`: a folder of NetCDF files to try the other verbs on.
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/storage_writer.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <numbers>

namespace weft::command::data {
namespace {

constexpr std::int64_t kLatitudes = 73, kLongitudes = 144;
constexpr int kFirstYear = 2001;

bool leap(int year) { return year % 4 == 0; }

/// A number from -1 to 1 that looks like chance and is the same everywhere.
double noise(std::uint64_t number) {
  number = (number ^ number >> 31) * 0x9e3779b97f4a7c15u;
  number = (number ^ number >> 29) * 0xbf58476d1ce4e5b9u;
  return static_cast<double>((number ^ number >> 32) >> 11) / 4503599627370496.0 - 1;
}

/// The temperature of a day: warm at the equator, seasons away from it, weather everywhere.
void fill_day(std::int64_t day, float* out) {
  const double season = std::cos(2 * std::numbers::pi * (static_cast<double>(day) - 200) / 365.25);
  for (std::int64_t y = 0; y < kLatitudes; ++y) {
    const double lat = std::numbers::pi * (static_cast<double>(y) / (kLatitudes - 1) - 0.5);
    const double mean = 301 - 45 * std::sin(lat) * std::sin(lat) + 15 * season * std::sin(lat);
    for (std::int64_t x = 0; x < kLongitudes; ++x) {
      const auto number = static_cast<std::uint64_t>((day * kLatitudes + y) * kLongitudes + x);
      out[y * kLongitudes + x] = static_cast<float>(std::round((mean + 4 * noise(number)) * 100) / 100);
    }
  }
}

io::NewVariable labels(const char* name, const char* units) {
  io::NewVariable out;
  out.name = name;
  out.type = {io::ElementKind::Float, 8, false, "float64"};
  out.dimensions = {name};
  out.deflate = 0;
  out.attributes = {io::text_attribute("units", units)};
  return out;
}

void write_numbers(io::NetcdfWriter& writer, const char* name, const std::vector<double>& values) {
  writer.write(name, {0}, {std::ssize(values)}, reinterpret_cast<const std::byte*>(values.data()));
}

void write_year(const std::string& path, int year, std::int64_t first_day, bool overwrite) {
  const std::int64_t days = leap(year) ? 366 : 365;
  io::NetcdfWriter writer(path, overwrite);
  writer.attribute(io::text_attribute("Conventions", "CF-1.8"));
  writer.attribute(io::text_attribute("title", "made by weft sample"));
  writer.dimension("time", days);
  writer.dimension("lat", kLatitudes);
  writer.dimension("lon", kLongitudes);
  writer.variable(labels("time", "days since 2001-01-01"));
  writer.variable(labels("lat", "degrees_north"));
  writer.variable(labels("lon", "degrees_east"));
  io::NewVariable tas;
  tas.name = "tas";
  tas.type = {io::ElementKind::Float, 4, false, "float32"};
  tas.dimensions = {"time", "lat", "lon"};
  tas.chunk = {30, kLatitudes, kLongitudes};
  tas.deflate = 1;
  tas.fill = 1e20;
  tas.attributes = {io::text_attribute("units", "K"), io::text_attribute("long_name", "air temperature")};
  writer.variable(tas);
  std::vector<double> time, lat, lon;
  for (std::int64_t i = 0; i < days; ++i) time.push_back(static_cast<double>(first_day + i));
  for (std::int64_t i = 0; i < kLatitudes; ++i) lat.push_back(static_cast<double>(i) * 2.5 - 90);
  for (std::int64_t i = 0; i < kLongitudes; ++i) lon.push_back(static_cast<double>(i) * 2.5);
  write_numbers(writer, "time", time);
  write_numbers(writer, "lat", lat);
  write_numbers(writer, "lon", lon);
  constexpr std::int64_t kDays = 30;
  std::vector<float> values(kDays * kLatitudes * kLongitudes);
  for (std::int64_t day = 0; day < days; day += kDays) {
    const std::int64_t some = std::min(kDays, days - day);
    for (std::int64_t i = 0; i < some; ++i) {
      fill_day(first_day + day + i, values.data() + i * kLatitudes * kLongitudes);
    }
    writer.write("tas", {day, 0, 0}, {some, kLatitudes, kLongitudes},
                 reinterpret_cast<const std::byte*>(values.data()));
  }
  writer.finish();
}

}  // namespace

int run_sample(const Given& given) {
  const double years = given.number("years", 4);
  if (!(years >= 1 && years <= 90)) throw UsageError("weft sample: --years takes a number from 1 to 90");
  const std::string folder = given.words()[0];
  if (given.dry_run()) {
    DryRun plan;
    plan.files = static_cast<std::size_t>(years);
    plan.output_bytes = plan.files * 365 * kLatitudes * kLongitudes * sizeof(float);
    return tell(given, plan);
  }
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw Error("'" + folder + "' cannot be made: " + error.message());
  std::int64_t day = 0;
  for (int year = kFirstYear; year < kFirstYear + static_cast<int>(years); ++year) {
    const std::string path = folder + "/tas_" + std::to_string(year) + ".nc";
    write_year(path, year, day, given.has("overwrite"));
    day += leap(year) ? 366 : 365;
    if (!given.quiet()) std::fprintf(stderr, "weft sample: wrote %s\n", path.c_str());
  }
  return 0;
}

}  // namespace weft::command::data
