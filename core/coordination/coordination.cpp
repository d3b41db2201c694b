#include <weft/coordination.hpp>

#include "core/executor/slot.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <map>
#include <thread>

namespace weft {
namespace detail {
namespace {

struct Entry {
  const char* kind;
  std::string_view type;
  std::shared_ptr<SharedObject> object;
};
/// (client, kind, name)
using Place = std::tuple<std::uint32_t, std::string, std::string>;

/// All named objects of the process. Never destroyed: objects may be used until the process ends.
/// Threading: guarded by its mutex.
struct Registry {
  std::mutex mutex;
  std::map<Place, Entry> entries;
};
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

/// Holds the registry, and frees what closed clients have left once it is let go: that may be anything.
class OpenRegistry {
 public:
  explicit OpenRegistry(std::uint32_t client) : lock_(registry().mutex) {
    std::map<Place, Entry>& entries = registry().entries;
    for (auto at = entries.begin(); at != entries.end();) {
      if (Runtime::find(std::get<0>(at->first)) != nullptr) {
        ++at;
      } else {
        closed_.push_back(std::move(at->second));
        at = entries.erase(at);
      }
    }
    if (Runtime::find(client) == nullptr) {
      lock_.unlock();
      throw Error("this client has been closed: named objects are made and found through an open weft::Client");
    }
  }
  std::map<Place, Entry>& entries() { return registry().entries; }

 private:
  std::vector<Entry> closed_;
  std::unique_lock<std::mutex> lock_;
};

[[noreturn]] void refuse_type(const std::string& kind, const std::string& name, std::string_view has,
                              std::string_view wanted) {
  throw Error(kind + " \"" + name + "\" is of " + std::string(has) + " and was asked for as one of " +
              std::string(wanted) + ": use the type it was made with, or another name");
}

std::string names_of(std::map<Place, Entry>& entries, std::uint32_t client, const std::string& kind) {
  std::string names;
  for (auto at = entries.lower_bound({client, kind, ""}); at != entries.end(); ++at) {
    if (std::get<0>(at->first) != client || std::get<1>(at->first) != kind) break;
    names += (names.empty() ? "\"" : ", \"") + std::get<2>(at->first) + "\"";
  }
  return names.empty() ? "nothing" : names;
}

constexpr const char* kPublished = "published result";

/// Names the running task, or the thread that runs none.
std::uint64_t who_asks() {
  const Slot* const slot = current_slot();
  if (slot != nullptr && slot->running() != kNone) return (std::uint64_t{1} << 32) | slot->running();
  return (std::uint64_t{1} << 63) | std::hash<std::thread::id>{}(std::this_thread::get_id());
}

void require_not_holder(LeaseState& state, const std::string& name) {
  const std::lock_guard lock(state.mutex);
  if (state.free == 0 && state.holder == who_asks()) {
    throw Error("Lock \"" + name +
                "\" is asked for by the one who holds it, who would wait for itself: release it first");
  }
}

}  // namespace

std::shared_ptr<SharedObject> named_object(std::uint32_t client, const char* kind, const std::string& name,
                                           std::string_view type,
                                           const std::function<std::shared_ptr<SharedObject>()>& make) {
  if (name.empty()) throw Error(std::string("a ") + kind + " needs a name: it is how others find it");
  OpenRegistry open(client);
  const auto [at, added] = open.entries().try_emplace({client, kind, name}, Entry{kind, type, nullptr});
  if (added) {
    at->second.object = make();
  } else if (at->second.type != type) {
    refuse_type(kind, name, at->second.type, type);
  }
  return at->second.object;
}

std::shared_ptr<SharedObject> existing_object(std::uint32_t client, const std::string& kind, const std::string& name,
                                              const std::string& type, const char*& kept_kind,
                                              std::string_view& kept_type) {
  OpenRegistry open(client);
  const auto at = open.entries().find({client, kind, name});
  if (at == open.entries().end() || at->second.type != type) {
    throw Error(kind + " \"" + name + "\" does not exist in this client");
  }
  kept_kind = at->second.kind;
  kept_type = at->second.type;
  return at->second.object;
}

void refuse_empty_name(const char* kind) {
  throw Error(std::string("this ") + (*kind == '\0' ? "named object" : kind) +
              " is empty: open it with a client and a name");
}

void refuse_size(const char* kind, const std::string& name, const char* size, std::size_t has, std::size_t wanted) {
  throw Error(std::string(kind) + " \"" + name + "\" has " + size + " of " + std::to_string(has) +
              " and was asked for with " + std::to_string(wanted) +
              ": use the number it was made with, or another name");
}

void add_published(std::uint32_t client, const std::string& name, std::string_view type,
                   std::shared_ptr<SharedObject> object) {
  OpenRegistry open(client);
  if (!open.entries().try_emplace({client, kPublished, name}, Entry{kPublished, type, std::move(object)}).second) {
    throw Error("publish: \"" + name + "\" is published already: unpublish it first, or use another name");
  }
}

std::shared_ptr<SharedObject> find_published(std::uint32_t client, const std::string& name, std::string_view type) {
  OpenRegistry open(client);
  const auto at = open.entries().find({client, kPublished, name});
  if (at == open.entries().end()) {
    throw Error("get_published: nothing is published as \"" + name +
                "\"; published are: " + names_of(open.entries(), client, kPublished));
  }
  if (at->second.type != type) refuse_type(kPublished, name, at->second.type, type);
  return at->second.object;
}

bool LeaseState::take(std::size_t count, std::uint64_t by) {
  const std::lock_guard lock(mutex);
  if (free < count) return false;
  free -= count;
  holder = by;
  return true;
}

void LeaseState::give(std::size_t count) {
  const std::lock_guard lock(mutex);
  free += count;
  holder = 0;
}

}  // namespace detail

void unpublish(const Client& client, const std::string& name) {
  const std::uint32_t serial = client.serial();
  // Freed after the registry has been let go.
  std::shared_ptr<detail::SharedObject> gone;
  detail::OpenRegistry open(serial);
  const auto at = open.entries().find({serial, detail::kPublished, name});
  if (at == open.entries().end()) {
    throw Error("unpublish: nothing is published as \"" + name +
                "\"; published are: " + detail::names_of(open.entries(), serial, detail::kPublished));
  }
  gone = std::move(at->second.object);
  open.entries().erase(at);
}

std::vector<std::string> list_published(const Client& client) {
  const std::uint32_t serial = client.serial();
  detail::OpenRegistry open(serial);
  std::vector<std::string> names;
  for (const auto& [place, entry] : open.entries()) {
    if (std::get<0>(place) == serial && std::get<1>(place) == detail::kPublished) names.push_back(std::get<2>(place));
  }
  return names;
}

// --- Leases ----------------------------------------------------------------------------------------------------------

void Lease::release() noexcept {
  if (count_ == 0) return;
  from_.state().give(std::exchange(count_, 0));
  from_.wake();
  from_ = {};
}

Semaphore::Semaphore(const Client& client, const std::string& name, std::size_t leases)
    : named_(client.serial(), "Semaphore", name, "leases",
             [leases](detail::LeaseState& state) { state.leases = state.free = leases; }) {
  if (named_.state().leases != leases) {
    detail::refuse_size("Semaphore", name, "a number of leases", named_.state().leases, leases);
  }
}

namespace {
void require_enough(const detail::Named<detail::LeaseState>& named, std::size_t count) {
  if (count <= named.state().leases) return;
  throw Error("Semaphore \"" + named.name() + "\" has " + std::to_string(named.state().leases) + " leases, and " +
              std::to_string(count) + " were asked for: that could never be");
}
}  // namespace

Lease Semaphore::acquire(std::size_t count) const {
  require_enough(named_, count);
  detail::LeaseState& state = named_.state();
  named_.wait([&] { return state.take(count, 0); });
  return Lease(named_, count);
}

Lease Semaphore::acquire_for(Milliseconds longest, std::size_t count) const {
  require_enough(named_, count);
  detail::LeaseState& state = named_.state();
  if (!named_.wait_for(longest, [&] { return state.take(count, 0); })) return {};
  return Lease(named_, count);
}

Lease Semaphore::try_acquire(std::size_t count) const {
  require_enough(named_, count);
  return named_.state().take(count, 0) ? Lease(named_, count) : Lease();
}

std::size_t Semaphore::free() const {
  const std::lock_guard lock(named_.state().mutex);
  return named_.state().free;
}

void Lock::lock() const {
  detail::LeaseState& state = named_.state();
  detail::require_not_holder(state, named_.name());
  const std::uint64_t me = detail::who_asks();
  named_.wait([&] { return state.take(1, me); });
}

bool Lock::try_lock() const { return named_.state().take(1, detail::who_asks()); }

void Lock::unlock() const {
  if (!is_locked()) throw Error("Lock \"" + named_.name() + "\" is not locked, so it cannot be unlocked");
  named_.state().give(1);
  named_.wake();
}

Lease Lock::acquire() const {
  lock();
  return Lease(named_, 1);
}

Lease Lock::try_acquire() const { return try_lock() ? Lease(named_, 1) : Lease(); }

bool Lock::is_locked() const {
  const std::lock_guard lock(named_.state().mutex);
  return named_.state().free == 0;
}

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
