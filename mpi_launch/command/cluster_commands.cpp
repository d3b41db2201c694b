#include "mpi_launch/command/cluster_commands.hpp"

#include "core/config/values.hpp"
#include "core/memory/bytes_text.hpp"
#include "mpi_launch/batch/script.hpp"
#include "mpi_launch/command/demo.hpp"
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

void submit(SubmitWords words) {
  const launch::BatchSystem system = launch::batch_system(words.scheduler);
  words.job.walltime_s = static_cast<std::uint64_t>(parse_duration(words.time));
  const std::string text = launch::batch_script(system, words.job);
  if (!words.now && words.file.empty()) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    return;
  }
  const std::string path = words.file.empty() ? words.job.name + ".sh" : words.file;
  write_script(path, text);
  std::printf("wrote %s\n", path.c_str());
  std::fflush(stdout);
  if (words.now) call(launch::submit_command(system, path));
}

void add_submit(CLI::App& app) {
  auto* sub = app.add_subcommand("submit", "Write a batch script for SLURM, PBS, LSF or Grid Engine, and submit it");
  auto words = std::make_shared<SubmitWords>();
  sub->add_option("--scheduler", words->scheduler, "slurm, pbs, lsf or sge")->required();
  sub->add_option("--name", words->job.name, "Name of the job (weft)");
  sub->add_option("--nodes", words->job.nodes, "Nodes (1)");
  sub->add_option("--ranks", words->job.ranks_per_node, "Ranks on each node (1)");
  sub->add_option("--cores", words->job.cores_per_rank, "Cores of each rank (1)");
  sub->add_option("--gpus", words->job.gpus_per_node, "GPUs of each node (0)");
  sub->add_option("--memory", words->job.memory_per_node,
                  "Memory of each node, as the batch system writes it (its default)");
  sub->add_option("--queue", words->job.queue, "Queue or partition (its default)");
  sub->add_option("--account", words->job.account, "Account or project (its default)");
  sub->add_option("--time", words->time, "Time the job may take: 90min, 2h (1h)");
  sub->add_option("--run-before", words->job.prologue, "A line to run before the program; may be repeated");
  sub->add_flag("--resume", words->job.resume, "Run the job again when the program ends with 75 (out of time)");
  sub->add_option("--file", words->file, "Write the script there instead of printing it");
  sub->add_flag("--now", words->now, "Submit it");
  sub->add_option("PROGRAM", words->job.command, "The program and its arguments, after --")->required();
  sub->callback([words] { submit(*words); });
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
  sub->add_option("--address-file", *file, "File that they find it by, mode 0600 (weft.address)");
  sub->add_option("PROGRAM", *words,
                  "The program whose tasks will run, and --weft-* options, after --; its main is not run")
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
  sub->add_option("ADDRESS", words->address_file, "The job's address file (--weft-address-file, weft scheduler)")
      ->required();
  sub->add_option("--threads", words->slots, "Slots (the cores of this host)");
  sub->add_option("--memory", *memory, "Memory that results may hold, as 4GiB (70% of this host's)");
  sub->add_option("--spill-dir", words->spill_dir, "Folder for spill files (as --weft-spill-dir)");
  sub->add_option("--wait", words->seconds, "Seconds to wait for the job (60)");
  sub->footer(
      "SIGTERM or Ctrl-C makes the worker leave in peace: its results move to others first. A second one ends it.");
  sub->callback([words, memory] {
    if (!memory->empty()) words->budget_bytes = parse_bytes(*memory);
    launch::join_job(*words);
  });
}

void row(const char* name, const std::string& value) { std::printf("  %-12s %s\n", name, value.c_str()); }

void show_devices() {
  for (unsigned number = 0; number < gpu::devices().size(); ++number) {
    const gpu::DeviceFacts& device = gpu::devices()[number];
    row("", fmt::format("{}, {} free, sm_{}{}, {} multiprocessors, {}", device.name, bytes_text(device.memory_bytes),
                        device.major, device.minor, device.multiprocessors, device.bus));
    try {
      const gpu::LinkRates rates = gpu::measure_link(number);
      row("", fmt::format("  {:.1f} GB/s to it, {:.1f} GB/s back, {:.0f} GB/s on it; an empty work takes {:.1f} us",
                          rates.to_device / 1e9, rates.to_host / 1e9, rates.on_device / 1e9,
                          rates.empty_work_seconds * 1e6));
    } catch (const Error& error) {
      row("", fmt::format("  its link could not be measured: {}", error.what()));
    }
  }
  if (gpu::devices().empty()) row("", gpu::why_no_device());
}

void doctor() {
  std::printf("%s\n", version_text().c_str());
  const launch::NodeFacts node = launch::read_node("");
  std::printf("this host\n");
  row("name", node.host);
  row("cores",
      fmt::format(
          "{} ({}){}", node.cores, node.cores_source,
          node.hidden_cores > 0 ? fmt::format("; {} more are hidden from this process", node.hidden_cores) : ""));
  row("NUMA nodes", fmt::format("{} ({})", node.numa_nodes, node.numa_source));
  row("memory", fmt::format("{} ({})", bytes_text(node.memory_bytes), node.memory_source));
  row("GPUs", fmt::format("{} ({})", node.gpus, node.gpus_source));
  show_devices();
  row("scratch", node.scratch.empty() ? node.scratch_note : node.scratch + " (" + node.scratch_note + ")");
  struct statvfs shared {};
  if (::statvfs("/dev/shm", &shared) == 0) {
    const auto free = static_cast<std::size_t>(shared.f_bavail) * shared.f_frsize;
    row("/dev/shm", bytes_text(free) + " free" +
                        (free < (std::size_t{64} << 20) ? "; too little: workers of one host talk over TCP" : ""));
  }
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) row("open files", fmt::format("{} (ulimit -n)", files.rlim_cur));
  std::printf("jobs of several ranks\n");
  const std::string mpi = launch::mpi_version_text();
  row("MPI", mpi.empty() ? "not in this build: ranks can meet by a file" : mpi);
  const launch::Ranks ranks = launch::read_ranks();
  row("launcher", ranks.several() ? fmt::format("{}: rank {} of {}", ranks.launcher, ranks.rank, ranks.count)
                                  : "none: this process is alone");
  row("interface", launch::address_of_interface("") + " would be listened on with several hosts (--weft-interface)");
  const auto now = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto end = launch::read_job_end(resolve(), now);
  row("time", end ? fmt::format("{:.0f} s left ({})", end->seconds_left, end->source) : "no end is known");
}

void add_doctor(CLI::App& app) {
  auto* sub = app.add_subcommand("doctor", "Say what weft finds on this host: cores, memory, scratch, MPI, limits");
  sub->callback([] { doctor(); });
}

void add_demo(CLI::App& app) {
  auto* sub = app.add_subcommand("demo", "Count primes on every worker there is, and show where the time went");
  auto limit = std::make_shared<std::uint64_t>(200'000'000);
  sub->add_option("--limit", *limit, "Count the primes below this number (200000000)")
      ->check(CLI::Range(1'000'000ull, 100'000'000'000ull));
  sub->allow_extras();
  sub->footer("Takes every --weft-* option. Try: mpirun -n 3 --oversubscribe weft demo");
  sub->callback([sub, limit] {
    const int code = run_demo(*limit, sub->remaining());
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
}

}  // namespace weft::command
