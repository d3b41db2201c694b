#pragma once

#include <weft/array.hpp>

namespace weft::arrays {

/// Matrix product of the last two axes; vectors are taken as a row or a column, other axes broadcast.
Array matmul(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// As NumPy's dot for arrays of at most two dimensions.
Array dot(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays
