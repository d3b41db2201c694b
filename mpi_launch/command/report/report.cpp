// `weft report`: what a run did.
#include "mpi_launch/command/report/report.hpp"

#include "core/memory/bytes_text.hpp"
#include "io/files/json.hpp"
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace weft::command::report {
namespace {

using io::Json;

std::string place_of(const Json& task) {
  const std::string& file = task["file"].text();
  return file.empty() ? "" : file + ":" + task["line"].text();
}

/// Tasks of one name but for the numbers in it are of one stage.
std::string stage_of(const Task& task) {
  std::string name = task.place;
  if (!name.empty()) return name;
  for (const char c : task.name) {
    if (std::strchr("0123456789", c) == nullptr) name += c;
  }
  return name;
}

void read_tasks(const Json& json, Run& run) {
  std::map<std::string, Stage> stages;
  for (const Json& one : json["tasks"].list()) {
    Task task{one["name"].text(),    place_of(one),
              one["worker"].text(),  static_cast<std::int64_t>(one["slot"].number()),
              one["start"].number(), one["seconds"].number(),
              one["failed"].truth()};
    Stage& stage = stages[stage_of(task)];
    ++stage.tasks;
    stage.seconds += task.seconds;
    stage.longest = std::max(stage.longest, task.seconds);
    run.tasks.push_back(std::move(task));
  }
  for (auto& [name, stage] : stages) {
    stage.name = name;
    run.stages.push_back(stage);
  }
  std::stable_sort(run.tasks.begin(), run.tasks.end(),
                   [](const Task& a, const Task& b) { return a.seconds > b.seconds; });
  std::stable_sort(run.stages.begin(), run.stages.end(),
                   [](const Stage& a, const Stage& b) { return a.seconds > b.seconds; });
  run.tasks_noted = static_cast<std::int64_t>(json["tasks_noted"].number());
  run.tasks_left_out = static_cast<std::int64_t>(json["tasks_left_out"].number());
}

}  // namespace

Run read_run(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("'" + path + "': there is no such run file");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::string none = "'" + path + "' is no run file: a verb with --report FILE writes one when it ends";
  Json json;
  try {
    json = Json::parse(text, path);
  } catch (const Error&) {
    throw Error(none);
  }
  if (!json.is(Json::Object) || !json["weft_run"].is(Json::Number)) throw Error(none);
  if (json["weft_run"].number() != 1)
    throw Error("'" + path + "' was written by another version of weft: use that one's weft report");
  Run run;
  run.command = json["command"].text();
  run.scheduler = json["scheduler"].text();
  run.exit = static_cast<std::int64_t>(json["exit"].number());
  const Json& ledger = json["ledger"];
  run.seconds = ledger["wall_seconds"].number();
  run.slots = ledger["slots"].number();
  run.tasks_run = ledger["tasks"].number();
  run.overhead_us = ledger["overhead_us_per_task"].number();
  for (const auto& [name, seconds] : ledger["phases"].members()) {
    const double whole = run.slots * run.seconds;
    run.phases.push_back({name, seconds.number(), whole > 0 ? seconds.number() / whole : 0});
  }
  std::stable_sort(run.phases.begin(), run.phases.end(),
                   [](const Phase& a, const Phase& b) { return a.seconds > b.seconds; });
  for (const Json& one : ledger["moved"].list())
    run.moved.push_back({one["name"].text(), one["results"].number(), one["bytes"].number()});
  run.spill_written = json["memory"]["spill_written_bytes"].number();
  run.spill_read = json["memory"]["spill_read_bytes"].number();
  for (const Json& one : json["workers"].list()) {
    run.workers.push_back({one["name"].text(), static_cast<std::int64_t>(one["slots"].number()),
                           one["busy_cores"].number(), one["peak_resident_bytes"].number(),
                           one["fetched_bytes"].number()});
  }
  for (const Json& one : json["events"].list())
    run.events.push_back({one["seconds"].number(), one["topic"].text(), one["text"].text()});
  read_tasks(json, run);
  return run;
}

double Run::share(const std::string& phase) const {
  for (const Phase& one : phases) {
    if (one.name == phase) return one.share;
  }
  return 0;
}

double Run::moved_bytes() const {
  double out = 0;
  for (const WorkerLine& one : workers) out += one.fetched_bytes;
  return out;
}

std::vector<Event> Run::deaths() const {
  std::vector<Event> out;
  for (const Event& one : events) {
    if (one.topic == "workers" && one.text.find("lost") != std::string::npos) out.push_back(one);
  }
  return out;
}

Bottleneck bottleneck_of(const Run& run) {
  const double idle = run.share("idle"), fetch = run.share("fetch"), spill = run.share("spill"),
               kernel = run.share("kernel");
  double overhead = 0;
  for (const Phase& one : run.phases) {
    if (one.name != "idle" && one.name != "fetch" && one.name != "spill" && one.name != "kernel" &&
        one.name != "journal")
      overhead += one.share;
  }
  const double longest = run.tasks.empty() ? 0 : run.tasks[0].seconds;
  if (kernel >= std::max({idle, fetch, spill, overhead})) {
    return {"kernel", kernel,
            fmt::format("the tasks' own work takes {:.0f}% of the slots' time: more slots, or less work in the stages "
                        "below, make it faster",
                        kernel * 100)};
  }
  if (idle >= std::max({fetch, spill, overhead})) {
    if (longest > 0.5 * run.seconds) {
      return {"idle", idle,
              fmt::format("slots had nothing to do for {:.0f}% of their time: one task, {}, took {:.2f} of {:.2f} s; "
                          "cut it into smaller ones",
                          idle * 100, run.tasks[0].name, longest, run.seconds)};
    }
    if (run.tasks_run < 2 * run.slots) {
      return {"idle", idle,
              fmt::format("slots had nothing to do for {:.0f}% of their time: {:.0f} tasks are few for {:.0f} slots; "
                          "cut the work into smaller chunks",
                          idle * 100, run.tasks_run, run.slots)};
    }
    return {"idle", idle,
            fmt::format("slots had nothing to do for {:.0f}% of their time: what one process does between the tasks, "
                        "as opening files and "
                        "writing, takes the rest",
                        idle * 100)};
  }
  if (fetch >= std::max(spill, overhead)) {
    return {"fetch", fetch,
            fmt::format("slots waited for {:.0f}% of their time for values that other workers held: larger chunks, or "
                        "fewer workers with more slots, move less",
                        fetch * 100)};
  }
  if (spill >= overhead) {
    return {"spill", spill,
            fmt::format("writing results to disk and reading them back takes {:.0f}% of the slots' time ({} written): "
                        "give more --memory",
                        spill * 100, bytes_text(static_cast<std::uint64_t>(run.spill_written)))};
  }
  return {
      "overhead", overhead,
      fmt::format("weft's own work takes {:.0f}% of the slots' time, {:.1f} us a task: larger chunks mean fewer tasks",
                  overhead * 100, run.overhead_us)};
}

std::string report_text(const Run& run, std::size_t most) {
  std::string out =
      fmt::format("{}\n{:.2f} s, exit {}; {} worker{}, {:.0f} slots ({}); {:.0f} tasks, {:.2f} us of overhead each\n",
                  run.command, run.seconds, run.exit, run.workers.size(), run.workers.size() == 1 ? "" : "s", run.slots,
                  run.scheduler, run.tasks_run, run.overhead_us);
  out += "\ntop bottleneck: " + bottleneck_of(run).words + "\n\nwhere the time of the slots went\n";
  for (const Phase& one : run.phases) {
    if (one.share >= 0.0005)
      out += fmt::format("  {:<10}{:>6.1f}%  {:.2f} s\n", one.name, one.share * 100, one.seconds);
  }
  out += "\nstages, by the time of their tasks\n";
  for (std::size_t i = 0; i < std::min(most, run.stages.size()); ++i) {
    const Stage& one = run.stages[i];
    out += fmt::format("  {:>9.3f} s  {} task{}, the longest {:.3f} s  {}\n", one.seconds, one.tasks,
                       one.tasks == 1 ? "" : "s", one.longest, one.name);
  }
  out += "\nslowest tasks\n";
  for (std::size_t i = 0; i < std::min(most, run.tasks.size()); ++i) {
    const Task& one = run.tasks[i];
    out += fmt::format("  {:>9.3f} s  from {:.3f} s on {} slot {}: {}{}\n", one.seconds, one.start, one.worker,
                       one.slot, one.name, one.failed ? " (failed)" : "");
  }
  const auto noted = static_cast<std::int64_t>(run.tasks_run) - run.tasks_noted;
  if (noted > 0)
    out += fmt::format("  ({} tasks of less than about 20 us, or too many to note, are not among them)\n", noted);
  out += "\nworkers\n";
  for (const WorkerLine& one : run.workers) {
    out += fmt::format("  {}: {} slots, {:.2f} processors busy, {} at most{}\n", one.name, one.slots, one.busy_cores,
                       bytes_text(static_cast<std::uint64_t>(one.peak_bytes)),
                       one.fetched_bytes == 0 ? ""
                                              : fmt::format(", {} fetched from others",
                                                            bytes_text(static_cast<std::uint64_t>(one.fetched_bytes))));
  }
  out += fmt::format("\nmoved between workers: {}\n", bytes_text(static_cast<std::uint64_t>(run.moved_bytes())));
  for (std::size_t i = 0; i < std::min(most, run.moved.size()); ++i) {
    const Moved& one = run.moved[i];
    out += fmt::format("  {:>9}  {:.0f} result{} of {}\n", bytes_text(static_cast<std::uint64_t>(one.bytes)),
                       one.results, one.results == 1 ? "" : "s", one.name);
  }
  if (run.spill_written > 0) {
    out += fmt::format("\nspilled: {} written to disk, {} read back\n",
                       bytes_text(static_cast<std::uint64_t>(run.spill_written)),
                       bytes_text(static_cast<std::uint64_t>(run.spill_read)));
  }
  out += fmt::format("\n{} worker{} lost\n", run.deaths().size(), run.deaths().size() == 1 ? "" : "s");
  for (const Event& one : run.events) out += fmt::format("  {:>8.2f} s  {}: {}\n", one.seconds, one.topic, one.text);
  return out;
}

}  // namespace weft::command::report

namespace weft::command::data {
namespace {

using namespace report;

std::string events_json(const std::vector<Event>& events) {
  std::string out;
  for (const Event& one : events)
    out += (out.empty() ? "" : ",") + std::string("{\"seconds\":") + json_number(one.seconds) +
           ",\"text\":" + json_text(one.text) + "}";
  return "[" + out + "]";
}

std::string report_json(const Run& run, std::size_t most) {
  const Bottleneck top = bottleneck_of(run);
  std::string phases, stages, tasks, moved;
  for (const Phase& one : run.phases)
    phases += (phases.empty() ? "" : ",") + json_text(one.name) + ":" + json_number(one.share);
  for (std::size_t i = 0; i < std::min(most, run.stages.size()); ++i) {
    const Stage& one = run.stages[i];
    stages += (stages.empty() ? "" : ",") + std::string("{\"name\":") + json_text(one.name) +
              ",\"tasks\":" + std::to_string(one.tasks) + ",\"seconds\":" + json_number(one.seconds) +
              ",\"longest\":" + json_number(one.longest) + "}";
  }
  for (std::size_t i = 0; i < std::min(most, run.tasks.size()); ++i) {
    const Task& one = run.tasks[i];
    tasks += (tasks.empty() ? "" : ",") + std::string("{\"name\":") + json_text(one.name) +
             ",\"worker\":" + json_text(one.worker) + ",\"start\":" + json_number(one.start) +
             ",\"seconds\":" + json_number(one.seconds) + "}";
  }
  for (std::size_t i = 0; i < std::min(most, run.moved.size()); ++i) {
    const Moved& one = run.moved[i];
    moved += (moved.empty() ? "" : ",") + std::string("{\"name\":") + json_text(one.name) +
             ",\"results\":" + json_number(one.results) + ",\"bytes\":" + json_number(one.bytes) + "}";
  }
  return "{\"command\":" + json_text(run.command) + ",\"exit\":" + std::to_string(run.exit) +
         ",\"seconds\":" + json_number(run.seconds) + ",\"slots\":" + json_number(run.slots) +
         ",\"tasks\":" + json_number(run.tasks_run) + ",\"bottleneck\":{\"what\":" + json_text(top.what) +
         ",\"share\":" + json_number(top.share) + ",\"text\":" + json_text(top.words) + "},\"phases\":{" + phases +
         "},\"stages\":[" + stages + "],\"slowest\":[" + tasks + "],\"moved_bytes\":" + json_number(run.moved_bytes()) +
         ",\"moved\":[" + moved + "]" + ",\"spill_written_bytes\":" + json_number(run.spill_written) +
         ",\"lost\":" + events_json(run.deaths()) + "}\n";
}

}  // namespace

int run_report(const Given& given) {
  const double wanted = given.number("top", 10);
  if (!(wanted >= 1 && wanted <= 1e6)) throw UsageError("weft report: --top takes a number from 1 on");
  const auto most = static_cast<std::size_t>(wanted);
  const std::string out = given.words().size() == 1 ? "" : given.words()[1];
  if (!out.empty() && !out.ends_with(".html"))
    throw UsageError("weft report: '" + out + "' must end with .html; the text goes to standard output");
  const Run run = read_run(given.words()[0]);
  if (!out.empty() && !given.has("overwrite") && ::access(out.c_str(), F_OK) == 0)
    throw Error("'" + out + "' exists: --overwrite replaces it");
  if (given.dry_run()) {
    DryRun plan;
    plan.files = 1;
    plan.stored_bytes = std::filesystem::file_size(given.words()[0]);
    if (!out.empty()) plan.lines = "would write " + out + "\n";
    return tell(given, plan);
  }
  if (out.empty()) {
    print(given.json() ? report_json(run, most) : report_text(run, most));
    return 0;
  }
  std::ofstream file(out, std::ios::binary);
  file << report_page(run, most);
  file.close();
  if (!file) throw Error("'" + out + "' cannot be written: " + std::strerror(errno));
  return 0;
}

}  // namespace weft::command::data
