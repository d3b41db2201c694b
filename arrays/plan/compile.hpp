#pragma once

#include "arrays/plan/stage.hpp"

#include <functional>

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

}  // namespace weft::arrays::lowering
