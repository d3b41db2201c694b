#include <weft/coordination.hpp>

#include "core/coordination/far_client.hpp"
#include "core/coordination/questions.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/task_name.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>

#include <algorithm>
#include <thread>

namespace weft {
namespace detail {
namespace {

/// Names the running task, or the thread that runs none.
std::uint64_t who_asks() {
  const Slot* const slot = current_slot();
  if (slot != nullptr && slot->running() != kNone) return (std::uint64_t{1} << 32) | slot->running();
  return (std::uint64_t{1} << 63) | std::hash<std::thread::id>{}(std::this_thread::get_id());
}

}  // namespace

// --- Parcels ---------------------------------------------------------------------------------------------------------

void Parcel::write(Writer& writer) const {
  if (bytes_ != nullptr) return write_string(writer, *bytes_);
  const auto encode = futures_of_ != nullptr ? futures_of_->write : type_->encode;
  if (encode == nullptr) {
    throw Error("a value of type " + spelled_type(type_->name()) +
                " is kept in a named object and cannot leave the process that put it there");
  }
  Writer value;
  encode(value_.get(), value);
  writer.count(value.size());
  writer.bytes(value.data(), value.size());
}

void Parcel::collect(std::vector<Handle>& futures) const {
  futures.insert(futures.end(), futures_.begin(), futures_.end());
  if (value_ == nullptr || futures_of_ == nullptr) return;
  futures_of_->collect(value_.get(), futures);
  if (std::any_of(futures.begin(), futures.end(), [](const Handle& one) { return !one.valid(); })) {
    throw Error("a value of type " + spelled_type(type_->name()) +
                " holds an empty future, which cannot go to another process through a named object");
  }
}

Parcel Parcel::read(Reader& reader, std::vector<Handle> futures) {
  Parcel parcel;
  parcel.bytes_ = std::make_shared<const std::string>(read_string(reader));
  parcel.futures_ = std::move(futures);
  return parcel;
}

TaskId Parcel::task_of_future(std::size_t index, std::uint32_t site) const {
  if (index < futures_.size()) {
    arena::add_use(futures_[index].task_id());
    return futures_[index].task_id();
  }
  FarClient* const far = far_client(client_);
  if (index >= offers_.size() || far == nullptr)
    throw Error("a value of a named object came with fewer futures than it holds");
  return far->ask_for_task(question_of_offer(offers_[index]), site);
}

void refuse_described(std::string_view type) {
  throw Error("a value of type " + std::string(type) +
              " holds a Delayed, which is only described and cannot go to another process through a named object: "
              "persist it, and put its future");
}

const std::string& Parcel::text() const {
  static const std::string none;
  return bytes_ != nullptr ? *bytes_ : none;
}

void Parcel::refuse(std::string_view type) {
  throw Error("a value of type " + std::string(type) + " came from another process, which it cannot do");
}

// --- Names -----------------------------------------------------------------------------------------------------------

Named::Named(std::uint32_t client, NamedKind kind, const std::string& name, std::string_view type, std::uint64_t size) {
  Identity wanted{client, kind, name, std::string(type), size};
  if (name.empty() || far_client(client) == nullptr) {
    object_ = open_named(wanted);
  }
  identity_ = std::make_shared<const Identity>(wanted);
  NamedAnswer answer;
  perform(NamedAct::Open, answer);
  wanted.size = answer.number;
  identity_ = std::make_shared<const Identity>(std::move(wanted));
}

const Named::Identity& Named::identity() const {
  if (identity_ == nullptr) throw Error("this named object is empty: open it with a client and a name");
  return *identity_;
}

const std::string& Named::name() const { return identity().name; }
std::uint64_t Named::size() const { return identity().size; }

void Named::find_again(Identity identity) {
  object_ = far_client(identity.client) != nullptr ? nullptr : existing_named(identity);
  identity_ = std::make_shared<const Identity>(std::move(identity));
}

bool Named::perform(NamedAct act, NamedAnswer& answer, std::int64_t longest_ms, std::uint64_t number,
                    Parcel parcel) const {
  this_task::has_effect();
  const Identity& mine = identity();
  NamedCall call{act, longest_ms != kNow, number, {0, who_asks()}, std::move(parcel)};
  FarClient* const far = far_client(mine.client);
  if (far == nullptr && object_ != nullptr) {
    auto& object = static_cast<NamedObject&>(*object_);
    const auto attempt = [&] { return object.attempt(call, answer); };
    if (!attempt() && (longest_ms == kNow || !wait_until(mine.client, text_of(mine), longest_ms, attempt)))
      return false;
    answer.parcel.belong_to(mine.client);
    if (changes(act)) wake_client(mine.client);
    return true;
  }
  if (far == nullptr) throw Error(text_of(mine) + ": its client has been closed");
  std::vector<Handle> futures;
  call.parcel.collect(futures);
  const std::string question = question_about(mine, call);
  const std::optional<std::string> bytes = futures.empty()
                                               ? far->ask(question, longest_ms, text_of(mine))
                                               : far->ask_with(futures, question, longest_ms, text_of(mine));
  if (!bytes) return false;
  answer = read_named_answer(*bytes);
  answer.parcel.belong_to(runs_at_worker() ? Client::current().serial() : mine.client);
  return true;
}

void Named::give_back(std::uint64_t count) const noexcept {
  if (identity_ == nullptr) return;
  NamedCall call{NamedAct::Give, false, count, {0, who_asks()}, {}};
  NamedAnswer answer;
  if (FarClient* const far = far_client(identity_->client)) {
    far->say(question_about(*identity_, call));
  } else if (object_ != nullptr) {
    static_cast<NamedObject&>(*object_).attempt(call, answer);
    wake_client(identity_->client);
  }
}

// --- Published results -----------------------------------------------------------------------------------------------

void add_published(std::uint32_t client, const std::string& name, std::string_view type, const Handle& future) {
  this_task::has_effect();
  if (FarClient* const far = far_client(client)) return far->publish(name, type, future);
  publish_here(client, name, type, future);
}

TaskId find_published(std::uint32_t client, const std::string& name, std::string_view type, std::uint32_t site) {
  this_task::has_effect();
  if (FarClient* const far = far_client(client))
    return far->ask_for_task(question_of_name(QuestionForm::Find, name, type), site);
  const Handle found = published_here(client, name, type);
  arena::add_use(found.task_id());
  return found.task_id();
}

}  // namespace detail

void unpublish(const Client& client, const std::string& name) {
  this_task::has_effect();
  if (detail::FarClient* const far = detail::far_client(client.serial())) {
    far->ask(detail::question_of_name(detail::QuestionForm::Unpublish, name), detail::kWaits, "unpublish");
    return;
  }
  detail::unpublish_here(client.serial(), name);
}

std::vector<std::string> list_published(const Client& client) {
  this_task::has_effect();
  if (detail::FarClient* const far = detail::far_client(client.serial())) {
    const auto names =
        far->ask(detail::question_of_name(detail::QuestionForm::List, ""), detail::kWaits, "the published names");
    return names ? detail::read_names(*names) : std::vector<std::string>{};
  }
  return detail::list_published_here(client.serial());
}

// --- Events ----------------------------------------------------------------------------------------------------------

void Event::set() const {
  detail::NamedAnswer answer;
  named_.perform(detail::NamedAct::Set, answer);
}
void Event::clear() const {
  detail::NamedAnswer answer;
  named_.perform(detail::NamedAct::Clear, answer);
}
bool Event::is_set() const { return named_.number_of(detail::NamedAct::Size) != 0; }
void Event::wait() const {
  detail::NamedAnswer answer;
  named_.perform(detail::NamedAct::Wait, answer);
}
bool Event::wait_for(Milliseconds longest) const {
  detail::NamedAnswer answer;
  return named_.perform(detail::NamedAct::Wait, answer, std::max<std::int64_t>(longest.count(), 0));
}

// --- Leases ----------------------------------------------------------------------------------------------------------

void Lease::release() noexcept {
  if (count_ == 0) return;
  from_.give_back(std::exchange(count_, 0));
  from_ = {};
}

Semaphore::Semaphore(const Client& client, const std::string& name, std::size_t leases)
    : named_(client.serial(), detail::NamedKind::Semaphore, name, "leases", leases) {}

namespace {
void require_enough(const detail::Named& named, std::size_t count) {
  if (count <= named.size()) return;
  throw Error("Semaphore \"" + named.name() + "\" has " + std::to_string(named.size()) + " leases, and " +
              std::to_string(count) + " were asked for: that could never be");
}

bool take(const detail::Named& named, std::int64_t longest_ms, std::size_t count) {
  detail::NamedAnswer answer;
  return named.perform(detail::NamedAct::Take, answer, longest_ms, count);
}
}  // namespace

Lease Semaphore::acquire(std::size_t count) const {
  require_enough(named_, count);
  take(named_, detail::kWaits, count);
  return Lease(named_, count);
}

Lease Semaphore::acquire_for(Milliseconds longest, std::size_t count) const {
  require_enough(named_, count);
  return take(named_, std::max<std::int64_t>(longest.count(), 0), count) ? Lease(named_, count) : Lease();
}

Lease Semaphore::try_acquire(std::size_t count) const {
  require_enough(named_, count);
  return take(named_, detail::kNow, count) ? Lease(named_, count) : Lease();
}

std::size_t Semaphore::free() const { return static_cast<std::size_t>(named_.number_of(detail::NamedAct::Free)); }

void Lock::lock() const { take(named_, detail::kWaits, 1); }

bool Lock::try_lock() const { return take(named_, detail::kNow, 1); }

void Lock::unlock() const {
  if (!is_locked()) throw Error("Lock \"" + named_.name() + "\" is not locked, so it cannot be unlocked");
  named_.give_back(1);
}

Lease Lock::acquire() const {
  lock();
  return Lease(named_, 1);
}

Lease Lock::try_acquire() const { return try_lock() ? Lease(named_, 1) : Lease(); }

bool Lock::is_locked() const { return named_.number_of(detail::NamedAct::Free) == 0; }

// --- MultiLock -------------------------------------------------------------------------------------------------------

MultiLock::MultiLock(const Client& client, std::vector<std::string> names) {
  if (names.empty()) throw Error("a MultiLock needs the name of at least one lock");
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  for (const std::string& name : names) locks_.emplace_back(client, name);
}

std::vector<Lease> MultiLock::acquire() const {
  std::vector<Lease> leases;
  leases.reserve(locks_.size());
  for (const Lock& lock : locks_) leases.push_back(lock.acquire());
  return leases;
}

std::vector<Lease> MultiLock::try_acquire() const {
  std::vector<Lease> leases;
  leases.reserve(locks_.size());
  for (const Lock& lock : locks_) {
    leases.push_back(lock.try_acquire());
    if (!leases.back()) return {};
  }
  return leases;
}

void MultiLock::lock() const {
  std::vector<Lease> leases = acquire();
  for (Lease& lease : leases) lease.keep();
}

void MultiLock::unlock() const {
  for (const Lock& lock : locks_) lock.unlock();
}

}  // namespace weft
