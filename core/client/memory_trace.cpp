#include <weft/memory_trace.hpp>

#include "core/diagnostics/write_file.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/client.hpp>
#include <weft/log.hpp>
#include <weft/resource_profile.hpp>
#include <weft/watch.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <map>
#include <set>
#include <utility>

namespace weft {
namespace {

using Times = std::chrono::system_clock;

/// The name without its number: "load #17" is "load".
std::string kind_of(const RanTask& task) {
  const std::size_t number = task.name.rfind(" #");
  return number == std::string::npos ? task.name : task.name.substr(0, number);
}

struct Span {
  double begin = 0;
  double end = 0;
  std::string name;
};

/// Adds up what a process's samples say of the tasks that ran there.
void add_process(const std::string& worker, const std::vector<ResourceSample>& samples, std::vector<Span> spans,
                 std::map<std::string, TracedMemory>& kinds, std::vector<TracedMemory>& all) {
  TracedMemory whole{.worker = worker, .name = {}};
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::size_t next = 0;
  std::vector<const Span*> running;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const ResourceSample& now = samples[i];
    whole.highest_bytes = std::max(whole.highest_bytes, now.resident_bytes);
    whole.seconds = now.seconds - samples.front().seconds;
    // Where one process came in the place of another that was lost, nothing has shrunk.
    const bool same_process = i != 0 && now.tasks_done >= samples[i - 1].tasks_done;
    const std::int64_t growth = same_process ? static_cast<std::int64_t>(now.resident_bytes) -
                                                   static_cast<std::int64_t>(samples[i - 1].resident_bytes)
                                             : 0;
    whole.growth_bytes += growth;
    const double before = i == 0 ? now.seconds : samples[i - 1].seconds;
    std::erase_if(running, [&](const Span* one) { return one->end < before; });
    for (; next < spans.size() && spans[next].begin <= now.seconds; ++next) {
      if (spans[next].end >= before) running.push_back(&spans[next]);
    }
    std::set<std::string> names;
    for (const Span* const one : running) {
      names.insert(one->name);
      if (one->begin > now.seconds || one->end < now.seconds) continue;
      std::size_t& highest = kinds[one->name].highest_bytes;
      highest = std::max(highest, now.resident_bytes);
    }
    if (growth != 0 && names.size() == 1) kinds[*names.begin()].growth_bytes += growth;
  }
  if (!samples.empty()) all.push_back(std::move(whole));
}

}  // namespace

struct MemoryTrace::Parts {
  Parts(const Client& client, std::string to, const MemoryTraceOptions& options)
      : path(std::move(to)),
        begin(Times::now()),
        profile(client, {.interval = options.interval, .workers = options.workers}),
        stream(client) {}
  const std::string path;
  const Times::time_point begin;
  ResourceProfile profile;
  TaskStream stream;
};

MemoryTrace::MemoryTrace(const Client& client, std::string path, const MemoryTraceOptions& options)
    : parts_(std::make_unique<Parts>(client, std::move(path), options)) {}

MemoryTrace::~MemoryTrace() {
  if (parts_->path.empty()) return;
  try {
    parts_->profile.stop();
    write(parts_->path);
  } catch (const std::exception& error) {
    logging::error("client", "the memory trace could not be written: ", error.what());
  }
}

std::vector<TracedMemory> MemoryTrace::seen() const {
  std::map<std::string, std::vector<ResourceSample>> samples = parts_->profile.worker_samples();
  // In one process its only worker is the program itself.
  const bool alone = samples.empty();
  std::map<std::string, std::vector<Span>> spans;
  std::map<std::string, std::map<std::string, TracedMemory>> kinds;
  for (const RanTask& task : parts_->stream.tasks()) {
    const double begin = std::chrono::duration<double>(task.start - parts_->begin).count();
    const std::string worker = alone ? std::string("client") : task.worker;
    spans[worker].push_back({begin, begin + task.seconds, kind_of(task)});
    TracedMemory& kind = kinds[worker][kind_of(task)];
    ++kind.tasks;
    kind.seconds += task.seconds;
  }
  samples["client"] = parts_->profile.samples();
  std::vector<TracedMemory> all;
  for (auto& [worker, of_worker] : samples) add_process(worker, of_worker, spans[worker], kinds[worker], all);
  for (auto& [worker, of_worker] : kinds) {
    for (auto& [name, kind] : of_worker) {
      kind.worker = worker;
      kind.name = name;
      all.push_back(std::move(kind));
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const TracedMemory& a, const TracedMemory& b) {
    return std::pair(!a.name.empty(), -a.growth_bytes) < std::pair(!b.name.empty(), -b.growth_bytes);
  });
  return all;
}

void MemoryTrace::write(const std::string& path) const {
  const bool page = path.ends_with(".html");
  std::string text = page
                         ? "<!doctype html>\n<meta charset=\"utf-8\"><title>weft: memory</title>\n"
                           "<body style=\"font-family: sans-serif\"><h1>Memory by tasks</h1>\n<table cellpadding=\"4\">"
                           "<tr><th>process<th>tasks of<th>number<th>seconds<th>highest<th>growth alone\n"
                         : "process,name,tasks,seconds,highest_bytes,growth_bytes\n";
  for (const TracedMemory& one : seen()) {
    if (page) {
      const std::string growth =
          (one.growth_bytes < 0 ? "-" : "") + bytes_text(static_cast<std::size_t>(std::abs(one.growth_bytes)));
      text += fmt::format("<tr><td>{}<td>{}<td>{}<td>{:.3f}<td>{}<td>{}\n", html_text(one.worker),
                          one.name.empty() ? "<i>all of it</i>" : html_text(one.name), one.tasks, one.seconds,
                          one.highest_bytes == 0 ? "-" : bytes_text(one.highest_bytes), growth);
    } else {
      std::string name = one.name;
      for (std::size_t at = 0; (at = name.find('"', at)) != std::string::npos; at += 2) name.insert(at, 1, '"');
      text += fmt::format("{},\"{}\",{},{:.6f},{},{}\n", one.worker, name, one.tasks, one.seconds, one.highest_bytes,
                          one.growth_bytes);
    }
  }
  write_file("memory trace", path, text + (page ? "</table>\n" : ""));
}

}  // namespace weft
