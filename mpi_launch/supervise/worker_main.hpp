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

/// Tells the supervisor that the worker is about to end in order to be started again, as the client asked.
void worker_restarts() noexcept;

/// Ends the process because rank 0 cannot be heard any more; its supervisor, if it still hears rank 0, starts another
/// one.
[[noreturn]] void cut_off(const char* why) noexcept;

/// Is the whole life of a worker process: takes the orders, dies with its supervisor, keeps its status page, runs the
/// body. Where the C library lets us (glibc), it stands in for `main`; elsewhere it is called when the program opens
/// its first client.
[[noreturn]] void live_as_worker();

/// The variable by which a process that is started as a program learns that it is to be the scheduler of clients that
/// attach and workers that join, in place of running its main.
inline constexpr const char* kSchedulerVariable = "WEFT_INTERNAL_SCHEDULER";
using SchedulerBody = int (*)(int argc, char** argv);
/// As set_worker_body.
void set_scheduler_body(SchedulerBody body);
bool started_as_scheduler(char** variables) noexcept;
int live_as_scheduler(int argc, char** argv);

/// The variable by which a process that is started as a program learns that it is to run a worker for the cluster that
/// started it: "<label>,<slots>,<bytes of memory>,<seconds to wait>,<address file>".
inline constexpr const char* kJoinVariable = "WEFT_INTERNAL_JOIN";
using JoinBody = void (*)(const std::string& words);
/// As set_worker_body.
void set_join_body(JoinBody body);
bool started_to_join(char** variables) noexcept;
int live_as_joiner();

/// The exit code of a worker that cannot start.
inline constexpr int kExitCannotStart = 119;
/// That of one that lost rank 0.
inline constexpr int kExitCutOff = 118;
/// That of one that ends itself because memory is nearly exhausted.
inline constexpr int kExitOutOfMemory = 117;

}  // namespace weft::launch
