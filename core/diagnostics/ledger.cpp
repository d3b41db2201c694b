#include "core/diagnostics/ledger.hpp"

#include "core/diagnostics/device_books.hpp"

#include <utility>

namespace weft {

Ledger::Ledger(std::size_t slots)
    : slots_(slots), overhead_before_(std::make_unique<Histogram>()), kernel_before_(std::make_unique<Histogram>()) {
  start_tick_calibration();
  devices_before_ = device_rows();
  const Ticks now = ticks_now();
  books_.reserve(slots + 1);
  for (std::size_t i = 0; i < slots; ++i) {
    auto entry = std::make_unique<Entry>();
    entry->name = "slot " + std::to_string(i);
    entry->before.at = now;
    entry->book.start_at(now);
    books_.push_back(std::move(entry));
  }
}

Ledger::~Ledger() = default;

SlotBook& Ledger::open_book(std::string name) {
  auto entry = std::make_unique<Entry>();
  entry->name = std::move(name);
  entry->slot = false;
  entry->before.at = entry->book.start();
  books_.push_back(std::move(entry));
  return books_.back()->book;
}

// The writer stamps while we read. A stamp between our reads of last_stamp() and of the phases would count the open
// time twice, so read again until no stamp fell in between; of a slot that stamps without pause the open time is left
// out.
Ledger::Totals Ledger::read(const SlotBook& book) {
  constexpr int kTries = 8;
  Totals totals;
  for (int tries = 0; tries < kTries; ++tries) {
    const Ticks last = book.last_stamp();
    for (std::size_t p = 0; p < kPhaseCount; ++p) totals.phases[p] = book.ticks(static_cast<Phase>(p));
    Phase open{};
    const bool announced = book.announced(open);
    totals.at = ticks_now();
    if (book.last_stamp() != last) continue;
    if (announced && totals.at > last) totals.phases[static_cast<std::size_t>(open)] += totals.at - last;
    break;
  }
  totals.tasks = book.tasks();
  totals.samples = book.samples();
  totals.inferred_kernel = book.inferred_kernel();
  return totals;
}

void Ledger::restart() {
  auto overhead = std::make_unique<Histogram>();
  auto kernel = std::make_unique<Histogram>();
  for (auto& entry : books_) {
    entry->before = read(entry->book);
    overhead->merge(entry->book.overhead());
    kernel->merge(entry->book.kernel());
  }
  overhead_before_ = std::move(overhead);
  kernel_before_ = std::move(kernel);
  devices_before_ = device_rows();
}

LedgerReport Ledger::report() const {
  const double seconds_per_tick = 1.0 / ticks_per_second();
  LedgerReport report;
  report.slots = slots_;
  double slot_seconds = 0;
  auto overhead = std::make_unique<Histogram>();
  auto kernel = std::make_unique<Histogram>();
  for (const auto& entry : books_) {
    const Totals totals = read(entry->book);
    SlotRow row;
    row.name = entry->name;
    row.slot = entry->slot;
    row.tasks = totals.tasks - entry->before.tasks;
    for (std::size_t p = 0; p < kPhaseCount; ++p) {
      const Ticks before = entry->before.phases[p];
      row.seconds[p] =
          totals.phases[p] > before ? static_cast<double>(totals.phases[p] - before) * seconds_per_tick : 0;
      report.seconds[p] += row.seconds[p];
    }
    if (row.slot) slot_seconds += static_cast<double>(totals.at - entry->before.at) * seconds_per_tick;
    report.tasks += row.tasks;
    report.samples += totals.samples - entry->before.samples;
    report.inferred_kernel_seconds +=
        static_cast<double>(totals.inferred_kernel - entry->before.inferred_kernel) * seconds_per_tick;
    report.rows.push_back(std::move(row));
    overhead->merge(entry->book.overhead());
    kernel->merge(entry->book.kernel());
  }
  if (slots_ > 0) report.wall_seconds = slot_seconds / static_cast<double>(slots_);
  report.devices = since(device_rows(), devices_before_);
  overhead->subtract(*overhead_before_);
  kernel->subtract(*kernel_before_);
  const double us_per_tick = seconds_per_tick * 1e6;
  report.sampled_p50_us = overhead->quantile(0.50) * us_per_tick;
  report.sampled_p99_us = overhead->quantile(0.99) * us_per_tick;
  report.kernel_p50_us = kernel->quantile(0.50) * us_per_tick;
  report.kernel_p99_us = kernel->quantile(0.99) * us_per_tick;
  return report;
}

}  // namespace weft
