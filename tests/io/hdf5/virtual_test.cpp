// Files whose values come from other files. What h5py reads of such files is compared by oracle/virtual_oracle.py.
#include <weft/open_files.hpp>
#include <weft/storage.hpp>

#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <filesystem>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace weft::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using testing::ThrowsMessage;

constexpr hsize_t kRows = 64, kColumns = 100;

class VirtualTest : public testing::Test {
 protected:
  /// A file with `x`, rows by columns from `first` on, in packed chunks.
  std::string source(const std::string& name, double first) const {
    const std::string path = folder_ / name;
    std::vector<double> values(kRows * kColumns);
    std::iota(values.begin(), values.end(), first);
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t shape[] = {kRows, kColumns}, chunk[] = {16, kColumns};
    const hid_t space = H5Screate_simple(2, shape, nullptr);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(create, 2, chunk);
    H5Pset_deflate(create, 4);
    const hid_t set = H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
    H5Dclose(set);
    H5Pclose(create);
    H5Sclose(space);
    H5Fclose(file);
    return path;
  }

  /// A file with the link `x` into another.
  std::string link(const std::string& name, const std::string& to, const char* object = "/x") const {
    const std::string path = folder_ / name;
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    EXPECT_GE(H5Lcreate_external(to.c_str(), object, file, "x", H5P_DEFAULT, H5P_DEFAULT), 0);
    H5Fclose(file);
    return path;
  }

  /// A file with the virtual dataset `x` of these sources, one below the other.
  std::string stacked(const std::string& name, const std::vector<std::string>& parts) const {
    const std::string path = folder_ / name;
    const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hsize_t shape[] = {kRows * parts.size(), kColumns}, part[] = {kRows, kColumns};
    const hid_t space = H5Screate_simple(2, shape, nullptr), of = H5Screate_simple(2, part, nullptr);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    const double fill = -1;
    H5Pset_fill_value(create, H5T_NATIVE_DOUBLE, &fill);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const hsize_t start[] = {kRows * i, 0};
      H5Sselect_hyperslab(space, H5S_SELECT_SET, start, nullptr, part, nullptr);
      H5Pset_virtual(create, space, parts[i].c_str(), "/x", of);
    }
    const hid_t set = H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, create, H5P_DEFAULT);
    EXPECT_GE(set, 0);
    H5Dclose(set);
    H5Pclose(create);
    H5Sclose(of);
    H5Sclose(space);
    H5Fclose(file);
    return path;
  }

  /// Sets the time of change, which the clock's tick would else leave as it is.
  static void touch(const std::string& path, int seconds) {
    std::filesystem::last_write_time(path, std::filesystem::last_write_time(path) + std::chrono::seconds(seconds));
  }

  const TestFolder folder_;
};

TEST_F(VirtualTest, ALinkIsAnotherNameOfWhatIsInTheOtherFile) {
  source("a.h5", 0);
  const auto file = open_stored(link("link.h5", "a.h5"));
  ASSERT_TRUE(file->has("x"));
  const Variable& one = file->variables()[file->find("x")];
  EXPECT_EQ(one.chunk, (std::vector<std::int64_t>{16, kColumns}));
  EXPECT_EQ(file->read_numbers(file->find("x"))[kColumns + 3], kColumns + 3.0);
}

TEST_F(VirtualTest, AMissingTargetIsNamedWithBothFiles) {
  const std::string path = link("link.h5", "gone.h5");
  const auto file = open_stored(path);
  EXPECT_THAT([&] { file->find("x"); },
              ThrowsMessage<FileError>(AllOf(StartsWith("'" + path + "': /x leads to"), HasSubstr("gone.h5"))));
  source("gone.h5", 5);
  EXPECT_TRUE(open_stored(path)->has("x"));
}

TEST_F(VirtualTest, LinksThatLeadInACircleAreNamedAndEnd) {
  const std::string path = link("a.h5", "b.h5");
  link("b.h5", "a.h5");
  const auto file = open_stored(path);
  EXPECT_FALSE(file->has("x"));
  EXPECT_THAT(file->remarks(), testing::Contains(HasSubstr("leads back to itself")));
}

TEST_F(VirtualTest, AChangeOfTheOtherFileIsAChange) {
  const std::string target = source("a.h5", 0);
  const std::string path = link("link.h5", "a.h5");
  const auto before = open_shared(path);
  source("a.h5", 1000);
  touch(target, 5);
  EXPECT_THAT([&] { before->read_numbers(before->find("x")); },
              ThrowsMessage<FileError>(AllOf(StartsWith("'" + path + "': "), HasSubstr("a.h5"), HasSubstr("changed"))));
  const auto after = open_stored(path);
  EXPECT_NE(after->changed_ns(), before->changed_ns());
  EXPECT_EQ(after->read_numbers(after->find("x"))[0], 1000);
}

TEST_F(VirtualTest, TheIndexRemembersNoFileWhoseValuesAreElsewhere) {
  const std::string target = source("a.h5", 0);
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) {
    paths.push_back(link("link" + std::to_string(i) + ".h5", "a.h5"));
    touch(paths.back(), -100);
  }
  touch(target, -100);
  const OpenFilesOptions options{.index = folder_ / "index"};
  open_files(paths, options);
  std::filesystem::remove(target);
  EXPECT_FALSE(open_files(paths, options)[0]->has("x"));
}

TEST_F(VirtualTest, PartsAreReadByManyThreadsAndWhatIsNotThereIsTheFillValue) {
  source("a.h5", 0);
  source("c.h5", 10000);
  const std::string path = stacked("all.h5", {"a.h5", "b.h5", "c.h5"});
  const auto file = open_stored(path);
  const std::size_t number = file->find("x");
  EXPECT_EQ(file->variables()[number].chunk, (std::vector<std::int64_t>{16, kColumns}));
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      const std::vector<double> values = file->read_numbers(number);
      EXPECT_EQ(values[7], 7);
      EXPECT_EQ(values[kRows * kColumns], -1);
      EXPECT_EQ(values[2 * kRows * kColumns + 5], 10005);
    });
  }
  threads.clear();
  source("b.h5", 0);
  EXPECT_THAT([&] { file->read_numbers(number); },
              ThrowsMessage<FileError>(AllOf(StartsWith("'" + path + "': "), HasSubstr("b.h5"), HasSubstr("changed"))));
}

TEST_F(VirtualTest, AVirtualDatasetOfItselfIsRefused) {
  const std::string path = stacked("all.h5", {"all.h5"});
  EXPECT_THAT(
      [&] {
        const auto file = open_stored(path);
        file->read_numbers(file->find("x"));
      },
      ThrowsMessage<FileError>(AllOf(StartsWith("'" + path + "': "), HasSubstr("itself"))));
}

TEST_F(VirtualTest, ADamagedSourceIsNamedWithBothFiles) {
  const std::string bad = source("a.h5", 0);
  std::filesystem::resize_file(bad, 500);
  const std::string path = stacked("all.h5", {"a.h5"});
  EXPECT_THAT(
      [&] {
        const auto file = open_stored(path);
        file->read_numbers(file->find("x"));
      },
      ThrowsMessage<FileError>(AllOf(StartsWith("'" + path + "': "), HasSubstr("a.h5"))));
}

}  // namespace
}  // namespace weft::io
