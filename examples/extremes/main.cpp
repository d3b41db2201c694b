// Floods and droughts from daily rain: the heaviest day of each year and how heavy the one of a century is (a
// generalised extreme value distribution by L-moments, a fit for each place), and months that are far too dry for their
// season (the standardised precipitation index).
//
//     extremes [FOLDER]     or mpirun -n 4 extremes FOLDER, which all ranks see
#include <weft/weft.hpp>

#include <weft/labelled.hpp>
#include <weft/ops/special.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

using namespace weft;

namespace {

constexpr std::int64_t kYears = 40, kDays = 365, kRows = 12, kColumns = 16;

/// Rain in mm a day of 40 years, with a season, wetter to the east; in the 25th spring hardly any.
LabelledArray rain() {
  const Array wet = 2 + 4 * arange(kColumns) / kColumns;
  const Array day = arange(kYears * kDays, {.chunks = 5 * kDays}).reshape({kYears * kDays, 1, 1});
  const Array season = 1 + 0.5 * cos(day * (2 * std::numbers::pi / kDays));
  const Array drought = where((day >= 24 * kDays + 59) & (day < 24 * kDays + 151), 0.15, 1.0);
  const Array showers =
      random::gamma(0.4, 2.5, {kYears * kDays, kRows, kColumns}, {.chunks = {5 * kDays, kRows, kColumns}, .seed = 3});
  io::Attribute units, calendar;
  units.name = "units";
  calendar.name = "calendar";
  units.type.kind = calendar.type.kind = io::ElementKind::VariableText;
  units.texts = {"days since 1981-01-01"};
  calendar.texts = {"noleap"};
  std::vector<double> days(kYears * kDays);
  std::iota(days.begin(), days.end(), 0);
  return {showers * season * drought * wet,
          {"time", "y", "x"},
          {{"time", Coordinate::of_numbers("time", days, {units, calendar})}},
          "rain"};
}

/// Location, scale and shape from the first three L-moments (Hosking 1985). The shape has SciPy's sign.
void fit_extremes(ChunkView<const double, 1> values, ChunkView<double, 1> parameters) {
  const std::int64_t n = values.extent(0);
  std::vector<double> sorted;
  for (std::int64_t i = 0; i < n; ++i) sorted.push_back(values(i));
  std::sort(sorted.begin(), sorted.end());
  double b0 = 0, b1 = 0, b2 = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = sorted[static_cast<std::size_t>(i)] / static_cast<double>(n);
    const double share = static_cast<double>(i) / static_cast<double>(n - 1);
    b0 += value;
    b1 += value * share;
    b2 += value * share * static_cast<double>(i - 1) / static_cast<double>(n - 2);
  }
  const double l2 = 2 * b1 - b0, skewness = (6 * b2 - 6 * b1 + b0) / l2;
  const double c = 2 / (3 + skewness) - std::log(2.0) / std::log(3.0);
  const double shape = 7.8590 * c + 2.9554 * c * c, gamma = std::tgamma(1 + shape);
  const double scale = l2 * shape / ((1 - std::exp2(-shape)) * gamma);
  parameters(0) = b0 - scale * (1 - gamma) / shape;
  parameters(1) = scale;
  parameters(2) = shape;
}

/// What is exceeded once in so many years.
Array return_level(const Array& parameters, double years) {
  const double often = -std::log1p(-1 / years);
  return parameters(ellipsis, 0) +
         parameters(ellipsis, 1) * (1 - power(often, parameters(ellipsis, 2))) / parameters(ellipsis, 2);
}

/// Each month's rain as a normal variable of its place and month of the year: -2 is as dry as one in 44.
Array precipitation_index(const LabelledArray& monthly) {
  const Array x = monthly.data().reshape({kYears, 12, kRows, kColumns});
  const ReduceOptions over_years{.axis = 0, .keepdims = true};
  const Array dry = mean(x == 0, over_years);
  const Array wet = where(x > 0, x, std::nan(""));
  const Array mean_wet = nanmean(wet, over_years);
  const Array a = log(mean_wet) - nanmean(log(wet), over_years);
  const Array shape = (1 + sqrt(1 + 4 * a / 3)) / (4 * a);  // Thom's estimate of a gamma distribution
  return special::ndtri(dry + (1 - dry) * special::gammainc(shape, x * shape / mean_wet));
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args args) {
    const LabelledArray daily = rain();
    const LabelledArray heaviest = daily.groupby("time.year").max();   // mm in a day
    const LabelledArray monthly = daily.resample("time", "1M").sum();  // mm in a month

    const Array fit = apply_gufunc(fit_extremes, "(year)->(parameter)", {moveaxis(heaviest.data(), 0, -1)},
                                   {.output_sizes = {{"parameter", 3}}});
    const Array century = return_level(fit, 100), index = precipitation_index(monthly);

    const Array driest = argmin(index.mean({.axis = {2, 3}}).reshape({-1}));
    const auto [level, month, months] = client.compute(century.mean({.axis = 0}), driest, sum(index < -2));
    std::printf("a day of rain that comes once in a century: %.0f mm in the west, %.0f mm in the east\n",
                level.at<double>(0), level.at<double>(-1));
    const std::int64_t number = month.item<std::int64_t>();
    std::printf("the driest month of all places is %lld-%02lld\n", static_cast<long long>(1981 + number / 12),
                static_cast<long long>(1 + number % 12));
    std::printf(
        "%.1f%% of all months are extremely dry (index below -2)\n",
        100.0 * static_cast<double>(months.item<std::int64_t>()) / static_cast<double>(kYears * 12 * kRows * kColumns));
    if (args.empty()) return;
    save(client, daily.data(), args[0] + "/rain.npy");
    save_npz(client, args[0] + "/results.npz", {{"fit", fit}, {"century", century}, {"index", index}});
  });
}
