/// Feeds arbitrary bytes to everything that reads what another process sent. For libFuzzer:
///   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I . -I core/include \
///     tests/comm/fuzz_decode.cpp tests/comm/hostile.cpp comm/handshake.cpp comm/introduction.cpp comm/lane.cpp \
///     comm/secret.cpp comm/shared_segment.cpp comm/socket.cpp comm/wire_lane.cpp build/core/libweft_core.a \
///     -lfmt -ldl -lpthread -o fuzz_decode
///   ./fuzz_decode -max_len=8192 corpus
#include "comm/handshake.hpp"
#include "comm/introduction.hpp"
#include "tests/comm/hostile.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace weft::comm;
  if (size < 9) return 0;
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(data) + 9,
                                     reinterpret_cast<const std::byte*>(data) + size);
  std::uint64_t number;
  std::memcpy(&number, data + 1, sizeof number);
  std::mt19937 random(static_cast<unsigned>(number));
  switch (data[0] % 4) {
    case 0:
      feed_wire(bytes, random);
      break;
    case 1:
      feed_ring(bytes, number);
      break;
    case 2:
      if (const auto it = Introduction::decode(bytes); it && !Introduction::decode(it->encode())) __builtin_trap();
      break;
    default: {
      const Secret secret{};
      Handshake machine(number % 2 == 0 ? Handshake::Role::Acceptor : Handshake::Role::Connector, secret, {});
      std::size_t used = 0;
      std::vector<std::byte> out;
      if (machine.take(bytes, used, out) == Handshake::State::Done || used > bytes.size()) __builtin_trap();
    }
  }
  return 0;
}
