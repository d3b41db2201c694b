#pragma once

#include <weft/task_type.hpp>

namespace weft {

/// Replaces a task's fresh result by what its encoding gives: what WEFT_CHECK_TRANSFER asks for. Throws Error where
/// the value cannot travel.
void resend_result(TaskRecord& record, const TaskType& type);

}  // namespace weft
