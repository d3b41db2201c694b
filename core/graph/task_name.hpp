#pragma once

#include "core/graph/extras.hpp"

#include <string>

namespace weft {

/// Returns the name a person knows the task by: the one it was given, else its function's, with its number.
std::string task_name(TaskId task);
/// As above, for who has read the record already: its kind, and whether it has an entry in the side table.
std::string task_name_of(TaskId task, std::uint32_t kind, bool has_extra);
/// Fills in what a failure says of its task: name, line, arguments.
void describe_task(TaskId task, TaskFailure& failure);
/// Returns a type's spelling out of what the compiler says of a function template instantiated with it.
std::string spelled_type(const char* pretty_function);

}  // namespace weft
