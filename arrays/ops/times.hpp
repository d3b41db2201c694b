#pragma once

#include "arrays/ops/apply.hpp"

#include <weft/ops/creation.hpp>

namespace weft::arrays::ops {

/// Returns whether an operand is a time.
bool has_times(const std::vector<Operand>& operands);
/// As apply, where an operand is a time: operations on the counts, with NaT taken care of.
Array apply_times(OpCode op, const char* name, const std::vector<Operand>& operands);
/// A reduction, by its name, of an array of times.
Array reduce_times(const std::string& name, const Array& array, const ReduceOptions& options,
                   const std::source_location& where);
/// As arange, of datetimes.
Array arange_times(const Scalar& start, const Scalar& stop, const Scalar& step, const CreateOptions& options,
                   const std::source_location& where);

}  // namespace weft::arrays::ops
