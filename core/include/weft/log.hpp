#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

/// Logging by room: whole lines with time, level and room on the standard error, and in a file where one is named.
/// Any thread may log at any time. What is switched off costs one relaxed load.
namespace weft::logging {

enum class Level : std::uint8_t { Debug, Info, Warning, Error, Off };

/// Returns "debug", "info", "warning", "error" or "off".
std::string_view level_name(Level level);

namespace detail {

// One a room name, made on first use, never freed.
struct RoomState {
  std::atomic<std::uint8_t> least;
  std::string name;
};
RoomState& room_state(std::string_view name);
// The least level that any room logs: what the calls that give a room's name look at first.
extern std::atomic<std::uint8_t> least_of_all;

void write(Level level, const RoomState& room, std::string_view text);

void append(std::string& out, std::string_view part);
void append_pointer(std::string& out, const void* part);
void append_signed(std::string& out, std::int64_t part);
void append_unsigned(std::string& out, std::uint64_t part);
void append_real(std::string& out, double part);

template <class T>
void append_part(std::string& out, const T& part) {
  if constexpr (std::is_same_v<T, bool>) {
    append(out, part ? "true" : "false");
  } else if constexpr (std::is_same_v<T, char>) {
    out += part;
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    append_signed(out, static_cast<std::int64_t>(part));
  } else if constexpr (std::is_integral_v<T>) {
    append_unsigned(out, static_cast<std::uint64_t>(part));
  } else if constexpr (std::is_floating_point_v<T>) {
    append_real(out, static_cast<double>(part));
  } else if constexpr (std::is_enum_v<T>) {
    append_part(out, static_cast<std::underlying_type_t<T>>(part));
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append(out, std::string_view(part));
  } else if constexpr (std::is_pointer_v<T>) {
    append_pointer(out, static_cast<const void*>(part));
  } else {
    static_assert(std::is_same_v<T, void>, "weft::logging: this type has no text; pass a string or a number");
  }
}

}  // namespace detail

/// Returns the parts one behind the other: strings, numbers, bools, characters, enumerators (as numbers), pointers.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (detail::append_part(out, parts), ...);
  return out;
}

/// A place that logs under a name. Make one per source file, at namespace scope: `const logging::Room
/// room("scheduler");` Owns: nothing; the name's level lives as long as the process.  Threading: any thread.
class Room {
 public:
  explicit Room(std::string_view name) : state_(detail::room_state(name)) {}

  bool enabled(Level level) const {
    return static_cast<std::uint8_t>(level) >= state_.least.load(std::memory_order_relaxed);
  }

  /// Logs the parts as one line; they are turned into text only if the level is on.
  template <class... Parts>
  void debug(const Parts&... parts) const {
    if (enabled(Level::Debug)) detail::write(Level::Debug, state_, text(parts...));
  }
  template <class... Parts>
  void info(const Parts&... parts) const {
    if (enabled(Level::Info)) detail::write(Level::Info, state_, text(parts...));
  }
  template <class... Parts>
  void warning(const Parts&... parts) const {
    if (enabled(Level::Warning)) detail::write(Level::Warning, state_, text(parts...));
  }
  template <class... Parts>
  void error(const Parts&... parts) const {
    if (enabled(Level::Error)) detail::write(Level::Error, state_, text(parts...));
  }

 private:
  const detail::RoomState& state_;
};

/// Logs `line` under a room given by name.
void message(Level level, std::string_view room, std::string_view line);

// The same for a room given by name: `logging::info("scheduler", "dealt ", count, " packets")`.
template <class... Parts>
void log_parts(Level level, std::string_view room, const Parts&... parts) {
  if (static_cast<std::uint8_t>(level) < detail::least_of_all.load(std::memory_order_relaxed)) return;
  if (Room(room).enabled(level)) message(level, room, text(parts...));
}
template <class... Parts>
void debug(std::string_view room, const Parts&... parts) {
  log_parts(Level::Debug, room, parts...);
}
template <class... Parts>
void info(std::string_view room, const Parts&... parts) {
  log_parts(Level::Info, room, parts...);
}
template <class... Parts>
void warning(std::string_view room, const Parts&... parts) {
  log_parts(Level::Warning, room, parts...);
}
template <class... Parts>
void error(std::string_view room, const Parts&... parts) {
  log_parts(Level::Error, room, parts...);
}

/// Sets levels from "info", "scheduler=debug,executor=error" or both; rooms not named take the plain level, or warning.
/// Throws ConfigError for a level or a room that is not known, naming the nearest.
void set_levels(std::string_view levels);
/// Throws as set_levels() does, and changes nothing.
void check_levels(std::string_view levels);

/// Appends all lines to a file as well; "" stops that. Throws ConfigError if the file cannot be opened.
void set_file(const std::string& path);

/// Puts a name such as "rank 3" on every line of this process; "" for none.
void set_origin(std::string origin);

/// Lets one message through every so many seconds, and counts the others. One static object a place:
///     static logging::Every every(5);
///     if (every.due()) room.warning("disk is slow, ", every.held_back(), " like this were not shown");
/// Threading: any thread.
class Every {
 public:
  explicit Every(double seconds) : period_ns_(static_cast<std::int64_t>(seconds * 1e9)) {}

  bool due();
  /// As due(), at a time the caller gives.
  bool due_at(std::int64_t now_ns);
  /// Returns how many were held back between the last two that were let through.
  std::uint64_t held_back() const { return shown_.load(std::memory_order_relaxed); }

 private:
  const std::int64_t period_ns_;
  std::atomic<std::int64_t> next_ns_{INT64_MIN};
  std::atomic<std::uint64_t> held_{0};
  std::atomic<std::uint64_t> shown_{0};
};

struct Record {
  Level level = Level::Info;
  std::string room;
  std::string text;
};

/// Keeps what is logged, by any thread, instead of printing it, while it lives: for tests. The innermost one keeps.
/// Owns: its records.  Threading: any thread logs; records() by any thread.
class Capture {
 public:
  Capture();
  ~Capture();
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;

  std::vector<Record> records() const;

 private:
  friend void detail::write(Level, const detail::RoomState&, std::string_view);
  std::vector<Record> kept_;  // guarded by the log's mutex
  Capture* outer_;
};

}  // namespace weft::logging
