#include "core/diagnostics/wait_display.hpp"

#include <atomic>
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "tests/core/diagnostics/redirected_terminal.hpp"

namespace weft {
namespace {

struct FakeRun {
  std::atomic<std::uint64_t> done{0};
  static ProgressSnapshot read(void* self) {
    ProgressSnapshot now;
    now.done = static_cast<FakeRun*>(self)->done.load();
    now.total = 10;
    return now;
  }
  Progress::Source source() { return {&FakeRun::read, this}; }
};

void pass_time(WaitDisplay::Wait& wait, double seconds) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  while (std::chrono::steady_clock::now() < until) {
    wait.look();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

TEST(WaitDisplayTest, ManyShortWaitsShowAsALongOneDoes) {
  const RedirectedTerminal screen;
  FakeRun run;
  WaitDisplay display(ProgressMode::Lines, 0.01, run.source());
  for (run.done = 0; run.done < 10; ++run.done) {
    WaitDisplay::Wait wait(display);
    pass_time(wait, 0.1);
  }
  { const WaitDisplay::Wait last(display); }
  const std::string text = screen.text();
  EXPECT_NE(text.find("/10,"), std::string::npos) << text;
  EXPECT_NE(text.find(" done in "), std::string::npos) << "all is done: " << text;
}

TEST(WaitDisplayTest, NothingIsShownOfShortWaitsAndWhileNobodyWaits) {
  const RedirectedTerminal screen;
  FakeRun run;
  WaitDisplay display(ProgressMode::Lines, 0.01, run.source());
  {
    WaitDisplay::Wait wait(display);
    pass_time(wait, 0.1);
  }
  EXPECT_EQ(screen.text(), "");
  {
    WaitDisplay::Wait wait(display);
    pass_time(wait, 0.8);
  }
  EXPECT_NE(screen.text(), "");
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  const std::string before = screen.text();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_EQ(screen.text(), before) << "the caller has other things to do";
  display.stop();
}

}  // namespace
}  // namespace weft
