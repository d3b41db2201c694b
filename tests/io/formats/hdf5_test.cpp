#include <weft/storage.hpp>

#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>
#if __has_include(<zstd.h>)
#include <zstd.h>
#endif

#include <chrono>
#include <cstring>
#include <functional>
#include <numeric>
#include <random>
#include <thread>

namespace weft::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Writes a dataset by the HDF5 library. `latest`: in its newest format.
struct Written {
  std::vector<hsize_t> shape;
  std::vector<hsize_t> chunk = {};
  std::vector<hsize_t> most = {};
  bool latest = false;
  std::function<void(hid_t)> filters = {};
};

void write(const std::string& path, const Written& options, const std::vector<std::int32_t>& values) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  if (options.latest) H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access);
  const hid_t space = H5Screate_simple(static_cast<int>(options.shape.size()), options.shape.data(),
                                       options.most.empty() ? nullptr : options.most.data());
  const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
  if (!options.chunk.empty()) H5Pset_chunk(create, static_cast<int>(options.chunk.size()), options.chunk.data());
  if (options.filters) options.filters(create);
  const hid_t set = H5Dcreate2(file, "x", H5T_NATIVE_INT32, space, H5P_DEFAULT, create, H5P_DEFAULT);
  ASSERT_GE(H5Dwrite(set, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
  H5Dclose(set);
  H5Pclose(create);
  H5Sclose(space);
  H5Fclose(file);
  H5Pclose(access);
}

std::vector<std::int32_t> ramp(std::size_t count) {
  std::vector<std::int32_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  return values;
}

std::vector<std::int32_t> read_all(const StoredFile& file) {
  const auto bytes =
      file.read_box(0, std::vector<std::int64_t>(file.variables()[0].shape.size(), 0), file.variables()[0].shape);
  std::vector<std::int32_t> values(bytes.size() / 4);
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  const std::vector<std::int32_t> few = ramp(240), many = ramp(kManyRows * kManyColumns);
  const auto add = [&](const std::string& name, const Written& how, const std::vector<std::int32_t>& values) {
    all.push_back({name,
                   [how, values](const TestFolder& at) {
                     write(at / "x.h5", how, values);
                     return at / "x.h5";
                   },
                   "x", std::vector<double>(values.begin(), values.end())});
  };
  const auto deflate = [](hid_t list) {
    H5Pset_shuffle(list);
    H5Pset_deflate(list, 4);
  };
  const hsize_t rows = kManyRows, columns = kManyColumns;
  add("hdf5_contiguous", {.shape = {12, 20}}, few);
  add("hdf5_compact", {.shape = {12, 20}, .filters = [](hid_t list) { H5Pset_layout(list, H5D_COMPACT); }}, few);
  add("hdf5_chunked", {.shape = {12, 20}, .chunk = {5, 6}, .filters = deflate}, few);
  add("hdf5_latest", {.shape = {12, 20}, .chunk = {5, 6}, .latest = true, .filters = deflate}, few);
  add("hdf5_growing", {.shape = {12, 20}, .chunk = {5, 6}, .most = {H5S_UNLIMITED, 20}, .latest = true}, few);
  add("hdf5_many_contiguous", {.shape = {rows, columns}}, many);
  add("hdf5_many_chunked", {.shape = {rows, columns}, .chunk = {100, 90}, .filters = deflate}, many);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Hdf5, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

class Hdf5Test : public testing::Test {
 protected:
  const TestFolder folder_;
  const std::string path_ = folder_ / "x.h5";
};

TEST_F(Hdf5Test, AnIndexOfAHundredThousandChunksIsReadInLessThanAThirdOfASecond) {
  const std::vector<std::int32_t> values = ramp(100'000);
  const std::vector<Written> cases = {
      {.shape = {100'000}, .chunk = {1}},
      {.shape = {100'000}, .chunk = {1}, .latest = true},
      {.shape = {100'000}, .chunk = {1}, .most = {H5S_UNLIMITED}, .latest = true},
      {.shape = {1000, 100}, .chunk = {1, 1}, .most = {H5S_UNLIMITED, H5S_UNLIMITED}, .latest = true}};
  for (const Written& one : cases) {
    write(path_, one, values);
    const auto file = open_stored(path_);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(file->stored_bytes(0), 400'000u);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
#ifdef NDEBUG
    EXPECT_LT(took.count(), 0.3);
#else
    EXPECT_LT(took.count(), 3);
#endif
    EXPECT_EQ(read_all(*file), values);
  }
}

TEST_F(Hdf5Test, ManyThreadsReadOneFile) {
  const std::vector<std::int32_t> values = ramp(300 * 200);
  write(path_,
        {.shape = {300, 200},
         .chunk = {7, 33},
         .filters =
             [](hid_t create) {
               H5Pset_shuffle(create);
               H5Pset_deflate(create, 4);
             }},
        values);
  const auto file = open_stored(path_);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int turn = 0; turn < 100; ++turn) {
        const std::int64_t row = random() % 290, column = random() % 150;
        const auto bytes = file->read_box(0, {row, column}, {10, 50});
        std::int32_t value = 0;
        std::memcpy(&value, bytes.data() + 4 * (3 * 50 + 7), 4);
        if (value != (row + 3) * 200 + column + 7) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

/// A filter of another number than the library knows: its bytes are packed by `pack`, or only copied.
void register_filter(int id,
                     std::size_t (*call)(unsigned, std::size_t, const unsigned*, std::size_t, std::size_t*, void**)) {
  H5Z_class2_t filter{};
  filter.version = H5Z_CLASS_T_VERS;
  filter.id = id;
  filter.encoder_present = 1;
  filter.decoder_present = 1;
  filter.name = "test";
  filter.filter = call;
  ASSERT_GE(H5Zregister(&filter), 0);
}

TEST_F(Hdf5Test, AnUnknownFilterIsAnErrorThatNamesVariableAndFilter) {
  register_filter(
      307, [](unsigned, std::size_t, const unsigned*, std::size_t bytes, std::size_t*, void**) { return bytes; });
  write(path_,
        {.shape = {100},
         .chunk = {10},
         .filters = [](hid_t create) { H5Pset_filter(create, 307, H5Z_FLAG_MANDATORY, 0, nullptr); }},
        ramp(100));
  const auto file = open_stored(path_);
  EXPECT_THAT([&] { file->read_numbers(0); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("x.h5': 'x' "), HasSubstr("number 307"))));
}

#if __has_include(<zstd.h>)
TEST_F(Hdf5Test, ZstdIsDecoded) {
  register_filter(32015,
                  [](unsigned flags, std::size_t, const unsigned*, std::size_t bytes, std::size_t* size,
                     void** data) -> std::size_t {
                    if ((flags & H5Z_FLAG_REVERSE) != 0) return 0;
                    const std::size_t most = ZSTD_compressBound(bytes);
                    void* out = H5allocate_memory(most, false);
                    const std::size_t got = ZSTD_compress(out, most, *data, bytes, 3);
                    H5free_memory(*data);
                    *data = out;
                    *size = most;
                    return got;
                  });
  const unsigned level = 3;
  write(path_,
        {.shape = {1000},
         .chunk = {128},
         .filters =
             [&](hid_t create) {
               H5Pset_shuffle(create);
               H5Pset_filter(create, 32015, H5Z_FLAG_MANDATORY, 1, &level);
             }},
        ramp(1000));
  const auto file = open_stored(path_);
  EXPECT_EQ(file->variables()[0].filters, (std::vector<std::string>{"shuffle", "zstd 3"}));
  EXPECT_EQ(read_all(*file), ramp(1000));
}
#endif

TEST_F(Hdf5Test, SzipIsDecoded) {
  if (H5Zfilter_avail(H5Z_FILTER_SZIP) <= 0) GTEST_SKIP() << "the library has no szip";
  write(path_,
        {.shape = {100, 40},
         .chunk = {16, 16},
         .filters = [](hid_t create) { H5Pset_szip(create, H5_SZIP_NN_OPTION_MASK, 16); }},
        ramp(4000));
  EXPECT_EQ(read_all(*open_stored(path_)), ramp(4000));
}

TEST_F(Hdf5Test, AChangedByteInACheckedChunkIsFound) {
  write(path_, {.shape = {1000}, .chunk = {1000}, .filters = [](hid_t create) { H5Pset_fletcher32(create); }},
        ramp(1000));
  std::string bytes = bytes_of_file(path_);
  const std::string piece("\x10\x01\x00\x00\x11\x01\x00\x00", 8);
  const std::size_t at = bytes.find(piece);
  ASSERT_NE(at, std::string::npos);
  bytes[at] ^= 1;
  folder_.file("x.h5", bytes);
  EXPECT_THAT([&] { read_all(*open_stored(path_)); }, ThrowsMessage<FileError>(HasSubstr("checksum")));
}

TEST_F(Hdf5Test, ElementsOfManyMegabytesTakeNoMemoryAndAreNotRead) {
  const std::string path = folder_ / "large.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcreate(H5T_OPAQUE, std::size_t{1} << 30), space = H5Screate(H5S_SCALAR);
  H5Dclose(H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  const auto opened = open_stored(path);
  EXPECT_TRUE(opened->variables()[0].fill.empty());
  EXPECT_THAT(
      [&] {
        std::byte one{};
        opened->read(0, {}, {}, &one, {});
      },
      testing::ThrowsMessage<FileError>(testing::HasSubstr("'x' has elements of more than 64 MiB")));
}

TEST_F(Hdf5Test, ASmallFileThatTellsOfGigabytesOfTextIsRefused) {
  const std::string path = folder_ / "text.h5";
  const hid_t file = H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hid_t type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, 12 << 20);
  const hsize_t extent = 240;
  const hid_t space = H5Screate_simple(1, &extent, nullptr);
  H5Dclose(H5Dcreate2(file, "x", type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose(space);
  H5Tclose(type);
  H5Fclose(file);
  EXPECT_THAT([&] { open_stored(path)->read_text(0); },
              testing::ThrowsMessage<FileError>(testing::HasSubstr("more text than can be read at once")));
}

TEST_F(Hdf5Test, ATruncatedFileIsRefusedWhenOpened) {
  write(path_, {.shape = {1000}}, ramp(1000));
  const std::string bytes = bytes_of_file(path_);
  const std::string path = folder_.file("short.h5", bytes.substr(0, bytes.size() - 100));
  EXPECT_THAT([&] { open_stored(path); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("short.h5'"), HasSubstr("truncated"))));
}

}  // namespace
}  // namespace weft::io
