#include "core/messages/encoding.hpp"

#include <algorithm>
#include <bit>
#include <tuple>
#include <type_traits>

#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

namespace weft {

namespace {

// The fields of each message, in their order on the wire. One line a message; the compiler finds a missing one.
// `T` is the message or the const message.
template <class T, class M>
inline constexpr bool kIs = std::is_same_v<std::remove_const_t<T>, M>;

template <class T>
auto fields_of_parts(T& m) {
  if constexpr (kIs<T, ResourceAmount>)
    return std::tie(m.resource, m.amount);
  else if constexpr (kIs<T, Needs>)
    return std::tie(m.slots, m.resources, m.workers, m.preferred);
  else if constexpr (kIs<T, ProducerEdge>)
    return std::tie(m.producer, m.bytes);
  else if constexpr (kIs<T, PacketSpec>)
    return std::tie(m.first_task, m.task_count, m.layer, m.first_producer, m.producer_count, m.needs, m.affinity,
                    m.home, m.head, m.priority, m.age, m.turn, m.max_retries, m.flags, m.expected_ns, m.output_bytes,
                    m.peak_bytes);
  else if constexpr (kIs<T, InputSource>)
    return std::tie(m.producer, m.owner, m.attempt, m.bytes);
  else if constexpr (kIs<T, DealtPacket>)
    return std::tie(m.packet, m.attempt, m.first_input, m.input_count, m.spec);
  else if constexpr (kIs<T, FinishedPacket>)
    return std::tie(m.packet, m.attempt, m.failed_tasks, m.bytes, m.run_ns);
  else if constexpr (kIs<T, SchedulerOptions>)
    return std::tie(m.queue_packets, m.queue_ns, m.queue_packets_most, m.bytes_per_second, m.latency_ns, m.keep_bytes,
                    m.keep_lineage, m.withhold_share, m.kills_to_fail, m.narrows, m.patience_ns);
  else if constexpr (kIs<T, WorkerOptions>)
    return std::tie(m.id, m.slots, m.resources, m.budget_bytes, m.spill_share, m.pause_share, m.active_packets);
}

template <class T>
auto fields_of_scheduler_events(T& m) {
  if constexpr (kIs<T, WorkerJoined>)
    return std::tie(m.worker, m.slots, m.budget_bytes, m.resources);
  else if constexpr (kIs<T, WorkerLost>)
    return std::tie(m.worker, m.reason, m.suspects);
  else if constexpr (kIs<T, WorkerPaused>)
    return std::tie(m.worker, m.spilling);
  else if constexpr (kIs<T, WorkerDraining> || kIs<T, WorkerResumed>)
    return std::tie(m.worker);
  else if constexpr (kIs<T, WorkerBlocked>)
    return std::tie(m.worker, m.blocked);
  else if constexpr (kIs<T, PacketsSubmitted>)
    return std::tie(m.first_packet, m.packets, m.producers, m.needs);
  else if constexpr (kIs<T, PacketsFinished>)
    return std::tie(m.worker, m.packets);
  else if constexpr (kIs<T, PacketProgress>)
    return std::tie(m.worker, m.packet, m.attempt, m.first_done, m.done_count, m.kept_bytes);
  else if constexpr (kIs<T, PacketFailed>)
    return std::tie(m.worker, m.packet, m.attempt, m.error, m.reason, m.retriable);
  else if constexpr (kIs<T, PacketReturned>)
    return std::tie(m.worker, m.packet, m.attempt, m.from_task, m.tail);
  else if constexpr (kIs<T, PacketSplit>)
    return std::tie(m.packet, m.first_part, m.parts, m.producers);
  else if constexpr (kIs<T, RecallRefused> || kIs<T, Replicated> || kIs<T, PacketPostponed>)
    return std::tie(m.worker, m.packet, m.attempt);
  else if constexpr (kIs<T, InputMissing>)
    return std::tie(m.worker, m.packet, m.attempt, m.producer, m.producer_attempt, m.owner);
  else if constexpr (kIs<T, OutputsReleased> || kIs<T, PacketsCancelled> || kIs<T, BalanceWanted>)
    return std::tie(m.packets);
  else if constexpr (kIs<T, ReplicasWanted>)
    return std::tie(m.packets, m.copies);
  else if constexpr (kIs<T, Tick>)
    return std::tuple<>();
}

template <class T>
auto fields_of_worker_events(T& m) {
  if constexpr (kIs<T, PacketsDealt>)
    return std::tie(m.packets, m.inputs, m.needs);
  else if constexpr (kIs<T, InputArrived>)
    return std::tie(m.producer, m.attempt, m.bytes);
  else if constexpr (kIs<T, InputFailed>)
    return std::tie(m.producer, m.attempt, m.owner);
  else if constexpr (kIs<T, InputRelocated>)
    return std::tie(m.packet, m.attempt, m.source);
  else if constexpr (kIs<T, PeerLost>)
    return std::tie(m.peer);
  else if constexpr (kIs<T, PacketDone>)
    return std::tie(m.packet, m.attempt, m.bytes, m.run_ns, m.failed_tasks);
  else if constexpr (kIs<T, PacketBroken>)
    return std::tie(m.packet, m.attempt, m.error, m.retriable);
  else if constexpr (kIs<T, TasksProgress>)
    return std::tie(m.packet, m.attempt, m.first_done, m.done_count, m.kept_bytes);
  else if constexpr (kIs<T, PeerSubscribed>)
    return std::tie(m.packet, m.attempt, m.peer);
  else if constexpr (kIs<T, MemoryState>)
    return std::tie(m.used_bytes, m.budget_bytes, m.spillable_bytes);
  else if constexpr (kIs<T, SlotsIdle>)
    return std::tie(m.count);
  else if constexpr (kIs<T, RecallAsked>)
    return std::tie(m.packet, m.attempt, m.cancel);
  else if constexpr (kIs<T, TailGivenUp>)
    return std::tie(m.packet, m.attempt, m.from_task);
  else if constexpr (kIs<T, DropAsked> || kIs<T, PacketHeld>)
    return std::tie(m.packet, m.attempt);
  else if constexpr (kIs<T, ReplicaAsked>)
    return std::tie(m.source);
  else if constexpr (kIs<T, ReadyTasks>)
    return std::tie(m.packet);
}

template <class T>
auto fields_of_scheduler_actions(T& m) {
  if constexpr (kIs<T, Deal>)
    return std::tie(m.worker, m.packet, m.attempt);  // the inputs follow, see encode()
  else if constexpr (kIs<T, Recall>)
    return std::tie(m.worker, m.packet, m.attempt, m.cancel);
  else if constexpr (kIs<T, Relocate>)
    return std::tie(m.worker, m.packet, m.attempt, m.source);
  else if constexpr (kIs<T, Drop>)
    return std::tie(m.worker, m.packet, m.attempt);
  else if constexpr (kIs<T, Replicate>)
    return std::tie(m.from, m.to, m.packet, m.attempt);
  else if constexpr (kIs<T, Report>)
    return std::tie(m.packet, m.state, m.reason, m.attempt, m.worker, m.error, m.cause);
  else if constexpr (kIs<T, Refuse>)
    return std::tie(m.packet, m.reason, m.detail);
  else if constexpr (kIs<T, Forget> || kIs<T, Narrow>)
    return std::tie(m.packet);
}

template <class T>
auto fields_of_worker_actions(T& m) {
  if constexpr (kIs<T, Fetch>)
    return std::tie(m.producer, m.attempt, m.owner, m.bytes);
  else if constexpr (kIs<T, Activate> || kIs<T, Discard> || kIs<T, GiveUp> || kIs<T, CancelActive> ||
                     kIs<T, SendRefused> || kIs<T, SendReplicated>)
    return std::tie(m.packet, m.attempt);
  else if constexpr (kIs<T, SendPaused>)
    return std::tie(m.spilling);
  else if constexpr (kIs<T, HoldRoots> || kIs<T, SendResumed>)
    return std::tuple<>();
  else if constexpr (kIs<T, ReleaseRoots>)
    return std::tie(m.count);
  else if constexpr (kIs<T, Spill>)
    return std::tie(m.bytes);
  else if constexpr (kIs<T, Serve> || kIs<T, AnswerNotMine>)
    return std::tie(m.peer, m.packet, m.attempt);
  else if constexpr (kIs<T, SendFinished>)
    return std::tie(m.finished);
  else if constexpr (kIs<T, SendProgress>)
    return std::tie(m.packet, m.attempt, m.first_done, m.done_count, m.kept_bytes);
  else if constexpr (kIs<T, SendFailed>)
    return std::tie(m.packet, m.attempt, m.error, m.reason, m.retriable);
  else if constexpr (kIs<T, SendReturned>)
    return std::tie(m.packet, m.attempt, m.from_task);
  else if constexpr (kIs<T, SendMissing>)
    return std::tie(m.packet, m.attempt, m.producer, m.producer_attempt, m.owner);
  else if constexpr (kIs<T, Stuck>)
    return std::tie(m.packet, m.reason, m.detail);
}

template <class T>
auto fields(T& m) {
  if constexpr (!std::is_void_v<decltype(fields_of_parts(m))>)
    return fields_of_parts(m);
  else if constexpr (!std::is_void_v<decltype(fields_of_scheduler_events(m))>)
    return fields_of_scheduler_events(m);
  else if constexpr (!std::is_void_v<decltype(fields_of_worker_events(m))>)
    return fields_of_worker_events(m);
  else if constexpr (!std::is_void_v<decltype(fields_of_scheduler_actions(m))>)
    return fields_of_scheduler_actions(m);
  else
    return fields_of_worker_actions(m);
}

// ---- Writing ----

template <class T>
void put(const std::vector<T>& list, Bytes& out);

template <class T>
void put(const T& value, Bytes& out) {
  if constexpr (std::is_enum_v<T>) {
    put(static_cast<std::uint8_t>(value), out);
  } else if constexpr (std::is_same_v<T, bool>) {
    put(static_cast<std::uint8_t>(value ? 1 : 0), out);
  } else if constexpr (std::is_same_v<T, double>) {
    put(std::bit_cast<std::uint64_t>(value), out);
  } else if constexpr (std::is_integral_v<T>) {
    auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i != sizeof(T); ++i, bits >>= 8) out.push_back(static_cast<std::byte>(bits & 0xff));
  } else {
    std::apply([&out](const auto&... field) { (put(field, out), ...); }, fields(value));
  }
}

template <class T>
void put(const std::vector<T>& list, Bytes& out) {
  put(static_cast<std::uint32_t>(list.size()), out);
  for (const T& item : list) put(item, out);
}

template <class... T>
void put(const std::variant<T...>& choice, Bytes& out) {
  put(static_cast<std::uint8_t>(choice.index()), out);
  std::visit([&out](const auto& body) { put(body, out); }, choice);
}

// ---- Reading ----

bool is_valid(PacketState state) { return static_cast<int>(state) < kPacketStateCount; }
bool is_valid(Reason reason) { return static_cast<int>(reason) < kReasonCount; }

template <class T>
bool get(ByteView& in, std::vector<T>& list);

template <class T>
bool get(ByteView& in, T& value) {
  if constexpr (std::is_enum_v<T>) {
    std::uint8_t number = 0;
    if (!get(in, number)) return false;
    value = static_cast<T>(number);
    return is_valid(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    std::uint8_t number = 0;
    if (!get(in, number) || number > 1) return false;
    value = number == 1;
    return true;
  } else if constexpr (std::is_same_v<T, double>) {
    std::uint64_t bits = 0;
    if (!get(in, bits)) return false;
    value = std::bit_cast<double>(bits);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    if (in.size() < sizeof(T)) return false;
    std::uint64_t bits = 0;
    for (std::size_t i = sizeof(T); i-- != 0;) bits = bits << 8 | std::to_integer<std::uint64_t>(in[i]);
    value = static_cast<T>(bits);
    in = in.subspan(sizeof(T));
    return true;
  } else {
    return std::apply([&in](auto&... field) { return (get(in, field) && ...); }, fields(value));
  }
}

template <class T>
bool get(ByteView& in, std::vector<T>& list) {
  std::uint32_t count = 0;
  list.clear();
  // No item takes less than a byte: a length beyond the bytes left is refused before anything is allocated.
  if (!get(in, count) || count > in.size()) return false;
  for (std::uint32_t i = 0; i != count; ++i) {
    if (!get(in, list.emplace_back())) return false;
  }
  return true;
}

template <class Choice, std::size_t Index = 0>
bool get_choice(ByteView& in, std::uint8_t index, Choice& choice) {
  if constexpr (Index == std::variant_size_v<Choice>) {
    return false;
  } else {
    if (index != Index) return get_choice<Choice, Index + 1>(in, index, choice);
    return get(in, choice.template emplace<Index>());
  }
}

template <class... T>
bool get(ByteView& in, std::variant<T...>& choice) {
  std::uint8_t index = 0;
  return get(in, index) && get_choice(in, index, choice);
}

/// True if all slices of a message lie inside the lists that they point into.
bool is_sound(const SchedulerEventBody& body) {
  if (const auto* split = std::get_if<PacketSplit>(&body)) {
    return std::all_of(split->parts.begin(), split->parts.end(), [split](const PacketSpec& spec) {
      return std::uint64_t{spec.first_producer} + spec.producer_count <= split->producers.size();
    });
  }
  const auto* submitted = std::get_if<PacketsSubmitted>(&body);
  if (submitted == nullptr) return true;
  for (const PacketSpec& spec : submitted->packets) {
    const std::uint64_t end = std::uint64_t{spec.first_producer} + spec.producer_count;
    if (end > submitted->producers.size()) return false;
    if (spec.needs != kNone && spec.needs >= submitted->needs.size()) return false;
  }
  return true;
}

bool is_sound(const WorkerEventBody& body) {
  const auto* dealt = std::get_if<PacketsDealt>(&body);
  if (dealt == nullptr) return true;
  for (const DealtPacket& packet : dealt->packets) {
    if (std::uint64_t{packet.first_input} + packet.input_count > dealt->inputs.size()) return false;
    if (packet.spec.needs != kNone && packet.spec.needs >= dealt->needs.size()) return false;
  }
  return true;
}

}  // namespace

void encode(const SchedulerEvent& event, Bytes& out) {
  put(event.time, out);
  put(event.body, out);
}

void encode(const WorkerEvent& event, Bytes& out) {
  put(event.time, out);
  put(event.body, out);
}

void encode(const SchedulerAction& action, const std::vector<InputSource>& inputs, Bytes& out) {
  put(action, out);
  const Deal* deal = std::get_if<Deal>(&action);
  if (deal == nullptr) return;
  put(deal->input_count, out);
  for (std::uint32_t i = 0; i != deal->input_count; ++i) put(inputs[deal->first_input + i], out);
}

void encode(const WorkerAction& action, Bytes& out) { put(action, out); }
void encode(const SchedulerOptions& options, Bytes& out) { put(options, out); }
void encode(const WorkerOptions& options, Bytes& out) { put(options, out); }

bool decode(ByteView& in, SchedulerEvent& event) {
  return get(in, event.time) && get(in, event.body) && is_sound(event.body);
}

bool decode(ByteView& in, WorkerEvent& event) {
  return get(in, event.time) && get(in, event.body) && is_sound(event.body);
}

bool decode(ByteView& in, SchedulerAction& action, std::vector<InputSource>& inputs) {
  if (!get(in, action)) return false;
  Deal* deal = std::get_if<Deal>(&action);
  if (deal == nullptr) return true;
  std::vector<InputSource> own;
  if (!get(in, own)) return false;
  deal->first_input = static_cast<std::uint32_t>(inputs.size());
  deal->input_count = static_cast<std::uint32_t>(own.size());
  inputs.insert(inputs.end(), own.begin(), own.end());
  return true;
}

bool decode(ByteView& in, WorkerAction& action) { return get(in, action); }
bool decode(ByteView& in, SchedulerOptions& options) { return get(in, options); }
bool decode(ByteView& in, WorkerOptions& options) { return get(in, options); }

std::uint64_t checksum(ByteView bytes, std::uint64_t before) noexcept {
  std::uint64_t sum = before;
  for (const std::byte byte : bytes) sum = (sum ^ std::to_integer<std::uint64_t>(byte)) * 0x0000'0100'0000'01b3u;
  return sum;
}

}  // namespace weft
