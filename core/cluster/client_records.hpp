#pragma once

#include "core/cluster/cluster.hpp"
#include "core/graph/extras.hpp"
#include "core/graph/graph_parts.hpp"

#include <weft/ledger.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

// What the client's process of a cluster keeps of packets, graphs and workers. Part of client_state.hpp.

namespace weft::cluster {

struct GraphRun;

/// What the client's process knows of a packet: its tasks, which are in its arena, and how far they are.
struct ClientPacket {
  /// The tasks, in order: `single`, or `own`, or a part of a graph's order.
  const TaskId* tasks = nullptr;
  std::uint32_t count = 0;
  TaskId single = kNone;
  std::vector<TaskId> own;
  /// Inputs whose ends go along with it: they have a use of each until it is forgotten.
  std::vector<TaskId> held;
  /// Of a graph's packet, until the graph's run is over.
  GraphRun* graph = nullptr;
  bool over = false;  // its graph's run is over: only the machine still knows it
  /// Its tasks have ended once. An end after a loss changes nothing here.
  bool ended = false;
  bool released = false;
  PacketId first_part = kNone;  // of those it was taken apart into
  WorkerId owner = kNone;
  Attempt attempt = 0;
  bool stalled = false;      // its worker does not start a task of it, or of one that it waits for
  Attempt held_attempt = 0;  // of which its worker said that it does not start a task
  /// Wanted tasks whose values lie at a worker and whose uses are not gone.
  std::uint32_t away = 0;
  /// Tasks whose own use has ended before the packet: those with values elsewhere.
  std::vector<std::uint32_t> own_dropped;
  /// Values asked for and not here yet.
  std::vector<std::uint32_t> wanted;
  /// Ends of its kept tasks, as they came; kept while the machine counts on them.
  std::vector<std::byte> kept;
  /// Workers that died while it ran there; of one taken out of another packet, also those of that one.
  std::vector<WorkerId> deaths;
  bool killed = false;  // failed for them: `kept` stays
  /// Why it fails, where the reason is known here.
  std::shared_ptr<TaskFailure> failure;

  std::span<const TaskId> list() const { return {tasks, count}; }
};

/// A graph that runs.
struct GraphRun {
  detail::GraphParts* parts = nullptr;
  /// Inputs first. The packets made so far hold the first `cut` of them.
  std::vector<TaskId> order;
  std::uint32_t cut = 0;
  /// Many results have several readers: it stays in the order it was written in.
  bool is_grid = false;
  /// Of a grid whose tasks are not short: the row of each task, one behind the last of its inputs'.
  std::vector<std::uint32_t> rows;
  /// Of the row that is being cut: how many tasks a slot's share of it is, 0: it is not worth dividing; and where it
  /// ends.
  std::uint32_t row_share = 0;
  std::uint32_t row_end = 0;

  bool all_cut() const { return cut == order.size(); }
  std::vector<PacketId> packets;
  std::uint32_t packets_left = 0;
  std::uint32_t values_left = 0;
  std::uint32_t failed = 0;
};

/// Worker numbers from here on are of names that no worker has.
inline constexpr WorkerId kNotHere = 1u << 20;

/// Packets a slot that are known to the machine ahead of their turn.
inline constexpr std::uint32_t kAhead = 4;

/// A task that waits for a packet.
struct Pending {
  TaskId task = kNone;
  bool alone = false;
  bool retriable = true;
  std::int32_t priority = 0;
  std::uint32_t needs = kNone;  // index into ComingTasks::needs
  std::uint64_t memory_bytes = 0;
  std::uint64_t owner = 0;  // the attached client it is from; 0: the job's own
  std::uint64_t turn = 0;   // Turns
  Seconds fifo_timeout{0};
  Turn fifo_turn;
};

/// The call that a worker was handed past the machine (client_calls.cpp).
struct HandedCall {
  TaskId task = kNone;  // kNone: none is under way
  TaskId last = kNone;  // the one that is, or was
  std::uint32_t number = 0;
  WorkerId worker = kNone;
  bool pauses = false;  // the machine deals nothing to its worker meanwhile
  bool held = false;    // its worker has said that it does not start it
};

/// A value on its way to this process.
struct Landing {
  PacketId packet = kNone;
  std::uint32_t index = 0;
  Box* box = nullptr;
};

/// A question of another process.
struct Asked {
  PeerId peer = 0;
  std::uint64_t id = 0;  // 0: nobody waits for the answer
  bool waits = false;
  std::string bytes;
  /// Tasks that came with it, as they are in this process.
  std::vector<Handle> tasks = {};
};

/// A call of an actor that a guest made, on its way through this process.
struct PassedCall {
  Asked asked;
  PeerId guest = 0;
};

/// The end of a task that another process waits for.
struct Owed {
  PeerId peer = 0;
  std::uint64_t id = 0;
  Handle task;
  bool only_end = false;  // a large value is not wanted yet
};

/// A client of another process.
struct Guest {
  std::string name;
  std::uint32_t actors = 0;                         // the family of its actors
  std::unordered_map<std::uint64_t, Handle> tasks;  // by the guest's numbers; of whoever holds guests_turn_
};

/// Who looks at workers, and who has not answered.
struct Looking {
  std::atomic<std::uint32_t> missing{0};
  std::vector<WorkerId> asked;
  std::vector<WorkerLook> seen;
};

/// What is known of a worker.
struct ClientWorker {
  PeerId peer = 0;
  WorkerStanding standing;
  std::string address;
  Nanoseconds drains_since = 0;  // 0: it stays
  bool told_to_end = false;
  bool paused = false;                // it has said so
  bool told_to_restart = false;       // its end is nobody's fault
  std::string end;                    // how it was lost: "was lost: the link was cut"
  std::string death;                  // what its supervisor, or the connection to it, said
  Nanoseconds silent_since = 0;       // the connection is lost, its supervisor has not said why yet
  std::uint32_t blocked = 0;          // as the machine was told
  std::uint32_t held = 0;             // packets it does not start, and those there that wait for such
  std::vector<bool> sites;            // it has been told of
  std::optional<LedgerReport> books;  // as last told
  bool books_asked = false;
};

}  // namespace weft::cluster
