#include "core/diagnostics/terminal.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <sys/ioctl.h>
#include <unistd.h>

namespace weft::terminal {

namespace {

struct State {
  std::mutex mutex;
  std::string status;  // what stands on the last row now; guarded by mutex
  int descriptor = STDERR_FILENO;
};

// Never destroyed: threads may log while the process ends.
State& state() {
  static State* const one = new State;
  return *one;
}

constexpr std::string_view kErase = "\r\033[K";

// A log that cannot be written is lost: there is nowhere to say so.
void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_lines(std::string_view lines) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  if (s.status.empty()) {
    write_all(s.descriptor, lines);
    return;
  }
  std::string all(kErase);
  all += lines;
  all += s.status;
  write_all(s.descriptor, all);
}

void show_status(const std::string& line) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.status = line;
  std::string all(kErase);
  all += line;
  write_all(s.descriptor, all);
}

void clear_status() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  if (s.status.empty()) return;
  s.status.clear();
  write_all(s.descriptor, kErase);
}

void redirect(int descriptor) {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  s.status.clear();
  s.descriptor = descriptor < 0 ? STDERR_FILENO : descriptor;
}

bool can_redraw() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  const char* const kind = std::getenv("TERM");
  return ::isatty(s.descriptor) == 1 && (kind == nullptr || std::strcmp(kind, "dumb") != 0);
}

int columns() {
  State& s = state();
  const std::lock_guard<std::mutex> lock(s.mutex);
  winsize size{};
  if (::ioctl(s.descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace weft::terminal
