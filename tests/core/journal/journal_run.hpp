#pragma once

#include "tests/core/journal/temporary_folder.hpp"

#include <weft/client.hpp>

#include <atomic>
#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace weft::testing {

/// How many tasks have run: each of a test counts itself.
inline std::atomic<int> journal_runs{0};

/// Takes a millisecond, so that a result is worth keeping.
inline void work() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  while (std::chrono::steady_clock::now() < end) {
  }
}

/// Runs a program several times with one journal.
class JournalRunTest : public ::testing::TestWithParam<const char*> {
 protected:
  JournalRunTest() { journal_runs = 0; }

  Options options() const {
    return {.scheduler = GetParam(),
            .threads = 2,
            .journal = folder_.path() + "/journal",
            .journal_writes = writes_,
            .progress = "off"};
  }
  /// Runs the body as a program does from its begin, but for the calls it counts: returns how many tasks ran.
  template <class Body>
  int run(const Body& body) {
    journal_runs = 0;
    const Client client(options());
    body(client);
    report_ = client.journal();
    return journal_runs;
  }

  TemporaryFolder folder_;
  std::string writes_ = "worthwhile";
  JournalReport report_;
};

}  // namespace weft::testing
