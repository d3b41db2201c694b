#pragma once

#include "frames/files/parquet/encodings.hpp"

#include <optional>

namespace weft::frames::parquet {

/// What stands in front of a page.
struct PageHead {
  enum Kind : std::int32_t { Data = 0, Index = 1, Dictionary = 2, DataV2 = 3 };
  std::int32_t kind = -1;
  std::uint32_t unpacked = 0, packed = 0;
  std::optional<std::uint32_t> sum;  ///< of the stored bytes
  std::uint32_t values = 0;
  Encoding encoding = Encoding::Plain, level_encoding = Encoding::Rle;
  // Of DataV2: levels lie in front, never packed.
  std::uint32_t level_bytes = 0, repeat_bytes = 0;
  bool is_packed = true;

  bool holds_data() const { return kind == Data || kind == DataV2; }
  bool by_dictionary() const { return encoding == Encoding::PlainDictionary || encoding == Encoding::RleDictionary; }
};

/// The bytes of one column of one row group, read at once, page after page.
/// Owns: the bytes.  Threading: one thread.
class PageReader {
 public:
  /// Reads the chunk. Throws FileError where it does not lie in the file, is encrypted, or this build lacks its codec.
  PageReader(const io::OpenFile& file, const Leaf& leaf, const ChunkPlace& chunk);

  struct Page {
    PageHead head;
    PageBytes levels;  ///< of DataV2 alone
    PageBytes body;    ///< of Data: with levels in front; valid until the next page is taken
  };
  /// Returns the next page, or nothing behind the last.
  std::optional<Page> next();
  /// Tells whether all pages refer to a dictionary.
  bool all_by_dictionary();

 private:
  PageHead take_head();
  PageBytes unpacked_body(const PageHead& head, std::size_t in_front);

  const std::string& path_;
  Codec codec_;
  Buffer bytes_;
  std::uint64_t size_ = 0, at_ = 0;
  Room room_;
};

}  // namespace weft::frames::parquet
