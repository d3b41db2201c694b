#include "mpi_launch/control/messages.hpp"

#include "core/cluster/cluster.hpp"
#include "core/memory/bytes_text.hpp"

#include <fmt/format.h>

#include <cstring>

namespace weft::launch {

namespace {

std::string begin_of(const Death& death) {
  if (death.cannot_start) return "cannot start";
  if (!death.killed_because.empty()) return "was killed by its supervisor because " + death.killed_because;
  if (death.exit_code == 118 && death.signal == 0) return "ended";  // its last words say why
  if (death.exit_code == 117 && death.signal == 0) return "ran out of memory";
  if (death.signal != 0 && death.out_of_memory) {
    return fmt::format("was killed by the system because memory ran out (signal {}; {})", death.signal, death.counter);
  }
  if (death.signal != 0) {
    const char* const name = ::strsignal(death.signal);
    return fmt::format("was killed by signal {} ({})", death.signal, name != nullptr ? name : "unknown");
  }
  return fmt::format("ended by itself with exit code {}: a task, or what it calls, called exit", death.exit_code);
}

std::string tasks_of(const Death& death) {
  std::string text;
  for (const SeenTask& task : death.tasks) {
    if (text.size() > 400) {
      text += ", ...";
      break;
    }
    text += text.empty() ? " while it ran " : ", ";
    text += task.text;
    if (task.seconds >= 1) text += fmt::format(" (for {:.0f} s)", task.seconds);
  }
  return text;
}

/// Returns a few points of the history: the first, the highest, the last.
std::string memory_of(const Death& death) {
  if (death.memory.empty()) return "";
  const SeenMemory* highest = &death.memory.front();
  for (const SeenMemory& seen : death.memory) {
    if (seen.bytes > highest->bytes) highest = &seen;
  }
  const SeenMemory& first = death.memory.front();
  const SeenMemory& last = death.memory.back();
  if (highest->bytes < first.bytes + first.bytes / 4) return fmt::format("; it held {}", bytes_text(last.bytes));
  return fmt::format("; its memory: {} {:.1f} s before the end, at most {}, {} at last", bytes_text(first.bytes),
                     first.seconds_before, bytes_text(highest->bytes), bytes_text(last.bytes));
}

}  // namespace

bool was_restarted(const Death& death) {
  return death.to_restart && death.signal == 0 && death.exit_code == kRestartStatus;
}

std::string death_sentence(const Death& death) {
  if (death.expected) return "ended with the client";
  if (was_restarted(death)) return "ended, because the client asked for a new one";
  std::string text = begin_of(death);
  if (!death.cannot_start) text += tasks_of(death) + memory_of(death);
  if (!death.last_words.empty()) text += (death.cannot_start ? ": " : "; ") + death.last_words;
  if (death.cannot_start && death.last_words.empty() && !death.error_tail.empty()) text += ": " + death.error_tail;
  return text;
}

}  // namespace weft::launch
