#include "mpi_launch/command/cluster_commands.hpp"

#include "comm/tls.hpp"
#include "core/config/values.hpp"
#include "core/memory/bytes_text.hpp"
#include "mpi_launch/batch/script.hpp"
#include "mpi_launch/command/demo.hpp"
#include "mpi_launch/command/say.hpp"
#include "mpi_launch/command/subcommands.hpp"
#include "mpi_launch/command/version.hpp"
#include "mpi_launch/layout/node.hpp"
#include "mpi_launch/start/exchange.hpp"
#include "mpi_launch/start/interface.hpp"
#include "mpi_launch/start/job.hpp"
#include "mpi_launch/start/ranks.hpp"
#include "mpi_launch/start/walltime.hpp"
#include "mpi_launch/supervise/worker_main.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>
#include <weft/gpu.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

extern char** environ;

namespace weft::command {

namespace {

struct SubmitWords {
  std::string scheduler;
  std::string time = "1h";
  std::string file;
  std::string journal;
  bool now = false;
  launch::BatchJob job;
};

void write_script(const std::string& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
  const bool whole = file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int error = errno;
  if (file >= 0) ::close(file);
  if (!whole) throw Error("the script '" + path + "' cannot be written: " + std::strerror(error));
}

void call(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], nullptr, nullptr, argv.data(), environ);
  if (error != 0) {
    throw Error("'" + words[0] + "' cannot be run: " + std::strerror(error) +
                "; is this a host that jobs are submitted from?");
  }
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) throw Error("'" + words[0] + "' did not take the job");
}

void submit(SubmitWords words, const Shared& shared) {
  const launch::BatchSystem system = launch::batch_system(words.scheduler);
  words.job.walltime_s = static_cast<std::uint64_t>(parse_duration(words.time));
  // The shell's quotation marks are those of JSON, but for what a folder's name hardly has.
  if (!words.journal.empty()) words.job.prologue.push_back("export WEFT_JOURNAL=" + json_text(words.journal));
  const std::string text = launch::batch_script(system, words.job);
  const bool writes = (words.now || !words.file.empty()) && !shared.dry_run;
  const std::string path = !words.file.empty() || !words.now ? words.file : words.job.name + ".sh";
  if (writes) {
    write_script(path, text);
    if (!shared.json && !shared.quiet) print("wrote " + path + "\n");
    if (words.now) call(launch::submit_command(system, path));
  }
  if (shared.json) {
    print(json_object({{"scheduler", json_text(words.scheduler)},
                       {"file", json_text(path)},
                       {"written", writes ? "true" : "false"},
                       {"submitted", writes && words.now ? "true" : "false"},
                       {"script", json_text(text)}}) +
          "\n");
  } else if (!writes) {
    print(text);
  }
}

void add_submit(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "submit", "Write a batch script for SLURM, PBS, LSF, Grid Engine, HTCondor or OAR, and submit it");
  auto words = std::make_shared<SubmitWords>();
  sub->add_option("--scheduler", words->scheduler, "slurm, pbs, lsf, sge, htcondor or oar")
      ->type_name("NAME")
      ->required();
  sub->add_option("--name", words->job.name, "name of the job (weft)")->type_name("NAME");
  sub->add_option("--nodes", words->job.nodes, "nodes (1)");
  sub->add_option("--ranks", words->job.ranks_per_node, "ranks on each node (1)");
  sub->add_option("--cores", words->job.cores_per_rank, "cores of each rank (1)");
  sub->add_option("--gpus", words->job.gpus_per_node, "GPUs of each node (0)");
  sub->add_option("--memory", words->job.memory_per_node,
                  "memory of each node, as the batch system writes it (its default)")
      ->type_name("BYTES");
  sub->add_option("--queue", words->job.queue, "queue or partition (its default)")->type_name("NAME");
  sub->add_option("--account", words->job.account, "account or project (its default)")->type_name("NAME");
  sub->add_option("--time", words->time, "time the job may take: 90min, 2h (1h)")->type_name("TIME");
  sub->add_option("--run-before", words->job.prologue, "a line to run before the program; may be repeated")
      ->type_name("LINE");
  sub->add_flag("--resume", words->job.resume, "run the job again when the program ends with 75 (out of time)");
  sub->add_option("--journal", words->journal,
                  "keep results in this folder, so that a job that is run again goes on where it was (none)")
      ->type_name("FOLDER");
  sub->add_option("--file", words->file, "write the script there instead of printing it")->type_name("FILE");
  sub->add_flag("--now", words->now, "submit it");
  sub->add_option("PROGRAM", words->job.command, "the program and its arguments, after --")->required();
  const auto shared = add_shared(*sub, true);
  sub->callback([words, shared] { submit(*words, *shared); });
}

/// Becomes the scheduler of a program's tasks: only that program, and its libraries, know their code.
void be_scheduler(const std::string& address_file, std::vector<std::string> words) {
  ::setenv(launch::kSchedulerVariable, "1", 1);
  ::setenv("WEFT_ADDRESS_FILE", address_file.c_str(), 1);
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ::execvp(argv[0], argv.data());
  throw Error("'" + words[0] + "' cannot be run: " + std::strerror(errno));
}

void add_scheduler(CLI::App& app) {
  auto* sub =
      app.add_subcommand("scheduler", "Hold the scheduler of a program, for workers and clients that come and go");
  auto file = std::make_shared<std::string>("weft.address");
  auto words = std::make_shared<std::vector<std::string>>();
  sub->add_option("--address-file", *file, "file that they find it by, mode 0600 (weft.address)")->type_name("FILE");
  sub->add_option("PROGRAM", *words,
                  "the program whose tasks will run, and --weft-* options, after --; its main is not run")
      ->required();
  sub->footer(
      "weft scheduler -- ./program;  weft worker weft.address;  ./program --weft-attach=weft.address\n"
      "SIGTERM or Ctrl-C ends it and its workers.");
  sub->callback([file, words] { be_scheduler(*file, *words); });
}

void add_worker(CLI::App& app) {
  auto* sub = app.add_subcommand("worker", "Run a worker of this host for a job that runs, until either ends");
  auto words = std::make_shared<launch::JoinWords>();
  auto memory = std::make_shared<std::string>();
  sub->add_option("ADDRESS", words->address_file, "the job's address file (--weft-address-file, weft scheduler)")
      ->required();
  sub->add_option("--threads", words->slots, "slots (the cores of this host)");
  sub->add_option("--memory", *memory, "memory that results may hold, as 4GiB (70% of this host's)")
      ->type_name("BYTES");
  sub->add_option("--spill-dir", words->spill_dir, "folder for spill files (as --weft-spill-dir)")->type_name("FOLDER");
  sub->add_option("--wait", words->seconds, "seconds to wait for the job (60)")->type_name("SECONDS");
  sub->footer(
      "SIGTERM or Ctrl-C makes the worker leave in peace: its results move to others first. A second one ends it.");
  sub->callback([words, memory] {
    if (!memory->empty()) words->budget_bytes = parse_bytes(*memory);
    launch::join_job(*words);
  });
}

void add_dump(CLI::App& app) {
  auto* sub =
      app.add_subcommand("dump", "Say what stands where in a job that runs: workers, tasks, what waits for what");
  auto file = std::make_shared<std::string>();
  auto seconds = std::make_shared<double>(5);
  sub->add_option("ADDRESS", *file, "the job's address file (--weft-address-file, weft scheduler)")->required();
  sub->add_option("--wait", *seconds, "seconds to wait for the job (5)")->type_name("SECONDS");
  sub->footer("The job goes on meanwhile; what is printed so far stays useful when the rest does not come.");
  const auto shared = add_shared(*sub);
  sub->callback([file, seconds, shared] {
    if (shared->dry_run) return print("would ask the job of " + *file + "\n");
    std::string all;
    launch::ask_for_dump(*file, *seconds, [&](std::string_view text) {
      if (shared->json) {
        all += text;
        return;
      }
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    });
    if (shared->json) print(json_object({{"job", json_text(*file)}, {"text", json_text(all)}}) + "\n");
  });
}

/// What was found, under headings.
struct Findings {
  struct Row {
    std::string name, value;
  };
  struct Part {
    std::string heading;
    std::vector<Row> rows;
  };
  std::vector<Part> parts;

  void part(const char* heading) { parts.push_back({heading, {}}); }
  /// Without a name: it goes on where the last one ended.
  void row(const char* name, const std::string& value) { parts.back().rows.push_back({name, value}); }

  std::string text() const {
    std::string out;
    for (const Part& part : parts) {
      out += part.heading + "\n";
      for (const Row& row : part.rows) out += fmt::format("  {:<12} {}\n", row.name, row.value);
    }
    return out;
  }
  std::string json() const {
    std::vector<std::pair<std::string, std::string>> out{{"version", json_text(version_text())}};
    for (const Part& part : parts) {
      std::vector<std::pair<std::string, std::string>> members;
      for (const Row& row : part.rows) {
        if (!row.name.empty() || members.empty()) {
          members.emplace_back(row.name, row.value);
        } else {
          members.back().second += "\n" + row.value;
        }
      }
      for (auto& [name, value] : members) value = json_text(value);
      out.emplace_back(part.heading, json_object(members));
    }
    return json_object(out) + "\n";
  }
};

void find_devices(Findings& found) {
  for (unsigned number = 0; number < gpu::devices().size(); ++number) {
    const gpu::DeviceFacts& device = gpu::devices()[number];
    found.row("",
              fmt::format("{}, {} free, sm_{}{}, {} multiprocessors, {}", device.name, bytes_text(device.memory_bytes),
                          device.major, device.minor, device.multiprocessors, device.bus));
    try {
      const gpu::LinkRates rates = gpu::measure_link(number);
      found.row("",
                fmt::format("  {:.1f} GB/s to it, {:.1f} GB/s back, {:.0f} GB/s on it; an empty work takes {:.1f} us",
                            rates.to_device / 1e9, rates.to_host / 1e9, rates.on_device / 1e9,
                            rates.empty_work_seconds * 1e6));
    } catch (const Error& error) {
      found.row("", fmt::format("  its link could not be measured: {}", error.what()));
    }
  }
  if (gpu::devices().empty()) found.row("", gpu::why_no_device());
}

Findings find_all() {
  Findings found;
  const launch::NodeFacts node = launch::read_node("");
  found.part("this host");
  found.row("name", node.host);
  found.row("cores",
            fmt::format(
                "{} ({}){}", node.cores, node.cores_source,
                node.hidden_cores > 0 ? fmt::format("; {} more are hidden from this process", node.hidden_cores) : ""));
  found.row("NUMA nodes", fmt::format("{} ({})", node.numa_nodes, node.numa_source));
  found.row("memory", fmt::format("{} ({})", bytes_text(node.memory_bytes), node.memory_source));
  found.row("GPUs", fmt::format("{} ({})", node.gpus, node.gpus_source));
  find_devices(found);
  found.row("scratch", node.scratch.empty() ? node.scratch_note : node.scratch + " (" + node.scratch_note + ")");
  struct statvfs shared {};
  if (::statvfs("/dev/shm", &shared) == 0) {
    const auto free = static_cast<std::size_t>(shared.f_bavail) * shared.f_frsize;
    found.row("/dev/shm",
              bytes_text(free) + " free" +
                  (free < (std::size_t{64} << 20) ? "; too little: workers of one host talk over TCP" : ""));
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) found.row("open files", fmt::format("{} (ulimit -n)", files.rlim_cur));
  found.part("jobs of several ranks");
  const std::string mpi = launch::mpi_version_text();
  found.row("MPI", mpi.empty() ? "not in this build: ranks can meet by a file" : mpi);
  const launch::Ranks ranks = launch::read_ranks();
  found.row("launcher", ranks.several() ? fmt::format("{}: rank {} of {}", ranks.launcher, ranks.rank, ranks.count)
                                        : "none: this process is alone");
  found.row("interface",
            launch::address_of_interface("") + " would be listened on with several hosts (--weft-interface)");
  const std::string tls = comm::tls_version_text();
  found.row("TLS", tls.empty() ? "not in this build (OpenSSL 3, libssl-dev): --weft-tls is refused" : tls);
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto end = launch::read_job_end(resolve(), now);
  found.row("time", end ? fmt::format("{:.0f} s left ({})", end->seconds_left, end->source) : "no end is known");
  return found;
}

void add_doctor(CLI::App& app) {
  auto* sub = app.add_subcommand("doctor", "Say what weft finds on this host: cores, memory, scratch, MPI, limits");
  const auto shared = add_shared(*sub);
  sub->callback([shared] {
    if (shared->dry_run) return print("would look at the host, its devices and the launcher\n");
    const Findings found = find_all();
    print(shared->json ? found.json() : version_text() + "\n" + found.text());
  });
}

void add_demo(CLI::App& app) {
  auto* sub = app.add_subcommand("demo", "Count primes on every worker there is, and show where the time went");
  auto limit = std::make_shared<std::uint64_t>(200'000'000);
  sub->add_option("--limit", *limit, "count the primes below this number (200000000)")
      ->type_name("N")
      ->check(CLI::Range(1'000'000ull, 100'000'000'000ull));
  sub->allow_extras();
  sub->footer("Takes every --weft-* option. Try: mpirun -n 3 --oversubscribe weft demo");
  const auto shared = add_shared(*sub);
  sub->callback([sub, limit, shared] {
    refuse_extras(*sub);
    const int code = run_demo(*limit, sub->remaining(), *shared);
    if (code != 0) throw CLI::RuntimeError(code);
  });
}

}  // namespace

void add_cluster_commands(CLI::App& app) {
  add_demo(app);
  add_doctor(app);
  add_submit(app);
  add_scheduler(app);
  add_worker(app);
  add_dump(app);
}

}  // namespace weft::command
