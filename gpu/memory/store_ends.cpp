// How works end: waited for, left to the device, or in a batch.
#include "gpu/memory/store.hpp"

#include <weft/waiting.hpp>

#include <algorithm>
#include <exception>

namespace weft::gpu::detail {
namespace {

/// Under the mutex: what was not made says why.
void tell_outputs(Ticket& ticket) {
  std::string why;
  if (ticket.problem != nullptr) {
    try {
      std::rethrow_exception(ticket.problem);
    } catch (const std::exception& error) {
      why = error.what();
    } catch (...) {
      why = "it threw something that is no std::exception";
    }
  }
  for (const auto& operand : ticket.operands)
    if (why.empty() && !operand.output) why = operand.entry->problem;
  if (why.empty()) return;
  if (ticket.problem == nullptr) ticket.problem = std::make_exception_ptr(DeviceError(why));
  for (const auto& operand : ticket.operands)
    if (operand.output) operand.entry->problem = why;
}

}  // namespace

void Store::end(const std::shared_ptr<Ticket>& ticket) {
  if (ticket->joins) return end_in_batch(ticket);
  ticket->done = driver_->stamp(ticket->stream);
  const Event done = driver_->record(ticket->stream);
  {
    const std::lock_guard lock(mutex_);
    for (auto& operand : ticket->operands)
      if (operand.output) operand.entry->written = done;
  }
  if (!ticket->waiter.in_task) {
    const EventState state = driver_->synchronize(done);
    const std::lock_guard lock(mutex_);
    complete(*ticket, state == EventState::Failed);
  } else {
    watcher_.watch(done, [this, ticket](EventState state) {
      const std::lock_guard lock(mutex_);
      complete(*ticket, state == EventState::Failed);
      wake(ticket->waiter);
    });
    wait_until(ticket->waiter, "work on " + text(), [&] { return ticket->ended; });
  }
  if (ticket->failed) throw_if_failed();
}

/// A stream that was left has work on it yet: what the next one puts there follows.
void Store::leave(const std::shared_ptr<Ticket>& ticket) {
  ticket->left = true;
  if (ticket->joins) return gather(ticket);
  ticket->done = driver_->stamp(ticket->stream);
  const Event done = driver_->record(ticket->stream);
  {
    const std::lock_guard lock(mutex_);
    for (auto& operand : ticket->operands)
      if (operand.output) operand.entry->written = done;
    idle_streams_.push_back(ticket->stream);
    pump();
  }
  watcher_.watch(done, [this, ticket](EventState state) {
    const std::lock_guard lock(mutex_);
    complete(*ticket, state == EventState::Failed);
  });
}

void Store::gather(const std::shared_ptr<Ticket>& ticket) {
  {
    const std::lock_guard lock(mutex_);
    for (auto& operand : ticket->operands)
      if (operand.output) operand.entry->gathered = true;
  }
  batches_.gather(ticket);
}

/// What it launched may refer to its task's variables: whatever happens, the batch is done with them when this returns.
void Store::end_in_batch(const std::shared_ptr<Ticket>& ticket) {
  gather(ticket);
  try {
    wait_until(ticket->waiter, "a batch of works on " + text(), [&] { return ticket->ended; });
  } catch (...) {
    if (batches_.take_back(*ticket)) batch_ended({{ticket}});
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ticket->ended; });
    throw;
  }
  if (ticket->problem != nullptr) std::rethrow_exception(ticket->problem);
  if (ticket->failed) throw_if_failed();
}

/// What was not made is known now: works of batches run in their order, so what one could not make those behind it
/// cannot read.
void Store::batch_launched(const Batches::Works& works, const Event& done) noexcept {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& work : works) {
      Ticket& ticket = static_cast<Ticket&>(*work);
      tell_outputs(ticket);
      for (auto& operand : ticket.operands) {
        if (!operand.output) continue;
        operand.entry->written = done;
        operand.entry->gathered = false;
      }
    }
  }
  changed_.notify_all();
}

void Store::batch_ended(const BatchEnd& batch) noexcept {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    report_.launch_seconds += batch.launch_seconds;
    report_.kernel_seconds += batch.device_seconds;
    if (batch.use != GraphUse::None) {
      ++report_.graphs;
      if (batch.use == GraphUse::Kept) ++report_.graphs_kept;
      report_.graph_works += batch.works.size();
      report_.graph_launch_seconds += batch.launch_seconds;
      report_.graph_seconds += batch.device_seconds;
    }
    for (const auto& work : batch.works) {
      Ticket& ticket = static_cast<Ticket&>(*work);
      const auto same = [&](const Waiter& waiter) { return waiter.client == ticket.waiter.client; };
      if (!ticket.left && ticket.waiter.in_task && std::none_of(waiters.begin(), waiters.end(), same))
        waiters.push_back(ticket.waiter);
      complete(ticket, batch.failed);
    }
  }
  changed_.notify_all();
  for (const Waiter& waiter : waiters) wake(waiter);
}

/// Waits until the work that makes it is on its stream.
void Store::wait_for_batch(Entry& entry, std::unique_lock<std::mutex>& lock) {
  if (!entry.gathered) return;
  lock.unlock();
  batches_.hurry();
  lock.lock();
  changed_.wait(lock, [&] { return !entry.gathered; });
}

void Store::abandon(Ticket& ticket) noexcept {
  bool granted;
  {
    const std::lock_guard lock(mutex_);
    if (ticket.ended || ticket.left) return;
    if (const auto mine = std::find(queue_.begin(), queue_.end(), &ticket); mine != queue_.end()) queue_.erase(mine);
    granted = ticket.granted;
  }
  // Others may wait for what this work was to copy.
  if (granted) upload(ticket);
  if (granted) driver_->synchronize(driver_->record(ticket.stream));
  const std::lock_guard lock(mutex_);
  complete(ticket, false);
}

/// Under the mutex: the device is done with the work, or never began it.
void Store::complete(Ticket& ticket, bool failed) noexcept {
  if (ticket.ended) return;
  ticket.ended = true;
  ticket.failed = failed;
  want_no_more(ticket);
  active_.fetch_sub(1, std::memory_order_relaxed);
  if (ticket.granted) {
    book(ticket);
    unpin(ticket);
    if (!ticket.joins && !ticket.left) idle_streams_.push_back(ticket.stream);
    --running_;
  }
  pump();
  changed_.notify_all();
}

void Store::wake(const Waiter& waiter) noexcept {
  changed_.notify_all();
  if (waiter.in_task) weft::detail::wake_client(waiter.client);
}

}  // namespace weft::gpu::detail
