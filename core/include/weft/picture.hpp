#pragma once

#include <weft/described.hpp>

#include <cstdint>
#include <string>

namespace weft {

/// How a graph is drawn.
struct PictureOptions {
  enum class Colour : std::uint8_t {
    /// By what the task calls.
    Kind,
    /// By how it stands: described, running, finished, failed.
    State,
  };
  Colour colour = Colour::Kind;
  std::string title = {};
  /// A larger graph is drawn as one box for each kind of task, with the number of its tasks.
  std::size_t most_nodes = 200;
};

/// Returns a picture of the graph as SVG: producers above consumers, a legend, and what is known of a task as the tip
/// of its box.
std::string to_svg(const Described& what, const PictureOptions& options = {});
/// Returns the graph in the language of Graphviz.
std::string to_dot(const Described& what, const PictureOptions& options = {});

/// Write the above to a file. Throw ConfigError where that fails.
void write_svg(const std::string& path, const Described& what, const PictureOptions& options = {});
void write_dot(const std::string& path, const Described& what, const PictureOptions& options = {});

}  // namespace weft
