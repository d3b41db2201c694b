#pragma once

#include <weft/coordination.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Named objects of the clients of this process, and what may be done with them, by whomever.

namespace weft::detail {

/// Who takes leases: a process (0: this one), and a task or thread of it.
struct Holder {
  std::uint64_t process = 0;
  std::uint64_t who = 0;
  friend bool operator==(const Holder&, const Holder&) = default;
};

struct NamedCall {
  NamedAct act = NamedAct::Open;
  /// The caller waits where it is not possible.
  bool waits = false;
  std::uint64_t number = 0;
  Holder by;
  Parcel parcel;
};

/// A named object: does one thing at a time.
/// Owns: what it keeps.  Threading: any thread; guarded by a mutex of its own, under which nothing else is called but
/// destructors of values.
class NamedObject : public SharedObject {
 public:
  /// Does it if it is possible now. Throws Error where it never is.
  virtual bool attempt(NamedCall& call, NamedAnswer& answer) = 0;
  /// Takes back what a process holds that is gone.
  virtual void process_lost(std::uint64_t) {}
};

/// Returns the client's object, made if there is none. Throws Error if it is of another type or size, or if the client
/// is closed.
std::shared_ptr<NamedObject> open_named(const Named::Identity& identity);
/// Returns an object that exists, for a name that has travelled.
std::shared_ptr<NamedObject> existing_named(const Named::Identity& identity);
/// Gives back what a lost process holds of the client's objects.
void release_of(std::uint32_t client, std::uint64_t process);

/// Frees the named objects and the published results of a client that closes.
void forget_named(std::uint32_t client);

/// Published results of the client. As in the public calls, but by type's name; `find` throws where there is none.
void publish_here(std::uint32_t client, const std::string& name, std::string_view type, const Handle& future);
Handle published_here(std::uint32_t client, const std::string& name, std::string_view type);
void unpublish_here(std::uint32_t client, const std::string& name);
std::vector<std::string> list_published_here(std::uint32_t client);

/// What errors and waits call it: "Queue \"work\"".
std::string text_of(const Named::Identity& identity);
/// Returns whether an act changes what others may wait for.
bool changes(NamedAct act);

}  // namespace weft::detail
