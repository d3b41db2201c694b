#pragma once

#include "mpi_launch/control/messages.hpp"

namespace weft::launch {

/// What a worker process does between its start and its end; what it throws is why it cannot start.
using WorkerBody = void (*)(const WorkerOrders& orders);

/// Sets the body; called before `main` (by the static objects of the program).
void set_worker_body(WorkerBody body);

/// Tells whether this process was started by a supervisor to be a worker.
bool started_as_worker(char** variables) noexcept;

/// Tells the supervisor that the worker has begun its work.
void worker_is_ready() noexcept;

/// Ends the process because rank 0 cannot be heard any more; its supervisor, if it still hears rank 0, starts another
/// one.
[[noreturn]] void cut_off(const char* why) noexcept;

/// Is the whole life of a worker process: takes the orders, dies with its supervisor, keeps its status page, runs the
/// body. Where the C library lets us (glibc), it stands in for `main`; elsewhere it is called when the program opens
/// its first client.
[[noreturn]] void live_as_worker();

/// The exit code of a worker that cannot start.
inline constexpr int kExitCannotStart = 119;
/// That of one that lost rank 0.
inline constexpr int kExitCutOff = 118;

}  // namespace weft::launch
