#include "core/messages/encoding.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

namespace weft {
namespace {

PacketsSubmitted submission() {
  PacketsSubmitted event;
  event.first_packet = 7;
  PacketSpec spec;
  spec.task_count = 12;
  spec.producer_count = 2;
  spec.needs = 0;
  spec.priority = -3;
  spec.age = 11;
  spec.turn = 4;
  spec.expected_ns = 1'234'567'890'123;
  event.packets = {spec};
  event.producers = {{3, 400}, {5, 1ull << 40}};
  Needs needs;
  needs.resources = {{2, 1}};
  needs.workers = {4};
  needs.preferred = true;
  event.needs = {needs};
  return event;
}

std::vector<SchedulerEvent> scheduler_events() {
  return {{1, WorkerJoined{1, 4, 99, {{0, 2}}}},
          {2, WorkerLost{1, 9, {4, 5}}},
          {3, WorkerDraining{1}},
          {4, WorkerPaused{2, true}},
          {5, WorkerResumed{2}},
          {-6, submission()},
          {7, PacketsFinished{3, {{1, 2, 3, 4, 5}}}},
          {8, PacketProgress{1, 2, 3, 4, 5, 6}},
          {9, PacketFailed{1, 2, 3, 4, Reason::KilledWorkers, false}},
          {10, PacketReturned{1, 2, 3, 4, 5}},
          {11, RecallRefused{1, 2, 3}},
          {12, InputMissing{1, 2, 3, 4, 5, 6}},
          {13, OutputsReleased{{1, 2}}},
          {14, PacketsCancelled{{3}}},
          {15, Replicated{kKeeper, 2, 1}},
          {16, Tick{}},
          {17, ReplicasWanted{{4, 5}, 3}},
          {18, WorkerBlocked{1, 7}},
          {19, BalanceWanted{{4, 5}}},
          {20, PacketSplit{4, 9, submission().packets, submission().producers}},
          {21, PacketPostponed{1, 2, 3}}};
}

std::vector<WorkerEvent> worker_events() {
  PacketsDealt dealt;
  dealt.inputs = {{1, 2, 3, 4}};
  dealt.packets = {{5, 1, 0, 1, PacketSpec{}}};
  return {{1, dealt},
          {2, InputArrived{1, 2, 3}},
          {3, InputFailed{1, 2, 3}},
          {4, InputRelocated{1, 2, {3, 4, 5, 6}}},
          {5, PeerLost{1}},
          {6, PacketDone{1, 2, 3, 4, 5}},
          {7, PacketBroken{1, 2, 3, false}},
          {8, TasksProgress{1, 2, 3, 4, 5}},
          {9, PeerSubscribed{1, 2, 3}},
          {10, MemoryState{1, 2, 3}},
          {11, SlotsIdle{4}},
          {12, RecallAsked{1, 2, true}},
          {13, TailGivenUp{1, 2, 3}},
          {14, DropAsked{1, 2}},
          {15, ReplicaAsked{{1, 2, 3, 4}}},
          {16, ReadyTasks{5}},
          {17, Tick{}},
          {18, PacketHeld{1, 2}}};
}

template <class Event>
Bytes bytes_of(const Event& event) {
  Bytes bytes;
  encode(event, bytes);
  return bytes;
}

template <class Event>
void expect_round_trip(const Event& event) {
  const Bytes bytes = bytes_of(event);
  Event back;
  ByteView in(bytes);
  ASSERT_TRUE(decode(in, back)) << "alternative " << event.body.index();
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(back.body.index(), event.body.index());
  EXPECT_EQ(back.time, event.time);
  EXPECT_EQ(bytes_of(back), bytes);
}

TEST(EncodingTest, EveryEventComesBack) {
  const auto scheduler = scheduler_events();
  ASSERT_EQ(scheduler.size(), std::variant_size_v<SchedulerEventBody>);
  for (const SchedulerEvent& event : scheduler) expect_round_trip(event);
  const auto worker = worker_events();
  ASSERT_EQ(worker.size(), std::variant_size_v<WorkerEventBody>);
  for (const WorkerEvent& event : worker) expect_round_trip(event);
}

TEST(EncodingTest, SubmissionKeepsItsFields) {
  const Bytes bytes = bytes_of(SchedulerEvent{3, submission()});
  SchedulerEvent back;
  ByteView in(bytes);
  ASSERT_TRUE(decode(in, back));
  const auto& event = std::get<PacketsSubmitted>(back.body);
  EXPECT_EQ(event.packets, submission().packets);
  EXPECT_EQ(event.producers, submission().producers);
  EXPECT_EQ(event.needs, submission().needs);
  EXPECT_EQ(event.first_packet, 7u);
}

TEST(EncodingTest, DealCarriesItsInputs) {
  const std::vector<InputSource> inputs{{9, 9, 9, 9}, {1, 2, 3, 4}, {5, 6, 7, 8}};
  Bytes bytes;
  encode(SchedulerAction(Deal{4, 5, 6, 1, 2}), inputs, bytes);
  SchedulerAction action;
  std::vector<InputSource> back;
  ByteView in(bytes);
  ASSERT_TRUE(decode(in, action, back));
  EXPECT_EQ(std::get<Deal>(action), (Deal{4, 5, 6, 0, 2}));
  EXPECT_EQ(back, (std::vector<InputSource>{{1, 2, 3, 4}, {5, 6, 7, 8}}));
}

TEST(EncodingTest, WorkerActionsComeBack) {
  const std::vector<WorkerAction> actions{Fetch{1, 2, 3, 4},
                                          Activate{1, 2},
                                          HoldRoots{},
                                          ReleaseRoots{3},
                                          Spill{9},
                                          Serve{1, 2, 3},
                                          AnswerNotMine{1, 2, 3},
                                          Discard{1, 2},
                                          GiveUp{1, 2},
                                          CancelActive{1, 2},
                                          SendFinished{{1, 2, 3, 4, 5}},
                                          SendProgress{1, 2, 3, 4, 5},
                                          SendFailed{1, 2, 3, Reason::TooLarge, false},
                                          SendReturned{1, 2, 3},
                                          SendRefused{1, 2},
                                          SendMissing{1, 2, 3, 4, 5},
                                          SendReplicated{1, 2},
                                          SendPaused{true},
                                          SendResumed{},
                                          Stuck{1, Reason::TooLarge, 3}};
  ASSERT_EQ(actions.size(), std::variant_size_v<WorkerAction>);
  for (const WorkerAction& action : actions) {
    Bytes bytes;
    encode(action, bytes);
    WorkerAction back;
    ByteView in(bytes);
    ASSERT_TRUE(decode(in, back));
    EXPECT_EQ(back, action);
  }
}

TEST(EncodingTest, EveryShortenedMessageIsRefused) {
  for (const SchedulerEvent& event : scheduler_events()) {
    const Bytes bytes = bytes_of(event);
    for (std::size_t length = 0; length != bytes.size(); ++length) {
      SchedulerEvent back;
      ByteView in(bytes.data(), length);
      EXPECT_FALSE(decode(in, back)) << "alternative " << event.body.index() << " cut to " << length;
    }
  }
}

TEST(EncodingTest, LengthBeyondTheBytesAllocatesNothing) {
  Bytes bytes = bytes_of(SchedulerEvent{0, OutputsReleased{{1, 2, 3}}});
  bytes[9] = bytes[10] = bytes[11] = bytes[12] = std::byte{0xff};  // after the time and the alternative: the length
  SchedulerEvent back;
  ByteView in(bytes);
  EXPECT_FALSE(decode(in, back));
  EXPECT_EQ(std::get<OutputsReleased>(back.body).packets.capacity(), 0u);
}

TEST(EncodingTest, SlicesBeyondTheirListsAreRefused) {
  PacketsSubmitted event = submission();
  event.producers.pop_back();
  const Bytes bytes = bytes_of(SchedulerEvent{0, event});
  SchedulerEvent back;
  ByteView in(bytes);
  EXPECT_FALSE(decode(in, back));
}

TEST(EncodingTest, DamagedBytesAreDecodedOrRefusedButNeverReadBeyond) {
  std::mt19937 random(1);
  for (const WorkerEvent& event : worker_events()) {
    const Bytes bytes = bytes_of(event);
    for (int i = 0; i != 300; ++i) {
      Bytes damaged = bytes;
      for (int k = 0; k != 3; ++k) damaged[random() % damaged.size()] = static_cast<std::byte>(random() & 0xff);
      WorkerEvent back;
      ByteView in(damaged);
      if (decode(in, back)) {
        EXPECT_LE(in.size(), damaged.size());
      }
    }
  }
}

}  // namespace
}  // namespace weft
