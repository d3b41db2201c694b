#pragma once

#include "core/cluster/client_records.hpp"
#include "core/cluster/far_tasks.hpp"
#include "core/cluster/site_times.hpp"
#include "core/cluster/turns.hpp"
#include "core/messages/event.hpp"
#include "core/runtime/ages.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

// What the client's process of a cluster keeps of its subjects, one after the other. Part of client_process.hpp;
// guarded by its mutex_.

namespace weft::cluster {

/// Who is there, and who was.
struct ClientMembers {
  std::vector<ClientWorker> workers;
  /// Names of workers that tasks asked for and that were not here; their numbers follow kNotHere.
  std::vector<std::string> absent;
  std::unordered_map<PeerId, WorkerId> by_peer;
  std::uint32_t present = 0;
  std::uint32_t draining = 0;
  std::uint32_t silent = 0;  // workers whose death nobody has explained yet
  bool no_more = false;
  std::string no_more_why;
  std::string last_loss;
  std::map<std::string, std::string> plugins;  // by key: what who joins is told
  std::map<std::uint64_t, Looking> looking;    // by the numbers of the orders
  std::uint64_t next_look = 1;
  bool streams_tasks = false;  // workers note what they run
};

/// Tasks that are not in packets yet, and what says how many go into one and what the machine is told of it.
struct ComingTasks {
  std::deque<Pending> forming;
  Turns turns;
  std::vector<Pending> deferred;  // wait for a graph that has not run, or for a task behind them in the line
  std::vector<GraphRun*> graphs;  // not all of their packets are made yet
  SiteTimes site_times;
  std::vector<Needs> needs;
  Ages ages;
  std::map<std::string, std::uint32_t> resource_ids;
};

/// What a turn of the machine leaves to be done behind it.
struct LeftToDo {
  std::vector<PacketId> to_release;
  std::vector<SchedulerEventBody> events;
  std::vector<PacketId> to_narrow;
  std::vector<TaskId> called_back;  // have callbacks to run once the lock is free
};

/// Values that lie elsewhere and are on their way.
struct ValuesAway {
  std::unordered_map<PacketId, std::span<const std::byte>> arriving;  // outcomes in the letter that is being read
  std::unordered_map<std::uint64_t, Landing> landings;
  std::uint64_t next_landing = 1;
  bool asked_again = false;
};

/// The end of the program's time.
struct TimeLeft {
  Nanoseconds end = 0;    // 0: nobody knows
  bool any_held = false;  // packets, for that
};

/// What other processes ask, and what they are told when it is so far.
struct OpenQuestions {
  std::vector<Asked> calls;                    // of actors: made once the lock is free
  std::deque<Asked> parked;                    // wait until something changes, in their order
  std::map<std::uint64_t, PassedCall> passed;  // calls of guests' actors that guests make
  std::uint64_t next_passed = 1;
  FarTasks far_tasks;
  std::vector<Owed> owed;  // ends of tasks that others wait for
  bool owed_changed = false;
  std::unordered_map<PeerId, Guest> guests;
  std::deque<Asked> guest_letters;  // one without bytes: the guest is gone
  std::uint32_t blocked = 0;        // of what workers were dealt: only waits for one of these
  bool changed = false;
};

}  // namespace weft::cluster
