// MPI, nonblocking: each rank owns a part of the points; payloads of other ranks' points travel by Isend/Irecv, one
// message an edge, as in Task Bench's own MPI driver. METG only: MPI has no tasks to submit.

#include <mpi.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "bench/metg.hpp"
#include "bench/patterns.hpp"

namespace weft::bench {
namespace {

// The widest task; wider patterns are refused.
constexpr int kMaxInputs = 64;

void check(int status, const char* what) {
  if (status != MPI_SUCCESS) throw std::runtime_error(std::string(what) + " failed");
}

/// One rank's part of a pattern.
/// Owns: two steps' payloads and the requests.  Threading: one thread a rank.
class Rank {
 public:
  Rank(const Pattern& pattern, int rank, int ranks)
      : pattern_(pattern),
        rank_(rank),
        ranks_(ranks),
        first_(first_of(rank)),
        last_(first_of(rank + 1)),
        previous_(static_cast<std::size_t>(pattern.width())),
        current_(static_cast<std::size_t>(pattern.width())) {
    requests_.reserve(static_cast<std::size_t>(4 * pattern.width() * pattern.width()));
  }

  /// Runs all steps; returns how many inputs of this rank's points were right.
  std::int64_t run(std::int64_t iterations) {
    std::int64_t valid = 0;
    for (std::int64_t step = 0; step < pattern_.steps(); ++step) {
      exchange(step);
      const std::int64_t end = std::min(last_, pattern_.width_at(step));
      for (std::int64_t point = first_; point < end; ++point) {
        Payload inputs[kMaxInputs];
        int count = 0;
        pattern_.for_each_dependency(step, point, [&](std::int64_t dependency) {
          if (count < kMaxInputs) inputs[count++] = previous_[static_cast<std::size_t>(dependency)];
        });
        Payload& output = current_[static_cast<std::size_t>(point)];
        output = execute_point(pattern_, step, point, inputs, count, iterations);
        valid += output.valid_inputs;
      }
      previous_.swap(current_);
    }
    return valid;
  }

 private:
  std::int64_t first_of(int rank) const { return rank * pattern_.width() / ranks_; }
  int owner_of(std::int64_t point) const {
    int rank = 0;
    while (first_of(rank + 1) <= point) ++rank;
    return rank;
  }

  // Receives what this rank's points of `step` take from other ranks, and sends what theirs take from it. A payload
  // goes to a rank once, however many of its points take it.
  void exchange(std::int64_t step) {
    if (step == 0 || pattern_.kind() == PatternKind::Trivial) return;
    requests_.clear();
    wanted_.assign(static_cast<std::size_t>(pattern_.width()) * static_cast<std::size_t>(ranks_), false);
    for (std::int64_t point = 0; point < pattern_.width_at(step); ++point) {
      const int taker = owner_of(point);
      pattern_.for_each_dependency(step, point, [&](std::int64_t dependency) {
        const int giver = owner_of(dependency);
        if (giver == taker || (giver != rank_ && taker != rank_)) return;
        const std::size_t mark = static_cast<std::size_t>(dependency * ranks_ + taker);
        if (wanted_[mark]) return;
        wanted_[mark] = true;
        Payload* payload = &previous_[static_cast<std::size_t>(dependency)];
        requests_.emplace_back();
        const int tag = static_cast<int>(dependency);
        if (giver == rank_) {
          check(MPI_Isend(payload, sizeof *payload, MPI_BYTE, taker, tag, MPI_COMM_WORLD, &requests_.back()),
                "MPI_Isend");
        } else {
          check(MPI_Irecv(payload, sizeof *payload, MPI_BYTE, giver, tag, MPI_COMM_WORLD, &requests_.back()),
                "MPI_Irecv");
        }
      });
    }
    check(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  }

  const Pattern& pattern_;
  const int rank_;
  const int ranks_;
  const std::int64_t first_;
  const std::int64_t last_;
  std::vector<Payload> previous_;
  std::vector<Payload> current_;
  std::vector<MPI_Request> requests_;
  std::vector<bool> wanted_;
};

std::string text(int argc, char** argv, const char* key, const char* otherwise) {
  for (int i = 2; i + 1 < argc; ++i) {
    if (std::string("--") + key == argv[i]) return argv[i + 1];
  }
  return otherwise;
}

long number(int argc, char** argv, const char* key, const char* otherwise) {
  return std::strtol(text(argc, argv, key, otherwise).c_str(), nullptr, 10);
}

// Runs the pattern once on all ranks and returns the wall seconds; checks the count of right inputs.
double run_once(Rank& part, std::int64_t iterations, std::int64_t edges) {
  check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
  const double start = seconds_now();
  const long long valid = part.run(iterations);
  check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
  const double seconds = seconds_now() - start;
  long long all = 0;
  check(MPI_Allreduce(&valid, &all, 1, MPI_LONG_LONG, MPI_SUM, MPI_COMM_WORLD), "MPI_Allreduce");
  if (all != edges)
    throw std::runtime_error("mpi: " + std::to_string(all) + " of " + std::to_string(edges) + " inputs were right");
  return seconds;
}

std::string library_version() {
  char library[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  check(MPI_Get_library_version(library, &length), "MPI_Get_library_version");
  std::string version(library, static_cast<std::size_t>(length));
  version = version.substr(0, version.find_first_of(",\n"));
  for (char& letter : version) {
    if (letter == '"' || letter == '\\') letter = ' ';
  }
  return version;
}

void measure(int argc, char** argv, int rank, int ranks) {
  const std::string name = text(argc, argv, "pattern", "stencil_1d");
  const Pattern pattern(pattern_kind(name), number(argc, argv, "width", "8"), number(argc, argv, "steps", "1000"),
                        number(argc, argv, "radix", "5"));
  if (pattern.max_dependencies() > kMaxInputs)
    throw std::invalid_argument("the peers take at most " + std::to_string(kMaxInputs) + " inputs a task");
  const std::int64_t edges = pattern.edge_count();
  Rank part(pattern, rank, ranks);
  MetgOptions options;
  options.cores = ranks;
  options.tasks = pattern.task_count();
  options.repetitions = static_cast<int>(number(argc, argv, "reps", "5"));
  options.max_seconds = static_cast<double>(number(argc, argv, "max-seconds", "30"));
  check(MPI_Barrier(MPI_COMM_WORLD), "MPI_Barrier");
  const double alone = kernel_seconds_per_iteration(1);  // on every rank at once
  check(MPI_Allreduce(&alone, &options.seconds_per_iteration, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD), "MPI_Allreduce");
  constexpr long long kStop = -1;
  if (rank != 0) {  // follow rank 0's scan
    for (long long iterations = 0;;) {
      check(MPI_Bcast(&iterations, 1, MPI_LONG_LONG, 0, MPI_COMM_WORLD), "MPI_Bcast");
      if (iterations == kStop) return;
      run_once(part, iterations, edges);
    }
  }
  const MetgResult result = find_metg(options, [&](std::int64_t size) {
    long long iterations = size;
    check(MPI_Bcast(&iterations, 1, MPI_LONG_LONG, 0, MPI_COMM_WORLD), "MPI_Bcast");
    return run_once(part, iterations, edges);
  });
  long long stop = kStop;
  check(MPI_Bcast(&stop, 1, MPI_LONG_LONG, 0, MPI_COMM_WORLD), "MPI_Bcast");
  std::printf(
      "{\"case\":\"metg\",\"peer\":\"mpi-nonblocking\",\"version\":\"%s\",\"params\":{\"pattern\":\"%s\",\"width\":%"
      "lld,"
      "\"radix\":%lld,\"steps\":%lld,\"threads\":%d},\"tasks\":%lld,\"edges_validated\":%lld,\"us_per_task\":%.6g,"
      "\"metg_us\":%.6g,\"complete\":%s,\"ns_per_iteration\":%.6g}\n",
      library_version().c_str(), name.c_str(), static_cast<long long>(pattern.width()),
      static_cast<long long>(pattern.radix()), static_cast<long long>(pattern.steps()), ranks,
      static_cast<long long>(options.tasks), static_cast<long long>(edges), result.floor_us, result.metg_us,
      result.complete ? "true" : "false", options.seconds_per_iteration * 1e9);
}

}  // namespace
}  // namespace weft::bench

int main(int argc, char** argv) {
  MPI_Init(&argc, &argv);
  int rank = 0;
  int ranks = 1;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  try {
    if (argc > 1 && std::strcmp(argv[1], "metg") == 0) {
      weft::bench::measure(argc, argv, rank, ranks);
    } else if (rank == 0) {
      std::printf("mpi-nonblocking %s\n", weft::bench::library_version().c_str());
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  MPI_Finalize();
  return 0;
}
