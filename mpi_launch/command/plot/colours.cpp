#include "mpi_launch/command/plot/colours.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace weft::command::plot {
namespace {

// At equal distances; lightness rises evenly, so that the order shows without colours, too.
constexpr Colour kDusk[] = {{30, 20, 70},   {45, 45, 115},  {45, 80, 145},  {40, 115, 150}, {45, 148, 145},
                            {70, 180, 125}, {125, 205, 95}, {190, 222, 80}, {250, 235, 95}};
constexpr Colour kBalance[] = {{25, 50, 120},   {45, 105, 180},  {120, 170, 215}, {195, 215, 235}, {247, 247, 247},
                               {240, 205, 185}, {225, 145, 115}, {190, 65, 60},   {115, 15, 40}};
constexpr Colour kGrey[] = {{0, 0, 0}, {255, 255, 255}};

Colour between(std::span<const Colour> colours, double share) {
  const double place = std::clamp(share, 0.0, 1.0) * static_cast<double>(colours.size() - 1);
  const std::size_t low = std::min(static_cast<std::size_t>(place), colours.size() - 2);
  const double rest = place - static_cast<double>(low);
  const auto mix = [rest](std::uint8_t a, std::uint8_t b) {
    return static_cast<std::uint8_t>(std::lround(a + (b - a) * rest));
  };
  const Colour &a = colours[low], &b = colours[low + 1];
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

constexpr ColourMap kMaps[] = {{"dusk", [](double share) { return between(kDusk, share); }},
                               {"balance", [](double share) { return between(kBalance, share); }},
                               {"grey", [](double share) { return between(kGrey, share); }}};

}  // namespace

const ColourMap* colour_map(std::string_view name) {
  for (const ColourMap& one : kMaps) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

std::string colour_map_names() {
  std::string names;
  for (const ColourMap& one : kMaps) names += (names.empty() ? "" : ", ") + std::string(one.name);
  return names;
}

}  // namespace weft::command::plot
