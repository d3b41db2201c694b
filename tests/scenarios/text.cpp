#include "tests/scenarios/text.hpp"

#include <fmt/format.h>

#include <sstream>
#include <stdexcept>

namespace weft::scenarios {

namespace {

[[noreturn]] void complain(const std::string& what) { throw std::runtime_error(what); }

WorkerId first_worker(const Line& line) {
  if (line.words.empty()) complain(line.verb + " needs a worker");
  return static_cast<WorkerId>(parse_number(line.words[0]));
}

Dealt dealt_at(const Line& line, std::size_t index) {
  if (line.words.size() <= index) complain(line.verb + " needs a packet");
  return parse_dealt(line.words[index]);
}

std::vector<PacketId> all_packets(const Line& line) {
  std::vector<PacketId> ids;
  for (const std::string& word : line.words) ids.push_back(static_cast<PacketId>(parse_number(word)));
  return ids;
}

std::string worker_text(WorkerId worker) {
  if (worker == kKeeper) return "keeper";
  return worker == kNone ? "none" : std::to_string(worker);
}

std::string source_text(const InputSource& source) {
  return fmt::format("{}@{}:{}:{}", source.producer, source.attempt, worker_text(source.owner), source.bytes);
}

std::string error_text(std::uint32_t error) { return error == kNone ? "" : fmt::format(" error={}", error); }

WorkerId parse_worker(const std::string& text) {
  if (text == "keeper") return kKeeper;
  return text == "none" ? kNone : static_cast<WorkerId>(parse_number(text));
}

}  // namespace

bool Line::has(const std::string& word) const {
  for (const std::string& own : words) {
    if (own == word) return true;
  }
  return false;
}

std::uint64_t Line::number(const std::string& key, std::uint64_t otherwise) const {
  const auto found = values.find(key);
  return found == values.end() ? otherwise : parse_number(found->second);
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, by);) parts.push_back(part);
  return parts;
}

Line parse_line(const std::string& text) {
  Line line;
  std::istringstream in(text);
  in >> line.verb;
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos) {
      line.words.push_back(word);
    } else {
      line.values[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return line;
}

std::uint64_t parse_number(const std::string& text) {
  std::size_t used = 0;
  const std::uint64_t number = std::stoull(text, &used);
  const std::string unit = text.substr(used);
  if (unit.empty() || unit == "ns") return number;
  if (unit == "us") return number * 1'000;
  if (unit == "ms") return number * 1'000'000;
  if (unit == "s") return number * 1'000'000'000;
  if (unit == "K") return number << 10;
  if (unit == "M") return number << 20;
  complain("no such unit: " + text);
}

Dealt parse_dealt(const std::string& text) {
  const std::vector<std::string> parts = split(text, '@');
  if (parts.size() != 2) complain("a packet and its attempt look like 5@1: " + text);
  return {static_cast<PacketId>(parse_number(parts[0])), static_cast<Attempt>(parse_number(parts[1]))};
}

InputSource parse_source(const std::string& text) {
  const std::vector<std::string> parts = split(text, ':');
  if (parts.size() != 3) complain("a source looks like 5@1:0:100: " + text);
  const Dealt dealt = parse_dealt(parts[0]);
  return {dealt.packet, parse_worker(parts[1]), dealt.attempt, parse_number(parts[2])};
}

std::vector<ResourceAmount> parse_resources(const std::string& text) {
  std::vector<ResourceAmount> resources;
  for (const std::string& part : split(text, ',')) {
    const std::vector<std::string> pair = split(part, ':');
    if (pair.size() != 2) complain("resources look like 0:1,3:2: " + text);
    resources.push_back(
        {static_cast<std::uint32_t>(parse_number(pair[0])), static_cast<std::uint32_t>(parse_number(pair[1]))});
  }
  return resources;
}

PacketSpec parse_spec(const Line& line, std::vector<Needs>& needs) {
  PacketSpec spec;
  spec.first_task = static_cast<TaskId>(line.number("first", 0));
  spec.task_count = static_cast<std::uint32_t>(line.number("tasks", 1));
  spec.layer = static_cast<std::uint32_t>(line.number("layer", kNone));
  spec.affinity = static_cast<std::uint32_t>(line.number("affinity", kNone));
  spec.head = static_cast<PacketId>(line.number("head", kNone));
  spec.max_retries = static_cast<std::uint8_t>(line.number("retries", 0));
  spec.expected_ns = static_cast<Nanoseconds>(line.number("expected", 1'000'000));
  spec.output_bytes = line.number("out", 10'000);
  spec.peak_bytes = line.number("peak", 0);
  if (line.values.count("priority") != 0) spec.priority = std::stoi(line.values.at("priority"));
  if (line.values.count("age") != 0) {
    spec.flags |= packet_flags::kAged;
    spec.age = static_cast<PacketId>(line.number("age", kNone));
    spec.turn = static_cast<std::uint32_t>(line.number("turn", 0));
  }
  if (line.values.count("home") != 0) spec.home = parse_worker(line.values.at("home"));
  if (line.has("roots")) spec.flags |= packet_flags::kRoots;
  if (line.has("wanted")) spec.flags |= packet_flags::kWanted;
  if (line.has("scattered")) spec.flags |= packet_flags::kScattered;
  if (line.has("once")) spec.flags &= static_cast<std::uint8_t>(~packet_flags::kRetriable);
  Needs need;
  need.slots = static_cast<std::uint32_t>(line.number("slots", 1));
  if (line.values.count("resources") != 0) need.resources = parse_resources(line.values.at("resources"));
  if (line.values.count("workers") != 0) {
    for (const std::string& part : split(line.values.at("workers"), ',')) need.workers.push_back(parse_worker(part));
  }
  need.preferred = line.has("preferred");
  if (!(need == Needs{})) {
    spec.needs = static_cast<std::uint32_t>(needs.size());
    needs.push_back(need);
  }
  return spec;
}

SchedulerOptions parse_scheduler_options(const Line& line) {
  SchedulerOptions options;
  options.queue_packets = static_cast<std::uint32_t>(line.number("queue_packets", options.queue_packets));
  options.queue_ns = static_cast<Nanoseconds>(line.number("queue_ns", static_cast<std::uint64_t>(options.queue_ns)));
  options.keep_bytes = line.number("keep", options.keep_bytes);
  options.keep_lineage = !line.has("no-lineage");
  options.narrows = line.has("narrows");
  options.patience_ns = static_cast<Nanoseconds>(line.number("patience", 0));
  return options;
}

WorkerOptions parse_worker_options(const Line& line) {
  WorkerOptions options;
  options.id = static_cast<WorkerId>(line.number("id", 0));
  options.slots = static_cast<std::uint32_t>(line.number("slots", 2));
  options.budget_bytes = line.number("budget", 0);
  options.active_packets = static_cast<std::uint32_t>(line.number("active", 0));
  if (line.values.count("resources") != 0) options.resources = parse_resources(line.values.at("resources"));
  return options;
}

SchedulerEventBody parse_scheduler_event(const Line& line) {
  const std::string& verb = line.verb;
  if (verb == "tick") return Tick{};
  if (verb == "release") return OutputsReleased{all_packets(line)};
  if (verb == "replicate")
    return ReplicasWanted{all_packets(line), static_cast<std::uint32_t>(line.number("copies", 2))};
  if (verb == "cancel") return PacketsCancelled{all_packets(line)};
  const WorkerId worker = line.words.empty() ? kNone : parse_worker(line.words[0]);
  if (verb == "join") {
    WorkerJoined joined{
        first_worker(line), static_cast<std::uint32_t>(line.number("slots", 1)), line.number("budget", 0), {}};
    if (line.values.count("resources") != 0) joined.resources = parse_resources(line.values.at("resources"));
    return joined;
  }
  if (verb == "lost") {
    WorkerLost lost{worker, 0, {}};
    if (line.values.count("suspects") != 0) {
      for (const std::string& id : split(line.values.at("suspects"), ','))
        lost.suspects.push_back(static_cast<PacketId>(parse_number(id)));
    }
    return lost;
  }
  if (verb == "drain") return WorkerDraining{worker};
  if (verb == "pause") return WorkerPaused{worker, line.has("spilling")};
  if (verb == "resume") return WorkerResumed{worker};
  if (verb == "blocked") return WorkerBlocked{worker, static_cast<std::uint32_t>(line.number("packets", 0))};
  if (verb == "finished") {
    PacketsFinished finished{worker, {}};
    for (std::size_t i = 1; i != line.words.size(); ++i) {
      const Dealt dealt = parse_dealt(line.words[i]);
      finished.packets.push_back({dealt.packet, dealt.attempt, static_cast<std::uint32_t>(line.number("failed", 0)),
                                  line.number("bytes", 10'000),
                                  static_cast<Nanoseconds>(line.number("ns", 1'000'000))});
    }
    return finished;
  }
  const Dealt dealt = dealt_at(line, 1);
  if (verb == "progress") {
    return PacketProgress{worker, dealt.packet, dealt.attempt, 0, static_cast<std::uint32_t>(line.number("done", 1)),
                          0};
  }
  if (verb == "failed") {
    return PacketFailed{worker,
                        dealt.packet,
                        dealt.attempt,
                        static_cast<std::uint32_t>(line.number("error", kNone)),
                        Reason::TaskFailed,
                        !line.has("final")};
  }
  if (verb == "returned") {
    return PacketReturned{worker, dealt.packet, dealt.attempt, static_cast<TaskId>(line.number("from", 0)),
                          static_cast<PacketId>(line.number("tail", kNone))};
  }
  if (verb == "postponed") return PacketPostponed{worker, dealt.packet, dealt.attempt};
  if (verb == "refused") return RecallRefused{worker, dealt.packet, dealt.attempt};
  if (verb == "replicated") return Replicated{worker, dealt.packet, dealt.attempt};
  if (verb == "missing") {
    const InputSource source = parse_source(line.values.at("source"));
    return InputMissing{worker, dealt.packet, dealt.attempt, source.producer, source.attempt, source.owner};
  }
  complain("no such event of the scheduler: " + verb);
}

WorkerEventBody parse_worker_event(const Line& line) {
  const std::string& verb = line.verb;
  if (verb == "tick") return Tick{};
  if (verb == "peer-lost") return PeerLost{first_worker(line)};
  if (verb == "idle") return SlotsIdle{first_worker(line)};
  if (verb == "ready") return ReadyTasks{first_worker(line)};
  if (verb == "memory")
    return MemoryState{line.number("used", 0), line.number("budget", 0), line.number("spillable", 0)};
  if (verb == "replica") return ReplicaAsked{parse_source(line.values.at("source"))};
  const Dealt dealt = dealt_at(line, 0);
  if (verb == "deal") {
    PacketsDealt message;
    DealtPacket packet{dealt.packet, dealt.attempt, 0, 0, parse_spec(line, message.needs)};
    if (line.values.count("inputs") != 0) {
      for (const std::string& part : split(line.values.at("inputs"), ',')) message.inputs.push_back(parse_source(part));
    }
    packet.input_count = static_cast<std::uint32_t>(message.inputs.size());
    message.packets.push_back(packet);
    return message;
  }
  if (verb == "held") return PacketHeld{dealt.packet, dealt.attempt};
  if (verb == "arrived") return InputArrived{dealt.packet, dealt.attempt, line.number("bytes", 100)};
  if (verb == "input-failed") return InputFailed{dealt.packet, dealt.attempt, parse_worker(line.values.at("owner"))};
  if (verb == "relocated") return InputRelocated{dealt.packet, dealt.attempt, parse_source(line.values.at("source"))};
  if (verb == "done") {
    return PacketDone{dealt.packet, dealt.attempt, line.number("bytes", 100),
                      static_cast<Nanoseconds>(line.number("ns", 1000)),
                      static_cast<std::uint32_t>(line.number("failed", 0))};
  }
  if (verb == "broken") {
    return PacketBroken{dealt.packet, dealt.attempt, static_cast<std::uint32_t>(line.number("error", kNone)),
                        !line.has("final")};
  }
  if (verb == "progress")
    return TasksProgress{dealt.packet, dealt.attempt, 0, static_cast<std::uint32_t>(line.number("done", 1)), 0};
  if (verb == "subscribed") return PeerSubscribed{dealt.packet, dealt.attempt, parse_worker(line.values.at("peer"))};
  if (verb == "recall") return RecallAsked{dealt.packet, dealt.attempt, line.has("cancel")};
  if (verb == "given-up") return TailGivenUp{dealt.packet, dealt.attempt, static_cast<TaskId>(line.number("from", 0))};
  if (verb == "drop") return DropAsked{dealt.packet, dealt.attempt};
  complain("no such event of a worker: " + verb);
}

namespace {

struct ActionText {
  const std::vector<InputSource>* inputs = nullptr;

  std::string operator()(const Deal& it) const {
    std::string text = fmt::format("deal {}@{} to {}", it.packet, it.attempt, it.worker);
    for (std::uint32_t i = 0; i != it.input_count; ++i) text += " " + source_text((*inputs)[it.first_input + i]);
    return text;
  }
  std::string operator()(const Recall& it) const {
    return fmt::format("{} {}@{} at {}", it.cancel ? "recall-cancel" : "recall", it.packet, it.attempt, it.worker);
  }
  std::string operator()(const Relocate& it) const {
    return fmt::format("relocate for {}@{} at {}: {}", it.packet, it.attempt, it.worker, source_text(it.source));
  }
  std::string operator()(const Drop& it) const {
    return fmt::format("drop {}@{} at {}", it.packet, it.attempt, worker_text(it.worker));
  }
  std::string operator()(const Replicate& it) const {
    return fmt::format("replicate {}@{} from {} to {}", it.packet, it.attempt, worker_text(it.from),
                       worker_text(it.to));
  }
  std::string operator()(const Report& it) const {
    if (it.state == PacketState::InMemory) {
      const std::string failed = it.error == 0 ? "" : fmt::format(" failed_tasks={}", it.error);
      const std::string why = it.reason == Reason::None ? "" : fmt::format(" {}", to_string(it.reason));
      return fmt::format("report {} InMemory{} at {}{}", it.packet, why, worker_text(it.worker), failed);
    }
    return fmt::format("report {} {} {} cause={}{}", it.packet, to_string(it.state), to_string(it.reason), it.cause,
                       error_text(it.error));
  }
  std::string operator()(const Refuse& it) const {
    return fmt::format("refuse {} {} {}", it.packet, to_string(it.reason), it.detail);
  }
  std::string operator()(const Narrow& it) const { return fmt::format("narrow {}", it.packet); }
  std::string operator()(const Forget& it) const { return fmt::format("forget {}", it.packet); }

  std::string operator()(const Fetch& it) const {
    return fmt::format("fetch {}@{} from {} bytes={}", it.producer, it.attempt, worker_text(it.owner), it.bytes);
  }
  std::string operator()(const Activate& it) const { return fmt::format("activate {}@{}", it.packet, it.attempt); }
  std::string operator()(const HoldRoots&) const { return "hold-roots"; }
  std::string operator()(const ReleaseRoots& it) const {
    return it.count == kNone ? "release-roots" : fmt::format("release-roots {}", it.count);
  }
  std::string operator()(const Spill& it) const { return fmt::format("spill {}", it.bytes); }
  std::string operator()(const Serve& it) const {
    return fmt::format("serve {}@{} to {}", it.packet, it.attempt, it.peer);
  }
  std::string operator()(const AnswerNotMine& it) const {
    return fmt::format("not-mine {}@{} to {}", it.packet, it.attempt, it.peer);
  }
  std::string operator()(const Discard& it) const { return fmt::format("discard {}@{}", it.packet, it.attempt); }
  std::string operator()(const GiveUp& it) const { return fmt::format("give-up {}@{}", it.packet, it.attempt); }
  std::string operator()(const CancelActive& it) const {
    return fmt::format("cancel-active {}@{}", it.packet, it.attempt);
  }
  std::string operator()(const SendFinished& it) const {
    return fmt::format("send finished {}@{} bytes={} failed={}", it.finished.packet, it.finished.attempt,
                       it.finished.bytes, it.finished.failed_tasks);
  }
  std::string operator()(const SendProgress& it) const {
    return fmt::format("send progress {}@{} done={}", it.packet, it.attempt, it.done_count);
  }
  std::string operator()(const SendFailed& it) const {
    return fmt::format("send failed {}@{} {}{}{}", it.packet, it.attempt, to_string(it.reason), error_text(it.error),
                       it.retriable ? "" : " final");
  }
  std::string operator()(const SendReturned& it) const {
    return fmt::format("send returned {}@{} from={}", it.packet, it.attempt, it.from_task);
  }
  std::string operator()(const SendRefused& it) const {
    return fmt::format("send refused {}@{}", it.packet, it.attempt);
  }
  std::string operator()(const SendMissing& it) const {
    return fmt::format("send missing {}@{}: {}@{} at {}", it.packet, it.attempt, it.producer, it.producer_attempt,
                       worker_text(it.owner));
  }
  std::string operator()(const SendReplicated& it) const {
    return fmt::format("send replicated {}@{}", it.packet, it.attempt);
  }
  std::string operator()(const SendPaused& action) const {
    return action.spilling ? "send paused spilling" : "send paused";
  }
  std::string operator()(const SendResumed&) const { return "send resumed"; }
  std::string operator()(const Stuck& it) const {
    return fmt::format("stuck {} {} {}", it.packet, to_string(it.reason), it.detail);
  }
};

}  // namespace

std::string to_text(const SchedulerAction& action, const std::vector<InputSource>& inputs) {
  return std::visit(ActionText{&inputs}, action);
}

std::string to_text(const WorkerAction& action) { return std::visit(ActionText{}, action); }

}  // namespace weft::scenarios
