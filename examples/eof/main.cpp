// Empirical orthogonal functions of a field on the globe: anomalies from each month's mean, weighted by the area of the
// cells, as a matrix of times and places; its singular vectors are the patterns, and how they vary in time.
#include <weft/weft.hpp>

#include <weft/labelled.hpp>

#include <cmath>
#include <cstdio>
#include <numbers>

using namespace weft;

namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::int64_t kMonths = 480;

Coordinate months() {
  io::Attribute units;
  units.name = "units";
  units.type.kind = io::ElementKind::VariableText;
  units.texts = {"days since 1980-01-01"};
  std::vector<double> labels;
  for (std::int64_t i = 0; i < kMonths; ++i) labels.push_back(std::floor(static_cast<double>(i) * 30.4375) + 15);
  return Coordinate::of_numbers("time", labels, {units});
}

/// A year, two patterns that swing with periods of 41 and 97 months, and noise.
LabelledArray field(const LatLonGrid& grid) {
  const auto rows = static_cast<std::int64_t>(grid.lat().size()),
             columns = static_cast<std::int64_t>(grid.lon().size());
  const Array lat = from(std::vector<double>(grid.lat())).reshape({rows, 1}) * (kPi / 180);
  const Array lon = from(std::vector<double>(grid.lon())) * (kPi / 180);
  const Array time = arange(kMonths, {.chunks = 60}).reshape({kMonths, 1, 1}) * (2 * kPi);
  const Array year = cos(time / 12) * sin(lat) * 10.0;
  const Array first = sin(time / 41) * (cos(lat) * cos(lon)) * 3.0;
  const Array second = cos(time / 97) * sin(lat * 3) * 1.5;
  const Array noise = random::normal(0, 0.5, {kMonths, rows, columns}, {.chunks = {60, rows, columns}, .seed = 8});
  return {year + first + second + noise + 280,
          {"time", "lat", "lon"},
          {{"time", months()},
           {"lat", Coordinate::of_numbers("lat", grid.lat())},
           {"lon", Coordinate::of_numbers("lon", grid.lon())}},
          "tas"};
}

/// Less the mean of its month of the year.
LabelledArray anomalies(const LabelledArray& x) {
  const GroupedArray groups = x.groupby("time.month");
  std::vector<std::int64_t> month(groups.group_of().begin(), groups.group_of().end());
  const Array normal = take(groups.mean().data(), month, 0);
  return {x.data() - normal, x.dims(), x.coordinates(), x.name()};
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args) {
    const LatLonGrid grid = LatLonGrid::named("r72x36");
    const LabelledArray x = anomalies(field(grid));
    // Squares then count by area.
    const Array weights = sqrt(cos(from(std::vector<double>(grid.lat())) * (kPi / 180))).reshape({-1, 1});
    const LabelledArray weighted(x.data() * weights, x.dims(), x.coordinates());
    const Array matrix = weighted.stack("place", {"lat", "lon"}).data();  // 480 x 2592

    const auto [u, s, vt] = linalg::svd_compressed(matrix, 3, {.power_iterations = 2, .seed = 1});
    const Array variance = square(s) / sum(square(matrix));
    const Array patterns = vt.reshape({3, 36, 72}) / weights;
    const auto [share, swings, first] = client.compute(variance, u, patterns(0));
    std::printf("the first two patterns explain %.0f%% and %.0f%% of the variance, the third %.1f%%\n",
                100 * share.at<double>(0), 100 * share.at<double>(1), 100 * share.at<double>(2));

    // How alike the first is to what was put in, cos lat cos lon, and its times to their period.
    double both = 0, mine = 0, put_in = 0, together = 0;
    for (std::int64_t i = 0; i < 36; ++i) {
      for (std::int64_t j = 0; j < 72; ++j) {
        const double there = std::cos(grid.lat()[static_cast<std::size_t>(i)] * kPi / 180) *
                             std::cos(grid.lon()[static_cast<std::size_t>(j)] * kPi / 180);
        both += first.at<double>(i, j) * there;
        mine += first.at<double>(i, j) * first.at<double>(i, j);
        put_in += there * there;
      }
    }
    for (std::int64_t i = 0; i < kMonths; ++i) {
      together += swings.at<double>(i, 0) * std::sin(2 * kPi * static_cast<double>(i) / 41) / std::sqrt(kMonths / 2.0);
    }
    std::printf("the first is like the one that was put in: %.2f in space, %.2f in time\n",
                std::abs(both) / std::sqrt(mine * put_in), std::abs(together));
  });
}
