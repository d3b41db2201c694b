#include "core/worker/state.hpp"

namespace weft {

using machine::CopyRecord;
using machine::InputState;
using machine::Stage;

namespace {

struct Sums {
  std::uint64_t reserved = 0;
  std::uint32_t active = 0;
  std::uint32_t active_plain = 0;
  std::uint32_t admitted_gated = 0;
  std::uint32_t slots = 0;
  std::uint64_t unfinished = 0;
};

PacketState state_of(Stage stage) {
  switch (stage) {
    case Stage::Blocked:
    case Stage::Queued:
    case Stage::Admitted:
      return PacketState::Waiting;
    case Stage::Gated:
      return PacketState::Ready;
    case Stage::Active:
      return PacketState::Running;
    case Stage::Kept:
      return PacketState::InMemory;
  }
  return PacketState::Failed;
}

void check_record(const machine::DealtRecord& record, Sums& sums) {
  std::uint32_t missing = 0;
  std::uint32_t remote = 0;
  for (const machine::DealtInput& input : record.inputs) {
    missing += input.state == InputState::Lost || input.state == InputState::Making ? 1 : 0;
    remote += input.state == InputState::Remote ? 1 : 0;
  }
  WEFT_ASSERT(missing == record.missing && remote == record.missing_remote, "missing inputs are counted");
  WEFT_ASSERT(record.state == state_of(record.stage), "stage and state agree");
  const bool holds = record.stage == Stage::Admitted || record.stage == Stage::Gated || record.stage == Stage::Active;
  WEFT_ASSERT(holds || record.reserved == 0, "only admitted packets reserve");
  sums.reserved += record.reserved;
  sums.unfinished += record.stage != Stage::Kept ? 1 : 0;
  if (record.stage == Stage::Blocked) WEFT_ASSERT(missing != 0, "blocked packets miss an input");
  if (record.stage == Stage::Queued) WEFT_ASSERT(missing == 0, "queued packets only miss memory and copies");
  if (record.stage == Stage::Gated) WEFT_ASSERT(missing == 0 && remote == 0, "gated packets have their inputs");
  WEFT_ASSERT(!record.held || record.stage == Stage::Active, "only active packets are held");
  if (record.stage == Stage::Active && !record.held) {
    ++sums.active;
    sums.active_plain += record.gated ? 0 : 1;
    sums.slots += record.gated ? record.needs.slots : 0;
  } else if (holds && record.gated && record.stage != Stage::Active) {
    ++sums.admitted_gated;
  }
}

}  // namespace

void WorkerState::check_invariants() const {
  Sums sums;
  std::vector<std::uint32_t> users(copies.size());
  for (std::uint32_t slot = 0; slot != records.size(); ++slot) {
    const Record& record = records[slot];
    if (record.packet == kNone) continue;
    WEFT_ASSERT(by_packet.find(record.packet) == slot, "packets are found by id");
    check_record(record, sums);
    WEFT_ASSERT(unfinished.contains(record.packet) == (record.stage != Stage::Kept), "unfinished packets are listed");
    for (const machine::DealtInput& input : record.inputs) {
      if (input.state != InputState::Remote && input.state != InputState::Here) continue;
      const std::uint32_t copy = copy_by_packet.find(input.source.producer);
      WEFT_ASSERT(copy != kNone, "an input by copy has a copy");
      ++users[copy];
    }
  }
  for (std::uint32_t slot = 0; slot != copies.size(); ++slot) {
    const Copy& copy = copies[slot];
    if (copy.producer == kNone) continue;
    WEFT_ASSERT(copy.users == users[slot] && (copy.users != 0 || copy.replica), "copies have users or are replicas");
    if (copy.where == CopyRecord::Where::Fetching) sums.reserved += copy.bytes;
  }
  WEFT_ASSERT(sums.reserved == reserved, "reservations add up");
  WEFT_ASSERT(sums.active == active && sums.active_plain == active_plain, "active packets are counted");
  WEFT_ASSERT(sums.admitted_gated == admitted_gated, "admitted packets with needs are counted");
  WEFT_ASSERT(sums.slots == slots_in_use && slots_in_use <= options.slots, "slots in use add up");
  WEFT_ASSERT(sums.unfinished == unfinished.size(), "unfinished packets are counted");
}

}  // namespace weft
