#include <algorithm>

#include "core/worker/state.hpp"

namespace weft {

using machine::CopyRecord;
using machine::InputState;
using machine::OrderedPackets;
using machine::Stage;

namespace {

/// Packets that wait for slots, looked at in one round: so that one waiting for a resource does not stop the rest.
constexpr std::uint32_t kGatedLookedAt = 64;

bool take(std::vector<ResourceAmount>& free, const std::vector<ResourceAmount>& wanted) {
  bool all = true;
  for (const ResourceAmount& want : wanted) {
    std::uint32_t left = want.amount;
    for (ResourceAmount& have : free) {
      if (have.resource != want.resource) continue;
      const std::uint32_t taken = std::min(left, have.amount);
      have.amount -= taken;
      left -= taken;
    }
    all = all && left == 0;
  }
  return all;
}

void give(std::vector<ResourceAmount>& free, const std::vector<ResourceAmount>& returned) {
  for (const ResourceAmount& back : returned) {
    for (ResourceAmount& have : free) {
      if (have.resource == back.resource) have.amount += back.amount;
    }
  }
}

}  // namespace

void WorkerState::pump() {
  while (admit_next() || admit_first()) {
  }
  activate_gated();
  // What was activated may have been all that stood in the way of the progress rule, or of more packets.
  while (nothing_runs() && (admit_next() || admit_first())) activate_gated();
}

/// Reserves for the next packet in order, all at once and before anything is fetched. What does not fit stops the rest.
bool WorkerState::admit_next() {
  const std::uint32_t ahead = std::max(2u, options.slots);
  const bool limited =
      options.active_packets != 0 && active_plain >= options.active_packets * options.slots && idle_slots == 0;
  const OrderedPackets::Place plain = limited ? OrderedPackets::Place{} : queue.first();
  const OrderedPackets::Place gated = admitted_gated < ahead ? gated_queue.first() : OrderedPackets::Place{};
  const OrderedPackets::Place place = gated.precedes(plain) ? gated : plain;
  if (place.packet == kNone) return false;
  Record& record = *find(place.packet);
  if (budget != 0) {
    const std::uint64_t bytes = demand(record);
    if (!fits(bytes)) {
      const std::uint64_t total = used + reserved + bytes;
      ask_spill(total > budget ? total - budget : bytes);
      return false;
    }
  }
  admit(record);
  return true;
}

/// The progress rule: when nothing is at the executor, the first unfinished packet goes on whatever it takes. First by
/// id, tails in the place of what they were split off, because in that order producers come before consumers: over all
/// workers, the first has all its inputs. Here some may wait for what another worker makes again: these are passed
/// over.
bool WorkerState::admit_first() {
  if (!nothing_runs() || !waiting_for_slots.empty()) return false;
  auto tail = unfinished_tails.begin();
  for (PacketId id = unfinished.first(); id != kNone; id = unfinished.next(id)) {
    for (; tail != unfinished_tails.end() && std::get<0>(*tail) < id; ++tail) {
      const First first = admit_if_first(std::get<2>(*tail));
      if (first != First::Blocked) return first == First::Went;
    }
    const First first = admit_if_first(id);
    if (first != First::Blocked) return first == First::Went;
  }
  return false;
}

WorkerState::First WorkerState::admit_if_first(PacketId packet) {
  Record& record = *find(packet);
  if (record.stage == Stage::Blocked) return First::Blocked;
  if (record.stage != Stage::Queued) return First::Waits;
  admit(record);
  return First::Went;
}

std::uint64_t WorkerState::demand(const Record& record) {
  std::uint64_t bytes = record.spec.peak_bytes;
  if (record.missing_remote == 0) return bytes;
  for (const machine::DealtInput& input : record.inputs) {
    if (input.state != InputState::Remote) continue;
    const Copy* copy = find_copy(input.source.producer);
    if (copy->where == CopyRecord::Where::Unasked) bytes += copy->bytes;
  }
  return bytes;
}

void WorkerState::admit(Record& record) {
  (record.gated ? gated_queue : queue).erase(record.place());
  record.stage = Stage::Admitted;
  record.reserved = record.spec.peak_bytes;
  reserved += record.reserved;
  if (record.gated) ++admitted_gated;
  fetch_inputs(record);
  inputs_changed(record);
}

/// One by one, highest priority first, as slots and resources are free. A packet that waits keeps what is free of
/// its resources from later ones, and a wide one all slots, so that none starves.
void WorkerState::activate_gated() {
  std::vector<ResourceAmount> free = free_resources;
  OrderedPackets::Place place = waiting_for_slots.first();
  for (std::uint32_t looked = 0; place.packet != kNone && looked != kGatedLookedAt; ++looked) {
    const OrderedPackets::Place next = waiting_for_slots.next(place);
    Record& record = *find(place.packet);
    const bool behind_plain = record.spec.priority < 0 && active_plain != 0 && idle_slots == 0;
    if (behind_plain || slots_in_use + record.needs.slots > options.slots) return;
    if (take(free, record.needs.resources)) {
      waiting_for_slots.erase(record.place());
      activate(record);
    }
    place = next;
  }
}

void WorkerState::activate(Record& record) {
  transition(record, PacketState::Running);
  record.stage = Stage::Active;
  ++active;
  if (record.gated) {
    --admitted_gated;
    slots_in_use += record.needs.slots;
    take(free_resources, record.needs.resources);
  } else {
    ++active_plain;
  }
  const std::uint32_t taken = std::max(record.needs.slots, record.gated ? 1u : record.spec.task_count);
  idle_slots -= std::min(idle_slots, taken);
  emit(Activate{record.packet, record.attempt});
  tell_readers(record);
}

void WorkerState::release_reservations(Record& record) {
  const bool is_admitted = record.stage == Stage::Admitted || record.stage == Stage::Gated;
  if (!is_admitted && record.stage != Stage::Active) return;
  reserved -= record.reserved;
  record.reserved = 0;
  if (is_admitted) {
    if (record.gated) --admitted_gated;
    return;
  }
  if (!record.held) release_slots(record);
}

void WorkerState::release_slots(const Record& record) {
  --active;
  if (!record.gated) {
    --active_plain;
    return;
  }
  slots_in_use -= record.needs.slots;
  give(free_resources, record.needs.resources);
}

void WorkerState::on(const PacketHeld& event) {
  Record* record = find(event.packet, event.attempt);
  if (record == nullptr || record->stage != Stage::Active || record->held) return;
  release_slots(*record);
  record->held = true;
}

void WorkerState::ask_spill(std::uint64_t bytes) {
  if (spill_asked || spillable == 0 || bytes == 0) return;
  spill_asked = true;
  emit(Spill{std::min(bytes, spillable)});
}

/// Above the first share of the budget: no new roots, and outputs go to disk. Above the second: nothing is fetched or
/// activated, and the scheduler deals elsewhere.
void WorkerState::on(const MemoryState& event) {
  budget = event.budget_bytes;
  used = event.used_bytes;
  spillable = event.spillable_bytes;
  spill_asked = false;
  const auto share = [this](double part) { return static_cast<std::uint64_t>(part * static_cast<double>(budget)); };
  const std::uint64_t spill_from = share(options.spill_share);
  const bool is_tight = budget != 0 && used > spill_from;
  if (is_tight) ask_spill(used - spill_from);
  if (is_tight && !roots_held) emit(HoldRoots{});
  if (roots_held && (budget == 0 || used <= spill_from - spill_from / 10)) {
    emit(ReleaseRoots{});
    roots_held = false;
  }
  roots_held = roots_held || is_tight;
  const bool is_full = budget != 0 && used > share(options.pause_share);
  const bool is_eased = budget == 0 || used <= share((options.spill_share + options.pause_share) / 2);
  if (paused && is_eased) emit(SendResumed{});
  const bool was_paused = paused;
  paused = is_full || (paused && !is_eased);
  if (paused) tell_paused(!was_paused);
}

/// Says again what may still go to disk when nothing can, and as memory becomes free. What a full disk takes a second
/// later, but does not free, is no news.
void WorkerState::tell_paused(bool first) {
  constexpr std::uint64_t kSteps = 64;
  const bool is_spilling = spillable != 0;
  const bool freed = used + budget / kSteps <= told_used;
  if (!first && !freed && (is_spilling || !told_spilling)) return;
  told_spilling = is_spilling;
  told_used = used;
  emit(SendPaused{is_spilling});
}

/// With all slots idle and roots held, one root may begin: nothing else is left that could free memory.
void WorkerState::on(const SlotsIdle& event) {
  idle_slots = event.count;
  if (roots_held && active != 0 && event.count >= options.slots) emit(ReleaseRoots{1});
}

}  // namespace weft
