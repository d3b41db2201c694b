#pragma once

#include "arrays/expression/node.hpp"

#include <vector>

namespace weft::arrays::ops {

using expression::Grid;
using expression::IndexMap;
using expression::Node;
using expression::NodePointer;
using expression::OpCode;

/// What elementwise.def says about an operation's types.
enum class Rule : std::uint8_t { Same, Float, Divide, Wide, Compare, Logical, Test, Part, Select };

/// Describes an elementwise operation. Throws Error, with both shapes or types, where the operands do not go together.
Array apply(expression::OpCode op, const std::vector<Operand>& operands);

/// Returns the grid of what the inputs give when they are broadcast together: cut where one of them is.
Grid broadcast_grid(const std::vector<NodePointer>& inputs, const char* operation);

/// As above; the error has the line of the call.
Grid broadcast_grid(const std::vector<NodePointer>& inputs, const char* operation, const std::source_location& where);

using expression::at_line;
using expression::require_known;

/// Returns the same elements in the chunks of `grid`.
NodePointer rechunk_to(const NodePointer& node, const Grid& grid, const std::source_location& where);

/// Leaves out the axes that were reduced, which have extent 1.
NodePointer drop_axes(const NodePointer& node, const std::vector<std::uint8_t>& reduced,
                      const std::source_location& where);

/// Returns the elements where `mask` holds; it covers the axes from `axis` on, which become one, in C order.
Array choose_by_mask(const Array& array, const NodePointer& mask, std::size_t axis, const std::source_location& where);

}  // namespace weft::arrays::ops
