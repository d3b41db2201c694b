#pragma once

#include <weft/delayed.hpp>
#include <weft/trace_point.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
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
  /// Returns whether that leaves out what a result owns.
  virtual bool output_bytes_estimated() const { return false; }
  virtual std::string name() const = 0;
  /// Returns the layers this one reads.
  virtual std::vector<const Layer*> sources() const = 0;
  /// Returns where the user wrote it; an empty file where that is not known.
  virtual SourceLine where() const { return {}; }
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

/// What one task of a formula evaluates: a part of a tree above values of a layer.
struct FormulaPart {
  /// The layer whose values are folded; never null once filled.
  const Layer* layer = nullptr;
  /// Values of it, and how many combinations of them.
  std::uint64_t values = 0;
  std::uint64_t combinations = 0;
  /// Bytes of results that exist at once while it runs, at most.
  std::uint64_t peak_bytes = 0;
  /// Tasks on its longest chain.
  std::uint32_t depth = 0;
};

namespace detail {

/// Returns how many layers a value of `last` is made from, itself included.
std::size_t layer_count(const Layer& last);
/// Returns the layers on the longest chain that ends with `last`.
std::uint32_t layer_depth(const Layer& last);

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

class FormulaStep;
using StepList = std::vector<std::shared_ptr<const FormulaStep>>;

/// How a step's kind is made again in another process, or from a file: one constant for each.
struct StepKind {
  std::shared_ptr<const FormulaStep> (*read)(Reader& reader, const SourceLine& where, const StepList& sources);
};

/// A layer that can be evaluated, and sent to where that happens.
class FormulaStep : public Layer {
 public:
  virtual const StepKind& kind() const = 0;
  /// Appends what the step has besides its sources and its line.
  virtual void write(Writer& writer) const = 0;
  /// Returns the steps it reads, in order.
  virtual StepList read_steps() const = 0;
  std::vector<const Layer*> sources() const override;
};

/// Appends a formula, each of its steps once, sources first; read_formula gives its last step.
void write_formula(Writer& writer, const std::shared_ptr<const FormulaStep>& last);
std::shared_ptr<const FormulaStep> read_formula(Reader& reader);
[[noreturn]] void wrong_sources(Reader& reader);

/// Notes for the failure that is on its way which call of which step began it. Only the first note of each counts.
void note_failed_step(const Layer& step, std::uint64_t index) noexcept;

/// Calls a function of the user for value `index` of a step.
template <class Call>
decltype(auto) call_of_step(const Layer& step, std::uint64_t index, const Call& call) {
  try {
    return call();
  } catch (const TracePoint&) {
    throw;
  } catch (...) {
    note_failed_step(step, index);
    throw;
  }
}

/// A layer whose tasks give a T each.
template <class T>
class Step : public FormulaStep {
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
  bool output_bytes_estimated() const override { return !std::is_trivially_copyable_v<T>; }
  void add_reader() const { ++readers_; }

 private:
  /// Layers that read this one; grows while the formula is written, before anything runs.
  mutable std::uint32_t readers_ = 0;
};

template <class T, class F>
class GenerateStep final : public Step<T> {
 public:
  GenerateStep(std::uint64_t count, F function, const SourceLine& where)
      : count_(count), function_(std::move(function)), where_(where) {}
  T run(std::uint64_t index, ConeMemory& memory) const override {
    ++memory.tasks;
    return call_of_step(*this, index, [&]() -> T { return function_(index); });
  }
  std::uint64_t task_count() const override { return count_; }
  void inputs(std::uint64_t, std::vector<LayerInput>&) const override {}
  void dependents(std::uint64_t index, const Layer&, std::vector<std::uint64_t>& tasks) const override {
    tasks.push_back(index);
  }
  std::string name() const override { return "generate"; }
  SourceLine where() const override { return where_; }
  const StepKind& kind() const override { return kKind; }
  void write(Writer& writer) const override {
    encode_callable(writer, function_, where_);
    encode(writer, count_);
  }
  StepList read_steps() const override { return {}; }

 private:
  static std::shared_ptr<const FormulaStep> read(Reader& reader, const SourceLine& where, const StepList& sources) {
    if (!sources.empty()) wrong_sources(reader);
    F function = decode_callable<F>(reader);
    return std::make_shared<GenerateStep>(decode<std::uint64_t>(reader), std::move(function), where);
  }
  static constexpr StepKind kKind{&read};

  std::uint64_t count_;
  F function_;
  SourceLine where_;
};

template <class T, class F, class... S>
class MapStep final : public Step<T> {
 public:
  MapStep(const SourceLine& where, F function, std::shared_ptr<const Step<S>>... from)
      : function_(std::move(function)), from_(from...), where_(where) {
    (from->add_reader(), ...);
  }
  T run(std::uint64_t index, ConeMemory& memory) const override {
    return std::apply(
        [&](const auto&... from) {
          // Braces fix the order in which the inputs run.
          std::tuple<S...> values{from->value(index, memory)...};
          ++memory.tasks;
          return call_of_step(*this, index, [&]() -> T { return std::apply(function_, std::move(values)); });
        },
        from_);
  }
  std::uint64_t task_count() const override { return std::get<0>(from_)->task_count(); }
  void inputs(std::uint64_t index, std::vector<LayerInput>& edges) const override {
    for (const Layer* from : this->sources()) edges.push_back({from, index, 1});
  }
  void dependents(std::uint64_t index, const Layer&, std::vector<std::uint64_t>& tasks) const override {
    tasks.push_back(index);
  }
  std::string name() const override { return "map"; }
  SourceLine where() const override { return where_; }
  const StepKind& kind() const override { return kKind; }
  void write(Writer& writer) const override { encode_callable(writer, function_, where_); }
  StepList read_steps() const override {
    return std::apply([](const auto&... from) { return StepList{from...}; }, from_);
  }

 private:
  static std::shared_ptr<const FormulaStep> read(Reader& reader, const SourceLine& where, const StepList& sources) {
    if (sources.size() != sizeof...(S)) wrong_sources(reader);
    F function = decode_callable<F>(reader);
    return [&]<std::size_t... I>(std::index_sequence<I...>) {
      const auto from = std::tuple{std::dynamic_pointer_cast<const Step<S>>(sources[I])...};
      if (((std::get<I>(from) == nullptr || sources[I]->task_count() != sources[0]->task_count()) || ...))
        wrong_sources(reader);
      return std::make_shared<MapStep>(where, std::move(function), std::get<I>(from)...);
    }
    (std::index_sequence_for<S...>{});
  }
  static constexpr StepKind kKind{&read};

  F function_;
  std::tuple<std::shared_ptr<const Step<S>>...> from_;
  SourceLine where_;
};

}  // namespace detail

}  // namespace weft
