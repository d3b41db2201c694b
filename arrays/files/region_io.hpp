#pragma once

#include <weft/dtype.hpp>
#include <weft/shape.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace weft::arrays::files {

/// A file that is read or written at places. Every failure throws Error that begins with the file's name.
/// Owns: the descriptor.  Threading: calls may come from any thread.
class OpenedFile {
 public:
  enum class Use { Read, Write, Create };
  OpenedFile(std::string path, Use use);
  ~OpenedFile();
  OpenedFile(const OpenedFile&) = delete;
  OpenedFile& operator=(const OpenedFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t size() const;
  void read(void* to, std::size_t count, std::int64_t place) const;
  void write(const void* from, std::size_t count, std::int64_t place) const;
  /// Makes the file `size` long; what was not written reads as zeros.
  void resize(std::int64_t size) const;
  /// Returns when the disk has it all, and closes.
  void finish();

 private:
  std::string path_;
  int descriptor_ = -1;
};

/// An array in C order within a file.
struct Layout {
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape;
  std::size_t element_bytes = 1;
};

/// Moves the box at `start` of `extent` between the file and elements in C order, runs of bytes as long as they lie
/// side by side.
void read_box(const OpenedFile& file, const Layout& layout, const std::vector<std::int64_t>& start,
              const std::vector<std::int64_t>& extent, std::byte* to, const std::vector<std::int64_t>& strides);
void write_box(const OpenedFile& file, const Layout& layout, const std::vector<std::int64_t>& start,
               const std::vector<std::int64_t>& extent, const std::byte* from);

/// A name beside `path` that nobody else uses.
std::string temporary_name(const std::string& path);
/// Puts what is at `from` in the place of what is at `to`: at once, but for folders where the file system cannot.
void replace(const std::string& from, const std::string& to);
/// Removes a file or folder that is not needed any more; what goes wrong is ignored.
void remove_quietly(const std::string& path) noexcept;
/// Makes folders as needed.
void make_folder(const std::string& path);

/// What the first bytes of a .npy file say.
struct NpyHeader {
  Dtype dtype;
  std::vector<std::int64_t> shape;
  bool columns_first = false;
  std::int64_t offset = 0;
  /// Elements are in another order of bytes, or of a type that becomes another one.
  bool converted = false;
};
NpyHeader read_npy_header(const OpenedFile& file);
std::string npy_header(Dtype dtype, const std::vector<std::int64_t>& shape);
/// As NumPy spells it in files: "<f8", "|b1", "<M8[D]".
std::string array_protocol_name(Dtype dtype);
/// The type of such a name, in this machine's order of bytes. Throws Error for those that arrays do not have.
Dtype dtype_of_protocol(const std::string& name, const std::string& path);

}  // namespace weft::arrays::files
