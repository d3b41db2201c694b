#include "core/cluster/worker_process.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

std::uint64_t key_of(WorkerId worker, PacketId packet) { return std::uint64_t{worker} << 32 | packet; }

}  // namespace

// --- Outputs of others -------------------------------------------------------------------------------------------

Copy::Entry* WorkerProcess::find_entry(Copy& copy, std::uint32_t index) {
  const auto found = std::lower_bound(copy.entries.begin(), copy.entries.end(), index,
                                      [](const Copy::Entry& one, std::uint32_t wanted) { return one.index < wanted; });
  return found != copy.entries.end() && found->index == index ? &*found : nullptr;
}

/// Adds what the run takes from the copy's packet and is not in it yet. `asked` becomes what is to be asked for.
void WorkerProcess::add_entries(Copy& copy, const Run& run, std::vector<std::uint32_t>& asked) {
  const std::size_t before = copy.entries.size();
  for (const ExternalInput& one : run.externals) {
    if (one.packet != copy.packet) continue;
    const auto end = copy.entries.begin() + static_cast<std::ptrdiff_t>(before);
    const auto found =
        std::lower_bound(copy.entries.begin(), end, one.index,
                         [](const Copy::Entry& entry, std::uint32_t index) { return entry.index < index; });
    if (found != end && found->index == one.index) continue;
    copy.entries.push_back({one.index, make_stand_in(cursor_, one.site), false});
    asked.push_back(one.index);
    ++copy.missing;
  }
  if (copy.entries.size() == before) return;
  const auto middle = copy.entries.begin() + static_cast<std::ptrdiff_t>(before);
  const auto less = [](const Copy::Entry& a, const Copy::Entry& b) { return a.index < b.index; };
  std::sort(middle, copy.entries.end(), less);
  std::inplace_merge(copy.entries.begin(), middle, copy.entries.end(), less);
}

/// Asks the owner for these outputs; for none: for all that is missing.
void WorkerProcess::ask(Copy& copy, std::vector<std::uint32_t> indices) {
  if (copy.outlining && copy.owner != id_) {
    const PeerId peer = peer_of(copy.owner);
    if (peer == 0) return complain(copy);
    post_.send(peer, LetterKind::Subscribe, Subscribe{copy.packet, copy.attempt, {}, true});
    return;
  }
  if (indices.empty()) {
    for (const Copy::Entry& entry : copy.entries) {
      if (!entry.here) indices.push_back(entry.index);
    }
  }
  if (indices.empty()) return;
  if (copy.owner == id_) {
    // Said to be here: what the packet keeps is looked for when it has ended.
    later_.push_back(PeerSubscribed{copy.packet, copy.attempt, id_});
    Subscription& own = subscriptions_[key_of(id_, copy.packet)];
    own.indices.insert(own.indices.end(), indices.begin(), indices.end());
    return;
  }
  const PeerId peer = peer_of(copy.owner);
  if (peer == 0) return complain(copy);
  post_.send(peer, LetterKind::Subscribe, Subscribe{copy.packet, copy.attempt, std::move(indices)});
}

/// The owner does not have what is missing, or is gone. What was asked for beside the machine's own fetch is reported
/// on behalf of a packet that waits for it: the scheduler says where it is, or will be.
void WorkerProcess::complain(const Copy& copy) {
  if (copy.fetching) {
    later_.push_back(InputFailed{copy.packet, copy.attempt, copy.owner});
    return;
  }
  for (const auto& [key, run] : runs_) {
    const bool reads = std::any_of(run->sources.begin(), run->sources.end(),
                                   [&](const InputSource& source) { return source.producer == copy.packet; });
    if (run->stage != Run::Stage::Active || !reads) continue;
    report(InputMissing{id_, run->packet, run->attempt, copy.packet, copy.attempt, copy.owner});
    return;
  }
}

void WorkerProcess::fetch(const Fetch& fetch) {
  Copy& copy = copies_[fetch.producer];
  copy.packet = fetch.producer;
  copy.attempt = fetch.attempt;
  copy.owner = fetch.owner;
  copy.fetching = true;
  std::vector<std::uint32_t> asked;
  const auto readers = readers_.find(fetch.producer);
  if (readers != readers_.end()) {
    for (const std::uint64_t key : readers->second) {
      const auto run = runs_.find(key);
      if (run != runs_.end() && run->second->stage == Run::Stage::Waiting) add_entries(copy, *run->second, asked);
    }
    readers_.erase(readers);
  }
  if (replica_asked_ == fetch.producer) return fetch_whole(copy);
  if (copy.missing == 0) {
    copy.fetching = false;
    later_.push_back(InputArrived{copy.packet, copy.attempt, copy.bytes});
    return;
  }
  ask(copy, {});
}

/// Asks for all that the packet keeps, so that this process can stand in for its owner.
void WorkerProcess::fetch_whole(Copy& copy) {
  copy.replica = true;
  if (!std::exchange(copy.outlining, true)) ++copy.missing;
  ask(copy, {});
}

/// The machine has the packet's inputs here; whether that is all of it, only this loop knows.
void WorkerProcess::replicated(PacketId packet, Attempt attempt) {
  const auto found = copies_.find(packet);
  if (found == copies_.end()) return;
  if (found->second.whole && found->second.missing == 0) return report(Replicated{id_, packet, attempt});
  if (!found->second.outlining) fetch_whole(found->second);
}

/// Which outputs will come. Those of them that nobody here reads have no record yet.
void WorkerProcess::on_outline(Reader& reader) {
  const PacketId packet = read_small(reader, "outline");
  const std::size_t count = reader.elements(5, "outline");
  const auto found = copies_.find(packet);
  if (found == copies_.end() || !found->second.outlining) return;
  Copy& copy = found->second;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = read_small(reader, "outline");
    const std::uint32_t site = read_site(reader);
    const auto less = [](const Copy::Entry& one, std::uint32_t wanted) { return one.index < wanted; };
    const auto at = std::lower_bound(copy.entries.begin(), copy.entries.end(), index, less);
    if (at != copy.entries.end() && at->index == index) continue;
    copy.entries.insert(at, {index, make_stand_in(cursor_, site), false});
    ++copy.missing;
  }
  copy.outlining = false;
  copy.whole = true;
  one_less(copy);
}

/// An output has come, or its failure: those that wait for it alone may start.
void WorkerProcess::entry_here(Copy& copy, Copy::Entry& entry, TaskEnd end) {
  entry.here = true;
  end_stand_in(executor_, entry.stand_in, std::move(end.failure), kNone);
  const std::size_t bytes = bytes_of_result(entry.stand_in);
  copy.bytes += bytes;
  fetched_bytes_ += bytes;
  if (copy.owner == id_) return one_less(copy);
  MovedRow& moved = moved_[arena::task(entry.stand_in).site];
  ++moved.results;
  moved.bytes += bytes;
  one_less(copy);
}

void WorkerProcess::one_less(Copy& copy) {
  if (--copy.missing != 0) return;
  if (std::exchange(copy.fetching, false)) {
    later_.push_back(InputArrived{copy.packet, copy.attempt, copy.bytes});
  } else if (copy.replica && copy.whole) {
    report(Replicated{id_, copy.packet, copy.attempt});
  }
}

void WorkerProcess::on_values(Reader& reader) {
  const PacketId packet = read_small(reader, "values");
  reader.count("values");  // any attempt gives the same bits
  const std::size_t count = reader.elements(2, "values");
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = read_small(reader, "values");
    const auto found = copies_.find(packet);
    Copy::Entry* const entry = found == copies_.end() ? nullptr : find_entry(found->second, index);
    if (entry == nullptr || entry->here) {
      skip_end(reader);
    } else {
      entry_here(found->second, *entry, read_end(reader, arena::task(entry->stand_in)));
    }
  }
}

BlockTarget WorkerProcess::block(PeerId, Reader& header, std::size_t bytes) {
  BlockTarget target;
  const PacketId packet = read_small(header, "block");
  const std::uint32_t index = read_small(header, "block");
  const auto found = copies_.find(packet);
  Copy::Entry* const entry = found == copies_.end() ? nullptr : find_entry(found->second, index);
  if (entry == nullptr || entry->here) return target;
  Landing landing{packet, index, nullptr};
  const ValueType& type = *site(arena::task(entry->stand_in).site).type->result;
  target.data = make_block(type, bytes, landing.box);
  if (landing.box == nullptr) throw Error("a block came for a value that is none");
  target.token = next_landing_++;
  landings_.emplace(target.token, landing);
  return target;
}

void WorkerProcess::block_ended(PeerId, std::uint64_t token, bool ok) {
  const auto landed = landings_.find(token);
  if (landed == landings_.end()) return;
  const Landing landing = landed->second;
  landings_.erase(landed);
  const auto found = copies_.find(landing.packet);
  Copy::Entry* const entry = found == copies_.end() ? nullptr : find_entry(found->second, landing.index);
  if (!ok || entry == nullptr || entry->here) {
    drop_block(landing.box);
    return;
  }
  keep_block(arena::task(entry->stand_in), landing.box);
  entry_here(found->second, *entry, {});
}

void WorkerProcess::on_not_mine(PeerId peer, const NotMine& answer) {
  const auto found = copies_.find(answer.packet);
  if (found == copies_.end() || found->second.missing == 0) return;
  Copy& copy = found->second;
  if (worker_of(peer) != copy.owner || answer.attempt != copy.attempt) return;
  complain(copy);
}

void WorkerProcess::drop_copy(PacketId packet) {
  const auto found = copies_.find(packet);
  if (found == copies_.end()) return;
  for (const Copy::Entry& entry : found->second.entries) {
    if (!entry.here) {
      auto failure = std::make_shared<TaskFailure>();
      failure->kind = TaskFailure::Kind::Cancelled;
      failure->message = "cancelled";
      end_stand_in(executor_, entry.stand_in, std::move(failure), kNone);
    }
    // Its own use, which nothing else ends.
    arena::drop_use(entry.stand_in);
  }
  copies_.erase(found);
}

// --- Outputs for others ------------------------------------------------------------------------------------------

PeerId WorkerProcess::peer_of(WorkerId worker) {
  const auto known = peers_.find(worker);
  if (known != peers_.end()) return known->second;
  const auto address = addresses_.find(worker);
  if (address == addresses_.end()) return 0;
  Hello hello = hello_of_this_process();
  hello.role = Hello::Role::Peer;
  hello.id = id_;
  hello.cluster = cluster_;
  const PeerId peer = post_.connect(address->second, hello);
  peers_[worker] = peer;
  workers_[peer] = worker;
  return peer;
}

WorkerId WorkerProcess::worker_of(PeerId peer) const {
  const auto found = workers_.find(peer);
  return found == workers_.end() ? kNone : found->second;
}

void WorkerProcess::on_subscribe(PeerId peer, const Subscribe& subscribe) {
  if (!machine_) throw Error("a subscription came before the welcome");
  const WorkerId worker = worker_of(peer);
  if (worker == kNone) throw Error("a subscription came from a stranger");
  Subscription& subscription = subscriptions_[key_of(worker, subscribe.packet)];
  subscription.peer = peer;
  subscription.indices.insert(subscription.indices.end(), subscribe.indices.begin(), subscribe.indices.end());
  subscription.all = subscription.all || subscribe.all;
  tell(PeerSubscribed{subscribe.packet, subscribe.attempt, worker});
}

/// Returns the record of an output that is kept here, or of a copy of it.
TaskId WorkerProcess::find_output(PacketId packet, Attempt attempt, std::uint32_t index) {
  Run* run = find_run(packet, attempt);
  if (run == nullptr) run = current_run(packet);
  if (run != nullptr && run->stage == Run::Stage::Kept) {
    const auto& kept = run->tasks.kept;
    const auto found = std::lower_bound(kept.begin(), kept.end(), index,
                                        [](const KeptTask& one, std::uint32_t wanted) { return one.index < wanted; });
    if (found != kept.end() && found->index == index) return found->task;
  }
  const auto found = copies_.find(packet);
  if (found == copies_.end()) return kNone;
  const Copy::Entry* const entry = find_entry(found->second, index);
  return entry != nullptr && entry->here ? entry->stand_in : kNone;
}

/// Adds the numbers of all outputs that the packet keeps; false where not all of them are here.
bool WorkerProcess::add_all_outputs(PacketId packet, Attempt attempt, std::vector<std::uint32_t>& indices) {
  Run* run = find_run(packet, attempt);
  if (run == nullptr) run = current_run(packet);
  if (run != nullptr && run->stage == Run::Stage::Kept) {
    for (const KeptTask& kept : run->tasks.kept) indices.push_back(kept.index);
    return true;
  }
  const auto found = copies_.find(packet);
  if (found == copies_.end() || !found->second.whole || found->second.missing != 0) return false;
  for (const Copy::Entry& entry : found->second.entries) indices.push_back(entry.index);
  return true;
}

void WorkerProcess::serve(WorkerId worker, PacketId packet, Attempt attempt) {
  const auto found = subscriptions_.find(key_of(worker, packet));
  if (found == subscriptions_.end()) return;
  Subscription subscription = std::move(found->second);
  subscriptions_.erase(found);
  if (worker == id_) {
    // A packet here took it for another's: it is given through its encoding.
    Writer writer;
    writer.count(packet);
    writer.count(attempt);
    std::vector<std::pair<std::uint32_t, TaskId>> ends;
    for (const std::uint32_t index : subscription.indices) {
      const TaskId task = find_output(packet, attempt, index);
      if (task != kNone) ends.emplace_back(index, task);
    }
    writer.count(ends.size());
    for (const auto& [index, task] : ends) {
      writer.count(index);
      write_end(writer, task);
    }
    Reader reader(writer);
    on_values(reader);
    return;
  }
  if (subscription.all) {
    subscription.indices.clear();
    if (!add_all_outputs(packet, attempt, subscription.indices)) {
      post_.send(subscription.peer, LetterKind::NotMine, NotMine{packet, attempt});
      return;
    }
    Writer& outline = post_.begin(subscription.peer, LetterKind::Outline);
    outline.count(packet);
    outline.count(subscription.indices.size());
    for (const std::uint32_t index : subscription.indices) {
      outline.count(index);
      write_site(outline, arena::task(find_output(packet, attempt, index)).site);
    }
    post_.end(subscription.peer);
  }
  std::vector<std::pair<std::uint32_t, TaskId>> ends;
  for (const std::uint32_t index : subscription.indices) {
    const TaskId task = find_output(packet, attempt, index);
    if (task == kNone) {
      logging::warning("worker", "task ", index, " of packet ", packet, " was asked for and not kept");
      post_.send(subscription.peer, LetterKind::NotMine, NotMine{packet, attempt});
      return;
    }
    if (!send_as_block(subscription.peer, packet, index, task)) ends.emplace_back(index, task);
  }
  if (ends.empty()) return;
  Writer& writer = post_.begin(subscription.peer, LetterKind::Values);
  writer.count(packet);
  writer.count(attempt);
  writer.count(ends.size());
  for (const auto& [index, task] : ends) {
    writer.count(index);
    write_end(writer, task);
  }
  post_.end(subscription.peer);
}

bool WorkerProcess::send_as_block(PeerId peer, PacketId packet, std::uint32_t index, TaskId task) {
  const TaskRecord& record = arena::task(task);
  const ValueType& type = *site(record.site).type->result;
  const bool failed = (record.word.load(std::memory_order_acquire) & task_word::kFailed) != 0;
  if (failed || type.in_record || type.payload == nullptr || bytes_of_result(task) < kBlockBytes) return false;
  auto pinned = std::make_shared<PinnedResult>(task);  // shared: a std::function must be copyable
  const void* const data = type.payload->data(pinned->value());
  const std::size_t size = type.payload->size(pinned->value());
  if (data == nullptr || size < kBlockBytes) return false;
  Writer header;
  header.count(packet);
  header.count(index);
  arena::add_use(task);
  post_.send_block(peer, header, data, size, [task, pinned = std::move(pinned)]() mutable {
    pinned.reset();
    arena::drop_use(task);
  });
  return true;
}

void WorkerProcess::answer_not_mine(WorkerId worker, PacketId packet, Attempt attempt) {
  const auto found = subscriptions_.find(key_of(worker, packet));
  const PeerId peer = found != subscriptions_.end() ? found->second.peer : 0;
  if (found != subscriptions_.end()) subscriptions_.erase(found);
  if (worker == id_ || peer == 0) return;
  post_.send(peer, LetterKind::NotMine, NotMine{packet, attempt});
}

}  // namespace weft::cluster
