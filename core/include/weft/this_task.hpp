#pragma once

#include <cstdint>

namespace weft {
class Client;
}

namespace weft::this_task {

/// Returns the client that runs the task, so that it can submit others; throws Error outside of tasks.
const Client& client();

/// Returns whether the calling thread runs a task.
bool running() noexcept;
/// Returns whether somebody asked to cancel the running task, so that a long one can end early by throwing or
/// returning.
bool cancelled();
/// Returns the slot that runs the task; 0 outside of tasks.
unsigned slot() noexcept;

}  // namespace weft::this_task
