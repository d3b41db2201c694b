// Tasks of reductions: what one of them reduces, and what is reduced together.

#include "arrays/plan/compile.hpp"
#include "arrays/plan/device_tasks.hpp"
#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/lower.hpp"
#include "arrays/plan/tasks.hpp"

#include <algorithm>
#include <set>

namespace weft::arrays::lowering {
namespace {

using expression::Key;
using expression::Node;
using expression::NodeKind;
using expression::NodePointer;

/// Elements one task of a reduction covers at least, as long as there are tasks enough.
constexpr std::int64_t kTaskElements = std::int64_t{1} << 19;
constexpr std::int64_t kEnoughTasks = 256;
constexpr std::int64_t kMostTasks = std::int64_t{1} << 16;

/// Tells whether a node is computed from one of others.
bool depends(const NodePointer& node, const std::set<Key>& others) {
  std::set<Key> seen;
  std::vector<NodePointer> open = node->inputs;
  while (!open.empty()) {
    const NodePointer one = open.back();
    open.pop_back();
    if (!seen.insert(one->key).second) continue;
    if (others.count(one->key) != 0) return true;
    open.insert(open.end(), one->inputs.begin(), one->inputs.end());
  }
  return false;
}

void keep_unique(std::vector<SourceChunk>& chunks) {
  std::sort(chunks.begin(), chunks.end());
  chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
}

}  // namespace

/// Generated numbers that a pass reads as they are and transposed: a task makes each of them once for both.
std::set<Key> Lowering::generated_squares(const NodePointer& root) const {
  return read_both_ways(
      root, [this](const Node& one) { return materialised(one); },
      [this](const Node& one) { return is_drawn(one) && !materialised(one); }, true);
}

/// Reductions that are asked for themselves, so that every leaf of each is needed.
void Lowering::choose_together(const std::vector<NodePointer>& outputs) {
  std::set<Key> asked;
  std::vector<NodePointer> candidates;
  for (const NodePointer& output : outputs) {
    // Reduced axes that are left out are a view.
    NodePointer node = output;
    while (node->kind == NodeKind::View && expression::known(node->grid) && expression::known(node->inputs[0]->grid) &&
           node->shape.elements() == node->inputs[0]->shape.elements()) {
      node = node->inputs[0];
    }
    if (node->kind != NodeKind::Reduced || !expression::known(node->inputs[0]->grid)) continue;
    if (asked.insert(node->key).second) candidates.push_back(node);
  }
  if (candidates.size() < 2) return;
  std::vector<std::shared_ptr<Together>> groups;
  for (const NodePointer& node : candidates) {
    if (depends(node, asked)) continue;
    const auto fits = [&](const std::shared_ptr<Together>& group) {
      const Node& first = *group->nodes[0];
      if (!(first.inputs[0]->grid == node->inputs[0]->grid) || first.reduce.reduced != node->reduce.reduced)
        return false;
      // The leaves of both must be of the same chunks: those of a matrix and its transpose are of one.
      if (step_of(group->nodes[0]).stage->square != step_of(node).stage->square) return false;
      for (const NodePointer& member : group->nodes) {
        for (const NodePointer& source : step_of(member).sources) {
          if (!materialised(*source)) continue;
          for (const NodePointer& mine : step_of(node).sources) {
            if (mine->key == source->key) return true;
          }
        }
      }
      return false;
    };
    const auto found = std::find_if(groups.begin(), groups.end(), fits);
    if (found == groups.end()) {
      groups.push_back(std::make_shared<Together>(Together{{node}, {}}));
    } else {
      (*found)->nodes.push_back(node);
    }
  }
  for (const std::shared_ptr<Together>& group : groups) {
    if (group->nodes.size() < 2) continue;
    for (const NodePointer& node : group->nodes) together_.emplace(node->key, group);
  }
}

/// How many levels of the tree a task reduces: enough chunks to be worth a task, but leaving tasks enough to share; and
/// never so few that the tasks themselves become the problem.
int Lowering::level_of(const Step& step, const ReductionTree& tree, std::int64_t outputs) const {
  int level = 0;
  std::int64_t covered = kTaskElements;
  if (expression::known(step.stage->grid)) covered = std::max<std::int64_t>(1, tree.box(0).elements() * tree.group());
  const auto more = [&] {
    const std::int64_t tasks = tree.nodes_at(level) * outputs;
    if (tree.nodes_at(level) == 1) return false;
    if (step.sources.empty() && tasks > kMostTasks) return true;
    return covered * kFanIn <= kTaskElements && tree.nodes_at(level + 1) * outputs >= kEnoughTasks;
  };
  while (more()) {
    ++level;
    covered *= kFanIn;
  }
  return level;
}

/// The leaves of one output in all of some reductions over the same chunks. Of a square of chunks, (i, j) and (j, i)
/// are one task: it reads the same chunks for both.
std::vector<LeafTask> Lowering::describe_together(const std::vector<NodePointer>& nodes, std::int64_t number,
                                                  const ReductionTree& tree) {
  std::vector<Step*> steps;
  std::vector<StageReference> stages;
  for (const NodePointer& node : nodes) {
    steps.push_back(&step_of(node));
    stages.push_back({steps.back()->stage});
  }
  const Stage& first = *stages[0].stage;
  const bool whole = first.reduce.reduced.size() == 2 && first.reduce.reduced[0] != 0 && first.reduce.reduced[1] != 0;
  const std::int64_t side = first.square && whole ? first.grid[0].count() : 0;
  const auto reduce = delayed(ReduceTogether{}, nodes[0]->where);
  std::vector<LeafTask> tasks(static_cast<std::size_t>(tree.leaves()));
  for (std::int64_t leaf = 0; leaf < tree.leaves(); ++leaf) {
    std::vector<std::int64_t> leaves{leaf};
    if (side != 0) {
      const std::int64_t other = leaf % side * side + leaf / side;
      if (other < leaf) continue;
      if (other > leaf) leaves.push_back(other);
    }
    std::vector<Delayed<Buffer>> inputs;
    for (Step* const step : steps) {
      std::vector<SourceChunk> chunks;
      for (const std::int64_t one : leaves) tree.list_sources(*step->stage, one, chunks);
      keep_unique(chunks);
      const std::vector<Delayed<Buffer>> its = inputs_of(*step, chunks);
      inputs.insert(inputs.end(), its.begin(), its.end());
    }
    const Delayed<Buffer> task = reduce(stages, number, leaves, inputs);
    note(nodes[0], task, StatesTogether(stages, tree.outputs(), leaves.size()).bytes(), inputs);
    for (std::size_t place = 0; place < leaves.size(); ++place) {
      tasks[static_cast<std::size_t>(leaves[place])] = {task, place, leaves.size()};
    }
  }
  return tasks;
}

Delayed<Buffer> Lowering::describe_reduction(const NodePointer& node, Step& step, std::int64_t number) {
  const ReductionTree tree(*step.stage, number);
  const int level = level_of(step, tree, expression::chunk_count(node->grid));
  const auto group = together_.find(node->key);
  const bool on_device = step.stage->device != Stage::kNever;
  if (level == 0 && !on_device && (group != together_.end() || (step.stage->square && tree.leaves() > 1))) {
    std::vector<NodePointer> nodes{node};
    std::vector<LeafTask> own;
    std::vector<LeafTask>* leaves = &own;
    if (group != together_.end()) {
      nodes = group->second->nodes;
      leaves = &group->second->leaves[number];
    }
    if (leaves->empty()) *leaves = describe_together(nodes, number, tree);
    std::vector<StageReference> stages;
    std::size_t place = 0;
    for (const NodePointer& one : nodes) {
      if (one->key == node->key) place = stages.size();
      stages.push_back({step_of(one).stage});
    }
    std::vector<Delayed<Buffer>> states;
    std::vector<std::uint64_t> offsets;
    for (const LeafTask& leaf : *leaves) {
      states.push_back(leaf.task);
      offsets.push_back(StatesTogether(stages, tree.outputs(), leaf.leaves).offset(place, leaf.place));
    }
    return describe_merges(node, step, number, std::move(states), std::move(offsets));
  }
  const std::int64_t count = tree.nodes_at(level);
  const std::uint64_t bytes = count == 1 ? static_cast<std::uint64_t>(tree.outputs()) * node->dtype.size()
                                         : state_layout(*step.stage, tree.outputs()).bytes;
  const auto reduce = delayed(ReduceNode{}, node->where);
  std::vector<std::vector<SourceChunk>> read(static_cast<std::size_t>(count));
  std::vector<std::size_t> order;
  for (std::size_t index = 0; index < read.size(); ++index) {
    order.push_back(index);
    if (step.sources.empty()) continue;
    const auto [begin, end] = tree.leaves_below(level, static_cast<std::int64_t>(index));
    for (std::int64_t leaf = begin; leaf < end; ++leaf) tree.list_sources(*step.stage, leaf, read[index]);
    keep_unique(read[index]);
  }
  // Those that read the same chunks, as blocks (i, j) and (j, i) of a sum with a transpose, run one after the other.
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return read[a] < read[b]; });
  std::vector<Delayed<Buffer>> nodes(read.size());
  for (const std::size_t index : order) {
    if (on_device) {
      nodes[index] = delayed(ReduceAnywhere{}, node->where)(StageReference{step.stage}, number, level,
                                                            static_cast<std::int64_t>(index), count == 1,
                                                            device_inputs_of(step, read[index]));
      continue;
    }
    const std::vector<Delayed<Buffer>> inputs = inputs_of(step, read[index]);
    nodes[index] =
        reduce(StageReference{step.stage}, number, level, static_cast<std::int64_t>(index), count == 1, inputs);
    note(node, nodes[index], bytes, inputs);
  }
  if (count == 1) return nodes.front();
  return describe_merges(node, step, number, std::move(nodes),
                         std::vector<std::uint64_t>(static_cast<std::size_t>(count), 0));
}

/// The tree above states; the output is made of what is left.
Delayed<Buffer> Lowering::describe_merges(const NodePointer& node, const Step& step, std::int64_t number,
                                          std::vector<Delayed<Buffer>> states, std::vector<std::uint64_t> offsets) {
  const std::int64_t outputs = ReductionTree(*step.stage, number).outputs();
  const std::uint64_t state_bytes = state_layout(*step.stage, outputs).bytes;
  const std::uint64_t output_bytes = static_cast<std::uint64_t>(outputs) * node->dtype.size();
  const auto merge = delayed(MergeNodes{}, node->where);
  for (bool last = false; !last;) {
    last = states.size() <= static_cast<std::size_t>(kFanIn);
    std::vector<Delayed<Buffer>> above;
    for (std::size_t at = 0; at < states.size(); at += kFanIn) {
      const auto begin = static_cast<std::ptrdiff_t>(at);
      const auto end = static_cast<std::ptrdiff_t>(std::min(states.size(), at + static_cast<std::size_t>(kFanIn)));
      const std::vector<Delayed<Buffer>> some(states.begin() + begin, states.begin() + end);
      const std::vector<std::uint64_t> places(offsets.begin() + begin, offsets.begin() + end);
      above.push_back(merge(StageReference{step.stage}, number, last, places, some));
      note(node, above.back(), last ? output_bytes : state_bytes, some);
    }
    states.swap(above);
    offsets.assign(states.size(), 0);
  }
  return states.front();
}

}  // namespace weft::arrays::lowering
