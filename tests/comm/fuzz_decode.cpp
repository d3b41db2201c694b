/// Feeds arbitrary bytes to everything that reads what another process sent. `tools/fuzz SECONDS` builds it with
/// libFuzzer and the sanitizers, runs it, and keeps in tests/comm/corpus what reaches new code; FuzzCorpusTest reads
/// that in every build.
#include "comm/handshake.hpp"
#include "comm/introduction.hpp"
#include "core/messages/encoding.hpp"
#include "tests/comm/hostile.hpp"

namespace {

using namespace weft;
using namespace weft::comm;

/// An event that was read is written and read again: it must come back.
template <class Event>
void read_event(const std::vector<std::byte>& bytes) {
  ByteView in(bytes);
  Event event;
  if (!decode(in, event)) return;
  Bytes again;
  encode(event, again);
  ByteView second(again);
  Event same;
  if (!decode(second, same)) __builtin_trap();
}

void shake_hands(const std::vector<std::byte>& bytes, std::uint64_t number) {
  const Secret secret{};
  Handshake machine(number % 2 == 0 ? Handshake::Role::Acceptor : Handshake::Role::Connector, secret, {});
  std::size_t used = 0;
  std::vector<std::byte> out;
  if (machine.take(bytes, used, out) == Handshake::State::Done || used > bytes.size()) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9) return 0;
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 9,
                                     reinterpret_cast<const std::byte*>(data) + size);
  std::uint64_t number;
  std::memcpy(&number, data + 1, sizeof number);
  std::mt19937 random(static_cast<unsigned>(number));
  switch (data[0] % 6) {
    case 0:
      feed_wire(bytes, random);
      break;
    case 1:
      feed_ring(bytes, number);
      break;
    case 2:
      if (const auto it = Introduction::decode(bytes); it && !Introduction::decode(it->encode())) __builtin_trap();
      break;
    case 3:
      read_event<SchedulerEvent>(bytes);
      break;
    case 4:
      read_event<WorkerEvent>(bytes);
      break;
    default:
      shake_hands(bytes, number);
  }
  return 0;
}
