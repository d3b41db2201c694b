#pragma once

#include <weft/table.hpp>

#include "io/files/open_file.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::frames::parquet {

// Numbers as Parquet's format has them.
enum class Physical : std::int32_t { Boolean, Int32, Int64, Int96, Float, Double, ByteArray, FixedBytes };
enum class Encoding : std::int32_t {
  Plain = 0,
  PlainDictionary = 2,
  Rle = 3,
  BitPacked = 4,
  DeltaBinary = 5,
  DeltaLengths = 6,
  DeltaStrings = 7,
  RleDictionary = 8,
  ByteStreamSplit = 9
};
enum class Codec : std::int32_t { None, Snappy, Gzip, Lzo, Brotli, Lz4, Zstd, Lz4Raw };

/// How stored values become a column's.
enum class Meaning : std::uint8_t { Same, Unsigned32, Unsigned64, Days, Millis, Micros, Int96, Decimal, Half, NoValue };

/// A column of a file.
struct Leaf {
  std::string name;
  Physical physical = Physical::Boolean;
  std::int32_t width = 0;  ///< bytes of a value of FixedBytes
  std::int32_t scale = 0;  ///< of decimals
  Meaning meaning = Meaning::Same;
  ColumnType type = ColumnType::Int64;
  bool optional = false;
  bool flat = true;           ///< false: it lies in a list or a struct, which is not read
  bool ordered = true;        ///< the stored least and greatest may be trusted
  bool signed_order = false;  ///< those that old writers stored, too
  std::size_t chunk = 0;      ///< which of a row group's
};

/// Where one column of one row group lies.
struct ChunkPlace {
  Codec codec = Codec::None;
  std::uint64_t first = 0, bytes = 0, unpacked = 0;
  std::uint64_t values = 0;
  bool elsewhere = false, encrypted = false;
  std::int64_t missing = -1;
  std::optional<std::string> least, most, old_least, old_most;
};

struct RowGroup {
  std::uint64_t rows = 0;
  std::vector<ChunkPlace> chunks;
};

/// What a file says of itself.
struct Footer {
  std::vector<Leaf> leaves;
  std::vector<RowGroup> groups;
  std::uint64_t rows = 0;

  /// Returns the column, or null.
  const Leaf* find(const std::string& name) const;
};

/// Reads and checks what stands at a file's end. Throws FileError naming the file. Of the last few files it is kept,
/// where it is long.
std::shared_ptr<const Footer> read_footer(const io::OpenFile& file);
/// Returns the columns to read, in this order; empty: all. Throws FileError naming the nearest where there is none, and
/// where one is nested.
std::vector<const Leaf*> wanted_leaves(const std::string& path, const Footer& footer,
                                       const std::vector<std::string>& names);
/// What a schema says of a stored type beside it; numbers as Parquet's format has them, -1 or 0 where it says nothing.
struct Annotation {
  std::int32_t converted = -1, logical = 0, unit = 0, bits = 0;
  bool is_signed = true;
};
/// Says what a stored type means to weft. Throws FileError where it means nothing.
void understand(const std::string& path, Leaf& leaf, const Annotation& said);

/// How many rows a file of so many bytes may claim: runs and codecs make much of little, damaged counts anything.
inline std::uint64_t most_rows(std::uint64_t file_bytes) { return (std::uint64_t{1} << 22) + file_bytes * 16384; }

}  // namespace weft::frames::parquet
