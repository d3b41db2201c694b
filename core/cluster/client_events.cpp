#include "core/cluster/books.hpp"
#include "core/cluster/client_process.hpp"
#include "core/coordination/notes.hpp"
#include "core/executor/clock.hpp"
#include "core/graph/failure_text.hpp"
#include "core/graph/task_name.hpp"
#include "core/messages/encoding.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
// --- Events and actions ------------------------------------------------------------------------------------------

void ClientProcess::tell(SchedulerEventBody body) {
  const SchedulerEvent event{now_ns(), std::move(body)};
  const std::size_t first_action = actions_.list.size();
  machine_.handle(event, actions_);
  if (recorder_ != nullptr) [[unlikely]]
    recorder_->record(event, actions_, first_action);
}

/// Carries actions out until nothing is left to do.
void ClientProcess::pump() {
  note_released();
  for (;;) {
    if (!actions_.list.empty()) {
      SchedulerActions actions = std::exchange(actions_, std::exchange(spare_actions_, {}));
      for (const SchedulerAction& action : actions.list) carry(action, actions);
      actions.clear();
      spare_actions_ = std::move(actions);
    } else if (!left_.to_narrow.empty()) {
      for (const PacketId id : std::exchange(left_.to_narrow, {})) narrow(id);
    } else if (!left_.events.empty()) {
      std::vector<SchedulerEventBody> events = std::exchange(left_.events, {});
      for (SchedulerEventBody& event : events) tell(std::move(event));
    } else {
      return;
    }
  }
}

/// Tells the machine of packets that nobody needs any more: after everything that somebody may wait for.
void ClientProcess::release_outputs() {
  if (left_.to_release.empty()) return;
  tell(OutputsReleased{std::exchange(left_.to_release, {})});
  pump();
}

void ClientProcess::carry(const SchedulerAction& action, const SchedulerActions& all) {
  if (const Deal* deal = std::get_if<Deal>(&action)) {
    carry_deal(*deal, all);
  } else if (const Report* ended = std::get_if<Report>(&action)) {
    report(*ended);
  } else if (const Forget* forgotten = std::get_if<Forget>(&action)) {
    forget_packet(forgotten->packet);
  } else if (const Recall* recall = std::get_if<Recall>(&action)) {
    send_event(recall->worker, RecallAsked{recall->packet, recall->attempt, recall->cancel});
  } else if (const Relocate* relocate = std::get_if<Relocate>(&action)) {
    send_event(relocate->worker, InputRelocated{relocate->packet, relocate->attempt, relocate->source});
  } else if (const Drop* drop = std::get_if<Drop>(&action)) {
    if (drop->worker != kKeeper) return send_event(drop->worker, DropAsked{drop->packet, drop->attempt});
    ClientPacket* const packet = find(drop->packet);
    if (packet != nullptr && !packet->killed) packet->kept = {};
  } else if (const Replicate* replicate = std::get_if<Replicate>(&action)) {
    const ClientPacket* const packet = find(replicate->packet);
    if (replicate->to != kKeeper) {
      send_event(replicate->to, ReplicaAsked{{replicate->packet, replicate->from, replicate->attempt, 0}});
    } else if (packet != nullptr && !packet->kept.empty()) {
      left_.events.push_back(Replicated{kKeeper, replicate->packet, replicate->attempt});
    }
  } else if (const Refuse* refused = std::get_if<Refuse>(&action)) {
    refuse(refused->packet, refused->reason, refused->detail);
  } else if (const Narrow* killer = std::get_if<Narrow>(&action)) {
    left_.to_narrow.push_back(killer->packet);
  }
}

void ClientProcess::send_event(WorkerId worker, WorkerEventBody body) {
  if (worker >= members_.workers.size() || !members_.workers[worker].standing.present) return;
  Bytes bytes;
  encode(WorkerEvent{0, std::move(body)}, bytes);
  post_.begin(members_.workers[worker].peer, LetterKind::WorkerEvent).bytes(bytes.data(), bytes.size());
  post_.end(members_.workers[worker].peer);
}

/// Writes the packet straight from its tasks' records. One that cannot be written fails at once.
void ClientProcess::carry_deal(const Deal& deal, const SchedulerActions& all) {
  ClientPacket* const packet = find(deal.packet);
  if (packet == nullptr || deal.worker >= members_.workers.size()) return;
  ClientWorker& worker = members_.workers[deal.worker];
  if (!worker.standing.present || packet->over) return;
  packet->owner = deal.worker;
  packet->attempt = deal.attempt;
  body_.clear();
  try {
    writer_.write(deal.packet, packet->list(), packet->ended, body_);
  } catch (const std::exception& error) {
    packet->failure = std::make_shared<TaskFailure>();
    packet->failure->message = error.what();
    packet->failure->type = "weft::Error";
    if (writer_.culprit() != kNone) describe_task(writer_.culprit(), *packet->failure);
    left_.events.push_back(PacketFailed{deal.worker, deal.packet, deal.attempt, kNone, Reason::TaskFailed, false});
    return;
  }
  PacketsDealt dealt;
  machine_.describe_deal(deal, all, dealt);
  DealLetter letter;
  letter.packet = deal.packet;
  letter.attempt = deal.attempt;
  letter.spec = dealt.packets.front().spec;
  if (letter.spec.needs != kNone) letter.needs = dealt.needs[letter.spec.needs];
  // A worker that has run none of its kind holds it, too, if it would not end in time.
  if (time_left_.end != 0 && packet->count == 1) {
    const float ns = site_time(packet->tasks[0]).ns;
    if (ns > 0) letter.spec.expected_ns = static_cast<Nanoseconds>(ns) + 1;
  }
  const std::vector<PacketId>& sources = writer_.sources();
  for (const InputSource& input : dealt.inputs) {
    if (std::find(sources.begin(), sources.end(), input.producer) != sources.end()) letter.inputs.push_back(input);
  }
  Writer& out = post_.begin(worker.peer, LetterKind::Deal);
  write_new_sites(worker, out);
  write(out, letter);
  out.bytes(body_.data(), body_.size());
  post_.end(worker.peer);
}

/// Defines the sites of what was written last that the worker has not heard of.
void ClientProcess::write_new_sites(ClientWorker& worker, Writer& out) {
  std::vector<std::uint32_t> fresh;
  for (const std::uint32_t site : writer_.sites()) {
    if (site >= worker.sites.size()) worker.sites.resize(site + 1, false);
    if (worker.sites[site]) continue;
    worker.sites[site] = true;
    fresh.push_back(site);
  }
  out.count(fresh.size());
  for (const std::uint32_t site : fresh) {
    out.count(site);
    write_site(out, site);
  }
}

void ClientProcess::report(const Report& report) {
  ClientPacket* const packet = find(report.packet);
  if (packet == nullptr || packet->over) return;
  if (report.state == PacketState::Failed) {
    fail_packet(report.packet, *packet, report);
    return;
  }
  if (report.state != PacketState::InMemory) return;
  if (report.reason == Reason::KilledWorkers) return end_killed(report.packet, *packet);
  packet->owner = report.worker;
  packet->attempt = report.attempt;
  const auto outcome = values_.arriving.find(report.packet);
  if (packet->ended) {
    // Once more, after a loss: what was asked for and has not come is asked for where it is now.
    if (!packet->wanted.empty()) subscribe(report.packet, *packet, packet->wanted);
    return;
  }
  if (outcome == values_.arriving.end()) return end_packet(report.packet, *packet, nullptr);
  Reader news(outcome->second.data(), outcome->second.size());
  end_packet(report.packet, *packet, &news);
}

void ClientProcess::refuse(PacketId id, Reason reason, std::uint32_t detail) {
  ClientPacket* const packet = find(id);
  if (packet == nullptr || packet->ended || packet->failure != nullptr) return;
  auto failure = std::make_shared<TaskFailure>();
  failure->kind = TaskFailure::Kind::Refused;
  failure->message = refusal_text(reason, detail, [&](std::uint32_t resource) {
    for (const auto& [name, number] : coming_.resource_ids) {
      if (number == resource) return name;
    }
    return std::string("?");
  });
  if (reason == Reason::NoAllowedWorker && detail < members_.workers.size() &&
      !members_.workers[detail].standing.present) {
    const bool of_actor = packet->count == 1 && task_name(packet->tasks[0]).starts_with("actor ");
    failure->message =
        (of_actor ? "cannot run: the actor was lost with the worker \"" : "may only run on the worker \"") +
        members_.workers[detail].standing.identity.name + "\", which " +
        (members_.workers[detail].end.empty() ? "is lost" : members_.workers[detail].end) +
        (of_actor ? "; make a new one, and give it what this one knew" : "; name one that is here");
  }
  if (reason == Reason::NoAllowedWorker && detail >= kNotHere) {
    failure->message = "may only run on the worker \"" + members_.absent[detail - kNotHere] +
                       "\", which is not here: name one that client.info() lists, or set allow_other_workers";
  }
  describe_task(packet->tasks[0], *failure);
  packet->failure = std::move(failure);
  left_.events.push_back(PacketsCancelled{{id}});
}

// --- Letters -----------------------------------------------------------------------------------------------------

WorkerId ClientProcess::worker_of(PeerId peer) const {
  const auto found = members_.by_peer.find(peer);
  return found == members_.by_peer.end() ? kNone : found->second;
}

void ClientProcess::connected(PeerId peer, std::string_view bytes) {
  if (bytes.empty()) return;
  const Hello hello = read_hello(bytes);
  if (hello.role == Hello::Role::Peer) throw Error("a process connected that is no worker");
  const std::string why = mismatch(hello, hello_of_this_process());
  if (!why.empty()) {
    logging::error("cluster", why);
    write_text(post_.begin(peer, LetterKind::Refusal), why);
    post_.end(peer);
    post_.close(peer);
    return;
  }
  if (hello.role == Hello::Role::Guest) return welcome_guest(peer, hello);
  join(peer, hello);
}

/// 1. The newcomer learns its number and its neighbours, they learn of it. 2. The machine deals to it.
void ClientProcess::join(PeerId peer, const Hello& hello) {
  const auto id = static_cast<WorkerId>(members_.workers.size());
  ClientWorker worker;
  worker.peer = peer;
  worker.standing = {id, hello.identity, hello.slots, hello.budget_bytes, true};
  worker.address = hello.address;
  Welcome welcome;
  welcome.id = id;
  welcome.cluster = cluster_;
  for (const auto& [name, amount] : hello.identity.resources) {
    const auto [found, fresh] =
        coming_.resource_ids.try_emplace(name, static_cast<std::uint32_t>(coming_.resource_ids.size()));
    welcome.resources.push_back({found->second, amount});
  }
  post_.send(peer, LetterKind::Welcome, welcome);
  for (const ClientWorker& other : members_.workers) {
    if (!other.standing.present) continue;
    post_.send(peer, LetterKind::Neighbour, Neighbour{other.standing.id, other.address});
    post_.send(other.peer, LetterKind::Neighbour, Neighbour{id, worker.address});
  }
  members_.workers.push_back(std::move(worker));
  members_.by_peer[peer] = id;
  ++members_.present;
  for (const auto& [key, description] : members_.plugins) {
    write_text(post_.begin(peer, LetterKind::Plugin), description);
    post_.end(peer);
  }
  tell_time_left(members_.workers.back());
  if (members_.streams_tasks) ask_to_look(id, 0, {.stream = LookOrder::Stream::On});
  slots_.fetch_add(hello.slots, std::memory_order_relaxed);
  WorkerJoined joined;
  joined.worker = id;
  joined.slots = hello.slots;
  joined.budget_bytes = hello.budget_bytes;
  joined.resources = welcome.resources;
  tell(std::move(joined));
  // What had nobody to take it over may have somebody now.
  for (const ClientWorker& other : members_.workers) {
    if (other.drains_since != 0 && other.standing.present) tell(WorkerDraining{other.standing.id});
  }
  logging::info("cluster", "worker ", hello.identity.name, " has joined with ", hello.slots, " slots");
  detail::note_event(serial(), "workers", hello.identity.name + " has joined");
}

/// 1. The machine deals it nothing more and has what it keeps copied to others. 2. `end_drained` says End. 3. It ends.
void ClientProcess::drain(WorkerId id) {
  ClientWorker& worker = members_.workers[id];
  if (worker.drains_since != 0 || !worker.standing.present) return;
  worker.drains_since = now_ns();
  worker.standing.leaving = true;
  ++members_.draining;
  slots_.fetch_sub(worker.standing.slots, std::memory_order_relaxed);
  logging::info("cluster", "worker ", worker.standing.identity.name, " leaves: others take over what it has");
  tell(WorkerDraining{id});
}

/// Lets drained workers go. One that nobody takes over from goes after a while: what it kept is made again.
void ClientProcess::end_drained(Nanoseconds time) {
  constexpr Nanoseconds kLongestDrain = 20'000'000'000;
  for (ClientWorker& worker : members_.workers) {
    if (worker.drains_since == 0 || worker.told_to_end || !worker.standing.present) continue;
    const bool empty = machine_.is_drained(worker.standing.id) && !holds_call(worker.standing.id);
    if (!empty && time - worker.drains_since < kLongestDrain) continue;
    worker.told_to_end = true;
    post_.begin(worker.peer, LetterKind::End);
    post_.end(worker.peer);
  }
}

void ClientProcess::lose_worker(WorkerId id, std::string_view why) {
  ClientWorker& worker = members_.workers[id];
  if (!worker.standing.present) return;
  worker.standing.present = false;
  if (std::exchange(worker.silent_since, 0) != 0) --members_.silent;
  if (worker.death.empty()) worker.death = "worker " + worker.standing.identity.name + ": " + std::string(why);
  if (!worker.told_to_restart) note_death(id);
  if (std::exchange(worker.books_asked, false)) books_missing_.fetch_sub(1);
  look_no_more_at(id);
  worker.end = "was lost: " + std::string(why);
  --members_.present;
  if (worker.drains_since == 0) slots_.fetch_sub(worker.standing.slots, std::memory_order_relaxed);
  if (worker.drains_since != 0) --members_.draining;
  if (holds_call(id)) take_back_call();
  members_.by_peer.erase(worker.peer);
  forget_asker(worker.peer);
  post_.close(worker.peer);
  const bool has_left = worker.told_to_end;
  if (has_left) logging::info("cluster", "worker ", worker.standing.identity.name, " has left");
  if (!has_left && !stopping_.load() && !closing_.load() && outstanding_ != 0)
    logging::warning("cluster", "worker ", worker.standing.identity.name, " is lost: ", why,
                     "; what it held runs again");
  if (members_.last_loss.empty() && !has_left)
    members_.last_loss = "worker " + worker.standing.identity.name + ": " + std::string(why);
  detail::note_event(serial(), "workers",
                     worker.standing.identity.name + (has_left ? " has left" : " is lost: " + std::string(why)));
  for (const ClientWorker& other : members_.workers) {
    if (other.standing.present) send_event(other.standing.id, PeerLost{id});
  }
  WorkerLost lost{id, 0, {}};
  if (worker.told_to_restart) lost.suspects.push_back(kNone);
  tell(std::move(lost));
}

void ClientProcess::lost(PeerId peer, std::string_view why) {
  const WorkerId worker = worker_of(peer);
  if (worker != kNone) {
    if (members_.workers[worker].told_to_restart) why = "it was restarted, as the client asked";
    if (!may_run_a_killer(worker)) return lose_worker(worker, why);
    members_.workers[worker].silent_since = now_ns();
    ++members_.silent;
    return;
  }
  if (!questions_.guests.contains(peer)) return;
  forget_asker(peer);
  questions_.guest_letters.push_back({peer, 0, false, {}});
  guests_wait_.store(true, std::memory_order_relaxed);
}

void ClientProcess::letter(PeerId peer, LetterKind kind, Reader& reader) {
  const WorkerId worker = worker_of(peer);
  if (worker == kNone) {
    if (!questions_.guests.contains(peer)) throw Error("a letter came from somebody who has not said hello");
    if (kind == LetterKind::Guest) return on_guest(peer, reader);
    if (kind == LetterKind::Ask) return on_ask(peer, reader);
    if (kind == LetterKind::Withdraw) return on_withdraw(peer, reader);
    throw Error("a letter of kind " + std::to_string(static_cast<int>(kind)) + " came from a client that is attached");
  }
  switch (kind) {
    case LetterKind::Finished:
      return on_finished(worker, reader);
    case LetterKind::SchedulerEvent: {
      const std::size_t size = reader.remaining();
      ByteView bytes(reader.view(size, "event"), size);
      SchedulerEvent event;
      if (!decode(bytes, event)) throw Error("an event that cannot be read");
      if (std::holds_alternative<WorkerPaused>(event.body)) members_.workers[worker].paused = true;
      if (std::holds_alternative<WorkerResumed>(event.body)) members_.workers[worker].paused = false;
      tell(std::move(event.body));
      return pump();
    }
    case LetterKind::Stuck: {
      const StuckPacket stuck = read_stuck(reader);
      refuse(stuck.packet, stuck.reason, stuck.detail);
      return pump();
    }
    case LetterKind::Ended:
      return lose_worker(worker, "it has ended");
    case LetterKind::Held:
      return on_held(worker, read_held(reader));
    case LetterKind::Leaving:
      drain(worker);
      return pump();
    case LetterKind::Subscribe:
      return on_subscribe(peer, read_subscribe(reader));
    case LetterKind::Values:
      return on_values(reader);
    case LetterKind::NotMine:
      values_.asked_again = true;  // the machine reports where it is now, or it is asked again with the next tick
      return;
    case LetterKind::Call:
      return on_called(worker, reader);
    case LetterKind::Books:
      members_.workers[worker].books = read_books(reader);
      if (std::exchange(members_.workers[worker].books_asked, false)) books_missing_.fetch_sub(1);
      return;
    case LetterKind::Look:
      return on_look(worker, reader);
    case LetterKind::Ask:
      return on_ask(peer, reader);
    case LetterKind::Withdraw:
      return on_withdraw(peer, reader);
    case LetterKind::Welcome:
    case LetterKind::Refusal:
    case LetterKind::Neighbour:
    case LetterKind::Deal:
    case LetterKind::WorkerEvent:
    case LetterKind::Cancel:
    case LetterKind::End:
    case LetterKind::Answer:
    case LetterKind::Outline:
    case LetterKind::Guest:
    case LetterKind::Plugin:
    case LetterKind::Restart:
    case LetterKind::TimeLeft:
      break;
  }
  throw Error("a letter of kind " + std::to_string(static_cast<int>(kind)) + " is not for the client's process");
}

/// Learns from a packet's time what tasks of its sites take.
void ClientProcess::learn_times(const ClientPacket& packet, float run_ns) {
  for (std::uint32_t i = 0; i < packet.count;) {
    const std::uint32_t site = arena::task(packet.tasks[i]).site;
    const std::uint32_t first = i;
    while (++i < packet.count && arena::task(packet.tasks[i]).site == site) {
    }
    coming_.site_times.count(site, i - first);
  }
  coming_.site_times.learn(run_ns);
}

/// Reads the news of ended packets. Which of them count, the machine says: what it reports is ended in the records.
void ClientProcess::on_finished(WorkerId worker, Reader& reader) {
  PacketsFinished finished;
  finished.worker = worker;
  const std::size_t count = reader.elements(6, "news");
  values_.arriving.clear();
  for (std::size_t i = 0; i < count; ++i) {
    FinishedPacket one;
    one.packet = read_small(reader, "news");
    one.attempt = static_cast<Attempt>(reader.count("news"));
    one.failed_tasks = read_small(reader, "news");
    one.bytes = reader.count("news");
    one.run_ns = static_cast<Nanoseconds>(reader.count("news") & 0x7fff'ffff'ffff'ffffu);
    const std::size_t size = reader.elements(1, "news");
    values_.arriving[one.packet] = std::span(reader.view(size, "news"), size);
    const ClientPacket* const packet = find(one.packet);
    if (packet != nullptr && !packet->over) learn_times(*packet, static_cast<float>(one.run_ns));
    finished.packets.push_back(one);
  }
  tell(std::move(finished));
  pump();
  values_.arriving.clear();
}

}  // namespace weft::cluster
