#include "core/messages/recording.hpp"

#include <gtest/gtest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <weft/error.hpp>

namespace weft {
namespace {

namespace fs = std::filesystem;

class RecordingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = (fs::temp_directory_path() / ("weft_recording_" + std::to_string(::getpid()) + "_" +
                                          ::testing::UnitTest::GetInstance()->current_test_info()->name()))
                .string();
  }
  void TearDown() override { fs::remove(path_); }

  /// Twenty packets in a chain, dealt to one worker machine.
  void record_a_run() {
    Recorder recorder(path_);
    SchedulerOptions scheduler_options;
    WorkerOptions worker_options;
    recorder.begin(scheduler_options);
    recorder.begin(worker_options);
    Scheduler scheduler(scheduler_options);
    Worker worker(worker_options);
    SchedulerActions actions;
    WorkerActions worker_actions;
    const auto tell = [&](SchedulerEventBody body) {
      const SchedulerEvent event{++time_, std::move(body)};
      const std::size_t first = actions.list.size();
      scheduler.handle(event, actions);
      recorder.record(event, actions, first);
      ++told_;
    };
    tell(WorkerJoined{0, 1, 0, {}});
    PacketsSubmitted submitted;
    for (PacketId id = 0; id != 20; ++id) {
      PacketSpec spec;
      spec.first_producer = static_cast<std::uint32_t>(submitted.producers.size());
      if (id != 0) submitted.producers.push_back({id - 1, 100});
      spec.producer_count = id != 0 ? 1 : 0;
      spec.flags |= packet_flags::kWanted;
      submitted.packets.push_back(spec);
    }
    tell(submitted);
    for (std::size_t i = 0; i != actions.list.size(); ++i) {
      const Deal* deal = std::get_if<Deal>(&actions.list[i]);
      if (deal == nullptr) continue;
      PacketsDealt message;
      scheduler.describe_deal(*deal, actions, message);
      const Deal dealt = *deal;
      for (const WorkerEvent& event :
           {WorkerEvent{++time_, message}, WorkerEvent{++time_, PacketDone{dealt.packet, dealt.attempt, 8, 10, 0}}}) {
        const std::size_t first = worker_actions.list.size();
        worker.handle(event, worker_actions);
        recorder.record(0, event, worker_actions, first);
        ++told_;
      }
      tell(PacketsFinished{0, {{dealt.packet, dealt.attempt, 0, 8, 10}}});
    }
  }

  std::string path_;
  Nanoseconds time_ = 0;
  std::uint64_t told_ = 0;
};

TEST_F(RecordingTest, ReplayComesToTheSameActions) {
  record_a_run();
  const ReplayReport report = replay(path_);
  EXPECT_TRUE(report.same()) << report.difference;
  EXPECT_EQ(report.events, told_);
  EXPECT_GE(report.actions, 60u);
  EXPECT_TRUE(report.has_scheduler);
  EXPECT_EQ(report.workers, 1u);
  EXPECT_EQ(report.torn_bytes, 0u);
}

TEST_F(RecordingTest, TornEndIsReportedAndTheRestReplayed) {
  record_a_run();
  fs::resize_file(path_, fs::file_size(path_) - 5);
  const ReplayReport report = replay(path_);
  EXPECT_TRUE(report.same());
  EXPECT_EQ(report.events, told_ - 1);
  EXPECT_GT(report.torn_bytes, 0u);
}

TEST_F(RecordingTest, DamagedFrameEndsTheReplay) {
  record_a_run();
  const auto middle = static_cast<std::streamoff>(fs::file_size(path_) / 2);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(middle);
  file.put('\x5a');
  file.close();
  const ReplayReport report = replay(path_);
  EXPECT_TRUE(report.same());
  EXPECT_LT(report.events, told_);
  EXPECT_GT(report.torn_bytes, 0u);
}

TEST_F(RecordingTest, OtherDecisionIsFound) {
  {
    Recorder recorder(path_);
    recorder.begin(SchedulerOptions{});
    SchedulerActions claimed;
    claimed.list.push_back(Forget{3});  // no machine would
    recorder.record(SchedulerEvent{1, WorkerJoined{0, 1, 0, {}}}, claimed, 0);
  }
  const ReplayReport report = replay(path_);
  EXPECT_FALSE(report.same());
  EXPECT_NE(report.difference.find("event 0, of the scheduler"), std::string::npos) << report.difference;
}

TEST_F(RecordingTest, AnotherFileIsRefusedByName) {
  std::ofstream(path_) << "something else entirely";
  try {
    (void)replay(path_);
    FAIL() << "no recording, and nothing was thrown";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find(path_), std::string::npos);
  }
}

TEST_F(RecordingTest, UnwritablePlaceIsRefused) { EXPECT_THROW(Recorder("/no-such-directory/recording"), ConfigError); }

}  // namespace
}  // namespace weft
