#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <weft/config.hpp>
#include <weft/error.hpp>

extern char** environ;

namespace weft {
namespace {

// Runs each test in an empty folder, with an empty home and without WEFT_ variables, and puts all back.
class ResolveTest : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::string> names;
    for (char** entry = environ; *entry != nullptr; ++entry) {
      const std::string pair = *entry;
      if (pair.rfind("WEFT_", 0) == 0) names.push_back(pair.substr(0, pair.find('=')));
    }
    for (const std::string& name : names) unset(name);
    unset("XDG_CONFIG_HOME");
    before_ = std::filesystem::current_path();
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-resolve-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    std::filesystem::create_directories(folder_ / "home" / ".config" / "weft");
    std::filesystem::current_path(folder_);
    set("HOME", (folder_ / "home").string());
  }

  void TearDown() override {
    std::filesystem::current_path(before_);
    std::filesystem::remove_all(folder_);
    for (const auto& [name, value] : saved_) {
      if (value.first)
        ::setenv(name.c_str(), value.second.c_str(), 1);
      else
        ::unsetenv(name.c_str());
    }
  }

  void save(const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    saved_.emplace(name, std::make_pair(value != nullptr, std::string(value != nullptr ? value : "")));
  }
  void set(const std::string& name, const std::string& value) {
    save(name);
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  void unset(const std::string& name) {
    save(name);
    ::unsetenv(name.c_str());
  }

  static void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

  Settings with(std::vector<std::string> words, const Options& options = {}) {
    words.insert(words.begin(), "program");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    int argc = static_cast<int>(words.size());
    Settings settings = resolve(argc, argv.data(), options);
    EXPECT_EQ(argv[static_cast<std::size_t>(argc)], nullptr);
    left_.assign(argv.begin(), argv.begin() + argc);
    return settings;
  }

  std::string refusal(std::vector<std::string> words, const Options& options = {}) {
    try {
      with(std::move(words), options);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return "(accepted)";
  }

  std::vector<std::string> left_;
  std::filesystem::path folder_;

 private:
  std::filesystem::path before_;
  std::map<std::string, std::pair<bool, std::string>> saved_;
};

TEST_F(ResolveTest, DefaultsAreThoseOfTheTable) {
  const Settings settings = resolve();
  EXPECT_EQ(settings.scheduler, "auto");
  EXPECT_EQ(settings.threads, 0);
  EXPECT_TRUE(settings.memory.automatic());
  EXPECT_TRUE(settings.spill);
  EXPECT_EQ(settings.small_result_bytes, 4096u);
  EXPECT_DOUBLE_EQ(settings.task_budget_us, 200);
  EXPECT_DOUBLE_EQ(settings.progress_interval, 10);
  EXPECT_EQ(settings.origin("threads").where, "default");
}

TEST_F(ResolveTest, EachSourceWinsOverTheWeakerOnes) {
  write("weft.toml", "threads = 1\n");
  EXPECT_EQ(with({}).threads, 1);
  EXPECT_EQ(with({}).origin("threads").where, "weft.toml:1");
  set("WEFT_THREADS", "2");
  EXPECT_EQ(with({}).threads, 2);
  EXPECT_EQ(with({}).origin("threads").where, "WEFT_THREADS");
  EXPECT_EQ(with({"--weft-threads=3"}).threads, 3);
  EXPECT_EQ(with({"--weft-threads=3"}).origin("threads").source, Source::CommandLine);
  const Settings settings = with({"--weft-threads=3"}, {.threads = 4});
  EXPECT_EQ(settings.threads, 4);
  EXPECT_EQ(settings.origin("threads").source, Source::Program);
}

TEST_F(ResolveTest, ASwitchIsGivenAsABoolOrAsAWord) {
  EXPECT_FALSE(resolve({.spill = false}).spill);
  EXPECT_TRUE(resolve({.spill = true}).spill);
  EXPECT_FALSE(resolve({.spill = "off"}).spill);
  EXPECT_FALSE(resolve({.spill = std::string("No")}).spill);
  EXPECT_TRUE(resolve({.check_transfer = "on"}).check_transfer);
  EXPECT_FALSE(resolve({.spill = 0}).spill);
  EXPECT_THAT(refusal({}, {.spill = "of"}),
              testing::HasSubstr("program (.spill): option spill: 'of' is not on or off"));
  EXPECT_THAT(refusal({}, {.spill = 2}), testing::HasSubstr("'2' is not on or off"));
}

template <class T, class Given>
constexpr bool takes =
    std::is_constructible_v<std::optional<T>, Given>&& std::is_convertible_v<Given, std::optional<T>>;

TEST_F(ResolveTest, AnOptionTakesNothingThatMeansSomethingElse) {
  using Spill = decltype(Options::spill)::value_type;
  using Threads = decltype(Options::threads)::value_type;
  using Budget = decltype(Options::task_budget_us)::value_type;
  using Memory = decltype(Options::memory)::value_type;
  using Folder = decltype(Options::spill_dir)::value_type;
  static_assert(takes<Spill, bool> && takes<Spill, const char*> && takes<Spill, std::string> && takes<Spill, int>);
  static_assert(!takes<Spill, double> && !takes<Spill, void*> && !takes<Spill, std::nullptr_t*>);
  static_assert(takes<Threads, int> && takes<Threads, unsigned long> && takes<Threads, short>);
  static_assert(!takes<Threads, bool> && !takes<Threads, double> && !takes<Threads, char> &&
                !takes<Threads, const char*>);
  static_assert(takes<Budget, int> && takes<Budget, double> && !takes<Budget, bool> && !takes<Budget, const char*>);
  static_assert(takes<Memory, const char*> && takes<Memory, double> && takes<Memory, std::size_t>);
  static_assert(!takes<Memory, bool> && !takes<Memory, char> && !takes<Memory, void*>);
  static_assert(takes<Folder, const char*> && takes<Folder, std::string> && takes<Folder, std::filesystem::path>);
  static_assert(takes<Folder, std::string_view> && !takes<Folder, int> && !takes<Folder, bool>);
  SUCCEED();
}

TEST_F(ResolveTest, NumbersOfAProgramKeepTheirValue) {
  EXPECT_DOUBLE_EQ(resolve({.worker_timeout = 2.5e-7}).worker_timeout, 2.5e-7);
  EXPECT_DOUBLE_EQ(resolve({.task_budget_us = 1}).task_budget_us, 1);
  EXPECT_EQ(resolve({.memory = std::uint64_t{1} << 40}).memory.bytes, std::uint64_t{1} << 40);
  EXPECT_EQ(resolve({.spill_dir = std::filesystem::path("/some/where")}).spill_dir, "/some/where");
  EXPECT_THAT(refusal({}, {.threads = -1}), testing::HasSubstr("program (.threads): option threads: '-1' is not"));
  EXPECT_THAT(refusal({}, {.threads = std::numeric_limits<std::uint64_t>::max()}), testing::HasSubstr("can hold"));
}

TEST_F(ResolveTest, WhatIsNoValueAtAllIsRefusedWhereItIsGiven) {
  const char* const nothing = nullptr;
  EXPECT_THROW(Options{.spill_dir = nothing}, ConfigError);
  EXPECT_THROW(Options{.spill = nothing}, ConfigError);
  EXPECT_THROW(Options{.memory = nothing}, ConfigError);
  EXPECT_THROW(Options{.memory = std::numeric_limits<double>::quiet_NaN()}, ConfigError);
  EXPECT_THROW(Options{.task_budget_us = std::numeric_limits<double>::infinity()}, ConfigError);
}

TEST_F(ResolveTest, TheCommandLineKeepsWhatIsNotWefts) {
  const Settings settings =
      with({"in.nc", "--weft-threads", "3", "-v", "--weft-dry-run", "--weftless", "--", "--weft-threads=9"});
  EXPECT_EQ(settings.threads, 3);
  EXPECT_TRUE(settings.dry_run);
  EXPECT_EQ(left_, (std::vector<std::string>{"program", "in.nc", "-v", "--weftless", "--", "--weft-threads=9"}));
}

TEST_F(ResolveTest, TheLastOfARepeatedOptionCounts) {
  EXPECT_EQ(with({"--weft-threads=3", "--weft-threads=5"}).threads, 5);
}

TEST_F(ResolveTest, ASwitchTakesAValueOnlyBehindAnEqualsSign) {
  EXPECT_FALSE(with({"--weft-spill=off"}).spill);
  EXPECT_TRUE(with({"--weft-dry-run", "off"}).dry_run);
  EXPECT_EQ(left_.back(), "off");
}

TEST_F(ResolveTest, AChoiceWithOnAmongItsWordsMayStandAloneWhereNoValueFollows) {
  EXPECT_EQ(with({"--weft-tls"}).tls, "on");
  EXPECT_EQ(with({"--weft-tls", "--weft-threads=2"}).tls, "on");
  EXPECT_EQ(with({"--weft-tls", "between-nodes"}).tls, "between-nodes");
  EXPECT_EQ(with({"--weft-tls=off"}).tls, "off");
  EXPECT_THAT(refusal({"--weft-tls", "input.nc"}), testing::HasSubstr("option tls: 'input.nc'"));
  EXPECT_THAT(refusal({"--weft-transport"}), testing::HasSubstr("needs a value"));
}

TEST_F(ResolveTest, OptionsOfTheProgramTakeTextsAndNumbers) {
  const Settings settings =
      resolve(Options{.scheduler = "sync", .memory = "80%", .small_result_bytes = 512, .progress_interval = 0.5});
  EXPECT_EQ(settings.scheduler, "sync");
  EXPECT_EQ(settings.memory.of(1000), 800u);
  EXPECT_EQ(settings.small_result_bytes, 512u);
  EXPECT_DOUBLE_EQ(settings.progress_interval, 0.5);
}

TEST_F(ResolveTest, UnknownOptionsNameTheNearest) {
  EXPECT_EQ(refusal({"--weft-thread=2"}), "unknown option --weft-thread; did you mean --weft-threads?");
}

TEST_F(ResolveTest, UnknownVariablesNameTheNearest) {
  set("WEFT_SCEDULER", "sync");
  EXPECT_EQ(refusal({}), "unknown environment variable WEFT_SCEDULER; did you mean WEFT_SCHEDULER?");
}

TEST_F(ResolveTest, VariablesOfModuleSystemsAreLeftAlone) {
  set("WEFT_ROOT", "/opt/weft");
  set("WEFT_BUILD_TYPE", "Release");
  EXPECT_EQ(refusal({}), "(accepted)");
}

TEST_F(ResolveTest, UnknownKeysNameTheNearestAndTheLine) {
  write("weft.toml", "\n[memory]\nspil-dir = \"/x\"\n");
  EXPECT_EQ(refusal({}), "weft.toml:3: unknown key 'spil-dir'; did you mean 'spill-dir'?");
}

TEST_F(ResolveTest, AKeyInTheWrongTableSaysWhereItBelongs) {
  write("weft.toml", "[executor]\nspill-dir = \"/x\"\n");
  EXPECT_EQ(refusal({}),
            "weft.toml:2: the key 'spill-dir' belongs into [memory] or above the first table, not into [executor]");
}

TEST_F(ResolveTest, AKeyAboveAndInsideItsTableIsRefused) {
  write("weft.toml", "threads = 1\n[executor]\nthreads = 2\n");
  EXPECT_EQ(refusal({}), "weft.toml:3: the key 'threads' already stands at weft.toml:1");
}

TEST_F(ResolveTest, WrongValuesGiveTheirPlace) {
  EXPECT_EQ(refusal({"--weft-threads=many"}), "--weft-threads: option threads: 'many' is not a whole number from 0 on");
  set("WEFT_MEMORY", "4XB");
  EXPECT_EQ(refusal({}), "WEFT_MEMORY: option memory: '4XB' is not a size such as 4GiB, or a share such as 80%");
  set("WEFT_MEMORY", "1GiB");
  write("weft.toml", "scheduler = \"thread\"\n");
  EXPECT_EQ(refusal({}),
            "weft.toml:1: option scheduler: 'thread' is not one of auto, sync, threads, mpi; did you mean "
            "'threads'?");
  EXPECT_EQ(refusal({"--weft-scheduler=sync"}, {.threads = -1}),
            "program (.threads): option threads: '-1' is not a whole number from 0 on");
}

TEST_F(ResolveTest, AnOptionWithoutItsValueIsRefused) {
  EXPECT_EQ(refusal({"--weft-threads"}), "the option --weft-threads needs a value, as in --weft-threads=0");
}

TEST_F(ResolveTest, TheFolderOfTheRunComesBeforeTheHome) {
  write("home/.config/weft/weft.toml", "threads = 7\nretries = 7\n");
  EXPECT_EQ(with({}).threads, 7);
  write("weft.toml", "threads = 1\n");
  const Settings settings = with({});
  EXPECT_EQ(settings.threads, 1);
  EXPECT_EQ(settings.retries, 0) << "only the first file that exists is read";
}

TEST_F(ResolveTest, XdgConfigHomeIsRespected) {
  std::filesystem::create_directories("xdg/weft");
  write("xdg/weft/weft.toml", "threads = 8\n");
  set("XDG_CONFIG_HOME", (folder_ / "xdg").string());
  EXPECT_EQ(with({}).threads, 8);
}

TEST_F(ResolveTest, AFileCanBeNamedOrSwitchedOff) {
  write("weft.toml", "threads = 1\n");
  write("other.toml", "threads = 2\n");
  EXPECT_EQ(with({"--weft-config=other.toml"}).threads, 2);
  EXPECT_EQ(with({"--weft-config=none"}).threads, 0);
  EXPECT_EQ(refusal({"--weft-config=absent.toml"}),
            "the configuration file 'absent.toml' cannot be read: No such file or directory");
  EXPECT_EQ(refusal({"--weft-config=home"}), "the configuration file 'home' cannot be read: Is a directory");
}

TEST_F(ResolveTest, LevelsOfRoomsMayStandInATable) {
  write("weft.toml", "log-level = \"error\"\n[log-level]\nscheduler = \"debug\"\nexecutor = \"info\"\n");
  EXPECT_EQ(with({}).log_level, "error,scheduler=debug,executor=info");
}

TEST_F(ResolveTest, AskingForTheOriginOfNoOptionNamesTheNearest) {
  const Settings settings = resolve();
  try {
    settings.origin("thread");
    FAIL() << "accepted";
  } catch (const ConfigError& error) {
    EXPECT_STREQ(error.what(), "there is no option 'thread'; did you mean 'threads'?");
  }
}

}  // namespace
}  // namespace weft
