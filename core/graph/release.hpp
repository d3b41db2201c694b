#pragma once

#include <weft/task_record.hpp>

namespace weft {

/// Destroys what a task without uses holds (`word` is its last) and frees its record; a task that never ran is
/// abandoned, and with it what only it needed. Deep graphs are released without deep recursion.
void release_task(TaskId id, std::uint64_t word) noexcept;

/// Gives up the uses of its inputs that a task no longer needs. `word` is the task's.
void drop_inputs(const TaskRecord& record, std::uint64_t word) noexcept;
/// Destroys the closure if it has something to destroy. It must not have been destroyed before.
void destroy_closure(TaskRecord& record) noexcept;
/// Destroys the result of a task that ended well.
void destroy_result(TaskRecord& record) noexcept;

}  // namespace weft
