#include "core/journal/journal.hpp"

#include "core/journal/folder.hpp"
#include "tests/core/journal/journal_run.hpp"

#include <weft/annotate.hpp>
#include <weft/client.hpp>
#include <weft/coordination.hpp>
#include <weft/error.hpp>
#include <weft/pure.hpp>
#include <weft/this_task.hpp>

#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <vector>

namespace weft {
namespace {

using ::testing::HasSubstr;

std::atomic<int>& runs = weft::testing::journal_runs;
using weft::testing::work;

int square(int x) {
  ++runs;
  work();
  return x * x;
}
int cheap(int x) {
  ++runs;
  return x + 1;
}
std::vector<double> row(int first, int count) {
  ++runs;
  work();
  std::vector<double> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}
double total(const std::vector<std::vector<double>>& rows) {
  ++runs;
  work();
  double sum = 0;
  for (const auto& one : rows) sum = std::accumulate(one.begin(), one.end(), sum);
  return sum;
}
std::string text_of(int x) {
  ++runs;
  work();
  return std::string(static_cast<std::size_t>(x), 'x');
}
void nothing(int) {
  ++runs;
  work();
}
int take_one(const Queue<int>& queue) {
  ++runs;
  work();
  return queue.get();
}

using JournalTest = weft::testing::JournalRunTest;

TEST_P(JournalTest, ASecondRunTakesWhatTheFirstComputed) {
  const auto body = [](const Client& client) {
    const auto futures = client.map([](int x) { return square(x); }, std::vector{1, 2, 3, 4});
    EXPECT_EQ(client.gather(futures), (std::vector{1, 4, 9, 16}));
  };
  EXPECT_EQ(run(body), 4);
  EXPECT_EQ(report_.found, 0u);
  EXPECT_EQ(report_.written, 4u);
  EXPECT_EQ(report_.folder, folder_.path() + "/journal");
}

TEST_P(JournalTest, WhatIsCheapIsComputedAgain) {
  const auto body = [](const Client& client) { EXPECT_EQ(client.submit(cheap, 1).result(), 2); };
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(report_.written, 0u);
}

TEST_P(JournalTest, SharedFoldersAreOfOneProgramAtATime) {
  const Client client(options());
  Options other = options();
  other.journal = folder_.path() + "/another";
  EXPECT_THROW(Client second(other), ConfigError);
  const Client second(options());
  EXPECT_EQ(second.journal().folder, client.journal().folder);
}

TEST_P(JournalTest, WithoutAFolderThereIsNone) {
  Options without = options();
  without.journal = "";
  const Client client(without);
  EXPECT_EQ(client.submit(square, 3).result(), 9);
  EXPECT_EQ(client.journal().folder, "");
  EXPECT_EQ(client.journal().written, 0u);
}

TEST_P(JournalTest, PureCallsTakeOneResult) {
  const auto body = [](const Client& client) {
    const auto pure = client.with({.pure = true});
    const auto a = pure.submit(square, 5);
    EXPECT_EQ(a.result(), 25);
    const auto b = pure.submit(square, 5);
    EXPECT_EQ(b.result(), 25);
    PureCalls calls;
    const auto c = calls(square)(6);
    const auto d = calls(square)(6);
    EXPECT_EQ(c.task_id(), d.task_id());
    EXPECT_EQ(client.compute(c), 36);
  };
  EXPECT_EQ(run(body), 2);
  // Pure calls are not counted, so the same process finds them as the next one does.
  EXPECT_EQ(run(body), 0);
  EXPECT_EQ(report_.found, 4u);
}

TEST_P(JournalTest, ResultsOfEveryFormComeBack) {
  writes_ = "all";
  const auto body = [](const Client& client) {
    const auto pure = client.with({.pure = true});
    std::vector<Future<std::vector<double>>> rows;
    for (int i = 0; i < 3; ++i) rows.push_back(pure.submit(row, 1000 * i, 10'000));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(rows[i].result().at(5), 1000.0 * static_cast<double>(i) + 5);
    EXPECT_EQ(pure.submit(text_of, 7).result(), "xxxxxxx");
    EXPECT_EQ(pure.submit(text_of, 50'000).result().size(), 50'000u);
    const Annotate scope({.pure = true});
    EXPECT_DOUBLE_EQ(client.compute(delayed(total)(std::vector{delayed(row)(0, 4), delayed(row)(4, 4)})), 28);
    EXPECT_TRUE(pure.submit(row, 0, 0).result().empty());
  };
  EXPECT_EQ(run(body), 9);
  EXPECT_EQ(run(body), 0);
  EXPECT_EQ(report_.damaged, 0u);
}

TEST_P(JournalTest, WhatFoundResultsWereMadeOfIsNotComputedEither) {
  const auto body = [](const Client& client) {
    const Annotate scope({.pure = true});
    const auto a = delayed(square)(1), b = delayed(square)(2);
    const auto sum = delayed([](int x, int y) {
      work();
      ++runs;
      return x + y;
    })(a, b);
    EXPECT_EQ(client.compute(sum), 5);
  };
  EXPECT_EQ(run(body), 3);
  // Only the last of them is looked for: what it was made of is described, and dropped.
  EXPECT_EQ(run(body), 0);
}

TEST_P(JournalTest, OtherArgumentsAreOtherCalls) {
  run([](const Client& client) { client.with({.pure = true}).submit(square, 2).result(); });
  EXPECT_EQ(run([](const Client& client) {
              EXPECT_EQ(client.with({.pure = true}).submit(square, 3).result(), 9);
              // Another function of the same type.
              int (*const other)(int) = [](int x) {
                ++runs;
                return -x;
              };
              EXPECT_EQ(client.with({.pure = true}).submit(other, 2).result(), -2);
            }),
            2);
}

TEST_P(JournalTest, ScatteredValuesAreKnownByWhatTheyAre) {
  const auto body = [](int value) {
    return [value](const Client& client) {
      const auto scattered = client.scatter(std::vector<double>{1, 2, static_cast<double>(value)});
      EXPECT_EQ(scattered.result().size(), 3u);  // it is here
      const auto sum = client.with({.pure = true})
                           .submit(
                               [](const std::vector<double>& values) {
                                 work();
                                 ++runs;
                                 return std::accumulate(values.begin(), values.end(), 0.0);
                               },
                               scattered);
      EXPECT_EQ(sum.result(), 3 + value);
    };
  };
  const auto three = body(3), four = body(4);
  EXPECT_EQ(run(three), 1);
  EXPECT_EQ(run(four), 1);
}

TEST_P(JournalTest, WhatGivesNothingIsRunForWhatItDoes) {
  const auto body = [](const Client& client) { client.with({.pure = true}).submit(nothing, 1).result(); };
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(report_.written, 0u);
}

TEST_P(JournalTest, TasksThatAreToldSoAreNotKept) {
  const auto body = [](const Client& client) {
    EXPECT_EQ(client.with({.pure = true, .journalled = false}).submit(square, 8).result(), 64);
    const Annotate scope({.pure = true, .journalled = false});
    EXPECT_EQ(client.compute(delayed(square)(9)), 81);
  };
  EXPECT_EQ(run(body), 2);
  EXPECT_EQ(run(body), 2);
  EXPECT_EQ(report_.written, 0u);
}

TEST_P(JournalTest, TasksThatUseNamedObjectsAndWhatIsMadeOfThemAreRunAgain) {
  const auto body = [](const Client& client) {
    Queue<int> queue(client, "numbers");
    queue.put(4);
    const auto pure = client.with({.pure = true});
    const auto one = pure.submit(take_one, queue);
    EXPECT_EQ(pure.submit(square, one).result(), 16);
  };
  EXPECT_EQ(run(body), 2);
  EXPECT_EQ(run(body), 2);
}

TEST_P(JournalTest, TasksThatSayThatTheyHaveAnEffectAreRunAgain) {
  const auto body = [](const Client& client) {
    const auto pure = client.with({.pure = true});
    EXPECT_EQ(pure.submit(
                      [](int x) {
                        ++runs;
                        work();
                        this_task::has_effect();
                        return x;
                      },
                      4)
                  .result(),
              4);
  };
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 1);
}

TEST_P(JournalTest, WhatFailedIsRunAgain) {
  const auto body = [](const Client& client) {
    const auto failed = client.with({.pure = true})
                            .submit(
                                [](int x) -> int {
                                  ++runs;
                                  work();
                                  throw Error("no " + std::to_string(x));
                                },
                                4);
    EXPECT_THROW(failed.result(), Error);
  };
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 1);
}

TEST_P(JournalTest, ADamagedResultIsComputedAnew) {
  const auto body = [](const Client& client) {
    EXPECT_EQ(client.with({.pure = true}).submit(text_of, 1000).result(), std::string(1000, 'x'));
  };
  EXPECT_EQ(run(body), 1);
  const std::string file = journal::segment_files(folder_.path() + "/journal").front();
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 8);
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(report_.damaged, 1u);
  EXPECT_EQ(run(body), 0);
}

/// Changes a byte in front of what is looked at when a file is opened.
void damage_the_first_record(const std::string& folder) {
  const std::string file = journal::segment_files(folder).front();
  std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
  bytes.seekp(4096);
  bytes.put('!');
}

TEST_P(JournalTest, ALargeResultFoundDamagedAsItIsReadIsComputedAnew) {
  writes_ = "all";
  static constexpr int kCount = 3 << 20;  // 24 MiB
  const auto body = [](const Client& client) {
    const auto pure = client.with({.pure = true});
    for (const int first : {5, 7}) {
      const auto values = pure.submit(row, pure.submit(square, first), kCount);
      EXPECT_EQ(values.result().at(10), first * first + 10);
    }
  };
  EXPECT_EQ(run(body), 4);
  damage_the_first_record(folder_.path() + "/journal");
  EXPECT_EQ(run(body), 1);
  EXPECT_EQ(run(body), 0);
}

TEST_P(JournalTest, AFolderThatCanOnlyBeReadServes) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const auto body = [](const Client& client) { EXPECT_EQ(client.with({.pure = true}).submit(square, 4).result(), 16); };
  run(body);
  std::filesystem::permissions(folder_.path() + "/journal",
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_EQ(run(body), 0);
  std::filesystem::permissions(folder_.path() + "/journal", std::filesystem::perms::owner_all);
}

TEST_P(JournalTest, TheBooksTellTheTimeItTakes) {
  const auto body = [](const Client& client) {
    EXPECT_EQ(client.with({.pure = true}).submit(row, 0, 100'000).result().size(), 100'000u);
    EXPECT_GT(client.ledger().phase(Phase::Journal), 0);
  };
  run(body);
  run(body);
}

INSTANTIATE_TEST_SUITE_P(Modes, JournalTest, ::testing::Values("sync", "threads"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
}  // namespace weft
