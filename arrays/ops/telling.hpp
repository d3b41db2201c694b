#pragma once

#include "arrays/expression/node.hpp"

#include <weft/error.hpp>

#include <string>

namespace weft::arrays::ops {

/// Does something on behalf of a call of the user's: what it throws begins with the call and its line, unless it tells
/// them already.
template <class F>
auto told(const char* call, const std::source_location& where, F&& something) {
  try {
    return something();
  } catch (const Error& error) {
    const std::string mine = expression::at_line(call, where), text = error.what();
    const std::string line = mine.substr(mine.find(" ("));
    if (text.find(line) != std::string::npos) throw;
    throw Error(mine + text);
  }
}

/// The numbers as they were given; Shape::text() shows those below zero as extents that are not known yet.
inline std::string numbers_text(const Shape& shape) {
  std::string text;
  for (const std::int64_t extent : shape) text += (text.empty() ? "(" : ", ") + std::to_string(extent);
  return text + (shape.size() == 1 ? ",)" : ")");
}

/// The grid of chunks that a call of the user's asks for.
inline expression::Grid grid_for(const char* call, const std::source_location& where, const Shape& shape,
                                 const Chunks& chunks, std::size_t element_bytes,
                                 const expression::Grid& present = {}) {
  return told(call, where, [&] { return expression::make_grid(shape, chunks, element_bytes, present); });
}

}  // namespace weft::arrays::ops
