#pragma once

#include "core/messages/action.hpp"
#include "core/messages/event.hpp"

namespace weft::sim {

/// Print one line each on stderr: what reaches a machine and what it decides. `worker` kKeeper: the scheduler.
void trace_event(Nanoseconds now, WorkerId worker, const WorkerEventBody& body);
void trace_event(Nanoseconds now, const SchedulerEventBody& body);
void trace_action(Nanoseconds now, WorkerId worker, const WorkerAction& action);
void trace_action(Nanoseconds now, const SchedulerAction& action);
void trace_line(Nanoseconds now, const char* sentence);

}  // namespace weft::sim
