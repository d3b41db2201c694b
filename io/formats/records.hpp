#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::io {

/// One of several boxes that are read at once; `out` has these strides in bytes.
struct StoredBox {
  std::size_t variable = 0;
  std::vector<std::int64_t> start, extent;
  std::byte* out = nullptr;
  std::vector<std::int64_t> strides;
};

/// A file with tables, whose columns are variables of their own but lie together, record by record.
/// Threading: as StoredFile.
class HasRecords {
 public:
  virtual ~HasRecords() = default;
  /// Reads all boxes as StoredFile::read does, but of the columns of a table of which the same records are wanted each
  /// stored chunk is read and decoded once. Of strings of any length it gives what stands in the record: `texts`.
  virtual void read_together(const std::vector<StoredBox>& boxes) const = 0;
  /// Returns the texts of elements of a variable, side by side as read_together gives them.
  virtual std::vector<std::string> texts(std::size_t variable, std::span<const std::byte> stored) const = 0;
  /// Tells whether the elements are bits rather than numbers: PyTables' truths, of one byte.
  virtual bool is_bits(std::size_t variable) const = 0;
};
/// Nothing where the format has no tables.
const HasRecords* records_of(const StoredFile& file);

}  // namespace weft::io
