#pragma once

#include "core/cluster/cluster.hpp"
#include "core/messages/packet.hpp"

#include <weft/wire.hpp>

#include <string>
#include <string_view>
#include <vector>

// What processes of a cluster write to each other. A letter is a kind and fields; core/cluster/README.md has the table.
// Whatever the bytes hold, reading stays inside of them and throws weft::Error where they are not what they should be.

namespace weft::cluster {

/// Changes with every change of a letter. Two sides of different versions do not talk.
inline constexpr std::uint16_t kProtocol = 9;

enum class LetterKind : std::uint8_t {
  // From the client's process to a worker.
  Welcome = 1,  ///< Answers the hello of a worker that may join.
  Refusal,      ///< Answers the hello of one that may not: a sentence.
  Neighbour,    ///< Another worker is there: its id and address.
  Deal,         ///< Packets with their tasks.
  WorkerEvent,  ///< An event of its machine: recalls, drops, relocations, lost peers.
  Cancel,       ///< A task of a packet it was dealt shall not start, or shall hear of it.
  End,          ///< No more work: finish.
  // From a worker to the client's process.
  Finished,        ///< Packets have ended: an event of the scheduler machine, and what their outputs are.
  SchedulerEvent,  ///< Another event of the scheduler machine.
  Stuck,           ///< A packet can never run there.
  Ended,           ///< The last words before the worker leaves.
  Leaving,         ///< It wants to go: it shall be dealt nothing more, and End once others have what it keeps.
  // Between any two.
  Subscribe,  ///< Wants outputs of a packet.
  Values,     ///< Outputs.
  Outline,    ///< Goes before the outputs of a whole packet: which they are.
  NotMine,    ///< Answers Subscribe where they are not.
  Ask,        ///< A question about what lives in the client's process: core/coordination/questions.hpp.
  Withdraw,   ///< The question need not be answered but with "not now".
  Answer,     ///< Its answer; each question has one.
  // From a client that is attached.
  Guest,  ///< What it wants of the client's process: core/cluster/guests.hpp.
  // Between the client's process and a worker.
  Books,  ///< Asks for the worker's books (0), or that they begin anew (1); from the worker: its books.
  Look,   ///< Asks what the worker runs, has run, uses and logs; from the worker: that.
  // From the client's process to a worker.
  Plugin,   ///< A plugin is to be set up before the packets of later letters are begun.
  Restart,  ///< Your process is to end at once; your supervisor starts another one.
  // Between the client's process and a worker.
  Call,  ///< A short call that no machine knows of; from the worker: its end.
  // From the client's process to a worker.
  TimeLeft,  ///< The program ends in so long: what is expected to take longer is not to be started.
  // From a worker to the client's process.
  Held,  ///< A task of a packet is not started for that.
};
inline constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(LetterKind::Held);

/// The packet that a handed call says it is of.
inline constexpr PacketId kHandedPacket = kNone - 1;

/// What an answer is.
enum class AnswerKind : std::uint8_t {
  Done,     ///< The answer's bytes follow. Of a task that a guest watches: it has ended well, its value stays there.
  NotNow,   ///< It was not possible (in time).
  Refused,  ///< A sentence follows.
  Closed,   ///< The client was closed: a sentence follows.
  End,      ///< The end of a task follows.
};

/// The first words of a connection.
struct Hello {
  enum class Role : std::uint8_t { Worker = 1, Peer = 2, Guest = 3 };
  Role role = Role::Worker;
  std::uint16_t protocol = kProtocol;
  std::uint64_t image = 0;
  std::uint64_t registry = 0;
  /// Of a peer: who it is. Of a guest: the family of its actors.
  WorkerId id = kNone;
  /// Tells this cluster from others: a peer repeats what its Welcome said.
  std::uint64_t cluster = 0;
  WorkerIdentity identity;
  std::uint32_t slots = 1;
  std::uint64_t budget_bytes = 0;
  /// Where other workers reach it.
  std::string address;
};

std::string write_hello(const Hello& hello);
/// Throws Error where the bytes are no hello of this protocol, naming both sides.
Hello read_hello(std::string_view bytes);
/// Returns why two processes cannot work together, or nothing: one sentence that names both sides.
std::string mismatch(const Hello& theirs, const Hello& ours);
/// Returns a hello with what is known of this process.
Hello hello_of_this_process();

struct Welcome {
  WorkerId id = kNone;
  std::uint64_t cluster = 0;
  std::vector<ResourceAmount> resources;
};
void write(Writer& writer, const Welcome& welcome);
Welcome read_welcome(Reader& reader);

struct Neighbour {
  WorkerId id = kNone;
  std::string address;
};
void write(Writer& writer, const Neighbour& neighbour);
Neighbour read_neighbour(Reader& reader);

/// `indices`: which tasks of the packet. `all`: every one that is kept; an Outline goes before them.
struct Subscribe {
  PacketId packet = kNone;
  Attempt attempt = 0;
  std::vector<std::uint32_t> indices;
  bool all = false;
};
void write(Writer& writer, const Subscribe& subscribe);
Subscribe read_subscribe(Reader& reader);

struct NotMine {
  PacketId packet = kNone;
  Attempt attempt = 0;
};
void write(Writer& writer, const NotMine& not_mine);
NotMine read_not_mine(Reader& reader);

struct HeldPacket {
  PacketId packet = kNone;
  Attempt attempt = 0;
};
void write(Writer& writer, const HeldPacket& held);
HeldPacket read_held(Reader& reader);

struct CancelTask {
  PacketId packet = kNone;
  std::uint32_t index = 0;
};
void write(Writer& writer, const CancelTask& cancel);
CancelTask read_cancel(Reader& reader);

struct StuckPacket {
  PacketId packet = kNone;
  Reason reason = Reason::None;
  std::uint32_t detail = 0;
};
void write(Writer& writer, const StuckPacket& stuck);
StuckPacket read_stuck(Reader& reader);

void write_text(Writer& writer, std::string_view text);
std::string read_text(Reader& reader);

/// Reads a number that must fit 32 bits.
inline std::uint32_t read_small(Reader& reader, std::string_view what) {
  const std::uint64_t value = reader.count(what);
  if (value > 0xffff'ffffu) reader.damaged(what, "a number is too large");
  return static_cast<std::uint32_t>(value);
}

}  // namespace weft::cluster
