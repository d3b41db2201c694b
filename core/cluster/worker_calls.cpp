// Calls that the client's process hands to this worker past the machines: client_calls.cpp.

#include "core/cluster/letters.hpp"
#include "core/cluster/worker_process.hpp"
#include "core/executor/failing.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <limits>

namespace weft::cluster {

/// Runs a call at once, beside what the machine has begun.
void WorkerProcess::on_call(Reader& reader) {
  if (!machine_) throw Error("a call came before the welcome");
  define_sites(reader);
  const std::uint32_t number = read_small(reader, "call");
  if (spare_calls_.empty()) spare_calls_.push_back(std::make_unique<Run>());
  std::unique_ptr<Run> fresh = std::move(spare_calls_.back());
  spare_calls_.pop_back();
  Run& run = *fresh;
  run.packet = kHandedPacket;
  run.call = number;
  run.count = read_externals(reader, sites_, cursor_, run.externals);
  if (run.count != 1 || !run.externals.empty()) reader.damaged("call", "it is not one task without inputs");
  calls_.push_back(std::move(fresh));
  start(run, reader, {});
  executor_.entry(run.id).roots = std::move(run.tasks.roots);
  executor_.activate(run.id, driving_);
}

/// Tells how a call has ended, and forgets it.
void WorkerProcess::end_call(Run& run, Nanoseconds run_ns) {
  constexpr std::uint64_t kNotWhole = std::numeric_limits<std::uint64_t>::max();  // only what is wanted goes
  write_outcome(run, kNotWhole);
  Writer& out = post_.begin(scheduler_, LetterKind::Call);
  out.count(run.call);
  out.count(static_cast<std::uint64_t>(run_ns));
  out.bytes(run.outcome.data(), run.outcome.size());
  post_.end(scheduler_);
  post_.flush();
  for (const KeptTask& kept : run.tasks.kept) arena::drop_use(kept.task);
  by_id_[run.id] = nullptr;
  free_ids_.push_back(run.id);
  const auto found = std::find_if(calls_.begin(), calls_.end(), [&](const auto& one) { return one.get() == &run; });
  run.reset();
  spare_calls_.push_back(std::move(*found));
  calls_.erase(found);
}

/// The client does not want its call any more; one before it may still run too, whose end it does not wait for.
void WorkerProcess::cancel_calls() {
  for (const std::unique_ptr<Run>& run : calls_) {
    for (const KeptTask& kept : run->tasks.kept) {
      const std::uint64_t word = arena::task(kept.task).word.load(std::memory_order_acquire);
      if ((word & task_word::kDone) == 0) failing::request_cancel(kept.task);
    }
  }
}

/// Of this process's end.
void WorkerProcess::drop_calls() {
  for (const std::unique_ptr<Run>& run : calls_) {
    for (const KeptTask& kept : run->tasks.kept) arena::drop_use(kept.task);
  }
  calls_.clear();
}

}  // namespace weft::cluster
