#include "core/diagnostics/progress_meter.hpp"

#include "core/memory/bytes_text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace weft {

namespace {

// Cuts to at most `width` bytes, never inside a character of UTF-8, and drops what would move the cursor.
std::string one_row(std::string_view text, std::size_t width) {
  std::string out;
  for (const char c : text) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  if (out.size() <= width) return out;
  while (width > 0 && (static_cast<unsigned char>(out[width]) & 0xc0) == 0x80) --width;
  out.resize(width);
  return out;
}

constexpr std::size_t kNameWidth = 40;

}  // namespace

std::string time_text(double seconds) {
  if (seconds < 1) return fmt::format("{:.0f} ms", std::max(0.0, seconds) * 1e3);
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

std::string count_text(double count) {
  constexpr std::array<std::string_view, 5> kUnits = {"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (count >= 999.5 && unit + 1 < kUnits.size()) {
    count /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}", count, kUnits[unit]);
}

void ProgressMeter::update(const ProgressSnapshot& snapshot, double now_seconds) {
  if (!started_) first_done_ = snapshot.done;
  started_ = true;
  latest_ = snapshot;
  now_ = now_seconds;
  window_.push_back({now_seconds, snapshot.done});
  // Keep one point at or before the window's begin, so that the rate spans it whole.
  while (window_.size() > 2 && window_[1].seconds <= now_seconds - kWindowSeconds) window_.pop_front();
}

double ProgressMeter::mean_rate() const {
  const double seconds = now_ - begin_;
  if (!started_ || seconds <= 0 || latest_.done < first_done_) return 0;
  return static_cast<double>(latest_.done - first_done_) / seconds;
}

double ProgressMeter::recent_rate() const {
  if (window_.size() < 2) return mean_rate();
  const Point& first = window_.front();
  const double seconds = now_ - first.seconds;
  if (seconds <= 0 || latest_.done < first.done) return 0;
  return static_cast<double>(latest_.done - first.done) / seconds;
}

bool ProgressMeter::time_left(double& least_seconds, double& most_seconds) const {
  const double slow = std::min(mean_rate(), recent_rate());
  const double fast = std::max(mean_rate(), recent_rate());
  if (slow <= 0 || latest_.total < latest_.done) return false;
  const auto left = static_cast<double>(latest_.total - latest_.done);
  least_seconds = left / fast;
  most_seconds = left / slow;
  return true;
}

std::string ProgressMeter::figures() const {
  std::string out = fmt::format("{}/{}", latest_.done, latest_.total);
  if (latest_.failed > 0) out += fmt::format(", {} failed", latest_.failed);
  out += fmt::format(", {}/s", count_text(recent_rate()));
  double least = 0;
  double most = 0;
  if (latest_.done < latest_.total && time_left(least, most)) {
    const std::string from = time_text(least);
    const std::string to = time_text(most);
    out += from == to ? fmt::format(", {} left", to) : fmt::format(", {} to {} left", from, to);
  }
  if (latest_.memory_limit_bytes > 0) {
    out += fmt::format(", memory {} of {}", bytes_text(latest_.memory_bytes), bytes_text(latest_.memory_limit_bytes));
  }
  if (!latest_.slowest.empty()) {
    out += fmt::format(", slowest {} {}", one_row(latest_.slowest, kNameWidth), time_text(latest_.slowest_seconds));
  }
  return out;
}

std::string ProgressMeter::bar(int columns) const {
  const auto width = static_cast<std::size_t>(std::max(columns, 20) - 1);
  const std::string text = figures();
  const std::size_t cells = std::clamp<std::size_t>(width > text.size() + 10 ? width - text.size() - 10 : 0, 10, 40);
  const double share =
      latest_.total == 0 ? 0 : std::min(1.0, static_cast<double>(latest_.done) / static_cast<double>(latest_.total));
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string out = "[" + std::string(full, '#') + std::string(cells - full, '.') + "]";
  out += fmt::format(" {:3}% {}", static_cast<int>(share * 100), text);
  return one_row(out, width);
}

std::string ProgressMeter::line() const { return "weft: " + figures(); }

std::string ProgressMeter::summary() const {
  std::string out = fmt::format("weft: {}/{} done in {}, {}/s", latest_.done, latest_.total, time_text(now_ - begin_),
                                count_text(mean_rate()));
  if (latest_.failed > 0) out += fmt::format(", {} failed", latest_.failed);
  return out;
}

}  // namespace weft
