#include <weft/progress.hpp>

#include <condition_variable>
#include <mutex>
#include <string>

#include <gtest/gtest.h>

#include <weft/error.hpp>
#include <weft/log.hpp>

#include "tests/core/diagnostics/redirected_terminal.hpp"

namespace weft {
namespace {

// A run that counts up each time it is asked, and lets a test wait until it was asked often enough.
class CountingRun {
 public:
  ProgressSnapshot operator()() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++asked_;
    changed_.notify_all();
    ProgressSnapshot snapshot;
    snapshot.done = asked_;
    snapshot.total = 1000;
    return snapshot;
  }
  void wait_until_asked(std::uint64_t times) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return asked_ >= times; });
  }
  std::uint64_t asked() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return asked_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t asked_ = 0;
};

TEST(ProgressTest, LinesComeAtIntervalsAndASummaryAtTheEnd) {
  const RedirectedTerminal screen;
  CountingRun run;
  Progress progress(ProgressMode::Lines, 0.001, &run);
  progress.start();
  EXPECT_TRUE(progress.active());
  run.wait_until_asked(4);
  progress.stop();
  EXPECT_FALSE(progress.active());
  const std::string text = screen.text();
  EXPECT_EQ(text.substr(0, 13), "weft: 2/1000,") << text;
  EXPECT_NE(text.find("\nweft: 3/1000,"), std::string::npos) << text;
  EXPECT_NE(text.find(" done in "), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos) << "a plain line moves no cursor";
}

TEST(ProgressTest, AutoOnSomethingThatIsNoTerminalIsLines) {
  const RedirectedTerminal screen;
  CountingRun run;
  Progress progress(ProgressMode::Auto, 0.001, &run);
  progress.start();
  run.wait_until_asked(3);
  progress.stop();
  EXPECT_EQ(screen.text().find('\033'), std::string::npos);
  EXPECT_EQ(screen.text().substr(0, 5), "weft:");
}

TEST(ProgressTest, ABarIsErasedAtTheEndAndNeverCutsALogLine) {
  const RedirectedTerminal screen;
  CountingRun run;
  Progress progress(ProgressMode::Bar, 0.001, &run);
  progress.start();
  run.wait_until_asked(3);
  logging::error("client", "something happened");
  run.wait_until_asked(5);
  progress.stop();
  const std::string text = screen.text();
  const std::size_t end = text.find("client: something happened\n");
  ASSERT_NE(end, std::string::npos) << text;
  const std::size_t erase = text.rfind("\r\033[K", end);
  ASSERT_NE(erase, std::string::npos);
  EXPECT_EQ(text.substr(erase, end - erase).find('['), 2u) << "the log line begins right behind the erased bar";
  EXPECT_EQ(text.substr(erase, end - erase).find('#'), std::string::npos);
  const std::size_t last = text.rfind("\r\033[K");
  EXPECT_EQ(text.substr(last + 4, 6), "weft: ") << "the summary stands where the bar was";
}

TEST(ProgressTest, WhatEndsBeforeTheFirstIntervalShowsNothing) {
  const RedirectedTerminal screen;
  CountingRun run;
  {
    Progress progress(ProgressMode::Lines, 3600, &run);
    progress.start();
    run.wait_until_asked(1);
  }
  EXPECT_EQ(screen.text(), "");
}

TEST(ProgressTest, OffAsksNothing) {
  CountingRun run;
  Progress progress(ProgressMode::Off, 0.001, &run);
  progress.start();
  EXPECT_FALSE(progress.active());
  progress.stop();
  EXPECT_EQ(run.asked(), 0u);
}

TEST(ProgressTest, NothingIsAskedAfterStopAndItCanStartAgain) {
  const RedirectedTerminal screen;
  CountingRun run;
  Progress progress(ProgressMode::Lines, 0.001, &run);
  progress.start();
  progress.start();
  run.wait_until_asked(2);
  progress.stop();
  const std::uint64_t asked = run.asked();
  progress.stop();
  EXPECT_EQ(run.asked(), asked);
  progress.start();
  run.wait_until_asked(asked + 1);
  progress.stop();
}

TEST(ProgressTest, ModesHaveWords) {
  EXPECT_EQ(progress_mode("bar"), ProgressMode::Bar);
  EXPECT_EQ(progress_mode("auto"), ProgressMode::Auto);
  EXPECT_THROW(progress_mode("bars"), ConfigError);
}

}  // namespace
}  // namespace weft
