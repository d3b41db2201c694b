#include <weft/plan.hpp>

#include "core/graph/outline.hpp"
#include "core/memory/bytes_text.hpp"
#include "core/memory/limits.hpp"

#include <weft/task_record.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace weft {
namespace {

std::string counted(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string counted(std::uint64_t number, const char* noun) {
  return counted(number) + " " + noun + (number == 1 ? "" : "s");
}

std::string place_of(const std::string& file, std::uint32_t line) {
  return file.empty() ? "" : file.substr(file.rfind('/') + 1) + ":" + std::to_string(line);
}

/// Returns the part of a formula that a task evaluates, by task; null where it evaluates none.
std::vector<const Outline::Part*> parts_by_task(const Outline& outline) {
  std::vector<const Outline::Part*> parts(outline.parts.empty() ? 0 : outline.tasks.size(), nullptr);
  for (const Outline::Part& part : outline.parts) parts[part.task] = &part;
  return parts;
}

/// Returns the most bytes of results that can exist at once, in whatever order the tasks run.
///
/// A result that one task alone takes exists until that task has run, so in a tree either the results below a task
/// exist, or its own beside those of its inputs. A result that several take, or that somebody holds, may exist beside
/// everything else: there the graph falls into trees, and the sum over them is a bound.
std::uint64_t bound_of_any_order(const Outline& outline) {
  const std::size_t count = outline.tasks.size();
  std::vector<std::uint8_t> consumers(count);
  for (const std::uint32_t input : outline.inputs)
    consumers[input] = static_cast<std::uint8_t>(consumers[input] + (consumers[input] < 2));
  std::vector<std::uint64_t> below(count);
  std::uint64_t total = 0;
  for (std::size_t task = 0; task < count; ++task) {
    std::uint64_t deep = 0;
    std::uint64_t direct = outline.tasks[task].bytes;
    for (std::uint64_t at = outline.first_input[task]; at < outline.first_input[task + 1]; ++at) {
      const std::uint32_t input = outline.inputs[at];
      if (consumers[input] != 1 || outline.tasks[input].kept) continue;
      deep += below[input];
      direct += outline.tasks[input].bytes;
    }
    below[task] = std::max(deep, direct);
    if (consumers[task] != 1 || outline.tasks[task].kept) total += below[task];
  }
  return total;
}

/// Runs the outline in one slot, depth first: what a task enables comes before the next root.
class DepthFirst {
 public:
  explicit DepthFirst(const Outline& outline) : outline_(outline), waiting_(outline.tasks.size()) {
    const std::size_t count = outline.tasks.size();
    first_consumer_.assign(count + 1, 0);
    for (const std::uint32_t input : outline.inputs) ++first_consumer_[input + 1];
    for (std::size_t task = 0; task < count; ++task) first_consumer_[task + 1] += first_consumer_[task];
    consumers_.resize(outline.inputs.size());
    left_.resize(count);
    std::vector<std::uint64_t> next(first_consumer_.begin(), first_consumer_.end() - 1);
    for (std::uint32_t task = 0; task < count; ++task) {
      waiting_[task] = static_cast<std::uint32_t>(outline.count_of_inputs(task));
      for (std::uint64_t at = outline.first_input[task]; at < outline.first_input[task + 1]; ++at) {
        consumers_[next[outline.inputs[at]]++] = task;
      }
    }
    for (std::size_t task = 0; task < count; ++task) {
      left_[task] = static_cast<std::uint32_t>(first_consumer_[task + 1] - first_consumer_[task]);
    }
  }

  std::uint64_t peak() {
    const auto count = static_cast<std::uint32_t>(outline_.tasks.size());
    for (std::uint32_t task = 0; task < count; ++task) {
      if (outline_.count_of_inputs(task) != 0) continue;
      ready_.push_back(task);
      while (!ready_.empty()) {
        const std::uint32_t next = ready_.back();
        ready_.pop_back();
        run(next);
      }
    }
    return peak_;
  }

 private:
  void run(std::uint32_t task) {
    alive_ += outline_.tasks[task].bytes;
    peak_ = std::max(peak_, alive_);
    for (std::uint64_t at = outline_.first_input[task]; at < outline_.first_input[task + 1]; ++at) {
      drop(outline_.inputs[at]);
    }
    if (left_[task] == 0 && !outline_.tasks[task].kept) alive_ -= outline_.tasks[task].bytes;
    // The newest consumer stands first in a task's list, and the last one found goes on.
    for (std::uint64_t at = first_consumer_[task + 1]; at-- > first_consumer_[task];) {
      if (--waiting_[consumers_[at]] == 0) ready_.push_back(consumers_[at]);
    }
  }
  void drop(std::uint32_t input) {
    if (--left_[input] == 0 && !outline_.tasks[input].kept) alive_ -= outline_.tasks[input].bytes;
  }

  const Outline& outline_;
  std::vector<std::uint32_t> waiting_;
  std::vector<std::uint32_t> left_;
  std::vector<std::uint64_t> first_consumer_;
  std::vector<std::uint32_t> consumers_;
  std::vector<std::uint32_t> ready_;
  std::uint64_t alive_ = 0;
  std::uint64_t peak_ = 0;
};

/// Returns, for each task, the tasks on the longest chain that ends with it.
std::vector<std::uint64_t> chain_lengths(const Outline& outline) {
  const std::vector<const Outline::Part*> parts = parts_by_task(outline);
  std::vector<std::uint64_t> length(outline.tasks.size());
  for (std::size_t task = 0; task < length.size(); ++task) {
    if (outline.is_there(task)) continue;
    std::uint64_t before = 0;
    for (std::uint64_t at = outline.first_input[task]; at < outline.first_input[task + 1]; ++at) {
      before = std::max(before, length[outline.inputs[at]]);
    }
    length[task] = before + (parts.empty() || parts[task] == nullptr ? 1 : parts[task]->depth);
  }
  return length;
}

std::uint64_t longest_of_layers(const Outline& outline) {
  std::vector<std::uint64_t> length(outline.layers.size());
  std::uint64_t longest = 0;
  for (std::size_t layer = 0; layer < length.size(); ++layer) {
    for (const std::uint32_t source : outline.layers[layer].sources)
      length[layer] = std::max(length[layer], length[source]);
    longest = std::max(longest, ++length[layer]);
  }
  return longest;
}

void add_rows(const Outline& outline, Plan& plan) {
  for (const Outline::Layer& layer : outline.layers) {
    plan.rows.push_back({layer.name, layer.file, layer.line, layer.tasks, layer.edges, layer.tasks * layer.result_bytes,
                         layer.estimated ? Certainty::Estimated : Certainty::Exact});
  }
  const std::size_t first_kind = plan.rows.size();
  for (const Outline::Kind& kind : outline.kinds) {
    plan.rows.push_back({kind.name, kind.file, kind.line, 0, 0, 0, Certainty::Exact});
  }
  const std::vector<const Outline::Part*> parts = parts_by_task(outline);
  for (std::size_t task = 0; task < outline.tasks.size(); ++task) {
    if (outline.is_there(task)) {
      ++plan.finished;
      continue;
    }
    const Outline::Task& at = outline.tasks[task];
    PlanRow& row = plan.rows[first_kind + at.kind];
    const Outline::Part* const part = parts.empty() ? nullptr : parts[task];
    row.tasks += part == nullptr ? 1 : part->combinations;
    row.edges += part == nullptr ? outline.count_of_inputs(task) : part->values + part->combinations - 1;
    row.output_bytes += part == nullptr ? at.bytes : part->combinations * at.bytes;
    if (outline.kinds[at.kind].estimated) row.certainty = Certainty::Estimated;
  }
  std::erase_if(plan.rows, [](const PlanRow& row) { return row.tasks == 0; });
}

unsigned slots_of(unsigned asked) {
  return asked != 0 ? asked : std::max(1u, static_cast<unsigned>(memory_limits().usable_cores));
}

/// Returns the tasks of the longest chain, the last one first.
std::vector<std::uint32_t> longest_chain(const Outline& outline) {
  const std::vector<std::uint64_t> length = chain_lengths(outline);
  std::vector<std::uint32_t> chain;
  if (length.empty()) return chain;
  auto at = static_cast<std::uint32_t>(std::max_element(length.begin(), length.end()) - length.begin());
  while (length[at] != 0) {
    chain.push_back(at);
    std::uint32_t next = at;
    for (std::uint64_t k = outline.first_input[at]; k < outline.first_input[at + 1]; ++k) {
      const std::uint32_t input = outline.inputs[k];
      if (length[input] != 0 && (next == at || length[input] > length[next])) next = input;
    }
    if (next == at) break;
    at = next;
  }
  return chain;
}

std::string chain_text(const Outline& outline) {
  std::vector<std::uint32_t> chain = longest_chain(outline);
  if (chain.empty()) return "";
  std::reverse(chain.begin(), chain.end());
  constexpr std::size_t kShown = 12;
  std::string text = "  longest chain: ";
  std::size_t shown = 0;
  for (std::size_t i = 0; i < chain.size();) {
    const std::uint32_t kind = outline.tasks[chain[i]].kind;
    std::size_t end = i;
    while (end < chain.size() && outline.tasks[chain[end]].kind == kind) ++end;
    if (shown++ == kShown) {
      text += " -> ... (" + counted(chain.size() - i, "more task") + ")";
      break;
    }
    text += (i == 0 ? "" : " -> ") + outline.kinds[kind].name + (end - i > 1 ? " x " + counted(end - i) : "");
    i = end;
  }
  return text + "\n";
}

}  // namespace

Plan plan(const Described& what, PlanOptions options) {
  const Outline& outline = what.outline();
  Plan plan;
  plan.slots = slots_of(options.slots);
  plan.packets = outline.packets;
  add_rows(outline, plan);
  for (const PlanRow& row : plan.rows) {
    plan.tasks += row.tasks;
    plan.edges += row.edges;
    plan.output_bytes += row.output_bytes;
    if (row.certainty != Certainty::Estimated) continue;
    const std::string place = place_of(row.file, row.line);
    plan.estimated.push_back(place.empty() || row.name == place ? row.name : row.name + " (" + place + ")");
  }
  for (const std::uint64_t length : chain_lengths(outline)) plan.longest_chain = std::max(plan.longest_chain, length);
  if (outline.tasks.empty()) plan.longest_chain = longest_of_layers(outline);

  std::uint64_t inside = 0;
  for (const Outline::Part& part : outline.parts) inside = std::max(inside, part.peak_bytes);
  std::uint64_t inside_at_once = std::min<std::uint64_t>(plan.slots, outline.parts.size());
  if (outline.tasks.empty()) {
    for (const Outline::Layer& layer : outline.layers) inside += layer.result_bytes;
    inside_at_once = plan.slots;
  }
  plan.peak_bytes = bound_of_any_order(outline) + inside * inside_at_once;
  plan.depth_first_peak_bytes = DepthFirst(outline).peak() + inside;
  plan.certainty = !plan.estimated.empty()                           ? Certainty::Estimated
                   : outline.parts.empty() && outline.layers.empty() ? Certainty::Exact
                                                                     : Certainty::Bounded;
  plan.description_bytes = outline.tasks.size() * sizeof(TaskRecord) + outline.inputs.size() * sizeof(Edge);
  return plan;
}

std::string Plan::to_text() const {
  std::size_t name_width = 4;
  std::size_t place_width = 4;
  for (const PlanRow& row : rows) {
    name_width = std::max(name_width, std::min<std::size_t>(row.name.size(), 40));
    place_width = std::max(place_width, place_of(row.file, row.line).size());
  }
  std::string text = fmt::format("  {:<{}}  {:<{}}  {:>13}  {:>13}  {:>10}\n", "what", name_width, "line", place_width,
                                 "tasks", "inputs", "bytes out");
  for (const PlanRow& row : rows) {
    text += fmt::format("  {:<{}}  {:<{}}  {:>13}  {:>13}  {:>10}{}\n", row.name.substr(0, 40), name_width,
                        place_of(row.file, row.line), place_width, counted(row.tasks), counted(row.edges),
                        bytes_text(row.output_bytes), row.certainty == Certainty::Estimated ? "  estimated" : "");
  }
  text += "  " + counted(tasks, "task") + " to run";
  if (finished != 0) text += ", " + counted(finished) + " are there already";
  if (packets != 0) text += ", in " + counted(packets, "packet");
  text += "; the longest chain has " + counted(longest_chain, "task") + "\n";
  text += "  results: " + bytes_text(output_bytes) + " in all; at most " + bytes_text(peak_bytes) +
          " at once in any order on " + counted(slots, "slot") + ", " + bytes_text(depth_first_peak_bytes) +
          " depth first in one\n";
  if (!estimated.empty()) {
    text += "  only estimated:";
    for (std::size_t i = 0; i < estimated.size() && i < 8; ++i) text += (i == 0 ? " " : ", ") + estimated[i];
    if (estimated.size() > 8) text += ", and " + counted(estimated.size() - 8) + " more";
    text += "\n";
  }
  return text + "  the description takes " + bytes_text(description_bytes) + " and the arguments\n";
}

std::ostream& operator<<(std::ostream& out, const Plan& plan) { return out << plan.to_text(); }

std::string explain(const Described& what, ExplainOptions options) {
  const Plan plan = weft::plan(what, {.slots = options.slots});
  std::string text = plan.to_text() + chain_text(what.outline());
  if (plan.longest_chain != 0 && plan.tasks >= 16 && plan.tasks / plan.longest_chain < plan.slots) {
    text += fmt::format("  note: on average {:.1f} tasks can run at once, so of {} slots some will wait\n",
                        static_cast<double>(plan.tasks) / static_cast<double>(plan.longest_chain), plan.slots);
  }
  if (options.memory_bytes != 0 && plan.depth_first_peak_bytes > options.memory_bytes) {
    text += "  note: even depth first the results need more than the " + bytes_text(options.memory_bytes) +
            " given: the rest will be spilled to disk\n";
  } else if (options.memory_bytes != 0 && plan.peak_bytes > options.memory_bytes) {
    text += "  note: fits the " + bytes_text(options.memory_bytes) +
            " given when it runs depth first; a worse order would spill to disk\n";
  }
  constexpr std::uint64_t kMany = 10'000'000;
  if (what.outline().tasks.size() > kMany) {
    text += "  note: regular work of so many tasks can be described as blocks (weft/layer.hpp), which stores none\n";
  }
  if (!plan.estimated.empty()) {
    text += "  note: estimated sizes leave out what a result owns until one of its kind is there\n";
  }
  return text;
}

}  // namespace weft
