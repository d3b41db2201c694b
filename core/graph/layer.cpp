#include <weft/layer.hpp>

#include "core/executor/slot.hpp"
#include "core/graph/failed_part.hpp"
#include "core/graph/failed_step.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <exception>
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
namespace {

/// The newest failure of a function inside of a formula, in this thread; or, without a file, of a part of a task.
struct FailedStep {
  std::exception_ptr thrown;
  std::string file;
  std::uint32_t line = 0;
  std::string text;
};
thread_local FailedStep failed_step;

/// Returns the step with what it reads first, and so on: the operations that were fused into one task.
std::string chain_text(const Layer& last) {
  constexpr int kMost = 16;
  std::string text;
  const Layer* layer = &last;
  for (int i = 0; layer != nullptr && i < kMost; ++i) {
    const SourceLine where = layer->where();
    text += (i == 0 ? "" : " of ") + layer->name() + " (" + where.file + ":" + std::to_string(where.line) + ")";
    const std::vector<const Layer*> sources = layer->sources();
    layer = sources.empty() ? nullptr : sources.front();
  }
  return text;
}

}  // namespace

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

std::vector<const Layer*> FormulaStep::sources() const {
  std::vector<const Layer*> layers;
  for (const auto& step : read_steps()) layers.push_back(step.get());
  return layers;
}

void write_formula(Writer& writer, const std::shared_ptr<const FormulaStep>& last) {
  std::vector<std::shared_ptr<const FormulaStep>> order;
  const auto visit = [&](const auto& self, const std::shared_ptr<const FormulaStep>& step) -> void {
    if (std::find(order.begin(), order.end(), step) != order.end()) return;
    for (const auto& source : step->read_steps()) self(self, source);
    order.push_back(step);
  };
  visit(visit, last);
  writer.count(order.size());
  for (const auto& step : order) {
    encode_address(writer, &step->kind());
    const SourceLine where = step->where();
    encode_address(writer, where.file);
    writer.count(where.line);
    const StepList sources = step->read_steps();
    writer.count(sources.size());
    for (const auto& source : sources) {
      writer.count(static_cast<std::uint64_t>(std::find(order.begin(), order.end(), source) - order.begin()));
    }
    step->write(writer);
  }
}

std::shared_ptr<const FormulaStep> read_formula(Reader& reader) {
  StepList steps;
  const std::size_t count = reader.elements(3, "formula");
  while (steps.size() < count) {
    const auto* const kind = static_cast<const StepKind*>(decode_address(reader));
    SourceLine where;
    where.file = static_cast<const char*>(decode_address(reader));
    where.line = static_cast<std::uint32_t>(reader.count("formula"));
    StepList sources;
    for (std::size_t left = reader.elements(1, "formula"); left != 0; --left) {
      const std::uint64_t source = reader.count("formula");
      if (source >= steps.size()) reader.damaged("formula", "a step reads one that does not come before it");
      sources.push_back(steps[source]);
    }
    steps.push_back(kind->read(reader, where, sources));
  }
  if (steps.empty()) reader.damaged("formula", "it has no steps");
  return steps.back();
}

void wrong_sources(Reader& reader) { reader.damaged("formula", "a step reads values of another type or number"); }

void note_failed_step(const Layer& step, std::uint64_t index) noexcept {
  try {
    std::exception_ptr thrown = std::current_exception();
    if (failed_step.thrown == thrown) return;
    failed_step.thrown = std::move(thrown);
    const SourceLine where = step.where();
    failed_step.file = where.file;
    failed_step.line = where.line;
    failed_step.text = "value " + std::to_string(index) + " of " + chain_text(step);
  } catch (...) {
    // Without memory for the note the failure is told as the whole task's.
    failed_step.thrown = nullptr;
  }
}

void note_failed_part(const std::string& text) noexcept {
  try {
    std::exception_ptr thrown = std::current_exception();
    if (failed_step.thrown == thrown) return;
    failed_step = {nullptr, "", 0, text};
    failed_step.thrown = std::move(thrown);
  } catch (...) {
    // Without memory for the note the failure is told as the whole task's.
    failed_step.thrown = nullptr;
  }
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

void describe_failed_step(const std::exception_ptr& thrown, TaskFailure& failure) {
  const detail::FailedStep step = std::exchange(detail::failed_step, {});
  if (step.thrown == nullptr || step.thrown != thrown) return;
  if (step.file.empty()) {
    failure.message += " (" + step.text + ")";
    return;
  }
  failure.inside = true;
  failure.file = step.file;
  failure.line = step.line;
  failure.arguments = step.text;
}

}  // namespace weft
