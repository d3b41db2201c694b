/// Feeds arbitrary bytes to what reads the messages between rank 0 and the supervisors. `tools/fuzz SECONDS` builds it
/// with libFuzzer and the sanitizers, and keeps in tests/mpi_launch/control/corpus what reaches new code;
/// ControlFuzzTest reads that in every build.
#include "mpi_launch/control/messages.hpp"

#include <weft/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace weft::launch;

/// What was read is written and read again: it must come back the same.
template <class Message, class Decode>
void read(std::string_view bytes, const Decode& decode) {
  try {
    const std::string once = encode_message(Message(decode(bytes)));
    if (encode_message(Message(decode(once))) != once) __builtin_trap();
  } catch (const weft::Error&) {
    // What is no message is refused.
  }
}

void read_orders(std::string_view bytes) {
  try {
    const std::string once = encode_orders(decode_orders(bytes));
    if (encode_orders(decode_orders(once)) != once) __builtin_trap();
  } catch (const weft::Error&) {
    // As above.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      read<ToHub>(bytes, decode_to_hub);
      break;
    case 1:
      read<ToSupervisor>(bytes, decode_to_supervisor);
      break;
    default:
      read_orders(bytes);
  }
  return 0;
}
