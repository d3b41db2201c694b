#pragma once

#include "core/journal/folder.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/loader.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace weft::journal {

/// What calls that are described in this process may take from the journal.
/// Owns: the folder's index, and counts of what was taken.  Threading: any thread.
class Source {
 public:
  /// `far`: what is taken is read in other processes, where the call that gave it is not known.
  Source(const std::string& folder, bool far) : contents_(folder), far_(far) {}

  const Contents& contents() const { return contents_; }
  /// Returns whether tasks of this function are run in any case.
  bool has_effect(TaskId task) const { return contents_.any_effects() && contents_.has_effect(function_key(task)); }
  /// Returns the result under a key; nothing where it is not there, or is seen to be damaged. Large ones are looked
  /// through, up to kMostLookedThrough in all, where nothing could be done later: they are far, or `last_chance`.
  std::optional<Stored> find(const Key& key, bool last_chance = false);
  /// Counts a result that is taken.
  void count(const Stored& taken);

  std::uint64_t found() const { return found_.load(std::memory_order_relaxed); }
  std::uint64_t found_bytes() const { return found_bytes_.load(std::memory_order_relaxed); }
  std::uint64_t lost() const { return lost_.load(std::memory_order_relaxed); }

 private:
  /// Some seconds of reading, whatever the journal holds.
  static constexpr std::uint64_t kMostLookedThrough = std::uint64_t{8} << 30;

  const Contents contents_;
  const bool far_;
  std::atomic<std::uint64_t> looked_through_{0};
  std::atomic<std::uint64_t> found_{0};
  std::atomic<std::uint64_t> found_bytes_{0};
  std::atomic<std::uint64_t> lost_{0};
};

/// Returns what this process's descriptions take from; null where there is no journal, or where the process describes
/// no tasks but those that its own tasks submit and the folder cannot be read.
std::shared_ptr<Source> current_source();

/// Returns whether a call with these options, and in these scopes, may have a key.
bool may_have_key(const TaskOptions* given);
/// As `journal::call_key`; also tells the key of its function.
Key call_key(TaskId task, Key& function);
/// Returns the key of the next call that is equal to this one.
Key numbered(const Key& call);
/// Of a task that a running one describes: `find_result` for those.
TaskId find_child(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given);
/// A task that submitted others has ended: its calls are not counted any more.
void forget_children(TaskId parent) noexcept;
/// Notes that tasks of one function submit those of another: what the latter do, the former do.
void note_call(const Key& parent_function, const Key& child_function) noexcept;

}  // namespace weft::journal
