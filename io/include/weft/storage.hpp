#pragma once

#include <weft/error.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

/// Files that hold arrays, whatever their format: what is in them, and reading boxes of it.
namespace weft::io {

/// A file cannot be read or written, or is not what its format asks for. The text begins with the file's name.
class FileError : public Error {
 public:
  using Error::Error;
};

enum class ElementKind : std::uint8_t {
  Integer,
  Unsigned,
  Boolean,       ///< one byte, 0 or 1
  Float,         ///< of 2, 4 or 8 bytes
  Complex,       ///< two floats
  Text,          ///< bytes of a fixed number
  VariableText,  ///< strings that lie elsewhere in the file: read_text
  Other,         ///< references, lists, and tables as a whole, whose columns are variables: named, not read
};

/// How one element is stored.
struct ElementType {
  ElementKind kind = ElementKind::Other;
  /// Bytes of an element in the file, and in what `read` gives.
  std::uint32_t bytes = 0;
  /// Stored in the other byte order than this machine's; `read` gives this machine's.
  bool swapped = false;
  /// For people: "float32", "string", "compound {x: float64, n: int32}".
  std::string name;

  bool is_number() const { return kind <= ElementKind::Complex; }
};

/// A small value that describes a file, a group or a variable.
struct Attribute {
  std::string name;
  ElementType type;
  std::vector<std::int64_t> shape;
  /// Of the three the one that fits the type is filled; integers beyond 63 bits are in `reals`, too.
  std::vector<std::string> texts;
  std::vector<double> reals;
  std::vector<std::int64_t> integers;

  bool is_text() const { return !texts.empty(); }
  /// The first text, or nothing.
  std::string text() const { return texts.empty() ? std::string() : texts.front(); }
  /// The values as doubles; empty for text.
  std::vector<double> numbers() const;
};

/// Returns the attribute of this name, or nullptr.
const Attribute* find_attribute(const std::vector<Attribute>& attributes, const std::string& name);

struct Dimension {
  std::string name;
  std::int64_t extent = 0;
  bool unlimited = false;
};

struct Variable {
  /// "group/name", without a slash in front.
  std::string path;
  ElementType type;
  std::vector<std::int64_t> shape;
  /// A name for each axis; empty where the file names none.
  std::vector<std::string> dimensions;
  /// The storage object: what is stored, and decoded, as one. Empty where any part can be read alone.
  std::vector<std::int64_t> chunk;
  /// What the stored bytes went through, in the order of writing: "shuffle", "deflate 4".
  std::vector<std::string> filters;
  std::vector<Attribute> attributes;
  /// One element that stands where nothing was written, in this machine's byte order.
  std::vector<std::byte> fill;

  std::int64_t elements() const;
};

struct Group {
  std::string path;
  std::vector<Attribute> attributes;
  std::vector<Dimension> dimensions;
};

/// A file whose description has been read, and none of its data.
///
/// The contract of a format, checked by tests/contracts/stored_file.hpp: opening reads descriptions only; `read` reads
/// and decodes each stored chunk that the box touches once, places that were never written are the fill value; any
/// number of threads may read at once, without a common lock; whatever the bytes of the file are, the answer is right
/// or a FileError that names the file.
/// Owns: the open file.  Threading: constant; any thread.
class StoredFile {
 public:
  virtual ~StoredFile() = default;

  const std::string& path() const { return path_; }
  /// "HDF5", "NetCDF classic".
  const std::string& format() const { return format_; }
  /// In the order of the file.
  const std::vector<Variable>& variables() const { return variables_; }
  /// The root, whose path is empty, is the first.
  const std::vector<Group>& groups() const { return groups_; }
  /// Links that lead nowhere or into other files, and objects of kinds that cannot be read: for info.
  const std::vector<std::string>& remarks() const { return remarks_; }
  /// Bytes and time of the last change when it was opened: another process that reads the file by name checks them.
  std::uint64_t file_bytes() const { return file_bytes_; }
  std::int64_t changed_ns() const { return changed_ns_; }

  /// Returns the place of a variable. Throws FileError that lists near names.
  std::size_t find(const std::string& path) const;
  bool has(const std::string& path) const;

  /// Reads the box `extent` at `start` into `out`, whose strides are in bytes. Numbers come in this machine's byte
  /// order.
  virtual void read(std::size_t variable, const std::vector<std::int64_t>& start,
                    const std::vector<std::int64_t>& extent, std::byte* out,
                    const std::vector<std::int64_t>& strides) const = 0;
  /// Reads all strings of a variable of text.
  virtual std::vector<std::string> read_text(std::size_t variable) const = 0;
  /// Returns the bytes that the variable's data takes in the file.
  virtual std::uint64_t stored_bytes(std::size_t variable) const = 0;

  /// Reads a box with elements in C order.
  std::vector<std::byte> read_box(std::size_t variable, const std::vector<std::int64_t>& start,
                                  const std::vector<std::int64_t>& extent) const;
  /// Reads a whole variable of numbers as doubles.
  std::vector<double> read_numbers(std::size_t variable) const;

 protected:
  std::string path_;
  std::string format_;
  std::vector<Variable> variables_;
  std::vector<Group> groups_;
  std::vector<std::string> remarks_;
  std::uint64_t file_bytes_ = 0;
  std::int64_t changed_ns_ = 0;
};

/// Opens a file of any format that weft knows, told by its first bytes. Throws FileError.
std::shared_ptr<const StoredFile> open_stored(const std::string& path);

/// As open_stored, but gives the file that this process has open already, if its bytes did not change meanwhile: tasks
/// that read the same file share it. As many are kept open as the system allows this process.
std::shared_ptr<const StoredFile> open_shared(const std::string& path);

/// Converts `count` elements that lie `stride` bytes apart to doubles.
void to_doubles(const ElementType& type, const std::byte* from, std::int64_t count, double* out);

/// Returns the formats that open_stored knows, and the codecs of this build: for `weft info` and errors.
std::vector<std::string> known_formats();
std::vector<std::string> known_codecs();

}  // namespace weft::io
