#pragma once

#include "io/codecs/filters.hpp"
#include "io/files/cursor.hpp"
#include "io/files/open_file.hpp"

#include <weft/storage.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// The structures of an HDF5 file, as its format specification names them. Nothing here trusts a byte: lengths are
/// checked against the file's, and the sum of all that is looked at is bounded, so that loops in a damaged file end.
namespace weft::io::hdf5 {

/// The file and the sizes of its addresses and lengths.
/// Owns: what was read.  Threading: one thread.
class Source {
 public:
  explicit Source(const OpenFile& opened) : file(opened), pages(opened) {}

  const OpenFile& file;
  PagedFile pages;
  unsigned address_bytes = 8;
  unsigned length_bytes = 8;
  std::uint64_t base = 0;

  /// Returns `bytes` at an address of the file.
  Cursor at(std::uint64_t address, std::uint64_t bytes);
  bool defined(std::uint64_t address) const { return address != undefined(); }
  std::uint64_t undefined() const {
    return address_bytes >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * address_bytes) - 1;
  }
  std::uint64_t address(Cursor& cursor) const { return cursor.number(address_bytes); }
  std::uint64_t length(Cursor& cursor) const { return cursor.number(length_bytes); }
  /// Throws where the four bytes are not these.
  void expect(Cursor& cursor, const char* signature) const;
  [[noreturn]] void damaged(const std::string& what) const { file.fail(what + ": the file is damaged"); }
  [[noreturn]] void unknown(const std::string& what) const { file.fail(what + ", which weft does not read"); }

 private:
  /// Bytes looked at so far.
  std::uint64_t spent_ = 0;
};

/// One message of an object's header.
struct Message {
  enum Type : std::uint16_t {
    kDataspace = 0x01,
    kLinkInfo = 0x02,
    kDatatype = 0x03,
    kOldFill = 0x04,
    kFill = 0x05,
    kLink = 0x06,
    kExternalFiles = 0x07,
    kLayout = 0x08,
    kFilters = 0x0b,
    kAttribute = 0x0c,
    kContinuation = 0x10,
    kSymbolTable = 0x11,
    kAttributeInfo = 0x15,
  };
  std::uint16_t type = 0;
  std::uint8_t flags = 0;
  const std::byte* data = nullptr;
  std::uint64_t bytes = 0;
};

/// Returns where the root group's header is, and sets the sizes and the base.
std::uint64_t read_superblock(Source& source);
/// Returns the messages of the object; shared ones are followed.
std::vector<Message> read_messages(Source& source, std::uint64_t address);

struct Dataspace {
  std::vector<std::int64_t> extents;
  /// -1: unlimited.
  std::vector<std::int64_t> most;
  bool null = false;
  std::int64_t elements() const;
};
Dataspace parse_dataspace(const Source& source, Cursor cursor);

struct Datatype {
  enum class Class : std::uint8_t {
    Integer = 0,
    Float = 1,
    Time = 2,
    Text = 3,
    Bits = 4,
    Opaque = 5,
    Compound = 6,
    Reference = 7,
    Enumeration = 8,
    List = 9,
    Array = 10,
    Complex = 11
  };
  Class kind = Class::Opaque;
  ElementType element;
  /// Of a number that is not laid out as this machine's are: where in the element its bits are.
  struct Field {
    unsigned offset = 0, precision = 0;
    /// Of a float; places count from the element's lowest bit.
    unsigned sign = 0, exponent = 0, exponent_bits = 0, mantissa = 0, mantissa_bits = 0;
    std::uint32_t bias = 0;
    bool implied_one = false;
  };
  std::optional<Field> field;
  /// Of a list: strings rather than sequences; of text: what pads it is a space.
  bool strings = false;
  bool space_padded = false;
  std::vector<Datatype> base;
  /// Of a compound: what its members, which are in `base`, are called, and where they begin.
  std::vector<std::string> names;
  std::vector<std::uint64_t> places;
  /// Of an array.
  std::vector<std::int64_t> extents;
};
/// Takes one type from the cursor.
Datatype parse_datatype(const Source& source, Cursor& cursor, int depth = 0);

/// Turns numbers of a type with a `field`, whose bytes are in this machine's order, into this machine's.
void straighten(const Datatype& type, std::byte* data, const std::vector<std::int64_t>& strides,
                const std::vector<std::int64_t>& extent);

std::vector<Filter> parse_filters(const Source& source, Cursor cursor);

struct Mapping;

/// Where a dataset's elements are.
struct Layout {
  enum class Kind : std::uint8_t { Compact, Contiguous, Chunked, Virtual, Other };
  enum class Index : std::uint8_t { Tree1, Single, Implicit, FixedArray, ExtensibleArray, Tree2 };
  Kind kind = Kind::Other;
  std::vector<std::byte> compact;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  Index index = Index::Tree1;
  std::vector<std::int64_t> chunk;
  /// Of a single chunk that went through filters.
  bool single_filtered = false;
  std::uint64_t single_bytes = 0;
  std::uint32_t single_skipped = 0;
  /// Chunks that reach over the edge are stored without filters.
  bool plain_edges = false;
  /// Of a virtual one, whose description lies in a global heap: `address`, and its number there. `mappings` is shared
  /// by the columns of a table.
  std::uint32_t heap_index = 0;
  std::shared_ptr<const std::vector<Mapping>> mappings;
  /// What `Other` is, for the error.
  std::string other;
};
Layout parse_layout(const Source& source, Cursor cursor, std::size_t rank);

/// A stored chunk: its number in the grid of chunks (C order), where it is, and the filters it did not go through.
struct ChunkEntry {
  std::uint64_t number = 0;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
  std::uint32_t skipped = 0;
};
/// Reads the index of the chunks, sorted by number. `grid`: the chunks along each axis; `most`: what the index counts
/// by.
std::vector<ChunkEntry> read_chunk_index(Source& source, const Layout& layout, const Dataspace& space,
                                         std::uint32_t element_bytes, bool filtered);

/// The heap of names of an old group, or the pieces of a global heap.
std::string local_heap_name(Source& source, std::uint64_t heap, std::uint64_t offset);

/// Objects that lie in global heaps: strings and lists of any length.
/// Owns: the collections it has seen.  Threading: one thread.
class GlobalHeap {
 public:
  explicit GlobalHeap(Source& source) : source_(source) {}
  /// Returns the object's bytes; an address that is not defined has none.
  std::pair<const std::byte*, std::uint64_t> find(std::uint64_t collection, std::uint32_t index);

 private:
  using Objects = std::map<std::uint32_t, std::pair<const std::byte*, std::uint64_t>>;
  Source& source_;
  std::map<std::uint64_t, Objects> collections_;
};

/// Calls `visit` with each record of a B-tree of version 2.
void walk_tree2(Source& source, std::uint64_t address, const std::function<void(Cursor record)>& visit);

/// A heap of many small objects: links or attributes of an object that has many.
/// Owns: the parsed header.  Threading: one thread.
class FractalHeap {
 public:
  FractalHeap(Source& source, std::uint64_t address);
  unsigned id_bytes() const { return id_bytes_; }
  /// Returns the object that an identifier names.
  Cursor find(Cursor id);

 private:
  Cursor managed(std::uint64_t offset, std::uint64_t bytes);
  Cursor huge(Cursor id);
  std::uint64_t row_bytes(unsigned row) const;
  std::uint64_t row_start(unsigned row) const;

  Source& source_;
  unsigned id_bytes_ = 0, filter_bytes_ = 0, offset_bytes_ = 0, length_bytes_ = 0, width_ = 0, root_rows_ = 0;
  std::uint64_t start_bytes_ = 0, most_direct_ = 0, root_ = 0, huge_tree_ = 0;
};

/// Returns how many bytes numbers up to `limit` take.
unsigned bytes_for(std::uint64_t limit);
unsigned log2_of(std::uint64_t value);

}  // namespace weft::io::hdf5
