/// What a client keeps at its workers when some of them die, for kept_test.py: `kept_job WHAT FOLDER` under mpirun.

#include <weft/weft.hpp>

#include <weft/forward_logging.hpp>
#include <weft/memory_trace.hpp>
#include <weft/upload.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace weft;
using namespace std::chrono_literals;

void print(const std::string& what, std::int64_t value) {
  std::printf("%s %lld\n", what.c_str(), static_cast<long long>(value));
  std::fflush(stdout);
}

std::vector<std::int64_t> numbers(std::int64_t count) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// True for whoever asks first in this folder, in any process.
bool first(const std::string& folder, const std::string& what) {
  return ::symlink("x", (folder + "/" + what).c_str()) == 0;
}

/// Kills the worker that runs it, once for each name.
std::int64_t dies_once(std::int64_t x, const std::string& folder, const std::string& name) {
  if (x == 7 && first(folder, name)) ::kill(::getpid(), SIGKILL);
  std::this_thread::sleep_for(2ms);
  return x;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The length of the copy here, where it holds one letter again and again.
std::int64_t copy_of(std::int64_t, const std::string& name) {
  const std::string text = read_whole(uploaded_file(name));
  return text.find_first_not_of(text[0]) == std::string::npos ? static_cast<std::int64_t>(text.size()) : -1;
}

std::string write(const std::string& path, char letter, std::size_t size) {
  std::ofstream(path, std::ios::binary) << std::string(size, letter);
  return path;
}

/// Returns on how many workers the copy has so many bytes.
std::int64_t copies(const Client& client, const std::string& name, std::int64_t size) {
  std::int64_t good = 0;
  for (const auto& [worker, bytes] : client.run_on_workers(&copy_of, 0, name)) good += bytes == size ? 1 : 0;
  return good;
}

std::int64_t sum_of(const std::vector<Future<std::int64_t>>& futures) {
  std::int64_t sum = 0;
  for (const Future<std::int64_t>& one : futures) sum += one.result();
  return sum;
}

void uploads(const Client& client, const std::string& folder) {
  const std::string path = folder + "/rates.csv";
  const std::string name = upload_file(client, write(path, 'a', 1000));
  print("copies", copies(client, name, 1000));
  // Tasks that need the file are run again on workers that came back, or on others.
  print("sum", sum_of(client.map(&dies_once, numbers(100), folder, "one")));
  print("bytes", sum_of(client.map(&copy_of, numbers(100), name)));
  client.run_on_workers([] { return 0; });
  print("copies after a death", copies(client, name, 1000));
  // A worker dies while a large file is under way to all.
  const auto dying = client.map(&dies_once, numbers(400), folder, "two");
  upload_file(client, write(path, 'b', std::size_t{48} << 20));
  print("sum", sum_of(dying));
  print("copies of another", copies(client, name, std::int64_t{48} << 20));
  // Those that are told to start anew have the last one.
  std::vector<std::string> names;
  for (const WorkerInfo& worker : client.info().workers) names.push_back(worker.name);
  client.restart_workers(names);
  print("copies after a restart", copies(client, name, std::int64_t{48} << 20));
}

std::int64_t says(std::int64_t x) {
  logging::info("executor", "info ", x);
  logging::debug("executor", "debug ", x);
  return x;
}

std::int64_t says_and_dies(std::int64_t x, const std::string& folder) {
  logging::info("executor", "last words ", x);
  std::this_thread::sleep_for(300ms);
  if (first(folder, "died")) ::kill(::getpid(), SIGKILL);
  return x;
}

/// Prints how many lines of each kind came.
void forwards(const Client& client, const std::string& folder) {
  const logging::Capture capture;
  {
    const ForwardLogging lines(client);
    print("sum", sum_of(client.map(&says, numbers(300))));
    print("last", client.submit(&says_and_dies, 1, folder).result());
    // From those that came instead, too.
    client.run_on_workers(&says, 1000);
  }
  print("unheard", sum_of(client.map(&says, numbers(300))));
  std::map<std::string, std::int64_t> seen;
  for (const logging::Record& record : capture.records()) {
    const std::size_t end = record.text.find("] ");
    if (record.text[0] != '[' || end == std::string::npos) continue;
    const std::string text = record.text.substr(end + 2);
    ++seen[text == "info 1000" ? "from all" : text.substr(0, text.find_last_of(' '))];
  }
  for (const char* const kind : {"info", "debug", "last words", "from all"}) print(kind, seen[kind]);
}

/// Holds so many bytes for a while.
std::int64_t holds(std::int64_t bytes) {
  const std::unique_ptr<char[]> block(new char[static_cast<std::size_t>(bytes)]);
  std::memset(block.get(), 1, static_cast<std::size_t>(bytes));
  std::this_thread::sleep_for(100ms);
  return block[static_cast<std::size_t>(bytes) / 2];
}

/// Keeps so many bytes for good; where nobody did so before, its worker is killed soon after.
std::int64_t keeps_and_dies(std::int64_t bytes, const std::string& folder) {
  static std::vector<char> kept;
  const bool is_first = first(folder, "died");
  if (is_first) kept.assign(static_cast<std::size_t>(bytes), 'x');
  std::this_thread::sleep_for(1s);  // what its worker ran before is gathered meanwhile
  if (is_first) ::kill(::getpid(), SIGKILL);
  return 1;
}

void traces(const Client& client, const std::string& folder) {
  constexpr std::int64_t kLarge = std::int64_t{200} << 20;
  const auto named = [&](const char* name) { return client.with({.name = name}); };
  const MemoryTrace trace(client, folder + "/memory.csv", {.interval = Seconds(0.01)});
  print("large", sum_of(named("large").map(&holds, std::vector<std::int64_t>(6, kLarge))));
  print("one", named("deadly").submit(&keeps_and_dies, kLarge, folder).result());
  print("large", sum_of(named("large").map(&holds, std::vector<std::int64_t>(6, kLarge))));
  print("small", sum_of(named("small").map(&holds, std::vector<std::int64_t>(12, 4096))));
  std::this_thread::sleep_for(50ms);
  std::map<std::string, TracedMemory> all;
  std::int64_t kept = 0;
  for (const TracedMemory& one : trace.seen()) {
    if (one.name.empty() && one.growth_bytes > kLarge * 3 / 4) ++kept;
    TracedMemory& whole = all[one.name];
    whole.tasks += one.tasks;
    whole.highest_bytes = std::max(whole.highest_bytes, one.highest_bytes);
    whole.growth_bytes = std::min(whole.growth_bytes, one.growth_bytes);
  }
  for (const char* const name : {"large", "deadly", "small"}) {
    print(std::string("tasks of ") + name, static_cast<std::int64_t>(all[name].tasks));
  }
  print("large is seen", all["large"].highest_bytes > kLarge ? 1 : 0);
  print("small shrank", all["small"].growth_bytes < -kLarge / 4 ? 1 : 0);
  print("whose process died with more", kept);
}

void body(Client& client, const Args& args) {
  if (args.at(0) == "uploads") uploads(client, args.at(1));
  if (args.at(0) == "forwards") forwards(client, args.at(1));
  if (args.at(0) == "traces") traces(client, args.at(1));
}

}  // namespace

int main(int argc, char** argv) { return weft::run(argc, argv, &body); }
