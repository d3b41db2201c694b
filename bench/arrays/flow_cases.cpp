// expression, std, philox, tiny-chunks, double-diff, overlap, rechunk, petabyte-plan: what moves, and what is computed
// on the way.

#include <cmath>
#include <stdexcept>

#include "bench/arrays/array_cases.hpp"
#include "bench/metg.hpp"

namespace weft::bench {
namespace {

constexpr Option kInput = {"input", "random", "random: made within the pass; persisted: read from memory"};

double item(const NDArray& values) { return values.item<double>(); }

void run_expression(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = run.input({run.n(), run.n()}, {run.chunk(), run.chunk()}, 7);
  run.measure(
      [&] {
        const Array y = x + transpose(x) - mean(x, {.axis = 0, .keepdims = true});
        return item(run.client().compute(sum(y)));
      },
      0.5 * n * n, 20 / n);
  // The mean must be known before the sum: each element is read twice, for it and for both of x and x.T.
  run.print(output, arguments.text("input") == "random" ? 0 : 2 * 8 * n * n,
            [&](Line& line) { line.text("input", arguments.text("input")); });
}

void run_std(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = run.input({run.n(), run.n()}, {run.chunk(), run.chunk()}, 7);
  run.measure(
      [&] {
        const NDArray deviations = run.client().compute(stddev(x, {.axis = 0}));
        double sum = 0;
        for (const double one : deviations.span<double>()) sum += one;
        return sum / n;
      },
      std::sqrt(1.0 / 12), 2 / std::sqrt(n));
  run.print(output, arguments.text("input") == "random" ? 0 : 8 * n * n,
            [&](Line& line) { line.text("input", arguments.text("input")); });
}

void run_philox(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = random::uniform({run.n(), run.n()}, {.chunks = {run.chunk(), run.chunk()}, .seed = 7});
  run.measure([&] { return item(run.client().compute(mean(x))); }, 0.5, 2 / n);
  run.print(output, 8 * n * n);
}

void run_tiny_chunks(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = ones({run.n(), run.n()}, {.chunks = {run.chunk(), run.chunk()}});
  run.measure([&] { return item(run.client().compute(sum(x))); }, n * n, 0);
  run.print(output, 0, [&](Line& line) { line.integer("chunks", x.npartitions()); });
}

void run_double_diff(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array a = run.input({run.n(), run.n()}, {run.chunk(), run.chunk()}, 7);
  const Array b = run.input({run.n(), run.n()}, {run.chunk(), run.chunk()}, 8);
  const Array difference = a(slice(1, none), slice(1, none)) - b(slice(none, -1), slice(none, -1));
  run.measure(
      [&] {
        const Array kept = run.materialise(difference);
        return static_cast<double>(kept.size());
      },
      (n - 1) * (n - 1), 0);
  run.print(output, arguments.text("input") == "random" ? 0 : 3 * 8 * n * n,
            [&](Line& line) { line.text("input", arguments.text("input")); });
}

void run_rechunk(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = run.materialise(random::uniform({run.n(), run.n()}, {.chunks = {run.n(), run.chunk()}, .seed = 7}));
  const bool sums = arguments.text("then") == "sum";
  if (!sums && arguments.text("then") != "keep") throw std::invalid_argument("--then is keep or sum");
  run.measure(
      [&] {
        const Array turned = run.materialise(rechunk(x, {run.chunk(), run.n()}));
        return sums ? item(run.client().compute(sum(turned))) / (n * n) : 0.5;
      },
      0.5, 2 / n);
  // Read once and written once; the sum reads it again.
  run.print(output, (sums ? 3 : 2) * 8 * n * n, [&](Line& line) { line.text("then", arguments.text("then")); });
}

/// The mean of five points on a torus.
void run_overlap(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const double n = static_cast<double>(run.n());
  const Array x = run.input({run.n(), run.n()}, {run.chunk(), run.chunk()}, 7);
  run.measure(
      [&] {
        const Array stencil =
            map_overlap(x,
                        [](ChunkView<const double, 2> wide, ChunkView<double, 2> out, const BlockInfo& info) {
                          const auto in = wide.inner(info);
                          const std::int64_t row = in.stride(0);
                          for (std::int64_t i = 0; i < out.extent(0); ++i) {
                            const double* const from = in.data() + i * row;
                            double* const to = out.data() + i * out.stride(0);
                            for (std::int64_t j = 0; j < out.extent(1); ++j) {
                              to[j] = (from[j] + from[j - row] + from[j + row] + from[j - 1] + from[j + 1]) / 5;
                            }
                          }
                        },
                        {.depth = 1, .boundary = Boundary::Periodic, .local = true});
        return item(run.client().compute(sum(stencil))) / (n * n);
      },
      0.5, 2 / n);
  // Read once, written once, read again for the sum.
  run.print(output, arguments.text("input") == "random" ? 0 : 3 * 8 * n * n,
            [&](Line& line) { line.text("input", arguments.text("input")); });
}

constexpr std::int64_t kMonths = 12;

/// Mean and deviation of each month over two years of the petabyte, of so many chunks each.
class PartOfPetabyte {
 public:
  PartOfPetabyte(std::int64_t years, std::int64_t places, std::int64_t chunk, std::int64_t chunks) {
    const Array x = random::normal(1, 2, {years, kMonths, places}, {.chunks = {1, 1, chunk}, .seed = 7});
    const Array some = x(slice(0, 2), slice(), slice(0, chunk * chunks));
    means_ = mean(some, {.axis = {0, 2}});
    deviations_ = stddev(some, {.axis = {0, 2}});
  }
  std::pair<NDArray, NDArray> run(const Client& client) const {
    auto [means, deviations] = client.compute(means_, deviations_);
    return {std::move(means), std::move(deviations)};
  }
  std::uint64_t peak_bytes(std::size_t slots) const {
    return arrays::plan({means_, deviations_}, {.slots = static_cast<unsigned>(slots)}).peak_bytes;
  }

 private:
  Array means_, deviations_;
};

void check_part(const std::pair<NDArray, NDArray>& found, double places) {
  const double error = 12 / std::sqrt(2 * places);
  for (std::int64_t month = 0; month < kMonths; ++month) {
    if (std::fabs(found.first.at<double>(month) - 1) > error || std::fabs(found.second.at<double>(month) - 2) > error) {
      wrong_result("a part of the petabyte");
    }
  }
}

/// Months of a hundred years of days, described only; then parts of it, run and checked.
void run_petabyte_plan(const Case& self, const Arguments& arguments, const Output& output) {
  const std::int64_t chunk = arguments.integer("chunk", 1);
  const std::int64_t chunks = arguments.integer("n", 1);
  const std::int64_t years = 100;
  const std::int64_t places = chunks * chunk / (years * kMonths);
  Samples samples;
  Array means, deviations;
  std::size_t tasks = 0;
  reset_peak_resident_bytes();
  const std::int64_t before = resident_bytes();
  for (std::int64_t i = 0; i < arguments.integer("repeat", 1); ++i) {
    const double start = seconds_now();
    const Array x = random::normal(1, 2, {years, kMonths, places}, {.chunks = {1, 1, chunk}, .seed = 7});
    means = mean(x, {.axis = {0, 2}});
    deviations = stddev(x, {.axis = {0, 2}});
    tasks = to_delayed(means).size() + to_delayed(deviations).size();
    samples.add(seconds_now() - start);
  }
  Line line(self.name);
  line.param("n", chunks).param("chunk", chunk).seconds(samples);
  line.number("petabytes", static_cast<double>(years * kMonths * places) * 8 / 1e15);
  line.integer("outputs", static_cast<std::int64_t>(tasks));
  line.integer("plan_bytes", peak_resident_bytes() - before);
  // A sample of whole chunks, and a job a hundred times as large, whose time and memory it foretells.
  const std::int64_t part = std::max<std::int64_t>(chunk, places / 10'000 / chunk * chunk);
  const Client client(client_options(arguments));
  const PartOfPetabyte sample(years, places, chunk, 1);
  check_part(sample.run(client), static_cast<double>(chunk));
  Samples sampled;
  for (int i = 0; i < 5; ++i) {
    const double start = seconds_now();
    check_part(sample.run(client), static_cast<double>(chunk));
    sampled.add(seconds_now() - start);
  }
  const std::int64_t many = std::min<std::int64_t>(100, part / chunk);
  const PartOfPetabyte job(years, places, chunk, many);
  const double foretold_seconds = sampled.min() * static_cast<double>(many);
  const double foretold_bytes = static_cast<double>(job.peak_bytes(client.slots()));
  reset_peak_resident_bytes();
  const std::int64_t resident = resident_bytes();
  const double start = seconds_now();
  check_part(job.run(client), static_cast<double>(chunk * many));
  const double seconds = seconds_now() - start;
  line.number("sample_seconds", sampled.min()).integer("times_the_sample", many);
  line.number("foretold_seconds", foretold_seconds).number("job_seconds", seconds);
  line.number("wall_of_foretold", seconds / foretold_seconds);
  line.number("foretold_peak_bytes", foretold_bytes + static_cast<double>(resident));
  line.integer("job_peak_bytes", peak_resident_bytes());
  line.number("peak_of_foretold",
              static_cast<double>(peak_resident_bytes()) / (foretold_bytes + static_cast<double>(resident)));
  output.print(line.peak());
}

}  // namespace

std::vector<Case> array_flow_cases() {
  return {
      {"expression", "(x + x.T - x.mean(0)).sum()", array_options("16000", "1000", {kInput}), &run_expression},
      {"std", "standard deviation along the first axis", array_options("16000", "1000", {kInput}), &run_std},
      {"philox", "random numbers, made and averaged: the floor of expressions on random arrays",
       array_options("16000", "1000"), &run_philox},
      {"tiny-chunks", "sum of ones in very small chunks", array_options("1000", "4"), &run_tiny_chunks},
      {"double-diff", "a[1:, 1:] - b[:-1, :-1], kept", array_options("8000", "1600", {kInput}), &run_double_diff},
      {"overlap", "the mean of five points on a torus, by map_overlap, summed",
       array_options("16000", "1000", {kInput}), &run_overlap},
      {"rechunk", "an array in columns, kept, turned into one in rows, kept",
       array_options("8000", "100", {{"then", "keep", "keep, or sum: what is done with it"}}), &run_rechunk},
      {"petabyte-plan",
       "mean and std by month of a virtual petabyte: described, a sample of it run, and a job of 100 samples foretold",
       {{"n", "1000000000", "chunks"},
        {"chunk", "125000", "elements of a chunk"},
        kScheduler,
        kThreads,
        {"repeat", "3", "repetitions"}},
       &run_petabyte_plan},
  };
}

}  // namespace weft::bench
