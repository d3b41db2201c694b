#pragma once

#include "arrays/expression/node.hpp"

#include <weft/error.hpp>

#include <vector>

namespace weft::arrays::ops {

/// Returns the axes, counted from 0, ascending. Throws Error, with the call and its line, where one is out of range or
/// named twice.
inline std::vector<int> resolve_axes(const char* call, const Axes& axes, std::size_t ndim,
                                     const std::source_location& where) {
  try {
    return axes.resolve(static_cast<int>(ndim));
  } catch (const Error& error) {
    throw Error(expression::at_line(call, where) + error.what());
  }
}
/// The same for one.
inline std::size_t resolve_axis(const char* call, int axis, std::size_t ndim, const std::source_location& where) {
  return static_cast<std::size_t>(resolve_axes(call, Axes(axis), ndim, where)[0]);
}

}  // namespace weft::arrays::ops
