#pragma once

#include "core/journal/segment.hpp"

#include <weft/handle.hpp>
#include <weft/task_type.hpp>

#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace weft::journal {

/// Where a task that reads a result finds it.
struct Stored {
  Key key;
  std::string file;
  RecordPlace place;
  /// The bytes themselves, where they are few; then the file is not looked at.
  std::vector<std::byte> bytes = {};
  /// Where they are many, and in the process that has described it: the call itself, which is run only should they be
  /// damaged. Shared by copies of this.
  std::shared_ptr<const Handle> original = nullptr;
};

/// Results up to this size go in the task that gives them; larger ones are read where they are needed.
inline constexpr std::uint64_t kFewBytes = 16 << 10;

/// Returns the kind of task that reads a result of this type. It lives as long as the process.
const TaskType& loader_of(const ValueType& result);
/// Returns whether tasks of this kind read results.
bool is_loader(const TaskType& type);

/// Describes a task that reads a result, in place of the described task `like`, whose line and options it has. It has
/// `word` for its uses and flags; its guard stands.
TaskId describe_loader(TaskId like, std::uint64_t word, Stored stored);
/// As above, and launches it for a client that is not 0. The caller gives up `like`.
TaskId take_stored(TaskId like, std::uint64_t word, std::uint32_t client, Stored stored);

/// Puts the closure of a task that reads a result into a payload, and takes it away.
void put_stored(void* payload, Stored stored);
void drop_stored(void* payload) noexcept;

}  // namespace weft::journal
