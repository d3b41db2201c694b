#include <weft/log.hpp>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <weft/error.hpp>

#include "tests/core/diagnostics/redirected_terminal.hpp"

namespace weft {
namespace {

class LogTest : public testing::Test {
 protected:
  void TearDown() override {
    logging::set_levels("");
    logging::set_file("");
    logging::set_origin("");
  }
};

TEST_F(LogTest, WarningsShowAndInformationDoesNotByDefault) {
  const logging::Capture capture;
  logging::info("scheduler", "quiet");
  logging::warning("scheduler", "loud");
  const auto records = capture.records();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].level, logging::Level::Warning);
  EXPECT_EQ(records[0].room, "scheduler");
  EXPECT_EQ(records[0].text, "loud");
}

TEST_F(LogTest, LevelsCountByRoom) {
  logging::set_levels("error,scheduler=debug,executor=info");
  const logging::Room scheduler("scheduler");
  const logging::Room executor("executor");
  const logging::Room memory("memory");
  EXPECT_TRUE(scheduler.enabled(logging::Level::Debug));
  EXPECT_FALSE(executor.enabled(logging::Level::Debug));
  EXPECT_TRUE(executor.enabled(logging::Level::Info));
  EXPECT_FALSE(memory.enabled(logging::Level::Warning));
  EXPECT_TRUE(memory.enabled(logging::Level::Error));
  const logging::Capture capture;
  logging::debug("scheduler", "shown");
  logging::debug("executor", "not shown");
  logging::warning("memory", "not shown");
  EXPECT_EQ(capture.records().size(), 1u);
}

TEST_F(LogTest, OffSilencesErrorsToo) {
  logging::set_levels("off");
  const logging::Capture capture;
  logging::error("client", "nothing");
  EXPECT_TRUE(capture.records().empty());
}

TEST_F(LogTest, ARoomMadeLaterTakesThePlainLevel) {
  logging::set_levels("debug,scheduler=error");
  const logging::Room late("log-test-late-room");
  EXPECT_TRUE(late.enabled(logging::Level::Debug));
}

TEST_F(LogTest, WrongLevelsChangeNothing) {
  logging::set_levels("error");
  EXPECT_THROW(logging::set_levels("debug,sheduler=info"), ConfigError);
  EXPECT_THROW(logging::set_levels("lots"), ConfigError);
  EXPECT_THROW(logging::set_levels("scheduler="), ConfigError);
  EXPECT_FALSE(logging::Room("client").enabled(logging::Level::Warning));
}

enum class Colour { Red = 4 };

TEST_F(LogTest, TextJoinsPartsOfAllKinds) {
  const std::string name = "x";
  EXPECT_EQ(logging::text("a ", 1, ' ', -2L, " ", 18446744073709551615ull, " ", 0.5, " ", true, " ", name, " ",
                          std::string_view("v"), " ", Colour::Red, " ", std::uint8_t{7}),
            "a 1 -2 18446744073709551615 0.5 true x v 4 7");
  EXPECT_EQ(logging::text(), "");
  EXPECT_EQ(logging::text(static_cast<const int*>(nullptr)).substr(0, 1), "(") << "(nil)";
}

TEST_F(LogTest, LinesHaveTimeLevelOriginAndRoom) {
  const RedirectedTerminal screen;
  logging::set_origin("rank 3");
  logging::warning("memory", "spill is slow");
  EXPECT_TRUE(std::regex_match(
      screen.text(),
      std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z warning \[rank 3\] memory: spill is slow\n)")))
      << screen.text();
}

TEST_F(LogTest, AFileGetsTheSameLines) {
  const std::string path = testing::TempDir() + "weft-log-test.log";
  std::filesystem::remove(path);
  const RedirectedTerminal screen;
  logging::set_file(path);
  logging::error("client", "one");
  logging::set_file("");
  logging::error("client", "two");
  std::ifstream file(path);
  const std::string kept{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  EXPECT_EQ(screen.text().substr(0, kept.size()), kept);
  EXPECT_NE(kept.find("client: one\n"), std::string::npos);
  EXPECT_EQ(kept.find("two"), std::string::npos);
  std::filesystem::remove(path);
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsAnError) {
  try {
    logging::set_file("/no/such/folder/x.log");
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("'/no/such/folder/x.log'"), std::string::npos) << error.what();
  }
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  const RedirectedTerminal screen;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 200; ++i) logging::warning("executor", "thread ", t, " line ", i, " ", std::string(50, 'x'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::regex whole(R"(\S+ warning executor: thread \d line \d+ x{50})");
  std::istringstream lines(screen.text());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) ASSERT_TRUE(std::regex_match(line, whole)) << line;
  EXPECT_EQ(count, 800);
}

TEST_F(LogTest, TheInnermostCaptureKeeps) {
  const logging::Capture outer;
  {
    const logging::Capture inner;
    logging::error("client", "inside");
    EXPECT_EQ(inner.records().size(), 1u);
  }
  logging::error("client", "outside");
  ASSERT_EQ(outer.records().size(), 1u);
  EXPECT_EQ(outer.records()[0].text, "outside");
}

TEST_F(LogTest, EveryLetsOneThroughAPeriodAndCountsTheRest) {
  logging::Every every(2);
  const std::int64_t second = 1'000'000'000;
  EXPECT_TRUE(every.due_at(0));
  EXPECT_EQ(every.held_back(), 0u);
  EXPECT_FALSE(every.due_at(second));
  EXPECT_FALSE(every.due_at(2 * second - 1));
  EXPECT_TRUE(every.due_at(2 * second));
  EXPECT_EQ(every.held_back(), 2u);
  EXPECT_TRUE(every.due_at(4 * second));
  EXPECT_EQ(every.held_back(), 0u);
}

}  // namespace
}  // namespace weft
