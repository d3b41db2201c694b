#include <weft/zarr_writer.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

namespace weft::io {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Each test has a folder of its own.
class ZarrWriterTest : public ::testing::Test {
 protected:
  ZarrWriterTest() : folder_(fs::temp_directory_path() / ("weft-zarr-" + std::to_string(::getpid()))) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~ZarrWriterTest() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes 0, 1, 2, ... as an array of 7 x 5.
  void write(const std::string& name, const ZarrLayout& layout) const {
    write_zarr_description(path(name), layout, {"y", "x"}, {}, {});
    const std::vector<std::int64_t>& object = layout.object();
    for (std::int64_t row = 0; row * object[0] < 7; ++row) {
      for (std::int64_t column = 0; column * object[1] < 5; ++column) {
        const std::vector<std::int64_t> extent = {std::min(object[0], 7 - row * object[0]),
                                                  std::min(object[1], 5 - column * object[1])};
        std::vector<float> values;
        for (std::int64_t i = 0; i < extent[0]; ++i) {
          for (std::int64_t j = 0; j < extent[1]; ++j) {
            values.push_back(static_cast<float>((row * object[0] + i) * 5 + column * object[1] + j));
          }
        }
        write_zarr_object(path(name), layout, {row, column}, extent, reinterpret_cast<const std::byte*>(values.data()));
      }
    }
  }
  static std::string message(const std::function<void()>& run) {
    try {
      run();
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  }

  const fs::path folder_;
};

TEST_F(ZarrWriterTest, EveryCodecAndShardComesBack) {
  std::vector<double> wanted(35);
  std::iota(wanted.begin(), wanted.end(), 0);
  const std::vector<std::string> known = known_codecs();
  for (const int version : {2, 3}) {
    for (const std::string codec : {"none", "zstd", "gzip", "blosc", "lz4"}) {
      const std::string needed = codec == "gzip" ? "deflate" : codec;
      if (codec != "none" && std::find(known.begin(), known.end(), needed) == known.end()) continue;
      if (codec == "lz4" && version == 3) continue;
      for (const std::vector<std::int64_t>& shard : {std::vector<std::int64_t>{}, {4, 6}, {8, 3}}) {
        if (version == 2 && !shard.empty()) continue;
        fs::remove_all(path("a.zarr"));
        write("a.zarr", {version, "float32", {7, 5}, {2, 3}, shard, codec, -1});
        const auto file = open_stored(path("a.zarr"));
        ASSERT_EQ(file->variables().size(), 1u);
        EXPECT_EQ(file->read_numbers(0), wanted) << version << codec;
        EXPECT_THAT(file->variables()[0].chunk, ElementsAre(2, 3));
        EXPECT_THAT(file->variables()[0].dimensions, ElementsAre("y", "x"));
      }
    }
  }
}

TEST_F(ZarrWriterTest, WritingAnObjectAgainChangesNothingAndLeavesNothing) {
  const ZarrLayout layout{3, "float32", {7, 5}, {2, 3}, {4, 3}, "none", -1};
  write("a.zarr", layout);
  write("a.zarr", layout);
  for (const auto& one : fs::recursive_directory_iterator(folder_)) {
    EXPECT_THAT(one.path().string(), Not(HasSubstr("part")));
  }
  EXPECT_EQ(open_stored(path("a.zarr"))->read_numbers(0)[34], 34);
}

TEST_F(ZarrWriterTest, WhatWasNeverWrittenIsTheFillValue) {
  const ZarrLayout layout{3, "float32", {7, 5}, {2, 3}, {4, 6}, "zstd", -1};
  write_zarr_description(path("a.zarr"), layout, {}, {}, {-1.5});
  const auto file = open_stored(path("a.zarr"));
  EXPECT_EQ(file->read_numbers(0), std::vector<double>(35, -1.5));
  EXPECT_EQ(file->stored_bytes(0), 0u);
}

TEST_F(ZarrWriterTest, GroupsAreDescribedInOnePlace) {
  for (const int version : {2, 3}) {
    const std::string group = "g" + std::to_string(version) + ".zarr";
    write(group + "/a", {version, "float32", {7, 5}, {2, 3}, {}, "none", -1});
    write(group + "/b", {version, "float32", {7, 5}, {7, 5}, {}, "none", -1});
    Attribute title;
    title.name = "title";
    title.type = {ElementKind::VariableText, 0, false, "string"};
    title.texts = {"a \"quoted\" one"};
    write_zarr_group(path(group), version, {title}, {"a", "b"});
    // One description tells all: those of the arrays are not needed.
    for (const char* const name : {"/a/zarr.json", "/b/zarr.json", "/a/.zarray", "/b/.zarray"}) {
      fs::remove(path(group + name));
    }
    const auto file = open_stored(path(group));
    ASSERT_EQ(file->variables().size(), 2u);
    EXPECT_EQ(file->variables()[1].path, "b");
    EXPECT_EQ(file->groups()[0].attributes.at(0).text(), "a \"quoted\" one");
    ASSERT_EQ(file->groups()[0].dimensions.size(), 2u);
    EXPECT_EQ(file->groups()[0].dimensions[0].extent, 7);
    EXPECT_EQ(file->read_numbers(file->find("b"))[12], 12);
  }
}

TEST_F(ZarrWriterTest, WhatCannotBeWrittenIsSaidBeforeAnythingIs) {
  const auto refused = [&](const ZarrLayout& layout) {
    const std::string text = message([&] { write_zarr_description(path("no.zarr"), layout); });
    EXPECT_FALSE(fs::exists(path("no.zarr")));
    return text;
  };
  EXPECT_THAT(refused({4, "float32", {4}, {2}, {}, "none", -1}), HasSubstr("no version 4"));
  EXPECT_THAT(refused({3, "text", {4}, {2}, {}, "none", -1}), HasSubstr("no type for text"));
  EXPECT_THAT(refused({3, "datetime64[s]", {4}, {2}, {}, "none", -1}), HasSubstr("version 2"));
  EXPECT_THAT(refused({3, "float32", {4}, {2}, {}, "zip", -1}), HasSubstr("no codec 'zip'"));
  EXPECT_THAT(refused({3, "float32", {4}, {2}, {}, "lz4", -1}), HasSubstr("take blosc"));
  EXPECT_THAT(refused({2, "float32", {4}, {2}, {4}, "none", -1}), HasSubstr("has no shards"));
  EXPECT_THAT(refused({3, "float32", {4}, {2}, {3}, "none", -1}),
              HasSubstr("[3] are not whole numbers of chunks of [2]"));
  EXPECT_THAT(refused({3, "float32", {4}, {2}, {}, "zstd", 40}), HasSubstr("no level 40"));
}

TEST_F(ZarrWriterTest, DamagedStoresAreErrorsThatNameTheirFile) {
  write("a.zarr", {3, "float32", {7, 5}, {2, 3}, {4, 6}, "none", -1});
  const std::string shard = path("a.zarr/c/0/0");
  const auto size = fs::file_size(shard);
  fs::resize_file(shard, size - 1);
  EXPECT_THAT(message([&] { open_stored(path("a.zarr"))->read_numbers(0); }), HasSubstr("checksum"));
  fs::resize_file(shard, 10);
  EXPECT_THAT(message([&] { open_stored(path("a.zarr"))->read_numbers(0); }), HasSubstr("too short for the index"));
  std::ofstream(path("a.zarr/zarr.json"))
      << R"({"node_type": "array", "shape": [3], "chunk_grid": {"name": "regular"}})";
  EXPECT_THAT(message([&] { open_stored(path("a.zarr")); }), HasSubstr("shape of chunks"));
  std::ofstream(path("a.zarr/zarr.json"))
      << R"({"node_type": "group", "consolidated_metadata": {"metadata": {"../x": {}}}})";
  EXPECT_THAT(message([&] { open_stored(path("a.zarr")); }), HasSubstr("outside"));
  fs::create_directories(path("empty"));
  EXPECT_THAT(message([&] { open_stored(path("empty")); }), HasSubstr("no Zarr store"));
}

}  // namespace
}  // namespace weft::io
