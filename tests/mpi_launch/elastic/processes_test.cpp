#include "mpi_launch/elastic/processes.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace weft::launch {
namespace {

class ProcessesTest : public testing::Test {
 protected:
  ~ProcessesTest() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return folder_ / name; }
  static std::string end_of(Processes& processes, const std::string& id) {
    std::string how;
    for (int i = 0; i < 10'000 && (how = processes.ended(id)).empty(); ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return how;
  }
  static std::string text_of(const std::string& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  const std::filesystem::path folder_ = [] {
    std::string name = testing::TempDir() + "/weft-processes-XXXXXX";
    return std::filesystem::path(::mkdtemp(name.data()));
  }();
};

TEST_F(ProcessesTest, TheEndIsToldWithWhatWasSaid) {
  Processes processes;
  const std::string id = processes.start({"sh", "-c", "cat; echo no such host >&2; exit 7"}, "given\n", path("log"));
  EXPECT_EQ(end_of(processes, id), "ended with exit code 7: given no such host");
}

TEST_F(ProcessesTest, WhatRunsIsStoppedWithItsChildren) {
  Processes processes;
  const std::string id =
      processes.start({"sh", "-c", "sleep 1000 & echo $! >" + path("child") + "; wait"}, "", path("log"));
  while (text_of(path("child")).find('\n') == std::string::npos) std::this_thread::yield();
  EXPECT_EQ(processes.ended(id), "");
  processes.stop(id);
  const std::string state = "/proc/" + std::to_string(std::stoi(text_of(path("child")))) + "/stat";
  for (int i = 0; i < 5'000; ++i) {
    const std::string stat = text_of(state);
    if (stat.empty() || stat.find(") Z ") != std::string::npos) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  FAIL() << "the child of a stopped process lives on";
}

TEST_F(ProcessesTest, WhatCannotBeRunIsASentence) {
  Processes processes;
  EXPECT_THROW(processes.start({"/no/such/program"}, "", path("log")), Error);
}

TEST_F(ProcessesTest, LastWordsAreOneLine) {
  std::ofstream(path("log")) << "one\n\n  two\r\n";
  EXPECT_EQ(last_words(path("log")), "one two");
  EXPECT_EQ(last_words(path("none")), "");
}

TEST_F(ProcessesTest, AKeeperRunsItsLineWhenItsMakerIsGone) {
  const pid_t child = ::fork();
  if (child == 0) {
    auto* const keeper = new Keeper;
    keeper->keep("touch " + path("first"));
    keeper->keep("touch " + path("last"));
    ::_exit(0);
  }
  for (int i = 0; i < 10'000 && !std::filesystem::exists(path("last")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(std::filesystem::exists(path("last")));
  EXPECT_FALSE(std::filesystem::exists(path("first")));
}

TEST_F(ProcessesTest, AKeeperThatIsLetGoDoesNothing) {
  {
    Keeper keeper;
    keeper.keep("touch " + path("file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path("file")));
}

}  // namespace
}  // namespace weft::launch
