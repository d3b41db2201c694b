#pragma once

#include <weft/nested.hpp>

#include <concepts>
#include <string>
#include <vector>

namespace weft {

class Graph;
class Layer;
struct Outline;

/// What a plan or a picture is about: a Graph, lazy values (also in vectors, maps, tuples), a Bag, Blocks or a Layer,
/// or the file of a saved graph. Made from any of them by conversion; computes nothing. Owns: its outline, which stays
/// as it is when what it was made from changes.  Threading: as an int.
class Described {
 public:
  Described(const Graph& graph);
  Described(const Layer& layer);
  template <class T>
  requires detail::has_handles<T> Described(const T& lazy) {
    std::vector<TaskId> tasks;
    auto take = [&](const Handle& handle) { tasks.push_back(require(handle)); };
    detail::visit_handles(lazy, take);
    outline_tasks(tasks);
  }
  template <class T>
  requires requires(const T& bag) { bag.to_delayed(); }
  Described(const T& bag) : Described(bag.to_delayed()) {}
  template <class T>
  requires requires(const T& blocks) {
    { blocks.layer() } -> std::convertible_to<const Layer&>;
  }
  Described(const T& blocks) : Described(static_cast<const Layer&>(blocks.layer())) {}
  /// Reads the file of a saved graph, of this program or another. Throws ConfigError as Graph::load does.
  static Described file(const std::string& path);

  Described(const Described& other);
  Described(Described&& other) noexcept;
  Described& operator=(Described other) noexcept;
  ~Described();

  const Outline& outline() const { return *outline_; }

 private:
  explicit Described(Outline* outline) : outline_(outline) {}
  static TaskId require(const Handle& handle);
  void outline_tasks(const std::vector<TaskId>& tasks);

  Outline* outline_ = nullptr;
};

}  // namespace weft
