#pragma once

#include <weft/layer_cone.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Many values of one type, described by formula and never stored: `generate_blocks(1'000'000'000, f)`.
/// Owns: a share of the formula.  Threading: write a formula on one thread; run it anywhere.
template <class T>
class Blocks {
 public:
  explicit Blocks(std::shared_ptr<const detail::Step<T>> step) : step_(std::move(step)) {}

  std::uint64_t size() const { return step_->task_count(); }
  const Layer& layer() const { return *step_; }

  /// Describes f(value) for each value, or f(value, other, ...) with the values of others at the same place.
  template <class F>
  auto map(F function, const std::source_location& where = std::source_location::current()) const {
    return map_at(where, std::move(function));
  }
  template <class F, class U>
  auto map(F function, const Blocks<U>& other,
           const std::source_location& where = std::source_location::current()) const {
    return map_at(where, std::move(function), other);
  }
  template <class F, class U, class V>
  auto map(F function, const Blocks<U>& other, const Blocks<V>& third,
           const std::source_location& where = std::source_location::current()) const {
    return map_at(where, std::move(function), other, third);
  }
  template <class F, class U, class V, class W>
  auto map(F function, const Blocks<U>& other, const Blocks<V>& third, const Blocks<W>& fourth,
           const std::source_location& where = std::source_location::current()) const {
    return map_at(where, std::move(function), other, third, fourth);
  }
  /// As `map`, of any number of blocks, with the line of the user's source given by hand.
  template <class F, class... U>
  auto map_at(const SourceLine& where, F function, const Blocks<U>&... others) const {
    static_assert(std::is_invocable_v<const F&, T, U...>,
                  "weft: Blocks::map: the function must take one value of each of the blocks it maps over");
    require_callable_travels<F>();
    using R = std::decay_t<std::invoke_result_t<const F&, T, U...>>;
    check_sizes({others.size()...});
    return Blocks<R>(
        std::make_shared<detail::MapStep<R, F, T, U...>>(where, std::move(function), step_, others.step()...));
  }

  /// Describes the combination of all values in a tree whose shape depends on their number and `fan_in` alone, so that
  /// the bits are the same on any number of workers.
  template <class F>
  Delayed<T> reduce(F combine, std::uint32_t fan_in = 8,
                    const std::source_location& where = std::source_location::current()) const {
    require_some(fan_in);
    const detail::Cone<T, F> cone{step_, combine, fan_in};
    std::uint32_t level = cone_level(fan_in);
    std::vector<Delayed<T>> nodes;
    const auto run = DelayedFunction<detail::RunCone<T, F>>({}, where);
    const std::uint64_t cones = cone.nodes_at(level);
    for (std::uint64_t index = 0; index < cones; ++index) nodes.push_back(run(cone, level, index));
    const auto join = DelayedFunction<detail::CombineNodes<T, F>>({combine}, where);
    while (nodes.size() > 1) {
      std::vector<Delayed<T>> above;
      for (std::size_t first = 0; first < nodes.size(); first += fan_in) {
        const auto end = nodes.begin() + static_cast<std::ptrdiff_t>(std::min(nodes.size(), first + fan_in));
        above.push_back(join(std::vector<Delayed<T>>(nodes.begin() + static_cast<std::ptrdiff_t>(first), end)));
      }
      nodes.swap(above);
    }
    return nodes.front();
  }

  /// Returns what a reduction of these would do.
  LayerPlan plan(std::uint32_t fan_in = 8) const {
    require_some(fan_in);
    LayerPlan plan;
    detail::add_plan_rows(*step_, plan);
    const std::uint32_t level = cone_level(fan_in);
    std::uint64_t nodes = size();
    std::uint64_t tree = 0;
    for (std::uint32_t at = 0; nodes > 1; ++at) {
      if (at == level) plan.packets += nodes;
      nodes = (nodes + fan_in - 1) / fan_in;
      tree += nodes;
      if (at >= level) plan.packets += nodes;
    }
    plan.layers.push_back({"reduce", tree, tree * sizeof(T)});
    plan.tasks += tree;
    plan.peak_bytes_per_slot = sizeof(T) * (plan.layers.size() + std::uint64_t{fan_in} * (level + 1));
    return plan;
  }

  const std::shared_ptr<const detail::Step<T>>& step() const { return step_; }

 private:
  /// The tree level whose nodes are packets: enough of them for many slots, each as large as that allows.
  std::uint32_t cone_level(std::uint32_t fan_in) const {
    constexpr std::uint64_t kLeastPackets = 256;
    std::uint32_t level = 0;
    for (std::uint64_t nodes = size(); nodes / fan_in >= kLeastPackets; nodes = (nodes + fan_in - 1) / fan_in) ++level;
    return level;
  }
  void check_sizes(std::initializer_list<std::uint64_t> others) const;
  void require_some(std::uint32_t fan_in) const;

  std::shared_ptr<const detail::Step<T>> step_;
};

namespace detail {
[[noreturn]] void refuse_sizes(std::uint64_t mine, std::uint64_t other);
[[noreturn]] void refuse_reduce(std::uint64_t size, std::uint32_t fan_in);
}  // namespace detail

template <class T>
void Blocks<T>::check_sizes(std::initializer_list<std::uint64_t> others) const {
  for (const std::uint64_t other : others) {
    if (other != size()) detail::refuse_sizes(size(), other);
  }
}

template <class T>
void Blocks<T>::require_some(std::uint32_t fan_in) const {
  if (size() == 0 || fan_in < 2) detail::refuse_reduce(size(), fan_in);
}

/// Describes `count` values f(0), f(1), ...
template <class F>
auto generate_blocks(std::uint64_t count, F function,
                     const std::source_location& where = std::source_location::current()) {
  static_assert(std::is_invocable_v<const F&, std::uint64_t>,
                "weft: generate_blocks: the function must take the index, a std::uint64_t");
  require_callable_travels<F>();
  using T = std::decay_t<std::invoke_result_t<const F&, std::uint64_t>>;
  return Blocks<T>(std::make_shared<detail::GenerateStep<T, F>>(count, std::move(function), where));
}

}  // namespace weft
