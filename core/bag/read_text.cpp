#include "core/journal/journal.hpp"

#include <weft/bag.hpp>
#include <weft/error.hpp>

#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace weft {
namespace {

[[noreturn]] void refuse_file(const std::string& path, const std::string& what) {
  throw Error("read_text: " + path + ": " + what);
}

/// A file opened to be read. Owns: the descriptor.
class TextFile {
 public:
  explicit TextFile(const std::string& path) : path_(path), descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (descriptor_ < 0) refuse_file(path, std::strerror(errno));
  }
  ~TextFile() { ::close(descriptor_); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;

  /// Appends bytes from `offset` on; returns how many, 0 at the end of the file.
  std::size_t read(std::uint64_t offset, std::size_t most, std::string& text) const {
    const std::size_t before = text.size();
    text.resize(before + most);
    for (;;) {
      const ::ssize_t got = ::pread(descriptor_, text.data() + before, most, static_cast<::off_t>(offset));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) refuse_file(path_, std::strerror(errno));
      text.resize(before + static_cast<std::size_t>(got));
      return static_cast<std::size_t>(got);
    }
  }

 private:
  const std::string& path_;
  const int descriptor_;
};

constexpr std::size_t kPiece = std::size_t{1} << 20;

void add_line(std::vector<std::string>& lines, const char* first, std::size_t length) {
  if (length != 0 && first[length - 1] == '\r') --length;
  lines.emplace_back(first, length);
}

std::vector<std::string> matching_paths(const std::string& pattern) {
  ::glob_t found{};
  const int status = ::glob(pattern.c_str(), 0, nullptr, &found);
  std::vector<std::string> paths;
  if (status == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (status == GLOB_NOMATCH) {
    refuse_file(pattern, "no file has this name or matches this pattern; it is looked for from the working directory");
  }
  if (status != 0) refuse_file(pattern, "the folders it names cannot be read");
  return paths;
}

}  // namespace

namespace detail {

std::vector<std::string> ReadLines::operator()(const std::string& path, std::uint64_t first, std::uint64_t end) const {
  const TextFile file(path);
  std::vector<std::string> lines;
  std::string text;
  std::uint64_t offset = first;
  // A line that begins before the block is another's: skip to behind the first end of line at or after first - 1.
  bool skipping = first != 0;
  if (skipping) --offset;
  std::uint64_t line_begin = first;
  while (skipping || line_begin < end) {
    const std::size_t got = file.read(offset, kPiece, text);
    if (got == 0) break;
    std::size_t at = 0;
    // What lies before the new piece was searched before.
    std::size_t search = text.size() - got;
    const std::uint64_t text_begin = offset + got - text.size();
    offset += got;
    while (skipping || line_begin < end) {
      const void* const found = std::memchr(text.data() + search, '\n', text.size() - search);
      if (found == nullptr) break;
      const auto newline = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
      if (!skipping) add_line(lines, text.data() + at, newline - at);
      skipping = false;
      at = search = newline + 1;
      line_begin = text_begin + at;
    }
    text.erase(0, skipping ? text.size() : at);
  }
  // The last line of a file may have no end.
  if (!skipping && line_begin < end && !text.empty()) add_line(lines, text.data(), text.size());
  return lines;
}

std::vector<TextBlock> text_blocks(const std::vector<std::string>& patterns, const TextOptions& options) {
  std::vector<TextBlock> blocks;
  if (patterns.empty()) throw Error("read_text: no file was named: give a path or a pattern such as \"logs/*.txt\"");
  for (const std::string& pattern : patterns) {
    for (const std::string& path : matching_paths(pattern)) {
      struct ::stat status {};
      if (::stat(path.c_str(), &status) != 0) refuse_file(path, std::strerror(errno));
      if (S_ISDIR(status.st_mode)) refuse_file(path, "is a folder: name files in it, as in \"" + path + "/*.txt\"");
      const auto size = static_cast<std::uint64_t>(status.st_size);
      const std::uint64_t block = options.blocksize == 0 ? std::max<std::uint64_t>(size, 1) : options.blocksize;
      blocks.push_back({path, 0, std::min(size, block)});
      for (std::uint64_t first = block; first < size; first += block) {
        blocks.push_back({path, first, std::min(size, first + block)});
      }
    }
  }
  return blocks;
}

}  // namespace detail

Bag<std::string> read_text(const std::vector<std::string>& patterns, const TextOptions& options,
                           const std::source_location& where) {
  const DelayedFunction<detail::ReadLines> read({}, where);
  std::vector<Delayed<std::vector<std::string>>> partitions;
  for (const detail::TextBlock& block : detail::text_blocks(patterns, options)) {
    const journal::ReadsFile state(block.path);
    partitions.push_back(read(block.path, block.first, block.end));
  }
  return Bag<std::string>::from_delayed(std::move(partitions));
}

Bag<std::string> read_text(const std::string& pattern, const TextOptions& options, const std::source_location& where) {
  return read_text(std::vector<std::string>{pattern}, options, where);
}

}  // namespace weft
