#pragma once

#include <weft/ids.hpp>

namespace weft {

/// Returns whether `awaited` is the task or, as far as a short look tells, cannot start before the task has ended.
/// `task`: one that has not begun, and that nobody else can take meanwhile, so that its consumers stay.
bool leads_to(TaskId task, TaskId awaited) noexcept;

}  // namespace weft
