#include "bench/gpu/gpu_cases.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/gpu.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>

namespace weft::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(const std::function<void()>& run) {
  const Clock::time_point start = Clock::now();
  run();
  return std::chrono::duration<double>(Clock::now() - start).count();
}
/// The middle one of some runs, after one that nobody counts.
double median(int repeats, const std::function<void()>& run) {
  run();
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(seconds(run));
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

std::string rate(double bytes_a_second) {
  char text[32];
  if (bytes_a_second >= 1e12)
    std::snprintf(text, sizeof text, "%.2f TB/s", bytes_a_second / 1e12);
  else
    std::snprintf(text, sizeof text, "%.1f GB/s", bytes_a_second / 1e9);
  return text;
}
std::string micros(double time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f us", time * 1e6);
  return text;
}

/// What the cases share: the floors that were measured first.
struct Bench {
  const GpuSizes& sizes;
  std::vector<GpuRow> rows;
  double copy_rate = 0, up_rate = 0, down_rate = 0;

  Client client(const char* device = "gpu") const { return Client({.array_device = device}); }
  void against(const std::string& name, double measured, const char* floor, double best, double goal) {
    rows.push_back({name, rate(measured), best > 0 ? std::string(floor) + ", " + rate(best) : "",
                    best > 0 ? measured / best : 0, goal});
  }
  std::int64_t elements() const { return static_cast<std::int64_t>(sizes.chunk_bytes / sizeof(float)); }
  double bytes() const { return static_cast<double>(sizes.chunk_bytes) * static_cast<double>(sizes.chunks); }
  /// float32 numbers in chunks, made on the device.
  Array resident(const Client& on) const {
    const std::int64_t count = elements() * static_cast<std::int64_t>(sizes.chunks);
    return on.persist(random::uniform({count}, {.dtype = float32, .chunks = {elements()}, .seed = 1}));
  }
};

/// Waits until the chunks are made: persist() returns before. One element of each is asked for.
void finish(const Client& client, const Array& array) {
  std::vector<arrays::Index> places;
  for (const auto& sizes : array.chunks()) places.emplace_back(slice(0, none, sizes.front()));
  client.compute(array.at(places));
}

void copies(Bench& bench) {
  const std::size_t bytes = bench.sizes.chunk_bytes;
  Buffer host = Buffer::allocate(bytes, gpu::pinned_memory());
  std::fill_n(reinterpret_cast<char*>(host.data()), bytes, 1);
  const double up = median(bench.sizes.repeats, [&] {
    gpu::Work work;
    work.input(gpu::DeviceBuffer(host));
    work.begin();
    work.finish();
  });
  bench.up_rate = static_cast<double>(bytes) / up;
  bench.against("host to device, pinned", bench.up_rate, "", 0, 0);
  const auto made = [&] {
    gpu::Work work;
    const auto from = work.input(gpu::DeviceBuffer(host));
    const auto to = work.output(bytes);
    work.begin();
    work.copy(to, from);
    return work.finish(to);
  };
  std::vector<double> downs;
  for (int i = 0; i <= bench.sizes.repeats; ++i) {
    const gpu::DeviceBuffer buffer = made();
    downs.push_back(seconds([&] { buffer.fetch(); }));
  }
  std::sort(downs.begin(), downs.end());
  bench.down_rate = static_cast<double>(bytes) / downs[downs.size() / 2];
  bench.against("device to host, pinned", bench.down_rate, "", 0, 0);
  // Many copies in one work, so that its start is not what is timed.
  constexpr int kCopies = 20;
  const gpu::DeviceBuffer there = made();
  const double copy = median(bench.sizes.repeats, [&] {
    gpu::Work work;
    const auto from = work.input(there);
    const auto to = work.scratch(bytes);
    work.begin();
    for (int i = 0; i < kCopies; ++i) work.copy(to, from);
    work.finish();
  });
  bench.copy_rate = 2.0 * kCopies * static_cast<double>(bytes) / copy;
  bench.against("device copy, bytes read and written", bench.copy_rate, "", 0, 0);
}

void elementwise(Bench& bench) {
  const Client client = bench.client();
  const Array x = bench.resident(client);
  finish(client, x);
  const double chain = median(bench.sizes.repeats, [&] { finish(client, client.persist(x * 2.0f + 1.0f)); });
  bench.against("x * 2 + 1, float32, resident", 2 * bench.bytes() / chain, "device copy", bench.copy_rate, 0.9);
  const double longer =
      median(bench.sizes.repeats, [&] { finish(client, client.persist(sqrt(x * x + 1.0f) * 0.5f - x / 3.0f)); });
  bench.against("sqrt(x x + 1) / 2 - x / 3", 2 * bench.bytes() / longer, "device copy", bench.copy_rate, 0.9);
  const double sum = median(bench.sizes.repeats, [&] { client.compute(x.sum()); });
  bench.against("x.sum()", bench.bytes() / sum, "half a device copy's bytes", bench.copy_rate, 0.9);
  const double norm = median(bench.sizes.repeats, [&] { client.compute((x * x).mean()); });
  bench.against("(x x).mean(), one kernel", bench.bytes() / norm, "half a device copy's bytes", bench.copy_rate, 0.9);
}

void expression(Bench& bench) {
  const std::int64_t side = bench.sizes.side, part = bench.sizes.chunk_side;
  const Client client = bench.client();
  const Array x = client.persist(random::uniform({side, side}, {.dtype = float32, .chunks = {part, part}, .seed = 2}));
  finish(client, x);
  const double bytes = static_cast<double>(side) * static_cast<double>(side) * sizeof(float);
  const double time = median(
      bench.sizes.repeats, [&] { client.compute((x + transpose(x) - mean(x, {.axis = 0, .keepdims = true})).sum()); });
  // Each number is read for the mean, and twice for the sum.
  bench.against("(x + x.T - x.mean(0)).sum()", 3 * bytes / time, "device copy", bench.copy_rate, 0.85);
}

void stencil(Bench& bench) {
  const std::int64_t side = bench.sizes.side / 4, part = bench.sizes.chunk_side;
  const Client client = bench.client();
  const Array x = client.persist(random::uniform({side, side}, {.dtype = float32, .chunks = {part, part}, .seed = 3}));
  finish(client, x);
  const auto inner = slice(1, -1), before = slice(none, -2), after = slice(2, none);
  const double time = median(bench.sizes.repeats, [&] {
    finish(client, client.persist((x(before, inner) + x(after, inner) + x(inner, before) + x(inner, after)) * 0.25f));
  });
  const double bytes = 2.0 * static_cast<double>(side) * static_cast<double>(side) * sizeof(float);
  bench.against("stencil of four neighbours", bytes / time, "device copy", bench.copy_rate, 0);
}

void streamed(Bench& bench) {
  const Client client = bench.client();
  const std::int64_t count = bench.elements();
  NDArray frames =
      NDArray(float32, Shape(std::vector<std::int64_t>{static_cast<std::int64_t>(bench.sizes.chunks), count}));
  std::fill_n(reinterpret_cast<float*>(frames.mutable_data()), frames.size(), 1.5f);
  const Array x = from_ndarray(frames, {1, count});
  const Array dark = client.persist(random::uniform({count}, {.dtype = float32, .chunks = {count}, .seed = 4}));
  const double time =
      median(bench.sizes.repeats, [&] { client.compute(mean((x - dark) / (dark + 1.0f), {.axis = 1})); });
  bench.against("frames from the host: dark, flat, mean", bench.bytes() / time, "host to device", bench.up_rate, 0.85);
}

void beyond_memory(Bench& bench) {
  const std::size_t before = gpu::report(0).budget_bytes;
  gpu::set_budget(0, static_cast<std::size_t>(bench.bytes() / 3));
  try {
    const Client client = bench.client();
    const Array x = bench.resident(client);
    finish(client, x);
    const auto moved = gpu::report(0);
    const double time = seconds([&] { client.compute((x * 2.0f + 1.0f).sum()); });
    const auto after = gpu::report(0);
    const double bytes = static_cast<double>(after.uploaded_bytes - moved.uploaded_bytes);
    bench.against("three times the budget", bytes / time, "host to device", bench.up_rate, 0.7);
  } catch (...) {
    gpu::set_budget(0, before);
    throw;
  }
  gpu::set_budget(0, before);
}

/// Tasks that put next to nothing on the device: waited for, left, and left in batches. All are done at the end.
void empty_tasks(Bench& bench) {
  const Client client = bench.client();
  constexpr std::size_t kBytes = 256;
  const gpu::DeviceBuffer from(Buffer::allocate(kBytes));
  const auto run = [&](bool leaves, bool joins, int tasks) {
    const double time = seconds([&] {
      std::vector<Future<gpu::DeviceBuffer>> running;
      running.reserve(static_cast<std::size_t>(tasks));
      for (int i = 0; i < tasks; ++i) {
        running.push_back(client.submit(
            [](const gpu::DeviceBuffer& source, bool leave, bool join) {
              gpu::Work work;
              if (join) work.join_batches();
              const auto in = work.input(source);
              const auto out = work.output(kBytes);
              work.begin();
              work.copy(out, in);
              return leave ? work.leave(out) : work.finish(out);
            },
            from, leaves, joins));
      }
      client.gather(running).back().fetch();
    });
    return time / tasks;
  };
  const int tasks = bench.sizes.empty_tasks;
  const double waited = run(false, false, std::max(1, tasks / 20));
  bench.rows.push_back({"task of one small copy, waited for", micros(waited), "", 0, 0});
  const double left = run(true, false, tasks);
  bench.rows.push_back({"the same, left on streams", micros(left), "8 us", 8e-6 / left, 1});
  const double batched = run(true, true, tasks);
  bench.rows.push_back({"the same, left in batches", micros(batched), "3 us", 3e-6 / batched, 1});
}

/// In chunks, against one call of the library for the whole.
void products(Bench& bench) {
  for (const Dtype dtype : {float32, float64}) {
    const std::int64_t side = bench.sizes.matrix;
    const Client client = bench.client();
    double rates[2] = {};
    for (const bool whole : {false, true}) {
      const std::int64_t part = whole ? side : bench.sizes.matrix_chunk;
      const Array a =
          client.persist(random::uniform({side, side}, {.dtype = dtype, .chunks = {part, part}, .seed = 7}));
      finish(client, a);
      const double time = median(bench.sizes.repeats, [&] { finish(client, client.persist(matmul(a, a))); });
      rates[whole ? 1 : 0] = 2 * std::pow(static_cast<double>(side), 3) / time;
    }
    const auto text = [](double rate) {
      char made[32];
      std::snprintf(made, sizeof made, "%.1f TFLOP/s", rate / 1e12);
      return std::string(made);
    };
    const char* const tf32 = std::getenv("WEFT_TF32");
    const std::string kind = dtype == float32 && tf32 != nullptr && *tf32 == '1' ? "tf32" : dtype.name();
    bench.rows.push_back(
        {"matmul in chunks, " + kind, text(rates[0]), "one cuBLAS call, " + text(rates[1]), rates[0] / rates[1], 0.9});
  }
}

/// Lanes of 4096 numbers, there and back; each number is read and written twice.
void transforms(Bench& bench) {
  constexpr std::int64_t kLane = 4096;
  const std::int64_t part = std::max<std::int64_t>(1, bench.elements() / kLane);
  const std::int64_t rows = part * static_cast<std::int64_t>(bench.sizes.chunks);
  const Client client = bench.client();
  const Array x =
      client.persist(random::uniform({rows, kLane}, {.dtype = float32, .chunks = {part, kLane}, .seed = 8}));
  finish(client, x);
  const double time = median(bench.sizes.repeats, [&] { finish(client, client.persist(fft::irfft(fft::rfft(x)))); });
  const double bytes = static_cast<double>(rows) * static_cast<double>(kLane) * sizeof(float);
  bench.against("rfft and irfft of rows of 4096", 4 * bytes / time, "device copy", bench.copy_rate, 0);
}

void mixed(Bench& bench) {
  double times[3] = {};
  const char* const ways[] = {"cpu", "gpu", "auto"};
  for (int way = 0; way < 3; ++way) {
    const Client client = bench.client(ways[way]);
    const std::int64_t count = bench.elements() / 8;
    const Array x = random::uniform({count * 64}, {.dtype = float32, .chunks = {count}, .seed = 6});
    times[way] = median(bench.sizes.repeats, [&] { client.compute((sqrt(x) * 2.0f + x / 3.0f).sum()); });
  }
  const double better = std::min(times[0], times[1]);
  bench.rows.push_back(
      {"mixed run, of the better of CPU and device", micros(times[2]), micros(better), better / times[2], 0.95});
}

}  // namespace

std::vector<GpuRow> run_gpu_cases(const GpuSizes& sizes, const std::string& only) {
  Bench bench{sizes, {}};
  const std::pair<const char*, void (*)(Bench&)> cases[] = {
      {"copies", copies},           {"elementwise", elementwise},
      {"expression", expression},   {"stencil", stencil},
      {"streamed", streamed},       {"beyond memory", beyond_memory},
      {"empty tasks", empty_tasks}, {"products", products},
      {"transforms", transforms},   {"mixed", mixed}};
  for (const auto& [name, run] : cases) {
    if (!only.empty() && only != name) continue;
    try {
      run(bench);
    } catch (const std::exception& error) {
      bench.rows.push_back({name, std::string("failed: ") + error.what(), "", 0, 0});
    }
  }
  return bench.rows;
}

std::string gpu_table(const std::vector<GpuRow>& rows) {
  std::string text = "| case | measured | floor | reached | goal |\n| --- | ---: | --- | ---: | ---: |\n";
  for (const GpuRow& row : rows) {
    char share[64] = " | ";
    if (row.share > 0) std::snprintf(share, sizeof share, "%.0f%% | ", 100 * row.share);
    if (row.share > 0 && row.goal > 0)
      std::snprintf(share, sizeof share, "%.0f%% | %.0f%%", 100 * row.share, 100 * row.goal);
    text += "| " + row.name + " | " + row.value + " | " + row.floor + " | " + share + " |\n";
  }
  return text;
}

}  // namespace weft::bench
