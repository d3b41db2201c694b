#pragma once

#include "core/journal/segment.hpp"

#include <weft/task_type.hpp>

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
  std::vector<std::byte> bytes;
};

/// Returns the kind of task that reads a result of this type. It lives as long as the process.
const TaskType& loader_of(const ValueType& result);
/// Returns whether tasks of this kind read results.
bool is_loader(const TaskType& type);

/// Describes a task that reads a result, in place of the described task `like`, whose line and options it has. It has
/// `word` for its uses and flags; its guard stands.
TaskId describe_loader(TaskId like, std::uint64_t word, Stored stored);

}  // namespace weft::journal
