#pragma once

#include "mpi_launch/control/messages.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string_view>

namespace weft::launch {

enum class WorkerState : std::uint32_t { Starting, Ready, Ended, CannotStart, Restarts };

/// A page of memory that a worker writes and its supervisor reads, also when the worker has been killed.
///
/// For: knowing what a worker did last. Owns: nothing; lives in a nameless shared file (memfd).
/// Threading: in the worker one thread (the pulse) writes all but `state` and `last_words`; the supervisor reads the
/// texts only once the worker is dead, or as a hint.
struct StatusPage {
  static constexpr unsigned kSlots = 64;
  static constexpr unsigned kSamples = 64;

  struct Sample {
    std::atomic<std::uint64_t> at_ns;
    std::atomic<std::uint64_t> resident_bytes;
  };
  struct Slot {
    /// When the task was first seen, or 0 where none runs.
    std::atomic<std::uint64_t> since_ns;
    std::array<char, 184> text;
  };

  /// When the pulse last beat, on the clock that all processes of a machine share.
  std::atomic<std::uint64_t> beat_ns;
  std::atomic<WorkerState> state;
  /// Samples written so far; the newest is at (samples - 1) % kSamples.
  std::atomic<std::uint32_t> samples;
  std::array<Sample, kSamples> memory;
  std::array<Slot, kSlots> tasks;
  std::atomic<bool> has_last_words;
  std::array<char, 1024> last_words;

  void say_last_words(std::string_view text) noexcept;
};

/// Owns a mapping of a status page. Threading: as the page.
class StatusMapping {
 public:
  /// Makes a fresh page in a nameless file; throws Error where that fails.
  StatusMapping();
  /// Maps the page that the supervisor passed.
  explicit StatusMapping(int descriptor);
  ~StatusMapping();
  StatusMapping(const StatusMapping&) = delete;
  StatusMapping& operator=(const StatusMapping&) = delete;

  StatusPage& page() { return *page_; }
  int descriptor() const { return descriptor_; }

 private:
  StatusPage* page_ = nullptr;
  int descriptor_ = -1;
};

/// Returns the nanoseconds of the clock that all processes of a machine share.
std::uint64_t machine_now_ns() noexcept;

/// Fills in what the page says of the end: tasks, memory, last words.
void read_page(StatusPage& page, Death& death);

}  // namespace weft::launch
