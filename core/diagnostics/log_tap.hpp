#pragma once

#include <weft/log.hpp>

#include <functional>
#include <memory>
#include <string>

namespace weft::logging {

/// Gets what this process logs from a level on, also what the log itself leaves out at its own levels.
struct Tap {
  Level least = Level::Info;
  /// Of one room; "" for all.
  std::string room;
  /// Called under the log's mutex: it must neither log nor wait. Without it the log itself shows such lines.
  std::function<void(Record)> take;

  bool wants(std::string_view name) const { return room.empty() || room == name; }
};

void add_tap(std::shared_ptr<Tap> tap);
/// When it returns, the tap is not called any more.
void remove_tap(const Tap* tap) noexcept;

/// Logs what came from another process: whatever its level, and past all taps.
void log_forwarded(const Record& record);

/// What a worker's process is called by the client, for lines that go to other processes.
void set_process_name(std::string name);
std::string process_name();

/// Throws ConfigError for a room that does not log, naming the nearest.
void check_room(std::string_view room);

}  // namespace weft::logging
