// A program with a journal that is killed and run again; journal_test.py looks at what it prints and leaves.
//
//   journal_job steps FOLDER COUNT MS    COUNT tasks of MS milliseconds and sums of eight of them; each run of a task
//                                        leaves a file in FOLDER
//   journal_job blocks FOLDER COUNT MS   the same with the chunks of an array that is persisted
//   journal_job graph FOLDER COUNT MS    the same as steps, of one Graph
//   journal_job parents FOLDER COUNT MS  the same steps, eight of each parent, which submits them and adds them up
//   journal_job hosts FOLDER 0 0         runs what attached clients submit, until there is a file FOLDER.stop
//
// Below zero, MS is how long each of them sleeps: for times beside others.
#include <weft/weft.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace {

void work(int ms) {
  if (ms < 0) return std::this_thread::sleep_for(std::chrono::milliseconds(-ms));
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  while (std::chrono::steady_clock::now() < end) {
  }
}

void leave_mark(const std::string& folder, const std::string& what) {
  static int count = 0;
  const std::string path = folder + "/" + what + "." + std::to_string(::getpid()) + "-" +
                           std::to_string(__atomic_add_fetch(&count, 1, __ATOMIC_RELAXED));
  std::ofstream(path) << "\n";
}

std::int64_t step(int number, int ms, const std::string& folder) {
  leave_mark(folder, "step-" + std::to_string(number));
  work(ms);
  return std::int64_t{number} * number;
}

std::vector<std::int64_t> gather_eight(const std::vector<std::int64_t>& values, int number, int ms,
                                       const std::string& folder) {
  leave_mark(folder, "sum-" + std::to_string(number));
  work(ms);
  return {std::accumulate(values.begin(), values.end(), std::int64_t{0}), number};
}

int run_steps(const weft::Client& client, const std::string& folder, int count, int ms) {
  std::vector<weft::Future<std::int64_t>> steps;
  for (int i = 0; i < count; ++i) steps.push_back(client.submit(step, i, ms, folder));
  std::vector<weft::Delayed<std::vector<std::int64_t>>> sums;
  for (int i = 0; i < count; i += 8) {
    std::vector<weft::Future<std::int64_t>> eight;
    for (int k = i; k < i + 8 && k < count; ++k) eight.push_back(steps[static_cast<std::size_t>(k)]);
    sums.push_back(weft::delayed(gather_eight)(eight, i / 8, ms, folder));
  }
  std::int64_t sum = 0;
  for (const auto& one : client.compute(sums)) sum += one[0];
  std::printf("sum %lld\n", static_cast<long long>(sum));
  return 0;
}

int run_graph(const weft::Client& client, const std::string& folder, int count, int ms) {
  weft::Graph graph;
  std::vector<weft::Delayed<std::vector<std::int64_t>>> sums;
  for (int i = 0; i < count; i += 8) {
    std::vector<weft::Delayed<std::int64_t>> eight;
    for (int k = i; k < i + 8 && k < count; ++k) eight.push_back(graph.add(step, k, ms, folder));
    sums.push_back(graph.add(gather_eight, eight, i / 8, ms, folder));
  }
  client.run(graph);
  std::int64_t sum = 0;
  for (const auto& one : sums) sum += one.value()[0];
  std::printf("sum %lld\n", static_cast<long long>(sum));
  return 0;
}

std::int64_t parent(int first, int count, int ms, const std::string& folder) {
  leave_mark(folder, "parent-" + std::to_string(first));
  std::vector<weft::Future<std::int64_t>> children;
  for (int i = first; i < first + count; ++i) {
    children.push_back(weft::this_task::client().submit(step, i, ms, folder));
  }
  std::int64_t sum = 0;
  for (const std::int64_t one : weft::this_task::client().gather(children)) sum += one;
  return sum;
}

int run_parents(const weft::Client& client, const std::string& folder, int count, int ms) {
  std::vector<weft::Future<std::int64_t>> parents;
  for (int i = 0; i < count; i += 8) parents.push_back(client.submit(parent, i, std::min(8, count - i), ms, folder));
  std::int64_t sum = 0;
  for (const std::int64_t one : client.gather(parents)) sum += one;
  std::printf("sum %lld\n", static_cast<long long>(sum));
  return 0;
}

void run_hosts(const std::string& folder) {
  while (::access((folder + ".stop").c_str(), F_OK) != 0) std::this_thread::sleep_for(std::chrono::milliseconds(10));
}

int run_blocks(const weft::Client& client, const std::string& folder, int count, int ms) {
  using namespace weft;
  const Array ones = zeros({64 * count, 1000}, {.dtype = float64, .chunks = {64, 1000}});
  struct Fill {
    std::string folder;
    int ms = 0;
    void operator()(ChunkView<const double, 2> in, ChunkView<double, 2> out, const BlockInfo& info) const {
      leave_mark(folder, "step-" + std::to_string(info.location[0]));
      work(ms);
      for (std::int64_t i = 0; i < out.extent(0); ++i) {
        for (std::int64_t k = 0; k < out.extent(1); ++k) out(i, k) = in(i, k) + static_cast<double>(info.location[0]);
      }
    }
  };
  const Array filled = client.persist(map_blocks(ones, Fill{folder, ms}, {.dtype = float64}));
  std::printf("sum %.0f\n", client.compute(sum(filled)).item<double>());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, const weft::Args& args) {
    std::printf("client %d\n", static_cast<int>(::getpid()));
    std::fflush(stdout);
    const int count = std::atoi(args.at(2).c_str()), ms = std::atoi(args.at(3).c_str());
    if (args.at(0) == "blocks") {
      run_blocks(client, args.at(1), count, ms);
    } else if (args.at(0) == "graph") {
      run_graph(client, args.at(1), count, ms);
    } else if (args.at(0) == "hosts") {
      run_hosts(args.at(1));
    } else if (args.at(0) == "parents") {
      run_parents(client, args.at(1), count, ms);
    } else {
      run_steps(client, args.at(1), count, ms);
    }
    const weft::JournalReport report = client.journal();
    std::printf("found %llu written %llu damaged %llu\n", static_cast<unsigned long long>(report.found),
                static_cast<unsigned long long>(report.written), static_cast<unsigned long long>(report.damaged));
  });
}
