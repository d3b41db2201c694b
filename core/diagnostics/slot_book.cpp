#include "core/diagnostics/slot_book.hpp"

namespace weft {

namespace {

constexpr unsigned kMeanShift = 4;  // means are kept in 1/16 ticks and forget at 1/16 a sample
constexpr Ticks kClampTicks = 64;   // a sample counts at most 8 x (mean + 64) toward the mean, so that one
constexpr Ticks kClampFactor = 8;   // preempted sample does not set the shares of the thousands after it

std::uint32_t next_random(std::uint32_t& state) noexcept {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

// Drawn between half and three halves of the mean interval: a fixed stride would alias with periodic graphs.
std::uint32_t random_interval(std::uint32_t& state) noexcept {
  return SlotBook::kSampleEvery / 2 + next_random(state) % SlotBook::kSampleEvery;
}

// `mean16` in 1/16 ticks over `held` samples; the first sixteen samples weigh equally.
void take_into_mean(Ticks& mean16, std::uint64_t held, Ticks sample) noexcept {
  if (held == 0) {
    mean16 = sample << kMeanShift;
    return;
  }
  const Ticks mean = mean16 >> kMeanShift;
  const Ticks value = std::min(sample, kClampFactor * (mean + kClampTicks)) << kMeanShift;
  const auto weight = static_cast<std::int64_t>(std::min<std::uint64_t>(held + 1, 1u << kMeanShift));
  mean16 = static_cast<Ticks>(static_cast<std::int64_t>(mean16) +
                              (static_cast<std::int64_t>(value) - static_cast<std::int64_t>(mean16)) / weight);
}

}  // namespace

std::uint32_t SlotBook::next_interval() noexcept { return threshold_ == kAll ? 1 : random_interval(salt_); }

void SlotBook::sample(Ticks launch, Ticks kernel, Ticks complete) noexcept {
  if constexpr (!kBooks) return;
  window_.launch += launch;
  window_.kernel += kernel;
  window_.complete += complete;
  ++window_.tasks;
  const Ticks total = launch + kernel + complete;
  if (total < kLongTicks) {
    take_into_mean(mean_.launch, mean_.tasks, launch);
    take_into_mean(mean_.kernel, mean_.tasks, kernel);
    take_into_mean(mean_.complete, mean_.tasks, complete);
    mean_.tasks = std::min<std::uint64_t>(mean_.tasks + 1, 1u << kMeanShift);
  }
  take_into_mean(pace_, paced_, total);
  paced_ = std::min<std::uint64_t>(paced_ + 1, 1u << kMeanShift);
  threshold_ = (pace_ >> kMeanShift) >= kLongTicks ? kAll : kAll / kSampleEvery;
  next_random(salt_);
  add(samples_, 1);
  overhead_.add(launch + complete);
  kernel_.add(kernel);
}

void SlotBook::book_stretch(std::uint64_t tasks, Ticks ticks) noexcept {
  add(tasks_, tasks);
  ticks -= std::min(ticks, taken_out_);
  Parts share = window_;
  const std::uint64_t rest_tasks = tasks - std::min(tasks, window_.tasks);
  begin_stretch();

  // What the samples measured can exceed the stretch only by a counter that moved back; then trust the stretch.
  if (share.total() > ticks) {
    share.launch = std::min(share.launch, ticks);
    share.complete = std::min(share.complete, ticks - share.launch);
    share.kernel = ticks - share.launch - share.complete;
  }
  Ticks rest = ticks - share.total();
  Ticks excess = 0;
  const Ticks mean16 = mean_.total();
  if (rest_tasks == 0 || mean16 == 0) {
    // What lies between the stamps of sampled tasks is the loop around them, which finds the next task.
    share.launch += rest;
  } else {
    const double expected = static_cast<double>(mean16) / (1u << kMeanShift) * static_cast<double>(rest_tasks);
    if (static_cast<double>(rest) > kExcess * expected) {
      excess = rest - static_cast<Ticks>(expected);
      rest -= excess;
    }
    const double scale = static_cast<double>(rest) / static_cast<double>(mean16);
    const Ticks launch = std::min(rest, static_cast<Ticks>(scale * static_cast<double>(mean_.launch)));
    const Ticks complete = std::min(rest - launch, static_cast<Ticks>(scale * static_cast<double>(mean_.complete)));
    share.launch += launch;
    share.complete += complete;
    share.kernel += rest - launch - complete + excess;
  }
  book(Phase::Launch, share.launch);
  book(Phase::Kernel, share.kernel);
  book(Phase::Complete, share.complete);
  if (excess != 0) add(inferred_kernel_, excess);
}

void CallSampler::sample(SlotBook& book, Ticks ticks) noexcept {
  take_into_mean(mean16_, mean16_ == 0 ? 0 : 15, ticks);
  const std::uint64_t others = interval_ - 1;
  book.book(phase_, ticks + ((mean16_ * others) >> kMeanShift));
  interval_ = ticks >= SlotBook::kLongTicks ? 1 : random_interval(random_);
  until_sample_ = interval_;
}

void CallSampler::flush(SlotBook& book) noexcept {
  const std::uint64_t calls = interval_ - until_sample_;
  book.book(phase_, (mean16_ * calls) >> kMeanShift);
  interval_ = until_sample_;
}

}  // namespace weft
