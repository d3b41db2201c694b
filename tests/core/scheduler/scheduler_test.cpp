#include "core/scheduler/scheduler.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace weft {
namespace {

/// Submits `count` wanted packets from `first`, each reading the one before if `chained`.
SchedulerEvent submission(PacketId first, std::uint32_t count, bool chained) {
  PacketsSubmitted event;
  event.first_packet = first;
  for (std::uint32_t i = 0; i != count; ++i) {
    PacketSpec spec;
    spec.first_producer = static_cast<std::uint32_t>(event.producers.size());
    if (chained && i != 0) event.producers.push_back({first + i - 1, 8});
    spec.producer_count = chained && i != 0 ? 1 : 0;
    spec.expected_ns = 1000;
    spec.flags |= packet_flags::kWanted;
    event.packets.push_back(spec);
  }
  return {1, std::move(event)};
}

/// Finishes everything that was dealt, until nothing is.
std::uint64_t finish_all(Scheduler& scheduler, SchedulerActions& actions) {
  std::uint64_t dealt = 0;
  while (!actions.list.empty()) {
    std::vector<Deal> deals;
    for (const SchedulerAction& action : actions.list) {
      if (const Deal* deal = std::get_if<Deal>(&action)) deals.push_back(*deal);
    }
    actions.clear();
    dealt += deals.size();
    for (const Deal& deal : deals)
      scheduler.handle({2, PacketsFinished{deal.worker, {{deal.packet, deal.attempt, 0, 8, 1000}}}}, actions);
  }
  return dealt;
}

TEST(SchedulerTest, MemoryFollowsLivePacketsNotAllThatEverWere) {
  Scheduler scheduler;
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 2, 0, {}}}, actions);
  std::uint64_t after_first = 0;
  constexpr std::uint32_t kBatch = 10'000;
  for (std::uint32_t round = 0; round != 10; ++round) {
    scheduler.handle(submission(round * kBatch, kBatch, true), actions);
    EXPECT_EQ(finish_all(scheduler, actions), kBatch);
    OutputsReleased released;
    for (PacketId id = round * kBatch; id != (round + 1) * kBatch; ++id) released.packets.push_back(id);
    scheduler.handle({3, released}, actions);
    EXPECT_EQ(scheduler.counts().known(), 0u);
    if (round == 0) after_first = scheduler.memory_bytes();
  }
  EXPECT_LE(scheduler.memory_bytes(), after_first * 3) << "ten times as many packets have been known";
}

TEST(SchedulerTest, WorkersWhosePacketsOnlyWaitAreDealtAsManyMore) {
  SchedulerOptions options;
  options.queue_packets = 2;
  Scheduler scheduler(options);
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 1, 0, {}}}, actions);
  SchedulerEvent event = submission(0, 10, false);
  for (PacketSpec& spec : std::get<PacketsSubmitted>(event.body).packets) spec.expected_ns = 1'000'000'000;
  const auto dealt = [&](SchedulerEvent next) {
    actions.clear();
    scheduler.handle(next, actions);
    return std::count_if(actions.list.begin(), actions.list.end(),
                         [](const SchedulerAction& action) { return std::holds_alternative<Deal>(action); });
  };
  EXPECT_EQ(dealt(std::move(event)), 2);
  EXPECT_EQ(dealt({1, WorkerBlocked{0, 2}}), 2);
  EXPECT_EQ(dealt({2, WorkerBlocked{0, 3}}), 1);
  EXPECT_EQ(dealt({3, WorkerBlocked{0, 0}}), 0);
}

/// A packet in the memory of worker 0 of so many, which all shall have.
class SpreadTest : public ::testing::Test {
 protected:
  static constexpr WorkerId kWorkers = 16;

  SpreadTest() {
    scheduler_.handle({0, WorkerJoined{0, 1, 0, {}}}, actions_);
    scheduler_.handle(submission(0, 1, false), actions_);
    scheduler_.handle({1, PacketsFinished{0, {{0, 1, 0, 1 << 20, 1000}}}}, actions_);
    for (WorkerId id = 1; id != kWorkers; ++id) scheduler_.handle({2, WorkerJoined{id, 1, 0, {}}}, actions_);
    actions_.clear();
  }
  /// Takes the copies that are asked for out of the actions.
  std::vector<Replicate> asked() {
    std::vector<Replicate> all;
    for (const SchedulerAction& action : actions_.list) {
      if (const auto* one = std::get_if<Replicate>(&action)) all.push_back(*one);
    }
    actions_.clear();
    return all;
  }

  Scheduler scheduler_;
  SchedulerActions actions_;
};

TEST_F(SpreadTest, CopiesOfOnePacketGoInATree) {
  ASSERT_EQ(scheduler_.state(0), PacketState::InMemory);
  scheduler_.handle({3, ReplicasWanted{{0}, kWorkers}}, actions_);
  std::vector<unsigned> passed_on(kWorkers, 0);
  std::vector<WorkerId> here{0};
  unsigned rounds = 0;
  for (std::vector<Replicate> round = asked(); !round.empty(); round = asked(), ++rounds) {
    for (const Replicate& one : round) {
      EXPECT_NE(std::find(here.begin(), here.end(), one.from), here.end()) << "who passes it on has it";
      ++passed_on[one.from];
    }
    for (const Replicate& one : round) {
      here.push_back(one.to);
      scheduler_.handle({4, Replicated{one.to, 0, one.attempt}}, actions_);
    }
  }
  EXPECT_EQ(here.size(), kWorkers);
  EXPECT_EQ(scheduler_.holders(0).size(), kWorkers);
  EXPECT_LE(*std::max_element(passed_on.begin(), passed_on.end()), 2u);
  EXPECT_EQ(rounds, 4u);
}

TEST_F(SpreadTest, ALostWorkerOfTheTreeKeepsNobodyFromItsCopy) {
  scheduler_.handle({3, ReplicasWanted{{0}, kWorkers}}, actions_);
  std::vector<Replicate> round = asked();
  ASSERT_EQ(round.size(), 2u);
  for (const Replicate& one : round) scheduler_.handle({4, WorkerLost{one.to, 0, {}}}, actions_);
  for (round = asked(); !round.empty(); round = asked()) {
    for (const Replicate& one : round) scheduler_.handle({5, Replicated{one.to, 0, one.attempt}}, actions_);
  }
  EXPECT_EQ(scheduler_.holders(0).size(), kWorkers - 2);
}

TEST(SchedulerTest, ForgottenIdsServeAgain) {
  Scheduler scheduler;
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 2, 0, {}}}, actions);
  for (int round = 0; round != 3; ++round) {
    scheduler.handle(submission(40, 3, false), actions);
    EXPECT_EQ(finish_all(scheduler, actions), 3u);
    scheduler.handle({3, OutputsReleased{{40, 41, 42}}}, actions);
    EXPECT_FALSE(scheduler.knows(40));
  }
}

TEST(SchedulerTest, WideReductionAndBroadcastTakeOneEdgeEach) {
  constexpr std::uint32_t kWidth = 30'000;
  Scheduler scheduler;
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 2, 0, {}}}, actions);
  PacketsSubmitted event;
  event.first_packet = 0;
  const auto add = [&event](std::vector<PacketId> inputs) {
    PacketSpec spec;
    spec.expected_ns = 1000;
    spec.first_producer = static_cast<std::uint32_t>(event.producers.size());
    spec.producer_count = static_cast<std::uint32_t>(inputs.size());
    for (const PacketId input : inputs) event.producers.push_back({input, 8});
    event.packets.push_back(spec);
  };
  add({});
  std::vector<PacketId> middle;
  for (PacketId id = 1; id <= kWidth; ++id) {
    add({0});
    middle.push_back(id);
  }
  add(middle);
  event.packets.back().flags |= packet_flags::kWanted;
  scheduler.handle({1, event}, actions);
  EXPECT_EQ(finish_all(scheduler, actions), kWidth + 2);
  EXPECT_EQ(scheduler.state(kWidth + 1), PacketState::InMemory);
  EXPECT_EQ(scheduler.state(0), PacketState::Released);
  scheduler.handle({3, OutputsReleased{{kWidth + 1}}}, actions);
  EXPECT_EQ(scheduler.counts().known(), 0u);
}

TEST(SchedulerTest, UnknownTimeIsLearnedFromTheLayer) {
  SchedulerOptions options;
  options.queue_packets = 1;
  Scheduler scheduler(options);
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 1, 0, {}}}, actions);
  SchedulerEvent event = submission(0, 1, false);
  PacketSpec& spec = std::get<PacketsSubmitted>(event.body).packets[0];
  spec.expected_ns = 0;
  spec.layer = 3;
  scheduler.handle(event, actions);
  scheduler.handle({2, PacketsFinished{0, {{0, 1, 0, 8, 1000}}}}, actions);
  actions.clear();
  event = submission(1, 200, false);
  for (PacketSpec& next : std::get<PacketsSubmitted>(event.body).packets) {
    next.expected_ns = 0;
    next.layer = 3;
  }
  scheduler.handle(event, actions);
  EXPECT_EQ(actions.list.size(), 200u) << "packets known to be short fill the queue by time, not by number";
}

TEST(SchedulerTest, DescribedDealHasSpecInputsAndNeeds) {
  Scheduler scheduler;
  SchedulerActions actions;
  scheduler.handle({0, WorkerJoined{0, 4, 0, {{1, 1}}}}, actions);
  SchedulerEvent event = submission(0, 2, true);
  auto& submitted = std::get<PacketsSubmitted>(event.body);
  Needs needs;
  needs.slots = 2;
  needs.resources = {{1, 1}};
  submitted.needs = {needs};
  submitted.packets[1].needs = 0;
  submitted.packets[1].task_count = 9;
  scheduler.handle(event, actions);
  PacketsDealt message;
  for (const SchedulerAction& action : actions.list) {
    if (const Deal* deal = std::get_if<Deal>(&action)) scheduler.describe_deal(*deal, actions, message);
  }
  ASSERT_EQ(message.packets.size(), 2u);
  EXPECT_EQ(message.packets[1].spec.task_count, 9u);
  ASSERT_EQ(message.packets[1].input_count, 1u);
  EXPECT_EQ(message.inputs[message.packets[1].first_input], (InputSource{0, 0, 1, 8}));
  ASSERT_EQ(message.packets[1].spec.needs, 0u);
  EXPECT_EQ(message.needs[0], needs);
  EXPECT_EQ(message.packets[0].spec.needs, kNone);
}

}  // namespace
}  // namespace weft
