#pragma once

#include <weft/array.hpp>

#include <string_view>

namespace weft::arrays {

// Products. They need OpenBLAS when they run on floating numbers; integers and bools are multiplied here.

/// Matrix product of the last two axes; vectors are taken as a row or a column, other axes broadcast.
Array matmul(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Product over the last axis of `a` and the last but one (or only) axis of `b`.
Array dot(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Returns the sum of conj(a) * b over all elements, both taken as vectors.
Array vdot(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Returns a[i] * b[j], both taken as vectors.
Array outer(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Returns the sums of products over the last axes of both.
Array inner(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Returns the Kronecker product: a block of `b` times each element of `a`.
Array kron(const Array& a, const Array& b, const std::source_location& where = std::source_location::current());
/// Sums products over the last `axes` axes of `a` and the first of `b`.
Array tensordot(const Array& a, const Array& b, int axes = 2,
                const std::source_location& where = std::source_location::current());
/// Sums products over pairs of axes: a_axes[i] of `a` with b_axes[i] of `b`.
Array tensordot(const Array& a, const Array& b, const std::vector<int>& a_axes, const std::vector<int>& b_axes,
                const std::source_location& where = std::source_location::current());
/// Einstein's summation: "ij,jk->ik". Letters name axes; a repeated letter of one operand is its diagonal; "..." stands
/// for the axes that are not named. Operands are contracted from left to right.
Array einsum(std::string_view subscripts, const std::vector<Array>& operands,
             const std::source_location& where = std::source_location::current());
/// Returns the sum along the k-th diagonal of the first two axes.
Array trace(const Array& array, std::int64_t k = 0,
            const std::source_location& where = std::source_location::current());

}  // namespace weft::arrays

namespace weft {
using arrays::einsum;
}  // namespace weft
