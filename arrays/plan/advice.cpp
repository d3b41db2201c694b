// What costs more than it must, told from the plan and from the expression.
#include <weft/array_advice.hpp>
#include <weft/array_plan.hpp>

#include "arrays/expression/node.hpp"
#include "arrays/plan/explain.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

namespace weft::arrays {
namespace {

using expression::NodeKind;
using expression::NodePointer;
using lowering::bytes_text;
using lowering::counted;

constexpr const char* kIds[] = {"small-chunks", "large-chunks", "few-chunks",   "mismatched-chunks",
                                "whole-array",  "all-to-all",   "large-result", "more-than-memory"};
/// Less than this is never worth a word.
constexpr std::uint64_t kMuch = 64'000'000;
/// A task of fewer bytes costs about as much as what it computes, where there are many.
constexpr std::uint64_t kSmall = 100'000, kMany = 10'000;
/// A result that is brought into one process without being asked about.
constexpr std::uint64_t kLargeResult = 4'000'000'000;

class Adviser {
 public:
  explicit Adviser(const AdviceOptions& options) : options_(options) {
    for (const std::string& id : options.silenced) {
      if (std::find(std::begin(kIds), std::end(kIds), id) != std::end(kIds)) continue;
      std::string all;
      for (const char* one : kIds) all += (all.empty() ? "" : ", ") + std::string(one);
      throw Error("advise: there is no advice '" + id + "' to be silenced; there are " + all);
    }
  }

  void look(const ArrayPlan& plan) {
    slots_ = plan.slots;
    if (options_.memory_bytes != 0 && plan.peak_bytes > options_.memory_bytes) {
      say("more-than-memory", {}, 0,
          bytes_text(options_.memory_bytes) + " is less than the " + bytes_text(plan.peak_bytes) +
              " that exist at once: results go to disk and come back; smaller chunks or fewer slots take less");
    }
    for (const ArrayStep& step : plan.steps) {
      if (!step.stored && step.tasks != 0) look(plan, step);
    }
  }

  void look_at_result(const Array& array) {
    const NodePointer& node = array.node();
    if (!expression::known(node->grid)) return;
    const auto bytes = static_cast<std::uint64_t>(array.nbytes());
    const std::uint64_t limit = options_.memory_bytes != 0 ? options_.memory_bytes / 2 : kLargeResult;
    if (bytes <= std::max(limit, kMuch)) return;
    say("large-result", node->where.file_name(), node->where.line(),
        "compute brings " + bytes_text(bytes) +
            " into one process: persist keeps chunks where they are, save writes "
            "them from there, a reduction or a slice makes less of them");
  }

  void look_at_chunks(const NodePointer& node) {
    if (!seen_.insert(node.get()).second) return;
    if (node->kind == NodeKind::Elementwise && expression::known(node->grid)) {
      const expression::Node* first = nullptr;
      for (const NodePointer& input : node->inputs) {
        // An array whose chunks were to meet others' was given their grid by a view.
        const NodePointer& own = input->name == "broadcast" ? input->inputs[0] : input;
        if (own->shape != node->shape || !reads_chunks(*own)) continue;
        if (first == nullptr) first = own.get();
        if (!(own->grid == first->grid)) say_mismatch(*node, *first, *own);
      }
    }
    for (const NodePointer& input : node->inputs) look_at_chunks(input);
  }

  std::vector<ArrayAdvice> take() { return std::move(found_); }

 private:
  void look(const ArrayPlan& plan, const ArrayStep& step) {
    const std::uint64_t each = step.bytes / step.tasks;
    if (step.tasks > kMany && each < kSmall) {
      say("small-chunks", step,
          counted(step.tasks, "task") + " of " + bytes_text(each) +
              ": larger chunks cost less; rechunk, or .chunks where it is made");
    }
    if (options_.memory_bytes != 0 && step.largest_bytes > kMuch / 64 &&
        step.largest_bytes * slots_ > options_.memory_bytes / 2) {
      say("large-chunks", step,
          "chunks of " + bytes_text(step.largest_bytes) + ", one in each of " + counted(slots_, "slot") +
              ", take more than half of " + bytes_text(options_.memory_bytes) + ": smaller chunks leave room");
    }
    if (step.tasks < slots_ && step.bytes >= kMuch) {
      say("few-chunks", step,
          counted(step.tasks, "task") + " of " + bytes_text(each) + " for " + counted(slots_, "slot") +
              ": some have nothing to do; smaller chunks share the work");
    }
    // Of each step that it reads only the sum of edges is known: with one, all are its.
    if (step.reads.size() != 1) return;
    const ArrayStep& read = plan.steps[step.reads.front()];
    if (read.stored || read.tasks < 4 || read.bytes < kMuch || step.edges < step.tasks * read.tasks) return;
    if (step.tasks == 1) {
      say("whole-array", step,
          "one task takes all " + counted(read.tasks, "chunk") + " of " + read.name + ", " + bytes_text(read.bytes) +
              ": it needs them at once, and nothing else runs meanwhile; rechunk so that the axis it works along is "
              "whole, "
              "and others are cut");
    } else if (step.tasks >= 16 && read.tasks >= 16) {
      say("all-to-all", step,
          "each of " + counted(step.tasks, "task") + " reads each of " + counted(read.tasks, "chunk") + " of " +
              read.name + ": " + counted(step.edges, "piece") +
              " move; chunks that change fewer axes at a time, or fewer chunks, need less");
    }
  }

  /// What is only computed from places has any chunks at no cost.
  bool reads_chunks(const expression::Node& node) {
    switch (node.kind) {
      case NodeKind::Generated:
        return false;
      case NodeKind::Stored:
      case NodeKind::Structural:
      case NodeKind::Reduced:
        return true;
      case NodeKind::Elementwise:
      case NodeKind::Cast:
      case NodeKind::View:
        break;
    }
    const auto known = reads_.find(&node);
    if (known != reads_.end()) return known->second;
    bool found = false;
    for (const NodePointer& input : node.inputs) found = reads_chunks(*input) || found;
    return reads_[&node] = found;
  }

  static std::string chunks_text(const expression::Node& node) {
    std::string text;
    for (const expression::AxisGrid& axis : node.grid) {
      text += (text.empty() ? "(" : ", ") + std::to_string(axis.largest()) + (axis.count() > 1 ? "" : " (whole)");
    }
    return text + ")";
  }

  void say_mismatch(const expression::Node& node, const expression::Node& a, const expression::Node& b) {
    const auto bytes = static_cast<std::uint64_t>(node.shape.elements()) * node.dtype.size();
    if (bytes < kMuch / 64) return;
    say("mismatched-chunks", node.where.file_name(), node.where.line(),
        node.name + " meets chunks of " + chunks_text(a) + " and of " + chunks_text(b) +
            ": each task reads parts of several chunks; rechunk one like the other, best where it is made");
  }

  void say(const char* id, const ArrayStep& step, const std::string& text) {
    say(id, step.file, step.line, step.name + " has " + text);
  }
  void say(const char* id, const std::string& file, std::uint32_t line, const std::string& text) {
    const bool silent = std::find(options_.silenced.begin(), options_.silenced.end(), id) != options_.silenced.end();
    if (silent || !said_.insert({id, file, line}).second) return;
    found_.push_back({id, text, file, line});
  }

  const AdviceOptions& options_;
  unsigned slots_ = 1;
  std::set<const expression::Node*> seen_;
  std::map<const expression::Node*, bool> reads_;
  std::set<std::tuple<std::string, std::string, std::uint32_t>> said_;
  std::vector<ArrayAdvice> found_;
};

}  // namespace

std::vector<ArrayAdvice> advise(const std::vector<Array>& arrays, const AdviceOptions& options) {
  Adviser adviser(options);
  adviser.look(plan(arrays, {.slots = options.slots}));
  for (const Array& array : arrays) {
    adviser.look_at_result(array);
    adviser.look_at_chunks(array.node());
  }
  return adviser.take();
}

std::vector<ArrayAdvice> advise(const Array& array, const AdviceOptions& options) {
  return advise(std::vector<Array>{array}, options);
}

std::string ArrayAdvice::to_text() const {
  const std::string place = line == 0 ? "" : " (" + file.substr(file.rfind('/') + 1) + ":" + std::to_string(line) + ")";
  return id + place + ": " + text;
}

}  // namespace weft::arrays
