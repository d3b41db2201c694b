#include "core/diagnostics/watch.hpp"

#include "core/diagnostics/write_file.hpp"
#include "core/runtime/look.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

namespace weft {
namespace {

std::vector<WorkerLook> look_at(const Client& client, const LookOrder& order) {
  static_cast<void>(client.slots());  // throws for a closed one
  return Runtime::find(client.serial())->look(order);
}

/// What the pictures' bars are coloured by: tasks of one kind have one.
unsigned hue_of(const RanTask& task) {
  return static_cast<unsigned>(std::hash<std::string>()(task.file + ":" + std::to_string(task.line)) % 360);
}

double seconds_between(std::chrono::system_clock::time_point a, std::chrono::system_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

}  // namespace

std::map<std::string, std::vector<RunningTask>> processing(const Client& client) {
  std::map<std::string, std::vector<RunningTask>> running;
  for (WorkerLook& look : look_at(client, {.running = true})) running[look.worker] = std::move(look.running);
  return running;
}

std::map<std::string, std::vector<std::string>> worker_logs(const Client& client) {
  std::map<std::string, std::vector<std::string>> logs;
  for (WorkerLook& look : look_at(client, {.log = true})) logs[look.worker] = std::move(look.log);
  return logs;
}

/// Threading: guarded by its mutex; workers are looked at without it, because that may run a user's callbacks.
struct TaskStream::Parts {
  explicit Parts(std::uint32_t its_client) : client(its_client) {}

  /// What a worker has noted is lost with it: some time before that it is here.
  void gather_now_and_then() {
    constexpr std::chrono::milliseconds kPause{250};
    std::unique_lock lock(mutex);
    while (!changed.wait_for(lock, kPause, [this] { return stopping; })) {
      lock.unlock();
      try {
        gather(LookOrder::Stream::On, true);
      } catch (const Error&) {
        return;  // whoever asks for tasks hears of it
      }
      lock.lock();
    }
  }

  /// Takes in what workers have noted since the last time.
  void gather(LookOrder::Stream stream, bool keep) {
    LookOrder order{.stream = stream};
    {
      const std::lock_guard lock(mutex);
      if (stopped) return;
      order.known = known;
    }
    Runtime* const runtime = Runtime::find(client);
    if (runtime == nullptr) return;
    std::vector<WorkerLook> seen = runtime->look(order);
    const std::lock_guard lock(mutex);
    for (WorkerLook& look : seen) {
      const std::uint64_t next = known[look.worker].next_of(look.process);
      if (keep && look.first_ran > next) left_out += look.first_ran - next;
      // Somebody else may have taken in a part of them meanwhile.
      const std::uint64_t twice = std::min<std::uint64_t>(look.ran.size(), next - std::min(next, look.first_ran));
      if (keep) {
        all.insert(all.end(), std::make_move_iterator(look.ran.begin() + static_cast<std::ptrdiff_t>(twice)),
                   std::make_move_iterator(look.ran.end()));
      }
      known[look.worker] = {look.process, std::max(next, look.next_ran)};
    }
  }

  void stop();

  const std::uint32_t client;
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex.
  std::map<std::string, KnownTasks> known;
  std::vector<RanTask> all;
  std::uint64_t left_out = 0;
  bool stopping = false;
  bool stopped = false;
  std::thread thread;  // where the workers are other processes; joined by the first `stop`
};

namespace {

/// The streams that gather, by their clients. Never destroyed.
struct Streams {
  std::mutex mutex;
  std::vector<std::shared_ptr<TaskStream::Parts>> all;
  std::set<std::uint32_t> others;  // clients whose tasks somebody else wants noted
};
Streams& streams() {
  static Streams* const instance = new Streams;
  return *instance;
}

}  // namespace

void TaskStream::Parts::stop() {
  std::thread ending;
  {
    const std::lock_guard lock(mutex);
    stopping = true;
    ending = std::move(thread);
  }
  changed.notify_all();
  if (ending.joinable()) ending.join();
  {
    const std::lock_guard lock(streams().mutex);
    std::erase_if(streams().all, [&](const auto& one) { return one.get() == this; });
  }
  gather(wants_tasks_noted(client) ? LookOrder::Stream::On : LookOrder::Stream::Off, true);
  const std::lock_guard lock(mutex);
  stopped = true;
}

void want_tasks_noted(std::uint32_t client, bool on) {
  const std::lock_guard lock(streams().mutex);
  if (on) {
    streams().others.insert(client);
  } else {
    streams().others.erase(client);
  }
}

bool wants_tasks_noted(std::uint32_t client) {
  const std::lock_guard lock(streams().mutex);
  return streams().others.contains(client) || std::any_of(streams().all.begin(), streams().all.end(),
                                                          [&](const auto& one) { return one->client == client; });
}

void stop_streams(std::uint32_t client) {
  for (;;) {
    std::shared_ptr<TaskStream::Parts> stream;
    {
      const std::lock_guard lock(streams().mutex);
      for (const auto& one : streams().all) {
        if (one->client == client) stream = one;
      }
    }
    if (stream == nullptr) return;
    stream->stop();
  }
}

TaskStream::TaskStream(const Client& client) {
  static_cast<void>(client.slots());  // throws for a closed one
  parts_ = std::make_shared<Parts>(client.serial());
  parts_->gather(LookOrder::Stream::On, false);
  if (!Runtime::find(client.serial())->alone()) {
    parts_->thread = std::thread([parts = parts_.get()] { parts->gather_now_and_then(); });
  }
  const std::lock_guard lock(streams().mutex);
  streams().all.push_back(parts_);
}

TaskStream::~TaskStream() { parts_->stop(); }

void TaskStream::stop() { parts_->stop(); }

std::vector<RanTask> TaskStream::tasks() const {
  parts_->gather(LookOrder::Stream::On, true);
  const std::lock_guard lock(parts_->mutex);
  std::vector<RanTask> tasks = parts_->all;
  std::stable_sort(tasks.begin(), tasks.end(), [](const RanTask& a, const RanTask& b) { return a.start < b.start; });
  return tasks;
}

std::uint64_t TaskStream::left_out() const {
  const std::lock_guard lock(parts_->mutex);
  return parts_->left_out;
}

void TaskStream::write_csv(const std::string& path) const {
  std::string text = "start_seconds,seconds,worker,slot,failed,file,line,name\n";
  const std::vector<RanTask> all = tasks();
  for (const RanTask& task : all) {
    std::string name = task.name;
    for (std::size_t at = 0; (at = name.find('"', at)) != std::string::npos; at += 2) name.insert(at, 1, '"');
    text += fmt::format("{:.6f},{:.6f},{},{},{},{},{},\"{}\"\n", seconds_between(all.front().start, task.start),
                        task.seconds, task.worker, task.slot, task.failed ? 1 : 0, task.file, task.line, name);
  }
  write_file("task stream", path, text);
}

void TaskStream::write_json(const std::string& path) const {
  std::string text = "{\"traceEvents\":[";
  const std::vector<RanTask> all = tasks();
  std::map<std::string, int> processes;
  for (const RanTask& task : all) {
    const auto [found, fresh] = processes.try_emplace(task.worker, static_cast<int>(processes.size()));
    if (fresh) {
      text += fmt::format("{{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":{},\"args\":{{\"name\":\"{}\"}}}},\n",
                          found->second, json_text(task.worker));
    }
    text += fmt::format(
        "{{\"ph\":\"X\",\"name\":\"{}\",\"pid\":{},\"tid\":{},\"ts\":{:.3f},\"dur\":{:.3f},"
        "\"args\":{{\"line\":\"{}:{}\",\"failed\":{}}}}},\n",
        json_text(task.name), found->second, task.slot, 1e6 * seconds_between(all.front().start, task.start),
        1e6 * task.seconds, json_text(task.file), task.line, task.failed ? "true" : "false");
  }
  if (text.ends_with(",\n")) text.resize(text.size() - 2);
  write_file("task stream", path, text + "]}\n");
}

void TaskStream::write_html(const std::string& path) const {
  constexpr double kWidth = 900;
  constexpr std::size_t kMostBars = 5'000;
  std::vector<RanTask> all = tasks();
  const std::size_t count = all.size();
  double last = 0;
  std::set<std::pair<std::string, unsigned>> rows;
  for (const RanTask& task : all) {
    last = std::max(last, seconds_between(all.front().start, task.start) + task.seconds);
    rows.emplace(task.worker, task.slot);
  }
  const auto begin = all.empty() ? std::chrono::system_clock::time_point() : all.front().start;
  // The longest ones: the others could not be seen.
  std::stable_sort(all.begin(), all.end(), [](const RanTask& a, const RanTask& b) { return a.seconds > b.seconds; });
  all.resize(std::min(all.size(), kMostBars));
  std::string page = fmt::format(
      "<!doctype html>\n<meta charset=\"utf-8\"><title>weft: tasks</title>\n"
      "<body style=\"font-family: sans-serif; max-width: 960px; margin: auto\">\n"
      "<h1>{} tasks in {:.3f} s</h1>\n<p>A row is a slot, a bar a task{}; red frames are failures. Point at a bar to "
      "read "
      "what it is.</p>\n",
      count, last, count > all.size() ? fmt::format(" (the {} longest)", all.size()) : "");
  for (const auto& row : rows) {
    page += fmt::format(
        "<div>{} slot {}</div><svg viewBox=\"0 0 {} 20\" width=\"100%\" height=\"20\" preserveAspectRatio=\"none\">"
        "<rect width=\"{}\" height=\"20\" fill=\"#f4f4f4\"/>\n",
        html_text(row.first), row.second, kWidth, kWidth);
    for (const RanTask& task : all) {
      if (task.worker != row.first || task.slot != row.second) continue;
      page += fmt::format(
          "<rect x=\"{:.2f}\" width=\"{:.2f}\" height=\"20\" fill=\"hsl({},60%,60%)\"{}><title>{} ({}:{}), {:.6f} s"
          "</title></rect>\n",
          kWidth * seconds_between(begin, task.start) / last, std::max(0.5, kWidth * task.seconds / last), hue_of(task),
          task.failed ? " stroke=\"#c00\"" : "", html_text(task.name), html_text(task.file), task.line, task.seconds);
    }
    page += "</svg>\n";
  }
  write_file("task stream", path, page);
}

}  // namespace weft
