#pragma once

#include <weft/storage.hpp>

#include "tests/io/formats/file_of.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace weft::io {

/// A file for the contract, and what is in it.
struct StoredSample {
  std::string name;
  /// Writes the file below the folder and returns its path.
  std::function<std::string(const TestFolder&)> write;
  std::string variable;
  /// The values of the variable in C order.
  std::vector<double> values;
  /// Of a store, which is a folder: the file in it that is damaged.
  std::string inside = {};
};

/// So many numbers that nothing reads them by the way: between 0 and 1, and hard to pack.
std::vector<double> many_numbers();
inline constexpr std::int64_t kManyRows = 500, kManyColumns = 400;

inline void PrintTo(const StoredSample& sample, std::ostream* out) { *out << sample.name; }

/// What a reader of files promises, checked on small files. A format's test instantiates it with its samples.
class StoredFileContract : public testing::TestWithParam<StoredSample> {
 protected:
  StoredFileContract() : path_(GetParam().write(folder_)), bytes_(bytes_of_file(file_in(path_))) {}

  static std::string file_in(const std::string& path) {
    return GetParam().inside.empty() ? path : path + "/" + GetParam().inside;
  }
  /// A copy with other bytes.
  std::string damaged_copy(const std::string& bytes) const;

  /// Opens a copy with other bytes and reads all of it: right or wrong values, or a FileError that names the file.
  void expect_harmless(const std::string& bytes, const std::string& what) const {
    const std::string path = damaged_copy(bytes);
    try {
      const std::shared_ptr<const StoredFile> file = open_stored(path);
      for (std::size_t i = 0; i < file->variables().size(); ++i) {
        const Variable& one = file->variables()[i];
        // A wrong extent may be a large one; nobody reads that at once.
        if (one.elements() > (1 << 20)) continue;
        try {
          if (one.type.is_number()) {
            static_cast<void>(file->read_box(i, std::vector<std::int64_t>(one.shape.size(), 0), one.shape));
          } else if (one.type.kind != ElementKind::Other) {
            static_cast<void>(file->read_text(i));
          }
        } catch (const FileError& error) {
          EXPECT_EQ(std::string(error.what()).find("'" + path), 0u) << what << ": " << error.what();
        }
      }
    } catch (const FileError& error) {
      EXPECT_EQ(std::string(error.what()).find("'" + path), 0u) << what << ": " << error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << what << ": " << error.what();
    }
  }

  const TestFolder folder_;
  const std::string path_, bytes_;
};

/// For the last argument of INSTANTIATE_TEST_SUITE_P.
inline std::string name_of_sample(const testing::TestParamInfo<StoredSample>& info) { return info.param.name; }

}  // namespace weft::io
