/// Array workloads whose answers are compared between modes, for modes_test.py:
///   modes_job all            prints a line a workload: its name and a hash of its answer's bytes
///   modes_job dies FOLDER    the same; a process that runs tasks is killed once
///   modes_job large NAME     one workload on 160 MB, its hash and the most memory this process held

#include <weft/weft.hpp>

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <string>

namespace {

using namespace weft;

std::uint64_t hash_of(const NDArray& values) {
  const NDArray packed = values.as_contiguous();
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto add = [&](const void* bytes, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      hash = (hash ^ static_cast<const unsigned char*>(bytes)[i]) * 0x100000001b3u;
    }
  };
  const std::string shape = packed.shape().text() + packed.dtype().name();
  add(shape.data(), shape.size());
  add(packed.data(), static_cast<std::size_t>(packed.nbytes()));
  return hash;
}

/// Kills its process once, at the chunk in the middle. `folder`: where the first to ask leaves its mark.
struct Dies {
  std::string folder;
  void operator()(ChunkView<const double, 2> in, ChunkView<double, 2> out, const BlockInfo& info) const {
    const bool middle = info.location[0] == info.count[0] / 2 && info.location[1] == 0;
    if (!folder.empty() && middle && ::symlink("x", (folder + "/died").c_str()) == 0) ::kill(::getpid(), SIGKILL);
    for (std::int64_t i = 0; i < in.extent(0); ++i) {
      for (std::int64_t j = 0; j < in.extent(1); ++j) out(i, j) = in(i, j);
    }
  }
};

Array smooth(const Array& x) {
  return map_overlap(x,
                     [](ChunkView<const double, 2> wide, ChunkView<double, 2> out, const BlockInfo& info) {
                       const auto in = wide.inner(info);
                       for (std::int64_t i = 0; i < out.extent(0); ++i) {
                         for (std::int64_t j = 0; j < out.extent(1); ++j) {
                           out(i, j) = in(i, j) + 0.25 * (in(i - 1, j) + in(i + 1, j) + in(i, j - 1) + in(i, j + 1));
                         }
                       }
                     },
                     {.depth = 1, .boundary = Boundary::Periodic});
}

using Workloads = std::map<std::string, std::function<Array(const Array&)>>;

/// Of a square array of doubles in [0, 1).
const Workloads& workloads() {
  static const Workloads list{
      {"expression", [](const Array& x) { return x + transpose(x) - mean(x, {.axis = 0, .keepdims = true}); }},
      {"std", [](const Array& x) { return x.std({.axis = 0}); }},
      {"sum", [](const Array& x) { return (exp(x) * x.astype(float32)).sum(); }},
      {"argmax", [](const Array& x) { return argmax(x, {.axis = 1}); }},
      {"cumsum", [](const Array& x) { return cumsum(x, {.axis = 0}); }},
      {"rechunk",
       [](const Array& x) {
         return rechunk(rechunk(x, {-1, x.chunks()[1][0]}), {x.chunks()[0][0], -1}) * 2.0;
       }},
      {"overlap", [](const Array& x) { return smooth(smooth(x)); }},
      {"matmul", [](const Array& x) { return matmul(x, transpose(x)); }},
      {"mask", [](const Array& x) { return x(x > 0.75).sum() + x(x(slice(), 0) > 0.5).mean(); }},
      {"sort", [](const Array& x) { return sort(x, 0)(slice(none, none, 7)); }},
      {"quantile",
       [](const Array& x) {
         return quantile(x, std::vector<double>{0.1, 0.5, 0.99});
       }},
      {"take",
       [](const Array& x) {
         return take(roll(x, 17, 0), {3, 1, 4, 1, 5, 9, 2, 6}, 1);
       }},
      {"set",
       [](const Array& x) {
         return x.set({slice(none, none, 3), 5}, 7.5).sum({.axis = 0});
       }},
      {"reshape",
       [](const Array& x) {
         return reshape(x, {-1, x.shape()[0] / 2})(slice(none, none, 5));
       }},
      {"diff", [](const Array& x) { return diff(x, 2, 0).var({.axis = 1}); }},
      {"normal", [](const Array& x) { return (x + random::normal(0, 1, x.shape(), {.seed = 4})).sum({.axis = 1}); }},
  };
  return list;
}

Array square(std::int64_t n, std::int64_t chunk) {
  return random::uniform({n, n}, {.chunks = {chunk, chunk}, .seed = 11});
}

std::string memory_line(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(name)) return line;
  }
  return name;
}

void body(Client& client, const Args& args) {
  const std::string what = args.empty() ? "all" : args[0];
  if (what == "large") {
    const Array x = map_blocks(square(4480, 320), Dies{});
    Array answer = workloads().at(args.at(1))(x);
    // A block of the answer takes its worker along, while others are on their way.
    if (args.size() > 2) answer = map_blocks(answer, Dies{args[2]});
    const NDArray sum = client.compute(answer.sum());
    std::printf("%s %016llx\n%s\n", args[1].c_str(), static_cast<unsigned long long>(hash_of(sum)),
                memory_line("VmHWM").c_str());
    return;
  }
  const Array x = map_blocks(square(420, 60), Dies{what == "dies" ? args.at(1) : ""});
  for (const auto& [name, build] : workloads()) {
    const NDArray values = client.compute(build(x));
    std::printf("%s %016llx\n", name.c_str(), static_cast<unsigned long long>(hash_of(values)));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
