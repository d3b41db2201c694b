#include "dashboard/state.hpp"

#include "core/diagnostics/last_lines.hpp"
#include "core/diagnostics/watch.hpp"
#include "core/diagnostics/write_file.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace weft::dashboard {
namespace {

/// As many as a page shows.
constexpr std::size_t kMostTasks = 400;
constexpr std::size_t kMostLines = 40;
constexpr std::size_t kMostNews = 20;
/// So many tasks noted between two looks are more than anybody sees.
constexpr std::uint64_t kMany = 2'000;
constexpr unsigned kMostPauses = 30;
constexpr std::chrono::seconds kBooksFresh(4);
/// Lines of the program that are told apart; the others are one.
constexpr std::size_t kMostKnownLines = 1'000;

std::string text(std::string_view words) { return '"' + json_text(words) + '"'; }

// JSON knows no infinity and no NaN.
double number(double value) { return std::isfinite(value) ? value : 0; }

double since_epoch(std::chrono::system_clock::time_point time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// Writes the elements of a list with commas between them.
class List {
 public:
  List(std::string& out, const char* name) : out_(out) { out_ += fmt::format(",\n\"{}\":[", name); }
  ~List() { out_ += ']'; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  std::string& next() {
    if (!first_) out_ += ",\n";
    first_ = false;
    return out_;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace

State::State(const Client& client, std::chrono::milliseconds fresh)
    : client_(client), fresh_(fresh), runtime_(*Runtime::find(client.serial())) {}

State::~State() { rest(); }

/// 1. The workers are looked at, once. 2. What they noted is taken in. 3. All of it is written.
const std::string& State::json() {
  const Clock::time_point now = Clock::now();
  if (!json_.empty() && now - made_ < fresh_) return json_;
  const std::vector<WorkerLook> seen = look();
  take_tasks(seen);
  write_counts();
  write_workers(seen);
  write_lines(seen);
  write_tasks();
  write_ledger();
  write_news();
  json_ += "}\n";
  made_ = Clock::now();
  return json_;
}

std::vector<WorkerLook> State::look() {
  LookOrder order{.running = true};
  if (pauses_ > 0) {
    --pauses_;
  } else {
    if (!noting_) want_tasks_noted(runtime_.serial(), true);
    noting_ = true;
    order.stream = LookOrder::Stream::On;
    order.known = known_;
  }
  if (!may_look_ || runtime_.closing()) return {};
  try {
    return runtime_.look(order);
  } catch (const Error&) {
    may_look_ = false;
    return {};
  }
}

void State::take_tasks(const std::vector<WorkerLook>& seen) {
  std::uint64_t fresh = 0;
  for (const WorkerLook& look : seen) {
    KnownTasks& known = known_[look.worker];
    fresh += look.ran.size();
    for (const RanTask& task : look.ran) {
      std::string place = task.file + ":" + std::to_string(task.line);
      if (lines_.size() >= kMostKnownLines && !lines_.contains(place)) place = "other lines";
      Line& line = lines_[place];
      if (line.name.empty()) line.name = task.name.substr(0, task.name.find(" #"));
      line.ended += task.failed ? 0 : 1;
      line.failed += task.failed ? 1 : 0;
      line.seconds += task.seconds;
      recent_.push_back(task);
      if (recent_.size() > kMostTasks) recent_.pop_front();
    }
    known = {look.process, std::max(known.next_of(look.process), look.next_ran)};
  }
  noted_ += fresh;
  if (fresh <= kMany) return;
  pauses_ = static_cast<unsigned>(std::min<std::uint64_t>(kMostPauses, fresh / kMany));
  rest();
}

void State::rest() {
  if (!noting_) return;
  noting_ = false;
  want_tasks_noted(runtime_.serial(), false);
  if (!may_look_ || runtime_.closing() || wants_tasks_noted(runtime_.serial())) return;
  try {
    runtime_.look({.stream = LookOrder::Stream::Off, .known = known_});
  } catch (const Error&) {
    may_look_ = false;
  }
}

void State::write_counts() {
  const Clock::time_point now = Clock::now();
  RunCounts counts = client_.counts();
  counts.done -= std::min(counts.done, counts.failed);  // those are ended, too
  const MemoryReport memory = client_.memory();
  const double since = std::chrono::duration<double>(now - done_at_).count();
  if (since > 0.2) {
    const double rate = static_cast<double>(counts.done - std::min(counts.done, done_before_)) / since;
    rate_ = 0.5 * rate_ + 0.5 * rate;
    done_before_ = counts.done;
    done_at_ = now;
  }
  json_ = fmt::format(
      "{{\"weft_page\":1,\"seconds\":{:.3f},\"now\":{:.3f},\n"
      "\"counts\":{{\"done\":{},\"failed\":{},\"total\":{},\"per_second\":{:.6g}}},\n"
      "\"memory\":{{\"used\":{},\"budget\":{},\"spilled\":{},\"spill_written\":{},\"spill_read\":{}}},\n\"noted\":{}",
      std::chrono::duration<double>(now - begin_).count(), since_epoch(std::chrono::system_clock::now()), counts.done,
      counts.failed, counts.total, number(rate_), memory.used_bytes, memory.budget_bytes, memory.spilled_bytes,
      memory.spill_written_bytes, memory.spill_read_bytes, noted_);
}

void State::write_workers(const std::vector<WorkerLook>& seen) {
  List list(json_, "workers");
  for (const WorkerInfo& worker : runtime_.worker_infos()) {
    const auto found =
        std::find_if(seen.begin(), seen.end(), [&](const WorkerLook& look) { return look.worker == worker.name; });
    list.next() += fmt::format("{{\"name\":{},\"host\":{},\"slots\":{},\"running\":{},\"budget\":{}", text(worker.name),
                               text(worker.host), worker.slots,
                               found == seen.end() ? worker.running : found->running.size(), worker.memory_bytes);
    if (found == seen.end()) {
      json_ += fmt::format(",\"used\":{},\"answers\":false}}", worker.used_bytes);
      continue;
    }
    const WorkerLook& look = *found;
    const Clock::time_point now = Clock::now();
    Before& before = before_[worker.name];
    const double since = before.at == Clock::time_point() ? 0 : std::chrono::duration<double>(now - before.at).count();
    const auto rate = [since](auto value, auto last) {
      return since > 0 && value > last ? static_cast<double>(value - last) / since : 0.0;
    };
    json_ += fmt::format(
        ",\"answers\":true,\"used\":{},\"resident\":{},\"spilled\":{},\"done\":{},\"per_second\":{:.6g},\"busy\":{:.3f}"
        ","
        "\"fetched\":{},\"fetched_per_second\":{:.6g}}}",
        look.used_bytes, look.resident_bytes, look.spilled_bytes, look.tasks_done,
        rate(look.tasks_done, before.tasks_done), rate(look.processor_seconds, before.processor_seconds),
        look.fetched_bytes, rate(look.fetched_bytes, before.fetched_bytes));
    before = {look.processor_seconds, look.fetched_bytes, look.tasks_done, now};
  }
}

void State::write_lines(const std::vector<WorkerLook>& seen) {
  std::map<std::string, std::uint64_t> running;
  for (const WorkerLook& look : seen) {
    for (const RunningTask& task : look.running) {
      const std::string place = task.file + ":" + std::to_string(task.line);
      ++running[place];
      if (lines_.size() < kMostKnownLines && lines_[place].name.empty())
        lines_[place].name = task.name.substr(0, task.name.find(" #"));
    }
  }
  std::vector<std::pair<std::string, Line>> most(lines_.begin(), lines_.end());
  std::stable_sort(most.begin(), most.end(),
                   [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  most.resize(std::min(most.size(), kMostLines));
  List list(json_, "lines");
  for (const auto& [place, line] : most) {
    list.next() +=
        fmt::format("{{\"name\":{},\"place\":{},\"ended\":{},\"failed\":{},\"running\":{},\"seconds\":{:.6g}}}",
                    text(line.name), text(place), line.ended, line.failed, running[place], line.seconds);
  }
}

void State::write_tasks() {
  List list(json_, "tasks");
  for (const RanTask& task : recent_) {
    list.next() += fmt::format("[{},{},{:.6f},{:.6g},{},{},{}]", text(task.worker), task.slot, since_epoch(task.start),
                               task.seconds, text(task.name), text(task.file + ":" + std::to_string(task.line)),
                               task.failed ? 1 : 0);
  }
}

void State::write_ledger() {
  if (const Clock::time_point now = Clock::now(); now - booked_ >= kBooksFresh) {
    ledger_ = client_.ledger();
    booked_ = Clock::now();
  }
  json_ += fmt::format(",\n\"overhead_us\":{:.6g},\"slots\":{},\"wall\":{:.6g}", number(ledger_.overhead_us_per_task()),
                       ledger_.slots, number(ledger_.wall_seconds));
  {
    List list(json_, "phases");
    for (std::size_t p = 0; p < kPhaseCount; ++p) {
      list.next() += fmt::format("[{},{:.6g}]", text(phase_name(static_cast<Phase>(p))), number(ledger_.seconds[p]));
    }
  }
  List list(json_, "moved");
  for (std::size_t i = 0; i < std::min(ledger_.moved.size(), kMostLines); ++i) {
    const MovedRow& row = ledger_.moved[i];
    list.next() += fmt::format("[{},{},{}]", text(row.name), row.results, row.bytes);
  }
}

void State::write_news() {
  for (const auto& [topic, name] : {std::pair("failures", "failures"), std::pair("workers", "workers_news")}) {
    std::vector<LoggedEvent> events;
    try {
      events = client_.events(topic);
    } catch (const Error&) {
      // They are noted in another program.
    }
    List list(json_, name);
    const auto shown = static_cast<std::ptrdiff_t>(std::min(events.size(), kMostNews));
    for (auto event = events.end() - shown; event != events.end(); ++event)
      list.next() += fmt::format("[{:.3f},{}]", since_epoch(event->time), text(event->text));
  }
  const std::vector<std::string> lines = logging::last_lines();
  List list(json_, "log");
  const auto shown = static_cast<std::ptrdiff_t>(std::min(lines.size(), kMostNews));
  for (auto line = lines.end() - shown; line != lines.end(); ++line) list.next() += text(*line);
}

}  // namespace weft::dashboard
