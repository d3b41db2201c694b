#pragma once

#include "frames/files/pieces.hpp"

#include "io/codecs/unpacker.hpp"
#include "io/files/open_file.hpp"

#include <memory>
#include <optional>

namespace weft::frames {

/// The text in a file, whatever packs it.
/// Owns: the open file, and of a packed one what is unpacked now.  Threading: one thread.
class CsvText {
 public:
  /// Throws weft::Error where there is no such file, or it cannot be read.
  explicit CsvText(const std::string& path);
  CsvText(const CsvText&) = delete;
  CsvText& operator=(const CsvText&) = delete;

  const std::string& path() const { return file_.path(); }
  io::Packing packing() const { return packing_; }
  bool packed() const { return packing_ != io::Packing::None; }
  /// Returns the bytes of the file, packed or not.
  std::uint64_t file_bytes() const { return file_.size(); }
  /// Reads on from where it is; returns fewer than `most` bytes only at the end.
  std::size_t read(char* to, std::size_t most);
  /// Goes on at a byte of the text; of a packed one only behind where it is.
  void seek(std::uint64_t place);

 private:
  io::OpenFile file_;
  io::Packing packing_ = io::Packing::None;
  std::unique_ptr<io::Unpacker> unpacker_;
  std::uint64_t place_ = 0;
};

/// Some of a text, from a byte on.
/// Owns: the bytes.  Threading: one thread.
class CsvWindow {
 public:
  CsvWindow(CsvText& text, std::uint64_t first);

  const std::string& path() const { return text_.path(); }
  const char* data() const { return bytes_.get(); }
  std::size_t size() const { return size_; }
  /// Returns where in the text the first byte is.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t end() const { return offset_ + size_; }
  /// Tells whether the text ends with these bytes. Its last line has an end then, even where the file's has none.
  bool ended() const { return ended_; }
  /// Reads on.
  void more(std::size_t most);
  /// Forgets the first bytes.
  void drop(std::size_t count);
  /// Forgets all, and goes on at a byte of the text.
  void restart(std::uint64_t place);

 private:
  CsvText& text_;
  std::uint64_t offset_;
  std::unique_ptr<char[]> bytes_;
  std::size_t room_ = 0;
  std::size_t size_ = 0;
  bool ended_ = false;
};

/// Returns the number of the line that a byte of the text is in, from 1 on. Reads all that is before it.
std::uint64_t line_of(const std::string& path, std::uint64_t place);

/// The line that names the columns, or where it would be, and where the other lines begin.
struct CsvHead {
  std::vector<std::string> names;  ///< as they stand there; nothing where there is no header
  std::uint64_t data = 0;          ///< the byte behind it
};
/// Reads the head of a text whose first bytes the window has; reads on as far as it needs.
CsvHead read_head(CsvWindow& window, const CsvFormat& format);

/// Says that the record that begins here never ends.
[[noreturn]] void refuse_open_quote(const std::string& path, std::uint64_t place);

/// Returns where the first record begins at or behind byte `first`; `data`: where the first of all begins.
std::uint64_t first_record(CsvText& text, const CsvFormat& format, std::uint64_t first, std::uint64_t data);

}  // namespace weft::frames
