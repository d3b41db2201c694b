#include "core/memory/spill_file.hpp"

#include "tests/core/memory/faulty_disk.hpp"

#include <weft/error.hpp>

#include <gtest/gtest.h>

#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace weft {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

std::span<const std::byte> bytes_of(const Buffer& buffer) { return {buffer.data(), buffer.size()}; }

Buffer noise(std::size_t bytes, unsigned seed) {
  Buffer buffer = Buffer::allocate(bytes);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(buffer.data() + i, &word, std::min(sizeof word, bytes - i));
  }
  return buffer;
}

class SpillFileTest : public testing::Test {
 protected:
  SpillFileTest() {
    std::string pattern = testing::TempDir() + "weft_spill_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~SpillFileTest() override {
    file_.reset();
    EXPECT_TRUE(std::filesystem::is_empty(folder_)) << "a file was left behind";
    std::filesystem::remove_all(folder_);
  }

  SpillFile& open(std::size_t segment_bytes = 4 * kMiB, const std::string& folder = "") {
    file_ = std::make_unique<SpillFile>(SpillFileOptions{.directory = folder.empty() ? folder_ : folder,
                                                         .segment_bytes = segment_bytes,
                                                         .direct = true,
                                                         .disk = &disk_});
    return *file_;
  }
  void expect_back(SpillFile& file, const SpillTicket& ticket, const Buffer& wanted) {
    Buffer got = Buffer::allocate(wanted.size());
    file.read(ticket, {got.data(), got.size()});
    EXPECT_EQ(std::memcmp(got.data(), wanted.data(), wanted.size()), 0);
  }
  template <class Call>
  std::string sentence(Call call) {
    try {
      call();
    } catch (const MemoryError& error) {
      return error.what();
    }
    return "";
  }

  std::string folder_;
  FaultyDisk disk_;
  std::unique_ptr<SpillFile> file_;
};

TEST_F(SpillFileTest, EverySizeComesBackAsItWas) {
  SpillFile& file = open();
  for (const std::size_t size : {1u, 100u, 4095u, 4096u, 4097u, 40'000u, 1'048'576u, 3'000'001u, 9'000'000u}) {
    const Buffer wanted = noise(size, 1);
    const SpillTicket ticket = file.write(bytes_of(wanted));
    EXPECT_EQ(ticket.bytes, size);
    expect_back(file, ticket, wanted);
    file.free(ticket);
  }
  EXPECT_EQ(file.counts().live_bytes, 0u);
}

TEST_F(SpillFileTest, UnalignedBytesPassThroughTheBounce) {
  SpillFile& file = open();
  Buffer whole = noise(3 * kMiB + 100, 2);
  const std::span<const std::byte> odd = bytes_of(whole).subspan(13);
  const SpillTicket ticket = file.write(odd);
  std::vector<std::byte> got(odd.size() + 1);
  file.read(ticket, std::span(got).subspan(1));
  EXPECT_EQ(std::memcmp(got.data() + 1, odd.data(), odd.size()), 0);
}

TEST_F(SpillFileTest, ManyPiecesGoOutInFewWritesAndEachHasItsTicket) {
  SpillFile& file = open(64 * kMiB);
  std::vector<Buffer> wanted;
  for (unsigned i = 0; i < 700; ++i) wanted.push_back(noise(1 + i * 37 % 50'000, i));
  std::vector<std::span<const std::byte>> pieces;
  for (const Buffer& buffer : wanted) pieces.push_back(bytes_of(buffer));
  std::vector<SpillTicket> tickets(pieces.size());
  file.write(pieces, tickets);
  EXPECT_LT(disk_.writes, 40u);
  for (std::size_t i = tickets.size(); i-- > 0;) {
    expect_back(file, tickets[i], wanted[i]);
    file.free(tickets[i]);
  }
  EXPECT_EQ(file.counts().live_bytes, 0u);
  EXPECT_EQ(file.counts().disk_bytes, 0u);
}

TEST_F(SpillFileTest, EmptyPieceNeedsNoDisk) {
  SpillFile& file = open();
  const SpillTicket ticket = file.write(std::span<const std::byte>());
  file.read(ticket, {});
  file.free(ticket);
  EXPECT_EQ(file.counts().segments, 0u);
}

TEST_F(SpillFileTest, ShortWritesAndReadsGoOnWhereTheyStopped) {
  SpillFile& file = open();
  disk_.most_at_once = 3 * SpillFile::kBlock;
  const Buffer wanted = noise(300'001, 3);
  const SpillTicket ticket = file.write(bytes_of(wanted));
  EXPECT_GT(disk_.writes, 20u);
  expect_back(file, ticket, wanted);
}

TEST_F(SpillFileTest, RefusedDirectAccessFallsBackToTheCache) {
  disk_.refuse_direct_open = true;
  {
    SpillFile& file = open();
    const Buffer wanted = noise(100'000, 4);
    expect_back(file, file.write(bytes_of(wanted)), wanted);
    EXPECT_FALSE(file.counts().direct);
  }
  disk_.refuse_direct_open = false;
  disk_.refuse_direct_write = true;
  SpillFile& file = open();
  const Buffer wanted = noise(100'000, 5);
  expect_back(file, file.write(bytes_of(wanted)), wanted);
  EXPECT_FALSE(file.counts().direct);
}

TEST_F(SpillFileTest, DiskHoldsLivingBytesAndAtMostASegmentMore) {
  constexpr std::size_t kSegment = 4 * kMiB;
  SpillFile& file = open(kSegment);
  const Buffer piece = noise(256 * 1024, 6);
  std::mt19937 random(6);
  std::vector<SpillTicket> held;
  for (int i = 0; i < 600; ++i) {
    if (held.size() < 32) held.push_back(file.write(bytes_of(piece)));
    if (held.size() == 32) {
      std::swap(held[random() % held.size()], held.back());
      file.free(held.back());
      held.pop_back();
    }
    ASSERT_LE(file.counts().disk_bytes, file.counts().live_bytes + kSegment);
  }
  EXPECT_GT(disk_.bytes_punched, 0u);
  for (const SpillTicket& ticket : held) expect_back(file, ticket, piece);
}

TEST_F(SpillFileTest, WithoutHolesFreedRangesAreWrittenAgain) {
  disk_.punch_error = EOPNOTSUPP;
  SpillFile& file = open(2 * kMiB);
  const Buffer piece = noise(100'000, 7);
  std::vector<SpillTicket> held;
  for (int i = 0; i < 60; ++i) held.push_back(file.write(bytes_of(piece)));
  for (std::size_t i = 0; i < held.size(); i += 2) file.free(held[i]);
  const std::size_t before = file.counts().disk_bytes;
  for (std::size_t i = 0; i < held.size(); i += 2) held[i] = file.write(bytes_of(piece));
  EXPECT_LE(file.counts().disk_bytes, before);
  for (const SpillTicket& ticket : held) expect_back(file, ticket, piece);
}

TEST_F(SpillFileTest, FullDiskIsOneSentenceAndEarlierTicketsStayGood) {
  SpillFile& file = open();
  const Buffer wanted = noise(kMiB, 8);
  const SpillTicket good = file.write(bytes_of(wanted));
  disk_.room = 0;
  const std::string text = sentence([&] { file.write(bytes_of(wanted)); });
  EXPECT_NE(text.find(folder_ + "' is full; free space there"), std::string::npos) << text;
  EXPECT_NE(text.find("1 MiB are spilled there"), std::string::npos) << text;
  EXPECT_EQ(file.counts().live_bytes, kMiB);
  expect_back(file, good, wanted);
  disk_.room = ~std::size_t{0};
  expect_back(file, file.write(bytes_of(wanted)), wanted);
}

TEST_F(SpillFileTest, FaultyDiskIsOneSentence) {
  SpillFile& file = open();
  const Buffer wanted = noise(10'000, 9);
  const SpillTicket ticket = file.write(bytes_of(wanted));
  disk_.write_error = EIO;
  EXPECT_NE(sentence([&] { file.write(bytes_of(wanted)); }).find("reports input/output errors"), std::string::npos);
  disk_.read_error = EIO;
  Buffer into = Buffer::allocate(wanted.size());
  EXPECT_NE(sentence([&] { file.read(ticket, {into.data(), into.size()}); }).find("cannot read"), std::string::npos);
}

TEST_F(SpillFileTest, DamagedBytesAreNeverHandedOutSilently) {
  SpillFile& file = open();
  const Buffer wanted = noise(50'000, 10);
  const SpillTicket ticket = file.write(bytes_of(wanted));
  disk_.damage = true;
  Buffer into = Buffer::allocate(wanted.size());
  const std::string text = sentence([&] { file.read(ticket, {into.data(), into.size()}); });
  EXPECT_NE(text.find("damaged bytes came back from the spill directory '" + folder_), std::string::npos) << text;
  disk_.damage = false;
  expect_back(file, ticket, wanted);
}

TEST_F(SpillFileTest, AbsentFolderIsToldAtOpening) {
  const std::string text = sentence([&] { open(kMiB, folder_ + "/absent"); });
  EXPECT_NE(text.find("does not exist"), std::string::npos) << text;
}

// A real file system of 8 MiB that fills up.
TEST_F(SpillFileTest, RealFullFileSystemIsOneSentence) {
  if (::mount("weft_test", folder_.c_str(), "tmpfs", 0, "size=8m") != 0) GTEST_SKIP() << "mounting needs root";
  SpillFile& file = open(4 * kMiB);
  const Buffer piece = noise(kMiB, 11);
  std::vector<SpillTicket> held;
  std::string text;
  while (text.empty() && held.size() < 20) {
    text = sentence([&] { held.push_back(file.write(bytes_of(piece))); });
  }
  EXPECT_NE(text.find("' is full"), std::string::npos) << text;
  ASSERT_GE(held.size(), 6u);
  expect_back(file, held.front(), piece);
  file.free(held[1]);
  held[1] = SpillTicket();
  // The freed range is punched out, and its room serves the next write.
  EXPECT_EQ(sentence([&] { held.push_back(file.write(bytes_of(piece))); }), "");
  file_.reset();
  EXPECT_EQ(::umount(folder_.c_str()), 0);
}

TEST_F(SpillFileTest, FileSizeLimitGivesShorterSegmentsAndThenASentence) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  SpillFile& file = open(64 * kMiB);
  const Buffer piece = noise(kMiB, 12);
  const SpillTicket early = file.write(bytes_of(piece));
  const rlimit small{2 * kMiB, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  // The first segment was opened before the limit: writing on in it raises SIGXFSZ, which must not end the process.
  std::string text;
  for (int i = 0; i < 3 && text.empty(); ++i) text = sentence([&] { file.write(bytes_of(piece)); });
  sigset_t pending;
  ::sigpending(&pending);
  EXPECT_FALSE(sigismember(&pending, SIGXFSZ));
  const std::string large = sentence([&] { file.write(bytes_of(noise(3 * kMiB, 1))); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_NE(text.find("ulimit -f"), std::string::npos) << text;
  EXPECT_NE(large.find("ulimit -f"), std::string::npos) << large;
  expect_back(file, early, piece);
}

TEST_F(SpillFileTest, ThreadsWriteReadAndFreeAtOnce) {
  SpillFile& file = open(2 * kMiB);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      std::vector<std::pair<SpillTicket, Buffer>> held;
      for (unsigned i = 0; i < 60; ++i) {
        Buffer piece = noise(1 + random() % 150'000, t * 1000 + i);
        const SpillTicket ticket = file.write(bytes_of(piece));
        held.emplace_back(ticket, std::move(piece));
        const std::size_t at = random() % held.size();
        expect_back(file, held[at].first, held[at].second);
        if (held.size() > 5) {
          file.free(held[at].first);
          std::swap(held[at], held.back());
          held.pop_back();
        }
      }
      for (const auto& entry : held) file.free(entry.first);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(file.counts().live_bytes, 0u);
}

TEST_F(SpillFileTest, MeasuringGivesRatesAndLeavesNothing) {
  SpillFile& file = open();
  file.measure(4 * kMiB);
  EXPECT_GT(file.counts().write_rate(), 0.0);
  EXPECT_GT(file.counts().read_rate(), 0.0);
  EXPECT_EQ(file.counts().live_bytes, 0u);
}

}  // namespace
}  // namespace weft
