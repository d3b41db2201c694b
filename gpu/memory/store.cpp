#include "gpu/memory/store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <weft/waiting.hpp>

namespace weft::gpu::detail {

namespace {

// Works of one device run beside each other, so that the copies of one hide behind the kernels of another.
constexpr unsigned kStreams = 4;

std::size_t rounded(std::size_t bytes) { return (std::max<std::size_t>(bytes, 1) + 255) / 256 * 256; }

std::string mib(std::size_t bytes) {
  if (bytes < (std::size_t{10} << 20)) return fmt::format("{} bytes", bytes);
  return fmt::format("{:.0f} MiB", static_cast<double>(bytes) / (1 << 20));
}

bool among(const std::vector<Ticket::Operand>& operands, const Entry* entry) {
  return std::any_of(operands.begin(), operands.end(), [&](const auto& one) { return one.entry.get() == entry; });
}

}  // namespace

namespace {
std::mutex& homes() {
  static auto& mutex = *new std::mutex;
  return mutex;
}
}  // namespace

Entry::~Entry() {
  if (store != nullptr) store->drop(*this);
}
std::shared_ptr<Store> Entry::home() const {
  const std::lock_guard lock(homes());
  return store;
}
bool Entry::settle(const std::shared_ptr<Store>& where) {
  const std::lock_guard lock(homes());
  if (store == nullptr) store = where;
  return store == where;
}

Store::Store(std::unique_ptr<Driver> driver, std::size_t budget, unsigned number)
    : driver_(std::move(driver)),
      number_(number),
      budget_(budget),
      copies_(driver_->open_stream()),
      feed_(driver_->open_stream()),
      host_(*driver_, mutex_, changed_, [this] { pump(); }),
      batches_(
          *driver_, watcher_, feed_,
          [this](const Batches::Works& works, const Event& done) { batch_launched(works, done); },
          [this](const BatchEnd& batch) { batch_ended(batch); }),
      watcher_(*driver_) {
  for (unsigned i = 0; i < kStreams; ++i) idle_streams_.push_back(driver_->open_stream());
}

Store::~Store() = default;

std::string Store::text() const { return fmt::format("device {} ({})", number_, driver_->facts().name); }

DeviceReport Store::report() {
  const std::lock_guard lock(mutex_);
  book_copies();
  DeviceReport all = report_;
  all.budget_bytes = budget_;
  all.host_bytes = host_.used_bytes();
  all.spilled_bytes = host_.spilled_bytes();
  return all;
}

void Store::set_budget(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  budget_ = bytes;
  if (report_.used_bytes > budget_) make_room(0, nullptr);
  for (Ticket* ticket : queue_) {
    if (missing(*ticket) <= budget_) continue;
    ticket->refused = "the device's budget was lowered below what it needs";
    wake(ticket->waiter);
  }
  pump();
}

void Store::set_host_limits(HostLimits limits) {
  const std::lock_guard lock(mutex_);
  host_.set_limits(std::move(limits));
  pump();
}

bool Store::resident(const Entry& entry) const {
  const std::lock_guard lock(mutex_);
  return entry.device != nullptr;
}
bool Store::on_host(const Entry& entry) const {
  const std::lock_guard lock(mutex_);
  return entry.host_valid;
}
void Store::throw_if_failed() const {
  const std::string why = driver_->failure();
  if (why.empty()) return;
  tell_failure(text() + " failed: " + why);
  throw DeviceError(text() + " failed: " + why +
                    ". What it held is lost; this process cannot use it again: start it anew, or run on the others "
                    "(CUDA_VISIBLE_DEVICES)");
}

void Store::throw_if_never_made(const Entry& entry) {
  if (!entry.problem.empty())
    throw DeviceError("the bytes were never made, because their work failed: " + entry.problem);
}

// ---- reservations

/// What the device must make room for; operands named twice count once.
std::size_t Store::missing(const Ticket& ticket) const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < ticket.operands.size(); ++i) {
    const Entry* const entry = ticket.operands[i].entry.get();
    const auto first = std::find_if(ticket.operands.begin(), ticket.operands.end(),
                                    [&](const auto& one) { return one.entry.get() == entry; });
    if (entry->device == nullptr && first == ticket.operands.begin() + static_cast<std::ptrdiff_t>(i))
      bytes += rounded(entry->size);
  }
  return bytes;
}

void Store::check_alone(const Ticket& ticket) const {
  std::size_t bytes = 0;
  std::vector<const Entry*> seen;
  for (const auto& operand : ticket.operands) {
    if (std::find(seen.begin(), seen.end(), operand.entry.get()) != seen.end()) continue;
    seen.push_back(operand.entry.get());
    bytes += rounded(operand.entry->size);
  }
  if (bytes <= budget_) return;
  throw DeviceError(
      fmt::format("the work needs {} on {}, whose budget is {}: split it into smaller chunks, or raise the "
                  "budget (gpu::set_budget)",
                  mib(bytes), text(), mib(budget_)));
}

void Store::begin(const std::shared_ptr<Ticket>& ticket) {
  throw_if_failed();
  ticket->waiter = this_waiter();
  {
    std::unique_lock lock(mutex_);
    check_alone(*ticket);
    lock.unlock();
    bring_back_inputs(*ticket);
    lock.lock();
    queue_.push_back(ticket.get());
    active_.fetch_add(1, std::memory_order_relaxed);
    if (!take_turn(*ticket)) ++report_.waited;
  }
  try {
    wait_until(ticket->waiter, "room on " + text(), [&] { return take_turn(*ticket); });
    if (!ticket->refused.empty()) {
      throw_if_failed();
      throw DeviceError(ticket->refused);
    }
  } catch (...) {
    abandon(*ticket);
    throw;
  }
  upload(*ticket);
  try {
    const std::lock_guard lock(mutex_);
    for (const auto& operand : ticket->operands) throw_if_never_made(*operand.entry);
  } catch (...) {
    abandon(*ticket);
    throw;
  }
}

/// Has the disk give back what the work is going to copy. Nothing is reserved yet, so that it may fail.
void Store::bring_back_inputs(Ticket& ticket) {
  std::unique_lock lock(mutex_);
  try {
    for (const auto& operand : ticket.operands) {
      if (operand.output) continue;
      ++operand.entry->wanted;
      ticket.wanted.push_back(operand.entry.get());
      host_.bring_back(*operand.entry, lock);
    }
  } catch (...) {
    want_no_more(ticket);
    throw;
  }
}

/// Under the mutex.
void Store::want_no_more(Ticket& ticket) noexcept {
  for (Entry* entry : ticket.wanted) --entry->wanted;
  ticket.wanted.clear();
}

/// Waits until `settled`, which is called under the mutex. A task lends its slot meanwhile.
void Store::wait_until(const Waiter& waiter, const std::string& what, const std::function<bool()>& settled) {
  // The device is not one of the client's tasks: so each wait has an end, and no scheduler takes it for a hopeless one.
  constexpr std::int64_t kLookAgainMs = 200;
  if (!waiter.in_task) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, settled);
    return;
  }
  const auto attempt = [&] {
    const std::lock_guard lock(mutex_);
    return settled();
  };
  while (!attempt() && !weft::detail::wait_until(waiter.client, what, kLookAgainMs, attempt)) {
  }
}

/// Has those look that wait for room, where one of them may go on.
void Store::pump() {
  const auto next = std::find_if(queue_.begin(), queue_.end(), [](const Ticket* one) { return one->refused.empty(); });
  if (next == queue_.end() || !has_room(**next)) return;
  for (const Ticket* ticket : queue_) wake(ticket->waiter);
}

/// Grants it its room where that is there and nobody before it can use it now; returns whether its wait is over.
bool Store::take_turn(Ticket& ticket) {
  if (ticket.granted || !ticket.refused.empty()) return true;
  const auto mine = std::find(queue_.begin(), queue_.end(), &ticket);
  // A task that could go on and does not is below another one on its thread's stack.
  const auto comes_first = [&](Ticket* one) {
    return one->refused.empty() && (!one->waiter.in_task || !has_room(*one));
  };
  if (std::any_of(queue_.begin(), mine, comes_first)) return false;
  if (!try_grant(ticket) && ticket.refused.empty()) return false;
  queue_.erase(mine);
  pump();
  return true;
}

/// Returns whether it could be granted now.
bool Store::has_room(const Ticket& ticket) {
  if (!driver_->failure().empty()) return true;  // to be told so
  const std::size_t bytes = missing(ticket);
  std::size_t held = report_.used_bytes + bytes;
  std::size_t to_host = 0;
  for (const Entry* entry : victims_for(bytes, &ticket)) {
    held -= rounded(entry->size);
    if (HostRoom::needs_room(*entry)) to_host += entry->size;
  }
  return (ticket.joins || !idle_streams_.empty()) && held <= budget_ && host_.takes(to_host);
}

bool Store::try_grant(Ticket& ticket) {
  if (!driver_->failure().empty()) {
    ticket.refused = text() + " failed: " + driver_->failure();
    return false;
  }
  if (!ticket.joins && idle_streams_.empty()) return false;
  if (!make_room(missing(ticket), &ticket)) return false;
  ticket.stream = ticket.joins ? feed_ : idle_streams_.front();
  if (!allocate_operands(ticket)) return false;
  if (!ticket.joins) idle_streams_.pop_front();
  pin(ticket);
  ++running_;
  ++report_.works;
  report_.peak_bytes = std::max(report_.peak_bytes, report_.used_bytes);
  ticket.granted = true;
  return true;
}

/// What would have to go, the longest unused first, until `bytes` more fit the budget; it may not be enough.
std::vector<Entry*> Store::victims_for(std::size_t bytes, const Ticket* spared) const {
  std::vector<Entry*> victims;
  std::size_t held = report_.used_bytes + bytes;
  for (Entry* entry : unpinned_) {
    if (held <= budget_) break;
    if (spared != nullptr && among(spared->operands, entry)) continue;
    victims.push_back(entry);
    held -= std::min(held, rounded(entry->size));
  }
  return victims;
}

/// Evicts until `bytes` more fit the budget. Evicts nothing for a work where that cannot be reached now.
bool Store::make_room(std::size_t bytes, const Ticket* spared) {
  if (spared != nullptr && !has_room(*spared)) return false;
  for (Entry* entry : victims_for(bytes, spared)) evict(*entry);
  return report_.used_bytes + bytes <= budget_;
}

bool Store::allocate_operands(Ticket& ticket) {
  // What was evicted for this work is free once its copies are done.
  driver_->wait(ticket.stream, evicted_);
  std::vector<Entry*> made;
  for (auto& operand : ticket.operands) {
    Entry& entry = *operand.entry;
    if (entry.device != nullptr) continue;
    void* memory = driver_->allocate(rounded(entry.size), ticket.stream);
    for (bool again = true; memory == nullptr && again;) {
      // The budget is more than the device has: others use it, too. What is idle goes.
      ++report_.short_of_memory;
      const auto idle =
          std::find_if(unpinned_.begin(), unpinned_.end(), [&](Entry* one) { return !among(ticket.operands, one); });
      if (idle != unpinned_.end())
        evict(**idle);
      else
        again = false;  // once more when what was released is back
      driver_->synchronize(driver_->record(copies_));
      memory = driver_->allocate(rounded(entry.size), ticket.stream);
    }
    if (memory == nullptr) {
      for (Entry* one : made) take_from_device(*one);
      ticket.loads.clear();
      if (running_ > 0) return false;  // again when one of them has ended
      ticket.refused = fmt::format(
          "{} refused {} although weft holds {} of its budget of {}: another program uses the "
          "card. Lower the budget (gpu::set_budget) or use smaller chunks",
          text(), mib(entry.size), mib(report_.used_bytes), mib(budget_));
      return false;
    }
    entry.device = memory;
    entry.written = {};
    entry.loader = operand.output ? nullptr : &ticket;
    if (!operand.output) ticket.loads.push_back(&entry);
    report_.used_bytes += rounded(entry.size);
    entry.place = unpinned_.insert(unpinned_.end(), &entry);
    made.push_back(&entry);
  }
  return true;
}

void Store::pin(Ticket& ticket) {
  for (auto& operand : ticket.operands) {
    Entry* const entry = operand.entry.get();
    if (entry->pins++ == 0) unpinned_.erase(entry->place);
    ticket.pinned.push_back(entry);
  }
}

void Store::unpin(Ticket& ticket) noexcept {
  for (Entry* entry : ticket.pinned)
    if (--entry->pins == 0) entry->place = unpinned_.insert(unpinned_.end(), entry);
  ticket.pinned.clear();
}

// ---- copies

void Store::take_from_device(Entry& entry) noexcept {
  driver_->release(entry.device, copies_);
  entry.device = nullptr;
  entry.loader = nullptr;
  unpinned_.erase(entry.place);
  report_.used_bytes -= rounded(entry.size);
}

/// Nobody uses the entry: works unpin what they used when the device is done with it.
void Store::evict(Entry& entry) {
  // Who is about to need it here looks for it in the host's memory.
  if (!entry.host_valid && (!entry.kept.valid() || entry.wanted != 0)) {
    try {
      entry.host = Buffer::allocate(entry.size, pinned_memory());
    } catch (const MemoryError&) {
      entry.host = Buffer::allocate(entry.size);
    }
    driver_->wait(copies_, entry.written);
    const std::uint32_t from = driver_->stamp(copies_);
    driver_->copy(entry.host.data(), entry.device, entry.size, CopyWay::ToHost, copies_);
    const std::uint32_t to = driver_->stamp(copies_);
    entry.downloaded = driver_->record(copies_);
    copies_timed_.push_back({entry.downloaded, from, to, true});
    book_copies();
    entry.host_valid = true;
    report_.evicted_bytes += entry.size;
    ++report_.evictions;
  }
  if (entry.host_valid) host_.add(entry);
  take_from_device(entry);
  evicted_ = driver_->record(copies_);
}

/// Puts its inputs on the device; where another thread does so already, waits for that.
void Store::upload(Ticket& ticket) {
  std::unique_lock lock(mutex_);
  if (ticket.uploading)
    changed_.wait(lock, [&] { return ticket.uploaded; });
  else
    upload_claimed(ticket, lock);
}

/// Copies what this work is the first to need, then waits for what others are copying. Those of them that have not
/// begun, because their thread waits for a slot, say, are done here for them.
void Store::upload_claimed(Ticket& ticket, std::unique_lock<std::mutex>& lock) {
  ticket.uploading = true;
  std::size_t bytes = 0;
  // The stream that feeds batches is many works': what it takes is not one's time.
  if (!ticket.joins) ticket.began = driver_->stamp(ticket.stream);
  for (Entry* entry : ticket.loads) {
    lock.unlock();
    driver_->wait(ticket.stream, entry->downloaded);
    driver_->copy(entry->device, entry->host.data(), entry->size, CopyWay::ToDevice, ticket.stream);
    const Event written = driver_->record(ticket.stream);
    lock.lock();
    entry->written = written;
    entry->loader = nullptr;
    bytes += entry->size;
    changed_.notify_all();
  }
  report_.uploaded_bytes += bytes;
  for (auto& operand : ticket.operands) {
    if (operand.output) continue;
    const Entry& entry = *operand.entry;
    while (entry.loader != nullptr) {
      if (entry.loader->uploading)
        changed_.wait(lock);
      else
        upload_claimed(*entry.loader, lock);
    }
    // What comes in the order of batches anyway is not waited for.
    if (ticket.joins && (entry.gathered || entry.written.stream == batches_.stream())) continue;
    wait_for_batch(*operand.entry, lock);
    driver_->wait(ticket.stream, entry.written);
  }
  // Behind the waits for copies of others: a work that has to wait for them does not count it as its kernel's time.
  if (!ticket.joins) ticket.copied = driver_->stamp(ticket.stream);
  ticket.uploaded = true;
  changed_.notify_all();
}

/// Under the mutex, when the device is done with the work.
void Store::book(Ticket& ticket) noexcept {
  report_.launch_seconds += ticket.launch_seconds;
  if (!ticket.loads.empty()) report_.upload_seconds += driver_->seconds_between(ticket.began, ticket.copied);
  report_.kernel_seconds += driver_->seconds_between(ticket.copied, ticket.done);
  for (const std::uint32_t stamp : {ticket.began, ticket.copied, ticket.done}) driver_->forget(stamp);
}

/// Under the mutex: copies are reached in their order.
void Store::book_copies() noexcept {
  while (!copies_timed_.empty() && driver_->state(copies_timed_.front().end) == EventState::Reached) {
    const TimedCopy& copy = copies_timed_.front();
    const double seconds = driver_->seconds_between(copy.from, copy.to);
    driver_->forget(copy.from);
    driver_->forget(copy.to);
    (copy.evicts ? report_.evict_seconds : report_.download_seconds) += seconds;
    copies_timed_.pop_front();
  }
}

Buffer Store::fetch(const std::shared_ptr<Entry>& entry) {
  Event event;
  Buffer bytes;
  {
    std::unique_lock lock(mutex_);
    host_.bring_back(*entry, lock);
    wait_for_batch(*entry, lock);
    throw_if_never_made(*entry);
    if (!entry->host_valid) {
      throw_if_failed();
      const bool idle = entry->pins == 0;
      Buffer host = Buffer::allocate(entry->size, pinned_memory());
      driver_->wait(copies_, entry->written);
      const std::uint32_t from = driver_->stamp(copies_);
      driver_->copy(host.data(), entry->device, entry->size, CopyWay::ToHost, copies_);
      const std::uint32_t to = driver_->stamp(copies_);
      entry->host = std::move(host);
      entry->downloaded = driver_->record(copies_);
      copies_timed_.push_back({entry->downloaded, from, to, false});
      book_copies();
      entry->host_valid = true;
      report_.downloaded_bytes += entry->size;
      // The copy is in the order of the stream that releases: the entry may be evicted at any time.
      if (idle) unpinned_.splice(unpinned_.end(), unpinned_, entry->place);
    }
    event = entry->downloaded;
    bytes = entry->host;
  }
  const Waiter waiter = this_waiter();
  if (waiter.in_task && driver_->state(event) == EventState::Pending) {
    const auto done = std::make_shared<std::atomic<bool>>(false);
    watcher_.watch(event, [done, waiter](EventState) {
      done->store(true, std::memory_order_release);
      weft::detail::wake_client(waiter.client);
    });
    wait_until(waiter, "a copy from " + text(), [&] { return done->load(std::memory_order_acquire); });
  }
  if (driver_->synchronize(event) == EventState::Failed) throw_if_failed();
  return bytes;
}

void Store::drop(Entry& entry) noexcept {
  std::unique_lock lock(mutex_);
  host_.leave(entry, lock);
  // A copy to the host that is still under way writes into a buffer that goes now.
  if (entry.host_valid && entry.downloaded.number != 0) driver_->synchronize(entry.downloaded);
  if (entry.device == nullptr) return;
  take_from_device(entry);
  evicted_ = driver_->record(copies_);
  pump();
}

}  // namespace weft::gpu::detail
