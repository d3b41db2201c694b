#include <weft/storage_writer.hpp>

#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <numeric>

namespace weft::io {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class StorageWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_write_netcdf()) GTEST_SKIP() << "this build cannot write NetCDF-4";
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_ / ""), {}));
  }
  const TestFolder folder_;
  const std::string path_ = folder_ / "out.nc";
};

const ElementType kDouble{ElementKind::Float, 8, false, "float64"};
const ElementType kText{ElementKind::VariableText, 16, false, "string"};

void write_two(NetcdfWriter& writer) {
  writer.dimension("time", 5);
  writer.dimension("x", 3);
  writer.attribute(text_attribute("title", "a title"));
  writer.variable({.name = "time",
                   .type = kDouble,
                   .dimensions = {"time"},
                   .attributes = {text_attribute("units", "days since 2000-01-01")}});
  writer.variable({.name = "v", .type = kDouble, .dimensions = {"time", "x"}, .chunk = {2, 3}, .fill = -1});
  writer.variable({.name = "names", .type = kText, .dimensions = {"x"}});
  std::vector<double> values(15);
  std::iota(values.begin(), values.end(), 0);
  writer.write("time", {0}, {5}, reinterpret_cast<const std::byte*>(values.data()));
  writer.write("v", {0, 0}, {3, 3}, reinterpret_cast<const std::byte*>(values.data()));
  writer.write_text("names", {"one", "", "three"});
}

TEST_F(StorageWriterTest, ChunksThatOthersPackedAreReadEqual) {
  if (!can_pack_chunks()) GTEST_SKIP() << "this build cannot pack chunks";
  NetcdfWriter writer(path_, false);
  writer.dimension("time", 5);
  writer.dimension("x", 3);
  for (const bool shuffle : {true, false}) {
    const std::string name = shuffle ? "shuffled" : "plain";
    writer.variable({.name = name, .type = kDouble, .dimensions = {"time", "x"}, .chunk = {2, 2}, .shuffle = shuffle});
    const ChunkPacking packing{{2, 2}, 8, 4, shuffle};
    // The last first; those at the ends are smaller than the chunk.
    for (const std::int64_t row : {4, 2, 0}) {
      for (const std::int64_t column : {2, 0}) {
        const std::int64_t rows = row == 4 ? 1 : 2, columns = column == 2 ? 1 : 2;
        std::vector<double> values;
        for (std::int64_t i = 0; i < rows; ++i) {
          for (std::int64_t j = 0; j < columns; ++j) values.push_back(static_cast<double>((row + i) * 3 + column + j));
        }
        writer.write_packed(name, {row, column},
                            pack_chunk(path_, packing, {rows, columns}, reinterpret_cast<std::byte*>(values.data())));
      }
    }
  }
  writer.finish();
  std::vector<double> wanted(15);
  std::iota(wanted.begin(), wanted.end(), 0);
  const auto file = open_stored(path_);
  EXPECT_EQ(file->read_numbers(file->find("shuffled")), wanted);
  EXPECT_EQ(file->read_numbers(file->find("plain")), wanted);
}

TEST_F(StorageWriterTest, WhatIsWrittenIsReadEqual) {
  NetcdfWriter writer(path_, false);
  write_two(writer);
  EXPECT_FALSE(std::filesystem::exists(path_));
  writer.finish();
  EXPECT_EQ(files(), 1u);
  const auto file = open_stored(path_);
  ASSERT_EQ(file->variables().size(), 3u);
  EXPECT_EQ(find_attribute(file->groups()[0].attributes, "title")->text(), "a title");
  const Variable& v = file->variables()[file->find("v")];
  EXPECT_EQ(v.dimensions, (std::vector<std::string>{"time", "x"}));
  EXPECT_EQ(file->read_numbers(file->find("v")),
            (std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, -1, -1, -1, -1, -1, -1}));
  EXPECT_EQ(file->read_text(file->find("names")), (std::vector<std::string>{"one", "", "three"}));
  EXPECT_EQ(file->groups()[0].dimensions[1].extent, 3);
}

TEST_F(StorageWriterTest, AFileThatIsThereIsKeptUnlessTold) {
  folder_.file("out.nc", "precious");
  EXPECT_THAT([&] { NetcdfWriter(path_, false); }, ThrowsMessage<FileError>(HasSubstr("--overwrite")));
  EXPECT_EQ(bytes_of_file(path_), "precious");
  NetcdfWriter writer(path_, true);
  write_two(writer);
  writer.finish();
  EXPECT_EQ(open_stored(path_)->format(), "HDF5");
}

TEST_F(StorageWriterTest, WhatALostWorkerLeftAmongThePartsIsRemoved) {
  PartsFolder folder(path_);
  const std::vector<double> values(6, 2.5);
  const NewVariable variable{.name = "v", .type = kDouble, .dimensions = {"x"}, .chunk = {3}};
  write_part(folder.path_of("v", 0), variable, {6}, reinterpret_cast<const std::byte*>(values.data()));
  std::ofstream(folder.path_of("v", 1) + ".part-0badcafe-12-0") << "half of it";
  NetcdfWriter writer(path_, false);
  writer.dimension("x", 6);
  writer.variable(variable, {{folder.name_of("v", 0), {0}, {6}}});
  writer.finish(&folder);
  const std::filesystem::path parts = std::filesystem::path(folder.path_of("v", 0)).parent_path();
  EXPECT_TRUE(std::filesystem::exists(folder.path_of("v", 0)));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(parts), {}), 1);
}

TEST_F(StorageWriterTest, AnUnfinishedFileLeavesNothing) {
  {
    NetcdfWriter writer(path_, false);
    write_two(writer);
  }
  EXPECT_EQ(files(), 0u);
}

TEST_F(StorageWriterTest, AFolderThatIsNotThereIsTold) {
  EXPECT_THAT([&] { NetcdfWriter(folder_ / "no/out.nc", false); },
              ThrowsMessage<FileError>(HasSubstr("does its folder exist")));
}

}  // namespace
}  // namespace weft::io
