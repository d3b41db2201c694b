#include <weft/bag.hpp>

#include <weft/error.hpp>

#include "tests/core/client/client_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <random>

namespace weft {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

using Strings = std::vector<std::string>;
using Numbers = std::vector<std::int64_t>;

class BagTest : public testing::TestWithParam<Mode> {
 protected:
  Client client_{GetParam().options()};
};

std::int64_t square(std::int64_t n) { return n * n; }
bool is_even(std::int64_t n) { return n % 2 == 0; }
std::int64_t add(std::int64_t a, std::int64_t b) { return a + b; }

struct Contains {
  std::string part;
  bool operator()(const std::string& text) const { return text.find(part) != std::string::npos; }
};

TEST_P(BagTest, FromKeepsOrderWhateverThePartitions) {
  const Numbers numbers{5, 3, 8, 1, 9, 2, 7};
  for (const std::size_t partitions : {1u, 2u, 3u, 7u, 50u}) {
    const auto bag = Bag<std::int64_t>::from(numbers, partitions);
    EXPECT_EQ(bag.partition_count(), std::min<std::size_t>(partitions, 7));
    EXPECT_EQ(bag.compute(client_), numbers);
  }
}

TEST_P(BagTest, RangeGivesEveryNumberOnce) {
  Numbers expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(bag_range(1000, 7).compute(client_), expected);
  EXPECT_THAT(bag_range(0).compute(client_), IsEmpty());
}

TEST_P(BagTest, MapTakesFunctionsLambdasAndStructs) {
  const auto bag = bag_range(4, 2);
  EXPECT_THAT(bag.map(square).compute(client_), ElementsAre(0, 1, 4, 9));
  const std::int64_t factor = 3;
  EXPECT_THAT(bag.map([factor](std::int64_t n) { return n * factor; }).compute(client_), ElementsAre(0, 3, 6, 9));
  const auto names = bag_from(Strings{"apple", "pear", "grape"}, 2);
  EXPECT_THAT(names.filter(Contains{"ap"}).compute(client_), ElementsAre("apple", "grape"));
  EXPECT_THAT(names.remove(Contains{"ap"}).compute(client_), ElementsAre("pear"));
}

TEST_P(BagTest, FunctionsAndCapturesMayBeMixedInOneOperation) {
  const std::int64_t modulus = 3;
  const auto folded = bag_range(10, 4).foldby([modulus](std::int64_t n) { return n % modulus; }, add, std::int64_t{0});
  EXPECT_THAT(folded.compute(client_), ElementsAre(Pair(0, 18), Pair(1, 12), Pair(2, 15)));
}

TEST_P(BagTest, FlatmapAndFlattenJoinRanges) {
  const auto bag = bag_range(4, 3);
  const auto repeated = [](std::int64_t n) { return Numbers(static_cast<std::size_t>(n), n); };
  EXPECT_THAT(bag.flatmap(repeated).compute(client_), ElementsAre(1, 2, 2, 3, 3, 3));
  EXPECT_THAT(bag.map(repeated).flatten().compute(client_), ElementsAre(1, 2, 2, 3, 3, 3));
}

TEST_P(BagTest, TuplesAreTakenApart) {
  const auto pairs = bag_from(std::vector<std::pair<std::string, int>>{{"a", 1}, {"b", 2}}, 2);
  EXPECT_THAT(pairs.pluck<0>().compute(client_), ElementsAre("a", "b"));
  EXPECT_THAT(pairs.starmap([](const std::string& name, int n) { return name + std::to_string(n); }).compute(client_),
              ElementsAre("a1", "b2"));
}

TEST_P(BagTest, MapPartitionsSeesWholePartitions) {
  const auto sizes =
      bag_range(10, 3).map_partitions([](const Numbers& items) { return std::vector<std::size_t>{items.size()}; });
  EXPECT_THAT(sizes.compute(client_), ElementsAre(4, 3, 3));
}

TEST_P(BagTest, ReductionsGiveWhatALoopGives) {
  const Numbers numbers{4, -2, 9, 9, 0, 3};
  const auto bag = bag_from(numbers, 4);
  EXPECT_EQ(client_.compute(bag.count()), 6u);
  EXPECT_EQ(client_.compute(bag.sum()), 23);
  EXPECT_EQ(client_.compute(bag.filter([](std::int64_t n) { return n > 3; }).product()), 324);
  EXPECT_EQ(client_.compute(bag.min()), -2);
  EXPECT_EQ(client_.compute(bag.max()), 9);
  EXPECT_DOUBLE_EQ(client_.compute(bag.mean()), 23.0 / 6);
  EXPECT_EQ(client_.compute(bag.fold(add, std::int64_t{0})), 23);
  EXPECT_TRUE(client_.compute(bag.any([](std::int64_t n) { return n < 0; })));
  EXPECT_FALSE(client_.compute(bag.all([](std::int64_t n) { return n > 0; })));
}

TEST_P(BagTest, VarianceMatchesTheTwoPassFormula) {
  const std::vector<double> values{1e9 + 1, 1e9 + 2, 1e9 + 4, 1e9 + 7, 1e9 + 11};
  const auto bag = bag_from(values, 3);
  EXPECT_DOUBLE_EQ(client_.compute(bag.var()), 13.2 - 0.0);
  EXPECT_DOUBLE_EQ(client_.compute(bag.var(1)), 16.5);
  EXPECT_DOUBLE_EQ(client_.compute(bag.std(1)), std::sqrt(16.5));
}

TEST_P(BagTest, SumsOfSmallTypesAreWide) {
  const auto bytes = bag_from(std::vector<std::uint8_t>(1000, 255), 3);
  EXPECT_EQ(client_.compute(bytes.sum()), 255'000u);
  const auto flags = bag_range(10, 3).map(is_even);
  EXPECT_EQ(client_.compute(flags.sum()), 5);
}

TEST_P(BagTest, FoldMayGiveAnotherTypeThanItsElements) {
  const auto lengths = bag_from(Strings{"a", "bb", "ccc"}, 2)
                           .fold([](std::size_t total, const std::string& text) { return total + text.size(); },
                                 std::size_t{0}, [](std::size_t a, std::size_t b) { return a + b; });
  EXPECT_EQ(client_.compute(lengths), 6u);
}

TEST_P(BagTest, ReductionHandsAllPartialResultsToTheAggregate) {
  const auto largest = bag_range(100, 7).reduction(
      [](const Numbers& items) { return items.back(); },
      [](const Numbers& partial) { return *std::max_element(partial.begin(), partial.end()) + std::ssize(partial); });
  EXPECT_EQ(client_.compute(largest), 106);
}

TEST_P(BagTest, FrequenciesAreInOrderOfFirstAppearance) {
  const auto words = bag_from(Strings{"b", "a", "b", "c", "a", "b"}, 4);
  EXPECT_THAT(words.frequencies().compute(client_), ElementsAre(Pair("b", 3), Pair("a", 2), Pair("c", 1)));
}

TEST_P(BagTest, DistinctKeepsTheFirstOfEachKey) {
  const auto bag = bag_from(Numbers{5, 3, 5, 13, 3, 8}, 3);
  EXPECT_THAT(bag.distinct().compute(client_), ElementsAre(5, 3, 13, 8));
  EXPECT_THAT(bag.distinct([](std::int64_t n) { return n % 10; }).compute(client_), ElementsAre(5, 3, 8));
}

TEST_P(BagTest, TopkIsStableAndPutsWhatIsNoNumberLast) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(bag_from(std::vector<double>{1, nan, 7, 3, 7}, 3).topk(3).compute(client_), ElementsAre(7, 7, 3));
  const auto words = bag_from(Strings{"aa", "b", "cc", "ddd", "ee"}, 2);
  EXPECT_THAT(words.topk(3, [](const std::string& word) { return word.size(); }).compute(client_),
              ElementsAre("ddd", "aa", "cc"));
  EXPECT_EQ(client_.compute(bag_from(std::vector<double>{nan, 2, nan}, 2).max()), 2);
}

TEST_P(BagTest, GroupbyGathersEachKeyOnceWithItsElementsInOrder) {
  const auto groups = bag_range(100, 6).groupby([](std::int64_t n) { return n % 7; });
  EXPECT_EQ(groups.partition_count(), 6u);
  std::map<std::int64_t, Numbers> seen;
  for (const auto& [key, items] : groups.compute(client_)) EXPECT_TRUE(seen.emplace(key, items).second);
  ASSERT_EQ(seen.size(), 7u);
  EXPECT_THAT(seen[6], ElementsAre(6, 13, 20, 27, 34, 41, 48, 55, 62, 69, 76, 83, 90, 97));
}

struct City {
  std::string name;
  int country;
  friend bool operator==(const City&, const City&) = default;
};

TEST_P(BagTest, PairsTuplesAndStructsAreKeys) {
  const auto cities = bag_from(std::vector<City>{{"Paris", 33}, {"Paris", 1}, {"Paris", 33}}, 3);
  const auto counts = cities.frequencies().compute(client_);
  ASSERT_EQ(counts.size(), 2u);
  EXPECT_EQ(counts[0].first, (City{"Paris", 33}));
  EXPECT_EQ(counts[0].second, 2u);
  const auto by_pair = cities.distinct([](const City& city) { return std::pair(city.name, city.country); });
  EXPECT_EQ(by_pair.compute(client_).size(), 2u);
}

TEST_P(BagTest, ZeroAndMinusZeroAreOneKey) {
  EXPECT_EQ(bag_from(std::vector<double>{0.0, -0.0}, 2).groupby(detail::Itself{}, 5).compute(client_).size(), 1u);
}

TEST_P(BagTest, JoinPairsEqualKeysInTheOrderOfBoth) {
  const auto people =
      bag_from(std::vector<std::pair<std::string, int>>{{"Ann", 2}, {"Bob", 1}, {"Cid", 9}, {"Dan", 2}}, 3);
  const auto teams = bag_from(std::vector<std::pair<int, std::string>>{{1, "red"}, {2, "blue"}, {2, "green"}}, 2);
  const auto joined = people.join(
      teams, [](const auto& person) { return person.second; }, [](const auto& team) { return team.first; });
  const auto readable = joined.map([](const auto& pair) { return pair.first.first + " " + pair.second.second; });
  EXPECT_THAT(readable.compute(client_), ElementsAre("Ann blue", "Ann green", "Bob red", "Dan blue", "Dan green"));
}

TEST_P(BagTest, TakeGivesTheFirstElements) {
  const auto even = bag_range(100, 10).filter([](std::int64_t n) { return n % 20 == 0; });
  EXPECT_THAT(client_.compute(even.take(3)), ElementsAre(0, 20, 40));
  EXPECT_THAT(even.take(client_, 3), ElementsAre(0, 20, 40));
  EXPECT_THAT(even.take(client_, 100).size(), 5u);
  EXPECT_THAT(client_.compute(even.take(0)), IsEmpty());
}

TEST_P(BagTest, TakeWithAClientComputesNoMorePartitionsThanItNeeds) {
  static std::atomic<int> computed;
  computed = 0;
  const auto counted = bag_range(100, 10).map_partitions([](const Numbers& items) { return ++computed, items; });
  EXPECT_EQ(counted.take(client_, 12).size(), 12u);
  EXPECT_EQ(computed, 2);
}

TEST_P(BagTest, PersistComputesOnce) {
  static std::atomic<int> calls;
  calls = 0;
  const auto bag = bag_range(10, 2).map([](std::int64_t n) { return ++calls, n; }).persist(client_);
  EXPECT_EQ(client_.compute(bag.sum()), 45);
  EXPECT_EQ(client_.compute(bag.max()), 9);
  EXPECT_EQ(calls, 10);
}

TEST_P(BagTest, BagsMixWithDelayedAndFutures) {
  const auto lazy = delayed([](int n) { return Numbers(static_cast<std::size_t>(n), 7); })(3);
  const auto bag = Bag<std::int64_t>::from_delayed({lazy, bag_range(2, 1).to_delayed()[0]});
  EXPECT_THAT(bag.compute(client_), ElementsAre(7, 7, 7, 0, 1));
  EXPECT_THAT(client_.compute(bag), ElementsAre(7, 7, 7, 0, 1));
  const auto size = delayed([](const Numbers& all) { return all.size(); })(bag);
  EXPECT_EQ(client_.compute(size), 5u);
  const Bag<std::int64_t> computed = Bag<std::int64_t>::from_futures({client_.submit([] { return Numbers{4, 5}; })});
  EXPECT_EQ(client_.compute(computed.sum()), 9);
}

TEST_P(BagTest, CoalesceAndConcatKeepTheOrder) {
  const auto bag = bag_range(20, 7);
  EXPECT_EQ(bag.coalesce(3).partition_count(), 3u);
  EXPECT_EQ(bag.coalesce(3).compute(client_), bag.compute(client_));
  EXPECT_EQ(concat(std::vector{bag_range(2, 2), bag_range(3, 1)}).compute(client_), (Numbers{0, 1, 0, 1, 2}));
}

TEST_P(BagTest, EmptyBagsHaveSumsAndNoExtremes) {
  const Bag<std::int64_t> nothing;
  EXPECT_EQ(client_.compute(nothing.sum()), 0);
  EXPECT_THAT(nothing.frequencies().compute(client_), IsEmpty());
  EXPECT_TRUE(client_.compute(nothing.all(is_even)));
  EXPECT_THAT(nothing.groupby(is_even).compute(client_), IsEmpty());
  EXPECT_THAT(message_of([&] { client_.compute(bag_range(0).max()); }), HasSubstr("Bag::max"));
  EXPECT_THAT(message_of([&] { bag_range(3, 0); }), HasSubstr("0 partitions"));
}

TEST_P(BagTest, FailuresNameTheLineOfTheOperation) {
  const auto bad = bag_range(3, 1).map([](std::int64_t n) { return n == 2 ? throw std::runtime_error("no twos") : n; });
  const std::string text = message_of([&] { bad.compute(client_); });
  EXPECT_THAT(text, HasSubstr("no twos"));
  EXPECT_THAT(text, HasSubstr("bag_test.cpp:"));
}

TEST(BagBitsTest, SumsAreTheSameBitsOnAnyNumberOfThreads) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-1e10, 1e10);
  std::vector<double> values(10'000);
  for (double& value : values) value = uniform(random);
  const auto total = [&](Options options) {
    const Client client(options);
    const auto bag = bag_from(values, 33);
    return std::tuple(client.compute(bag.sum()), client.compute(bag.var()), bag.frequencies().compute(client),
                      bag.groupby([](double value) { return std::floor(value / 1e9); }).compute(client));
  };
  const auto alone = total({.scheduler = "sync"});
  for (const unsigned threads : {1u, 2u, 3u, 7u}) {
    EXPECT_TRUE(total({.scheduler = "threads", .threads = threads}) == alone) << threads;
  }
}

// --- Bags beside bags, samples, running totals, partitions -----------------------------------------------------------

TEST_P(BagTest, TwoBagsAreMappedZippedAndMultiplied) {
  const auto left = bag_range(5, 2);
  const auto right = left.map(square);
  EXPECT_THAT(left.map(add, right).compute(client_), ElementsAre(0, 2, 6, 12, 20));
  EXPECT_THAT(left.zip(right).compute(client_),
              ElementsAre(Pair(0, 0), Pair(1, 1), Pair(2, 4), Pair(3, 9), Pair(4, 16)));
  const auto letters = bag_from(Strings{"a", "b"}, 2);
  const auto all = bag_range(3, 2).product(letters).compute(client_);
  EXPECT_THAT(all, testing::UnorderedElementsAre(Pair(0, "a"), Pair(0, "b"), Pair(1, "a"), Pair(1, "b"), Pair(2, "a"),
                                                 Pair(2, "b")));
  EXPECT_THAT(message_of([&] { left.zip(bag_range(5, 3)); }), HasSubstr("2 and 3 partitions"));
  EXPECT_THAT(message_of([&] { left.zip(bag_range(6, 2)).compute(client_); }), HasSubstr("2 and 3 elements"));
}

TEST_P(BagTest, PluckTakesKeysOfMapsAndPlacesOfVectors) {
  using Record = std::map<std::string, int>;
  const auto records = bag_from(std::vector<Record>{{{"a", 1}, {"b", 2}}, {{"a", 3}}}, 2);
  EXPECT_THAT(records.pluck("a").compute(client_), ElementsAre(1, 3));
  EXPECT_THAT(records.pluck("b", -1).compute(client_), ElementsAre(2, -1));
  EXPECT_THAT(message_of([&] { records.pluck("b").compute(client_); }), HasSubstr("bag_test.cpp"));
  const auto rows = bag_from(std::vector<Strings>{{"x", "y"}, {"z"}});
  EXPECT_THAT(rows.pluck(0).compute(client_), ElementsAre("x", "z"));
  EXPECT_THAT(rows.pluck(1, "?").compute(client_), ElementsAre("y", "?"));
}

TEST_P(BagTest, RunningTotalsGoThroughAllPartitions) {
  for (const std::size_t partitions : {1u, 2u, 5u}) {
    const auto bag = bag_range(6, partitions).filter([](std::int64_t n) { return n != 0; });
    EXPECT_THAT(bag.accumulate(add).compute(client_), ElementsAre(1, 3, 6, 10, 15));
    EXPECT_THAT(bag.accumulate(add, std::int64_t{-1}).compute(client_), ElementsAre(-1, 0, 2, 5, 9, 14));
    const auto text = bag.accumulate(
        [](const std::string& so_far, std::int64_t n) { return so_far + std::to_string(n); }, std::string("#"));
    EXPECT_THAT(text.compute(client_), ElementsAre("#", "#1", "#12", "#123", "#1234", "#12345"));
  }
  EXPECT_THAT(Bag<std::int64_t>().accumulate(add, std::int64_t{7}).compute(client_), ElementsAre(7));
}

TEST_P(BagTest, SamplesDependOnTheSeedAlone) {
  const auto bag = bag_range(10'000, 4);
  const Numbers once = bag.random_sample(0.2, 1).compute(client_);
  EXPECT_EQ(bag.random_sample(0.2, 1).compute(client_), once);
  EXPECT_NE(bag.random_sample(0.2, 2).compute(client_), once);
  EXPECT_NEAR(static_cast<double>(once.size()), 2'000, 5 * std::sqrt(10'000 * 0.2 * 0.8));
  EXPECT_TRUE(std::is_sorted(once.begin(), once.end()));
  EXPECT_THAT(bag.random_sample(0, 1).compute(client_), IsEmpty());
  EXPECT_EQ(bag.random_sample(1, 1).compute(client_).size(), 10'000u);
  EXPECT_THAT(message_of([&] { bag.random_sample(1.5, 1); }), HasSubstr("1.5"));
}

TEST_P(BagTest, RepartitionGivesAsManyAsAsked) {
  const auto bag = bag_range(100, 3);
  const Numbers all = bag.compute(client_);
  for (const std::size_t partitions : {1u, 2u, 3u, 4u, 7u, 150u}) {
    const auto other = bag.repartition(partitions);
    EXPECT_EQ(other.partition_count(), partitions);
    EXPECT_EQ(other.compute(client_), all);
  }
}

TEST_P(BagTest, ReductionInStepsJoinsSoManyAtATime) {
  static std::atomic<std::size_t> most;
  most = 0;
  const auto longest = bag_range(100, 20).reduction(
      [](const Numbers& numbers) { return std::accumulate(numbers.begin(), numbers.end(), std::int64_t{0}); },
      [](const Numbers& sums) {
        for (std::size_t seen = most; seen < sums.size() && !most.compare_exchange_weak(seen, sums.size());) {
        }
        return std::accumulate(sums.begin(), sums.end(), std::int64_t{0});
      },
      3);
  EXPECT_EQ(client_.compute(longest), 4950);
  EXPECT_EQ(most, 3u);
}

INSTANTIATE_TEST_SUITE_P(Modes, BagTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
