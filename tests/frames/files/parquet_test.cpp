#include "frames/files/parquet.hpp"

#include <weft/error.hpp>

#include "frames/files/parquet/codecs.hpp"
#include "tests/frames/files/parquet_bytes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/mman.h>
#include <unistd.h>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <random>

namespace weft {
namespace {

using frames::plan_parquet;
using frames::read_parquet_piece;
using frames::write_parquet;
using ::testing::AllOf;
using ::testing::HasSubstr;

/// A folder that is gone after the test.
class ParquetTest : public ::testing::Test {
 protected:
  ParquetTest() { std::filesystem::create_directories(folder_); }
  ~ParquetTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("weft-parquet-" + std::to_string(::getpid()));
};

Table read_all(const std::string& path, const std::vector<std::string>& columns = {}) {
  const frames::ParquetPlan plan = plan_parquet({path}, {columns, 0});
  std::vector<Table> parts;
  for (const frames::FilePiece& piece : plan.pieces) parts.push_back(read_parquet_piece(piece, columns));
  return Table::concat(parts);
}

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void put(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Every type; where `holes`, some rows of each are missing.
Table all_types(std::size_t rows, bool holes) {
  std::mt19937_64 random(7);
  std::vector<std::vector<Cell>> cells(8);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto value = static_cast<std::int64_t>(random());
    const Cell all[] = {value % 2 == 0,
                        value % 1000,
                        value,
                        value / 7 * 1e-3,
                        value % 50 / 4.0,
                        value / 2,
                        "text " + std::to_string(value % 5000),
                        std::string(static_cast<std::size_t>(value & 3), 'k')};
    for (std::size_t k = 0; k < 8; ++k) cells[k].push_back(holes && random() % 5 == 0 ? Cell() : all[k]);
  }
  // What a float holds must be one.
  for (Cell& cell : cells[4]) {
    if (const auto* const real = std::get_if<double>(&cell)) cell = double{static_cast<float>(*real)};
  }
  const ColumnType types[] = {ColumnType::Bool,    ColumnType::Int32,     ColumnType::Int64,  ColumnType::Float64,
                              ColumnType::Float32, ColumnType::Timestamp, ColumnType::String, ColumnType::Category};
  Table table;
  for (std::size_t k = 0; k < 8; ++k) table.set(std::string(name_of(types[k])), Column::of(types[k], cells[k]));
  return table;
}

TEST_F(ParquetTest, WhatIsWrittenIsRead) {
  for (const char* const codec : {"none", "snappy", "gzip", "zstd"}) {
    for (const std::size_t rows : {0, 1, 8, 300, 30000}) {
      for (const bool holes : {false, true}) {
        const Table table = all_types(rows, holes);
        write_parquet(path("a"), table, {codec, 7000});
        EXPECT_TRUE(read_all(path("a")).equals(table)) << codec << " " << rows << " " << holes;
      }
    }
  }
}

TEST_F(ParquetTest, OddValuesSurvive) {
  const double none = std::nan(""), far = std::numeric_limits<double>::infinity();
  const Table table({{"f", Column::of(std::vector<double>{-0.0, 0.0, none, far, -far, 5e-324})},
                     {"i", Column::of(std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min(), -1, 0, 1, 2,
                                                                std::numeric_limits<std::int64_t>::max()})},
                     {"s", Column::of(std::vector<std::string>{"", std::string("\0\xff", 2), "Z\xc3\xbcrich",
                                                               std::string(70000, 'x'), "", "a"})}});
  write_parquet(path("a"), table, {});
  const Table back = read_all(path("a"));
  EXPECT_TRUE(back.equals(table));
  EXPECT_TRUE(std::signbit(back["f"].data<double>()[0]));
  EXPECT_FALSE(std::signbit(back["f"].data<double>()[1]));
}

TEST_F(ParquetTest, AllMayBeMissing) {
  Table table;
  for (const ColumnType type :
       {ColumnType::Bool, ColumnType::Int64, ColumnType::Float64, ColumnType::String, ColumnType::Category})
    table.set(std::string(name_of(type)), Column::of(type, std::vector<Cell>(20)));
  write_parquet(path("a"), table, {});
  EXPECT_TRUE(read_all(path("a")).equals(table));
  EXPECT_EQ(plan_parquet({path("a")}, {}).bounds[0][1].least, Cell());
}

TEST_F(ParquetTest, CategoriesOfAnyListAreRead) {
  std::vector<std::string> list(70000);
  for (std::size_t i = 0; i < list.size(); ++i) list[i] = "category " + std::to_string(i);
  Chunk<std::int32_t> codes(30);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = i % 4 == 3 ? -1 : static_cast<std::int32_t>(i * 2000);
  // More categories than rows: strings are written, and read as categories again.
  const Table long_list({{"c", Column::categories(codes.copy(), Column::of(list))}});
  write_parquet(path("a"), long_list, {});
  const Table back = read_all(path("a"));
  EXPECT_EQ(back["c"].type(), ColumnType::Category);
  EXPECT_TRUE(back.equals(long_list));
  EXPECT_EQ(back["c"].category_list().size(), 23u);

  // Of a few, those that no row has stay; row groups share one list.
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = static_cast<std::int32_t>(i % 2);
  const Table short_list(
      {{"c", Column::categories(codes.copy(), Column::of(std::vector<std::string>{"x", "y", "unused"}))}});
  write_parquet(path("a"), short_list, {"zstd", 7});
  EXPECT_TRUE(read_all(path("a")).equals(short_list));
  EXPECT_EQ(read_all(path("a"))["c"].category_list().size(), 3u);
  EXPECT_EQ(plan_parquet({path("a")}, {}).bounds[0][0].most, Cell(std::string("y")));
}

TEST_F(ParquetTest, RowGroupsArePiecesWithBounds) {
  std::vector<std::int64_t> numbers(100);
  std::vector<std::string> words(100);
  for (std::size_t i = 0; i < 100; ++i) {
    numbers[i] = static_cast<std::int64_t>(i);
    words[i] = i % 2 == 0 ? "even" : "odd";
  }
  const Table table({{"n", Column::of(numbers)}, {"w", Column::of(words)}});
  write_parquet(path("a"), table, {"zstd", 40});
  const frames::ParquetPlan plan = plan_parquet({path("a")}, {});
  ASSERT_EQ(plan.pieces.size(), 3u);
  EXPECT_EQ(plan.rows, (std::vector<std::uint64_t>{40, 40, 20}));
  EXPECT_EQ(plan.bounds[1][0].least, Cell(std::int64_t{40}));
  EXPECT_EQ(plan.bounds[1][0].most, Cell(std::int64_t{79}));
  EXPECT_EQ(plan.bounds[1][0].missing, 0);
  EXPECT_EQ(plan.bounds[2][1].most, Cell(std::string("odd")));
  EXPECT_TRUE(read_parquet_piece(plan.pieces[1], {}).equals(table.slice(40, 40)));

  const frames::ParquetPlan joined = plan_parquet({path("a")}, {{}, std::uint64_t{1} << 30});
  ASSERT_EQ(joined.pieces.size(), 1u);
  EXPECT_EQ(joined.rows[0], 100u);
  EXPECT_EQ(joined.bounds[0][0].least, Cell(std::int64_t{0}));
  EXPECT_EQ(joined.bounds[0][0].most, Cell(std::int64_t{99}));
  EXPECT_TRUE(read_parquet_piece(joined.pieces[0], {}).equals(table));
}

TEST_F(ParquetTest, OnlyWantedColumnsAreReadInTheirOrder) {
  const Table table = all_types(50, true);
  write_parquet(path("a"), table, {});
  const std::vector<std::string> wanted = {"string", "bool"};
  EXPECT_TRUE(read_all(path("a"), wanted).equals(table.select(wanted)));
  EXPECT_THAT(failure_of([&] { read_all(path("a"), {"strin"}); }),
              AllOf(HasSubstr(path("a")), HasSubstr("no column 'strin'"), HasSubstr("did you mean 'string'")));
}

TEST_F(ParquetTest, FoldersNameColumns) {
  const Table table = all_types(9, false);
  std::filesystem::create_directories(path("year=2015/city=New%20York"));
  const std::string file = path("year=2015/city=New%20York/part.0.parquet");
  write_parquet(file, table, {});
  const Table back = read_all(file);
  ASSERT_EQ(back.column_count(), table.column_count() + 2);
  EXPECT_EQ(back["year"].type(), ColumnType::Category);
  EXPECT_EQ(back["city"].text(8), "New York");
  EXPECT_EQ(read_all(file, {"city", "int64"}).names(), (std::vector<std::string>{"city", "int64"}));
  EXPECT_EQ(read_all(file, {"city"}).row_count(), 9u);
}

TEST_F(ParquetTest, FilesThatDifferAreNamed) {
  write_parquet(path("a"), Table({{"x", Column::of(std::vector<std::int64_t>{1})}}), {});
  write_parquet(path("b"), Table({{"x", Column::of(std::vector<double>{1})}}), {});
  write_parquet(path("c"), Table({{"y", Column::of(std::vector<double>{1})}}), {});
  EXPECT_THAT(
      failure_of([&] {
        plan_parquet({path("a"), path("b")}, {});
      }),
      AllOf(HasSubstr(path("a")), HasSubstr(path("b")), HasSubstr("column 'x' is int64 in the first and float64")));
  EXPECT_THAT(failure_of([&] { plan_parquet({path("a"), path("c")}, {}); }), HasSubstr("no column 'x'"));
}

TEST_F(ParquetTest, NothingStaysWhereWritingFails) {
  const Table table = all_types(9, false);
  EXPECT_THAT(failure_of([&] { write_parquet(path("none/a"), table, {}); }), HasSubstr("cannot be made"));
  EXPECT_THAT(failure_of([&] { write_parquet(path("a"), table, {"lzma", 10}); }), HasSubstr("'lzma'"));
  std::filesystem::create_directories(path("taken"));
  EXPECT_THAT(failure_of([&] { write_parquet(path("taken"), table, {}); }), HasSubstr("cannot be renamed"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path("")), {}), 1);
}

TEST_F(ParquetTest, WhatIsNoParquetIsSaid) {
  const auto said = [&](const std::string& bytes) {
    put(path("a"), bytes);
    const std::string text = failure_of([&] { read_all(path("a")); });
    EXPECT_THAT(text, HasSubstr(path("a")));
    return text;
  };
  EXPECT_THAT(said(""), HasSubstr("too short"));
  EXPECT_THAT(said("a,b\n1,2\n3,4\n5,6\n"), HasSubstr("no Parquet file"));
  EXPECT_THAT(said(std::string("PAR1....\4\0\0\0PARE", 16)), HasSubstr("encrypted"));
  EXPECT_THAT(said(std::string("PAR1\xff\xff\xff\x7fPAR1")), HasSubstr("longer than the file"));
  const auto footer = [](const std::string& record) {
    const auto size = static_cast<std::uint32_t>(record.size());
    std::string file = "PAR1" + record;
    file.append(reinterpret_cast<const char*>(&size), 4);
    return file + "PAR1";
  };
  // Records in records, lists in lists, and a list of more elements than any file has.
  EXPECT_THAT(said(footer(std::string(100000, '\x1c'))), HasSubstr("nests too deep"));
  EXPECT_THAT(said(footer("\xd9" + std::string(100000, '\x19'))), HasSubstr("nests too deep"));
  EXPECT_THAT(said(footer("\x29\xfc\xff\xff\xff\xff\xff\xff\x7f")), HasSubstr("longer than the description"));
  EXPECT_THAT(said(footer(std::string(1, '\0'))), HasSubstr("schema is missing"));
}

/// A file in memory whose bytes are put one after the other: tens of thousands of files would take a disk minutes.
/// Owns: the descriptor.  Threading: one thread.
class MemoryFile {
 public:
  MemoryFile() : descriptor_(::memfd_create("weft-parquet", MFD_CLOEXEC)) {}
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }
  void put(const std::string& bytes) {
    ASSERT_EQ(::ftruncate(descriptor_, static_cast<off_t>(bytes.size())), 0);
    ASSERT_EQ(::pwrite(descriptor_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
  }

 private:
  const int descriptor_;
};

/// Reads a damaged file: either it is refused with its name, or what it says is read.
void survive(MemoryFile& file, const std::string& bytes) {
  file.put(bytes);
  try {
    const Table table = read_all(file.path());
    for (const Table::Named& one : table.columns()) detail::check_column(one.column);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find(file.path()), std::string::npos) << error.what();
  }
}

std::string other_encodings() {
  std::string bytes;
  const std::string digits = kOtherEncodings;
  for (std::size_t i = 0; i < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

TEST_F(ParquetTest, OtherEncodingsAreRead) {
  put(path("a"), other_encodings());
  const Table table = read_all(path("a"));
  ASSERT_EQ(table.row_count(), 40u);
  for (std::size_t i = 0; i < 40; ++i) {
    if (!table["i"].is_missing(i)) {
      EXPECT_EQ(table["i"].cell(i), Cell(static_cast<std::int64_t>(i) * 3));
      EXPECT_EQ(table["w"].text(i), "word" + std::to_string(i / 3));
    }
    EXPECT_EQ(table["i"].is_missing(i), table["w"].is_missing(i));
    EXPECT_EQ(table["k"].cell(i), Cell(static_cast<std::int64_t>(i) % 7));
    EXPECT_EQ(table["s"].text(i).size(), i % 3 == 0 ? 2u : i % 3 == 1 ? 0u : 25u);
    EXPECT_EQ(table["f"].cell(i), Cell(static_cast<double>(i) / 4));
    EXPECT_EQ(table["b"].cell(i), Cell(i % 5 < 2));
    EXPECT_DOUBLE_EQ(table["d"].data<double>()[i], static_cast<double>(i) / 10);
  }
  EXPECT_TRUE(table["i"].has_missing_marks());
}

class DamagedParquetTest : public ParquetTest, public ::testing::WithParamInterface<const char*> {
 protected:
  /// A small file, written with the codec that the parameter names.
  std::string small_file() {
    if (std::string(GetParam()) == "other") return other_encodings();
    const Table table = all_types(20, true);
    write_parquet(path("whole"), table, {GetParam(), 15});
    return bytes_of(path("whole"));
  }
  MemoryFile file_;
};

TEST_P(DamagedParquetTest, EveryByteMayBeWrong) {
  const std::string whole = small_file();
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const int change : {0xff, 0x01}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      survive(file_, damaged);
    }
  }
}

TEST_P(DamagedParquetTest, EveryBeginningIsRefused) {
  const std::string whole = small_file();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    file_.put(whole.substr(0, size));
    EXPECT_THAT(failure_of([&] { read_all(file_.path()); }), HasSubstr(file_.path())) << size;
  }
}

TEST_P(DamagedParquetTest, MissingBytesWithinAreSurvived) {
  const std::string whole = small_file();
  for (std::size_t i = 4; i + 8 < whole.size(); ++i) {
    std::string damaged = whole;
    damaged.erase(i, 1);
    survive(file_, damaged);
    damaged = whole;
    damaged.insert(i, 1, '\x7f');
    survive(file_, damaged);
  }
}

INSTANTIATE_TEST_SUITE_P(Codecs, DamagedParquetTest, ::testing::Values("none", "snappy", "gzip", "zstd", "other"));

TEST(SnappyTest, BlocksAreUnpackedAgain) {
  std::mt19937 random(3);
  for (const std::size_t size : {0, 1, 15, 16, 60, 61, 1000, 65536, 65537, 300000}) {
    for (const unsigned kinds : {1u, 2u, 20u, 256u}) {
      std::vector<std::byte> plain(size);
      for (std::size_t i = 0; i < size; ++i)
        plain[i] =
            i > 100 && random() % 4 != 0 ? plain[i - 1 - random() % 90] : static_cast<std::byte>(random() % kinds);
      std::vector<std::byte> packed = frames::parquet::pack_snappy(plain);
      const std::size_t used = packed.size();
      packed.resize(used + frames::parquet::kSlack);
      std::vector<std::byte> back(size + frames::parquet::kSlack);
      ASSERT_TRUE(frames::parquet::unpack_snappy(std::span(packed).first(used), back.data(), size));
      back.resize(size);
      EXPECT_TRUE(back == plain) << size << " " << kinds;
    }
  }
}

}  // namespace
}  // namespace weft
