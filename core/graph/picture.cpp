#include <weft/picture.hpp>

#include "core/diagnostics/write_file.hpp"
#include "core/graph/drawing.hpp"

#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <system_error>

namespace weft {
namespace {

constexpr double kMargin = 24;
constexpr double kLegendLine = 20;
constexpr std::size_t kMostInLegend = 16;

std::string for_dot(const std::string& text) {
  std::string safe;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') safe += '\\';
    if (letter == '\n') {
      safe += "\\n";
    } else {
      safe += letter;
    }
  }
  return safe;
}

void add_legend(const Drawing& drawing, std::string& svg) {
  double y = kMargin;
  if (!drawing.title.empty()) {
    svg += fmt::format("<text class=\"title\" x=\"{}\" y=\"{}\">{}</text>\n", kMargin, y + 6, html_text(drawing.title));
    y += kLegendLine + 8;
  }
  std::size_t shown = 0;
  std::size_t left_out = 0;
  for (std::uint32_t group = 0; group < drawing.groups.size(); ++group) {
    if (drawing.groups[group].tasks == 0) continue;
    if (++shown > kMostInLegend) {
      ++left_out;
      continue;
    }
    svg += fmt::format(
        "<rect class=\"key\" x=\"{}\" y=\"{}\" width=\"14\" height=\"14\" fill=\"{}\"/>"
        "<text class=\"legend\" x=\"{}\" y=\"{}\">{} ({})</text>\n",
        kMargin, y - 4, fill_of(drawing, group), kMargin + 22, y + 8, html_text(drawing.groups[group].name),
        drawing.groups[group].tasks);
    y += kLegendLine;
  }
  if (left_out != 0) {
    svg += fmt::format("<text class=\"legend\" x=\"{}\" y=\"{}\">and {} more</text>\n", kMargin + 22, y + 8, left_out);
  }
}

double legend_height(const Drawing& drawing) {
  const auto groups = static_cast<std::size_t>(std::count_if(
      drawing.groups.begin(), drawing.groups.end(), [](const Drawing::Group& group) { return group.tasks != 0; }));
  const double lines = static_cast<double>(std::min(groups, kMostInLegend + 1));
  return lines * kLegendLine + (drawing.title.empty() ? 0 : kLegendLine + 8) + 12;
}

/// Writes an arrow that leaves a box at its lower edge and comes to the next at its upper one.
std::string path_of(const std::vector<Layout::Point>& route, const Layout& layout, const Drawing::Arrow& arrow) {
  const double half = Layout::kBoxHeight / 2;
  if (arrow.from == arrow.to) {
    const double x = route.front().x + layout.widths[arrow.from] / 2;
    const double y = route.front().y;
    return fmt::format("M{:.1f},{:.1f} C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", x, y + 6, x + 28, y + 20, x + 28,
                       y - 20, x, y - 6);
  }
  const bool upwards = route.back().y <= route.front().y;
  Layout::Point at{route.front().x, route.front().y + (upwards ? -half : half)};
  std::string path = fmt::format("M{:.1f},{:.1f}", at.x, at.y);
  for (std::size_t i = 1; i < route.size(); ++i) {
    const bool last = i + 1 == route.size();
    const Layout::Point to{route[i].x, route[i].y + (!last ? 0 : upwards ? half + 4 : -half - 4)};
    const double middle = (at.y + to.y) / 2;
    path += fmt::format(" C{:.1f},{:.1f} {:.1f},{:.1f} {:.1f},{:.1f}", at.x, middle, to.x, middle, to.x, to.y);
    at = to;
  }
  return path;
}

void add_arrows(const Drawing& drawing, const Layout& layout, std::string& svg) {
  for (std::size_t a = 0; a < drawing.arrows.size(); ++a) {
    const Drawing::Arrow& arrow = drawing.arrows[a];
    svg += fmt::format("<path class=\"arrow\" marker-end=\"url(#end)\" d=\"{}\">",
                       path_of(layout.routes[a], layout, arrow));
    svg += fmt::format("<title>{} to {}{}</title></path>\n", html_text(drawing.nodes[arrow.from].label),
                       html_text(drawing.nodes[arrow.to].label),
                       arrow.count > 1 ? fmt::format(", {} times", arrow.count) : std::string());
  }
}

void add_boxes(const Drawing& drawing, const Layout& layout, std::string& svg) {
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const Drawing::Node& node = drawing.nodes[i];
    const Layout::Point centre = layout.centres[i];
    const double width = layout.widths[i];
    const char* const kind = node.state == Outline::State::Failed ? "box failed" : node.many ? "box many" : "box";
    svg += fmt::format(
        "<g><title>{}</title><rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{}\" "
        "rx=\"6\" fill=\"{}\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{}</text></g>\n",
        html_text(node.tip), kind, centre.x - width / 2, centre.y - Layout::kBoxHeight / 2, width, Layout::kBoxHeight,
        fill_of(drawing, node.group), centre.x, centre.y + 4, html_text(node.label));
  }
}

void write_text(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  bool well = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  int error = errno;
  if (file != nullptr && std::fclose(file) != 0 && well) {
    error = errno;
    well = false;
  }
  if (well) return;
  throw ConfigError(
      fmt::format("the picture '{}' cannot be written: {}", path, std::generic_category().message(error)));
}

}  // namespace

std::string to_svg(const Described& what, const PictureOptions& options) {
  const Drawing drawing = draw(what.outline(), options);
  const Layout layout = lay_out(drawing);
  const double top = kMargin + legend_height(drawing);
  const double width = std::max(layout.width, 240.0) + 2 * kMargin + 30;
  const double height = top + layout.height + kMargin;
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} "
      "{1:.0f}\">\n",
      width, height);
  svg +=
      "<style>text{font:12px sans-serif;text-anchor:middle;fill:#222}.legend,.title{text-anchor:start}"
      ".title{font-size:16px;font-weight:bold}.box,.key{stroke:#555}.many{stroke-width:2.5}"
      ".failed{stroke:#c00;stroke-width:3}.arrow{fill:none;stroke:#777}.arrow:hover{stroke:#000;stroke-width:2}</"
      "style>\n"
      "<defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"4\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" "
      "orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"#777\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
  add_legend(drawing, svg);
  svg += fmt::format("<g transform=\"translate({},{})\">\n", kMargin, top);
  add_arrows(drawing, layout, svg);
  add_boxes(drawing, layout, svg);
  return svg + "</g>\n</svg>\n";
}

std::string to_dot(const Described& what, const PictureOptions& options) {
  const Drawing drawing = draw(what.outline(), options);
  std::string dot = "digraph weft {\n  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n";
  if (!drawing.title.empty()) dot += fmt::format("  label=\"{}\";\n", for_dot(drawing.title));
  for (std::size_t i = 0; i < drawing.nodes.size(); ++i) {
    const Drawing::Node& node = drawing.nodes[i];
    dot += fmt::format("  n{} [label=\"{}\", tooltip=\"{}\", fillcolor=\"{}\"{}];\n", i, for_dot(node.label),
                       for_dot(node.tip), fill_of(drawing, node.group), node.many ? ", peripheries=2" : "");
  }
  for (const Drawing::Arrow& arrow : drawing.arrows) {
    dot += fmt::format("  n{} -> n{}{};\n", arrow.from, arrow.to,
                       arrow.count > 1 ? fmt::format(" [label=\"{}\"]", arrow.count) : std::string());
  }
  return dot + "}\n";
}

void write_svg(const std::string& path, const Described& what, const PictureOptions& options) {
  write_text(path, to_svg(what, options));
}

void write_dot(const std::string& path, const Described& what, const PictureOptions& options) {
  write_text(path, to_dot(what, options));
}

}  // namespace weft
