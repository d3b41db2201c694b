#pragma once

#include "core/graph/outline.hpp"

#include <weft/picture.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// A graph as boxes and arrows: what both languages of pictures write down.
struct Drawing {
  struct Node {
    std::string label;
    /// Shown when the pointer rests on the box; lines end with '\n'.
    std::string tip;
    std::uint32_t group = 0;
    Outline::State state = Outline::State::Described;
    /// Stands for many tasks.
    bool many = false;
  };
  struct Arrow {
    std::uint32_t from = 0;
    std::uint32_t to = 0;
    /// Edges of the graph that it stands for.
    std::uint64_t count = 1;
  };
  /// What a colour means.
  struct Group {
    std::string name;
    std::uint64_t tasks = 0;
  };
  std::vector<Node> nodes;
  std::vector<Arrow> arrows;
  std::vector<Group> groups;
  std::string title;
  PictureOptions::Colour colour = PictureOptions::Colour::Kind;
};

Drawing draw(const Outline& outline, const PictureOptions& options);

/// Returns the fill of a node's box, as "#rrggbb".
std::string fill_of(const Drawing& drawing, std::uint32_t group);

/// Where the boxes and arrows of a drawing lie.
struct Layout {
  struct Point {
    double x = 0;
    double y = 0;
  };
  static constexpr double kBoxHeight = 30;
  /// The centre of each box, and its width.
  std::vector<Point> centres;
  std::vector<double> widths;
  /// The points each arrow runs through, from box to box.
  std::vector<std::vector<Point>> routes;
  double width = 0;
  double height = 0;
};

/// Puts producers above consumers: levels by the longest way from a root, in each level an order with few crossings.
/// Arrows that close a cycle (between boxes that stand for many tasks) run upwards.
Layout lay_out(const Drawing& drawing);

}  // namespace weft
