#include "core/runtime/layout.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

namespace weft {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

TEST(LayoutTest, NamesEachValueAndWhereItCameFrom) {
  const std::string text =
      layout_text(resolve(Options{.scheduler = "threads", .threads = 3, .memory = "1GiB", .spill_dir = "/tmp"}));
  EXPECT_THAT(text, ContainsRegex("scheduler +threads +program \\(\\.scheduler\\)"));
  EXPECT_THAT(text, ContainsRegex("slots +3 +program \\(\\.threads\\)"));
  EXPECT_THAT(text, ContainsRegex("memory +1 GiB +program \\(\\.memory\\)"));
  EXPECT_THAT(text, ContainsRegex("graphs +up to 512 MiB +default: half of the memory"));
  EXPECT_THAT(text, ContainsRegex("spill +/tmp +program \\(\\.spill_dir\\)"));
}

TEST(LayoutTest, DefaultsSayHowTheyWereChosen) {
  const std::string text = layout_text(resolve(Options{.scheduler = "sync", .spill = false}));
  EXPECT_THAT(text, ContainsRegex("slots +1 +sync has one"));
  EXPECT_THAT(text, ContainsRegex("memory +[^\n]*a share of "));
  EXPECT_THAT(text, ContainsRegex("spill +off +program"));
}

TEST(LayoutTest, WhoeverStartsProcessesTellsTheirLayout) {
  set_layout_maker([](const Settings& settings) {
    return settings.scheduler == "sync" ? std::string() : std::string("  ranks 3\n");
  });
  EXPECT_EQ(layout_text(resolve(Options{.scheduler = "threads"})), "  ranks 3\n");
  EXPECT_THAT(layout_text(resolve(Options{.scheduler = "sync"})), HasSubstr("slots"));
  set_layout_maker({});
}

TEST(LayoutTest, AClientWithoutACommandLineSaysThatItCannotEndTheProgram) {
  try {
    const Client client(Options{.dry_run = true});
    FAIL() << "opened";
  } catch (const ConfigError& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("--weft-dry-run"), HasSubstr("program (.dry_run)")));
  }
}

TEST(LayoutDeathTest, ADryRunEndsWithSuccessBeforeTheBody) {
  const auto open = [] {
    char program[] = "program";
    char option[] = "--weft-dry-run";
    char* argv[] = {program, option, nullptr};
    int argc = 2;
    const Client client(argc, argv);
    std::abort();
  };
  EXPECT_EXIT(open(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace weft
