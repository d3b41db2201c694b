#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/messages/action.hpp"
#include "core/messages/event.hpp"

// The bytes of events and actions: little-endian integers of fixed width in the order of the fields, lists with a
// 32-bit length before them, alternatives with their number in a byte. Written in recordings and between processes.

namespace weft {

struct SchedulerOptions;
struct WorkerOptions;

/// Changes with every change of a message. Two sides of different versions do not talk.
inline constexpr std::uint16_t kMessagesVersion = 7;

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;

void encode(const SchedulerEvent& event, Bytes& out);
void encode(const WorkerEvent& event, Bytes& out);
/// A Deal carries its inputs along, so that the bytes do not depend on what else is in the buffer.
void encode(const SchedulerAction& action, const std::vector<InputSource>& inputs, Bytes& out);
void encode(const WorkerAction& action, Bytes& out);
void encode(const SchedulerOptions& options, Bytes& out);
void encode(const WorkerOptions& options, Bytes& out);

/// Each takes its bytes from the front of `in`. Returns false, with `in` and the value in any state, if the bytes end
/// early or no value has them: nothing is read beyond the end and no list is made longer than the bytes allow.
[[nodiscard]] bool decode(ByteView& in, SchedulerEvent& event);
[[nodiscard]] bool decode(ByteView& in, WorkerEvent& event);
[[nodiscard]] bool decode(ByteView& in, SchedulerAction& action, std::vector<InputSource>& inputs);
[[nodiscard]] bool decode(ByteView& in, WorkerAction& action);
[[nodiscard]] bool decode(ByteView& in, SchedulerOptions& options);
[[nodiscard]] bool decode(ByteView& in, WorkerOptions& options);

/// A 64-bit checksum (FNV-1a), for frames and for comparing actions. Not for anything hostile.
[[nodiscard]] std::uint64_t checksum(ByteView bytes, std::uint64_t before = 0xcbf2'9ce4'8422'2325u) noexcept;

}  // namespace weft
