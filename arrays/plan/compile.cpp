#include "arrays/plan/compile.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <map>
#include <tuple>

namespace weft::arrays::lowering {
namespace {

using expression::Key;
using expression::Node;
using expression::NodeKind;
using expression::NodePointer;

struct MapLess {
  bool operator()(const IndexMap& a, const IndexMap& b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
      return std::tie(x.out_axis, x.start, x.step) < std::tie(y.out_axis, y.start, y.step);
    });
  }
};
struct PlaceLess {
  bool operator()(const std::pair<Key, IndexMap>& a, const std::pair<Key, IndexMap>& b) const {
    if (a.first != b.first) return a.first < b.first;
    return MapLess()(a.second, b.second);
  }
};

/// A step before registers are shared.
struct Draft {
  Instruction step;
  std::uint32_t out = 0;
  std::uint32_t operands[3] = {0, 0, 0};
  int operand_count = 0;
};

/// Writes programs. Each value first has a register of its own; then registers are shared.
class Compiler {
 public:
  explicit Compiler(const IsMaterialised& materialised) : materialised_(materialised) {}

  Compiled compile(const NodePointer& root) {
    const std::uint32_t result = value_of(root, expression::identity_map(root->grid.size()), true);
    share_registers(result);
    return std::move(compiled_);
  }

 private:
  std::uint32_t new_value(TypeCode type) {
    types_.push_back(type);
    return static_cast<std::uint32_t>(types_.size() - 1);
  }

  std::uint32_t value_of(const NodePointer& node, const IndexMap& map, bool root) {
    if (node->kind == NodeKind::View && (root || !materialised_(*node))) {
      return value_of(node->inputs[0], expression::compose(node->map, map), false);
    }
    const auto place = std::pair(node->key, map);
    const auto known = values_.find(place);
    if (known != values_.end()) return known->second;
    const std::uint32_t value = make(node, map, root);
    values_.emplace(place, value);
    return value;
  }

  std::uint32_t make(const NodePointer& node, const IndexMap& map, bool root) {
    if (!root && materialised_(*node)) return load(node, map);
    switch (node->kind) {
      case NodeKind::Stored:
      case NodeKind::Reduced:
      case NodeKind::Structural:
        return load(node, map);
      case NodeKind::Generated:
        return generate(node, map);
      case NodeKind::View:
        return value_of(node, map, root);
      case NodeKind::Cast: {
        Draft draft;
        draft.step.kind = Instruction::Cast;
        draft.step.type = node->compute_type;
        draft.operands[0] = value_of(node->inputs[0], map, false);
        draft.operand_count = 1;
        return finish(draft, node->dtype.code());
      }
      case NodeKind::Elementwise: {
        Draft draft;
        draft.step.kind = Instruction::Apply;
        draft.step.op = node->op;
        draft.step.type = node->compute_type;
        if (node->user.kernel != nullptr) {
          draft.step.kind = Instruction::User;
          draft.step.index = static_cast<std::uint32_t>(compiled_.program.functions.size());
          compiled_.program.functions.push_back(node->user);
        }
        for (const NodePointer& input : node->inputs) {
          draft.operands[draft.operand_count++] = value_of(input, map, false);
        }
        return finish(draft, node->dtype.code());
      }
    }
    throw Error("an array expression holds a step of an unknown kind");
  }

  std::uint32_t finish(Draft& draft, TypeCode type) {
    draft.out = new_value(type);
    drafts_.push_back(draft);
    return draft.out;
  }

  std::uint32_t load(const NodePointer& node, const IndexMap& map) {
    std::uint32_t source = 0;
    while (source < compiled_.sources.size() && compiled_.sources[source]->key != node->key) ++source;
    if (source == compiled_.sources.size()) compiled_.sources.push_back(node);
    Draft draft;
    draft.step.kind = Instruction::Load;
    draft.step.type = node->dtype.code();
    draft.step.index = static_cast<std::uint32_t>(compiled_.program.loads.size());
    compiled_.program.loads.push_back({source, map});
    return finish(draft, node->dtype.code());
  }

  std::uint32_t generate(const NodePointer& node, const IndexMap& map) {
    if (node->generator.kind == Generator::Constant) {
      const std::uint32_t value = new_value(node->dtype.code());
      constants_.push_back({value, node->generator});
      return value;
    }
    std::vector<std::int64_t> strides(node->grid.size());
    std::int64_t stride = 1;
    for (std::size_t axis = strides.size(); axis-- > 0;) {
      strides[axis] = stride;
      stride *= node->shape[axis];
    }
    Draft draft;
    draft.step.kind = Instruction::Generate;
    draft.step.type = node->dtype.code();
    draft.step.index = static_cast<std::uint32_t>(compiled_.program.generated.size());
    compiled_.program.generated.push_back({node->generator, map, std::move(strides)});
    return finish(draft, node->dtype.code());
  }

  /// Gives values of one size whose lives do not overlap the same register.
  void share_registers(std::uint32_t result) {
    Program& program = compiled_.program;
    std::vector<std::size_t> last_use(types_.size(), 0);
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      for (int k = 0; k < drafts_[i].operand_count; ++k) last_use[drafts_[i].operands[k]] = i;
    }
    last_use[result] = drafts_.size();
    std::vector<std::uint16_t> place(types_.size(), 0);
    std::map<std::size_t, std::vector<std::uint16_t>> free;
    const auto take = [&](std::uint32_t value, bool shared) {
      // A register has one type: a program tells kernels by it.
      auto& list = free[static_cast<std::size_t>(types_[value])];
      if (shared && !list.empty()) {
        place[value] = list.back();
        list.pop_back();
        return;
      }
      if (program.registers.size() == 0xffff) {
        throw Error("an array expression needs more than 65,535 values at once: persist a part of it first");
      }
      place[value] = static_cast<std::uint16_t>(program.registers.size());
      program.registers.push_back(types_[value]);
    };
    for (const auto& [value, generator] : constants_) {
      take(value, false);
      Constant constant{place[value], generator.type, {generator.words[0], generator.words[1]}};
      program.constants.push_back(constant);
    }
    for (std::size_t i = 0; i < drafts_.size(); ++i) {
      Draft& draft = drafts_[i];
      take(draft.out, true);
      draft.step.out = place[draft.out];
      draft.step.a = place[draft.operands[0]];
      draft.step.b = place[draft.operands[draft.operand_count > 1 ? 1 : 0]];
      draft.step.c = place[draft.operands[draft.operand_count > 2 ? 2 : 0]];
      program.code.push_back(draft.step);
      for (int k = 0; k < draft.operand_count; ++k) {
        const std::uint32_t operand = draft.operands[k];
        const bool again = std::find(draft.operands, draft.operands + k, operand) != draft.operands + k;
        if (last_use[operand] != i || again || is_constant(operand)) continue;
        free[static_cast<std::size_t>(types_[operand])].push_back(place[operand]);
      }
    }
    program.result = place[result];
  }

  bool is_constant(std::uint32_t value) const {
    return std::any_of(constants_.begin(), constants_.end(), [&](const auto& one) { return one.first == value; });
  }

  const IsMaterialised& materialised_;
  Compiled compiled_;
  std::vector<TypeCode> types_;
  std::vector<Draft> drafts_;
  std::vector<std::pair<std::uint32_t, Generator>> constants_;
  std::map<std::pair<Key, IndexMap>, std::uint32_t, PlaceLess> values_;
};

}  // namespace

Compiled compile(const NodePointer& root, const IsMaterialised& materialised) {
  return Compiler(materialised).compile(root);
}

void walk_pass(const NodePointer& root, const IsMaterialised& materialised,
               const std::function<void(const NodePointer&, const IndexMap&)>& visit) {
  std::map<std::pair<Key, IndexMap>, bool, PlaceLess> seen;
  std::vector<std::pair<NodePointer, IndexMap>> open{{root, expression::identity_map(root->grid.size())}};
  while (!open.empty()) {
    auto [node, map] = std::move(open.back());
    open.pop_back();
    if (!seen.emplace(std::pair(node->key, map), true).second) continue;
    visit(node, map);
    const bool leaf = node->kind == NodeKind::Stored || node->kind == NodeKind::Reduced ||
                      node->kind == NodeKind::Structural || (node != root && materialised(*node));
    if (leaf) continue;
    for (const NodePointer& input : node->inputs) {
      open.emplace_back(input, node->kind == NodeKind::View ? expression::compose(node->map, map) : map);
    }
  }
}

namespace {

bool follows(const expression::AxisMap& map, std::int32_t axis) {
  return std::tie(map.out_axis, map.start, map.step) == std::tuple(axis, 0, 1);
}
bool is_plain(const IndexMap& map) { return map.size() == 2 && follows(map[0], 0) && follows(map[1], 1); }
bool is_transposed(const IndexMap& map) { return map.size() == 2 && follows(map[0], 1) && follows(map[1], 0); }

}  // namespace

bool is_drawn(const Node& node) {
  if (node.kind != NodeKind::Generated) return false;
  const auto kind = static_cast<Generator::Kind>(node.generator.kind);
  return kind != Generator::Constant && kind != Generator::Ramp;
}

std::set<Key> read_both_ways(const NodePointer& root, const IsMaterialised& materialised, const IsMaterialised& wanted,
                             bool alone) {
  const Grid& grid = root->grid;
  if (grid.size() != 2 || !expression::known(grid) || !(grid[0] == grid[1])) return {};
  std::set<Key> plain, transposed, others;
  walk_pass(root, materialised, [&](const NodePointer& node, const IndexMap& map) {
    if (wanted(*node)) (is_plain(map) ? plain : is_transposed(map) ? transposed : others).insert(node->key);
  });
  std::erase_if(plain, [&](const Key& key) { return transposed.count(key) == 0 || (alone && others.count(key) != 0); });
  return plain;
}

}  // namespace weft::arrays::lowering
