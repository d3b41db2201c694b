#include "core/cluster/turns.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace weft::cluster {
namespace {

std::vector<Pending> tasks_of(std::uint64_t owner, TaskId first, std::uint32_t count) {
  std::vector<Pending> tasks(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    tasks[i].task = first + i;
    tasks[i].owner = owner;
  }
  return tasks;
}

/// Serves so many, and returns whose they were.
std::string serve(Turns& turns, std::deque<Pending>& line, std::size_t count) {
  std::string owners;
  for (; count != 0 && !line.empty(); --count) {
    owners += static_cast<char>('a' + line.front().owner);
    turns.serve(line.front());
    line.pop_front();
  }
  return owners;
}

void come(Turns& turns, std::deque<Pending>& line, std::vector<Pending> fresh) { turns.line_up(fresh, line); }

TEST(TurnsTest, OneClientKeepsItsOrder) {
  Turns turns;
  std::deque<Pending> line;
  come(turns, line, tasks_of(0, 10, 3));
  come(turns, line, tasks_of(0, 13, 2));
  for (TaskId task = 10; task < 15; ++task) {
    EXPECT_EQ(line.front().task, task);
    serve(turns, line, 1);
  }
}

TEST(TurnsTest, TwoClientsWithTenThousandTasksEachHaveEqualTurns) {
  Turns turns;
  std::deque<Pending> line;
  come(turns, line, tasks_of(0, 0, 10'000));
  EXPECT_EQ(serve(turns, line, 100), std::string(100, 'a'));
  come(turns, line, tasks_of(1, 20'000, 10'000));
  const std::string owners = serve(turns, line, 19'800);
  for (std::size_t at = 0; at + 100 <= owners.size(); at += 100) {
    const std::string part = owners.substr(at, 100);
    EXPECT_EQ(std::count(part.begin(), part.end(), 'a'), 50) << at;
  }
  EXPECT_EQ(serve(turns, line, 1'000), std::string(100, 'b')) << "what is left when the other has nothing more";
}

TEST(TurnsTest, TurnsAreSharedAlsoWhereTasksComeOneByOne) {
  Turns turns;
  std::deque<Pending> line;
  come(turns, line, tasks_of(0, 0, 100));
  for (std::uint32_t i = 0; i < 100; ++i) come(turns, line, tasks_of(1, 1000 + i, 1));
  EXPECT_EQ(serve(turns, line, 6), "ababab");
  TaskId last = 0;
  for (const Pending& one : line) {
    if (one.owner != 1) continue;
    EXPECT_GT(one.task, last) << "in its own order";
    last = one.task;
  }
}

TEST(TurnsTest, WhoHadNothingToRunHasSavedUpNothing) {
  Turns turns;
  std::deque<Pending> line;
  come(turns, line, tasks_of(1, 0, 1));
  serve(turns, line, 1);
  come(turns, line, tasks_of(0, 100, 1'000));
  serve(turns, line, 500);
  come(turns, line, tasks_of(1, 2'000, 400));
  EXPECT_EQ(serve(turns, line, 8), "abababab");
}

TEST(TurnsTest, ThreeShareEquallyAndOneBatchMayMixThem) {
  Turns turns;
  std::deque<Pending> line;
  std::vector<Pending> fresh = tasks_of(0, 0, 4);
  for (std::uint64_t owner : {1, 2}) {
    const std::vector<Pending> more = tasks_of(owner, static_cast<TaskId>(100 * owner), 4);
    fresh.insert(fresh.end(), more.begin(), more.end());
  }
  come(turns, line, fresh);
  EXPECT_EQ(serve(turns, line, 12), "abcabcabcabc");
}

TEST(TurnsTest, AClientThatIsBackBeginsAnew) {
  Turns turns;
  std::deque<Pending> line;
  come(turns, line, tasks_of(1, 0, 50));
  line.clear();
  turns.forget(1);
  come(turns, line, tasks_of(0, 100, 4));
  come(turns, line, tasks_of(1, 200, 4));
  EXPECT_EQ(serve(turns, line, 8), "abababab");
}

}  // namespace
}  // namespace weft::cluster
