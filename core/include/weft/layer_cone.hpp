#pragma once

#include <weft/layer_steps.hpp>

// Reduction trees over a formula: what their tasks run, and how it goes to another process. Part of <weft/layer.hpp>,
// which includes it.

namespace weft {

namespace detail {

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

}  // namespace detail

/// As an argument of its task it travels, see below; it is no value of a program.
template <class T, class F>
inline constexpr bool local_only<detail::Cone<T, F>> = true;

namespace detail {

/// A cone is written as its whole formula: some hundred bytes, whatever the number of values.
template <class T, class F>
struct ArgumentCodec<Cone<T, F>> {
  static constexpr bool travels = CallableTravels<F>;
  static void write(Writer& writer, const Cone<T, F>& cone) {
    encode_callable(writer, cone.combine, cone.step->where());
    encode(writer, cone.fan_in);
    write_formula(writer, cone.step);
  }
  static Cone<T, F> read(Reader& reader) {
    F combine = decode_callable<F>(reader);
    const auto fan_in = decode<std::uint32_t>(reader);
    auto step = std::dynamic_pointer_cast<const Step<T>>(read_formula(reader));
    if (step == nullptr || fan_in < 2) wrong_sources(reader);
    return Cone<T, F>{std::move(step), std::move(combine), fan_in};
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

/// Tells how much of the formula a cone is, for plans.
template <class T, class F>
void weft_formula(const RunCone<T, F>&, FormulaPart& part, const Cone<T, F>& cone, std::uint32_t level,
                  std::uint64_t index) {
  part.layer = cone.step.get();
  std::uint64_t first = index;
  std::uint64_t count = 1;
  for (std::uint32_t at = level; at > 0; --at) {
    part.combinations += count;
    const std::uint64_t below = cone.nodes_at(at - 1);
    count = std::min(below, (first + count) * cone.fan_in) - first * cone.fan_in;
    first *= cone.fan_in;
  }
  part.values = count;
  part.depth = layer_depth(*cone.step) + level;
  part.peak_bytes = sizeof(T) * (layer_count(*cone.step) + std::uint64_t{cone.fan_in} * (level + 1));
}

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
}  // namespace weft
