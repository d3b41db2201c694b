#include <weft/progress.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <weft/error.hpp>
#include "core/diagnostics/progress_meter.hpp"
#include "core/diagnostics/terminal.hpp"

namespace weft {

namespace {

constexpr double kFirstBarSeconds = 0.5;
constexpr double kBarSeconds = 0.1;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

/// The display's thread and what it shares with the caller.
/// Owns: the thread.  Threading: run() is the thread's; stopping is guarded by mutex.
struct Progress::Display {
  const ProgressMode mode;
  const double interval_seconds;
  const Source source;

  std::thread thread;
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;  // guarded by mutex

  // Waits for the next moment to draw; false when it is over.
  bool wait(double seconds) {
    std::unique_lock<std::mutex> lock(mutex);
    return !wake.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return stopping; });
  }

  void run() {
    const bool as_bar = mode == ProgressMode::Bar || (mode == ProgressMode::Auto && terminal::can_redraw());
    const double first = as_bar ? std::min(kFirstBarSeconds, interval_seconds) : interval_seconds;
    const double next = as_bar ? std::min(kBarSeconds, interval_seconds) : interval_seconds;
    ProgressMeter meter(seconds_now());
    meter.update(source.read(source.context), seconds_now());
    bool shown = false;
    const auto update = [&] {
      const ProgressSnapshot now = source.read(source.context);
      if (now.total != 0) meter.update(now, seconds_now());
      return now.total != 0;
    };
    while (wait(shown ? next : first)) {
      if (!update()) {  // there is nothing to show at this moment
        if (as_bar) terminal::clear_status();
        continue;
      }
      if (as_bar)
        terminal::show_status(meter.bar(terminal::columns()));
      else
        terminal::write_lines(meter.line() + "\n");
      shown = true;
    }
    if (!shown) return;
    if (as_bar) terminal::clear_status();
    if (update()) terminal::write_lines(meter.summary() + "\n");
  }
};

ProgressMode progress_mode(std::string_view word) {
  if (word == "auto") return ProgressMode::Auto;
  if (word == "bar") return ProgressMode::Bar;
  if (word == "lines") return ProgressMode::Lines;
  if (word == "off") return ProgressMode::Off;
  throw ConfigError("'" + std::string(word) + "' is no way to show progress; use auto, bar, lines or off");
}

Progress::Progress(ProgressMode mode, double interval_seconds, Source source)
    : display_(new Display{mode, interval_seconds, source, {}, {}, {}, false}) {}

Progress::~Progress() { stop(); }

void Progress::start() {
  if (display_->mode == ProgressMode::Off || display_->thread.joinable()) return;
  display_->stopping = false;
  display_->thread = std::thread([display = display_.get()] { display->run(); });
}

void Progress::stop() {
  if (!display_->thread.joinable()) return;
  {
    const std::lock_guard<std::mutex> lock(display_->mutex);
    display_->stopping = true;
  }
  display_->wake.notify_all();
  display_->thread.join();
}

bool Progress::active() const { return display_->thread.joinable(); }

}  // namespace weft
