// spill, streaming-reduction: ten times more data than memory may hold.

#include <fcntl.h>
#include <unistd.h>

#include <weft/client.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <stdexcept>

#include "bench/cases.hpp"
#include "bench/metg.hpp"
#include "bench/work.hpp"

namespace weft::bench {
namespace {

/// How much data a case makes, in how large pieces.
struct Volume {
  std::int64_t memory = 0;
  std::int64_t chunk_bytes = 0;
  std::uint64_t chunks = 0;
  std::uint64_t words = 0;  ///< Of a chunk.
};

Volume volume_of(const Arguments& arguments) {
  Volume volume;
  volume.memory = arguments.bytes("memory");
  volume.chunk_bytes = arguments.bytes("chunk") / 4096 * 4096;
  if (volume.chunk_bytes == 0) throw std::invalid_argument("--chunk is at least 4096");
  volume.chunks = static_cast<std::uint64_t>(arguments.real("times") * static_cast<double>(volume.memory) /
                                             static_cast<double>(volume.chunk_bytes));
  if (volume.chunks == 0) throw std::invalid_argument("--times of --memory is less than one --chunk");
  volume.words = static_cast<std::uint64_t>(volume.chunk_bytes) / sizeof(std::uint64_t);
  return volume;
}

Options options_of(const Arguments& arguments, const Volume& volume) {
  Options options = client_options(arguments);
  options.memory = Quantity(std::to_string(volume.memory));
  if (!arguments.text("spill-dir").empty()) options.spill_dir = arguments.text("spill-dir");
  return options;
}

Line line_of(const Case& self, const Arguments& arguments, const Volume& volume, const Client& client) {
  Line line(self.name);
  line.param("memory", volume.memory).param("chunk", volume.chunk_bytes);
  line.param("chunks", static_cast<std::int64_t>(volume.chunks)).param("scheduler", arguments.text("scheduler"));
  line.param("threads", client.slots());
  return line;
}

/// A file that is gone when it is closed.
/// Owns: the descriptor.  Threading: none.
class ScratchFile {
 public:
  /// O_DIRECT: past the page cache, where the file system can. Throws std::runtime_error.
  explicit ScratchFile(const std::string& directory) {
    std::string name = directory + "/weft_bench_XXXXXX";
    const int made = ::mkstemp(name.data());
    if (made >= 0) {
      descriptor_ = ::open(name.c_str(), O_RDWR | O_DIRECT);
      direct_ = descriptor_ >= 0;
      if (direct_) {
        ::close(made);
      } else {
        descriptor_ = made;
      }
      ::unlink(name.c_str());
    }
    if (descriptor_ < 0) throw std::runtime_error("cannot make a file in " + directory + ": " + std::strerror(errno));
  }
  ~ScratchFile() { ::close(descriptor_); }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;

  int descriptor() const { return descriptor_; }
  bool direct() const { return direct_; }

 private:
  int descriptor_ = -1;
  bool direct_ = false;
};

struct DiskRate {
  double write_bytes_per_s = 0;
  double read_bytes_per_s = 0;
  bool direct = false;
};

/// Writes and reads `bytes` in one file, in pieces of `piece` bytes: what the disk itself takes.
DiskRate measure_disk(const std::string& directory, std::int64_t bytes, std::int64_t piece) {
  const ScratchFile file(directory);
  const auto size = static_cast<std::size_t>(piece);
  const std::unique_ptr<std::byte, decltype(&std::free)> memory(static_cast<std::byte*>(std::aligned_alloc(4096, size)),
                                                                &std::free);
  if (memory == nullptr) throw std::bad_alloc();
  for (std::size_t i = 0; i < size; ++i) memory.get()[i] = static_cast<std::byte>(mix(i));
  const std::int64_t pieces = std::max<std::int64_t>(1, bytes / piece);
  const auto moved = static_cast<double>(pieces * piece);
  DiskRate rate;
  rate.direct = file.direct();
  double start = seconds_now();
  for (std::int64_t i = 0; i < pieces; ++i) {
    if (::pwrite(file.descriptor(), memory.get(), size, i * piece) != piece)
      throw std::runtime_error("the disk of " + directory + " refused a write: " + std::strerror(errno));
  }
  ::fdatasync(file.descriptor());
  rate.write_bytes_per_s = moved / (seconds_now() - start);
  if (!file.direct()) ::posix_fadvise(file.descriptor(), 0, 0, POSIX_FADV_DONTNEED);
  start = seconds_now();
  for (std::int64_t i = 0; i < pieces; ++i) {
    if (::pread(file.descriptor(), memory.get(), size, i * piece) != piece)
      throw std::runtime_error("the disk of " + directory + " refused a read: " + std::strerror(errno));
  }
  rate.read_bytes_per_s = moved / (seconds_now() - start);
  return rate;
}

void run_spill(const Case& self, const Arguments& arguments, const Output& output) {
  const Volume volume = volume_of(arguments);
  std::vector<std::uint64_t> expected(volume.chunks);
  for (std::uint64_t i = 0; i < volume.chunks; ++i) expected[i] = expected_digest(i, volume.words);
  reset_peak_resident_bytes();
  const std::int64_t baseline = resident_bytes();
  const Client client(options_of(arguments, volume));
  const double start = seconds_now();
  std::vector<Future<Words>> kept;
  kept.reserve(volume.chunks);
  for (std::uint64_t i = 0; i < volume.chunks; ++i) kept.push_back(client.submit(&make_chunk, i, volume.words));
  for (const Future<Words>& one : kept) {
    if (one.exception() != nullptr) std::rethrow_exception(one.exception());
  }
  const double written = seconds_now();
  for (std::uint64_t i = volume.chunks; i-- > 0;) {
    if (client.submit(&chunk_digest, kept[i]).result() != expected[i]) wrong_result("chunk " + std::to_string(i));
    kept[i].release();
  }
  const double end = seconds_now();
  const MemoryReport memory = client.memory();
  const LedgerReport ledger = client.ledger();

  const auto excess =
      std::max<std::int64_t>(0, static_cast<std::int64_t>(volume.chunks) * volume.chunk_bytes - volume.memory);
  Line line = line_of(self, arguments, volume, client);
  Samples samples;
  samples.add(end - start);
  line.seconds(samples).integer("tasks", 2 * static_cast<std::int64_t>(volume.chunks));
  line.number("make_seconds", written - start).number("read_seconds", end - written);
  line.integer("excess_bytes", excess)
      .number("gib_per_s", 2.0 * static_cast<double>(excess) / (end - start) / (1 << 30));
  line.integer("spill_written_bytes", static_cast<std::int64_t>(memory.spill_written_bytes));
  line.integer("spill_read_bytes", static_cast<std::int64_t>(memory.spill_read_bytes));
  line.integer("budget_bytes", static_cast<std::int64_t>(memory.budget_bytes)).peak();
  line.integer("baseline_rss_bytes", baseline).text("spill_directory", memory.spill_directory);
  if (excess > 0 && !memory.spill_directory.empty()) {
    const DiskRate disk =
        measure_disk(memory.spill_directory, std::min<std::int64_t>(excess, std::int64_t{1} << 30), volume.chunk_bytes);
    const double floor = static_cast<double>(excess) * (1 / disk.write_bytes_per_s + 1 / disk.read_bytes_per_s);
    line.number("disk_write_gib_per_s", disk.write_bytes_per_s / (1 << 30));
    line.number("disk_read_gib_per_s", disk.read_bytes_per_s / (1 << 30)).flag("disk_direct", disk.direct);
    line.number("floor_seconds", floor).number("times_floor", (end - start) / floor);
  }
  output.print(line.ledger(ledger));
}

void run_streaming_reduction(const Case& self, const Arguments& arguments, const Output& output) {
  const Volume volume = volume_of(arguments);
  std::uint64_t expected = 0;
  for (std::uint64_t i = 0; i < volume.chunks; ++i) expected += expected_digest(i, volume.words);
  reset_peak_resident_bytes();
  const std::int64_t baseline = resident_bytes();
  const Client client(options_of(arguments, volume));
  const double start = seconds_now();
  std::vector<Delayed<std::uint64_t>> level;
  for (std::uint64_t i = 0; i < volume.chunks; ++i)
    level.push_back(delayed(&chunk_digest)(delayed(&make_chunk)(i, volume.words)));
  std::int64_t tasks = 2 * static_cast<std::int64_t>(volume.chunks);
  while (level.size() > 1) {
    std::vector<Delayed<std::uint64_t>> next;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) next.push_back(delayed(&add_digests)(level[i], level[i + 1]));
    tasks += static_cast<std::int64_t>(next.size());
    if (level.size() % 2 != 0) next.push_back(level.back());
    level = std::move(next);
  }
  if (client.compute(level.front()) != expected) wrong_result("the reduction");
  const double end = seconds_now();
  const MemoryReport memory = client.memory();
  Line line = line_of(self, arguments, volume, client);
  Samples samples;
  samples.add(end - start);
  line.seconds(samples).integer("tasks", tasks);
  line.number("gib_per_s",
              static_cast<double>(volume.chunks) * static_cast<double>(volume.chunk_bytes) / (end - start) / (1 << 30));
  line.integer("spill_written_bytes", static_cast<std::int64_t>(memory.spill_written_bytes));
  line.integer("budget_bytes", static_cast<std::int64_t>(memory.budget_bytes)).peak();
  line.integer("baseline_rss_bytes", baseline).ledger(client.ledger());
  output.print(line);
}

}  // namespace

std::vector<Case> memory_cases() {
  const std::vector<Option> options = {{"memory", "256MiB", "what results may hold"},
                                       {"times", "10", "data made, in budgets"},
                                       {"chunk", "4MiB", "size of one result"},
                                       {"spill-dir", "", "where to spill; empty: weft's choice"},
                                       kScheduler,
                                       kThreads};
  return {
      {"spill", "results beyond the budget are kept and read in reverse", options, &run_spill},
      {"streaming-reduction", "chunks beyond the budget are made, reduced and let go", options,
       &run_streaming_reduction},
  };
}

}  // namespace weft::bench
