#include <weft/hardware.hpp>

#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/error.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

namespace weft {
namespace {

constexpr int kRounds = 3;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct MemoryRate {
  double operator()(std::uint64_t bytes) const {
    const std::size_t size = static_cast<std::size_t>(bytes);
    std::vector<char> from(size, 1);
    std::vector<char> to(size, 2);
    double least_s = 1e300;
    for (int round = 0; round < kRounds; ++round) {
      const auto start = std::chrono::steady_clock::now();
      std::memcpy(to.data(), from.data(), size);
      asm volatile("" : : "r"(to.data()) : "memory");
      least_s = std::min(least_s, seconds_since(start));
    }
    return 2 * static_cast<double>(bytes) / least_s;
  }
};

/// A file that is gone when this is. Owns: its descriptor.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& folder) : path_(folder + "/weft-hardware-XXXXXX") {
    descriptor_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail("made");
    ::unlink(path_.c_str());
  }
  ~ScratchFile() { ::close(descriptor_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  void write(const std::vector<char>& part) {
    for (std::size_t done = 0; done < part.size();) {
      const ssize_t count = ::write(descriptor_, part.data() + done, part.size() - done);
      if (count < 0 && errno != EINTR) fail("written");
      if (count > 0) done += static_cast<std::size_t>(count);
    }
  }
  /// Returns once the disk has it.
  void flush() {
    if (::fdatasync(descriptor_) != 0) fail("written");
  }
  void forget_cache() { ::posix_fadvise(descriptor_, 0, 0, POSIX_FADV_DONTNEED); }
  void rewind() { ::lseek(descriptor_, 0, SEEK_SET); }
  std::size_t read(std::vector<char>& part) {
    for (;;) {
      const ssize_t count = ::read(descriptor_, part.data(), part.size());
      if (count >= 0) return static_cast<std::size_t>(count);
      if (errno != EINTR) fail("read");
    }
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    throw Error(fmt::format("benchmark_hardware: the file '{}' cannot be {}: {}", path_, what,
                            std::generic_category().message(errno)));
  }

  std::string path_;
  int descriptor_ = -1;
};

struct DiskRates {
  /// Returns bytes a second written, and read.
  std::pair<double, double> operator()(std::uint64_t bytes, const std::string& folder) const {
    std::vector<char> part(std::size_t{1} << 20, 'w');
    const std::uint64_t parts = std::max<std::uint64_t>(bytes / part.size(), 1);
    const double volume = static_cast<double>(parts * part.size());
    double write_s = 1e300;
    double read_s = 1e300;
    for (int round = 0; round < kRounds; ++round) {
      ScratchFile file(folder);
      auto start = std::chrono::steady_clock::now();
      for (std::uint64_t i = 0; i < parts; ++i) file.write(part);
      file.flush();
      write_s = std::min(write_s, seconds_since(start));
      file.forget_cache();
      file.rewind();
      start = std::chrono::steady_clock::now();
      while (file.read(part) != 0) {
      }
      read_s = std::min(read_s, seconds_since(start));
    }
    return {volume / write_s, volume / read_s};
  }
};

struct MakeBlock {
  std::vector<char> operator()(std::uint64_t bytes) const {
    return std::vector<char>(static_cast<std::size_t>(bytes), 'w');
  }
};
struct LookAtBlock {
  char operator()(const std::vector<char>& block) const { return block.empty() ? ' ' : block.back(); }
};

double network_rate(const Client& client, const std::string& from, const std::string& to, std::uint64_t bytes) {
  double least_s = 1e300;
  for (int round = 0; round < kRounds; ++round) {
    const auto block = client.with({.workers = {from}}).submit(MakeBlock{}, bytes);
    wait(std::vector{block});
    const auto start = std::chrono::steady_clock::now();
    static_cast<void>(client.with({.workers = {to}}).submit(LookAtBlock{}, block).result());
    least_s = std::min(least_s, seconds_since(start));
  }
  return static_cast<double>(bytes) / least_s;
}

}  // namespace

std::map<std::string, HardwareRates> benchmark_hardware(const Client& client, std::uint64_t bytes) {
  if (bytes == 0) throw Error("benchmark_hardware: 0 bytes tell nothing: give it some millions");
  const std::vector<WorkerInfo> workers = client.info().workers;
  std::map<std::string, HardwareRates> rates;
  for (std::size_t i = 0; i != workers.size(); ++i) {
    const WorkerInfo& worker = workers[i];
    const Annotated there = client.with({.workers = {worker.name}});
    HardwareRates& rate = rates[worker.name];
    rate.memory = there.submit(MemoryRate{}, bytes).result();
    if (!worker.spill_directory.empty()) {
      std::tie(rate.disk_write, rate.disk_read) = there.submit(DiskRates{}, bytes, worker.spill_directory).result();
    }
    if (workers.size() > 1) {
      rate.network = network_rate(client, workers[i == 0 ? workers.size() - 1 : i - 1].name, worker.name, bytes);
    }
  }
  return rates;
}

std::string to_text(const std::map<std::string, HardwareRates>& rates) {
  constexpr double kMebi = 1048576.0;
  const auto rate_text = [](double rate) { return rate > 0 ? fmt::format("{:.0f}", rate / kMebi) : std::string("-"); };
  std::string text =
      fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}  MiB/s\n", "worker", "memory", "disk write", "disk read", "network");
  for (const auto& [worker, rate] : rates) {
    text += fmt::format("{:<24}{:>12}{:>12}{:>12}{:>12}\n", worker, rate_text(rate.memory), rate_text(rate.disk_write),
                        rate_text(rate.disk_read), rate_text(rate.network));
  }
  return text;
}

}  // namespace weft
