// The graphs of empty tasks: independent, tree, chain and random-dag, as every system builds them.
//
// Tasks are numbered 0..n-1 in the order they are added; each takes zero, one or two earlier ones. The value of a task
// is source_value, extend_value or combine_values of its inputs' values, so one wrong, missing or early input shows.

#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "bench/kernel.hpp"
#include "bench/patterns.hpp"

namespace weft::bench {

enum class ShapeKind { Independent, Tree, Chain, RandomDag };

/// Returns the kind of that name (independent, tree, chain, random-dag); throws std::invalid_argument for another.
inline ShapeKind shape_kind(std::string_view name) {
  if (name == "independent") return ShapeKind::Independent;
  if (name == "tree") return ShapeKind::Tree;
  if (name == "chain") return ShapeKind::Chain;
  if (name == "random-dag") return ShapeKind::RandomDag;
  throw std::invalid_argument("no shape is named '" + std::string(name) +
                              "'; known: independent tree chain random-dag");
}

/// Says what each task of an empty graph takes.
/// Owns: two numbers.  Threading: immutable.
class Shape {
 public:
  struct Inputs {
    int count;
    std::uint64_t left;
    std::uint64_t right;
  };

  /// A graph of about `tasks` tasks: a tree has 2 * (tasks / 2) - 1, the others exactly as many.
  Shape(ShapeKind kind, std::uint64_t tasks) : kind_(kind), tasks_(tasks), leaves_(tasks / 2) {
    if (tasks < 2) throw std::invalid_argument("a shape needs at least 2 tasks");
    if (kind == ShapeKind::Tree) tasks_ = 2 * leaves_ - 1;
  }

  ShapeKind kind() const { return kind_; }
  std::uint64_t task_count() const { return tasks_; }

  /// Returns which earlier tasks task `index` takes.
  Inputs inputs(std::uint64_t index) const {
    switch (kind_) {
      case ShapeKind::Independent:
        break;
      case ShapeKind::Chain:
        return index == 0 ? Inputs{0, 0, 0} : Inputs{1, index - 1, 0};
      case ShapeKind::Tree:
        if (index < leaves_) break;
        return {2, 2 * (index - leaves_), 2 * (index - leaves_) + 1};
      case ShapeKind::RandomDag:
        return random_inputs(index);
    }
    return {0, 0, 0};
  }

  /// Returns the value of every task, computed in order on this thread.
  std::vector<std::uint64_t> expected_values() const {
    std::vector<std::uint64_t> values(tasks_);
    for (std::uint64_t i = 0; i < tasks_; ++i) {
      const Inputs in = inputs(i);
      values[i] = in.count == 0   ? source_value(i)
                  : in.count == 1 ? extend_value(values[in.left])
                                  : combine_values(values[in.left], values[in.right]);
    }
    return values;
  }

 private:
  // Two different earlier tasks, uniformly, from a hash of the index: no state, the same for every system.
  static Inputs random_inputs(std::uint64_t index) {
    if (index == 0) return {0, 0, 0};
    if (index == 1) return {1, 0, 0};
    const std::uint64_t left = below(mix(2 * index), index);
    std::uint64_t right = below(mix(2 * index + 1), index - 1);
    if (right >= left) ++right;
    return {2, left, right};
  }
  static std::uint64_t below(std::uint64_t random, std::uint64_t limit) { return ((random >> 32) * limit) >> 32; }

  ShapeKind kind_;
  std::uint64_t tasks_;
  std::uint64_t leaves_;
};

}  // namespace weft::bench
