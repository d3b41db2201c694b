#include "io/numpy/header.hpp"

#include "io/codecs/packers.hpp"
#include "io/numpy/zip.hpp"
#include "tests/contracts/stored_file.hpp"

#include <gmock/gmock.h>

namespace weft::io {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string npy_of(const std::string& protocol, const std::vector<std::int64_t>& shape, const std::string& data) {
  return numpy::header_of(protocol, shape) + data;
}

std::string turned(std::string npy) {
  const std::size_t at = npy.find("False");
  return npy.replace(at, 5, "True ");
}

struct Entry {
  std::string name, bytes;
};

std::string npz_of(const std::vector<Entry>& entries, bool deflated) {
  std::string out;
  std::vector<zip::Member> members;
  for (const Entry& entry : entries) {
    const auto raw = std::as_bytes(std::span(entry.bytes));
    zip::Member member;
    member.name = entry.name;
    member.crc = crc32(raw);
    member.bytes = member.packed = entry.bytes.size();
    member.header = out.size();
    std::string data = entry.bytes;
    if (deflated) {
      const std::vector<std::byte> packed = deflate_raw("test", raw, 6);
      data.assign(reinterpret_cast<const char*>(packed.data()), packed.size());
      member.method = zip::Member::kDeflated;
      member.packed = data.size();
    }
    out += zip::header_of(member) + data;
    members.push_back(member);
  }
  return out + zip::directory_of(members, out.size());
}

std::vector<double> counted(int count) {
  std::vector<double> out(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) out[static_cast<std::size_t>(i)] = i;
  return out;
}

/// 4 x 5 x 6 numbers, as told by their places.
const std::vector<std::int64_t> kShape = {4, 5, 6};
std::string numbers() { return npy_of("<f8", kShape, bytes_of(counted(120))); }

std::vector<StoredSample> samples() {
  std::vector<StoredSample> all;
  all.push_back({"npy", [](const TestFolder& at) { return at.file("a.npy", numbers()); }, "array", counted(120)});
  all.push_back({"npz",
                 [](const TestFolder& at) {
                   return at.file("a.npz", npz_of({{"x.npy", numbers()}}, false));
                 },
                 "x", counted(120)});
  all.push_back({"npy_many",
                 [](const TestFolder& at) {
                   return at.file("m.npy", npy_of("<f8", {kManyRows, kManyColumns}, bytes_of(many_numbers())));
                 },
                 "array", many_numbers()});
  // Turned round: as many elements, the first axis of the file is the last of the array.
  std::vector<double> columns(120);
  for (std::size_t i = 0; i < 120; ++i) columns[i] = static_cast<double>(i / 30 + i / 6 % 5 * 4 + i % 6 * 20);
  all.push_back(
      {"columns_first", [](const TestFolder& at) { return at.file("t.npy", turned(numbers())); }, "array", columns});
  if (missing_codec({Filter::kDeflate, {}}).empty()) {
    all.push_back({"packed",
                   [](const TestFolder& at) {
                     return at.file("p.npz", npz_of({{"x.npy", numbers()}, {"t.npy", turned(numbers())}}, true));
                   },
                   "t", columns});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Numpy, StoredFileContract, testing::ValuesIn(samples()), name_of_sample);

TEST(NumpyTest, OtherByteOrdersAndTextsAreRead) {
  const TestFolder folder;
  const auto big = open_stored(folder.file("b.npy", npy_of(">i2", {3}, std::string("\0\1\1\0\xff\xff", 6))));
  EXPECT_THAT(big->read_numbers(0), testing::ElementsAre(1, 256, -1));
  const std::string wide("a\0\0\0\xe9\0\0\0b\0\0\0\0\0\0\0", 16);
  const auto text = open_stored(folder.file("u.npy", npy_of("<U2", {2}, wide)));
  EXPECT_THAT(text->read_text(0), testing::ElementsAre("aé", "b"));
}

TEST(NumpyTest, AnArchiveNamesItsArraysAndWhatItLeavesOut) {
  const TestFolder folder;
  const std::string one = npy_of("<i4", {}, bytes_of<std::int32_t>({7}));
  const auto file =
      open_stored(folder.file("a.npz", npz_of({{"b.npy", one}, {"a.npy", numbers()}, {"note.txt", "-"}}, false)));
  ASSERT_EQ(file->variables().size(), 2u);
  EXPECT_EQ(file->variables()[0].path, "b");
  EXPECT_EQ(file->read_numbers(0), std::vector<double>{7});
  EXPECT_EQ(file->variables()[1].shape, kShape);
  EXPECT_THAT(file->remarks(), testing::ElementsAre(HasSubstr("note.txt")));
}

TEST(NumpyTest, AZipFileOfOtherThingsIsRefused) {
  const TestFolder folder;
  const std::string path = folder.file("letter.docx", npz_of({{"word.xml", "<a/>"}}, false));
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("letter.docx': is a ZIP archive that")));
}

TEST(NumpyTest, ACutFileAndRecordsAreRefusedWithTheReason) {
  const TestFolder folder;
  const std::string cut = folder.file("cut.npy", numbers().substr(0, 500));
  EXPECT_THAT([&] { open_stored(cut); }, ThrowsMessage<FileError>(HasSubstr("cut.npy': holds 372 bytes of the 960")));
  std::string records = numbers();
  records.replace(records.find("'<f8'"), 5, "[('a'");
  const std::string path = folder.file("r.npy", records);
  EXPECT_THAT([&] { open_stored(path); }, ThrowsMessage<FileError>(HasSubstr("records")));
}

TEST(NumpyTest, APackedMemberWhoseSumIsWrongIsRefused) {
  if (!missing_codec({Filter::kDeflate, {}}).empty()) GTEST_SKIP() << "no libdeflate in this build";
  const TestFolder folder;
  std::string bytes = npz_of({{"x.npy", numbers()}}, true);
  // In the directory, the sum lies 16 bytes behind its signature.
  bytes[bytes.find("PK\1\2") + 16] ^= 1;
  const auto file = open_stored(folder.file("a.npz", bytes));
  EXPECT_THAT([&] { file->read_numbers(0); }, ThrowsMessage<FileError>(HasSubstr("'x.npy' is damaged")));
}

}  // namespace
}  // namespace weft::io
