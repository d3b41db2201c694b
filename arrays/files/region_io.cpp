#include "arrays/files/region_io.hpp"

#include "io/files/name_beside.hpp"
#include "io/files/size_limit.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>

namespace weft::arrays::files {
namespace {

[[noreturn]] void fail(const std::string& path, const char* what) {
  throw Error(path + ": " + what + ": " + std::strerror(errno));
}

/// Calls move(place in the file in bytes, the index of the run's first element, bytes) for all runs of a box.
template <class Move>
void each_run(const Layout& layout, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
              const Move& move) {
  const std::size_t ndim = extent.size();
  for (const std::int64_t one : extent) {
    if (one == 0) return;
  }
  // Axes from the last one on that are read whole belong to the run, and the one before them.
  std::size_t outer = ndim;
  std::int64_t run = 1;
  while (outer > 0) {
    --outer;
    run *= extent[outer];
    if (extent[outer] != layout.shape[outer]) break;
  }
  std::vector<std::int64_t> index(ndim, 0);
  for (;;) {
    std::int64_t place = 0;
    for (std::size_t axis = 0; axis < ndim; ++axis) place = place * layout.shape[axis] + start[axis] + index[axis];
    move(layout.offset + place * static_cast<std::int64_t>(layout.element_bytes), index,
         static_cast<std::size_t>(run) * layout.element_bytes);
    std::size_t axis = outer;
    for (;;) {
      if (axis-- == 0) return;
      if (++index[axis] < extent[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

OpenedFile::OpenedFile(std::string path, Use use) : path_(std::move(path)) {
  const int flags = use == Use::Read ? O_RDONLY : use == Use::Write ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
  do {
    descriptor_ = ::open(path_.c_str(), flags | O_CLOEXEC, 0666);
  } while (descriptor_ < 0 && errno == EINTR);
  if (descriptor_ < 0) fail(path_, use == Use::Read ? "cannot be opened" : "cannot be opened for writing");
}

OpenedFile::~OpenedFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::int64_t OpenedFile::size() const {
  struct stat status {};
  if (::fstat(descriptor_, &status) != 0) fail(path_, "has no size");
  return status.st_size;
}

void OpenedFile::read(void* to, std::size_t count, std::int64_t place) const {
  auto* at = static_cast<char*>(to);
  while (count > 0) {
    const ssize_t got = ::pread(descriptor_, at, count, place);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read");
    if (got == 0) {
      throw Error(path_ + ": ends after " + std::to_string(place) + " bytes, though " + std::to_string(count) +
                  " more should be there: it was cut off");
    }
    at += got;
    place += got;
    count -= static_cast<std::size_t>(got);
  }
}

void OpenedFile::write(const void* from, std::size_t count, std::int64_t place) const {
  this_task::has_effect();
  const auto* at = static_cast<const char*>(from);
  if (!io::within_size_limit(static_cast<std::uint64_t>(place) + count)) fail(path_, "cannot be written");
  while (count > 0) {
    const ssize_t put = ::pwrite(descriptor_, at, count, place);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(path_, "cannot be written");
    at += put;
    place += put;
    count -= static_cast<std::size_t>(put);
  }
}

void OpenedFile::resize(std::int64_t size) const {
  if (!io::within_size_limit(static_cast<std::uint64_t>(size)) || ::ftruncate(descriptor_, size) != 0)
    fail(path_, "cannot be made as long as needed");
}

void OpenedFile::finish() {
  const int descriptor = descriptor_;
  if (::fsync(descriptor) != 0) fail(path_, "cannot be written to the disk");
  descriptor_ = -1;
  if (::close(descriptor) != 0) fail(path_, "cannot be closed");
}

void read_box(const OpenedFile& file, const Layout& layout, const std::vector<std::int64_t>& start,
              const std::vector<std::int64_t>& extent, std::byte* to, const std::vector<std::int64_t>& strides) {
  std::vector<std::int64_t> packed(extent.size());
  auto stride = static_cast<std::int64_t>(layout.element_bytes);
  bool in_order = true;
  for (std::size_t axis = extent.size(); axis-- > 0;) {
    packed[axis] = stride;
    in_order = in_order && (extent[axis] <= 1 || strides[axis] == stride);
    stride *= extent[axis];
  }
  const Layout whole = layout;
  if (in_order) {
    each_run(whole, start, extent, [&](std::int64_t place, const auto& index, std::size_t bytes) {
      std::byte* at = to;
      for (std::size_t axis = 0; axis < index.size(); ++axis) at += index[axis] * strides[axis];
      file.read(at, bytes, place);
    });
    return;
  }
  // Rows only: where the target is a part of something wider.
  std::vector<std::int64_t> row(extent.size(), 1);
  row.back() = extent.back();
  std::vector<std::int64_t> index(extent.size(), 0);
  for (const std::int64_t one : extent) {
    if (one == 0) return;
  }
  for (;;) {
    std::int64_t place = 0;
    std::byte* at = to;
    for (std::size_t axis = 0; axis < extent.size(); ++axis) {
      place = place * layout.shape[axis] + start[axis] + index[axis];
      at += index[axis] * strides[axis];
    }
    file.read(at, static_cast<std::size_t>(extent.back()) * layout.element_bytes,
              layout.offset + place * static_cast<std::int64_t>(layout.element_bytes));
    std::size_t axis = extent.size() - 1;
    for (;;) {
      if (axis-- == 0) return;
      if (++index[axis] < extent[axis]) break;
      index[axis] = 0;
    }
  }
}

void write_box(const OpenedFile& file, const Layout& layout, const std::vector<std::int64_t>& start,
               const std::vector<std::int64_t>& extent, const std::byte* from) {
  each_run(layout, start, extent, [&](std::int64_t place, const auto&, std::size_t bytes) {
    file.write(from, bytes, place);
    from += bytes;
  });
}

std::string temporary_name(const std::string& path) {
  std::string plain = path;
  while (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return io::name_beside(plain);
}

void replace(const std::string& from, const std::string& to) {
  std::error_code error;
  if (std::filesystem::is_directory(to, error)) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_EXCHANGE) == 0) return remove_quietly(from);
    // Not every file system exchanges folders in one step: the old one goes aside first.
    const std::string old = temporary_name(to);
    std::filesystem::rename(to, old, error);
    if (error) throw Error(to + ": cannot be replaced: " + error.message());
    std::filesystem::rename(from, to, error);
    if (error) {
      const std::string reason = error.message();
      std::filesystem::rename(old, to, error);
      throw Error(to + ": cannot be replaced: " + reason);
    }
    remove_quietly(old);
    return;
  }
  std::filesystem::rename(from, to, error);
  if (error) throw Error(to + ": cannot be put in place: " + error.message());
}

void remove_quietly(const std::string& path) noexcept {
  std::error_code error;
  std::filesystem::remove_all(path, error);
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) throw Error(path + ": the folder cannot be made: " + error.message());
}

}  // namespace weft::arrays::files
