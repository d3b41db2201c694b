#include <weft/layer.hpp>

#include "core/executor/slot.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <map>

namespace weft {

std::string LayerPlan::to_text() const {
  std::string text;
  for (const Row& row : layers) {
    text +=
        "  " + row.name + ": " + std::to_string(row.tasks) + " tasks, " + bytes_text(row.output_bytes) + " in all\n";
  }
  text += "  " + std::to_string(tasks) + " tasks in " + std::to_string(packets) + " packets; at most " +
          bytes_text(peak_bytes_per_slot) + " of results at once in a slot\n";
  return text;
}

namespace detail {

void count_formula_tasks(std::uint64_t tasks) noexcept {
  Slot* const slot = current_slot();
  if (slot != nullptr) slot->count_inner_tasks(tasks);
}

void add_plan_rows(const Layer& last, LayerPlan& plan) {
  std::vector<const Layer*> seen;
  const auto visit = [&](const auto& self, const Layer& layer) -> void {
    if (std::find(seen.begin(), seen.end(), &layer) != seen.end()) return;
    seen.push_back(&layer);
    for (const Layer* source : layer.sources()) self(self, *source);
    plan.layers.push_back({layer.name(), layer.task_count(), layer.task_count() * layer.output_bytes()});
    plan.tasks += layer.task_count();
  };
  visit(visit, last);
}

std::size_t layer_count(const Layer& last) {
  LayerPlan plan;
  add_plan_rows(last, plan);
  return plan.layers.size();
}

std::uint32_t layer_depth(const Layer& last) {
  // Formulas are short, but a layer may be read twice: each is looked at once.
  std::map<const Layer*, std::uint32_t> known;
  const auto depth = [&](const auto& self, const Layer& layer) -> std::uint32_t {
    if (const auto found = known.find(&layer); found != known.end()) return found->second;
    std::uint32_t most = 0;
    for (const Layer* const source : layer.sources()) most = std::max(most, self(self, *source));
    return known[&layer] = most + 1;
  };
  return depth(depth, last);
}

void refuse_sizes(std::uint64_t mine, std::uint64_t other) {
  throw Error("Blocks::map: the blocks have " + std::to_string(mine) + " and " + std::to_string(other) +
              " values; they must have equally many");
}

void refuse_reduce(std::uint64_t size, std::uint32_t fan_in) {
  if (fan_in < 2) throw Error("Blocks::reduce: fan_in is " + std::to_string(fan_in) + "; it must be 2 or more");
  throw Error("Blocks::reduce: there is nothing to reduce: the blocks have " + std::to_string(size) + " values");
}

}  // namespace detail
}  // namespace weft
