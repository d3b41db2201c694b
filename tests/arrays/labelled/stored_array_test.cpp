#include <weft/arrays.hpp>
#include <weft/storage_writer.hpp>
#include <weft/stored_array.hpp>

#include "tests/arrays/labelled/classic_writer.hpp"
#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <numeric>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class StoredArrayTest : public testing::Test {
 protected:
  const io::TestFolder folder_;
  Client client_;
};

TEST_F(StoredArrayTest, AVariableIsAnArray) {
  ClassicWriter writer({{"time", 50}, {"x", 7}});
  std::vector<double> values(350);
  std::iota(values.begin(), values.end(), 0);
  writer.variable("v", {"time", "x"}, 'd', values);
  const Array array = from_netcdf(writer.write(folder_ / "a.nc"), "v", {.chunks = {20, 3}});
  EXPECT_EQ(array.shape(), (Shape{50, 7}));
  EXPECT_EQ(array.dtype(), float64);
  EXPECT_EQ(client_.compute(array).to_vector<double>(), values);
  EXPECT_EQ(client_.compute(array(slice(3, 5), 2)).to_vector<double>(), (std::vector<double>{23, 30}));
  EXPECT_DOUBLE_EQ(client_.compute(array.mean()).item<double>(), 174.5);
}

TEST_F(StoredArrayTest, ArraysBecomeVariablesOfAnHdf5File) {
  if (!io::can_write_netcdf()) GTEST_SKIP() << "this build lacks the HDF5 library";
  const Array x = random::normal(0, 1, {50, 7}, {.chunks = {20, 3}, .seed = 1});
  const Array n = arange(9, {.chunks = 4}).astype(int16);
  const std::string path = folder_ / "out.h5";
  to_hdf5(client_, path, {{"x", x}, {"n", n}});
  EXPECT_EQ(client_.compute(from_hdf5(path, "x")).to_vector<double>(), client_.compute(x).to_vector<double>());
  EXPECT_EQ(client_.compute(from_hdf5(path, "n")).to_vector<std::int16_t>(),
            client_.compute(n).to_vector<std::int16_t>());
  EXPECT_THAT([&] { to_hdf5(client_, path, "x", x); }, ThrowsMessage<io::FileError>(HasSubstr(path)));
  EXPECT_THAT([&] { to_hdf5(client_, path, "x", x.astype(complex128), {.overwrite = true}); },
              ThrowsMessage<io::FileError>(HasSubstr("imaginary")));
}

TEST_F(StoredArrayTest, ArraysInPartsAreReadAsOneFileAndReplacedAsOne) {
  if (!io::can_write_netcdf()) GTEST_SKIP() << "this build lacks the HDF5 library";
  const Array x = random::normal(0, 1, {50, 7}, {.chunks = {20, 3}, .seed = 1});
  const std::string path = folder_ / "parts.h5";
  const auto folders = [&] {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(std::string(folder_ / ""))) {
      if (entry.path().filename().string().starts_with("parts.h5.parts-")) found.push_back(entry.path());
    }
    return found;
  };
  for (const int deflate : {0, 4}) {
    to_hdf5(client_, path, {{"x", x}, {"one", sum(x)}}, {.overwrite = true, .deflate = deflate, .parts = true});
    EXPECT_EQ(client_.compute(from_hdf5(path, "x")).to_vector<double>(), client_.compute(x).to_vector<double>());
    EXPECT_EQ(client_.compute(from_hdf5(path, "one")).item<double>(), client_.compute(sum(x)).item<double>());
    ASSERT_EQ(folders().size(), 1u) << "the parts of the file that was replaced are gone";
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folders()[0]), {}), 9);
  }
  to_hdf5(client_, path, "x", x, {.overwrite = true});
  EXPECT_TRUE(folders().empty());
}

TEST_F(StoredArrayTest, PackedValuesAreUnpacked) {
  ClassicWriter writer({{"x", 4}});
  writer.variable("v", {"x"}, 's', {0, 10, -1, 20},
                  {{"scale_factor", {0.5}}, {"add_offset", {100}}, {"_FillValue", {-1}, 's'}});
  const std::string path = writer.write(folder_ / "a.nc");
  const std::vector<double> values = client_.compute(from_netcdf(path, "v")).to_vector<double>();
  EXPECT_EQ(values[0], 100);
  EXPECT_EQ(values[1], 105);
  EXPECT_TRUE(std::isnan(values[2]));
  EXPECT_EQ(values[3], 110);
  const Array raw = from_netcdf(path, "v", {.decode = false});
  EXPECT_EQ(raw.dtype(), int16);
  EXPECT_EQ(client_.compute(raw).to_vector<std::int16_t>(), (std::vector<std::int16_t>{0, 10, -1, 20}));
}

TEST_F(StoredArrayTest, AFileThatChangedMeanwhileIsRefused) {
  ClassicWriter writer({{"x", 4}});
  writer.variable("v", {"x"}, 'd', {1, 2, 3, 4});
  const std::string path = writer.write(folder_ / "a.nc");
  const Array array = from_netcdf(path, "v");
  ClassicWriter other({{"x", 5}});
  other.variable("v", {"x"}, 'd', {1, 2, 3, 4, 5});
  other.write(path);
  EXPECT_THAT([&] { client_.compute(array); }, ThrowsMessage<Error>(HasSubstr("changed after it was opened")));
}

TEST_F(StoredArrayTest, AMissingVariableIsAnsweredWithTheOthers) {
  ClassicWriter writer({{"x", 4}});
  writer.variable("v", {"x"}, 'd', {1, 2, 3, 4});
  const ArrayFile file = open_file(writer.write(folder_ / "a.nc"));
  EXPECT_THAT([&] { file.array("w"); }, ThrowsMessage<io::FileError>(HasSubstr("has no variable 'w'; it has v")));
}

}  // namespace
}  // namespace weft
