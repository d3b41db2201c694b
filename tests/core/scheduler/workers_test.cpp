#include "core/scheduler/workers.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

namespace weft::machine {
namespace {

TEST(WorkerSetTest, AgreesWithAnOrderedSet) {
  std::mt19937 random(5);
  for (const std::uint32_t range : {50u, 9'000u}) {
    WorkerSet set;
    std::set<WorkerId> reference;
    for (int i = 0; i != 5'000; ++i) {
      const auto id = static_cast<WorkerId>(random() % range);
      ASSERT_EQ(set.contains(id), reference.contains(id));
      if (reference.contains(id)) {
        set.erase(id);
        reference.erase(id);
      } else {
        set.insert(id);
        reference.insert(id);
      }
      const auto after = reference.upper_bound(id);
      ASSERT_EQ(set.next(id), after == reference.end() ? kNone : *after);
      ASSERT_EQ(set.first(), reference.empty() ? kNone : *reference.begin());
      ASSERT_EQ(set.size(), reference.size());
    }
  }
}

TEST(RunningQueueTest, KeepsTheOrderOfWhatIsTakenOutAnywhere) {
  std::mt19937 random(7);
  RunningQueue queue;
  std::vector<PacketId> reference;
  std::map<PacketId, std::uint32_t> positions;
  const auto renumber = [&positions](PacketId packet, std::uint32_t position) { positions[packet] = position; };
  for (PacketId next = 0; next != 4'000;) {
    if (reference.empty() || random() % 5 < 3) {
      positions[next] = queue.append(next, renumber);
      reference.push_back(next++);
    } else {
      const std::size_t at = random() % reference.size();
      const PacketId packet = reference[at];
      ASSERT_EQ(queue.before(positions[packet]), at == 0 ? kNone : reference[at - 1]);
      queue.erase(positions[packet]);
      reference.erase(reference.begin() + static_cast<std::ptrdiff_t>(at));
    }
    ASSERT_EQ(queue.size(), reference.size());
    ASSERT_EQ(queue.last(), reference.empty() ? kNone : reference.back());
  }
  EXPECT_EQ(queue.in_order(), reference);
}

}  // namespace
}  // namespace weft::machine
