#include "core/messages/packet.hpp"

namespace weft {

const char* to_string(PacketState state) noexcept {
  switch (state) {
    case PacketState::Released:
      return "Released";
    case PacketState::Waiting:
      return "Waiting";
    case PacketState::Ready:
      return "Ready";
    case PacketState::Running:
      return "Running";
    case PacketState::InMemory:
      return "InMemory";
    case PacketState::Failed:
      return "Failed";
  }
  return "?";
}

const char* to_string(Reason reason) noexcept {
  switch (reason) {
    case Reason::None:
      return "None";
    case Reason::TaskFailed:
      return "TaskFailed";
    case Reason::InputFailed:
      return "InputFailed";
    case Reason::Cancelled:
      return "Cancelled";
    case Reason::KilledWorkers:
      return "KilledWorkers";
    case Reason::Unrecoverable:
      return "Unrecoverable";
    case Reason::NoSuchResource:
      return "NoSuchResource";
    case Reason::NotEnoughSlots:
      return "NotEnoughSlots";
    case Reason::NoAllowedWorker:
      return "NoAllowedWorker";
    case Reason::TooLarge:
      return "TooLarge";
    case Reason::MemoryFull:
      return "MemoryFull";
  }
  return "?";
}

}  // namespace weft
