#pragma once

#include "core/graph/extras.hpp"

#include <weft/task_type.hpp>

#include <memory>

// How the end of a task travels: its value, or why there is none.

namespace weft::cluster {

/// Values of at least this many bytes that are one block go as a block, from where they lie to where they will lie.
inline constexpr std::size_t kBlockBytes = 32 << 10;

/// Returns where the value of a task that ended well lies, pinned until `unpin`; null where it is not in this process.
class PinnedResult {
 public:
  explicit PinnedResult(TaskId task);
  PinnedResult(PinnedResult&& other) noexcept
      : value_(std::exchange(other.value_, nullptr)), box_(std::exchange(other.box_, nullptr)) {}
  PinnedResult& operator=(PinnedResult&&) = delete;
  ~PinnedResult();
  const void* value() const { return value_; }

 private:
  void* value_ = nullptr;
  Box* box_ = nullptr;
};

/// Returns the box of a task whose value is boxed; null: it is not in this process.
Box* box_of(const TaskRecord& record) noexcept;
void set_box(TaskRecord& record, Box* box) noexcept;
/// Of a task that another process runs, `link` is its number in its packet, and this bit says that its value has not
/// come here.
inline constexpr std::uint32_t kElsewhere = 1u << 31;
inline std::uint32_t number_in_packet(const TaskRecord& record) noexcept { return record.link & ~kElsewhere; }
inline bool is_elsewhere(const TaskRecord& record) noexcept {
  return (__atomic_load_n(&record.link, __ATOMIC_ACQUIRE) & kElsewhere) != 0;
}
/// Under the lock of the one who runs the task. Who waits for a value looks at the bit without it: it is taken away
/// once the value, or the failure, is in the record.
inline void set_elsewhere(TaskRecord& record, bool elsewhere) noexcept {
  const std::uint32_t number = number_in_packet(record);
  __atomic_store_n(&record.link, elsewhere ? number | kElsewhere : number, __ATOMIC_RELEASE);
}
/// Returns whether an ended task has its value, or its failure, in this process.
bool is_here(TaskId task) noexcept;
/// Returns whether a task that threw holds on to what it was called with, to be run again.
bool keeps_inputs(TaskId task);
/// Returns the bytes a result takes.
std::uint64_t bytes_of_result(TaskId task) noexcept;

/// Appends the end of an ended task, with its length before it. A value that cannot be encoded goes as a failure.
void write_end(Writer& writer, TaskId task);
void write_failure(Writer& writer, const TaskFailure& failure, bool began_here);
/// What stands for a task that has ended.
struct TaskEnd {
  /// Null: it ended well, and the value has been put into the record.
  std::shared_ptr<TaskFailure> failure;
  /// Of a failure: it began with this very task.
  bool began_here = false;
};
/// Takes an end from the reader and puts the value into `record`, whose type is the task's. Sets no flags.
TaskEnd read_end(Reader& reader, TaskRecord& record);
/// As read_end, for an end nobody wants.
void skip_end(Reader& reader);
TaskEnd read_failure(Reader& reader);

/// Makes room in a fresh box for a value that comes as a block; returns where its bytes go. Null where the type has
/// no such form. The box is filled into the record by `keep_block`, or given up by `drop_block`.
void* make_block(const ValueType& type, std::size_t bytes, Box*& box);
void keep_block(TaskRecord& record, Box* box);
void drop_block(Box* box) noexcept;

/// Marks a record whose value has been put there, or whose failure is given, as ended. Returns the word before. The
/// caller passes the end on to the consumers.
std::uint64_t mark_ended(TaskId task, std::shared_ptr<const TaskFailure> failure, TaskId failed_input);

}  // namespace weft::cluster
