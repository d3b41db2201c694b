// What a worker does with the letters that come to it, and when somebody writes no more.

#include "core/cluster/worker_process.hpp"

#include "core/executor/clock.hpp"
#include "core/executor/failing.hpp"
#include "core/messages/encoding.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// Packets at the executor beyond what its slots run: enough that none waits for the loop.
constexpr std::uint32_t kActivePackets = 2;

}  // namespace

void WorkerProcess::connected(PeerId peer, std::string_view bytes) {
  if (bytes.empty()) return;  // ours is through
  const Hello hello = read_hello(bytes);
  if (hello.role != Hello::Role::Peer || hello.cluster != cluster_ || hello.id == kNone)
    throw Error("a stranger connected: its hello names another cluster");
  workers_[peer] = hello.id;
}

void WorkerProcess::letter(PeerId peer, LetterKind kind, Reader& reader) {
  const bool from_client = peer == scheduler_;
  if (from_client && holds_back(kind, reader)) return;
  switch (kind) {
    case LetterKind::Subscribe:
      return on_subscribe(peer, read_subscribe(reader));
    case LetterKind::Values:
      return on_values(reader);
    case LetterKind::Outline:
      return on_outline(reader);
    case LetterKind::NotMine:
      return on_not_mine(peer, read_not_mine(reader));
    case LetterKind::Welcome:
      if (from_client) return welcome(read_welcome(reader));
      break;
    case LetterKind::Refusal:
      if (!from_client) break;
      logging::error("worker", "this worker may not join: ", read_text(reader));
      end_ = WorkerEnd::Refused;
      ending_.store(true);
      return;
    case LetterKind::Neighbour:
      if (from_client) {
        const Neighbour neighbour = read_neighbour(reader);
        addresses_[neighbour.id] = neighbour.address;
        return;
      }
      break;
    case LetterKind::Deal:
      if (from_client) return on_deal(reader);
      break;
    case LetterKind::WorkerEvent:
      if (from_client) return on_event(reader);
      break;
    case LetterKind::Cancel:
      if (from_client) return on_cancel(read_cancel(reader));
      break;
    case LetterKind::End:
      if (!from_client) break;
      ending_.store(true);
      return;
    case LetterKind::Books:
      if (from_client) return on_books(reader);
      break;
    case LetterKind::Call:
      if (from_client) return on_call(reader);
      break;
    case LetterKind::Look:
      if (from_client) return on_look(reader);
      break;
    case LetterKind::Plugin:
      if (!from_client) break;
      plugins_.push_back(read_text(reader));
      plugins_wait_.store(true, std::memory_order_relaxed);
      return;
    case LetterKind::Restart:
      if (from_client) return end_process();
      break;
    case LetterKind::Answer:
      if (from_client) return on_answer(reader);
      break;
    case LetterKind::TimeLeft:
      if (from_client) return executor_.set_time_left(reader.number<double>("time"));
      break;
    case LetterKind::Withdraw:
    case LetterKind::Finished:
    case LetterKind::SchedulerEvent:
    case LetterKind::Stuck:
    case LetterKind::Ended:
    case LetterKind::Leaving:
    case LetterKind::Ask:
    case LetterKind::Guest:
    case LetterKind::Held:
      break;
  }
  throw Error("a letter of kind " + std::to_string(static_cast<int>(kind)) + " is not for a worker from there");
}

void WorkerProcess::welcome(const Welcome& welcome) {
  if (machine_) throw Error("a second welcome");
  id_ = welcome.id;
  cluster_ = welcome.cluster;
  WorkerOptions options;
  options.id = id_;
  options.slots = executor_.slot_count();
  options.budget_bytes = budget_bytes_;
  options.resources = welcome.resources;
  options.active_packets = kActivePackets;
  machine_.emplace(options);
}

void WorkerProcess::on_deal(Reader& reader) {
  if (!machine_) throw Error("a packet came before the welcome");
  define_sites(reader);
  DealLetter deal = read_deal(reader);
  if (find_run(deal.packet, deal.attempt) != nullptr) return;  // told twice
  Runs::node_type fresh = fresh_run(deal.packet, deal.attempt);
  Run* const run = fresh.mapped().get();
  run->urgent = deal.spec.priority != 0 || deal.spec.has(packet_flags::kAged) || deal.spec.needs != kNone;
  const std::size_t size = reader.remaining();
  const std::byte* const bytes = reader.view(size, "deal");
  run->body.assign(bytes, bytes + size);
  Reader body(run->body.data(), size);
  run->count = read_externals(body, sites_, cursor_, run->externals);
  run->body_offset = body.offset();
  run->sources = deal.inputs;
  run->expected_ns = deal.spec.expected_ns;
  const std::uint64_t key = std::uint64_t{deal.packet} << 16 | deal.attempt;
  PacketId last = kNone;
  for (const ExternalInput& one : run->externals) {
    if (one.packet != kNone && one.packet != last) readers_[one.packet].push_back(key);
    last = one.packet;
  }
  if (Run* const before = current_run(deal.packet)) {
    // What hangs on the older attempt's tasks here is served by them; the machine forgets it now.
    if (before->stage == Run::Stage::Active) before->orphan = true;
    if (before->stage == Run::Stage::Waiting) drop_run(*before);
  }
  current_[deal.packet] = run;
  runs_.insert(std::move(fresh));

  DealtPacket packet;
  packet.packet = deal.packet;
  packet.attempt = deal.attempt;
  packet.input_count = static_cast<std::uint32_t>(deal.inputs.size());
  packet.spec = deal.spec;
  dealt_.packets.push_back(packet);
  dealt_.inputs = std::move(deal.inputs);
  if (deal.spec.needs != kNone) dealt_.needs.push_back(std::move(deal.needs));
  WorkerEvent event{now_ns(), std::move(dealt_)};
  machine_->handle(event, actions_);
  dealt_ = std::move(std::get<PacketsDealt>(event.body));
  dealt_.packets.clear();
  dealt_.inputs.clear();
  dealt_.needs.clear();
  pump();
}

void WorkerProcess::on_event(Reader& reader) {
  if (!machine_) throw Error("an event came before the welcome");
  const std::size_t size = reader.remaining();
  ByteView bytes(reader.view(size, "event"), size);
  WorkerEvent event;
  if (!decode(bytes, event)) throw Error("an event that cannot be read");
  if (const auto* relocated = std::get_if<InputRelocated>(&event.body)) {
    if (Run* const run = find_run(relocated->packet, relocated->attempt)) {
      for (InputSource& source : run->sources) {
        if (source.producer == relocated->source.producer) source = relocated->source;
      }
      // What was asked for beside the machine's own fetch is asked for again, where it is now.
      const auto found = copies_.find(relocated->source.producer);
      if (found != copies_.end() && !found->second.fetching) {
        found->second.owner = relocated->source.owner;
        found->second.attempt = relocated->source.attempt;
        if (found->second.missing != 0) ask(found->second, {});
      }
    }
  }
  if (const auto* gone = std::get_if<PeerLost>(&event.body)) {
    addresses_.erase(gone->peer);
    const auto found = peers_.find(gone->peer);
    if (found != peers_.end()) {
      const PeerId peer = found->second;
      peers_.erase(found);
      workers_.erase(peer);
      post_.close(peer);
    }
    for (auto& [packet, copy] : copies_) {
      if (copy.owner == gone->peer && copy.missing != 0 && !copy.fetching) complain(copy);
    }
  }
  const auto* const recall = std::get_if<RecallAsked>(&event.body);
  const PacketId recalled = recall != nullptr ? recall->packet : kNone;
  const Attempt attempt = recall != nullptr ? recall->attempt : Attempt{0};
  const auto* const replica = std::get_if<ReplicaAsked>(&event.body);
  replica_asked_ = replica != nullptr ? replica->source.producer : kNone;
  tell(std::move(event.body));
  replica_asked_ = kNone;
  if (recalled == kNone) return;
  Run* const run = find_run(recalled, attempt);
  if (run != nullptr && run->stage == Run::Stage::Waiting && !machine_->knows(recalled)) drop_run(*run);
}

void WorkerProcess::on_cancel(const CancelTask& cancel) {
  if (cancel.packet == kHandedPacket) return cancel_calls();
  Run* const run = current_run(cancel.packet);
  if (run == nullptr) return;
  if (run->stage == Run::Stage::Waiting) {
    run->cancelled.push_back(cancel.index);
    return;
  }
  // Only what is kept is sure to be still there.
  for (const KeptTask& kept : run->tasks.kept) {
    if (kept.index != cancel.index) continue;
    const std::uint64_t word = arena::task(kept.task).word.load(std::memory_order_acquire);
    if ((word & task_word::kDone) == 0) failing::request_cancel(kept.task);
  }
  executor_.retry_held();
}

void WorkerProcess::lost(PeerId peer, std::string_view why) {
  if (peer == scheduler_) {
    if (!ending_.load()) {
      logging::warning("worker", "the client's process is gone (", why, "); this worker ends");
      end_ = WorkerEnd::Lost;
    }
    ending_.store(true);
    return;
  }
  const auto found = workers_.find(peer);
  if (found == workers_.end()) return;
  const WorkerId worker = found->second;
  workers_.erase(found);
  std::erase_if(subscriptions_, [&](const auto& one) { return one.second.peer == peer; });
  const auto mine = peers_.find(worker);
  if (mine == peers_.end() || mine->second != peer) return;
  peers_.erase(mine);
  // The scheduler says whether the worker is gone; what was on its way from there is asked for anew.
  for (auto& [packet, copy] : copies_) {
    if (copy.owner != worker || copy.missing == 0) continue;
    complain(copy);
  }
}

}  // namespace weft::cluster
