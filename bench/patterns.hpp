// The dependence patterns of Task Bench (Slaughter et al., SC20), generated from their published definitions.
//
// A pattern is a grid of `steps` x `width` tasks; task (step, point) takes the outputs of some points of step - 1.
// Header only and without state, so that weft's side and every peer ask the same generator.

#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace weft::bench {

/// Returns a well mixed 64-bit number that depends on `counter` alone (splitmix64's finaliser).
constexpr std::uint64_t mix(std::uint64_t counter) {
  counter += 0x9E3779B97F4A7C15ULL;
  counter = (counter ^ (counter >> 30)) * 0xBF58476D1CE4E5B9ULL;
  counter = (counter ^ (counter >> 27)) * 0x94D049BB133111EBULL;
  return counter ^ (counter >> 31);
}

enum class PatternKind { Trivial, NoComm, Stencil1d, Fft, Nearest, Spread, Tree, AllToAll };

/// Returns the kind of that name (trivial, no_comm, stencil_1d, fft, nearest, spread, tree, all_to_all); throws
/// std::invalid_argument for another.
inline PatternKind pattern_kind(std::string_view name) {
  if (name == "trivial") return PatternKind::Trivial;
  if (name == "no_comm") return PatternKind::NoComm;
  if (name == "stencil_1d") return PatternKind::Stencil1d;
  if (name == "fft") return PatternKind::Fft;
  if (name == "nearest") return PatternKind::Nearest;
  if (name == "spread") return PatternKind::Spread;
  if (name == "tree") return PatternKind::Tree;
  if (name == "all_to_all") return PatternKind::AllToAll;
  throw std::invalid_argument("no pattern is named '" + std::string(name) +
                              "'; known: trivial no_comm stencil_1d fft nearest spread tree all_to_all");
}

/// Says which tasks there are and what each takes.
/// Owns: four numbers.  Threading: immutable.
class Pattern {
 public:
  /// `radix` is the number of inputs of nearest and spread; `period` after how many steps spread repeats itself.
  Pattern(PatternKind kind, std::int64_t width, std::int64_t steps, std::int64_t radix = 5, std::int64_t period = 3)
      : kind_(kind), width_(width), steps_(steps), radix_(radix), period_(period) {
    if (width < 1 || steps < 1 || radix < 1 || period < 1 || (kind == PatternKind::Spread && radix > width))
      throw std::invalid_argument("a pattern needs width, steps, radix and period >= 1, and spread radix <= width");
    while ((std::int64_t{1} << fft_sets_) < width) ++fft_sets_;
    fft_sets_ = std::max<std::int64_t>(fft_sets_, 1);
  }

  PatternKind kind() const { return kind_; }
  std::int64_t width() const { return width_; }
  std::int64_t steps() const { return steps_; }
  std::int64_t radix() const { return radix_; }

  /// Returns how many points step `step` has: all of them, but for tree, which doubles from one.
  std::int64_t width_at(std::int64_t step) const {
    if (kind_ != PatternKind::Tree || step >= 62) return width_;
    return std::min(width_, std::int64_t{1} << step);
  }

  /// Calls `visit(point)` for each point of step - 1 whose output task (step, point) takes, in a fixed order, each
  /// once.
  template <class Visit>
  void for_each_dependency(std::int64_t step, std::int64_t point, Visit&& visit) const {
    if (step == 0) return;
    const std::int64_t last = width_at(step - 1) - 1;
    switch (kind_) {
      case PatternKind::Trivial:
        return;
      case PatternKind::NoComm:
        visit(point);
        return;
      case PatternKind::Stencil1d:
        return visit_range(point - 1, point + 1, last, visit);
      case PatternKind::Nearest:
        return visit_range(point - radix_ / 2, point + (radix_ - 1) / 2, last, visit);
      case PatternKind::AllToAll:
        return visit_range(0, last, last, visit);
      case PatternKind::Tree:
        visit(point / 2);
        return;
      case PatternKind::Fft: {
        const std::int64_t distance = std::int64_t{1} << ((step + fft_sets_ - 1) % fft_sets_);
        if (point - distance >= 0) visit(point - distance);
        visit(point);
        if (point + distance <= last) visit(point + distance);
        return;
      }
      case PatternKind::Spread:
        for (std::int64_t i = 0; i < radix_; ++i) {
          if (spread_point(step, point, i, /*seen=*/i)) visit(spread_at(step, point, i));
        }
        return;
    }
  }

  /// Returns how many inputs task (step, point) has.
  int dependency_count(std::int64_t step, std::int64_t point) const {
    int count = 0;
    for_each_dependency(step, point, [&](std::int64_t) { ++count; });
    return count;
  }

  /// Returns the number of tasks of the whole pattern.
  std::int64_t task_count() const {
    std::int64_t count = 0;
    for (std::int64_t step = 0; step < steps_; ++step) count += width_at(step);
    return count;
  }

  /// Returns the number of edges of the whole pattern: what the payloads' `valid_inputs` must add up to.
  std::int64_t edge_count() const {
    std::int64_t count = 0;
    for (std::int64_t step = 0; step < steps_; ++step) {
      for (std::int64_t point = 0; point < width_at(step); ++point) count += dependency_count(step, point);
    }
    return count;
  }

  /// Returns an upper bound of dependency_count over all tasks.
  std::int64_t max_dependencies() const {
    switch (kind_) {
      case PatternKind::Trivial:
        return 0;
      case PatternKind::NoComm:
      case PatternKind::Tree:
        return 1;
      case PatternKind::Stencil1d:
      case PatternKind::Fft:
        return std::min<std::int64_t>(3, width_);
      case PatternKind::Nearest:
      case PatternKind::Spread:
        return std::min(radix_, width_);
      case PatternKind::AllToAll:
        break;
    }
    return width_;
  }

 private:
  template <class Visit>
  static void visit_range(std::int64_t first, std::int64_t final, std::int64_t last, Visit&& visit) {
    for (std::int64_t i = std::max<std::int64_t>(first, 0); i <= std::min(final, last); ++i) visit(i);
  }
  std::int64_t spread_at(std::int64_t step, std::int64_t point, std::int64_t i) const {
    return (point + i * width_ / radix_ + (i > 0 ? step % period_ : 0)) % width_;
  }
  // Two strides may meet in one point; it is one dependency then.
  bool spread_point(std::int64_t step, std::int64_t point, std::int64_t i, std::int64_t seen) const {
    for (std::int64_t j = 0; j < seen; ++j) {
      if (spread_at(step, point, j) == spread_at(step, point, i)) return false;
    }
    return true;
  }

  PatternKind kind_;
  std::int64_t width_;
  std::int64_t steps_;
  std::int64_t radix_;
  std::int64_t period_;
  std::int64_t fft_sets_ = 0;
};

}  // namespace weft::bench
