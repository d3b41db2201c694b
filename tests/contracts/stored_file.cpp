#include "tests/contracts/stored_file.hpp"

#include "io/formats/format.hpp"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <thread>

namespace weft::io {
namespace {

/// Bytes that this process has asked the system for, of files and all else; nothing where it does not say.
std::optional<std::uint64_t> bytes_asked_for() {
  std::ifstream file("/proc/self/io");
  std::string name;
  std::uint64_t count = 0;
  if (file >> name >> count && name == "rchar:") return count;
  return {};
}

/// What small files are read by, as a whole, whatever of them is wanted.
constexpr std::uint64_t kPages = 256 << 10;
/// Of files that are longer, fewer damaged copies are made.
constexpr std::size_t kLong = 256 << 10;

}  // namespace

std::vector<double> many_numbers() {
  std::mt19937 random(3);
  std::vector<double> out(static_cast<std::size_t>(kManyRows * kManyColumns));
  for (double& one : out) one = static_cast<double>(random() >> 8) / (1 << 24);
  return out;
}

std::string StoredFileContract::damaged_copy(const std::string& bytes) const {
  if (GetParam().inside.empty()) return folder_.file("damaged", bytes);
  if (!std::filesystem::exists(folder_ / "damaged")) {
    std::filesystem::copy(path_, folder_ / "damaged", std::filesystem::copy_options::recursive);
  }
  folder_.file("damaged/" + GetParam().inside, bytes);
  return folder_ / "damaged";
}

TEST_P(StoredFileContract, TheValuesAreThoseOfTheFile) {
  const auto file = open_stored(path_);
  EXPECT_EQ(file->read_numbers(file->find(GetParam().variable)), GetParam().values);
  EXPECT_EQ(file->path(), path_);
  if (GetParam().inside.empty()) {
    EXPECT_EQ(file->file_bytes(), bytes_.size());
  }
  // Where a fuzzer is to begin.
  if (const char* const corpus = std::getenv("WEFT_TEST_CORPUS")) {
    std::ofstream(std::string(corpus) + "/" + GetParam().name + (GetParam().inside.empty() ? "" : ".part"),
                  std::ios::binary)
        << bytes_;
  }
}

TEST_P(StoredFileContract, OpeningReadsDescriptionsOnlyAndReadingReadsEachChunkOnce) {
  {
    // Once for the library of the format, which may read files of its own at first (ecCodes: megabytes of tables).
    const auto file = open_stored(path_);
    static_cast<void>(file->read_numbers(file->find(GetParam().variable)));
  }
  const auto before = bytes_asked_for();
  if (!before) GTEST_SKIP() << "the system does not count what is read";
  const auto file = open_stored(path_);
  const std::size_t number = file->find(GetParam().variable);
  const auto opened = bytes_asked_for();
  EXPECT_LE(*opened - *before, kPages);
  const Variable& one = file->variables()[number];
  static_cast<void>(file->read_box(number, std::vector<std::int64_t>(one.shape.size(), 0), one.shape));
  const auto read = bytes_asked_for();
  EXPECT_LE(*read - *opened, file->stored_bytes(number) + kPages);
}

TEST_P(StoredFileContract, AFileThatIsGoneOrLockedIsRefusedByName) {
  const auto message = [](const std::string& path) -> std::string {
    try {
      open_stored(path);
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message(path_ + ".gone"), "'" + path_ + ".gone': there is no such file");
  if (::geteuid() == 0) return;  // root may read everything
  ::chmod(path_.c_str(), 0);
  EXPECT_EQ(message(path_).find("'" + path_), 0u);
  EXPECT_NE(message(path_), "no error");
  ::chmod(path_.c_str(), 0700);
}

TEST_P(StoredFileContract, BoxesArePartsOfTheWhole) {
  const auto file = open_stored(path_);
  const std::size_t number = file->find(GetParam().variable);
  const Variable& one = file->variables()[number];
  const std::size_t rank = one.shape.size();
  const auto element = static_cast<std::int64_t>(one.type.bytes);
  const std::vector<std::byte> whole = file->read_box(number, std::vector<std::int64_t>(rank, 0), one.shape);
  const std::vector<std::int64_t> strides = packed_strides(one.shape, one.type.bytes);
  std::mt19937 random(11);
  for (int round = 0; round < 40; ++round) {
    std::vector<std::int64_t> start(rank), extent(rank), gaps(rank);
    std::int64_t from = 0, room = element;
    for (std::size_t axis = rank; axis-- > 0;) {
      start[axis] = static_cast<std::int64_t>(random() % static_cast<unsigned>(one.shape[axis]));
      extent[axis] = 1 + static_cast<std::int64_t>(random() % static_cast<unsigned>(one.shape[axis] - start[axis]));
      from += start[axis] * strides[axis];
      // In every other round the elements do not lie side by side.
      gaps[axis] = room;
      room *= extent[axis] + round % 2;
    }
    constexpr std::byte kUntouched{0xa5};
    std::vector<std::byte> out(static_cast<std::size_t>(room), kUntouched), expected = out;
    file->read(number, start, extent, out.data(), gaps);
    copy_box(expected.data(), gaps.data(), whole.data() + from, strides.data(), extent.data(), rank, one.type.bytes);
    ASSERT_EQ(out, expected) << "round " << round;
  }
}

TEST_P(StoredFileContract, ABoxOutsideIsRefused) {
  const auto file = open_stored(path_);
  const std::size_t number = file->find(GetParam().variable);
  std::vector<std::int64_t> extent = file->variables()[number].shape;
  if (extent.empty()) GTEST_SKIP() << "one element has no outside";
  extent.back() += 1;
  EXPECT_THROW(file->read_box(number, std::vector<std::int64_t>(extent.size(), 0), extent), FileError);
}

TEST_P(StoredFileContract, ThreadsReadAtOnce) {
  const auto file = open_stored(path_);
  const std::size_t number = file->find(GetParam().variable);
  std::vector<std::vector<double>> got(4);
  {
    std::vector<std::jthread> threads;
    for (std::vector<double>& one : got) {
      threads.emplace_back([&] {
        for (int round = 0; round < 5; ++round) one = file->read_numbers(number);
      });
    }
  }
  for (const std::vector<double>& one : got) EXPECT_EQ(one, GetParam().values);
}

TEST_P(StoredFileContract, ATruncatedFileIsAnsweredOrRefusedByName) {
  const std::size_t step = std::max<std::size_t>(1, bytes_.size() / (bytes_.size() > kLong ? 20 : 300));
  for (std::size_t length = 0; length < bytes_.size(); length += step) {
    expect_harmless(bytes_.substr(0, length), "the first " + std::to_string(length) + " bytes");
  }
}

TEST_P(StoredFileContract, ADamagedFileIsAnsweredOrRefusedByName) {
  const int copies = bytes_.size() > kLong ? 40 : 400;
  std::mt19937 random(7);
  for (int copy = 0; copy < copies; ++copy) {
    std::string damaged = bytes_;
    const int places = 1 + copy % 4;
    for (int i = 0; i < places; ++i) {
      // Descriptions lie at the beginning or at the end: half of the damage goes there.
      std::size_t at = random() % damaged.size();
      if (copy % 2 == 0) at = copy % 4 == 0 ? at % 256 : damaged.size() - 1 - at % 256;
      at %= damaged.size();
      damaged[at] = static_cast<char>(random() % 3 == 0 ? 0xff : random());
    }
    expect_harmless(damaged, "copy " + std::to_string(copy) + " of seed 7");
  }
}

}  // namespace weft::io
