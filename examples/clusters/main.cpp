// Learning from a field in time and space: places become groups by how they vary (k-means), and a linear regression
// predicts one of them from two others, a month ahead. Samples are stacked from (time, lat, lon).
//
//     clusters [FOLDER]     or mpirun -n 4 clusters FOLDER, which all ranks see
#include <weft/weft.hpp>

#include <weft/labelled.hpp>

#include <cstdio>
#include <string>
#include <vector>

using namespace weft;

namespace {

constexpr std::int64_t kMonths = 240, kRows = 36, kColumns = 72;
constexpr std::int64_t kGroups = 3;

/// Anomalies in degrees of three regions, each with an oscillation of its own, and noise.
LabelledArray field() {
  const Array time = arange(kMonths, {.chunks = 60}).reshape({kMonths, 1, 1});
  const Array lat = arange(kRows).reshape({kRows, 1}) * 5 - 87.5, lon = arange(kColumns) * 5 + 2.5;
  const Array north = lat > 20, pacific = (abs(lat) < 20) & (lon > 150) & (lon < 280);
  const Array first = 1.0 * cos(time / 3), second = 2.0 * sin(time / 7), third = 0.7 * cos(time / 11);
  const Array noise = random::normal(0, 0.5, {kMonths, kRows, kColumns}, {.chunks = {60, kRows, kColumns}, .seed = 6});
  return {where(pacific, second, where(north, first, third)) + noise, {"time", "lat", "lon"}, {}, "anomaly"};
}

/// Lloyd's k-means: each sample to its nearest centre, each centre to the mean of its samples, until nothing moves.
struct KMeans {
  Array centres;       // groups, features
  Array labels;        // of each sample
  double inertia = 0;  // the sum of squares of distances
  int steps = 0;
};
KMeans k_means(const Client& client, const Array& samples, const Array& first, int most_steps = 100) {
  KMeans found{first, {}, 0, 0};
  const Array lengths = sum(square(samples), {.axis = 1, .keepdims = true});
  for (double moved = 1; moved > 0 && found.steps < most_steps; ++found.steps) {
    const Array squares =
        lengths - 2 * matmul(samples, transpose(found.centres)) + sum(square(found.centres), {.axis = 1});
    const Array labels = client.persist(argmin(squares, {.axis = 1}));
    const Array member = (labels.reshape({-1, 1}) == arange(kGroups)).astype(float64);
    const Array centres = matmul(transpose(member), samples) / sum(member, {.axis = 0}).reshape({-1, 1});
    const auto [next, change, inertia] =
        client.compute(centres, max(abs(centres - found.centres)), sum(min(squares, {.axis = 1})));
    moved = change.item<double>();
    found = {from_ndarray(next), labels, inertia.item<double>(), found.steps};
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args args) {
    // A row for each place, in chunks of places.
    const LabelledArray stacked = field().stack("place", {"lat", "lon"}).transpose({"place", "time"});
    const Array samples = client.persist(stacked.data().rechunk({648, -1}));
    // To begin with: three places.
    const KMeans groups = k_means(client, samples, samples({100, 1300, 2500}));
    const NDArray counts = client.compute(bincount(groups.labels, {.length = kGroups}));
    std::printf("k-means ends after %d steps, with groups of %lld, %lld and %lld places\n", groups.steps,
                static_cast<long long>(counts.at<std::int64_t>(0)), static_cast<long long>(counts.at<std::int64_t>(1)),
                static_cast<long long>(counts.at<std::int64_t>(2)));

    // The next month of each place from this one and the one before: all places and months are samples.
    const auto flat = [&](std::int64_t begin) {
      return samples(slice(), slice(begin, begin + kMonths - 2)).reshape({-1});
    };
    const Array now = flat(1), before = flat(0), next = flat(2);
    const Array predictors = stack({now, before, ones_like(now)}, 1);
    const Array coefficients =
        linalg::solve(matmul(transpose(predictors), predictors), matmul(transpose(predictors), next));
    const Array left = next - matmul(predictors, coefficients);
    const Array skill = 1 - sum(square(left)) / sum(square(next - mean(next)));
    const auto [weights, r2] = client.compute(coefficients, skill);
    std::printf("next month = %.3f this month %+.3f the one before %+.4f; it explains %.0f%%\n", weights.at<double>(0),
                weights.at<double>(1), weights.at<double>(2), 100 * r2.item<double>());
    if (args.empty()) return;
    save_npz(
        client, args[0] + "/clusters.npz",
        {{"samples", samples}, {"centres", groups.centres}, {"labels", groups.labels}, {"coefficients", coefficients}});
    std::printf("inertia %.9e, r2 %.12f\n", groups.inertia, r2.item<double>());
  });
}
