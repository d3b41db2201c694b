/// Array workloads whose answers are compared between modes, for modes_test.py:
///   modes_job all            prints a line a workload: its name and a hash of its answer's bytes
///   modes_job dies FOLDER    the same; a process that runs tasks is killed once
///   modes_job store FOLDER   stores an array into a file of its own and hashes what comes back; as `dies` where
///   FOLDER/dies is there modes_job large NAME     one workload on 160 MB, its hash and the most memory this process
///   held

#include "tests/arrays/modes/labelled_workloads.hpp"

#include <weft/weft.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <stdexcept>
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

// The workloads of the geosciences that weft_bench measures, on a square array of doubles in [0, 1) whose extent is a
// multiple of 20.

/// Two fields of 20 time steps; the first row comes again behind the last.
Array vorticity(const Array& x) {
  const std::int64_t n = x.shape()[0], rows = n / 20;
  const auto field = [&](const Array& from) {
    const Array steps = rechunk(transpose(reshape(from, {20, rows, n}), {1, 2, 0}), {rows, n, 1});
    return rechunk(concatenate({steps, steps(slice(0, 1))}), {rows + 1, n, 1});
  };
  const Array dx = x(slice(0, rows + 1)), dy = x(slice(rows, 2 * rows + 1));
  return mean(dx(slice(), slice(), newaxis) * field(x) - dy(slice(), slice(), newaxis) * field(1 - x),
              {.axis = {0, 1}});
}

Array anomaly_mean(const Array& x) {
  const Array by_year = reshape(x, {10, x.shape()[0] / 10, x.shape()[1]});
  return mean(by_year - mean(by_year, {.axis = 0, .keepdims = true}), {.axis = {0, 1}});
}

Array climatic_mean(const Array& x) {
  const std::int64_t n = x.shape()[0];
  const Array dates = reshape(x, {20, n / 20, 2, 5, n / 10});
  const Array by_date = mean(stack({dates(slice(0, 10)), dates(slice(10, 20))}), {.axis = {0, 2}});
  return mean(by_date, {.axis = 0});
}

Array quadratic_mean(const Array& x) {
  const Array v = transpose(x);
  return stack({mean(x * x, {.axis = 0}), mean(v * v, {.axis = 0}), mean(x * v, {.axis = 0})});
}

Array tall(const Array& x) {
  const std::int64_t columns = x.shape()[0] / 40;
  return rechunk(reshape(x, {-1, columns}), {x.chunks()[0][0] * 4, columns});
}

/// Least and greatest of each row, as one pass.
Array ends_of_rows(const Array& x) {
  const auto [least, most] = apply_gufunc(
      [](ChunkView<const double, 1> row, ChunkView<double, 0> low, ChunkView<double, 0> high) {
        low() = high() = row(0);
        for (std::int64_t i = 1; i < row.extent(0); ++i) {
          low() = row(i) < low() ? row(i) : low();
          high() = row(i) > high() ? row(i) : high();
        }
      },
      "(i)->(),()", {x});
  return stack({least, most});
}

std::vector<std::int64_t> scattered(std::int64_t n) {
  std::vector<std::int64_t> places;
  for (std::int64_t i = 0; i < n; ++i) places.push_back(i * 1117 % n);
  return places;
}

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
      {"sort-all", [](const Array& x) { return sort(rechunk(ravel(x), x.size() / 20))(slice(none, none, 977)); }},
      {"quantile",
       [](const Array& x) {
         return quantile(x, std::vector<double>{0.1, 0.5, 0.99});
       }},
      {"take",
       [](const Array& x) {
         return take(roll(x, 17, 0), {3, 1, 4, 1, 5, 9, 2, 6}, 1);
       }},
      {"scatter", [](const Array& x) { return take(x, scattered(x.shape()[0]), 0) - roll(x, 31, 1); }},
      {"set",
       [](const Array& x) {
         return x.set({slice(none, none, 3), 5}, 7.5).sum({.axis = 0});
       }},
      {"reshape",
       [](const Array& x) {
         return reshape(x, {-1, x.shape()[0] / 2})(slice(none, none, 5));
       }},
      {"reshape-few",
       [](const Array& x) {
         return reshape(x, {2, -1}).sum({.axis = 0})(slice(0, 100));
       }},
      {"diff", [](const Array& x) { return diff(x, 2, 0).var({.axis = 1}); }},
      {"normal", [](const Array& x) { return (x + random::normal(0, 1, x.shape(), {.seed = 4})).sum({.axis = 1}); }},
      {"double-diff",
       [](const Array& x) { return x(slice(1, none), slice(1, none)) - (1 - x)(slice(none, -1), slice(none, -1)); }},
      {"vorticity", &vorticity},
      {"anomaly-mean", &anomaly_mean},
      {"climatic-mean", &climatic_mean},
      {"quadratic-mean", &quadratic_mean},
      {"tsqr", [](const Array& x) { return linalg::svd(tall(x)).s; }},
      {"svd-compressed", [](const Array& x) { return linalg::svd_compressed(x, 10, {.seed = 3}).s; }},
      {"tiny-chunks",
       [](const Array& x) {
         return rechunk(x(slice(0, 80), slice(0, 80)), {4, 4}).sum();
       }},
      {"histogram",
       [](const Array& x) {
         return histogram(x, 20, {.range = {{0, 1}}}).counts;
       }},
      {"unique", [](const Array& x) { return unique(floor(x * 50)); }},
      {"gufunc", &ends_of_rows},
  };
  static const Workloads all = [] {
    Workloads more = list;
    add_labelled_workloads(more);
    if (!fft::available()) return more;
    more["fft"] = [](const Array& x) { return abs(fft::fft(x, {.axis = 1})); };
    more["fft-chunked"] = [](const Array& x) { return real(fft::fft(x, {.axis = 0})); };
    return more;
  }();
  return all;
}

Array square(std::int64_t n, std::int64_t chunk) {
  return random::uniform({n, n}, {.chunks = {chunk, chunk}, .seed = 11});
}

/// A file of doubles in rows, which processes write at once.
struct Rows {
  std::string path;
  std::int64_t length = 0;
  template <class Archive>
  friend void weft_fields(Archive& archive, Rows& rows) {
    archive(rows.path, rows.length);
  }

  void write(const Region& region, ChunkView<const double, 2> chunk) const {
    each_row(region, O_WRONLY | O_CREAT, [&](int file, std::int64_t row, off_t place) {
      return ::pwrite(file, &chunk(row, 0), static_cast<std::size_t>(region.extent[1]) * sizeof(double), place);
    });
  }
  void read(const Region& region, ChunkView<double, 2> chunk) const {
    each_row(region, O_RDONLY, [&](int file, std::int64_t row, off_t place) {
      return ::pread(file, &chunk(row, 0), static_cast<std::size_t>(region.extent[1]) * sizeof(double), place);
    });
  }

 private:
  template <class Move>
  void each_row(const Region& region, int flags, const Move& move) const {
    const int file = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
    for (std::int64_t row = 0; row < region.extent[0]; ++row) {
      const std::int64_t place = (region.start[0] + row) * length + region.start[1];
      if (move(file, row, place * static_cast<off_t>(sizeof(double))) < 0)
        throw std::runtime_error(path + ": no row moved");
    }
    ::close(file);
  }
};

void store_and_read(const Client& client, const std::string& folder) {
  const bool dies = ::access((folder + "/dies").c_str(), F_OK) == 0;
  const Array x = map_blocks(square(420, 60), Dies{dies ? folder : ""});
  Rows rows{folder + "/rows", 420};
  store(client, x, rows, {.lock = Lock(client, "rows")});
  const NDArray back = client.compute(stored_in(rows, x));
  std::printf("stored %016llx\n", static_cast<unsigned long long>(hash_of(back)));
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
  if (what == "large" && workloads().count(args.at(1)) == 0) {
    std::printf("absent\n");
    return;
  }
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
  if (what == "store") return store_and_read(client, args.at(1));
  const Array x = map_blocks(square(420, 60), Dies{what == "dies" ? args.at(1) : ""});
  for (const auto& [name, build] : workloads()) {
    const NDArray values = client.compute(build(x));
    std::printf("%s %016llx\n", name.c_str(), static_cast<unsigned long long>(hash_of(values)));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
