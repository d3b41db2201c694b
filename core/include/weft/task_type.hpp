#pragma once

#include <weft/arena.hpp>
#include <weft/callable.hpp>
#include <weft/handle.hpp>
#include <weft/value.hpp>

#include <atomic>
#include <cstring>
#include <source_location>
#include <string>
#include <tuple>
#include <vector>

namespace weft {

class TaskFrame;
struct FormulaPart;

/// Everything the runtime must know of a kind of task: one constant for each callable and its kinds of arguments.
struct TaskType {
  /// Calls the function and puts its result into the record. What it throws is the task's failure.
  void (*run)(TaskFrame& frame);
  /// Null where there is nothing to destroy.
  void (*destroy_closure)(void* closure) noexcept;
  const ValueType* result;
  std::size_t closure_bytes;
  bool closure_in_record;
  /// May run again after a failure: no argument is moved out of the closure.
  bool repeatable;
  /// Appends a reading of the arguments, as "(3, <input>, \"abc\")".
  void (*describe)(const void* closure, std::string& text);
  /// Null where a captured word or an argument cannot leave the process. `where` is the line of the user's call, for
  /// the error about a captured pointer.
  void (*encode_closure)(const void* closure, Writer& writer, const SourceLine& where);
  /// Containers of handles are decoded under a detail::DecodedInputs.
  void (*decode_closure)(void* place, Reader& reader);
  /// Tells which part of a formula the task evaluates; null for a task that is no more than its call.
  void (*formula)(const void* closure, FormulaPart& part);
  const char* (*name)();
};

/// Returns the table index of (type, line of the user's source); the same pair gives the same index.
std::uint32_t site_of(const TaskType& type, const std::source_location& where);

/// A kind of task at a line of the user's source.
struct Site {
  /// What the samples have shown: waiting callers only help with what is short.
  enum Pace : std::uint8_t { kUnknown, kShort, kLong };

  const TaskType* type;
  const char* file;
  const char* function;
  std::uint32_t line;
  std::atomic<std::uint8_t> pace;
};

namespace detail {
extern Site* const site_table;

/// Where tasks of one type were described last: a loop asks for the same place over and over.
template <class F, class... S>
inline constinit std::atomic<const Site*> latest_site{nullptr};

/// As site_of, after a look at `latest`.
inline std::uint32_t find_site(std::atomic<const Site*>& latest, const TaskType& type,
                               const std::source_location& where) {
  const Site* const known = latest.load(std::memory_order_acquire);
  if (known != nullptr && known->line == where.line() && known->file == where.file_name()) [[likely]]
    return static_cast<std::uint32_t>(known - site_table);
  const std::uint32_t index = site_of(type, where);
  latest.store(&site_table[index], std::memory_order_release);
  return index;
}
}  // namespace detail

/// Returns the entry; it never moves.
inline Site& site(std::uint32_t index) { return detail::site_table[index]; }

/// Returns the line of the user's call that described a task.
inline SourceLine line_of(const TaskRecord& record) {
  const Site& entry = site(record.site);
  return {entry.file, entry.line};
}

/// What a running task sees of its record: where the closure and the inputs are, and where the result goes.
/// Threading: the slot that runs the task.
class TaskFrame {
 public:
  explicit TaskFrame(TaskId id) : id_(id), record_(arena::task(id)) {}

  TaskFrame(const TaskFrame&) = delete;
  TaskFrame& operator=(const TaskFrame&) = delete;
  ~TaskFrame() {
    if (!pinned_.empty()) unpin();
  }

  TaskId id() const { return id_; }
  TaskRecord& record() const { return record_; }

  template <class Closure, bool kInRecord>
  Closure& closure() const {
    if constexpr (kInRecord) {
      return *std::launder(reinterpret_cast<Closure*>(record_.payload));
    } else {
      Closure* boxed;
      std::memcpy(&boxed, record_.payload, sizeof boxed);
      return *boxed;
    }
  }

  /// Returns the value of the k-th input, which has ended without a failure.
  template <class T>
  T& input(std::uint32_t k) {
    TaskRecord& producer = arena::task(arena::edge(record_.first_input + k).producer);
    if constexpr (value_type<T>.in_record) {
      return *std::launder(reinterpret_cast<T*>(producer.payload + result_offset(sizeof(T), true)));
    } else {
      return *static_cast<T*>(boxed_value(producer));
    }
  }

  /// Returns whether nobody but this task will look at the k-th input again, so that it may be moved from.
  bool sole_use(std::uint32_t k) const {
    const TaskRecord& producer = arena::task(arena::edge(record_.first_input + k).producer);
    const std::uint64_t word = producer.word.load(std::memory_order_acquire);
    return task_word::uses_of(word) == 1 && (word & (task_word::kKept | task_word::kExtra)) == 0 &&
           (record_.word.load(std::memory_order_relaxed) & task_word::kExtra) == 0;
  }

  /// Notes that an input was moved from: the task cannot be run again by hand with the same arguments.
  void note_taken() const { record_.link = kTookInput; }

  /// Constructs the result from what `make` returns, in place.
  template <class T, class Make>
  void emplace(Make&& make) {
    if constexpr (value_type<T>.in_record) {
      ::new (static_cast<void*>(record_.payload + result_offset(sizeof(T), true))) T(make());
    } else {
      Box* const box = new_box(value_type<T>);
      BoxGuard guard{box};
      ::new (box->value()) T(make());
      guard.box = nullptr;
      keep(box);
    }
  }

 private:
  struct BoxGuard {
    Box* box;
    ~BoxGuard() {
      if (box != nullptr) delete_box(box);
    }
  };

  /// Returns the value behind a producer's box; one that could be spilled stays in memory until the task ends.
  void* boxed_value(TaskRecord& producer) {
    Box* box;
    std::memcpy(&box, producer.payload + result_offset(0, false), sizeof box);
    return box->held == nullptr ? box->value() : pin(box);
  }
  void* pin(Box* box);
  void unpin() noexcept;
  static Box* new_box(const ValueType& type);
  static void delete_box(Box* box) noexcept;
  /// Charges the box to the budget and stores it in the record.
  void keep(Box* box);

  const TaskId id_;
  TaskRecord& record_;
  std::vector<Box*> pinned_;
};

}  // namespace weft
