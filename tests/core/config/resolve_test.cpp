#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

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
