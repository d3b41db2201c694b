#pragma once

#include <weft/task_record.hpp>

namespace weft {

/// Set in the join counter of a task that another process runs: whoever runs it frees its record, and is told through
/// `managed_released` when its last use is gone. The counter itself means nothing then.
inline constexpr std::uint32_t kManagedJoin = 1u << 31;
extern std::atomic<void (*)(TaskId) noexcept> managed_released;

/// Returns whether the task holds a use of each of its inputs until it has ended.
inline bool holds_uses(const TaskRecord& record) noexcept { return record.borrows == 0; }

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
