#pragma once

#include <weft/storage.hpp>

#include "io/files/open_file.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft::io {

/// A file of one picture that is decoded as a whole: rows, columns and, where there are several, bands.
/// Owns: the open file.  Threading: constant once it is described; any thread.
class PictureFile : public StoredFile {
 public:
  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const final;
  std::vector<std::string> read_text(std::size_t) const final { file_.fail("'image' holds numbers, not text"); }

 protected:
  PictureFile(OpenFile file, const char* format);
  /// For the constructor: unsigned samples of one or two bytes, and what they are packed with.
  void describe(std::int64_t rows, std::int64_t columns, std::int64_t bands, unsigned sample_bytes, const char* filter);
  /// Returns all samples in C order.
  virtual std::vector<std::byte> decode() const = 0;

  const OpenFile file_;
};

}  // namespace weft::io
