#pragma once

#include "arrays/expression/node.hpp"

#include <cstddef>
#include <cstdint>

namespace weft::arrays::lowering {

/// Writes `n` elements of a generator: those of flat index first, first + step, ... `scratch` has room for n doubles.
void generate_tile(const expression::Generator& generator, std::int64_t first, std::int64_t step, std::size_t n,
                   void* out, double* scratch);

}  // namespace weft::arrays::lowering
