#pragma once

#include "core/graph/extras.hpp"
#include "core/messages/packet.hpp"

#include <functional>
#include <string>

namespace weft {

/// Throws what a failed task ended with: TaskError, CancelledError or MemoryError, with all that is known of it.
[[noreturn]] void throw_failure(TaskId task);
/// Returns the same as an exception.
std::exception_ptr failure_exception(TaskId task);
/// Returns why no worker can run a packet; `resource_name` turns a resource's number into its name.
std::string refusal_text(Reason reason, std::uint32_t detail,
                         const std::function<std::string(std::uint32_t)>& resource_name);

}  // namespace weft
