// GRIB files keep to what every reader of files promises. The messages are made by ecCodes.
#include "tests/contracts/stored_file.hpp"

#include <eccodes.h>

namespace weft::io {
namespace {

/// A field of temperatures on a level, and what ecCodes makes of its numbers when it has packed them.
struct Message {
  std::string bytes;
  std::vector<double> values;
};

Message message(const char* sample) {
  Message out;
  codes_handle* const handle = codes_grib_handle_new_from_samples(nullptr, sample);
  if (handle == nullptr) return out;
  std::size_t count = 0;
  std::size_t length = 1;
  codes_set_string(handle, "shortName", "t", &length);
  length = 13;
  codes_set_string(handle, "typeOfLevel", "isobaricInhPa", &length);
  codes_set_long(handle, "level", 500);
  codes_get_size(handle, "values", &count);
  for (std::size_t i = 0; i < count; ++i) out.values.push_back(250 + static_cast<double>(i % 64) / 4);
  codes_set_double_array(handle, "values", out.values.data(), count);
  codes_get_double_array(handle, "values", out.values.data(), &count);
  const void* bytes = nullptr;
  codes_get_message(handle, &bytes, &length);
  out.bytes.assign(static_cast<const char*>(bytes), length);
  codes_handle_delete(handle);
  return out;
}

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  for (const char* const name : {"regular_ll_pl_grib1", "regular_ll_pl_grib2"}) {
    const Message one = message(name);
    if (one.bytes.empty()) continue;
    all.push_back({std::string(name).substr(14),
                   [bytes = one.bytes](const TestFolder& at) { return at.file("t.grib", bytes); }, "t", one.values});
  }
  return all;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StoredFileContract);
INSTANTIATE_TEST_SUITE_P(Grib, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

}  // namespace
}  // namespace weft::io
