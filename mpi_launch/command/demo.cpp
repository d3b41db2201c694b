#include "mpi_launch/command/demo.hpp"

#include <weft/weft.hpp>

#include "mpi_launch/command/say.hpp"
#include "mpi_launch/command/subcommands.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

namespace weft::command {

namespace {

/// What one task, or a sum of them, found.
struct Found {
  std::uint64_t primes = 0;
  /// Tasks by the process that ran them.
  std::map<std::int64_t, std::uint64_t> tasks;
};

/// Counts the primes in [begin, begin + width) by a sieve of that stretch.
Found primes_in(std::uint64_t begin, std::uint64_t width, std::uint64_t limit) {
  const std::uint64_t end = std::min(begin + width, limit);
  std::vector<bool> composite(end > begin ? end - begin : 0);
  for (std::uint64_t p = 2; p * p < end; ++p) {
    bool prime = true;
    for (std::uint64_t d = 2; prime && d * d <= p; ++d) prime = p % d != 0;
    if (!prime) continue;
    for (std::uint64_t k = std::max(p * p, (begin + p - 1) / p * p); k < end; k += p) composite[k - begin] = true;
  }
  Found found;
  for (std::uint64_t i = std::max<std::uint64_t>(begin, 2); i < end; ++i) found.primes += composite[i - begin] ? 0 : 1;
  found.tasks[::getpid()] = 1;
  return found;
}

Found sum(const Found& left, const Found& right) {
  Found both = left;
  both.primes += right.primes;
  for (const auto& [process, tasks] : right.tasks) both.tasks[process] += tasks;
  return both;
}

constexpr std::uint64_t kTasks = 1000;

void count(Client& client, std::uint64_t limit, const Shared& shared) {
  const std::uint64_t width = (limit + kTasks - 1) / kTasks;
  std::vector<std::uint64_t> begins;
  for (std::uint64_t i = 0; i < kTasks; ++i) begins.push_back(i * width);
  if (!shared.json && !shared.quiet) {
    print(fmt::format("counting the primes below {} with {} tasks on {} slots\n", limit, kTasks, client.slots()));
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<Future<Found>> level = client.map(&primes_in, begins, width, limit);
  while (level.size() > 1) {  // the sums are tasks too: nothing but the last comes back here
    std::vector<Future<Found>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(client.submit(&sum, level[i], level[i + 1]));
    if (level.size() % 2 == 1) next.push_back(std::move(level.back()));
    level = std::move(next);
  }
  const Found found = level.front().result();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  if (shared.json) {
    std::vector<std::pair<std::string, std::string>> processes;
    for (const auto& [process, tasks] : found.tasks)
      processes.emplace_back(std::to_string(process), std::to_string(tasks));
    return print(json_object({{"limit", std::to_string(limit)},
                              {"primes", std::to_string(found.primes)},
                              {"seconds", json_number(seconds)},
                              {"tasks_of_processes", json_object(processes)}}) +
                 "\n");
  }
  std::string text = fmt::format("there are {}; found in {:.2f} s\n", found.primes, seconds);
  for (const auto& [process, tasks] : found.tasks)
    text += fmt::format("  process {} ran {} of the tasks\n", process, tasks);
  print(shared.quiet ? fmt::format("{}\n", found.primes) : text);
}

}  // namespace

int run_demo(std::uint64_t limit, const std::vector<std::string>& words, const Shared& shared) {
  if (shared.dry_run) {
    print(shared.json ? json_object({{"limit", std::to_string(limit)}, {"tasks", std::to_string(kTasks)}}) + "\n"
                      : fmt::format("would count the primes below {} with {} tasks\n", limit, kTasks));
    return 0;
  }
  Options options{.ledger = shared.json || shared.quiet ? "off" : "summary"};
  if (!shared.memory.empty()) options.memory = Quantity(shared.memory);
  std::vector<std::string> kept = {"weft"};
  kept.insert(kept.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& word : kept) argv.push_back(word.data());
  const int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  return run(
      argc, argv.data(),
      [&](Client& client, const Args& args) {
        if (!args.empty())
          throw ConfigError("weft demo: unknown argument '" + args.front() + "' (see weft demo --help)");
        count(client, limit, shared);
      },
      options);
}

}  // namespace weft::command
