#include <weft/log.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include <weft/error.hpp>
#include "core/config/nearest.hpp"
#include "core/diagnostics/last_lines.hpp"
#include "core/diagnostics/log_tap.hpp"
#include "core/diagnostics/terminal.hpp"

namespace weft::logging {

namespace {

// Rooms of weft itself: known before their code runs, so that an option may name them.
constexpr std::array<std::string_view, 26> kRooms = {
    "arrays",   "bag",        "client",   "comm",    "config",    "core",   "dashboard", "diagnostics", "encode",
    "executor", "frames",     "gpu",      "graph",   "io",        "launch", "memory",    "messages",    "mpi",
    "policies", "mpi_launch", "progress", "runtime", "scheduler", "stack",  "transport", "worker"};

constexpr Level kInitial = Level::Warning;
constexpr std::size_t kLastLines = 1'000;

/// While this thread writes what another process logged: no tap takes it, whatever its level it is shown.
thread_local bool forwarding = false;

struct State {
  std::mutex mutex;
  // Guarded by mutex. A deque never moves its elements: rooms hold references.
  std::deque<detail::RoomState> rooms;
  std::vector<std::pair<std::string, Level>> levels;  // as configured, for rooms made later; "" is the plain level
  std::string origin;
  int file = -1;
  Capture* capture = nullptr;
  std::vector<std::shared_ptr<Tap>> taps;  // shared with those that set them
  std::string process_name;
  std::deque<std::string> last_lines;  // as written, without their ends

  State() {
    for (const std::string_view name : kRooms) add(name);
  }

  detail::RoomState& add(std::string_view name) {
    detail::RoomState& room = rooms.emplace_back();
    room.name = name;
    room.least.store(static_cast<std::uint8_t>(least_of(name)), std::memory_order_relaxed);
    return room;
  }

  /// The least level of a room that somebody wants, be it the log itself or a tap.
  Level least_of(std::string_view name) const {
    Level least = level_of(name);
    for (const auto& tap : taps) {
      if (tap->wants(name)) least = std::min(least, tap->least);
    }
    return least;
  }

  void refresh() {
    // The level of a room that is made later is the plain one, or a tap's.
    auto least = static_cast<std::uint8_t>(least_of(""));
    for (detail::RoomState& room : rooms) {
      const auto level = static_cast<std::uint8_t>(least_of(room.name));
      room.least.store(level, std::memory_order_relaxed);
      least = std::min(least, level);
    }
    detail::least_of_all.store(least, std::memory_order_relaxed);
  }

  Level level_of(std::string_view name) const {
    Level level = kInitial;
    for (const auto& [room, value] : levels) {
      if (room.empty()) level = value;
    }
    for (const auto& [room, value] : levels) {
      if (room == name) level = value;
    }
    return level;
  }
};

// Never destroyed: threads and destructors may log while the process ends.
State& state() {
  static State* const one = new State;
  return *one;
}

Level parse_level(std::string_view word) {
  std::vector<std::string> names;
  for (int i = 0; i <= static_cast<int>(Level::Off); ++i) {
    const auto level = static_cast<Level>(i);
    if (level_name(level) == word) return level;
    names.emplace_back(level_name(level));
  }
  throw ConfigError("'" + std::string(word) + "' is no log level (debug, info, warning, error, off); did you mean '" +
                    nearest_name(word, names) + "'?");
}

std::vector<std::pair<std::string, Level>> parse_all(std::string_view text) {
  State& s = state();
  std::vector<std::string> known;
  {
    const std::lock_guard<std::mutex> lock(s.mutex);
    for (const detail::RoomState& room : s.rooms) known.push_back(room.name);
  }
  std::vector<std::pair<std::string, Level>> levels;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string entry(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    entry.erase(std::remove(entry.begin(), entry.end(), ' '), entry.end());
    if (entry.empty()) continue;
    const std::size_t equals = entry.find('=');
    if (equals == std::string::npos) {
      levels.emplace_back("", parse_level(entry));
      continue;
    }
    std::string room = entry.substr(0, equals);
    if (std::find(known.begin(), known.end(), room) == known.end()) {
      throw ConfigError("'" + room + "' is no room that logs; did you mean '" + nearest_name(room, known) + "'?");
    }
    levels.emplace_back(std::move(room), parse_level(entry.substr(equals + 1)));
  }
  return levels;
}

std::string time_stamp() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  gmtime_r(&now.tv_sec, &parts);
  std::array<char, 40> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text.data() + length, text.size() - length, ".%06ldZ", now.tv_nsec / 1000);
  return text.data();
}

}  // namespace

namespace detail {

std::atomic<std::uint8_t> least_of_all{static_cast<std::uint8_t>(kInitial)};

RoomState& room_state(std::string_view name) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  for (RoomState& room : s.rooms) {
    if (room.name == name) return room;
  }
  return s.add(name);
}

void write(Level level, const RoomState& room, std::string_view text) {
  State& s = state();
  std::string line;
  {
    const std::lock_guard<std::mutex> lock(s.mutex);
    bool printed = forwarding || level >= s.level_of(room.name);
    for (std::size_t i = 0; !forwarding && i < s.taps.size(); ++i) {
      Tap& tap = *s.taps[i];
      if (level < tap.least || !tap.wants(room.name)) continue;
      if (tap.take) {
        tap.take({level, room.name, std::string(text)});
      } else {
        printed = true;
      }
    }
    if (!printed) return;
    if (s.capture != nullptr) {
      s.capture->kept_.push_back({level, room.name, std::string(text)});
      return;
    }
    line = time_stamp();
    line.append(" ").append(level_name(level)).append(" ");
    if (!s.origin.empty()) line.append("[").append(s.origin).append("] ");
    line.append(room.name).append(": ").append(text);
    s.last_lines.push_back(line);
    if (s.last_lines.size() > kLastLines) s.last_lines.pop_front();
    line.append("\n");
    // One write in append mode: lines of several processes in one file stay whole. A full disk loses lines silently:
    // the same text still reaches the standard error.
    if (s.file >= 0) {
      while (::write(s.file, line.data(), line.size()) < 0 && errno == EINTR) {
      }
    }
  }
  terminal::write_lines(line);
}

void append(std::string& out, std::string_view part) { out += part; }

void append_pointer(std::string& out, const void* part) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%p", part);
  out += buffer.data();
}

void append_signed(std::string& out, std::int64_t part) { out += std::to_string(part); }

void append_unsigned(std::string& out, std::uint64_t part) { out += std::to_string(part); }

void append_real(std::string& out, double part) {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6g", part);
  out += buffer.data();
}

}  // namespace detail

std::vector<std::string> last_lines() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  return {s.last_lines.begin(), s.last_lines.end()};
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Debug:
      return "debug";
    case Level::Info:
      return "info";
    case Level::Warning:
      return "warning";
    case Level::Error:
      return "error";
    case Level::Off:
      return "off";
  }
  return "off";
}

void message(Level level, std::string_view room, std::string_view line) {
  const detail::RoomState& state = detail::room_state(room);
  if (static_cast<std::uint8_t>(level) < state.least.load(std::memory_order_relaxed)) return;
  detail::write(level, state, line);
}

void check_levels(std::string_view levels) { parse_all(levels); }

void set_levels(std::string_view levels) {
  auto parsed = parse_all(levels);
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.levels = std::move(parsed);
  s.refresh();
}

void add_tap(std::shared_ptr<Tap> tap) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.taps.push_back(std::move(tap));
  s.refresh();
}

void remove_tap(const Tap* tap) noexcept {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  std::erase_if(s.taps, [&](const auto& one) { return one.get() == tap; });
  s.refresh();
}

void log_forwarded(const Record& record) {
  forwarding = true;
  detail::write(record.level, detail::room_state(record.room), record.text);
  forwarding = false;
}

void set_process_name(std::string name) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.process_name = std::move(name);
}

std::string process_name() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  return s.process_name;
}

void check_room(std::string_view room) {
  if (!room.empty()) parse_all(std::string(room) + "=info");
}

void set_file(const std::string& path) {
  int opened = -1;
  if (!path.empty()) {
    opened = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (opened < 0) {
      throw ConfigError("the log file '" + path + "' cannot be opened: " + std::strerror(errno) +
                        "; name another with --weft-log-file");
    }
  }
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  if (s.file >= 0) ::close(s.file);
  s.file = opened;
}

void set_origin(std::string origin) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.origin = std::move(origin);
}

bool Every::due() {
  return due_at(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

bool Every::due_at(std::int64_t now_ns) {
  std::int64_t next = next_ns_.load(std::memory_order_relaxed);
  // Of several threads that find it due, the one whose exchange succeeds logs.
  if (now_ns < next || !next_ns_.compare_exchange_strong(next, now_ns + period_ns_, std::memory_order_relaxed)) {
    held_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  shown_.store(held_.exchange(0, std::memory_order_relaxed), std::memory_order_relaxed);
  return true;
}

Capture::Capture() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  outer_ = s.capture;
  s.capture = this;
}

Capture::~Capture() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.capture = outer_;
}

std::vector<Record> Capture::records() const {
  const std::lock_guard<std::mutex> lock(state().mutex);
  return kept_;
}

}  // namespace weft::logging
