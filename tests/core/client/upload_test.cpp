#include <weft/upload.hpp>

#include "tests/core/client/client_modes.hpp"

#include <weft/error.hpp>
#include <weft/this_task.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace weft {
namespace {

using testing::HasSubstr;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
std::string uploaded_text(const std::string& name) { return read_whole(uploaded_file(name)); }

class UploadTest : public testing::TestWithParam<Mode> {
 protected:
  UploadTest() : path_(std::filesystem::temp_directory_path() / ("rates-" + std::to_string(::getpid()) + ".csv")) {}
  ~UploadTest() override { std::filesystem::remove(path_); }
  std::string write(const std::string& text) {
    std::ofstream(path_, std::ios::binary) << text;
    return path_.string();
  }
  std::filesystem::path path_;
};

TEST_P(UploadTest, TasksFindTheirCopyByItsName) {
  std::string copy;
  {
    const Client client(GetParam().options());
    const std::string name = upload_file(client, write("a,1\n"));
    EXPECT_EQ(name, path_.filename());
    write("changed since");
    EXPECT_EQ(client.submit(uploaded_text, name).result(), "a,1\n");
    copy = client.submit(uploaded_file, name).result();
    EXPECT_EQ(upload_file(client, write(std::string(3'000'000, 'x')), "other name"), "other name");
    EXPECT_EQ(client.submit(uploaded_text, std::string("other name")).result().size(), 3'000'000u);
    upload_file(client, write("b,2\n"), name);
    EXPECT_EQ(client.submit(uploaded_text, name).result(), "b,2\n");
  }
  EXPECT_FALSE(std::filesystem::exists(copy)) << "it goes with the client";
  EXPECT_FALSE(std::filesystem::exists(std::filesystem::path(copy).parent_path()));
}

TEST_P(UploadTest, WhatIsNotThereIsSaid) {
  const Client client(GetParam().options());
  EXPECT_THAT(message_of([&] { upload_file(client, "/nowhere/rates.csv"); }), HasSubstr("/nowhere/rates.csv"));
  EXPECT_THAT(message_of([&] { upload_file(client, write("x"), "a/b"); }), HasSubstr("is no name for a file"));
  EXPECT_THAT(message_of([&] { client.submit(uploaded_file, std::string("no.csv")).result(); }),
              HasSubstr("no file \"no.csv\" has been uploaded: this worker has none"));
  upload_file(client, write("x"), "yes.csv");
  EXPECT_THAT(message_of([&] { client.submit(uploaded_file, std::string("no.csv")).result(); }),
              HasSubstr("has yes.csv"));
  const auto inside = [](const std::string& path) { return upload_file(this_task::client(), path); };
  EXPECT_THAT(message_of([&] { client.submit(inside, path_.string()).result(); }), HasSubstr("not inside of tasks"));
}

INSTANTIATE_TEST_SUITE_P(Modes, UploadTest, testing::ValuesIn(kModes), kModeName);

}  // namespace
}  // namespace weft
