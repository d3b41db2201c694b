#include "mpi_launch/command/report/run_file.hpp"

#include "core/runtime/look.hpp"
#include "core/runtime/runtime.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/client.hpp>
#include <weft/resource_profile.hpp>
#include <weft/watch.hpp>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

namespace weft::command::report {
namespace {

using SystemTime = std::chrono::system_clock::time_point;

/// Enough for a page with a bar for each.
constexpr std::size_t kMostTasks = 20'000;

double seconds_between(SystemTime begin, SystemTime end) { return std::chrono::duration<double>(end - begin).count(); }

void write_whole(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  bool whole = file != nullptr && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  if (file != nullptr) whole = std::fclose(file) == 0 && whole;
  if (!whole) throw Error("the report '" + path + "' cannot be written: " + std::strerror(errno));
}

std::string tasks_json(const TaskStream& stream, SystemTime begin) {
  std::vector<RanTask> tasks = stream.tasks();
  const std::size_t all = tasks.size();
  if (all > kMostTasks) {
    const auto longer = [](const RanTask& a, const RanTask& b) { return a.seconds > b.seconds; };
    std::nth_element(tasks.begin(), tasks.begin() + kMostTasks, tasks.end(), longer);
    tasks.resize(kMostTasks);
  }
  std::string out;
  for (const RanTask& one : tasks) {
    out += (out.empty() ? "" : ",\n  ") + std::string("{\"name\":") + json_text(one.name) +
           ",\"file\":" + json_text(one.file) + ",\"line\":" + std::to_string(one.line) +
           ",\"worker\":" + json_text(one.worker) + ",\"slot\":" + std::to_string(one.slot) +
           ",\"start\":" + json_number(seconds_between(begin, one.start)) + ",\"seconds\":" + json_number(one.seconds) +
           (one.failed ? ",\"failed\":true" : "") + "}";
  }
  return "[" + out + "],\n\"tasks_noted\":" + std::to_string(all) +
         ",\"tasks_left_out\":" + std::to_string(stream.left_out());
}

/// The most that a process held, and how many processors it kept busy in the mean.
std::string samples_json(const std::vector<ResourceSample>& samples) {
  std::size_t resident = 0, used = 0;
  double busy = 0, last = 0, whole = 0;
  for (const ResourceSample& one : samples) {
    resident = std::max(resident, one.resident_bytes);
    used = std::max(used, one.used_bytes);
    busy += one.busy_cores * (one.seconds - last);
    whole += one.seconds - last;
    last = one.seconds;
  }
  return ",\"busy_cores\":" + json_number(whole > 0 ? busy / whole : 0) +
         ",\"peak_resident_bytes\":" + std::to_string(resident) + ",\"peak_used_bytes\":" + std::to_string(used);
}

/// Of values that came from other processes, by the workers' names; none where they are this process.
std::map<std::string, std::uint64_t> fetched_bytes(const Client& client) {
  std::map<std::string, std::uint64_t> out;
  Runtime* const runtime = Runtime::find(client.serial());
  if (runtime == nullptr || runtime->alone()) return out;
  for (const WorkerLook& look : runtime->look({})) out[look.worker] = look.fetched_bytes;
  return out;
}

std::string workers_json(const Client& client, const ResourceProfile& profile) {
  const ClientInfo info = client.info();
  auto moved = fetched_bytes(client);
  const auto theirs = profile.worker_samples();
  std::string out;
  for (const WorkerInfo& one : info.workers) {
    const auto found = theirs.find(one.name);
    out += (out.empty() ? "" : ",\n  ") + std::string("{\"name\":") + json_text(one.name) +
           ",\"slots\":" + std::to_string(one.slots) + ",\"memory_bytes\":" + std::to_string(one.memory_bytes) +
           ",\"fetched_bytes\":" + std::to_string(moved[one.name]) +
           samples_json(found == theirs.end() ? profile.samples() : found->second) + "}";
  }
  return "[" + out + "]";
}

std::string events_json(const Client& client, SystemTime begin) {
  std::vector<std::pair<SystemTime, std::string>> events;
  for (const char* const topic : {"workers", "failures"}) {
    for (const LoggedEvent& one : client.events(topic)) {
      events.emplace_back(one.time, "{\"seconds\":" + json_number(seconds_between(begin, one.time)) + ",\"topic\":\"" +
                                        topic + "\",\"text\":" + json_text(one.text) + "}");
    }
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string out;
  for (const auto& [time, text] : events) out += (out.empty() ? "" : ",\n  ") + text;
  return "[" + out + "]";
}

}  // namespace

struct RunFile::Watchers {
  explicit Watchers(const Client& client) : stream(client), profile(client) {}
  SystemTime begin = std::chrono::system_clock::now();
  TaskStream stream;
  ResourceProfile profile;
};

RunFile::RunFile(const Client& client, std::string path, std::string command)
    : client_(client), path_(std::move(path)), command_(std::move(command)) {
  // What cannot be written is said before the work, not after it.
  write_whole(path_, "");
  watchers_ = std::make_unique<Watchers>(client);
}

RunFile::~RunFile() = default;

void RunFile::write(int exit_code) const {
  const SystemTime begin = watchers_->begin;
  const double seconds = seconds_between(begin, std::chrono::system_clock::now());
  watchers_->profile.stop();
  watchers_->stream.stop();
  const MemoryReport memory = client_.memory();
  write_whole(path_, "{\"weft_run\":1,\n\"command\":" + json_text(command_) +
                         ",\n\"exit\":" + std::to_string(exit_code) + ",\n\"seconds\":" + json_number(seconds) +
                         ",\n\"scheduler\":" + json_text(client_.info().scheduler) +
                         ",\n\"ledger\":" + client_.ledger().to_json() +
                         ",\n\"memory\":{\"spill_written_bytes\":" + std::to_string(memory.spill_written_bytes) +
                         ",\"spill_read_bytes\":" + std::to_string(memory.spill_read_bytes) +
                         "},\n\"workers\":" + workers_json(client_, watchers_->profile) + ",\n\"tasks\":" +
                         tasks_json(watchers_->stream, begin) + ",\n\"events\":" + events_json(client_, begin) + "}\n");
}

}  // namespace weft::command::report
