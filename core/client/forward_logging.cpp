#include <weft/forward_logging.hpp>

#include "core/client/open_plugin.hpp"
#include "core/coordination/far_client.hpp"
#include "core/coordination/notes.hpp"
#include "core/coordination/questions.hpp"
#include "core/diagnostics/log_tap.hpp"
#include "core/executor/executor.hpp"
#include "core/executor/slot.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

// 1. The setup in a worker taps its log. 2. A thread there sends the lines as events of a topic of their own. 3. The
// client's notes hand each to a listener here, which logs it.

namespace weft {
namespace {

/// A worker's end: takes lines, and sends them without waiting for anything.
/// Owns: its thread.  Threading: guarded by its mutex.
class Sender {
 public:
  Sender(detail::FarClient& far, std::string topic, logging::Level least, std::string room)
      : far_(far), topic_(std::move(topic)), tap_(std::make_shared<logging::Tap>()) {
    tap_->least = least;
    tap_->room = std::move(room);
    tap_->take = [this](logging::Record record) { take(std::move(record)); };
    thread_ = std::thread([this] { run(); });
    logging::add_tap(tap_);
  }
  ~Sender() {
    logging::remove_tap(tap_.get());
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

 private:
  static constexpr std::size_t kMost = 10'000;

  void take(logging::Record record) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < kMost) {
      waiting_.push_back(std::move(record));
    } else {
      ++left_out_;
    }
    changed_.notify_one();
  }

  void run() {
    const std::string name = logging::process_name();
    std::unique_lock lock(mutex_);
    while (!ends_ || !waiting_.empty()) {
      changed_.wait(lock, [this] { return ends_ || !waiting_.empty(); });
      std::vector<logging::Record> lines = std::exchange(waiting_, {});
      if (const std::size_t missing = std::exchange(left_out_, 0); missing != 0) {
        lines.push_back(
            {logging::Level::Warning, "worker", std::to_string(missing) + " lines came too fast to be sent"});
      }
      lock.unlock();
      for (logging::Record& line : lines) send(std::move(line), name);
      lock.lock();
    }
  }

  void send(logging::Record line, const std::string& name) const {
    std::string text(1, static_cast<char>('0' + static_cast<int>(line.level)));
    text += line.room + '\n' + '[' + name + "] " + line.text;
    far_.say(detail::question_of_name(detail::QuestionForm::LogEvent, topic_, text));
  }

  detail::FarClient& far_;
  const std::string topic_;
  const std::shared_ptr<logging::Tap> tap_;  // shared with the log
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<logging::Record> waiting_;
  std::size_t left_out_ = 0;
  bool ends_ = false;
  std::thread thread_;
};

/// The senders of this process, by topic. Several workers may live in one; its lines are sent once.
/// Never destroyed: workers may end with the process.
struct Senders {
  struct One {
    std::unique_ptr<Sender> sender;
    int holders = 0;
  };
  std::mutex mutex;
  std::map<std::string, One> all;
};
Senders& senders() {
  static Senders* const instance = new Senders;
  return *instance;
}

std::string read_text(Reader& reader) {
  const std::size_t size = reader.elements(1, "wish for log lines");
  return {reinterpret_cast<const char*>(reader.view(size, "wish for log lines")), size};
}
void write_text(Writer& writer, std::string_view text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

void begin_sending(Reader& reader) {
  const std::string topic = read_text(reader);
  const auto level = static_cast<logging::Level>(reader.count("wish for log lines"));
  std::string room = read_text(reader);
  const std::lock_guard lock(senders().mutex);
  Senders::One& one = senders().all[topic];
  if (one.holders++ != 0) return;
  detail::FarClient* far = detail::far_client_of_process.load();
  if (far == nullptr && current_slot() != nullptr) far = current_slot()->executor().far_client();
  if (far != nullptr) one.sender = std::make_unique<Sender>(*far, topic, level, std::move(room));
}

void end_sending(Reader& reader) {
  const std::string topic = read_text(reader);
  const std::lock_guard lock(senders().mutex);
  const auto found = senders().all.find(topic);
  if (found != senders().all.end() && --found->second.holders == 0) senders().all.erase(found);
}

/// Logs here what workers sent. Threading: it is called by whoever takes the letters, and only passes lines to the log.
class Listener final : public detail::Notes::Listener {
 public:
  void event(const LoggedEvent& event) override {
    const std::size_t end = event.text.find('\n');
    if (end == std::string::npos || end == 0) return;
    logging::log_forwarded(
        {static_cast<logging::Level>(event.text[0] - '0'), event.text.substr(1, end - 1), event.text.substr(end + 1)});
  }
};

std::string fresh_topic() {
  static std::atomic<std::uint64_t> next{0};
  return "weft: lines of workers " + std::to_string(next.fetch_add(1));
}

}  // namespace

struct ForwardLogging::Parts {
  std::uint32_t client = 0;
  std::string key;
  std::shared_ptr<detail::Notes> notes;          // shared with the client
  std::shared_ptr<detail::Notes::Listener> ear;  // shared with the notes
  std::shared_ptr<logging::Tap> tap;             // in one process; shared with the log
};

ForwardLogging::ForwardLogging(const Client& client, const Options& options, const std::source_location& where)
    : parts_(std::make_unique<Parts>()) {
  logging::check_room(options.room);
  static_cast<void>(client.slots());  // throws for a closed one
  parts_->client = client.serial();
  if (Runtime::find(client.serial())->alone()) {
    parts_->tap = std::make_shared<logging::Tap>();
    parts_->tap->least = options.level;
    parts_->tap->room = options.room;
    logging::add_tap(parts_->tap);
    return;
  }
  const std::string topic = fresh_topic();
  Writer named;
  write_text(named, topic);
  Writer given;
  write_text(given, topic);
  given.count(static_cast<std::uint64_t>(options.level));
  write_text(given, options.room);
  Writer calls;
  write_plugin_call(calls, &begin_sending, given);
  write_plugin_call(calls, &end_sending, named);
  const std::string description(reinterpret_cast<const char*>(calls.data()), calls.size());
  parts_->key = open_plugin(client, "the forwarding of log lines", description, where);
  parts_->notes = detail::notes_of(client.serial());
  parts_->ear = std::make_shared<Listener>();
  parts_->notes->add(topic, parts_->ear);
}

ForwardLogging::~ForwardLogging() {
  if (parts_->tap != nullptr) {
    logging::remove_tap(parts_->tap.get());
    return;
  }
  // A worker has sent what it had before it says that it sends no more.
  close_plugin(parts_->client, parts_->key);
  parts_->notes->remove(parts_->ear.get());
}

}  // namespace weft
