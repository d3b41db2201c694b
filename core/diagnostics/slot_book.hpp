#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <weft/ledger.hpp>
#include "core/diagnostics/histogram.hpp"
#include "core/diagnostics/ticks.hpp"

namespace weft {

/// Keeps where the time of one slot went.
/// Owns: its sums.  Threading: one writer; readers look at any time.
///
/// How a slot uses it:
///   1. `start()` once: the time before belongs to nobody.
///   2. `stamp(phase)` at each batch boundary books everything since the last stamp. A chain of stamps leaves no gap.
///   3. Around short tasks, which are not worth a stamp each:
///          book.begin_stretch();                        // books nothing; the last stamp is the stretch's begin
///          for each task: if (book.sample_due(task)) { t0 = ticks_now() .. t1 .. t2 .. t3; book.sample(t1-t0, t2-t1,
///          t3-t2); } book.end_stretch(tasks_run);                 // splits the time since the last stamp by what
///          samples showed
///      A caller that has the two stamps already uses `book_stretch(tasks, ticks)`.
///
/// Sampling: one task in about kSampleEvery while tasks are short, chosen by a hash of its number that changes with
/// each sample, so that periodic and repeated graphs do not alias; every task before the first sample, and while
/// samples show kLongTicks or more, where three stamps cost under 1%.
///
/// Invariants:
///   1. The phases grow by exactly the ticks of each stretch and each stamp: nothing is lost, nothing counted twice.
///   2. Sampled tasks are booked as measured; the others of the stretch share what remains by the decaying means of
///   short
///      samples (below kLongTicks): a caller may sample every task it expects to be long, without its weight falling on
///      the short ones between them.
///   3. What remains beyond kExcess times the expected is kernel (some unsampled task was long) and is also counted in
///      inferred_kernel(), so that a report can say how much of kernel was inferred.
class alignas(64) SlotBook {
 public:
#ifdef WEFT_WITHOUT_LEDGER
  // Only for `tools/bench ledger-cost`, which measures what the books cost.
  static constexpr bool kBooks = false;
#else
  static constexpr bool kBooks = true;
#endif
  static constexpr std::uint32_t kSampleEvery = 256;
  static constexpr Ticks kLongTicks = 10'000;  // about 4 us
  static constexpr Ticks kExcess = 2;

  SlotBook() = default;
  SlotBook(const SlotBook&) = delete;
  SlotBook& operator=(const SlotBook&) = delete;

  /// Begins the books now; nothing before belongs to a phase.
  Ticks start() noexcept { return start_at(ticks_now()); }
  Ticks start_at(Ticks now) noexcept {
    end_announcement();
    move_to(now);
    return now;
  }

  /// Books all time since the last stamp to `phase`, and returns now.
  Ticks stamp(Phase phase) noexcept { return kBooks ? stamp_at(phase, ticks_now()) : 0; }

  /// As stamp(), for a caller that has just read the counter.
  Ticks stamp_at(Phase phase, Ticks now) noexcept {
    const Ticks passed = elapsed(now);
    end_announcement();
    book(phase, passed - std::min(passed, taken_out_));
    taken_out_ = 0;
    move_to(now);
    return now;
  }

  /// Tells readers what the slot does until its next stamp, so that a report taken while it sleeps books that too.
  void announce(Phase phase) noexcept { open_.store(static_cast<std::uint8_t>(phase), std::memory_order_release); }

  Ticks last_stamp() const noexcept { return read(last_); }

  /// Books ticks measured by the caller; does not move the last stamp.
  void book(Phase phase, Ticks ticks) noexcept { add(phases_[static_cast<std::size_t>(phase)], ticks); }

  /// Takes ticks measured since the last stamp (a fetch, a decision) out of what is booked next: they are booked to
  /// `phase`, and the stretch or the stamp that follows is that much shorter.
  void book_inside(Phase phase, Ticks ticks) noexcept {
    book(phase, ticks);
    taken_out_ += ticks;
  }

  /// Returns whether to time this task with sample(). `number` is anything that differs between neighbouring tasks
  /// (their id, a count). Costs a few instructions, and writes nothing.
  bool sample_due(std::uint32_t number) const noexcept {
    if constexpr (!kBooks) return false;
    // Two rounds: with one, tasks a fixed stride apart are sampled in clumps.
    const std::uint32_t once = (number ^ salt_) * 0x9e3779b1u;
    return __builtin_expect((once ^ (once >> 15)) * 0x85ebca6bu <= threshold_, 0);
  }

  /// Returns after how many tasks, from one to be timed, the next one is: for a caller that counts down. Random, as
  /// above, so that periodic graphs do not alias.
  std::uint32_t next_interval() noexcept;

  /// As sample_due(number) for a caller without numbers at hand.
  bool sample_due() noexcept { return kBooks && sample_due(++unnumbered_); }

  /// Records one task of the stretch under way, measured by itself: one that was due, or any other.
  void sample(Ticks launch, Ticks kernel, Ticks complete) noexcept;

  /// Books the time since the last stamp as a stretch of `tasks` short tasks, and returns now.
  Ticks end_stretch(std::uint64_t tasks) noexcept {
    if constexpr (!kBooks) return 0;
    const Ticks now = ticks_now();
    const Ticks passed = elapsed(now);
    end_announcement();
    book_stretch(tasks, passed);
    move_to(now);
    return now;
  }

  /// Books a stretch of `tasks` tasks that took `ticks` between two stamps of the caller.
  void book_stretch(std::uint64_t tasks, Ticks ticks) noexcept;

  /// Forgets samples taken since the last stretch; for a stretch that is booked otherwise.
  void begin_stretch() noexcept {
    window_ = {};
    taken_out_ = 0;
  }

  // For readers, any thread.
  Ticks ticks(Phase phase) const noexcept { return read(phases_[static_cast<std::size_t>(phase)]); }
  /// Returns whether the slot announced what it is doing, and what.
  bool announced(Phase& phase) const noexcept {
    const std::uint8_t open = open_.load(std::memory_order_acquire);
    if (open < kPhaseCount) phase = static_cast<Phase>(open);
    return open < kPhaseCount;
  }
  std::uint64_t tasks() const noexcept { return read(tasks_); }
  std::uint64_t samples() const noexcept { return read(samples_); }
  Ticks inferred_kernel() const noexcept { return read(inferred_kernel_); }
  const Histogram& overhead() const noexcept { return overhead_; }
  const Histogram& kernel() const noexcept { return kernel_; }

 private:
  using Sum = std::atomic<std::uint64_t>;
  static constexpr std::uint8_t kNothingAnnounced = 0xff;
  static constexpr std::uint32_t kAll = 0xffffffffu;
  struct Parts {
    Ticks launch = 0, kernel = 0, complete = 0;
    std::uint64_t tasks = 0;
    Ticks total() const noexcept { return launch + kernel + complete; }
  };

  // One writer: a plain addition, stored so that readers see whole words. No locked instruction, no fence on x86.
  // Order of a stamp's stores, each a release: (1) the announcement ends, (2) the phase grows, (3) the stamp moves. A
  // reader loads the stamp, the phases, the announcement and the stamp again, each an acquire: if it saw (2) it sees
  // (1) or a later announcement, and with that (3); so it never adds open time to a phase that holds it already.
  static void add(Sum& sum, std::uint64_t value) noexcept {
    sum.store(sum.load(std::memory_order_relaxed) + value, std::memory_order_release);
  }
  static std::uint64_t read(const Sum& sum) noexcept { return sum.load(std::memory_order_acquire); }
  // Counters of two cores may differ by some ticks; a slot that moved must not book 2^64.
  Ticks elapsed(Ticks now) const noexcept {
    const Ticks last = last_.load(std::memory_order_relaxed);
    return now > last ? now - last : 0;
  }
  void end_announcement() noexcept { open_.store(kNothingAnnounced, std::memory_order_release); }
  void move_to(Ticks now) noexcept { last_.store(now, std::memory_order_release); }

  // Written by the slot at each stamp.
  Sum last_{0};
  std::atomic<std::uint8_t> open_{kNothingAnnounced};
  Ticks taken_out_ = 0;
  std::uint32_t threshold_ = kAll;  // the first task is always a sample, so that no stretch is split blindly
  std::uint32_t salt_ = 0x85ebca77u;
  std::uint32_t unnumbered_ = 0;
  Parts window_;    // samples of the stretch under way, as measured
  Parts mean_;      // decaying means of short samples, in 1/16 ticks; tasks counts the samples in them, up to 16
  Ticks pace_ = 0;  // decaying mean of all samples' totals, in 1/16 ticks: whether each task is worth its stamps
  std::uint64_t paced_ = 0;
  // Sums, read by others.
  Sum phases_[kPhaseCount] = {};
  Sum tasks_{0};
  Sum samples_{0};
  Sum inferred_kernel_{0};
  Histogram overhead_;
  Histogram kernel_;
};

/// Books calls that are too short to stamp (adding one task: 10 ns) by timing one in about SlotBook::kSampleEvery.
/// Owns: a countdown and a mean.  Threading: one thread at a time, the writer of the book it books to.
///
///     if (sampler.due()) { t0 = ticks_now(); add(); sampler.sample(book, ticks_now() - t0); } else add();
class CallSampler {
 public:
  explicit CallSampler(Phase phase) noexcept : phase_(phase) {}

  bool due() noexcept { return __builtin_expect(--until_sample_ == 0, 0); }
  /// Books the sampled call as measured and the calls since the last sample by the mean.
  void sample(SlotBook& book, Ticks ticks) noexcept;
  /// Books the calls since the last sample by the mean; before a report.
  void flush(SlotBook& book) noexcept;

 private:
  Phase phase_;
  std::uint32_t until_sample_ = 1;
  std::uint32_t interval_ = 1;
  std::uint32_t random_ = 0x85ebca6bu;
  Ticks mean16_ = 0;  // in 1/16 ticks; 0 before the first sample
};

}  // namespace weft
