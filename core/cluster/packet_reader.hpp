#pragma once

#include "core/executor/executor.hpp"
#include "core/graph/extras.hpp"
#include "core/messages/packet.hpp"

#include <weft/arena.hpp>
#include <weft/wire.hpp>

#include <functional>
#include <vector>

namespace weft::cluster {

/// An input of a packet that no task of it makes.
struct ExternalInput {
  /// Where it comes from; kNone: it was sent along.
  PacketId packet = kNone;
  std::uint32_t index = 0;
  /// Its site in this process.
  std::uint32_t site = 0;
  /// Of one that was sent along: the record that stands for it, with a use for whoever holds this.
  TaskId stand_in = kNone;
};

/// A task of a packet whose end others need.
struct KeptTask {
  std::uint32_t index = 0;
  TaskId task = kNone;
  /// The client has a handle to it.
  bool wanted = false;
};

/// What a packet's body has become in this process.
struct PacketTasks {
  /// By their number in the packet.
  std::vector<TaskId> ids;
  /// Those that may start at once.
  std::vector<TaskRange> roots;
  /// In the order of their numbers.
  std::vector<KeptTask> kept;
};

/// Numbers of sites as the client gives them, and this process's own.
class SiteTable {
 public:
  void define(std::uint32_t theirs, std::uint32_t mine);
  /// Throws Error for one that was never defined.
  std::uint32_t at(std::uint32_t theirs) const;

 private:
  std::vector<std::uint32_t> mine_;
};

/// Reads the first part of a packet's body: how many tasks it has and what they take from elsewhere. Records for ends
/// that were sent along are made with `cursor`.
std::uint32_t read_externals(Reader& reader, const SiteTable& sites, arena::Cursor& cursor,
                             std::vector<ExternalInput>& externals);

/// Reads the rest: makes the records of `count` tasks of the packet that the executor knows as `run`, and connects
/// them. `inputs`: the record behind each external. Nothing may be activated for `run` before.
/// Throws Error for bytes that are no packet; then some records stay behind, ended and unused.
PacketTasks read_tasks(Reader& reader, const SiteTable& sites, arena::Cursor& cursor, std::uint32_t count, PacketId run,
                       const std::vector<TaskId>& inputs);

/// Returns a record that will stand for the end of a task that runs elsewhere, with one use.
TaskId make_stand_in(arena::Cursor& cursor, std::uint32_t site);
/// Ends a stand-in (or a task of another process) here and starts what waited for it alone.
void end_stand_in(Executor& executor, TaskId task, std::shared_ptr<const TaskFailure> failure, TaskId failed_input);

}  // namespace weft::cluster
