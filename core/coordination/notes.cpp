#include "core/coordination/notes.hpp"

#include "core/coordination/far_client.hpp"
#include "core/coordination/questions.hpp"

#include <weft/error.hpp>

#include <chrono>
#include <utility>

namespace weft::detail {
namespace {

/// Never destroyed: clients may be global objects. Threading: guarded by its mutex.
struct Lists {
  std::mutex mutex;
  std::map<std::uint32_t, std::shared_ptr<Notes>> all;  // shared with the clients
};
Lists& lists() {
  static Lists* const instance = new Lists;
  return *instance;
}

}  // namespace

void Notes::set(const std::string& key, std::string text) {
  const std::lock_guard lock(mutex_);
  texts_[key] = std::move(text);
}

std::optional<std::string> Notes::find(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = texts_.find(key);
  return found == texts_.end() ? std::nullopt : std::optional(found->second);
}

void Notes::log(const std::string& topic, std::string text) {
  constexpr std::size_t kMostEvents = 10'000;
  const std::lock_guard lock(mutex_);
  std::deque<LoggedEvent>& events = events_[topic];
  events.push_back({std::chrono::system_clock::now(), std::move(text)});
  for (const auto& [wanted, listener] : listeners_) {
    if (wanted == topic) listener->event(events.back());
  }
  if (events.size() > kMostEvents) events.pop_front();
}

void Notes::add(const std::string& topic, std::shared_ptr<Listener> listener) {
  const std::lock_guard lock(mutex_);
  listeners_.emplace_back(topic, std::move(listener));
}

void Notes::remove(const Listener* listener) {
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const auto& one) { return one.second.get() == listener; });
}

std::vector<LoggedEvent> Notes::events(const std::string& topic) const {
  const std::lock_guard lock(mutex_);
  const auto found = events_.find(topic);
  if (found == events_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void list_notes(std::uint32_t client, std::shared_ptr<Notes> notes) {
  const std::lock_guard lock(lists().mutex);
  lists().all[client] = std::move(notes);
}

void unlist_notes(std::uint32_t client) noexcept {
  const std::lock_guard lock(lists().mutex);
  lists().all.erase(client);
}

std::shared_ptr<Notes> notes_of(std::uint32_t client) {
  const std::lock_guard lock(lists().mutex);
  const auto found = lists().all.find(client);
  if (found == lists().all.end()) throw Error("the client whose notes were asked for has been closed");
  return found->second;
}

void note_event(std::uint32_t client, const std::string& topic, std::string text) noexcept {
  try {
    notes_of(client)->log(topic, std::move(text));
  } catch (...) {
    // The client is being closed, or there is no memory: it goes unnoted.
  }
}

std::optional<std::string> far_note(FarClient& far, const std::string& key) {
  const auto answer = far.ask(question_of_name(QuestionForm::Note, key), kWaits, "the client's metadata");
  return answer ? read_note(*answer) : std::nullopt;
}

void set_far_note(FarClient& far, const std::string& key, std::string_view text) {
  far.ask(question_of_name(QuestionForm::SetNote, key, text), kWaits, "the client's metadata");
}

void log_far_event(FarClient& far, const std::string& topic, std::string_view text) {
  far.ask(question_of_name(QuestionForm::LogEvent, topic, text), kWaits, "the client's events");
}

std::vector<LoggedEvent> far_events(FarClient& far, const std::string& topic) {
  const auto answer = far.ask(question_of_name(QuestionForm::Events, topic), kWaits, "the client's events");
  return answer ? read_events(*answer) : std::vector<LoggedEvent>{};
}

}  // namespace weft::detail
