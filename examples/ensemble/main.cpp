// An ensemble of projections: scenarios, models, and runs of each model that differ by their weather alone. Each run is
// a store of its own; one pattern opens all of them as one array. How sure is the warming, and what is it that is
// unsure?
//
//     ensemble [FOLDER]     or mpirun -n 4 ensemble FOLDER, which all ranks see
#include <weft/weft.hpp>

#include <weft/members.hpp>

#include <cstdio>
#include <filesystem>
#include <numeric>
#include <string>
#include <vector>

using namespace weft;

namespace {

constexpr std::int64_t kYears = 86, kRegions = 24;  // 2015 to 2100
constexpr int kRuns = 5;

/// Makes runs as models would: FOLDER/ssp585/IPSL/r1/tas.zarr, in degrees above the mean of 1850 to 1900.
void make_runs(const Client& client, const std::string& folder) {
  const struct {
    const char* name;
    double rise;  // degrees in a century
  } scenarios[] = {{"ssp126", 0.8}, {"ssp245", 2.1}, {"ssp585", 4.4}},
    models[] = {{"CESM2", 1.2}, {"IPSL", 1.3}, {"MIROC6", 0.7}, {"MPI", 0.8}};
  const Array century = arange(kYears).reshape({kYears, 1}) / 100;
  const Array region = 1 + 0.5 * sin(arange(kRegions) / 4.0);
  std::uint64_t seed = 0;
  for (const auto& scenario : scenarios) {
    for (const auto& model : models) {
      for (int run = 1; run <= kRuns; ++run) {
        const Array weather = random::normal(0, 0.8, {kYears, kRegions}, {.chunks = -1, .seed = ++seed});
        const std::string place = folder + "/" + scenario.name + "/" + model.name + "/r" + std::to_string(run);
        std::filesystem::create_directories(place);
        save(client, 1.1 + century * region * scenario.rise * model.rise + weather, place + "/tas.zarr");
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args args) {
    const bool keep = !args.empty();
    const std::string folder = keep ? args[0] : (std::filesystem::temp_directory_path() / "weft_ensemble").string();
    make_runs(client, folder);

    const Dataset runs = open_members(folder + "/{scenario}/{model}/r{run}/tas.zarr");
    std::vector<double> years(kYears);
    std::iota(years.begin(), years.end(), 2015);
    LabelledArray::Coordinates labels = runs["tas"].coordinates();
    labels["year"] = Coordinate::of_numbers("year", years);
    const LabelledArray tas(runs["tas"].data(), {"scenario", "model", "run", "year", "region"}, labels);

    // The last ten years in one region: one number a run.
    const LabelledArray end = tas.sel("year", between(2091, 2100)).isel("region", 6).mean("year");
    const LabelledArray likely = end.quantile({0.17, 0.5, 0.83}, {"model", "run"});

    // The variance of all runs, by source: of a sum of means the parts add up (the law of total variance).
    const LabelledArray of_model = end.mean("run"), of_scenario = of_model.mean("model");
    const LabelledArray scenario = of_scenario.var("scenario");
    const LabelledArray model = of_model.var("model").mean("scenario");
    const LabelledArray weather = end.var("run").mean({"scenario", "model"});
    const LabelledArray all = end.var({"scenario", "model", "run"});

    const auto [range, s, m, w, total] =
        client.compute(likely.data(), scenario.data(), model.data(), weather.data(), all.data());
    const auto& names = end.coordinates().at("scenario").texts();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      std::printf("%s: %.1f degrees, likely %.1f to %.1f\n", names[i].c_str(), range.at<double>(1, at),
                  range.at<double>(0, at), range.at<double>(2, at));
    }
    const double whole = total.item<double>();
    std::printf("variance: scenario %.1f%%, model %.1f%%, weather %.1f%%; together %.6f of all\n",
                100 * s.item<double>() / whole, 100 * m.item<double>() / whole, 100 * w.item<double>() / whole,
                (s.item<double>() + m.item<double>() + w.item<double>()) / whole);
    if (keep) {
      save(client, likely.data(), folder + "/likely.npy");
    } else {
      std::filesystem::remove_all(folder);
    }
  });
}
