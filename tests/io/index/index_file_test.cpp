#include "io/index/index_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::io::index {
namespace {

Entries some_entries(std::size_t files) {
  auto description = std::make_shared<Description>();
  description->format = "HDF5";
  Variable time;
  time.path = "time";
  time.type = {ElementKind::Float, 8, false, "float64"};
  time.shape = {2};
  time.dimensions = {"time"};
  time.attributes = {{"units", {ElementKind::Text, 4, false, "text"}, {}, {"days since 2000-01-01"}, {}, {}}};
  description->variables = {time};
  description->groups = {{"", {{"title", {}, {}, {"one"}, {}, {}}}, {{"time", 2, true}}}};
  description->remarks = {"a remark"};
  Entries out;
  for (std::size_t i = 0; i < files; ++i) {
    Entry entry{100 + i, -5, 7, description, {}};
    entry.labels[0] = std::make_shared<Labels>(Labels{std::vector<std::byte>(16, static_cast<std::byte>(i)), {}});
    out["file" + std::to_string(i) + ".nc"] = entry;
  }
  return out;
}

TEST(IndexFileTest, WhatIsPutInComesOut) {
  const Entries out = decode("index", encode("/data", some_entries(3)), "/data");
  ASSERT_EQ(out.size(), 3u);
  const Entry& one = out.at("file2.nc");
  EXPECT_EQ(one.file_bytes, 102u);
  EXPECT_EQ(one.changed_ns, -5);
  EXPECT_EQ(one.touched_ns, 7);
  EXPECT_EQ(one.description->format, "HDF5");
  EXPECT_EQ(one.description->variables[0].attributes[0].text(), "days since 2000-01-01");
  EXPECT_TRUE(one.description->groups[0].dimensions[0].unlimited);
  EXPECT_THAT(one.labels.at(0)->bytes, ::testing::Each(std::byte{2}));
}

TEST(IndexFileTest, WhatFilesShareIsThereOnce) {
  const Entries out = decode("index", encode("/data", some_entries(3)), "/data");
  EXPECT_EQ(out.at("file0.nc").description, out.at("file1.nc").description);
  const std::size_t one = encode("/data", some_entries(1)).size(), many = encode("/data", some_entries(101)).size();
  EXPECT_LT(many, one + 100 * 120);
}

TEST(IndexFileTest, AnotherFoldersIndexIsRefused) {
  EXPECT_THROW(decode("index", encode("/data", some_entries(1)), "/other"), FileError);
}

TEST(IndexFileTest, EveryDamagedByteIsNoticed) {
  const std::string bytes = encode("/data", some_entries(2));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x40);
    EXPECT_THROW(decode("index", damaged, "/data"), FileError) << i;
  }
}

TEST(IndexFileTest, LabelsThatAreFewerThanTheVariableSaysAreRefused) {
  for (const std::int64_t extent : {std::int64_t{3}, std::int64_t{-1}, std::int64_t{1} << 61}) {
    // Of 2^61 elements of eight bytes a product of 64 bits is nought.
    Entries entries = some_entries(1);
    Entry& entry = entries.begin()->second;
    auto description = std::make_shared<Description>(*entry.description);
    description->variables[0].shape = {extent};
    entry.description = description;
    entry.labels[0] = std::make_shared<Labels>();
    EXPECT_THROW(decode("index", encode("/data", entries), "/data"), FileError) << extent;
  }
}

TEST(IndexFileTest, EveryEndThatIsMissingIsNoticed) {
  const std::string bytes = encode("/data", some_entries(2));
  for (std::size_t i = 0; i < bytes.size(); ++i) EXPECT_THROW(decode("index", bytes.substr(0, i), "/data"), FileError);
}

}  // namespace
}  // namespace weft::io::index
