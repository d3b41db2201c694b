// vorticity, anomaly-mean, climatic-mean, quadratic-mean: the patterns of the geosciences.

#include <cmath>

#include "bench/arrays/array_cases.hpp"

namespace weft::bench {
namespace {

constexpr Option kInput = {"input", "random", "random: made within the pass; persisted: read from memory"};

double mean_of(const NDArray& values) {
  double sum = 0;
  for (const double one : values.span<double>()) sum += one;
  return sum / static_cast<double>(values.size());
}

/// Wind components on a globe, one slab a time step; the first row comes again behind the last.
void run_vorticity(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const std::int64_t n = run.n();
  const std::int64_t steps = arguments.integer("steps", 1);
  const Array u = run.input({n, n, steps}, {n, n, run.chunk()}, 7);
  const Array v = run.input({n, n, steps}, {n, n, run.chunk()}, 8);
  const Array dx = run.materialise(random::uniform({n + 1, n}, {.chunks = {n + 1, n}, .seed = 9}));
  const Array dy = run.materialise(random::uniform({n + 1, n}, {.chunks = {n + 1, n}, .seed = 10}));
  const auto wrapped = [&](const Array& field) {
    return rechunk(concatenate({field, field(slice(0, 1))}), {n + 1, n, run.chunk()});
  };
  const Array vorticity = dx(slice(), slice(), newaxis) * wrapped(u) - dy(slice(), slice(), newaxis) * wrapped(v);
  run.measure(
      [&] {
        return mean_of(run.client().compute(mean(vorticity, {.axis = {0, 1}})));
      },
      0, 4 / static_cast<double>(n));
  run.print(output, 0, [&](Line& line) { line.integer("steps", steps).text("input", arguments.text("input")); });
}

/// The mean of each day of the year over the years, subtracted; then the mean over time of what is left.
void run_anomaly_mean(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const std::int64_t years = arguments.integer("years", 2);
  const std::int64_t days = run.chunk();
  const Array x = run.input({years * days, run.n()}, {days, run.n()}, 7);
  const Array by_year = reshape(x, {years, days, run.n()});
  run.measure(
      [&] {
        const Array climatology = mean(by_year, {.axis = 0, .keepdims = true});
        return mean_of(run.client().compute(mean(by_year - climatology, {.axis = {0, 1}})));
      },
      0, 1e-9);
  const double bytes = 8.0 * static_cast<double>(years * days * run.n());
  run.print(output, arguments.text("input") == "random" ? 0 : 2 * bytes, [&](Line& line) {
    line.integer("years", years).number("gigabytes", bytes / 1e9).text("input", arguments.text("input"));
  });
}

/// Forecasts by their first date: the mean of every tenth, in six dimensions.
void run_climatic_mean(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const std::int64_t n = run.n();
  const std::int64_t members = arguments.integer("members", 1);
  const Array x = run.input({20, members, 8, 4, n, n}, {1, 1, 8, 4, run.chunk(), run.chunk()}, 7);
  const Array first = x(slice(0, 10));
  const Array second = x(slice(10, 20));
  run.measure(
      [&] {
        const Array mean_by_date = mean(stack({first, second}), {.axis = {0, 2}});
        return mean_of(run.client().compute(mean(mean_by_date, {.axis = 0})));
      },
      0.5, 0.05);
  const double bytes = 8.0 * static_cast<double>(x.size());
  run.print(output, arguments.text("input") == "random" ? 0 : bytes, [&](Line& line) {
    line.integer("members", members).number("gigabytes", bytes / 1e9).text("input", arguments.text("input"));
  });
}

/// Means over time of the squares and the product of two fields: one pass over both.
void run_quadratic_mean(const Case& self, const Arguments& arguments, const Output& output) {
  ArrayRun run(self, arguments);
  const std::int64_t n = run.n();
  const std::int64_t steps = arguments.integer("steps", 1);
  const Array u = run.input({steps, n, n}, {run.chunk(), n, n}, 7);
  const Array v = run.input({steps, n, n}, {run.chunk(), n, n}, 8);
  run.measure(
      [&] {
        const ReduceOptions over_time{.axis = 0};
        const auto [uu, vv, uv] =
            run.client().compute(mean(u * u, over_time), mean(v * v, over_time), mean(u * v, over_time));
        return mean_of(uu) + mean_of(vv) + mean_of(uv);
      },
      2.0 / 3 + 0.25, 0.05);
  const double bytes = 8.0 * static_cast<double>(steps * n * n);
  run.print(output, arguments.text("input") == "random" ? 0 : 2 * bytes, [&](Line& line) {
    line.integer("steps", steps).number("gigabytes", 2 * bytes / 1e9).text("input", arguments.text("input"));
  });
}

}  // namespace

std::vector<Case> array_climate_cases() {
  return {
      {"vorticity", "two fields, wrapped around and scaled; chunk: time steps of a chunk",
       array_options("1000", "1", {{"steps", "40", "time steps"}, kInput}), &run_vorticity},
      {"anomaly-mean", "departure from the mean of the day, averaged; n: places, chunk: days of a year",
       array_options("5000", "100", {{"years", "100", "years"}, kInput}), &run_anomaly_mean},
      {"climatic-mean", "mean of every tenth first date, in six dimensions",
       array_options("90", "90", {{"members", "10", "extent of the second axis"}, kInput}), &run_climatic_mean},
      {"quadratic-mean", "means of u^2, v^2 and u*v over time; chunk: time steps of a chunk",
       array_options("500", "10", {{"steps", "200", "time steps"}, kInput}), &run_quadratic_mean},
  };
}

}  // namespace weft::bench
