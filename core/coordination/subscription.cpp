#include "core/coordination/notes.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/watch.hpp>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace weft {

/// Threading: guarded by its mutex, but for what is constant.
struct Subscription::Parts final : detail::Notes::Listener {
  void event(const LoggedEvent& event) override {
    {
      const std::lock_guard lock(mutex);
      if (ended) return;
      waiting.push_back(event);
    }
    changed.notify_one();
  }

  /// Calls the handler for each event, until the subscription has ended.
  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return ended || !waiting.empty(); });
      if (ended) return;
      const LoggedEvent event = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      try {
        handler(event);
      } catch (const std::exception& error) {
        logging::error("client", "the handler of the events of \"", topic, "\" threw ", error.what());
      } catch (...) {
        logging::error("client", "the handler of the events of \"", topic, "\" threw what is no std::exception");
      }
      lock.lock();
    }
  }

  std::string topic;
  std::function<void(const LoggedEvent&)> handler;
  std::shared_ptr<detail::Notes> notes;  // shared with the client
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::deque<LoggedEvent> waiting;
  bool ended = false;
  std::thread thread;  // of whoever makes and ends the subscription
};

Subscription::Subscription(const Client& client, const std::string& topic,
                           std::function<void(const LoggedEvent&)> handler)
    : parts_(std::make_shared<Parts>()) {
  static_cast<void>(client.slots());  // throws for a closed one
  if (Runtime::find(client.serial())->far_client() != nullptr) {
    throw Error("the events of \"" + topic +
                "\" are noted in another process: subscribe to them in the program that opened the client");
  }
  if (!handler) throw Error("the subscription to \"" + topic + "\" has no handler");
  parts_->topic = topic;
  parts_->handler = std::move(handler);
  parts_->notes = detail::notes_of(client.serial());
  parts_->thread = std::thread([parts = parts_] { parts->run(); });
  parts_->notes->add(topic, parts_);
}

Subscription::~Subscription() {
  parts_->notes->remove(parts_.get());
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->ended = true;
  }
  parts_->changed.notify_one();
  // A handler may end its own subscription: its thread ends right after it.
  if (parts_->thread.get_id() == std::this_thread::get_id()) {
    parts_->thread.detach();
  } else {
    parts_->thread.join();
  }
}

}  // namespace weft
