#pragma once

#include <cstdint>
#include <deque>
#include <string>

#include <weft/progress.hpp>

namespace weft {

/// Turns snapshots into the text of a display: rates, the time left as a range, sizes.
/// Owns: the snapshots' counts of the last ten seconds.  Threading: one thread.
class ProgressMeter {
 public:
  static constexpr double kWindowSeconds = 10;

  explicit ProgressMeter(double now_seconds) : begin_(now_seconds) {}

  void update(const ProgressSnapshot& snapshot, double now_seconds);

  /// Returns the tasks a second since the begin, and over the last ten seconds; 0 before there is any.
  double mean_rate() const;
  double recent_rate() const;
  /// Returns the time left by the faster and by the slower of the two rates; false while it cannot be told.
  bool time_left(double& least_seconds, double& most_seconds) const;

  /// Returns a bar with figures that is shorter than `columns`.
  std::string bar(int columns) const;
  /// Returns one plain line without a newline.
  std::string line() const;
  /// Returns the line that closes a display.
  std::string summary() const;

 private:
  struct Point {
    double seconds;
    std::uint64_t done;
  };

  std::string figures() const;

  double begin_;
  double now_ = 0;
  bool started_ = false;
  std::uint64_t first_done_ = 0;
  ProgressSnapshot latest_;
  std::deque<Point> window_;
};

/// Returns "350 ms", "12 s", "3 min 05 s", "2 h 10 min".
std::string time_text(double seconds);
/// Returns "950", "12.3k", "4.56M".
std::string count_text(double count);

}  // namespace weft
