#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/messages/action.hpp"
#include "core/messages/event.hpp"
#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

// The language of the scenario files: README.md beside this file has it in full.

namespace weft::scenarios {

/// A line of a scenario cut into its words: a verb, plain words, and key=value pairs.
struct Line {
  std::string verb;
  std::vector<std::string> words;
  std::map<std::string, std::string> values;

  [[nodiscard]] bool has(const std::string& word) const;
  [[nodiscard]] std::uint64_t number(const std::string& key, std::uint64_t otherwise) const;
};

/// `5@2` is packet 5, attempt 2.
struct Dealt {
  PacketId packet = kNone;
  Attempt attempt = 0;
};

[[nodiscard]] Line parse_line(const std::string& text);
[[nodiscard]] std::uint64_t parse_number(const std::string& text);
[[nodiscard]] Dealt parse_dealt(const std::string& text);
/// `3@1:0:100` is packet 3, attempt 1, at worker 0, 100 bytes.
[[nodiscard]] InputSource parse_source(const std::string& text);
[[nodiscard]] std::vector<std::string> split(const std::string& text, char by);

/// Reads what a packet is from `key=value` pairs; what it needs goes to `needs`.
[[nodiscard]] PacketSpec parse_spec(const Line& line, std::vector<Needs>& needs);
[[nodiscard]] SchedulerOptions parse_scheduler_options(const Line& line);
[[nodiscard]] WorkerOptions parse_worker_options(const Line& line);
[[nodiscard]] std::vector<ResourceAmount> parse_resources(const std::string& text);

/// Any event but a submission, which takes several lines.
[[nodiscard]] SchedulerEventBody parse_scheduler_event(const Line& line);
[[nodiscard]] WorkerEventBody parse_worker_event(const Line& line);

/// One line for each action.
[[nodiscard]] std::string to_text(const SchedulerAction& action, const std::vector<InputSource>& inputs);
[[nodiscard]] std::string to_text(const WorkerAction& action);

}  // namespace weft::scenarios
