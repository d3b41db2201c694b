#include "core/coordination/named_objects.hpp"

#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

namespace weft::detail {
namespace {

const char* name_of_kind(NamedKind kind) {
  switch (kind) {
    case NamedKind::Queue:
      return "Queue";
    case NamedKind::Variable:
      return "Variable";
    case NamedKind::Event:
      return "Event";
    case NamedKind::Semaphore:
      return "Semaphore";
    case NamedKind::Lock:
      return "Lock";
  }
  return "named object";
}

[[noreturn]] void refuse_act() { throw Error("a named object was asked for what its kind does not do"); }

class QueueObject final : public NamedObject {
 public:
  explicit QueueObject(std::size_t maxsize) : maxsize_(maxsize) {}

  bool attempt(NamedCall& call, NamedAnswer& answer) override {
    const std::lock_guard lock(mutex_);
    switch (call.act) {
      case NamedAct::Put:
        if (maxsize_ != 0 && values_.size() >= maxsize_) return false;
        values_.push_back(std::move(call.parcel));
        return true;
      case NamedAct::Get:
        if (values_.empty()) return false;
        answer.parcel = std::move(values_.front());
        values_.pop_front();
        return true;
      case NamedAct::Size:
        answer.number = values_.size();
        return true;
      case NamedAct::Open:
        answer.number = maxsize_;
        return true;
      case NamedAct::Set:
      case NamedAct::Look:
      case NamedAct::Clear:
      case NamedAct::Wait:
      case NamedAct::Take:
      case NamedAct::Give:
      case NamedAct::Free:
        break;
    }
    refuse_act();
  }

 private:
  const std::size_t maxsize_;
  std::mutex mutex_;
  std::deque<Parcel> values_;  // guarded by mutex_
};

/// A variable, or an event, whose value says nothing.
class VariableObject final : public NamedObject {
 public:
  bool attempt(NamedCall& call, NamedAnswer& answer) override {
    const std::lock_guard lock(mutex_);
    switch (call.act) {
      case NamedAct::Set:
        value_ = std::move(call.parcel);
        set_ = true;
        return true;
      case NamedAct::Clear:
        value_ = {};
        set_ = false;
        return true;
      case NamedAct::Look:
      case NamedAct::Wait:
        if (!set_) return false;
        answer.parcel = value_;
        return true;
      case NamedAct::Size:
        answer.number = set_ ? 1 : 0;
        return true;
      case NamedAct::Open:
        return true;
      case NamedAct::Put:
      case NamedAct::Get:
      case NamedAct::Take:
      case NamedAct::Give:
      case NamedAct::Free:
        break;
    }
    refuse_act();
  }

 private:
  std::mutex mutex_;
  // Guarded by mutex_.
  Parcel value_;
  bool set_ = false;
};

/// A semaphore, or a lock, which is one with a single lease and knows who must not wait for it.
class LeaseObject final : public NamedObject {
 public:
  LeaseObject(NamedKind kind, std::string name, std::size_t leases)
      : kind_(kind), name_(std::move(name)), leases_(leases), free_(leases) {}

  bool attempt(NamedCall& call, NamedAnswer& answer) override {
    const std::lock_guard lock(mutex_);
    switch (call.act) {
      case NamedAct::Take:
        return take(call);
      case NamedAct::Give:
        give(call);
        return true;
      case NamedAct::Free:
        answer.number = free_;
        return true;
      case NamedAct::Open:
        answer.number = leases_;
        return true;
      case NamedAct::Put:
      case NamedAct::Get:
      case NamedAct::Size:
      case NamedAct::Set:
      case NamedAct::Look:
      case NamedAct::Clear:
      case NamedAct::Wait:
        break;
    }
    refuse_act();
  }

  void process_lost(std::uint64_t process) override {
    const std::lock_guard lock(mutex_);
    std::erase_if(held_, [&](const Held& one) {
      if (one.by.process != process) return false;
      free_ += one.count;
      return true;
    });
  }

 private:
  struct Held {
    Holder by;
    std::size_t count = 0;
  };

  bool take(const NamedCall& call) {
    if (free_ < call.number) {
      const bool mine = kind_ == NamedKind::Lock && call.waits && !held_.empty() && held_.front().by == call.by;
      if (mine) {
        throw Error("Lock \"" + name_ +
                    "\" is asked for by the one who holds it, who would wait for itself: release it first");
      }
      return false;
    }
    free_ -= call.number;
    for (Held& one : held_) {
      if (one.by != call.by) continue;
      one.count += call.number;
      return true;
    }
    held_.push_back({call.by, call.number});
    return true;
  }

  /// A lease may be handed to another thread: what its giver has not taken comes off others of the same process, then
  /// off anybody.
  void give(const NamedCall& call) {
    std::uint64_t left = call.number;
    const auto take_off = [&](const auto& counts) {
      for (Held& one : held_) {
        if (left == 0 || !counts(one)) continue;
        const std::uint64_t some = std::min<std::uint64_t>(left, one.count);
        one.count -= some;
        left -= some;
      }
    };
    take_off([&](const Held& one) { return one.by == call.by; });
    take_off([&](const Held& one) { return one.by.process == call.by.process; });
    take_off([](const Held&) { return true; });
    std::erase_if(held_, [](const Held& one) { return one.count == 0; });
    // Leases that a loss has given back already are not given back twice.
    free_ += call.number - left;
  }

  const NamedKind kind_;
  const std::string name_;
  const std::size_t leases_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::size_t free_;
  std::vector<Held> held_;
};

std::shared_ptr<NamedObject> make_object(const Named::Identity& identity) {
  switch (identity.kind) {
    case NamedKind::Queue:
      return std::make_shared<QueueObject>(identity.size);
    case NamedKind::Variable:
    case NamedKind::Event:
      return std::make_shared<VariableObject>();
    case NamedKind::Semaphore:
    case NamedKind::Lock:
      return std::make_shared<LeaseObject>(identity.kind, identity.name, identity.size);
  }
  throw Error("a named object is of no kind that there is");
}

constexpr const char* kPublished = "published result";

struct Published final : SharedObject {
  Handle future;
};

struct Entry {
  std::string type;
  std::uint64_t size = 0;
  std::shared_ptr<SharedObject> object;  // shared by everything that has the name
};
/// (client, kind, name)
using NamePlace = std::tuple<std::uint32_t, std::string, std::string>;

/// All named objects of the process. Never destroyed: objects may be used until the process ends.
/// Threading: guarded by its mutex.
struct Registry {
  std::mutex mutex;
  std::map<NamePlace, Entry> entries;
};
Registry& registry() {
  static Registry* const instance = new Registry;
  return *instance;
}

/// Holds the registry, and frees what closed clients have left once it is let go: that may be anything.
class OpenRegistry {
 public:
  explicit OpenRegistry(std::uint32_t client) : lock_(registry().mutex) {
    std::map<NamePlace, Entry>& entries = registry().entries;
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
  std::map<NamePlace, Entry>& entries() { return registry().entries; }

 private:
  std::vector<Entry> closed_;
  std::unique_lock<std::mutex> lock_;
};

[[noreturn]] void refuse_type(const std::string& kind, const std::string& name, std::string_view has,
                              std::string_view wanted) {
  throw Error(kind + " \"" + name + "\" is of " + std::string(has) + " and was asked for as one of " +
              std::string(wanted) + ": use the type it was made with, or another name");
}

void check_size(const Named::Identity& wanted, std::uint64_t has) {
  if (wanted.size == 0 || wanted.size == has) return;
  throw Error(text_of(wanted) + " has " + (wanted.kind == NamedKind::Queue ? "a maxsize" : "a number of leases") +
              " of " + std::to_string(has) + " and was asked for with " + std::to_string(wanted.size) +
              ": use the number it was made with, or another name");
}

std::string names_of(std::map<NamePlace, Entry>& entries, std::uint32_t client, const std::string& kind) {
  std::string names;
  for (auto at = entries.lower_bound({client, kind, ""}); at != entries.end(); ++at) {
    if (std::get<0>(at->first) != client || std::get<1>(at->first) != kind) break;
    names += (names.empty() ? "\"" : ", \"") + std::get<2>(at->first) + "\"";
  }
  return names.empty() ? "nothing" : names;
}

}  // namespace

std::string text_of(const Named::Identity& identity) {
  return std::string(name_of_kind(identity.kind)) + " \"" + identity.name + "\"";
}

bool changes(NamedAct act) {
  switch (act) {
    case NamedAct::Put:
    case NamedAct::Get:
    case NamedAct::Set:
    case NamedAct::Give:
      return true;
    case NamedAct::Open:
    case NamedAct::Size:
    case NamedAct::Look:
    case NamedAct::Clear:
    case NamedAct::Wait:
    case NamedAct::Take:
    case NamedAct::Free:
      return false;
  }
  return true;
}

std::shared_ptr<NamedObject> open_named(const Named::Identity& identity) {
  if (identity.name.empty())
    throw Error(std::string("a ") + name_of_kind(identity.kind) + " needs a name: it is how others find it");
  OpenRegistry open(identity.client);
  const NamePlace place{identity.client, name_of_kind(identity.kind), identity.name};
  const auto [at, added] = open.entries().try_emplace(place, Entry{identity.type, identity.size, nullptr});
  if (added) {
    at->second.object = make_object(identity);
  } else {
    if (at->second.type != identity.type)
      refuse_type(std::get<1>(place), identity.name, at->second.type, identity.type);
    check_size(identity, at->second.size);
  }
  return std::static_pointer_cast<NamedObject>(at->second.object);
}

std::shared_ptr<NamedObject> existing_named(const Named::Identity& identity) {
  OpenRegistry open(identity.client);
  const auto at = open.entries().find({identity.client, name_of_kind(identity.kind), identity.name});
  if (at == open.entries().end() || at->second.type != identity.type)
    throw Error(text_of(identity) + " does not exist in this client");
  return std::static_pointer_cast<NamedObject>(at->second.object);
}

void release_of(std::uint32_t client, std::uint64_t process) {
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  for (auto at = all.entries.lower_bound({client, "", ""}); at != all.entries.end(); ++at) {
    if (std::get<0>(at->first) != client) break;
    if (std::get<1>(at->first) == kPublished) continue;
    static_cast<NamedObject&>(*at->second.object).process_lost(process);
  }
}

void forget_named(std::uint32_t client) {
  // Freed after the registry has been let go: that may be anything.
  std::vector<Entry> gone;
  Registry& all = registry();
  const std::lock_guard lock(all.mutex);
  const auto first = all.entries.lower_bound({client, "", ""});
  auto last = first;
  for (; last != all.entries.end() && std::get<0>(last->first) == client; ++last)
    gone.push_back(std::move(last->second));
  all.entries.erase(first, last);
}

void publish_here(std::uint32_t client, const std::string& name, std::string_view type, const Handle& future) {
  auto object = std::make_shared<Published>();
  object->future = future;
  OpenRegistry open(client);
  const NamePlace place{client, kPublished, name};
  if (!open.entries().try_emplace(place, Entry{std::string(type), 0, std::move(object)}).second)
    throw Error("publish: \"" + name + "\" is published already: unpublish it first, or use another name");
}

Handle published_here(std::uint32_t client, const std::string& name, std::string_view type) {
  OpenRegistry open(client);
  const auto at = open.entries().find({client, kPublished, name});
  if (at == open.entries().end()) {
    throw Error("get_published: nothing is published as \"" + name +
                "\"; published are: " + names_of(open.entries(), client, kPublished));
  }
  if (at->second.type != type) refuse_type(kPublished, name, at->second.type, type);
  return static_cast<const Published&>(*at->second.object).future;
}

void unpublish_here(std::uint32_t client, const std::string& name) {
  // Freed after the registry has been let go.
  std::shared_ptr<SharedObject> gone;
  OpenRegistry open(client);
  const auto at = open.entries().find({client, kPublished, name});
  if (at == open.entries().end()) {
    throw Error("unpublish: nothing is published as \"" + name +
                "\"; published are: " + names_of(open.entries(), client, kPublished));
  }
  gone = std::move(at->second.object);
  open.entries().erase(at);
}

std::vector<std::string> list_published_here(std::uint32_t client) {
  OpenRegistry open(client);
  std::vector<std::string> names;
  for (const auto& [place, entry] : open.entries()) {
    if (std::get<0>(place) == client && std::get<1>(place) == kPublished) names.push_back(std::get<2>(place));
  }
  return names;
}

}  // namespace weft::detail
