#pragma once

#include <weft/client_info.hpp>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::detail {

/// What programs note in a client: texts under keys, and events by topic. Its parts in other processes reach it by
/// questions (questions.hpp).
/// Owns: the notes.  Threading: any thread; guarded by its mutex.
class Notes {
 public:
  void set(const std::string& key, std::string text);
  std::optional<std::string> find(const std::string& key) const;
  /// Notes an event, with the time now. The last 10,000 of a topic are kept.
  void log(const std::string& topic, std::string text);
  std::vector<LoggedEvent> events(const std::string& topic) const;

  /// Hears of the events of a topic. Threading: called by whoever notes one; it must not wait for anything.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void event(const LoggedEvent& event) = 0;
  };
  void add(const std::string& topic, std::shared_ptr<Listener> listener);
  void remove(const Listener* listener);

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::string> texts_;
  std::map<std::string, std::deque<LoggedEvent>> events_;
  std::vector<std::pair<std::string, std::shared_ptr<Listener>>> listeners_;  // shared with subscriptions
};

/// Lets questions about a client find its notes, which several clients may have one after the other.
void list_notes(std::uint32_t client, std::shared_ptr<Notes> notes);
void unlist_notes(std::uint32_t client) noexcept;
/// Throws Error if the client is closed.
std::shared_ptr<Notes> notes_of(std::uint32_t client);

/// Notes an event that weft itself has seen, if the client is open.
void note_event(std::uint32_t client, const std::string& topic, std::string text) noexcept;

/// The same for a client whose process is another one.
class FarClient;
std::optional<std::string> far_note(FarClient& far, const std::string& key);
void set_far_note(FarClient& far, const std::string& key, std::string_view text);
void log_far_event(FarClient& far, const std::string& topic, std::string_view text);
std::vector<LoggedEvent> far_events(FarClient& far, const std::string& topic);

}  // namespace weft::detail
