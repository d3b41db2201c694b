#pragma once

#include "core/messages/scheduler_event.hpp"
#include "core/messages/worker_event.hpp"

// What happens to the two machines. Events own their data, arrive one after the other and carry their time.
// Ids of packets are chosen by the caller: dense, a batch contiguous, never one that is still known (see Forget).
