#include "arrays/plan/lower.hpp"

#include "arrays/plan/compile.hpp"
#include "arrays/plan/tasks.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <set>

namespace weft::arrays::lowering {
namespace {

using expression::Key;
using expression::Node;
using expression::NodeKind;
using expression::NodePointer;

/// About how long one element takes on this kind of machine, in nanoseconds: what it costs to compute it twice.
double own_cost(const Node& node) {
  switch (node.kind) {
    case NodeKind::Generated:
      switch (static_cast<Generator::Kind>(node.generator.kind)) {
        case Generator::Constant:
        case Generator::Ramp:
          return 0.2;
        case Generator::Uniform:
        case Generator::Integers:
          return 2.5;
        case Generator::Normal:
        case Generator::Exponential:
          return 12;
      }
      return 1;
    case NodeKind::Elementwise:
      return node.op >= OpCode::sqrt && node.op <= OpCode::sinc ? 6 : 0.2;
    case NodeKind::Cast:
      return 0.2;
    case NodeKind::View:
      return 0.05;
    case NodeKind::Stored:
    case NodeKind::Reduced:
    case NodeKind::Structural:
      return 0.4;
  }
  return 1;
}

/// Above this, what is read by several passes is kept rather than computed again.
constexpr double kDear = 2.0;
/// Elements one task of a reduction covers at least, as long as there are tasks enough.
constexpr std::int64_t kTaskElements = std::int64_t{1} << 19;
constexpr std::int64_t kEnoughTasks = 256;
constexpr std::int64_t kMostTasks = std::int64_t{1} << 16;

bool always_materialised(const Node& node) {
  return node.kind == NodeKind::Stored || node.kind == NodeKind::Reduced || node.kind == NodeKind::Structural;
}

/// The nodes at which passes end, below the outputs, each once; whoever reads comes before what it reads.
void collect_passes(const std::vector<NodePointer>& outputs, const IsMaterialised& materialised,
                    const std::function<void(const NodePointer& pass)>& visit) {
  std::set<Key> seen;
  std::vector<NodePointer> open = outputs;
  while (!open.empty()) {
    const NodePointer pass = open.back();
    open.pop_back();
    if (!seen.insert(pass->key).second) continue;
    if (pass->kind == NodeKind::Stored) continue;
    visit(pass);
    const auto enter = [&](const NodePointer& root) {
      walk_pass(root, materialised, [&](const NodePointer& node, const IndexMap&) {
        if (node->key != root->key && (always_materialised(*node) || materialised(*node))) open.push_back(node);
      });
    };
    if (pass->kind == NodeKind::Reduced) {
      if (always_materialised(*pass->inputs[0]) || materialised(*pass->inputs[0])) open.push_back(pass->inputs[0]);
      enter(pass->inputs[0]);
    } else if (pass->kind == NodeKind::Structural) {
      open.insert(open.end(), pass->inputs.begin(), pass->inputs.end());
    } else {
      enter(pass);
    }
  }
}

}  // namespace

Lowering::Lowering(const std::vector<NodePointer>& outputs) { choose_materialised(outputs); }

bool Lowering::materialised(const Node& node) const {
  return always_materialised(node) || materialised_.count(node.key) != 0;
}

void Lowering::choose_materialised(const std::vector<NodePointer>& outputs) {
  // Inputs of structures have chunks of their own: their boxes are moved, not computed again.
  const IsMaterialised chosen = [this](const Node& node) { return materialised(node); };
  for (bool changed = true; changed;) {
    changed = false;
    struct Access {
      NodePointer node;
      int count = 0;
      bool below_dear = false;
    };
    std::map<Key, Access> accesses;
    collect_passes(outputs, chosen, [&](const NodePointer& pass) {
      if (pass->kind == NodeKind::Structural) {
        for (const NodePointer& input : pass->inputs) {
          if (!materialised(*input)) changed = materialised_.emplace(input->key, true).second || changed;
        }
        return;
      }
      const NodePointer& root = pass->kind == NodeKind::Reduced ? pass->inputs[0] : pass;
      if (root != pass && materialised(*root)) return;
      walk_pass(root, chosen, [&](const NodePointer& node, const IndexMap&) {
        if (materialised(*node) || (node == pass)) return;
        Access& access = accesses[node->key];
        access.node = node;
        ++access.count;
      });
    });
    if (changed) continue;
    // Of what is dear and read by several passes, or at several places by one, the outermost is kept.
    std::map<Key, double> costs;
    const auto cost = [&](const auto& self, const NodePointer& node) -> double {
      const auto known = costs.find(node->key);
      if (known != costs.end()) return known->second;
      double sum = own_cost(*node);
      if (!materialised(*node)) {
        for (const NodePointer& input : node->inputs) sum += self(self, input);
      }
      return costs[node->key] = sum;
    };
    std::set<Key> below;
    for (const auto& [key, access] : accesses) {
      if (access.count < 2 || access.node->kind == NodeKind::View || cost(cost, access.node) < kDear) continue;
      std::vector<NodePointer> open = access.node->inputs;
      while (!open.empty()) {
        const NodePointer node = open.back();
        open.pop_back();
        if (materialised(*node) || !below.insert(node->key).second) continue;
        open.insert(open.end(), node->inputs.begin(), node->inputs.end());
      }
    }
    for (const auto& [key, access] : accesses) {
      if (access.count < 2 || access.node->kind == NodeKind::View || below.count(key) != 0) continue;
      if (cost(cost, access.node) < kDear) continue;
      materialised_.emplace(key, true);
      changed = true;
    }
  }
}

Lowering::Step& Lowering::step_of(const NodePointer& node) {
  std::unique_ptr<Step>& step = steps_[node->key];
  if (step != nullptr) return *step;
  step = std::make_unique<Step>();
  if (node->kind == NodeKind::Stored) return *step;
  auto stage = std::make_shared<Stage>();
  stage->type = node->dtype.code();
  stage->unit = node->dtype.unit();
  if (node->kind == NodeKind::Structural) {
    stage->kind = Stage::Structural;
    stage->grid = node->grid;
    stage->structure = node->structure;
    step->sources = node->inputs;
  } else {
    const bool reduces = node->kind == NodeKind::Reduced;
    const NodePointer& root = reduces ? node->inputs[0] : node;
    stage->kind = reduces ? Stage::Reduce : Stage::Compute;
    stage->grid = root->grid;
    const bool reads = reduces && materialised(*root);
    Compiled compiled;
    if (reads) {
      compiled = compile(
          expression::make_view(root, expression::identity_map(root->grid.size()), root->grid, "input", root->where),
          [this](const Node& one) { return materialised(one); });
    } else {
      compiled = compile(root, [this](const Node& one) { return materialised(one); });
    }
    stage->program = std::move(compiled.program);
    step->sources = std::move(compiled.sources);
    if (reduces) stage->reduce = node->reduce;
  }
  for (const NodePointer& source : step->sources) {
    stage->sources.push_back({source->grid, source->dtype.code(), source->dtype.unit()});
  }
  step->stage = std::move(stage);
  return *step;
}

const Delayed<Buffer>& Lowering::chunk(const NodePointer& node, std::int64_t number) {
  if (node->kind == NodeKind::Stored) return node->chunks[static_cast<std::size_t>(number)];
  Step& step = step_of(node);
  const auto known = step.chunks.find(number);
  if (known != step.chunks.end()) return known->second;
  Delayed<Buffer> made =
      node->kind == NodeKind::Reduced ? describe_reduction(node, step, number) : describe(node, step, number);
  return step.chunks.emplace(number, std::move(made)).first->second;
}

std::vector<Delayed<Buffer>> Lowering::inputs_of(Step& step, const std::vector<SourceChunk>& chunks) {
  std::vector<Delayed<Buffer>> inputs;
  inputs.reserve(chunks.size());
  for (const SourceChunk& one : chunks) inputs.push_back(chunk(step.sources[one.source], one.chunk));
  return inputs;
}

Delayed<Buffer> Lowering::describe(const NodePointer& node, Step& step, std::int64_t number) {
  std::vector<SourceChunk> chunks;
  list_sources(*step.stage, expression::chunk_box(step.stage->grid, number), chunks);
  return delayed(ComputeChunk{}, node->where)(StageReference{step.stage}, number, inputs_of(step, chunks));
}

Delayed<Buffer> Lowering::describe_reduction(const NodePointer& node, Step& step, std::int64_t number) {
  const ReductionTree tree(*step.stage, number);
  const Box first = tree.box(0);
  const std::int64_t outputs = expression::chunk_count(node->grid);
  // How many chunks a task reduces: enough to be worth a task, but leaving tasks enough to share; and never so few that
  // the tasks themselves become the problem.
  int level = 0;
  std::int64_t covered =
      expression::known(step.stage->grid) ? std::max<std::int64_t>(1, first.elements()) : kTaskElements;
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
  const StageReference stage{step.stage};
  const auto reduce = delayed(ReduceNode{}, node->where);
  std::vector<Delayed<Buffer>> nodes;
  const std::int64_t count = tree.nodes_at(level);
  for (std::int64_t index = 0; index < count; ++index) {
    std::vector<SourceChunk> chunks;
    if (!step.sources.empty()) {
      const auto [begin, end] = tree.leaves_below(level, index);
      for (std::int64_t leaf = begin; leaf < end; ++leaf) list_sources(*step.stage, tree.box(leaf), chunks);
      std::sort(chunks.begin(), chunks.end());
      chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
    }
    nodes.push_back(reduce(stage, number, level, index, count == 1, inputs_of(step, chunks)));
  }
  const auto merge = delayed(MergeNodes{}, node->where);
  while (nodes.size() > 1) {
    std::vector<Delayed<Buffer>> above;
    for (std::size_t at = 0; at < nodes.size(); at += kFanIn) {
      const std::size_t end = std::min(nodes.size(), at + static_cast<std::size_t>(kFanIn));
      const bool last = nodes.size() <= static_cast<std::size_t>(kFanIn);
      above.push_back(merge(stage, number, last,
                            std::vector<Delayed<Buffer>>(nodes.begin() + static_cast<std::ptrdiff_t>(at),
                                                         nodes.begin() + static_cast<std::ptrdiff_t>(end))));
    }
    nodes.swap(above);
  }
  return nodes.front();
}

}  // namespace weft::arrays::lowering
