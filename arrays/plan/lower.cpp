#include "arrays/plan/lower.hpp"

#include "arrays/plan/compile.hpp"
#include "arrays/plan/device_tasks.hpp"
#include "arrays/plan/evaluate.hpp"
#include "arrays/plan/tasks.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <set>
#include <string_view>

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
          return 0.9;
        case Generator::Normal:
        case Generator::Exponential:
          return 3;
      }
      return 1;
    case NodeKind::Elementwise:
      if (node.user.kernel != nullptr) return 3;
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

bool always_materialised(const Node& node) {
  return node.kind == NodeKind::Stored || node.kind == NodeKind::Reduced || node.kind == NodeKind::Structural;
}

/// Nodes that are looked at to find whether a fold goes in squares.
constexpr int kMostLookedAt = 4096;

/// Tells whether a fold reads something dear and its transpose. The expression alone decides, not what else has tasks:
/// the order of the fold follows from it.
bool folds_squares(const NodePointer& root, const ReduceSpec& reduce) {
  if (reduce.reduced.size() != 2 || (reduce.reduced[0] == 0 && reduce.reduced[1] == 0)) return false;
  const auto dear = [](const Node& node) {
    return always_materialised(node) || is_drawn(node) || (node.kind != NodeKind::View && own_cost(node) >= kDear);
  };
  int looked = 0;
  const auto ends = [&](const Node& node) { return dear(node) || ++looked > kMostLookedAt; };
  return !read_both_ways(root, ends, dear, false).empty();
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

/// The chunk that a box of a view is, element by element: axes of extent 1 more or less, or a slice that is cut where
/// the chunks are. Nothing where there is none.
std::optional<std::int64_t> chunk_behind(const Grid& from, const IndexMap& maps, const Box& box) {
  std::vector<std::int64_t> pieces(from.size());
  std::vector<bool> followed(box.ndim(), false);
  std::int32_t next = 0;
  for (std::size_t axis = 0; axis < from.size(); ++axis) {
    const expression::AxisMap& map = maps[axis];
    std::int64_t begin = map.start, extent = 1;
    if (map.out_axis >= 0) {
      if (map.out_axis < next || map.step != 1) return {};
      next = map.out_axis + 1;
      const auto out = static_cast<std::size_t>(map.out_axis);
      followed[out] = true;
      begin += box.start[out];
      extent = box.extent[out];
    }
    pieces[axis] = from[axis].find(begin);
    if (from[axis].start(pieces[axis]) != begin || from[axis].size(pieces[axis]) != extent) return {};
  }
  for (std::size_t axis = 0; axis < followed.size(); ++axis) {
    if (!followed[axis] && box.extent[axis] != 1) return {};
  }
  return expression::chunk_number(from, pieces.data());
}

}  // namespace

Lowering::Lowering(const std::vector<NodePointer>& outputs, Outlined* outlined,
                   std::function<Circumstances()> circumstances, bool kokkos, Stage::Device device)
    : outlined_(outlined), ask_(std::move(circumstances)), kokkos_(kokkos), device_(device) {
  choose_materialised(outputs);
  count_reads(outputs);
  // What a device folds is folded leaf by leaf: what it reads lies there once.
  if (device_ == Stage::kNever) choose_together(outputs);
}

void Lowering::note(const NodePointer& node, const Delayed<Buffer>& task, std::uint64_t bytes,
                    const std::vector<Delayed<Buffer>>& inputs) {
  if (outlined_ == nullptr) return;
  Outlined::Task noted{node, bytes, {}, 0};
  for (const Delayed<Buffer>& input : inputs) {
    const auto known = outlined_->places.find(input.task_id());
    if (known == outlined_->places.end()) {
      ++noted.stored;
    } else {
      noted.inputs.push_back(known->second);
    }
  }
  outlined_->places.emplace(task.task_id(), static_cast<std::uint32_t>(outlined_->tasks.size()));
  outlined_->tasks.push_back(std::move(noted));
}

bool Lowering::materialised(const Node& node) const {
  return always_materialised(node) || materialised_.count(node.key) != 0;
}

void Lowering::choose_materialised(const std::vector<NodePointer>& outputs) {
  // Inputs of structures have chunks of their own: their boxes are moved, not computed again; but for those that cost
  // less than that.
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
          if (materialised(*input) || made_in_place(*pass, input)) continue;
          changed = materialised_.emplace(input->key, true).second || changed;
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

/// Tells whether a structure's task makes its boxes of an input by itself: it needs each element about once, and they
/// follow from their indices at little cost.
bool Lowering::made_in_place(const Node& structure, const NodePointer& input) const {
  const expression::StructureType& type = *structure.structure->type;
  if (!type.assembles && std::string_view(type.name) != "map_overlap") return false;
  if (always_materialised(*input) || !expression::known(input->grid)) return false;
  double cost = 0;
  bool from_indices = true;
  walk_pass(
      input, [this](const Node& node) { return materialised(node); },
      [&](const NodePointer& node, const IndexMap&) {
        from_indices = from_indices && !materialised(*node);
        cost += own_cost(*node);
      });
  return from_indices && cost < kDear;
}

/// Pieces that a rechunk is cut into, at most.
constexpr std::int64_t kMostPieces = std::int64_t{1} << 18;

/// A chunk of the result reads whole chunks of the source, where they are in the same process and there is room for all
/// that it touches. Otherwise the source is first cut into pieces that go into one chunk of the result each, so that
/// only these move and wait.
NodePointer Lowering::source_of_rechunk(const NodePointer& node) {
  const NodePointer& source = node->inputs[0];
  if (!ask_ || !expression::known(node->grid) || !expression::known(source->grid)) return source;
  double touched = 1, whole = static_cast<double>(source->dtype.size()), made = whole;
  Grid pieces;
  for (std::size_t axis = 0; axis < node->grid.size(); ++axis) {
    pieces.push_back(expression::common_refinement(source->grid[axis], node->grid[axis]));
    touched *= static_cast<double>(pieces[axis].count()) / static_cast<double>(node->grid[axis].count());
    whole *= static_cast<double>(source->grid[axis].largest());
    made *= static_cast<double>(node->grid[axis].largest());
  }
  if (touched < 2 || expression::chunk_count(pieces) > kMostPieces) return source;
  if (!circumstances_) circumstances_ = ask_();
  const double waits = touched * whole;
  const double room = static_cast<double>(circumstances_->memory_bytes) / (2.0 * circumstances_->slots);
  const bool crowded = circumstances_->memory_bytes != 0 && waits > room;
  if (waits < 2 * made || !(circumstances_->apart || crowded)) return source;
  NodePointer cut = expression::make_structural(node->structure, {source}, node->dtype, std::move(pieces), node->where);
  if (crowded) cut_ranks_.emplace(cut->key, cut_ranks_.size());
  return cut;
}

/// Whether more moves to the chunks of a structure than they need, as above: then its input is cut first. Some of the
/// chunks are looked at.
NodePointer Lowering::cut_into_pieces(const NodePointer& node, const Stage& stage) {
  if (node->structure->type->cut == nullptr || !ask_ || !expression::known(node->grid)) return nullptr;
  if (!materialised(*node->inputs[0]) || !expression::known(node->inputs[0]->grid)) return nullptr;
  constexpr std::int64_t kLookedAt = 64;
  const std::int64_t count = expression::chunk_count(node->grid);
  const std::int64_t looked = std::min(count, kLookedAt);
  double waits = 0, most = 0, made = 0;
  bool several = false;
  for (std::int64_t i = 0; i < looked; ++i) {
    const Box box = expression::chunk_box(node->grid, i * count / looked);
    std::vector<SourceChunk> chunks;
    list_sources(stage, box, chunks);
    double all = 0;
    several = several || chunks.size() > 1;
    for (const SourceChunk& one : chunks) {
      all += static_cast<double>(expression::chunk_box(stage.sources[0].grid, one.chunk).elements());
    }
    waits += all;
    most = std::max(most, all * static_cast<double>(node->dtype.size()));
    made += static_cast<double>(box.elements());
  }
  // What reads one chunk each runs where that is.
  if (!several || waits < 2 * made) return nullptr;
  if (!circumstances_) circumstances_ = ask_();
  const double room = static_cast<double>(circumstances_->memory_bytes) / (2.0 * circumstances_->slots);
  const bool crowded = circumstances_->memory_bytes != 0 && most > room;
  if (!circumstances_->apart && !crowded) return nullptr;
  NodePointer cut = node->structure->type->cut(node->structure->parameters.get(), *node);
  // Nothing where pieces would not help.
  if (cut == nullptr || !crowded) return cut;
  for (const NodePointer& pieces : cut->inputs) cut_ranks_.emplace(pieces->key, cut_ranks_.size());
  return cut;
}

void Lowering::count_reads(const std::vector<NodePointer>& outputs) {
  const auto count = [&](const NodePointer& node, int times) {
    if (node->kind != NodeKind::Structural || std::string_view(node->structure->type->name) != "rechunk") return;
    rechunk_reads_[node->key] += times;
  };
  for (const NodePointer& output : outputs) count(output, 2);
  const IsMaterialised chosen = [this](const Node& node) { return materialised(node); };
  collect_passes(outputs, chosen, [&](const NodePointer& pass) {
    if (pass->kind == NodeKind::Structural) {
      for (const NodePointer& input : pass->inputs) count(input, 2);
      return;
    }
    const NodePointer& root = pass->kind == NodeKind::Reduced ? pass->inputs[0] : pass;
    walk_pass(root, chosen, [&](const NodePointer& node, const IndexMap&) { count(node, 1); });
  });
}

/// What a pass reads in place of a rechunk that only it reads, and that puts whole chunks together: their elements,
/// which it gathers while it needs them. The expression alone decides.
NodePointer Lowering::read_through(const NodePointer& source) const {
  const auto reads = rechunk_reads_.find(source->key);
  if (reads == rechunk_reads_.end() || reads->second != 1) return source;
  const NodePointer& behind = source->inputs[0];
  if (!materialised(*behind) || !expression::known(source->grid) || !expression::known(behind->grid)) return source;
  double pieces = 1;
  for (std::size_t axis = 0; axis < source->grid.size(); ++axis) {
    pieces *= static_cast<double>(expression::common_refinement(source->grid[axis], behind->grid[axis]).count());
  }
  // Chunks that are read in part by several would wait in each of them.
  return pieces <= 1.25 * static_cast<double>(expression::chunk_count(behind->grid)) ? behind : source;
}

Lowering::Step& Lowering::step_of(const NodePointer& node) {
  std::unique_ptr<Step>& step = steps_[node->key];
  if (step != nullptr) return *step;
  step = std::make_unique<Step>();
  if (node->kind == NodeKind::Stored) return *step;
  auto stage = std::make_shared<Stage>();
  stage->type = node->dtype.code();
  stage->unit = node->dtype.unit();
  stage->kokkos = kokkos_;
  if (node->kind == NodeKind::Structural) {
    stage->kind = Stage::Structural;
    stage->grid = node->grid;
    stage->structure = node->structure;
    step->sources = node->inputs;
    const bool rechunks = std::string_view(node->structure->type->name) == "rechunk";
    if (rechunks && materialised(*node->inputs[0])) step->sources = {source_of_rechunk(node)};
  } else {
    const bool reduces = node->kind == NodeKind::Reduced;
    const NodePointer& root = reduces ? node->inputs[0] : node;
    stage->kind = reduces ? Stage::Reduce : Stage::Compute;
    stage->grid = root->grid;
    const std::set<Key> squares = reduces ? generated_squares(root) : std::set<Key>{};
    const IsMaterialised has_boxes = [&](const Node& one) { return materialised(one) || squares.count(one.key) != 0; };
    Compiled compiled;
    if (reduces && materialised(*root)) {
      compiled = compile(
          expression::make_view(root, expression::identity_map(root->grid.size()), root->grid, "input", root->where),
          has_boxes);
    } else {
      compiled = compile(root, has_boxes);
    }
    stage->square = reduces && folds_squares(root, node->reduce);
    stage->program = std::move(compiled.program);
    for (const NodePointer& source : compiled.sources) step->sources.push_back(read_through(source));
    if (reduces) stage->reduce = node->reduce;
  }
  const auto add = [&](const NodePointer& source) {
    stage->sources.push_back({source->grid, source->dtype.code(), source->dtype.unit()});
    if (!materialised(*source)) {
      stage->sources.back().made.push_back(
          compile(source, [this](const Node& one) { return materialised(one); }).program);
    }
  };
  for (const NodePointer& source : step->sources) add(source);
  if (stage->kind == Stage::Structural) {
    if (const NodePointer cut = cut_into_pieces(node, *stage)) {
      stage->structure = cut->structure;
      stage->sources.clear();
      step->sources = cut->inputs;
      for (const NodePointer& source : step->sources) add(source);
    }
  }
  stage->device = device_of(*stage);
  step->stage = std::move(stage);
  return *step;
}

/// The chunk of another node that a chunk is, byte by byte: then it needs no task of its own.
std::optional<std::pair<NodePointer, std::int64_t>> Lowering::stands_for(const Node& node, std::int64_t number) const {
  const bool structural = node.kind == NodeKind::Structural;
  if (!structural && node.kind != NodeKind::View) return {};
  if (!expression::known(node.grid)) return {};
  const Box box = expression::chunk_box(node.grid, number);
  if (box.elements() == 0) return {};
  if (!structural) {
    NodePointer input = node.inputs[0];
    IndexMap map = node.map;
    for (; input->kind == NodeKind::View && !materialised(*input); input = input->inputs[0]) {
      map = expression::compose(input->map, map);
    }
    if (!materialised(*input) || !expression::known(input->grid)) return {};
    const std::optional<std::int64_t> chunk = chunk_behind(input->grid, map, box);
    return chunk ? std::optional(std::pair(input, *chunk)) : std::nullopt;
  }
  // What only assembles, of one box; and whole rows that are counted otherwise.
  const expression::StructureType& type = *node.structure->type;
  if (!type.assembles && std::string_view(type.name) != "reshape") return {};
  std::vector<expression::Need> needs;
  type.needs(node.structure->parameters.get(), box, needs);
  if (needs.size() != 1 || needs[0].box.elements() != box.elements()) return {};
  const NodePointer& source = node.inputs[needs[0].input];
  const Node& input = *source;
  if (!materialised(input) || !expression::known(input.grid) || input.dtype != node.dtype) return {};
  std::vector<std::int64_t> pieces(input.grid.size());
  for (std::size_t axis = 0; axis < pieces.size(); ++axis) {
    const std::int64_t begin = needs[0].box.start[axis];
    pieces[axis] = input.grid[axis].find(begin);
    if (input.grid[axis].start(pieces[axis]) != begin) return {};
    if (input.grid[axis].size(pieces[axis]) != needs[0].box.extent[axis]) return {};
  }
  return std::pair(source, expression::chunk_number(input.grid, pieces.data()));
}

const Delayed<Buffer>& Lowering::chunk(const NodePointer& node, std::int64_t number) {
  if (const auto other = stands_for(*node, number)) return chunk(other->first, other->second);
  if (!node->chunks.empty()) return node->chunks[static_cast<std::size_t>(number)];
  Step& step = step_of(node);
  const auto known = step.chunks.find(number);
  if (known != step.chunks.end()) return known->second;
  Delayed<Buffer> made;
  if (on_device(node)) {
    made = delayed(FetchChunk{}, node->where)(device_chunk(node, number));
  } else {
    made = node->kind == NodeKind::Reduced ? describe_reduction(node, step, number) : describe(node, step, number);
  }
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
  const Box box = expression::chunk_box(step.stage->grid, number);
  list_sources(*step.stage, box, chunks);
  const std::vector<Delayed<Buffer>> inputs = inputs_of(step, chunks);
  Delayed<Buffer> task = delayed(ComputeChunk{}, node->where)(StageReference{step.stage}, number, inputs);
  note(node, task, static_cast<std::uint64_t>(box.elements()) * node->dtype.size(), inputs);
  const auto rank = cut_ranks_.find(node->key);
  if (rank != cut_ranks_.end() && !chunks.empty()) cuts_.push_back({rank->second, chunks[0].chunk, task});
  return task;
}

std::vector<Delayed<Buffer>> Lowering::cutting() const {
  std::vector<const Cut*> order;
  for (const Cut& cut : cuts_) order.push_back(&cut);
  std::stable_sort(order.begin(), order.end(), [](const Cut* a, const Cut* b) {
    return a->rank != b->rank ? a->rank > b->rank : a->chunk < b->chunk;
  });
  std::vector<Delayed<Buffer>> tasks;
  for (const Cut* const cut : order) tasks.push_back(cut->task);
  return tasks;
}

}  // namespace weft::arrays::lowering
