#include "core/cluster/worker_process.hpp"

#include "core/cluster/origins.hpp"
#include "core/executor/clock.hpp"
#include "core/executor/failing.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <algorithm>

namespace weft::cluster {
namespace {

/// Outputs of a packet go with the news of its end where all of them together take no more.
constexpr std::uint64_t kSmallBytes = 4096;
/// Forgotten packets whose memory is kept.
constexpr std::size_t kSpareRuns = 8;

std::uint64_t key_of(PacketId packet, Attempt attempt) { return std::uint64_t{packet} << 16 | attempt; }

}  // namespace

Run* WorkerProcess::find_run(PacketId packet, Attempt attempt) {
  const auto found = runs_.find(key_of(packet, attempt));
  return found == runs_.end() ? nullptr : found->second.get();
}

Run* WorkerProcess::current_run(PacketId packet) {
  const auto found = current_.find(packet);
  return found == current_.end() ? nullptr : found->second;
}

/// Forgets a packet that the executor is not running.
void WorkerProcess::drop_run(Run& run) {
  for (const ExternalInput& one : run.externals) {
    if (one.stand_in != kNone) arena::drop_use(one.stand_in);
  }
  for (const KeptTask& kept : run.tasks.kept) arena::drop_use(kept.task);
  const auto current = current_.find(run.packet);
  if (current != current_.end() && current->second == &run) current_.erase(current);
  if (run.id != kNone) {
    by_id_[run.id] = nullptr;
    free_ids_.push_back(run.id);
  }
  Runs::node_type node = runs_.extract(key_of(run.packet, run.attempt));
  if (spare_runs_.size() == kSpareRuns || run.large()) return;
  run.reset();
  spare_runs_.push_back(std::move(node));
}

/// Returns a place for a packet, which is not in `runs_` yet.
WorkerProcess::Runs::node_type WorkerProcess::fresh_run(PacketId packet, Attempt attempt) {
  const std::uint64_t key = key_of(packet, attempt);
  Runs::node_type node;
  if (spare_runs_.empty()) {
    Runs one;
    one.emplace(key, std::make_unique<Run>());
    node = one.extract(key);
  } else {
    node = std::move(spare_runs_.back());
    spare_runs_.pop_back();
    node.key() = key;
  }
  node.mapped()->packet = packet;
  node.mapped()->attempt = attempt;
  return node;
}

void Run::reset() {
  packet = id = kNone;
  attempt = 0;
  stage = Stage::Waiting;
  urgent = orphan = asked_back = false;
  count = 0;
  body.clear();
  body_offset = 0;
  expected_ns = 0;
  externals.clear();
  sources.clear();
  cancelled.clear();
  tasks.ids.clear();
  tasks.roots.clear();
  tasks.kept.clear();
  activated = 0;
  failed.clear();
  outcome.clear();
  waits.reset();
}

/// Reads the sites that a letter's tasks are the first of.
void WorkerProcess::define_sites(Reader& reader) {
  const std::size_t sites = reader.elements(4, "deal");
  for (std::size_t i = 0; i < sites; ++i) {
    const std::uint32_t theirs = read_small(reader, "deal");
    sites_.define(theirs, read_site(reader));
  }
}

/// Makes the packet's records and starts it. Its inputs are stand-ins, or tasks of packets that are here.
void WorkerProcess::activate(PacketId packet, Attempt attempt) {
  Run* const run = find_run(packet, attempt);
  if (run == nullptr || run->stage != Run::Stage::Waiting) return;
  // From here on questions for what turns out to be missing may be asked on its behalf (`complain`).
  run->stage = Run::Stage::Active;
  std::vector<TaskId> inputs;
  inputs.reserve(run->externals.size());
  for (const ExternalInput& one : run->externals) inputs.push_back(record_of(*run, one));
  Reader reader(run->body.data() + run->body_offset, run->body.size() - run->body_offset);
  start(*run, reader, inputs);
  for (const ExternalInput& one : run->externals) {
    if (one.stand_in != kNone) arena::drop_use(one.stand_in);
  }
  run->externals.clear();
  run->body.clear();
  if (run->large()) {
    run->externals = {};
    run->body = {};
  }
  for (const std::uint32_t index : run->cancelled) {
    if (index < run->tasks.ids.size()) failing::request_cancel(run->tasks.ids[index]);
  }
  if (run->expected_ns != 0 && run->count == 1) {
    const std::uint32_t kind = arena::task(run->tasks.ids.front()).site;
    executor_.time_left().expect(kind, static_cast<double>(run->expected_ns) * 1e-9);
  }
  executor_.entry(run->id).roots = std::move(run->tasks.roots);
  executor_.activate(run->id, driving_);
}

/// Makes the records that `reader` describes; the executor knows of them, and is still to be told that they may run.
void WorkerProcess::start(Run& run, Reader& reader, const std::vector<TaskId>& inputs) {
  if (free_ids_.empty()) {
    run.id = static_cast<PacketId>(by_id_.size());
    by_id_.push_back(&run);
  } else {
    run.id = free_ids_.back();
    free_ids_.pop_back();
    by_id_[run.id] = &run;
  }
  run.stage = Run::Stage::Active;
  run.activated = now_ns();
  ++active_;
  executor_.prepare(run.id, run.count, {}, run.urgent);
  run.tasks = read_tasks(reader, sites_, cursor_, run.count, run.id, inputs);
  note_tasks(run.id, run.packet, run.tasks.ids);
}

/// Returns the record behind an input: of a packet here, else a stand-in that is, or will be, filled.
TaskId WorkerProcess::record_of(const Run& run, const ExternalInput& external) {
  if (external.stand_in != kNone) return external.stand_in;
  const Run* const maker = current_run(external.packet);
  if (maker != nullptr && maker->stage != Run::Stage::Waiting) {
    const auto& kept = maker->tasks.kept;
    const auto found = std::lower_bound(kept.begin(), kept.end(), external.index,
                                        [](const KeptTask& one, std::uint32_t index) { return one.index < index; });
    if (found != kept.end() && found->index == external.index) return found->task;
  }
  Copy& copy = copies_[external.packet];
  if (copy.packet == kNone) {
    // Made here by an attempt that is gone again: whoever has it now is asked, beside the machine.
    copy.packet = external.packet;
    for (const InputSource& source : run.sources) {
      if (source.producer != external.packet) continue;
      copy.owner = source.owner;
      copy.attempt = source.attempt;
    }
  }
  if (const Copy::Entry* const entry = find_entry(copy, external.index)) return entry->stand_in;
  std::vector<std::uint32_t> asked;
  add_entries(copy, run, asked);
  ask(copy, std::move(asked));
  return find_entry(copy, external.index)->stand_in;
}

void WorkerProcess::cancel_run(Run& run) {
  if (run.stage == Run::Stage::Waiting) return drop_run(run);
  if (run.stage == Run::Stage::Active && !run.orphan) executor_.cancel_packet(run.id);
}

/// Lets go of all of a packet that has ended but what others need.
void WorkerProcess::keep_run(Run& run) {
  forget_tasks(run.id);
  run.stage = Run::Stage::Kept;
  run.tasks.ids = {};
  run.sources = {};
}

/// Writes how the packet's tasks ended: failures, small values, and which wanted ones stay here.
void WorkerProcess::write_outcome(Run& run, std::uint64_t kept_bytes) {
  Writer& out = run.outcome;
  out.count(run.failed.size());
  for (const Run::Failed& one : run.failed) {
    out.count(one.index);
    write_failure(out, *one.failure, one.began_here);
  }
  run.failed = {};
  const bool small = kept_bytes <= kSmallBytes;
  const auto goes = [&](const KeptTask& kept) {
    const std::uint64_t word = arena::task(kept.task).word.load(std::memory_order_acquire);
    if (small || (word & task_word::kFailed) != 0) return true;
    return kept.wanted && site(arena::task(kept.task).site).type->result->in_record;
  };
  thread_local std::vector<const KeptTask*> going;
  going.clear();
  std::size_t staying = 0;
  for (const KeptTask& kept : run.tasks.kept) {
    if (goes(kept)) {
      going.push_back(&kept);
    } else {
      staying += kept.wanted ? 1 : 0;
    }
  }
  out.number(static_cast<std::uint8_t>(small ? 1 : 0));
  out.count(going.size());
  for (const KeptTask* const kept : going) {
    out.count(std::uint64_t{kept->index} << 1 | (kept->wanted ? 1 : 0));
    write_end(out, kept->task);
  }
  out.count(staying);
  if (staying == 0) return;
  for (const KeptTask& kept : run.tasks.kept) {
    if (kept.wanted && !goes(kept)) out.count(kept.index);
  }
}

void WorkerProcess::discard(PacketId packet, Attempt attempt) {
  Run* const run = find_run(packet, attempt);
  if (run != nullptr && run->stage == Run::Stage::Kept) {
    const auto found = copies_.find(packet);
    const bool copied = found != copies_.end() && found->second.missing == 0 && !found->second.fetching;
    drop_run(*run);
    if (copied) drop_copy(packet);
    return;
  }
  if (run != nullptr && run->stage == Run::Stage::Active) return;  // its end will be told of
  drop_copy(packet);
}

}  // namespace weft::cluster
