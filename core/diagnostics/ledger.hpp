#pragma once

#include <memory>
#include <string>
#include <vector>

#include <weft/ledger.hpp>
#include "core/diagnostics/slot_book.hpp"

namespace weft {

/// Holds the books of all slots of a process and turns them into reports.
/// Owns: one SlotBook a slot, and one for each other thread that asked.  Threading: slot(i) is written by slot i only;
/// open_book(), report() and restart() by one thread at a time, while slots go on booking.
class Ledger {
 public:
  explicit Ledger(std::size_t slots);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  std::size_t slots() const { return slots_; }
  SlotBook& slot(std::size_t index) { return books_[index]->book; }

  /// Adds a book for a thread that is not a slot (the client's, an I/O thread): its phases count, its wall time does
  /// not.
  SlotBook& open_book(std::string name);

  /// Begins a new accounting period now: reports cover what was booked since.
  void restart();

  /// Returns the books since the last restart. A slot that announced what it does is booked up to now; the others up to
  /// their last stamp, so the wall time of a slot that is in the middle of a batch shows as unbooked.
  LedgerReport report() const;

 private:
  struct Totals {
    Ticks at = 0;  // when they were read; each book has its own moment, so that a reader set aside skews nothing
    Ticks phases[kPhaseCount] = {};
    std::uint64_t tasks = 0;
    std::uint64_t samples = 0;
    Ticks inferred_kernel = 0;
  };
  struct Entry {
    std::string name;
    bool slot = true;
    Totals before;  // what was booked when the period began
    SlotBook book;
  };

  static Totals read(const SlotBook& book);

  const std::size_t slots_;
  std::vector<std::unique_ptr<Entry>> books_;  // slots first; entries never move, writers hold references
  std::vector<DeviceRow> devices_before_;
  std::unique_ptr<Histogram> overhead_before_;
  std::unique_ptr<Histogram> kernel_before_;
};

}  // namespace weft
