#include <weft/storage.hpp>

#include "tests/io/formats/file_of.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

namespace weft::io {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(FormatsTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT([] { open_stored("/nowhere/x.nc"); },
              ThrowsMessage<FileError>(AllOf(HasSubstr("'/nowhere/x.nc'"), HasSubstr("no such file"))));
}

TEST(FormatsTest, AFolderIsNoFile) {
  const TestFolder folder;
  EXPECT_THAT([&] { open_stored(folder / ""); }, ThrowsMessage<FileError>(HasSubstr("is a folder")));
}

TEST(FormatsTest, AnEmptyFileIsRefused) {
  const TestFolder folder;
  const std::string path = folder.file("empty.nc", "");
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("empty.nc': is empty")));
}

TEST(FormatsTest, AFileOfAnotherKindIsRefusedWithTheKnownFormats) {
  const TestFolder folder;
  const std::string path = folder.file("letter.txt", "Dear reader, this is no array.");
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(AllOf(HasSubstr("letter.txt"), HasSubstr("HDF5"))));
}

TEST(FormatsTest, AFileWithoutPermissionIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TestFolder folder;
  const std::string path = folder.file("secret.nc", "CDF");
  ::chmod(path.c_str(), 0);
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("no permission")));
}

}  // namespace
}  // namespace weft::io
