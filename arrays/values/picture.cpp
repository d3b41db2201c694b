// An array and its chunks as a drawing.
#include <weft/ops/structure.hpp>

#include "arrays/expression/node.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace weft::arrays {
namespace {

/// Lines are drawn for so many chunks of an axis at most: more would be one dark field.
constexpr std::int64_t kMostLines = 50;
/// The oblique axis goes right and up by this part of its length.
constexpr double kSlant = 0.4;

struct Point {
  double x = 0;
  double y = 0;
};

/// One axis on the paper.
struct DrawnAxis {
  double length = 0;
  /// Where chunks begin and end, from 0 to length.
  std::vector<double> cuts;
  std::string label;
};

DrawnAxis draw_axis(const expression::AxisGrid& grid, double longest, double pixels) {
  DrawnAxis axis;
  const auto extent = static_cast<double>(std::max<std::int64_t>(0, grid.extent()));
  axis.label = grid.known() ? std::to_string(grid.extent()) : "?";
  // Long axes are shortened, so that short ones are seen beside them.
  const double part = longest > 0 && extent > 0 ? std::pow(extent / longest, 0.5) : 0.1;
  axis.length = pixels * std::max(0.1, part);
  axis.cuts = {0};
  const std::int64_t every = std::max<std::int64_t>(1, (grid.count() + kMostLines - 1) / kMostLines);
  for (std::int64_t piece = every; piece < grid.count(); piece += every) {
    const double share = grid.known() && extent > 0 ? static_cast<double>(grid.start(piece)) / extent
                                                    : static_cast<double>(piece) / static_cast<double>(grid.count());
    axis.cuts.push_back(share * axis.length);
  }
  axis.cuts.push_back(axis.length);
  return axis;
}

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

std::string line(Point from, Point to, bool edge) {
  return "  <line x1=\"" + number(from.x) + "\" y1=\"" + number(from.y) + "\" x2=\"" + number(to.x) + "\" y2=\"" +
         number(to.y) + "\" stroke=\"#3b5a6b\" stroke-width=\"" + (edge ? "2" : "1") + "\"/>\n";
}

std::string label(Point at, const std::string& text) {
  return "  <text x=\"" + number(at.x) + "\" y=\"" + number(at.y) +
         "\" font-size=\"13\" font-family=\"sans-serif\" text-anchor=\"middle\" fill=\"#333\">" + text + "</text>\n";
}

/// A face of chunks: lines at the cuts of both of its axes.
std::string face(Point corner, Point u, const DrawnAxis& along, Point v, const DrawnAxis& across) {
  const auto at = [&](double a, double b) { return Point{corner.x + a * u.x + b * v.x, corner.y + a * u.y + b * v.y}; };
  const auto point = [&](double a, double b) { return number(at(a, b).x) + "," + number(at(a, b).y) + " "; };
  std::string drawn = "  <polygon points=\"" + point(0, 0) + point(along.length, 0) +
                      point(along.length, across.length) + point(0, across.length) + "\" fill=\"#d9e8f0\"/>\n";
  for (const double cut : along.cuts) {
    drawn += line(at(cut, 0), at(cut, across.length), cut == 0 || cut == along.length);
  }
  for (const double cut : across.cuts) {
    drawn += line(at(0, cut), at(along.length, cut), cut == 0 || cut == across.length);
  }
  return drawn;
}

}  // namespace

std::string to_svg(const Array& array, double pixels) {
  const expression::Grid& all = array.node()->grid;
  const std::size_t shown = std::min<std::size_t>(3, all.size());
  expression::Grid grid(all.end() - static_cast<std::ptrdiff_t>(shown), all.end());
  while (grid.size() < 2) grid.insert(grid.begin(), expression::AxisGrid::whole(1));
  double longest = 1;
  for (const auto& axis : grid) longest = std::max(longest, static_cast<double>(axis.extent()));
  std::vector<DrawnAxis> axes;
  for (const auto& axis : grid) axes.push_back(draw_axis(axis, longest, pixels));
  constexpr double kMargin = 30;
  const DrawnAxis& columns = axes.back();
  const DrawnAxis& rows = axes[axes.size() - 2];
  const double slant = axes.size() == 3 ? axes[0].length * kSlant : 0;
  const Point corner{kMargin, kMargin + slant};
  std::string drawn = face(corner, {1, 0}, columns, {0, 1}, rows);
  if (axes.size() == 3) {
    drawn += face(corner, {1, 0}, columns, {kSlant, -kSlant}, axes[0]);
    drawn += face({corner.x + columns.length, corner.y}, {0, 1}, rows, {kSlant, -kSlant}, axes[0]);
    drawn +=
        label({corner.x + columns.length + slant / 2 + 16, corner.y + rows.length - slant / 2 + 14}, axes[0].label);
  }
  if (shown >= 1) drawn += label({corner.x + columns.length / 2, corner.y + rows.length + 18}, columns.label);
  if (shown >= 2) drawn += label({corner.x - 16, corner.y + rows.length / 2}, rows.label);
  std::string title = array.dtype().name() + " " + array.shape().text();
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(columns.length + slant + 2.5 * kMargin) +
         "\" height=\"" + number(rows.length + slant + 2 * kMargin) + "\">\n  <title>" + title + "</title>\n" + drawn +
         "</svg>\n";
}

}  // namespace weft::arrays
