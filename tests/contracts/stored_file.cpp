#include "tests/contracts/stored_file.hpp"

#include "io/formats/format.hpp"

#include <algorithm>
#include <random>
#include <thread>

namespace weft::io {

TEST_P(StoredFileContract, TheValuesAreThoseOfTheFile) {
  const auto file = open_stored(path_);
  EXPECT_EQ(file->read_numbers(file->find(GetParam().variable)), GetParam().values);
  EXPECT_EQ(file->path(), path_);
  EXPECT_EQ(file->file_bytes(), bytes_.size());
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
  const std::size_t step = std::max<std::size_t>(1, bytes_.size() / 300);
  for (std::size_t length = 0; length < bytes_.size(); length += step) {
    expect_harmless(bytes_.substr(0, length), "the first " + std::to_string(length) + " bytes");
  }
}

TEST_P(StoredFileContract, ADamagedFileIsAnsweredOrRefusedByName) {
  constexpr int kCopies = 400;
  std::mt19937 random(7);
  for (int copy = 0; copy < kCopies; ++copy) {
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
