// Work on frames whose answers must have the same bits however they are run. usage: frames_job FOLDER [dies] [OPTIONS]
#include <weft/dataframe.hpp>
#include <weft/tokenize.hpp>
#include <weft/weft.hpp>

#include <signal.h>
#include <unistd.h>

#include <cstdio>

namespace {

using namespace weft;

constexpr std::int64_t kRows = 20'000;

/// Rows of one partition; the 11th ends its worker the first time, where that is asked for.
struct MakeRides {
  Table operator()(std::int64_t part, const std::string& flag) const {
    if (part == 10 && !flag.empty() && ::symlink("once", flag.c_str()) == 0) ::kill(::getpid(), SIGKILL);
    std::vector<std::int64_t> number(kRows);
    std::vector<double> fare(kRows);
    std::vector<std::string> vendor(kRows);
    std::vector<Cell> when(kRows);
    for (std::int64_t i = 0; i < kRows; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const std::uint64_t mixed = (static_cast<std::uint64_t>(part * kRows + i) * 0x9e3779b97f4a7c15u) >> 20;
      number[at] = static_cast<std::int64_t>(mixed % 100'000);
      fare[at] = static_cast<double>(mixed % 9'973) / 7;
      vendor[at] = "vendor " + std::to_string(mixed % 5);
      when[at] = mixed % 50 == 0
                     ? Cell()
                     : Cell(static_cast<std::int64_t>(mixed % 31'536'000) * 1'000'000'000 + 1'420'070'400'000'000'000);
    }
    return Table({{"number", Column::of(number)},
                  {"fare", Column::of(fare)},
                  {"vendor", Column::of(vendor)},
                  {"when", Column::of(ColumnType::Timestamp, when)}});
  }
};

void say(const char* what, const Table& table) {
  std::printf("%s %zu %s\n", what, table.row_count(), tokenize(table).c_str());
}

void body(Client& client, const Args& args) {
  const std::string folder = args.empty() ? "." : args[0];
  const std::string flag = args.size() > 1 && args[1] == "dies" ? folder + "/died" : "";
  std::vector<Delayed<Table>> parts;
  for (std::int64_t part = 0; part < 40; ++part) parts.push_back(delayed(MakeRides{})(part, flag));
  const DataFrame rides = DataFrame::from_delayed(
      parts, schema({{"number", "int64"}, {"fare", "float64"}, {"vendor", "string"}, {"when", "timestamp"}}));
  say("groups", rides.groupby({"vendor"})
                    .aggregate({{"fare", "mean"}, {"fare", "std"}, {"fare", "median"}, {"number", "nunique"}})
                    .compute(client));
  say("hours", rides[rides["fare"] > 100].groupby(rides["when"].dt().hour())["fare"].sum().compute(client));
  say("sorted", rides.sort_values({"number", "fare"}, {true, false}).head(client, 30'000));
  const DataFrame names =
      DataFrame::from_table(Table({{"vendor", Column::of(std::vector<std::string>{"vendor 1", "vendor 3"})},
                                   {"owner", Column::of(std::vector<std::string>{"Ada", "Bo"})}}));
  say("owners", rides.merge(names, {.on = {"vendor"}}).groupby("owner")["fare"].sum().compute(client));
  const DataFrame dear = rides[rides["fare"] > 1400][{"number", "fare"}];
  say("merged",
      rides.merge(dear, {.on = {"number"}, .npartitions = 8}).groupby("vendor")["fare_y"].sum().compute(client));
  say("different", rides.drop_duplicates({"number"})[{"number"}].sort_values({"number"}).compute(client));
  if (!rides.to_parquet(client, folder + "/parquet-*.parquet").empty())
    say("parquet", read_parquet(folder + "/parquet-*.parquet").groupby("vendor").size().compute(client));
  static_cast<void>(rides[{"number", "when"}].to_csv(client, folder + "/csv-*.csv"));
  say("csv", read_csv(folder + "/csv-*.csv", {.dates = {"when"}, .blocksize = 200'000})
                 .groupby(col("when").dt().month())
                 .count()
                 .compute(client));
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
