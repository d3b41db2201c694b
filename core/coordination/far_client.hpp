#pragma once

#include <weft/waiting.hpp>

#include <atomic>
#include <optional>
#include <string>
#include <vector>

namespace weft::detail {

/// Reaches what lives in the client's process from another one: a worker's, or that of a second client. Questions are
/// those of core/coordination/questions.hpp; what carries them is core/cluster.
/// Threading: any thread.
class FarClient {
 public:
  virtual ~FarClient() = default;
  /// Returns the answer; nothing if it was not possible within so long (kWaits, kNow). A waiting task lends its slot.
  /// Throws what the other side refused it with, or CancelledError. `what`: for errors, what is waited for.
  virtual std::optional<std::string> ask(const std::string& question, std::int64_t longest_ms,
                                         const std::string& what) = 0;
  /// As `ask`, of a question that gives the client's process these tasks of this one, whether they have ended or not:
  /// there they stay for as long as somebody has them.
  virtual std::optional<std::string> ask_with(const std::vector<Handle>& tasks, const std::string& question,
                                              std::int64_t longest_ms, const std::string& what) = 0;
  /// Asks without waiting for the answer; nobody hears of a refusal.
  virtual void say(const std::string& question) noexcept = 0;
  /// Asks for the end of a task there. Returns a task of this process, with a use that the caller owns, that ends as
  /// that one does. `site`: its kind.
  virtual TaskId ask_for_task(const std::string& question, std::uint32_t site) = 0;
  /// Waits on the calling thread, which runs a task of that process, as Runtime::help_until does.
  virtual void help_there(TaskId task, bool (*done)(const void*), const void* argument) = 0;
  /// Publishes a result of this process there, once it is there.
  virtual void publish(const std::string& name, std::string_view type, const Handle& future) = 0;
  /// A task of this packet of the executor has asked to be run later: until the packet has ended it only waits for what
  /// other tasks do, and those must have room. Returns whether it is given up here, to go on elsewhere: then the task
  /// is to end as a cancelled one does, and nobody hears of it.
  virtual bool only_waits(PacketId) noexcept { return false; }
};

/// Of a worker's process, for all of its threads; null elsewhere.
extern std::atomic<FarClient*> far_client_of_process;

/// Returns whether somebody asked to cancel the task.
bool asked_to_cancel(TaskId task);

}  // namespace weft::detail
