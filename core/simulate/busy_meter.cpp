#include "core/simulate/busy_meter.hpp"

#include <algorithm>
#include <queue>
#include <utility>

namespace weft::sim {
namespace {

void list_consumers(const Workload& workload, std::vector<std::uint32_t>& first, std::vector<TaskId>& consumers) {
  const std::uint32_t count = workload.task_count();
  first.assign(count + 1, 0);
  for (const TaskId input : workload.inputs) ++first[input + 1];
  for (std::uint32_t i = 0; i < count; ++i) first[i + 1] += first[i];
  consumers.resize(workload.inputs.size());
  std::vector<std::uint32_t> next(first.begin(), first.end() - 1);
  for (TaskId task = 0; task < count; ++task) {
    for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
      consumers[next[workload.inputs[i]]++] = task;
    }
  }
}

std::vector<std::uint32_t> count_inputs(const Workload& workload) {
  std::vector<std::uint32_t> missing(workload.task_count());
  for (TaskId task = 0; task < workload.task_count(); ++task) {
    missing[task] = workload.first_input[task + 1] - workload.first_input[task];
  }
  return missing;
}

}  // namespace

BusyMeter::BusyMeter(const Workload& workload, std::uint32_t cores) : cores_(cores), missing_(count_inputs(workload)) {
  list_consumers(workload, first_consumer_, consumers_);
}

void BusyMeter::begin(Nanoseconds now) {
  last_ = now;
  for (const std::uint32_t missing : missing_) ready_ += missing == 0 ? 1 : 0;
}

void BusyMeter::task_started(Nanoseconds now) {
  advance(now);
  ++running_;
  --ready_;
}

void BusyMeter::task_finished(TaskId task, Nanoseconds now) {
  advance(now);
  --running_;
  ++finished_;
  for (std::uint32_t i = first_consumer_[task]; i < first_consumer_[task + 1]; ++i) {
    if (--missing_[consumers_[i]] == 0) ++ready_;
  }
}

Nanoseconds greedy_makespan(const Workload& workload, std::uint32_t cores) {
  std::vector<std::uint32_t> first, missing = count_inputs(workload);
  std::vector<TaskId> consumers;
  list_consumers(workload, first, consumers);
  std::queue<TaskId> ready;
  for (TaskId task = 0; task < workload.task_count(); ++task) {
    if (missing[task] == 0) ready.push(task);
  }
  using End = std::pair<Nanoseconds, TaskId>;
  std::priority_queue<End, std::vector<End>, std::greater<>> running;
  Nanoseconds now = 0;
  while (!ready.empty() || !running.empty()) {
    while (!ready.empty() && running.size() < cores) {
      running.emplace(now + workload.run_ns[ready.front()], ready.front());
      ready.pop();
    }
    const TaskId task = running.top().second;
    now = running.top().first;
    running.pop();
    for (std::uint32_t i = first[task]; i < first[task + 1]; ++i) {
      if (--missing[consumers[i]] == 0) ready.push(consumers[i]);
    }
  }
  return now;
}

Nanoseconds critical_path(const Workload& workload) {
  std::vector<Nanoseconds> ends(workload.task_count());
  Nanoseconds longest = 0;
  for (TaskId task = 0; task < workload.task_count(); ++task) {  // inputs come before
    Nanoseconds begin = 0;
    for (std::uint32_t i = workload.first_input[task]; i < workload.first_input[task + 1]; ++i) {
      begin = std::max(begin, ends[workload.inputs[i]]);
    }
    ends[task] = begin + workload.run_ns[task];
    longest = std::max(longest, ends[task]);
  }
  return longest;
}

}  // namespace weft::sim
