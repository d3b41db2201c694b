#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace weft {

/// What a run looks like at one moment, for display.
struct ProgressSnapshot {
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< known so far; may grow while tasks submit tasks
  std::uint64_t running = 0;
  std::uint64_t failed = 0;
  std::uint64_t memory_bytes = 0;
  std::uint64_t memory_limit_bytes = 0;  ///< 0: not shown
  std::string slowest;                   ///< name of the task that has been running longest; "" if none is known
  double slowest_seconds = 0;
};

enum class ProgressMode : std::uint8_t { Auto, Bar, Lines, Off };

/// Returns the mode of the option's word: "auto", "bar", "lines" or "off"; throws ConfigError for others.
ProgressMode progress_mode(std::string_view word);

/// Shows on the standard error how far a run is: a bar that is redrawn on a terminal, else a plain line at intervals.
/// What ends before the first half second (bar) or the first interval (lines) shows nothing at all.
/// Owns: a thread, only between start() and stop().  Threading: start(), stop() and destruction from one thread; the
/// source is called from the display's thread, and never after stop() has returned.
class Progress {
 public:
  /// How to ask for the moment: a function and what to pass it.
  struct Source {
    ProgressSnapshot (*read)(void* context) = nullptr;
    void* context = nullptr;
  };

  Progress(ProgressMode mode, double interval_seconds, Source source);
  /// For a callable that returns a ProgressSnapshot; it must outlive this.
  template <class Callable>
  Progress(ProgressMode mode, double interval_seconds, Callable* callable)
      : Progress(mode, interval_seconds,
                 Source{[](void* context) { return (*static_cast<Callable*>(context))(); }, callable}) {}
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Begins to show; nothing if it does already or the mode is Off.
  void start();
  /// Shows the end, if anything was shown, and ends the thread.
  void stop();
  bool active() const;

 private:
  struct Display;
  std::unique_ptr<Display> display_;
};

}  // namespace weft
