#pragma once

#include "core/graph/release.hpp"
#include "core/messages/packet.hpp"

#include <weft/task_type.hpp>

#include <functional>
#include <span>
#include <vector>

namespace weft::cluster {

// The body of a packet on the wire: first the inputs that come from elsewhere, then the tasks.
//
//   body     = count of tasks, externals, tasks, kept, wanted, 2 * count of extras + (keys ? 1 : 0), extras, keys
//   external = 2 * index + (same packet as before ? 0 : 1), [packet], site          an output of another packet
//            | in a second list: site, end                                           an end that is sent along
//   task     = head, [site, count of inputs], inputs, [closure] | run: head with kRun, count
//   key      = 0 | 1, key: what the journal calls the task's result; one a task
//   input    = 2 * distance back in this packet, or 2 * number of the external + 1
//
// Numbers are of one to ten bytes (Writer::count). Sites are the client's numbers; letters define them before.

namespace packet_code {
// Bits of a task's head.
inline constexpr std::uint64_t kSameKind = 1;     ///< Site and number of inputs as the task before.
inline constexpr std::uint64_t kSameClosure = 2;  ///< The closure's bytes too.
inline constexpr std::uint64_t kRun = 4;          ///< So many more tasks that are the same in all, without inputs.
// How a list of task numbers is written.
inline constexpr std::uint64_t kNobody = 0;
inline constexpr std::uint64_t kEverybody = 1;
inline constexpr std::uint64_t kSome = 2;
inline constexpr std::uint64_t kAsKept = 3;
}  // namespace packet_code

/// Writes packets of the client's tasks, straight from their records.
/// Owns: scratch memory.  Threading: one thread at a time; the records' closures and edges may not change meanwhile.
class PacketWriter {
 public:
  /// Tells of a boxed value that is here whether it goes along although its packet is still known.
  using GoesAlong = std::function<bool(const TaskRecord&)>;
  explicit PacketWriter(GoesAlong goes_along) : goes_along_(std::move(goes_along)) {}

  struct Result {
    /// Tasks whose ends others need.
    std::uint32_t kept = 0;
  };
  /// Appends the body of packet `self`. `again`: it has ended before, so its handles have what they need unless it lies
  /// in a lost process. Throws Error where something cannot travel; then what was appended is to be dropped.
  Result write(PacketId self, std::span<const TaskId> tasks, bool again, Writer& out);

  /// Sites that the last body names, each once.
  const std::vector<std::uint32_t>& sites() const { return sites_; }
  /// Packets whose outputs the last body takes, each once.
  const std::vector<PacketId>& sources() const { return sources_; }
  /// The task that the last error was about.
  TaskId culprit() const { return culprit_; }

 private:
  struct External {
    TaskId task;
    bool sent;
    std::uint32_t number;
  };
  void clear();
  void note_site(std::uint32_t site);
  void find_inputs(PacketId self, std::span<const TaskId> tasks);
  std::uint32_t external(TaskId producer);
  void write_externals(Writer& out);
  void write_tasks(std::span<const TaskId> tasks, Writer& out);
  void find_kept(PacketId self, std::span<const TaskId> tasks, bool again);
  void write_kept(std::uint32_t tasks, Writer& out);
  void write_extras(std::span<const TaskId> tasks, Writer& out);

  const GoesAlong goes_along_;
  std::vector<std::uint32_t> sites_;
  std::vector<std::uint32_t> site_seen_;  // by site: the round it was named in
  std::vector<PacketId> sources_;
  std::uint32_t round_ = 0;
  TaskId culprit_ = kNone;

  std::vector<std::uint32_t> refs_;  // what the inputs are, in order
  std::vector<External> externals_;
  std::vector<std::uint32_t> table_;  // open addressing by producer: number of its external plus one
  std::vector<std::uint32_t> kept_;
  std::vector<std::uint32_t> wanted_;
  Writer closure_;
  Writer last_closure_;
};

/// Appends what a site of this process is, so that another process finds its own: type, file, function, line.
void write_site(Writer& out, std::uint32_t index);
/// Returns the index of the same site in this process.
std::uint32_t read_site(Reader& reader);

}  // namespace weft::cluster
