#pragma once

#include "core/cluster/asks.hpp"
#include "core/cluster/packet_reader.hpp"
#include "core/cluster/packet_writer.hpp"
#include "core/messages/event.hpp"

#include <cstdint>
#include <memory>
#include <vector>

// What a worker keeps of packets: those that were dealt to it, and outputs of others that they need.

namespace weft::cluster {

/// A packet dealt to this process: its bytes until it is activated, then its tasks, then what is kept of them.
struct Run {
  enum class Stage : std::uint8_t { Waiting, Active, Kept };
  PacketId packet = kNone;  // kHandedPacket: a call that no machine knows of, whose number is `call`
  Attempt attempt = 0;
  std::uint32_t call = 0;
  Stage stage = Stage::Waiting;
  bool urgent = false;
  /// The machine no longer knows it; its end is not reported.
  bool orphan = false;
  /// Asked back while it ran: given up the next time that its task asks to be run later.
  bool asked_back = false;
  /// What the executor calls it; kNone before it is activated.
  PacketId id = kNone;
  std::uint32_t count = 0;
  std::vector<std::byte> body;
  std::size_t body_offset = 0;  // where the tasks begin
  std::vector<ExternalInput> externals;
  std::vector<InputSource> sources;
  std::vector<std::uint32_t> cancelled;  // asked for before it was activated
  PacketTasks tasks;
  Nanoseconds activated = 0;
  Nanoseconds expected_ns = 0;  // as the client's process knew when it was dealt; 0: it did not
  struct Failed {
    std::uint32_t index = 0;
    std::shared_ptr<const TaskFailure> failure;
    bool began_here = false;
  };
  std::vector<Failed> failed;
  /// Its part of the letter Finished.
  Writer outcome;
  /// Tells the client's process that the packet only waits; shared with the table it is withdrawn through.
  std::shared_ptr<Asks::Question> waits;

  /// What it needed memory for is given back as soon as it is not needed.
  bool large() const { return count > 64; }
  /// Makes it as good as new, but for its memory.
  void reset();
};

/// Outputs of a packet of another process, as far as packets here need them.
struct Copy {
  struct Entry {
    std::uint32_t index = 0;
    TaskId stand_in = kNone;
    bool here = false;
  };
  PacketId packet = kNone;
  Attempt attempt = 0;
  WorkerId owner = kNone;
  /// In the order of their indices.
  std::vector<Entry> entries;
  std::uint32_t missing = 0;
  std::uint64_t bytes = 0;
  /// The machine waits for InputArrived.
  bool fetching = false;
  /// All that the packet keeps is wanted; `outlining`: what that is has been asked for, which counts as one missing;
  /// `whole`: it is known, so that with nothing missing this process can serve it.
  bool replica = false;
  bool outlining = false;
  bool whole = false;
};

}  // namespace weft::cluster
