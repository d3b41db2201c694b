#pragma once

#include <weft/delayed.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

class Layer;

/// An edge of a formula: a task of the layer reads tasks [first, first + count) of `layer`.
struct LayerInput {
  const Layer* layer;
  std::uint64_t first;
  std::uint64_t count;
};

/// Tasks that are described by a formula instead of one by one: kilobytes, whatever their number.
/// Threading: constant after construction; any thread may ask.
class Layer {
 public:
  virtual ~Layer() = default;
  /// Returns how many tasks the layer has.
  virtual std::uint64_t task_count() const = 0;
  /// Appends what task `index` reads.
  virtual void inputs(std::uint64_t index, std::vector<LayerInput>& edges) const = 0;
  /// Appends the tasks of `consumer` that read task `index` of this layer.
  virtual void dependents(std::uint64_t index, const Layer& consumer, std::vector<std::uint64_t>& tasks) const = 0;
  /// Returns the bytes of one output; exact for plain values, else what the type itself takes.
  virtual std::uint64_t output_bytes() const = 0;
  virtual std::string name() const = 0;
  /// Returns the layers this one reads.
  virtual std::vector<const Layer*> sources() const = 0;
};

/// What a formula would do, known without running any of it.
struct LayerPlan {
  struct Row {
    std::string name;
    std::uint64_t tasks;
    std::uint64_t output_bytes;
  };
  std::vector<Row> layers;
  std::uint64_t tasks = 0;
  std::uint64_t packets = 0;
  /// Bytes of results that exist at once in one slot, at most.
  std::uint64_t peak_bytes_per_slot = 0;
  std::string to_text() const;
};

namespace detail {

/// Counts tasks that ran inside the present one, so that the ledger knows of them.
void count_formula_tasks(std::uint64_t tasks) noexcept;
void add_plan_rows(const Layer& last, LayerPlan& plan);

/// What one evaluation of a cone remembers: the newest value of each step that several others read.
class ConeMemory {
 public:
  template <class T>
  struct Kept {
    std::uint64_t index;
    T value;
  };
  template <class T>
  std::optional<Kept<T>>& slot(const Layer* step) {
    for (Entry& entry : entries_) {
      if (entry.step == step) return *static_cast<std::optional<Kept<T>>*>(entry.place.get());
    }
    entries_.push_back({step, std::make_shared<std::optional<Kept<T>>>()});
    return *static_cast<std::optional<Kept<T>>*>(entries_.back().place.get());
  }
  std::uint64_t tasks = 0;

 private:
  struct Entry {
    const Layer* step;
    std::shared_ptr<void> place;
  };
  std::vector<Entry> entries_;
};

/// A layer whose tasks give a T each.
template <class T>
class Step : public Layer {
 public:
  /// Runs task `index` and whatever it reads.
  virtual T run(std::uint64_t index, ConeMemory& memory) const = 0;
  T value(std::uint64_t index, ConeMemory& memory) const {
    if (readers_ < 2) return run(index, memory);
    std::optional<ConeMemory::Kept<T>>& kept = memory.template slot<T>(this);
    if (!kept || kept->index != index) kept = ConeMemory::Kept<T>{index, run(index, memory)};
    return kept->value;
  }
  std::uint64_t output_bytes() const override { return sizeof(T); }
  void add_reader() const { ++readers_; }

 private:
  /// Layers that read this one; grows while the formula is written, before anything runs.
  mutable std::uint32_t readers_ = 0;
};

template <class T, class F>
class GenerateStep final : public Step<T> {
 public:
  GenerateStep(std::uint64_t count, F function) : count_(count), function_(std::move(function)) {}
  T run(std::uint64_t index, ConeMemory& memory) const override {
    ++memory.tasks;
    return function_(index);
  }
  std::uint64_t task_count() const override { return count_; }
  void inputs(std::uint64_t, std::vector<LayerInput>&) const override {}
  void dependents(std::uint64_t index, const Layer&, std::vector<std::uint64_t>& tasks) const override {
    tasks.push_back(index);
  }
  std::string name() const override { return "generate"; }
  std::vector<const Layer*> sources() const override { return {}; }

 private:
  std::uint64_t count_;
  F function_;
};

template <class T, class F, class... S>
class MapStep final : public Step<T> {
 public:
  MapStep(F function, std::shared_ptr<const Step<S>>... from) : function_(std::move(function)), from_(from...) {
    (from->add_reader(), ...);
  }
  T run(std::uint64_t index, ConeMemory& memory) const override {
    return std::apply(
        [&](const auto&... from) {
          // Braces fix the order in which the inputs run.
          std::tuple<S...> values{from->value(index, memory)...};
          ++memory.tasks;
          return std::apply(function_, std::move(values));
        },
        from_);
  }
  std::uint64_t task_count() const override { return std::get<0>(from_)->task_count(); }
  void inputs(std::uint64_t index, std::vector<LayerInput>& edges) const override {
    for (const Layer* from : sources()) edges.push_back({from, index, 1});
  }
  void dependents(std::uint64_t index, const Layer&, std::vector<std::uint64_t>& tasks) const override {
    tasks.push_back(index);
  }
  std::string name() const override { return "map"; }
  std::vector<const Layer*> sources() const override {
    return std::apply([](const auto&... from) { return std::vector<const Layer*>{from.get()...}; }, from_);
  }

 private:
  F function_;
  std::tuple<std::shared_ptr<const Step<S>>...> from_;
};

/// The part of a reduction tree below one of its nodes: a packet's work.
template <class T, class F>
struct Cone {
  std::shared_ptr<const Step<T>> step;
  F combine;
  std::uint32_t fan_in;

  /// Returns the value of node `index` at `level`; level 0 are the blocks. The shape depends on count and fan_in alone.
  T node(std::uint32_t level, std::uint64_t index, ConeMemory& memory) const {
    if (level == 0) return step->value(index, memory);
    const std::uint64_t first = index * fan_in;
    const std::uint64_t end = std::min(first + fan_in, nodes_at(level - 1));
    T folded = node(level - 1, first, memory);
    for (std::uint64_t child = first + 1; child < end; ++child) {
      folded = combine(std::move(folded), node(level - 1, child, memory));
    }
    ++memory.tasks;
    return folded;
  }
  std::uint64_t nodes_at(std::uint32_t level) const {
    std::uint64_t nodes = step->task_count();
    for (; level > 0; --level) nodes = (nodes + fan_in - 1) / fan_in;
    return nodes;
  }
};

template <class T, class F>
struct RunCone {
  T operator()(const Cone<T, F>& cone, std::uint32_t level, std::uint64_t index) const {
    ConeMemory memory;
    T value = cone.node(level, index, memory);
    count_formula_tasks(memory.tasks);
    return value;
  }
};

template <class T, class F>
struct CombineNodes {
  F combine;
  T operator()(const std::vector<Delayed<T>>& children) const {
    T folded = children[0].value();
    for (std::size_t i = 1; i < children.size(); ++i) folded = combine(std::move(folded), children[i].value());
    return folded;
  }
};

}  // namespace detail

/// A cone's steps are code and formulas of this process.
template <class T, class F>
inline constexpr bool local_only<detail::Cone<T, F>> = true;

/// Many values of one type, described by formula and never stored: `Blocks<double>::generate(1'000'000'000, f)`.
/// Owns: a share of the formula.  Threading: write a formula on one thread; run it anywhere.
template <class T>
class Blocks {
 public:
  explicit Blocks(std::shared_ptr<const detail::Step<T>> step) : step_(std::move(step)) {}

  std::uint64_t size() const { return step_->task_count(); }
  const Layer& layer() const { return *step_; }

  /// Describes f(value) for each value, or f(value, other) with the value of `others` at the same place.
  template <class F, class... U>
  auto map(F function, const Blocks<U>&... others) const {
    static_assert(std::is_invocable_v<const F&, T, U...>,
                  "weft: Blocks::map: the function must take one value of each of the blocks it maps over");
    using R = std::decay_t<std::invoke_result_t<const F&, T, U...>>;
    check_sizes({others.size()...});
    return Blocks<R>(std::make_shared<detail::MapStep<R, F, T, U...>>(std::move(function), step_, others.step()...));
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
auto generate_blocks(std::uint64_t count, F function) {
  static_assert(std::is_invocable_v<const F&, std::uint64_t>,
                "weft: generate_blocks: the function must take the index, a std::uint64_t");
  using T = std::decay_t<std::invoke_result_t<const F&, std::uint64_t>>;
  return Blocks<T>(std::make_shared<detail::GenerateStep<T, F>>(count, std::move(function)));
}

}  // namespace weft
