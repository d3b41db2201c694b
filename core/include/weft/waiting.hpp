#pragma once

#include <weft/parcel.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// What objects that tasks wait for are made of. Part of <weft/coordination.hpp>.

namespace weft {

using Milliseconds = std::chrono::milliseconds;

namespace detail {

class FarClient;

enum class NamedKind : std::uint8_t { Queue, Variable, Event, Semaphore, Lock };

/// What may be done with a named object; which of these have to wait, its kind says.
enum class NamedAct : std::uint8_t { Open, Put, Get, Size, Set, Look, Clear, Wait, Take, Give, Free };

struct NamedAnswer {
  std::uint64_t number = 0;
  Parcel parcel;
};

/// What the holders of one name share, in the process where it lives.
struct SharedObject {
  virtual ~SharedObject() = default;
};

/// How long `Named::perform` waits.
inline constexpr std::int64_t kWaits = -1;
inline constexpr std::int64_t kNow = 0;

/// A client's named object, wherever it lives: in this process, or in the client's. It goes to other tasks as its name.
/// Owns: a share of the object where it lives here.  Threading: as a shared_ptr.
class Named {
 public:
  Named() = default;
  /// Opens the object, makes it if there is none. `size`: maxsize or leases, 0 for "whatever it has". `type`: what it
  /// holds. Throws Error if it is of another type or size.
  Named(std::uint32_t client, NamedKind kind, const std::string& name, std::string_view type, std::uint64_t size = 0);

  /// Does it, waiting at most so long for that to be possible; false if it was not. A task that waits lends its slot.
  /// Throws CancelledError if its task is cancelled or the client is closed meanwhile.
  bool perform(NamedAct act, NamedAnswer& answer, std::int64_t longest_ms = kWaits, std::uint64_t number = 0,
               Parcel parcel = {}) const;
  std::uint64_t number_of(NamedAct act) const {
    NamedAnswer answer;
    perform(act, answer);
    return answer.number;
  }
  /// Gives leases back, without waiting for anything.
  void give_back(std::uint64_t count) const noexcept;
  const std::string& name() const;
  /// What it was opened with, or had.
  std::uint64_t size() const;

  /// Writes the name, or reads it and finds the object.
  template <class Archive>
  void exchange(Archive& archive) {
    Identity mine = identity_ != nullptr ? *identity_ : Identity{};
    archive(mine.client, mine.kind, mine.name, mine.type, mine.size);
    if constexpr (Archive::kReading) {
      if (!mine.name.empty()) find_again(std::move(mine));
    }
  }

  struct Identity {
    std::uint32_t client = 0;
    NamedKind kind = NamedKind::Queue;
    std::string name;
    std::string type;
    std::uint64_t size = 0;
  };

 private:
  const Identity& identity() const;
  void find_again(Identity identity);

  std::shared_ptr<const Identity> identity_;
  std::shared_ptr<SharedObject> object_;  // null where it lives in another process
};

/// Waits until `attempt` says true, or until the deadline; whoever changes what it looks at must call `wake_client`. A
/// waiting task lends its slot. Throws CancelledError if its task is cancelled or the client is closed meanwhile.
bool wait_until(std::uint32_t client, const std::string& what, std::int64_t longest_ms,
                const std::function<bool()>& attempt);
void wake_client(std::uint32_t client) noexcept;

/// Returns what reaches the client's objects from here, or null where they live in this process.
FarClient* far_client(std::uint32_t client) noexcept;
/// Returns whether the calling thread runs a task of a worker, or is any thread of a worker's process.
bool runs_at_worker() noexcept;

}  // namespace detail
}  // namespace weft
