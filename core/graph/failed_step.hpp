#pragma once

#include "core/graph/extras.hpp"

#include <exception>

namespace weft {

/// Tells, of a failure that a function inside of a formula threw in this thread, which step it was: its line, and the
/// operations it was fused with. Leaves other failures as they are.
void describe_failed_step(const std::exception_ptr& thrown, TaskFailure& failure);

}  // namespace weft
