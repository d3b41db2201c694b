#include <weft/resource_profile.hpp>

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace weft {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

std::string content_of_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(ResourceProfileTest, SeesTasksMemoryAndProcessors) {
  const Client client(Options{.scheduler = "threads", .threads = 2});
  ResourceProfile profile(client, {.interval = std::chrono::milliseconds(1)});
  const auto block = client.submit([] { return std::vector<double>(1 << 20, 1.5); });
  double sum = 0;
  do {
    sum += client.submit([](double x) { return x * x; }, 3.0).result();
  } while (profile.samples().size() < 20 || profile.samples().back().tasks_done < 2);
  EXPECT_GT(sum + block.inspect([](const auto& values) { return values[3]; }), 1.5);
  profile.stop();
  const std::vector<ResourceSample> samples = profile.samples();
  EXPECT_GT(samples.back().tasks_done, 1u);
  EXPECT_GT(samples.back().resident_bytes, std::size_t{1} << 20);
  EXPECT_GE(samples.back().used_bytes, std::size_t{8} << 20);
  double busy = 0;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    EXPECT_GE(samples[i].seconds, samples[i - 1].seconds);
    busy += samples[i].busy_cores * (samples[i].seconds - samples[i - 1].seconds);
  }
  EXPECT_GT(busy, 0);
  EXPECT_LT(busy, 256 * samples.back().seconds);
  client.submit([] { return 1; }).result();
  EXPECT_EQ(profile.samples().size(), samples.size());
}

TEST(ResourceProfileTest, WritesATableAndAPageOfItsOwn) {
  const std::string folder = testing::TempDir() + "weft_profile_" + std::to_string(::getpid());
  std::filesystem::create_directory(folder);
  const Client client(Options{.scheduler = "sync"});
  ResourceProfile profile(client);
  client.submit([] { return 1; }).result();
  profile.stop();
  profile.write_csv(folder + "/p.csv");
  profile.write_html(folder + "/p.html");
  const std::string table = content_of_file(folder + "/p.csv");
  EXPECT_THAT(table, StartsWith("seconds,busy_cores,resident_bytes,"));
  EXPECT_EQ(std::count(table.begin(), table.end(), '\n'), 1 + static_cast<long>(profile.samples().size()));
  EXPECT_THAT(content_of_file(folder + "/p.html"),
              AllOf(StartsWith("<!doctype html>"), HasSubstr("1 tasks done"), HasSubstr("<polyline")));
  EXPECT_THROW(profile.write_csv(folder + "/no/such/file"), ConfigError);
  std::filesystem::remove_all(folder);
}

TEST(ResourceProfileTest, AWorkerThatIsThisProcessHasNoSamplesOfItsOwn) {
  const Client client(Options{.scheduler = "threads", .threads = 1});
  ResourceProfile profile(client);
  profile.stop();
  EXPECT_TRUE(profile.worker_samples().empty());
}

TEST(ResourceProfileTest, EndsWithItsClient) {
  Client client(Options{.scheduler = "threads", .threads = 1});
  ResourceProfile profile(client, {.interval = std::chrono::milliseconds(1)});
  client.close();
  const std::size_t count = profile.samples().size();
  EXPECT_GE(count, 2u);
  profile.stop();
  EXPECT_EQ(profile.samples().size(), count);
  EXPECT_THROW(ResourceProfile(client, {}), Error);
  EXPECT_THROW(ResourceProfile(Client(Options{.scheduler = "sync"}), {.interval = Seconds(0)}), ConfigError);
}

}  // namespace
}  // namespace weft
