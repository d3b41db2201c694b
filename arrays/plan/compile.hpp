#pragma once

#include "arrays/plan/stage.hpp"

#include <functional>
#include <set>

namespace weft::arrays::lowering {

/// What a node's program reads: the program, and the nodes whose chunks are its sources.
struct Compiled {
  Program program;
  std::vector<expression::NodePointer> sources;
};

/// Tells whether a node's chunks are made by tasks of their own, rather than in the pass of whoever reads them.
using IsMaterialised = std::function<bool(const expression::Node&)>;

/// Writes the program that computes `root` from what is materialised below it. Equal parts are computed once.
Compiled compile(const expression::NodePointer& root, const IsMaterialised& materialised);

/// Calls visit(node, map) for each node below (and with) `root` that is computed in its pass, and each materialised one
/// that it reads, once for each map.
void walk_pass(const expression::NodePointer& root, const IsMaterialised& materialised,
               const std::function<void(const expression::NodePointer&, const IndexMap&)>& visit);

/// Returns what a pass over two equally cut axes reads both as it is and transposed, of what `wanted` accepts; `alone`:
/// and in no other way.
std::set<expression::Key> read_both_ways(const expression::NodePointer& root, const IsMaterialised& materialised,
                                         const IsMaterialised& wanted, bool alone);
/// Tells whether a node's elements are drawn from their indices at some cost: neither constants nor ramps.
bool is_drawn(const expression::Node& node);

}  // namespace weft::arrays::lowering
