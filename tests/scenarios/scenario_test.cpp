#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include "tests/scenarios/text.hpp"

namespace weft::scenarios {
namespace {

namespace fs = std::filesystem;

/// Plays one file and writes it anew with the actions that came. Equal text means a passed scenario.
/// Owns: the machine of the file.  Threading: none.
class Player {
 public:
  std::string play(const std::string& text) {
    std::istringstream in(text);
    std::string out;
    for (std::string line; std::getline(in, line);) {
      if (line.rfind("  ", 0) == 0) continue;  // an expected action
      out += line + "\n";
      if (line.empty() || line[0] == '#') continue;
      for (const std::string& answer : answers(parse_line(line))) out += "  " + answer + "\n";
    }
    return out;
  }

 private:
  std::vector<std::string> answers(const Line& line) {
    if (line.verb == "scheduler") {
      scheduler_ = std::make_unique<Scheduler>(parse_scheduler_options(line));
      return {};
    }
    if (line.verb == "worker") {
      worker_ = std::make_unique<Worker>(parse_worker_options(line));
      return {};
    }
    if (line.verb == "wait") {
      time_ += static_cast<Nanoseconds>(parse_number(line.words.at(0)));
      return {};
    }
    if (scheduler_ != nullptr) return scheduler_answers(line);
    if (worker_ == nullptr) throw std::runtime_error("the first line names the machine: scheduler or worker");
    return worker_answers(line);
  }

  std::vector<std::string> scheduler_answers(const Line& line) {
    if (line.verb == "packet") {
      add_packet(line);
      return {};
    }
    if (line.verb == "state") return {scheduler_state(static_cast<PacketId>(parse_number(line.words.at(0))))};
    SchedulerEvent event;
    event.time = ++time_;
    if (line.verb == "submit") {
      event.body = std::move(batch_);
      batch_ = {};
    } else if (line.verb == "split") {
      const auto whole = static_cast<PacketId>(parse_number(line.words.at(0)));
      event.body = PacketSplit{whole, batch_.first_packet, std::move(batch_.packets), std::move(batch_.producers)};
      batch_ = {};
    } else {
      event.body = parse_scheduler_event(line);
    }
    SchedulerActions actions;
    scheduler_->handle(event, actions);
    scheduler_->check_invariants();
    std::vector<std::string> texts;
    for (const SchedulerAction& action : actions.list) texts.push_back(to_text(action, actions.inputs));
    return texts;
  }

  std::vector<std::string> worker_answers(const Line& line) {
    if (line.verb == "state") return {worker_state(static_cast<PacketId>(parse_number(line.words.at(0))))};
    WorkerActions actions;
    worker_->handle({++time_, parse_worker_event(line)}, actions);
    worker_->check_invariants();
    std::vector<std::string> texts;
    for (const WorkerAction& action : actions.list) texts.push_back(to_text(action));
    return texts;
  }

  /// `packet 5 ...`: one of the next submission, whose first has the smallest id.
  void add_packet(const Line& line) {
    const auto id = static_cast<PacketId>(parse_number(line.words.at(0)));
    if (batch_.packets.empty()) batch_.first_packet = id;
    if (id != batch_.first_packet + batch_.packets.size())
      throw std::runtime_error("packets of a batch follow each other");
    PacketSpec spec = parse_spec(line, batch_.needs);
    spec.first_producer = static_cast<std::uint32_t>(batch_.producers.size());
    if (line.values.count("inputs") != 0) {
      for (const std::string& part : split(line.values.at("inputs"), ',')) {
        const std::vector<std::string> pair = split(part, ':');
        batch_.producers.push_back(
            {static_cast<PacketId>(parse_number(pair[0])), pair.size() > 1 ? parse_number(pair[1]) : 100});
      }
    }
    spec.producer_count = static_cast<std::uint32_t>(batch_.producers.size()) - spec.first_producer;
    batch_.packets.push_back(spec);
  }

  std::string scheduler_state(PacketId id) const {
    if (!scheduler_->knows(id)) return "unknown";
    const WorkerId owner = scheduler_->owner(id);
    const std::string at = owner == kNone ? "" : owner == kKeeper ? " at keeper" : fmt::format(" at {}", owner);
    return fmt::format("{}{}, attempt {}", to_string(scheduler_->state(id)), at, scheduler_->attempt(id));
  }

  std::string worker_state(PacketId id) const { return worker_->knows(id) ? to_string(worker_->state(id)) : "unknown"; }

  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<Worker> worker_;
  PacketsSubmitted batch_;
  Nanoseconds time_ = 0;
};

std::vector<fs::path> scenario_files() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(WEFT_SOURCE_DIR "/tests/scenarios")) {
    if (entry.path().extension() == ".txt" && entry.path().filename() != "CMakeLists.txt")
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class ScenarioTest : public ::testing::TestWithParam<fs::path> {};

TEST_P(ScenarioTest, LeadsToTheWrittenActions) {
  const std::string expected = read(GetParam());
  const std::string played = Player().play(expected);
  if (std::getenv("WEFT_REWRITE_SCENARIOS") != nullptr && played != expected) {
    std::ofstream(GetParam()) << played;
    GTEST_SKIP() << GetParam() << " is rewritten: look at the difference before you commit it";
  }
  EXPECT_EQ(played, expected) << "run with WEFT_REWRITE_SCENARIOS=1 to rewrite the file, then review the difference";
}

INSTANTIATE_TEST_SUITE_P(Scenarios, ScenarioTest, ::testing::ValuesIn(scenario_files()),
                         [](const ::testing::TestParamInfo<fs::path>& file) { return file.param.stem().string(); });

}  // namespace
}  // namespace weft::scenarios
