#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft::io {

/// Throws FileError: "'path': text"; of an address what may be shown of it.
[[noreturn]] void fail(const std::string& path, const std::string& text);

inline constexpr std::uint64_t kPageBytes = 64 << 10;

/// A file opened for reading; where its name is an address (http, https, s3), an object that a network reaches.
/// Owns: the descriptor.  Threading: any thread; reads are at given places.
class OpenFile {
 public:
  explicit OpenFile(std::string path);
  ~OpenFile();
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  std::int64_t changed_ns() const { return changed_ns_; }
  /// Reads all of [place, place + bytes). Throws FileError where the file ends before.
  void read(std::uint64_t place, void* out, std::size_t bytes) const;
  /// From now on a few pages of 64 KiB stay in memory, and small reads are answered from them: descriptions and labels
  /// lie near each other.
  void keep_pages();
  [[noreturn]] void fail(const std::string& text) const { io::fail(path_, text); }

 private:
  friend std::optional<OpenFile> open_if_there(const std::string& path);
  OpenFile(std::string path, int descriptor);
  /// Of an address: asks for its first page.
  bool reach();
  OpenFile(std::string path, bool& there);
  void read_now(std::uint64_t place, void* out, std::size_t bytes) const;
  bool read_kept(std::uint64_t place, void* out, std::size_t bytes) const;

  struct Pages;
  const std::string path_;
  /// -1 of an address.
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::int64_t changed_ns_ = 0;
  /// Nothing: all is read from the file.
  std::unique_ptr<Pages> pages_;
};

/// Nothing where there is no such file.
std::optional<OpenFile> open_if_there(const std::string& path);

/// The descriptions in a file, read in pages that are kept while a description is being parsed: few reads, whatever
/// the number of small pieces.
/// Owns: the pages.  Threading: one thread.
class PagedFile {
 public:
  explicit PagedFile(const OpenFile& file) : file_(file) {}
  const OpenFile& file() const { return file_; }
  /// Returns bytes that stay valid while this object lives. Throws FileError where the file ends before.
  const std::byte* at(std::uint64_t place, std::uint64_t bytes);

 private:
  const OpenFile& file_;
  std::map<std::uint64_t, std::vector<std::byte>> pages_;
  /// Pieces that cross a page's end.
  std::vector<std::unique_ptr<std::byte[]>> pieces_;
};

}  // namespace weft::io
