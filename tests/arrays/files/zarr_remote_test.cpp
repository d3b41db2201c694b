// Arrays saved to addresses, by the tasks that have the chunks.
#include <weft/arrays.hpp>
#include <weft/error.hpp>
#include <weft/remote.hpp>

#include "tests/io/formats/file_of.hpp"
#include "tests/io/remote/test_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace weft {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

class RemoteSaveTest : public testing::Test {
 protected:
  RemoteSaveTest() : server_(folder_ / "") {}
  void SetUp() override {
    if (!io::can_read_remote()) GTEST_SKIP() << "no libcurl here";
    ASSERT_TRUE(server_.runs());
    ::setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    ::setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
    ::setenv("AWS_CONFIG_FILE", "/nowhere/config", 1);
  }
  const io::TestFolder folder_;
  const io::TestServer server_;
  Client client_;
};

TEST_F(RemoteSaveTest, WhatIsSavedToAStoreComesBack) {
  const Array x = arange(240, {.chunks = 240}).astype(float64).reshape({12, 20}).rechunk({5, 8});
  for (const int version : {2, 3}) {
    const std::string path = "s3://open/v" + std::to_string(version) + ".zarr" + server_.endpoint();
    save(client_, x * 2.0, path, {.version = version});
    EXPECT_TRUE(client_.compute(all(load(path) == x * 2.0)).item<bool>());
    // Each chunk is an object.
    EXPECT_TRUE(std::filesystem::exists(folder_ / (version == 2 ? "v2.zarr/2.2" : "v3.zarr/c/2/2")));
  }
  const std::string sharded = "s3://open/sharded.zarr" + server_.endpoint();
  save(client_, x, sharded, {.shard = {10, 16}});
  EXPECT_TRUE(client_.compute(all(load(sharded) == x)).item<bool>());
  EXPECT_TRUE(std::filesystem::exists(folder_ / "sharded.zarr/c/1/1"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "sharded.zarr/c/2/2"));
}

TEST_F(RemoteSaveTest, WhatCannotBeSavedThereIsSaid) {
  const Array x = arange(10, {.chunks = 5});
  EXPECT_THAT([&] { save(client_, x, server_.url("plain/x.zarr")); }, ThrowsMessage<Error>(HasSubstr("s3")));
  EXPECT_THAT([&] { save(client_, x, "s3://lost/x.zarr" + server_.endpoint()); },
              ThrowsMessage<Error>(HasSubstr("no bucket 'lost'")));
}

}  // namespace
}  // namespace weft
