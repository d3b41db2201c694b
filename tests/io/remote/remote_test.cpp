#include <weft/remote.hpp>
#include <weft/storage.hpp>
#include <weft/zarr_writer.hpp>

#include "tests/io/formats/file_of.hpp"
#include "tests/io/remote/test_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

namespace weft::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

/// A folder with stores in it, and the server that shows them.
class RemoteTest : public testing::Test {
 protected:
  RemoteTest() : server_(folder_ / "") {
    for (const char* const name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE",
                                   "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_NO_SIGN_REQUEST", "AWS_CA_BUNDLE"}) {
      ::unsetenv(name);
    }
    ::setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials", 1);
    ::setenv("AWS_CONFIG_FILE", "/nowhere/config", 1);
  }
  void SetUp() override {
    if (!can_read_remote()) GTEST_SKIP() << "no libcurl here";
    ASSERT_TRUE(server_.runs());
  }

  static std::vector<double> counted() {
    std::vector<double> values(12 * 20);
    std::iota(values.begin(), values.end(), 0.0);
    return values;
  }

  /// 12 x 20 numbers in chunks of 4 x 6, in shards of 8 x 12 where it is told, without the chunk at 1, 1.
  static void write(const std::string& path, int version, bool sharded) {
    ZarrLayout layout;
    layout.version = version;
    layout.type = "float64";
    layout.shape = {12, 20};
    layout.chunk = {4, 6};
    if (sharded) layout.shard = {8, 12};
    layout.codec = "none";
    write_zarr_description(path, layout, {"y", "x"});
    const std::vector<double> all = counted();
    const std::vector<std::int64_t>& object = layout.object();
    for (std::int64_t row = 0; row * object[0] < 12; ++row) {
      for (std::int64_t column = 0; column * object[1] < 20; ++column) {
        if (!sharded && row == 1 && column == 1) continue;
        const std::int64_t rows = std::min<std::int64_t>(object[0], 12 - row * object[0]);
        const std::int64_t columns = std::min<std::int64_t>(object[1], 20 - column * object[1]);
        std::vector<double> part;
        for (std::int64_t y = 0; y < rows; ++y) {
          for (std::int64_t x = 0; x < columns; ++x) {
            part.push_back(all[static_cast<std::size_t>((row * object[0] + y) * 20 + column * object[1] + x)]);
          }
        }
        write_zarr_object(path, layout, {row, column}, {rows, columns},
                          reinterpret_cast<const std::byte*>(part.data()));
      }
    }
  }

  static std::string message(const std::string& path) {
    try {
      const auto file = open_stored(path);
      static_cast<void>(file->read_numbers(0));
    } catch (const FileError& error) {
      return error.what();
    }
    return "no error";
  }

  TestFolder folder_;
  TestServer server_;
};

TEST_F(RemoteTest, StoresOfBothVersionsAndShardsAreReadAsFromADisk) {
  for (const int version : {2, 3}) {
    for (const bool sharded : {false, true}) {
      if (version == 2 && sharded) continue;
      const std::string name = "a" + std::to_string(version) + (sharded ? "s" : "") + ".zarr";
      write(folder_ / name, version, sharded);
      const auto near = open_stored(folder_ / name);
      for (const std::string& path : {server_.url("plain/" + name), "s3://open/" + name + server_.endpoint(),
                                      server_.url("flaky/" + name), server_.url("whole/" + name)}) {
        const auto far = open_stored(path);
        ASSERT_EQ(far->variables().size(), 1u) << path;
        EXPECT_EQ(far->format(), near->format());
        EXPECT_EQ(far->variables()[0].dimensions, near->variables()[0].dimensions);
        EXPECT_EQ(far->read_numbers(0), near->read_numbers(0)) << path;
        EXPECT_EQ(far->read_box(0, {3, 5}, {6, 9}), near->read_box(0, {3, 5}, {6, 9})) << path;
      }
    }
  }
}

TEST_F(RemoteTest, FilesOfOtherFormatsAreReadInParts) {
  // An .npy file of 3 MB: its header, and a box of it.
  std::vector<double> values(400'000);
  std::iota(values.begin(), values.end(), 0.0);
  std::string header = "{'descr': '<f8', 'fortran_order': False, 'shape': (400000,), }";
  header.resize(117, ' ');
  header += '\n';
  const std::string bytes = std::string("\x93NUMPY\1\0", 8) + static_cast<char>(header.size()) + '\0' + header +
                            std::string(reinterpret_cast<const char*>(values.data()), values.size() * 8);
  folder_.file("a.npy", bytes);
  for (const char* const kind : {"plain/a.npy", "flaky/a.npy", "whole/a.npy"}) {
    const auto file = open_stored(server_.url(kind));
    EXPECT_EQ(file->file_bytes(), bytes.size());
    const std::vector<std::byte> box = file->read_box(0, {300'000}, {2});
    double got[2];
    std::memcpy(got, box.data(), sizeof got);
    EXPECT_EQ(got[1], 300'001) << kind;
  }
  EXPECT_EQ(open_stored(server_.url("plain/a.npy"))->read_numbers(0), values);
}

TEST_F(RemoteTest, GroupsAreFoundByTheirListOrByOneDescription) {
  write(folder_ / "g.zarr/u", 3, false);
  write(folder_ / "g.zarr/v", 3, true);
  folder_.file("g.zarr/zarr.json", "{\"zarr_format\": 3, \"node_type\": \"group\", \"attributes\": {}}");
  const auto listed = open_stored("s3://open/g.zarr" + server_.endpoint());
  ASSERT_EQ(listed->variables().size(), 2u);
  EXPECT_EQ(listed->variables()[1].path, "v");
  EXPECT_EQ(listed->read_numbers(1), counted());
  EXPECT_GT(listed->stored_bytes(0), 1000u);
  EXPECT_THAT(message(server_.url("plain/g.zarr")), HasSubstr("http knows no lists"));
  write_zarr_group(folder_ / "g.zarr", 3, {}, {"u", "v"});
  EXPECT_EQ(open_stored(server_.url("plain/g.zarr"))->variables().size(), 2u);
}

TEST_F(RemoteTest, WhatIsNotThereIsNamedWithTheReason) {
  write(folder_ / "a.zarr", 3, false);
  EXPECT_THAT(message(server_.url("plain/b.zarr")), HasSubstr("no Zarr store"));
  EXPECT_THAT(message(server_.url("plain/b.nc")), HasSubstr("/plain/b.nc': there is no such file"));
  EXPECT_THAT(message("s3://lost/a.zarr" + server_.endpoint()), HasSubstr("no bucket 'lost'"));
  EXPECT_THAT(message(server_.url("denied/a.zarr")), HasSubstr("access is refused (403)"));
  EXPECT_THAT(message("s3:///a.zarr"), HasSubstr("names no bucket"));
  EXPECT_THAT(message("s3://open/a.zarr?endpiont=x"), HasSubstr("option 'endpiont'"));
  EXPECT_THAT(message("http://127.0.0.1:1/a.nc"), HasSubstr("cannot be reached"));
  EXPECT_THAT(message("http://nowhere.invalid/a.nc"), HasSubstr("cannot be reached"));
}

TEST_F(RemoteTest, AStoreThatMayNotBeListedIsOpened) {
  write(folder_ / "a.zarr", 3, true);
  EXPECT_EQ(open_stored("s3://unlisted/a.zarr" + server_.endpoint())->read_numbers(0), counted());
  EXPECT_THAT(message("s3://unlisted/b.zarr" + server_.endpoint()), HasSubstr("access is refused"));
}

TEST_F(RemoteTest, AServerThatStaysDownIsGivenUp) {
  write(folder_ / "a.zarr", 3, false);
  EXPECT_THAT(message(server_.url("down/a.zarr")), AllOf(HasSubstr("answers 503"), HasSubstr("asked 6 times")));
}

TEST_F(RemoteTest, AFileThatChangesWhileItIsReadIsRefused) {
  folder_.file("a.npy", std::string("\x93NUMPY\1\0\x76\0", 10) +
                            "{'descr': '<f8', 'fortran_order': False, 'shape': (20000,), }" + std::string(57, ' ') +
                            std::string(160'000, '\0'));
  EXPECT_THAT(message(server_.url("changing/a.npy")), HasSubstr("changed after it was opened"));
}

TEST_F(RemoteTest, KeysOpenABucketAndAreNeverShown) {
  write(folder_ / "a.zarr", 3, true);
  const std::string path = "s3://closed/a.zarr" + server_.endpoint();
  EXPECT_THAT(message(path), HasSubstr("asked for without keys"));
  ::setenv("AWS_ACCESS_KEY_ID", "weft-test-id", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "weft-test-secret", 1);
  EXPECT_EQ(open_stored(path)->read_numbers(0), counted());
  ::setenv("AWS_SECRET_ACCESS_KEY", "another-secret", 1);
  EXPECT_THAT(message(path), AllOf(HasSubstr("SignatureDoesNotMatch"), Not(HasSubstr("another-secret")),
                                   Not(HasSubstr("weft-test-id"))));
  ::unsetenv("AWS_ACCESS_KEY_ID");
  ::unsetenv("AWS_SECRET_ACCESS_KEY");
  const std::string file = folder_.file("keys",
                                        "[other]\naws_access_key_id = x\n[work]\naws_access_key_id = weft-test-id\n"
                                        "aws_secret_access_key = weft-test-secret\n");
  ::setenv("AWS_SHARED_CREDENTIALS_FILE", file.c_str(), 1);
  EXPECT_THAT(message(path), HasSubstr("without keys"));
  ::setenv("AWS_PROFILE", "work", 1);
  EXPECT_EQ(open_stored(path)->read_numbers(0), counted());
  ::setenv("AWS_ENDPOINT_URL_S3", server_.url("").c_str(), 1);
  EXPECT_EQ(open_stored("s3://closed/a.zarr")->read_numbers(0), counted());
  EXPECT_THAT(message("s3://closed/a.zarr?anonymous"), HasSubstr("without keys"));
}

TEST_F(RemoteTest, StoresAreWrittenToABucket) {
  ::setenv("AWS_ACCESS_KEY_ID", "weft-test-id", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "weft-test-secret", 1);
  write("s3://closed/new/g.zarr/v" + server_.endpoint(), 3, true);
  write_zarr_group("s3://closed/new/g.zarr" + server_.endpoint(), 3, {}, {"v"});
  EXPECT_EQ(open_stored("s3://closed/new/g.zarr" + server_.endpoint())->read_numbers(0), counted());
  EXPECT_EQ(open_stored(folder_ / "new/g.zarr")->read_numbers(0), counted());
  try {
    write(server_.url("plain/n.zarr"), 3, false);
    ADD_FAILURE() << "http was written to";
  } catch (const FileError& error) {
    EXPECT_THAT(error.what(), HasSubstr("s3:// only"));
  }
}

TEST_F(RemoteTest, ACertificateThatNobodyKnowsIsRefused) {
  const std::string file = folder_ / "key.pem";
  const std::string make =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext "
      "subjectAltName=IP:127.0.0.1 -keyout " +
      file + " -out " + file + ".crt 2>/dev/null && cat " + file + ".crt >> " + file;
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "no openssl here";
  write(folder_ / "a.zarr", 3, false);
  const TestServer server(folder_ / "", file);
  EXPECT_THAT(message(server.url("plain/a.zarr", "https")), HasSubstr("certificate is not trusted"));
  ::setenv("AWS_CA_BUNDLE", (file + ".crt").c_str(), 1);
  EXPECT_EQ(open_stored(server.url("plain/a.zarr", "https"))->variables().size(), 1u);
}

TEST(AddressTest, WhatMayBeASecretIsNotShown) {
  EXPECT_EQ(shown_path("https://me:word@host/a.nc?X-Amz-Signature=1"), "https://host/a.nc");
  EXPECT_EQ(shown_path("s3://bucket/a@b.zarr?endpoint=x"), "s3://bucket/a@b.zarr");
  EXPECT_EQ(shown_path("plain?name"), "plain?name");
  EXPECT_EQ(path_below("https://host/a b/?q", "c d/0"), "https://host/a b/c%20d/0?q");
  EXPECT_EQ(path_below("folder", "name"), "folder/name");
}

}  // namespace
}  // namespace weft::io
