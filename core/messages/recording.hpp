#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "core/messages/encoding.hpp"
#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

// A recording is a file of frames: length, checksum, bytes. The first frame has the magic word and the version; then
// each machine's options, and every event with the checksum of the actions it led to. recording.cpp has the details.

namespace weft {

/// Writes down what the machines of a process are told and a checksum of what they want done.
/// Owns: the file.  Threading: none; the caller lets one thread at a time in, as to the machines.
class Recorder {
 public:
  /// Throws ConfigError if the file can not be made.
  explicit Recorder(const std::string& path);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// Once for each machine, before its first event.
  void begin(const SchedulerOptions& options);
  void begin(const WorkerOptions& options);

  /// After handle(): `first_action` is the size that actions.list had before it.
  void record(const SchedulerEvent& event, const SchedulerActions& actions, std::size_t first_action);
  void record(WorkerId worker, const WorkerEvent& event, const WorkerActions& actions, std::size_t first_action);

  /// Hands what is buffered to the system. A crash loses at most the events since, and replay() copes with a torn end.
  void flush();

 private:
  struct CloseFile {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  void write_frame();

  std::unique_ptr<std::FILE, CloseFile> file_;
  const std::string path_;
  Bytes frame_;
  Bytes actions_;
};

/// What replay() found.
struct ReplayReport {
  std::uint64_t events = 0;
  std::uint64_t actions = 0;
  std::uint32_t workers = 0;
  bool has_scheduler = false;
  /// Bytes at the end that are no whole frame: the program stopped while it wrote.
  std::uint64_t torn_bytes = 0;
  /// Empty if every event led to the recorded actions; else the first that did not.
  std::string difference;

  [[nodiscard]] bool same() const { return difference.empty(); }
};

/// Feeds the recorded events to fresh machines and compares their actions.
/// Throws ConfigError if the file can not be read, is no recording, or is of another version.
[[nodiscard]] ReplayReport replay(const std::string& path);

}  // namespace weft
