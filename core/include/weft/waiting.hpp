#pragma once

#include <weft/client.hpp>

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

// What objects that tasks wait for are made of. Part of <weft/coordination.hpp>.

namespace weft::detail {

/// What the holders of one name share.
struct SharedObject {
  virtual ~SharedObject() = default;
};

/// Returns the client's object of this kind and name, made by `make` if there is none. Throws if it is of another type.
std::shared_ptr<SharedObject> named_object(std::uint32_t client, const char* kind, const std::string& name,
                                           std::string_view type,
                                           const std::function<std::shared_ptr<SharedObject>()>& make);

/// Waits until `attempt` says true, or until the deadline; whoever changes what it looks at must call `wake_client`. A
/// waiting task lends its slot. Throws CancelledError if its task is cancelled or the client is closed meanwhile.
bool wait_until(std::uint32_t client, const std::string& what, std::int64_t longest_ms,
                const std::function<bool()>& attempt);
void wake_client(std::uint32_t client) noexcept;

[[noreturn]] void refuse_empty_name(const char* kind);
[[noreturn]] void refuse_size(const char* kind, const std::string& name, const char* size, std::size_t has,
                              std::size_t wanted);

/// A share of a client's named object. It goes to other tasks as its name.
/// Owns: a share of the state.  Threading: as a shared_ptr.
template <class State>
class Named {
 public:
  Named() = default;
  template <class Prepare>
  Named(std::uint32_t client, const char* kind, const std::string& name, std::string_view type, const Prepare& prepare)
      : client_(client), kind_(kind), name_(name), type_(type) {
    state_ = std::static_pointer_cast<State>(named_object(client, kind, name, type, [&] {
      auto made = std::make_shared<State>();
      prepare(*made);
      return std::shared_ptr<SharedObject>(std::move(made));
    }));
  }
  Named(std::uint32_t client, const char* kind, const std::string& name, std::string_view type)
      : Named(client, kind, name, type, [](State&) {}) {}

  State& state() const {
    if (state_ == nullptr) refuse_empty_name(kind_);
    return *state_;
  }
  const std::string& name() const { return name_; }
  template <class Attempt>
  void wait(const Attempt& attempt) const {
    if (!attempt()) wait_until(client_, text(), -1, attempt);
  }
  template <class Rep, class Attempt>
  bool wait_for(Rep longest, const Attempt& attempt) const {
    return attempt() || wait_until(client_, text(), static_cast<std::int64_t>(longest.count()), attempt);
  }
  void wake() const noexcept { wake_client(client_); }

  /// Writes the name, or reads it and finds the object.
  template <class Archive>
  void exchange(Archive& archive) {
    std::string kind = kind_;
    std::string type(type_);
    archive(client_, kind, name_, type);
    if constexpr (Archive::kReading) {
      if (name_.empty()) return;
      find_again(kind, type);
    }
  }

 private:
  std::string text() const { return std::string(kind_) + " \"" + name_ + "\""; }
  void find_again(const std::string& kind, const std::string& type);

  std::uint32_t client_ = 0;
  /// Literals and spellings of types: they live as long as the program.
  const char* kind_ = "";
  std::string name_;
  std::string_view type_;
  std::shared_ptr<State> state_;
};

/// Returns an object that exists; `kind` and `type` become what they were made with.
std::shared_ptr<SharedObject> existing_object(std::uint32_t client, const std::string& kind, const std::string& name,
                                              const std::string& type, const char*& kept_kind,
                                              std::string_view& kept_type);

template <class State>
void Named<State>::find_again(const std::string& kind, const std::string& type) {
  state_ = std::static_pointer_cast<State>(existing_object(client_, kind, name_, type, kind_, type_));
}

}  // namespace weft::detail
