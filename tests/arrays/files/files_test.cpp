#include "tests/arrays/oracle/python.hpp"

#include <weft/arrays.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/ops/fits.hpp>
#include <weft/ops/images.hpp>
#include <weft/stored_array.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/arrays/error_of.hpp"

namespace weft {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

/// A folder of its own for each test.
class FilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("weft-files-" + std::to_string(getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void expect_same(const Array& a, const Array& b) {
    const auto [x, y] = client_.compute(a, b);
    ASSERT_EQ(x.dtype().name(), y.dtype().name());
    ASSERT_EQ(x.shape(), y.shape());
    EXPECT_EQ(std::memcmp(x.data(), y.data(), static_cast<std::size_t>(x.nbytes())), 0);
  }
  std::vector<std::string> names() const {
    std::vector<std::string> list;
    for (const auto& entry : fs::directory_iterator(folder_)) list.push_back(entry.path().filename().string());
    std::sort(list.begin(), list.end());
    return list;
  }

  fs::path folder_;
  Client client_{Options{.scheduler = "threads"}};
};

std::vector<Array> samples() {
  const Array x = arange(7 * 11, {.chunks = 77}).reshape({7, 11});
  return {
      x.rechunk({3, 4}),
      x.rechunk({{3, 4}, {5, 5, 1}}).astype(float32) / 3,
      random::uniform({5, 1, 6}, {.chunks = {2, 1, 6}, .seed = 1}),
      (x > 30).rechunk(2),
      x.astype(complex64).rechunk(-1),
      x.astype(int8).rechunk({7, 2}),
      arange(13, {.chunks = 4}),
      full(Shape(), 3.5),
      zeros({0, 4}),
  };
}

TEST_F(FilesTest, NpyComesBackAsItWas) {
  for (const Array& one : samples()) {
    save(client_, one, path("a.npy"));
    expect_same(load(path("a.npy")), one);
    expect_same(load_npy(path("a.npy"), {.chunks = 2}), one);
    EXPECT_EQ(names(), std::vector<std::string>{"a.npy"});
  }
  save(client_, samples()[0].astype(datetime64(TimeUnit::Day)), path("t.npy"));
  EXPECT_EQ(load(path("t.npy")).dtype(), datetime64(TimeUnit::Day));
}

TEST_F(FilesTest, ZarrComesBackAsItWas) {
  for (const int version : {2, 3}) {
    for (const Array& one : samples()) {
      save(client_, one, path("a.zarr"), {.version = version});
      expect_same(load(path("a.zarr")), one);
      expect_same(load_zarr(path("a.zarr"), {.chunks = 2}), one);
      EXPECT_EQ(load_zarr(path("a.zarr"), {.chunks = 2}).chunks(), one.rechunk(2).chunks());
      EXPECT_EQ(names(), std::vector<std::string>{"a.zarr"});
    }
  }
}

TEST_F(FilesTest, ShardsHoldSeveralChunksInOneFile) {
  const Array x = samples()[0];
  save(client_, x, path("a.zarr"), {.shard = {6, 8}});
  int files = 0;
  for (const auto& one : fs::recursive_directory_iterator(path("a.zarr/c"))) files += one.is_regular_file() ? 1 : 0;
  EXPECT_EQ(files, 4);
  expect_same(load(path("a.zarr")), x);
  EXPECT_THAT(error_of([&] {
                save(client_, x, path("b.zarr"), {.shard = {5, 8}});
              }),
              HasSubstr("whole numbers of chunks"));
  EXPECT_THAT(error_of([&] { save(client_, x, path("b.zarr"), {.codec = "zip"}); }), HasSubstr("no codec 'zip'"));
  EXPECT_EQ(names(), std::vector<std::string>{"a.zarr"});
}

TEST_F(FilesTest, ArraysOfAGroupAreReadByName) {
  const Array x = samples()[0];
  fs::create_directories(path("g.zarr"));
  std::ofstream(path("g.zarr/.zgroup")) << R"({"zarr_format": 2})";
  save(client_, x, path("g.zarr/one.zarr"), {.version = 2});
  fs::rename(path("g.zarr/one.zarr"), path("g.zarr/one"));
  expect_same(from_zarr(path("g.zarr"), "one"), x);
  expect_same(load_zarr(path("g.zarr/one")), x);
  EXPECT_THAT(error_of([&] { from_zarr(path("g.zarr"), "two"); }), HasSubstr("has no variable 'two'; it has one"));
}

TEST_F(FilesTest, StacksAndRawBytesComeBackAsTheyWere) {
  const Array x = samples()[0];
  save_npy_stack(client_, x, path("stack"), {.axis = 1});
  expect_same(load_npy_stack(path("stack"), {.axis = 1}), x);
  EXPECT_EQ(load_npy_stack(path("stack"), {.axis = 1}).chunks()[1], (std::vector<std::int64_t>{4, 4, 3}));
  save(client_, x, path("a.raw"));
  EXPECT_EQ(fs::file_size(path("a.raw")), 7u * 11u * 8u);
  expect_same(load_raw(path("a.raw"), int64, {7, 11}, {.chunks = {2, 5}}), x);
  expect_same(load_raw(path("a.raw"), int64, {6, 11}, {}, 88), x(slice(1, none)));
}

TEST_F(FilesTest, SlicesReadOnlyTheirPart) {
  const Array x = samples()[0];
  save(client_, x, path("a.npy"));
  expect_same(load(path("a.npy"), {.chunks = 3})(slice(2, 6), slice(none, none, -2)),
              x(slice(2, 6), slice(none, none, -2)));
  // A chunk that nobody asks for may be missing altogether.
  save(client_, x, path("a.zarr"), {.version = 2});
  fs::remove(path("a.zarr/2.2"));
  expect_same(load(path("a.zarr"))(slice(0, 3)), x(slice(0, 3)));
  EXPECT_EQ(client_.compute(load(path("a.zarr"))(6, 10)).item<std::int64_t>(), 0);
}

TEST_F(FilesTest, AFailureLeavesWhatWasThere) {
  const Array good = samples()[0];
  save(client_, good, path("a.npy"));
  save(client_, good, path("a.zarr"));
  const Array bad = unravel_index(good, {3, 3})[0];
  EXPECT_THAT(error_of([&] { save(client_, bad, path("a.npy")); }), HasSubstr("out of bounds"));
  EXPECT_THAT(error_of([&] { save(client_, bad, path("a.zarr")); }), HasSubstr("out of bounds"));
  EXPECT_EQ(names(), (std::vector<std::string>{"a.npy", "a.zarr"}));
  expect_same(load(path("a.npy")), good);
  expect_same(load(path("a.zarr")), good);
}

TEST_F(FilesTest, ErrorsBeginWithTheNameOfTheFile) {
  const Array x = samples()[0];
  const std::string missing = path("none.npy");
  EXPECT_THAT(error_of([&] { load(missing); }), StartsWith(missing));
  EXPECT_THAT(error_of([&] { load(path("none.zarr")); }), StartsWith("'" + path("none.zarr")));
  EXPECT_THAT(error_of([&] { load(path("a.txt")); }), HasSubstr("does not tell a format"));
  EXPECT_THAT(error_of([&] { save(client_, x, path("a.txt")); }), HasSubstr("does not tell a format"));
  EXPECT_THAT(error_of([&] { save(client_, x, path("no/such/a.npy")); }), StartsWith(path("no/such/a.npy")));
  EXPECT_THAT(error_of([&] { load_npy_stack(path("nothing")); }), HasSubstr("0.npy"));

  save(client_, x, path("cut.npy"));
  fs::resize_file(path("cut.npy"), 300);
  EXPECT_THAT(error_of([&] { load(path("cut.npy")); }), HasSubstr("cut off"));
  fs::resize_file(path("cut.npy"), 60);
  EXPECT_THAT(error_of([&] { load(path("cut.npy")); }), HasSubstr("not a whole"));
  std::ofstream(path("text.npy")) << "these are words, many of them";
  EXPECT_THAT(error_of([&] { load(path("text.npy")); }), HasSubstr("not a .npy"));
  EXPECT_THAT(error_of([&] { load_raw(path("text.npy"), float64, {1000}); }), HasSubstr("8000"));

  save(client_, x, path("late.npy"));
  const Array late = load(path("late.npy"));
  fs::remove(path("late.npy"));
  EXPECT_THAT(error_of([&] { client_.compute(late); }), HasSubstr("late.npy: cannot be opened"));
}

TEST_F(FilesTest, StoresThatCannotBeReadSayWhy) {
  save(client_, samples()[0], path("a.zarr"), {.version = 2});
  const auto describe = [&](const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; };
  const std::string start = R"({"zarr_format":2,"shape":[4],"chunks":[2],"order":"C","filters":null,"fill_value":0,)";
  describe("a.zarr/.zarray", start + R"("dtype":"<f8","compressor":{"id":"lzma"}})");
  EXPECT_THAT(error_of([&] { client_.compute(load(path("a.zarr"))); }), HasSubstr("'lzma', which weft does not undo"));
  describe("a.zarr/.zarray", start + R"("dtype":[["a","<f8"]],"compressor":null})");
  EXPECT_THAT(error_of([&] { load(path("a.zarr")); }), HasSubstr("records"));
  describe("a.zarr/.zarray", start + R"("dtype":"<f8","compressor":null)");
  EXPECT_THAT(error_of([&] { load(path("a.zarr")); }), HasSubstr("is not JSON"));
  describe("a.zarr/.zarray", start + R"("dtype":"<f8","compressor":null})");
  std::ofstream(path("a.zarr/0")) << "short";
  EXPECT_THAT(error_of([&] { client_.compute(load(path("a.zarr"))); }), HasSubstr("uncompressed chunk"));
  EXPECT_THROW(save_zarr(client_, samples()[0], path("b.zarr"), {.version = 4}), Error);
}

std::atomic<std::int64_t> stored_sum{0};

TEST_F(FilesTest, StoreGivesEachChunkToItsWriter) {
  const Array x = samples()[0];
  stored_sum = 0;
  store(client_, x, [](const ChunkRegion& region, const NDArray& values) {
    std::int64_t sum = 0;
    for (const std::int64_t one : values.span<std::int64_t>()) sum += one;
    stored_sum += sum + 1'000'000 * (region.start[0] * 11 + region.start[1]);
  });
  std::int64_t corners = 0;
  for (const std::int64_t row : {0, 3, 6}) {
    for (const std::int64_t column : {0, 4, 8}) corners += row * 11 + column;
  }
  EXPECT_EQ(stored_sum, 77 * 76 / 2 + 1'000'000 * corners);
}

TEST_F(FilesTest, PicturesAreStackedInTheOrderOfTheirNames) {
  const auto write = [&](const std::string& name, const std::string& bytes) {
    std::ofstream(path(name), std::ios::binary) << bytes;
  };
  write("b.pgm", std::string("P5 3 2 255\n") + std::string("\x06\x05\x04\x03\x02\x01", 6));
  write("a.pgm", std::string("P5\n# a remark 7 7\n3 2\n255\n") + std::string("\0\x01\x02\x03\xff\x05", 6));
  const Array grey = imread(path("*.pgm"));
  EXPECT_EQ(grey.shape(), (Shape{2, 2, 3}));
  EXPECT_EQ(client_.compute(grey).to_vector<std::uint8_t>(),
            (std::vector<std::uint8_t>{0, 1, 2, 3, 255, 5, 6, 5, 4, 3, 2, 1}));
  write("c.ppm", std::string("P6 1 2 65535\n") + std::string("\x01\x02\0\x03\0\0\xff\xff\0\x01\x10\0", 12));
  const Array coloured = imread(path("c.ppm"));
  EXPECT_EQ(coloured.shape(), (Shape{1, 2, 1, 3}));
  EXPECT_EQ(client_.compute(coloured).to_vector<std::uint16_t>(),
            (std::vector<std::uint16_t>{0x102, 3, 0, 0xffff, 1, 0x1000}));
  write("d.pgm", "P5 3 3 255\nabc");
  EXPECT_THAT(error_of([&] { imread(path("d.pgm")); }), HasSubstr("ends too early"));
  EXPECT_THAT(error_of([&] { imread(path("[bc].p?m")); }), HasSubstr("has the shape"));
  EXPECT_THAT(error_of([&] { imread(path("*.png")); }), HasSubstr("no file"));
}

TEST_F(FilesTest, AnArchiveHoldsManyArrays) {
  NamedArrays many;
  for (const Array& one : samples()) many.emplace_back("x" + std::to_string(many.size()), one);
  for (const std::string codec : {"none", "deflate"}) {
    save_npz(client_, path(codec + ".npz"), many, {.codec = codec});
    for (const auto& [name, array] : many) expect_same(load_npz(path(codec + ".npz"), name), array);
  }
  EXPECT_EQ(names(), (std::vector<std::string>{"deflate.npz", "none.npz"}));
  save(client_, many[0].second, path("one.npz"));
  expect_same(load(path("one.npz"), {.chunks = 3}), many[0].second);
  EXPECT_THAT(error_of([&] { load(path("none.npz")); }), HasSubstr("x3"));
  EXPECT_THAT(error_of([&] {
                save_npz(client_, path("t.npz"), {{"a", many[0].second}, {"a", many[1].second}});
              }),
              HasSubstr("'a' is none or is there twice"));
}

TEST_F(FilesTest, PicturesKeepTheirPagesAndBands) {
  const Array x = arange(2 * 40 * 50 * 3, {.chunks = 12'000});
  for (const std::string codec : {"none", "deflate"}) {
    for (const Array& one : {x.reshape({80, 150}).rechunk(33), x.reshape({6, 40, 50}).astype(float32) / 7,
                             x.reshape({80, 50, 3}).astype(int16), x.reshape({2, 40, 50, 3}).rechunk(17)}) {
      save(client_, one, path("a.tif"), {.codec = codec});
      expect_same(load(path("a.tif")), one);
    }
  }
  EXPECT_EQ(names(), std::vector<std::string>{"a.tif"});
  save(client_, x.reshape({2, 120, 50}).astype(uint8)(0), path("b.tif"));
  save(client_, x.reshape({2, 120, 50}).astype(uint8)(1), path("c.tif"));
  expect_same(imread(path("[bc].tif")), x.reshape({2, 120, 50}).astype(uint8));
  EXPECT_THAT(error_of([&] { save(client_, x, path("d.tif")); }), HasSubstr("this array has 1 axes"));
}

TEST_F(FilesTest, PicturesOfFitsComeBack) {
  const Array x = arange(4 * 40 * 50, {.chunks = 4'000}).reshape({4, 40, 50}).rechunk(17);
  for (const Dtype type : {uint8, int8, int16, uint16, int32, uint32, int64, uint64, float32, float64}) {
    SCOPED_TRACE(type.name());
    save(client_, x.astype(type), path("a.fits"));
    expect_same(load(path("a.fits"), {.chunks = 20}), x.astype(type));
  }
  EXPECT_EQ(names(), std::vector<std::string>{"a.fits"});
  EXPECT_THAT(error_of([&] { save_fits(client_, x.astype(complex64), path("c.fits")); }),
              HasSubstr("FITS has no type for complex64"));
}

/// Runs a program in Python. Returns its exit status; 77: a module lacks.
int python(const std::string& program) {
  const fs::path file = fs::temp_directory_path() / ("weft-check-" + std::to_string(getpid()) + ".py");
  std::ofstream(file) << program;
  const int status = std::system((oracle::python() + " " + file.string()).c_str());
  fs::remove(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(FilesTest, NumPyAndZarrReadWhatWasWritten) {
  if (python("try:\n import numpy\nexcept ImportError:\n raise SystemExit(77)\n") != 0) {
    GTEST_SKIP() << oracle::python() << " has no NumPy: tools/setup brings it";
  }
  const Array x = arange(35, {.chunks = 35}).reshape({5, 7}).rechunk({2, 3});
  save(client_, x, path("i.npy"));
  save(client_, x.astype(complex64) * std::complex<double>(0, 1), path("z.npy"));
  save(client_, x.astype(datetime64(TimeUnit::Hour)), path("t.npy"));
  save(client_, x > 7, path("b.npy"));
  for (const auto& [name, type] : {std::pair{"i1", int8}, {"u2", uint16}, {"i8", int64}, {"f4", float32}})
    save(client_, x.astype(type), path(std::string(name) + ".fits"));
  for (const std::string codec : {"none", "deflate"})
    save_npz(client_, path(codec + ".npz"), {{"x", x}, {"half", x.astype(float32) / 2}}, {.codec = codec});
  save_npy_stack(client_, x, path("stack"), {.axis = 1});
  save(client_, x.astype(float32) / 2, path("two.zarr"), {.version = 2});
  save(client_, x.astype(float32) / 2, path("three.zarr"), {.version = 3});
  save(client_, x, path("shards.zarr"), {.codec = "gzip", .shard = {4, 6}});
  save(client_, x, path("blosc.zarr"), {.version = 2, .codec = "blosc"});
  const std::string program = "import numpy as np\nfolder = '" + folder_.string() + R"('
x = np.arange(35).reshape(5, 7)
def same(a, b):
    assert a.dtype == b.dtype and a.shape == b.shape and (a == b).all(), (a, b)
same(np.load(folder + '/i.npy'), x)
same(np.load(folder + '/z.npy'), (x * 1j).astype('complex64'))
same(np.load(folder + '/t.npy'), x.astype('datetime64[h]'))
same(np.load(folder + '/b.npy'), x > 7)
try:
    from astropy.io import fits
except ImportError:
    fits = None
for name in ('i1', 'u2', 'i8', 'f4') if fits else ():
    found = fits.getdata(folder + f'/{name}.fits')
    same(found.astype(found.dtype.newbyteorder('=')), x.astype(name))
for name in ('none', 'deflate'):
    with np.load(folder + f'/{name}.npz') as z:
        assert z.files == ['x', 'half'], z.files
        same(z['x'], x)
        same(z['half'], (x / 2).astype('float32'))
same(np.concatenate([np.load(folder + f'/stack/{i}.npy') for i in range(3)], axis=1), x)
import pickle
info = pickle.load(open(folder + '/stack/info', 'rb'))
assert info == {'chunks': ((5,), (3, 3, 1)), 'dtype': np.dtype('int64'), 'axis': 1}, info
np.save(folder + '/turned.npy', np.asfortranarray(x))
try:
    import zarr
except ImportError:
    raise SystemExit(0)
for name in ('two', 'three'):
    same(zarr.open_array(folder + f'/{name}.zarr', mode='r')[:], (x / 2).astype('float32'))
for version in (2, 3):
    z = zarr.create_array(store=folder + f'/theirs{version}.zarr', shape=(5, 7), chunks=(2, 3), dtype='float64', zarr_format=version,
                          compressors=None, fill_value=1.5)
    z[:4] = x[:4] / 4
    z = zarr.create_array(store=folder + f'/packed{version}.zarr', shape=(5, 7), chunks=(2, 3), dtype='float64', zarr_format=version)
    z[...] = x
same(zarr.open_array(folder + '/shards.zarr', mode='r')[:], x)
same(zarr.open_array(folder + '/blosc.zarr', mode='r')[:], x)
)";
  ASSERT_EQ(python(program), 0);
  expect_same(load(path("turned.npy"), {.chunks = {2, 4}}), x);
  for (const char* const name : {"theirs2.zarr", "theirs3.zarr"}) {
    if (!fs::exists(path(name))) continue;
    const Array rows = arange(5).reshape({5, 1});
    expect_same(load(path(name)), where(rows < 4, x / 4, 1.5));
  }
  for (const char* const name : {"packed2.zarr", "packed3.zarr"}) {
    if (fs::exists(path(name))) expect_same(load(path(name)), x.astype(float64));
  }
}

}  // namespace
}  // namespace weft
