#pragma once

#include "mpi_launch/supervise/status_page.hpp"

namespace weft::launch {

// What a worker notes on its status page. Each is called once, by the worker's main thread.

/// Starts the thread that ten times a second notes that the process lives, its memory, and the tasks that run. A worker
/// that holds its share of the node's memory (0: nobody knows) when next to nothing is left ends with last words.
void start_pulse(StatusPage& page, std::uint64_t share_bytes);

/// From now on a fault (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT) is noted with the task it hit before it kills.
void report_fatal_signals(StatusPage& page);

/// From now on a call of `exit` is noted with the task that made it, and ends the process without destructors: the
/// other threads still run.
void report_unexpected_exit(StatusPage& page);

}  // namespace weft::launch
