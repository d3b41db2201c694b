// What computing arrays would mean.
#include <weft/array_advice.hpp>
#include <weft/array_plan.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/plan/compile.hpp"
#include "arrays/plan/explain.hpp"
#include "arrays/plan/lower.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <ostream>
#include <thread>

namespace weft::arrays {

std::string lowering::bytes_text(std::uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1000 && unit < 5; ++unit) number /= 1000;
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.3g %s", number, kUnits[unit]);
  return text;
}

std::string lowering::counted(std::uint64_t number, const char* noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

namespace {

using expression::Key;
using expression::NodeKind;
using expression::NodePointer;
using lowering::bytes_text;
using lowering::counted;

/// Chunks of one array that are looked at; of more, these are taken for all.
constexpr std::int64_t kLookedAt = std::int64_t{1} << 16;

/// Puts the steps of a plan together while tasks are looked at.
class Planner {
 public:
  Planner(const lowering::Lowering& lowered, ArrayPlan& plan) : lowered_(lowered), plan_(plan) {}

  std::size_t step_of(const NodePointer& node) {
    const auto known = steps_.find(node->key);
    if (known != steps_.end()) return known->second;
    std::vector<std::size_t> reads;
    std::vector<std::string> fused;
    look(node, reads, fused);
    const std::size_t place = plan_.steps.size();
    steps_.emplace(node->key, place);
    ArrayStep& step = plan_.steps.emplace_back();
    step.name = node->name;
    step.file = node->where.file_name();
    step.line = node->where.line();
    step.stored = node->kind == NodeKind::Stored;
    step.reads = std::move(reads);
    step.fused = std::move(fused);
    return place;
  }

 private:
  void look(const NodePointer& node, std::vector<std::size_t>& reads, std::vector<std::string>& fused) {
    const auto read = [&](const NodePointer& one) {
      const std::size_t place = step_of(one);
      if (std::find(reads.begin(), reads.end(), place) == reads.end()) reads.push_back(place);
    };
    const auto pass = [&](const NodePointer& root) {
      const lowering::IsMaterialised materialised = [this](const expression::Node& one) {
        return lowered_.materialised(one);
      };
      lowering::walk_pass(root, materialised, [&](const NodePointer& one, const expression::IndexMap&) {
        const bool leaf = one->kind == NodeKind::Stored || one->kind == NodeKind::Reduced ||
                          one->kind == NodeKind::Structural || (one != root && lowered_.materialised(*one));
        if (one == node) return;
        if (leaf) {
          read(one);
        } else if (one->name != "constant" && one->name != "broadcast") {
          fused.push_back(one->name);
        }
      });
      // The first to be computed comes first.
      std::reverse(fused.begin(), fused.end());
    };
    switch (node->kind) {
      case NodeKind::Stored:
        return;
      case NodeKind::Structural:
        for (const NodePointer& input : node->inputs) {
          if (lowered_.materialised(*input)) {
            read(input);
          } else {
            pass(input);
          }
        }
        return;
      case NodeKind::Reduced:
        if (lowered_.materialised(*node->inputs[0])) return read(node->inputs[0]);
        return pass(node->inputs[0]);
      case NodeKind::Generated:
      case NodeKind::Elementwise:
      case NodeKind::Cast:
      case NodeKind::View:
        return pass(node);
    }
  }

  const lowering::Lowering& lowered_;
  ArrayPlan& plan_;
  std::map<Key, std::size_t> steps_;
};

/// The tasks in the order in which a slot meets them that always goes on with what lets most go: what a task reads,
/// just before it.
std::vector<std::uint32_t> depth_first(const lowering::Outlined& outlined, const std::vector<bool>& kept) {
  const std::size_t count = outlined.tasks.size();
  std::vector<std::uint32_t> order;
  order.reserve(count);
  std::vector<std::uint32_t> met(count, 0);  // How many of its inputs were looked at, and one more once it is open.
  std::vector<std::uint32_t> open;
  const auto visit = [&](std::uint32_t root) {
    if (met[root] != 0) return;
    open.push_back(root);
    met[root] = 1;
    while (!open.empty()) {
      const std::uint32_t at = open.back();
      const std::vector<std::uint32_t>& inputs = outlined.tasks[at].inputs;
      if (met[at] <= inputs.size()) {
        const std::uint32_t next = inputs[met[at]++ - 1];
        if (met[next] == 0) {
          open.push_back(next);
          met[next] = 1;
        }
        continue;
      }
      order.push_back(at);
      open.pop_back();
    }
  };
  for (std::uint32_t at = 0; at < count; ++at) {
    if (kept[at]) visit(at);
  }
  for (std::uint32_t at = 0; at < count; ++at) visit(at);
  return order;
}

/// Runs the tasks in one slot: depth first, but what can run because a task has ended runs next, as workers do. A
/// result goes when its last reader has run; those in `kept` stay. Each further slot holds what one task reads and
/// makes.
void add_peaks(const lowering::Outlined& outlined, const std::vector<bool>& kept, ArrayPlan& plan) {
  const std::size_t count = outlined.tasks.size();
  std::vector<std::vector<std::uint32_t>> read_by(count);
  std::vector<std::uint32_t> readers(count, 0), missing(count, 0);
  for (std::uint32_t at = 0; at < count; ++at) {
    for (const std::uint32_t input : outlined.tasks[at].inputs) {
      ++readers[input];
      ++missing[at];
      read_by[input].push_back(at);
    }
  }
  std::uint64_t held = 0, peak = 0, largest = 0;
  const auto run = [&](std::uint32_t at) {
    const auto& task = outlined.tasks[at];
    held += task.bytes;
    peak = std::max(peak, held);
    std::uint64_t working = task.bytes;
    for (const std::uint32_t input : task.inputs) {
      working += outlined.tasks[input].bytes;
      if (--readers[input] == 0 && !kept[input]) held -= outlined.tasks[input].bytes;
    }
    largest = std::max(largest, working);
    if (readers[at] == 0 && !kept[at]) held -= task.bytes;
  };
  std::vector<bool> started(count, false);
  std::vector<std::uint32_t> ready;
  for (const std::uint32_t next : depth_first(outlined, kept)) {
    if (!started[next]) ready.push_back(next);
    while (!ready.empty()) {
      const std::uint32_t at = ready.back();
      ready.pop_back();
      started[at] = true;
      run(at);
      for (const std::uint32_t reader : read_by[at]) {
        if (--missing[reader] == 0) ready.push_back(reader);
      }
    }
  }
  plan.depth_first_peak_bytes = peak;
  plan.peak_bytes = std::min(plan.output_bytes, peak + (plan.slots - 1) * largest);
}

std::string list_text(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size();) {
    std::size_t same = i;
    while (same < names.size() && names[same] == names[i]) ++same;
    text += (text.empty() ? "" : ", ") + names[i] + (same - i > 1 ? " x " + std::to_string(same - i) : "");
    i = same;
  }
  return text;
}

}  // namespace

ArrayPlan plan(const std::vector<Array>& arrays, const PlanOptions& options) {
  ArrayPlan result;
  result.slots = options.slots != 0 ? options.slots : std::max(1u, std::thread::hardware_concurrency());
  std::vector<NodePointer> nodes;
  for (const Array& array : arrays) nodes.push_back(array.node());
  lowering::Outlined outlined;
  lowering::Lowering lowered(nodes, &outlined);
  std::vector<TaskId> asked;
  double scale = 1;
  for (const NodePointer& node : nodes) {
    if (!expression::known(node->grid)) result.certainty = Certainty::Estimated;
    const std::int64_t count = expression::chunk_count(node->grid);
    const std::int64_t looked = std::min(count, kLookedAt);
    for (std::int64_t i = 0; i < looked; ++i) {
      asked.push_back(lowered.chunk(node, count == looked ? i : i * (count / looked)).task_id());
    }
    scale = std::max(scale, static_cast<double>(count) / static_cast<double>(std::max<std::int64_t>(looked, 1)));
  }
  Planner planner(lowered, result);
  for (const auto& task : outlined.tasks) {
    ArrayStep& step = result.steps[planner.step_of(task.node)];
    ++step.tasks;
    step.edges += task.inputs.size() + task.stored;
    step.bytes += task.bytes;
    step.largest_bytes = std::max(step.largest_bytes, task.bytes);
  }
  for (const NodePointer& node : nodes) {
    if (node->kind == NodeKind::Stored) planner.step_of(node);
  }
  if (scale > 1) result.certainty = Certainty::Estimated;
  for (ArrayStep& step : result.steps) {
    const auto scaled = [scale](std::uint64_t number) {
      return static_cast<std::uint64_t>(static_cast<double>(number) * scale);
    };
    step.tasks = scaled(step.tasks);
    step.edges = scaled(step.edges);
    step.bytes = scaled(step.bytes);
    result.tasks += step.tasks;
    result.edges += step.edges;
    result.output_bytes += step.bytes;
  }
  std::vector<bool> kept(outlined.tasks.size(), false);
  for (const TaskId id : asked) {
    const auto place = outlined.places.find(id);
    if (place != outlined.places.end()) kept[place->second] = true;
  }
  add_peaks(outlined, kept, result);
  return result;
}

ArrayPlan plan(const Array& array, const PlanOptions& options) { return plan(std::vector<Array>{array}, options); }

std::string ArrayPlan::to_text() const {
  std::string text = counted(tasks, "task") + ", " + bytes_text(output_bytes) + " of results, at once " +
                     bytes_text(peak_bytes) + " at most in " + counted(slots, "slot") +
                     (certainty == Certainty::Exact ? "" : " (estimated)") + "\n";
  for (std::size_t place = 0; place < steps.size(); ++place) {
    const ArrayStep& step = steps[place];
    text += "  " + std::to_string(place) + " " + step.name + " (" + step.file.substr(step.file.rfind('/') + 1) + ":" +
            std::to_string(step.line) + "): ";
    if (step.stored) {
      text += "chunks that exist already\n";
      continue;
    }
    text += counted(step.tasks, "task") + ", " + bytes_text(step.bytes) + ", " + bytes_text(step.largest_bytes) +
            " each at most";
    if (!step.reads.empty()) {
      text += "; reads";
      for (const std::size_t read : step.reads) text += " " + std::to_string(read);
    }
    if (!step.fused.empty()) text += "; fused: " + list_text(step.fused);
    text += "\n";
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const ArrayPlan& plan) { return out << plan.to_text(); }

std::string explain(const Array& array, const ExplainOptions& options) {
  const ArrayPlan known = plan(array, {.slots = options.slots});
  std::string text = known.to_text();
  text += "one slot, depth first: " + bytes_text(known.depth_first_peak_bytes) + " at once\n";
  for (const ArrayAdvice& one : advise(array, {.slots = options.slots, .memory_bytes = options.memory_bytes})) {
    text += "advice: " + one.to_text() + "\n";
  }
  return text;
}

}  // namespace weft::arrays
