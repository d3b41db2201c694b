// Stores keep to what every reader of files promises.
#include <weft/zarr_writer.hpp>

#include "tests/contracts/stored_file.hpp"

#include <algorithm>

namespace weft::io {
namespace {

/// Writes an array of two axes, object by object.
std::string write(const std::string& path, ZarrLayout layout, const std::vector<double>& values) {
  layout.type = "float64";
  write_zarr_description(path, layout, {"y", "x"});
  const std::vector<std::int64_t>& object = layout.object();
  for (std::int64_t row = 0; row * object[0] < layout.shape[0]; ++row) {
    for (std::int64_t column = 0; column * object[1] < layout.shape[1]; ++column) {
      const std::int64_t rows = std::min(object[0], layout.shape[0] - row * object[0]);
      const std::int64_t columns = std::min(object[1], layout.shape[1] - column * object[1]);
      std::vector<double> part;
      for (std::int64_t y = 0; y < rows; ++y) {
        const auto first = values.begin() + (row * object[0] + y) * layout.shape[1] + column * object[1];
        part.insert(part.end(), first, first + columns);
      }
      write_zarr_object(path, layout, {row, column}, {rows, columns}, reinterpret_cast<const std::byte*>(part.data()));
    }
  }
  return path;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  std::vector<double> few;
  for (int i = 0; i < 240; ++i) few.push_back(i * 7 % 251);
  const auto add = [&](const std::string& name, const ZarrLayout& layout, const std::vector<double>& values,
                       const std::string& inside) {
    all.push_back({name, [layout, values](const TestFolder& at) { return write(at / "a.zarr", layout, values); }, "a",
                   values, inside});
  };
  ZarrLayout layout;
  layout.shape = {12, 20};
  layout.chunk = {5, 6};
  layout.codec = "none";
  for (const int version : {2, 3}) {
    layout.version = version;
    const std::string name = "zarr_" + std::to_string(version);
    add(name + "_described", layout, few, version == 2 ? ".zarray" : "zarr.json");
    add(name + "_plain", layout, few, version == 2 ? "1.2" : "c/1/2");
    for (const std::string codec : {"zstd", "gzip", "blosc"}) {
      const std::vector<std::string> codecs = known_codecs();
      const std::string needed = codec == std::string("gzip") ? "deflate" : codec;
      if (std::find(codecs.begin(), codecs.end(), needed) == codecs.end()) continue;
      layout.codec = codec;
      add(name + "_" + codec, layout, few, version == 2 ? "0.0" : "c/0/0");
    }
    layout.codec = "none";
  }
  layout.shard = {10, 12};
  add("zarr_shard", layout, few, "c/0/0");
  layout.shape = {kManyRows, kManyColumns};
  layout.chunk = {50, 100};
  layout.shard = {250, 400};
  add("zarr_many_shards", layout, many_numbers(), "c/0/0");
  layout.shard = {};
  add("zarr_many", layout, many_numbers(), "c/0/0");
  return all;
}

INSTANTIATE_TEST_SUITE_P(Zarr, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

}  // namespace
}  // namespace weft::io
