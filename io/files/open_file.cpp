#include "io/files/open_file.hpp"

#include <weft/remote.hpp>
#include <weft/storage.hpp>

#include "io/remote/objects.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

namespace weft::io {

void fail(const std::string& path, const std::string& text) { throw FileError("'" + shown_path(path) + "': " + text); }

namespace {

int open_to_read(const std::string& path) { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }

int required(const std::string& path, int descriptor) {
  if (descriptor >= 0) return descriptor;
  const int error = errno;
  if (error == ENOENT) fail(path, "there is no such file");
  if (error == EACCES) fail(path, "no permission to read it");
  fail(path, std::string("cannot be opened: ") + std::strerror(error));
}

/// What all files of the process keep, at most.
constexpr std::size_t kMostKeptBytes = 32 << 20;
constexpr std::size_t kMostPagesOfAFile = 4, kMostPagesOfAnObject = 64;
std::atomic<std::size_t> kept_bytes{0};

}  // namespace

/// Owns: its pages.  Threading: guarded by its mutex.
struct OpenFile::Pages {
  ~Pages() {
    for (const auto& [number, page] : kept) kept_bytes -= page.size();
  }
  std::mutex mutex;
  std::map<std::uint64_t, std::vector<std::byte>> kept;
};

OpenFile::OpenFile(std::string path) : OpenFile(path, is_remote(path) ? -1 : required(path, open_to_read(path))) {
  if (descriptor_ < 0 && !reach()) fail("there is no such file");
}

OpenFile::OpenFile(std::string path, bool& there) : path_(std::move(path)) { there = reach(); }

bool OpenFile::reach() {
  std::optional<remote::Beginning> found = remote::read_beginning(path_, kPageBytes);
  if (!found) return false;
  size_ = found->object_bytes;
  changed_ns_ = found->changed_ns;
  if (found->bytes.size() != std::min(size_, kPageBytes)) fail("its server does not say how long it is");
  keep_pages();
  if (!found->bytes.empty()) {
    kept_bytes += found->bytes.size();
    pages_->kept.emplace(0, std::move(found->bytes));
  }
  return true;
}

OpenFile::OpenFile(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {
  if (descriptor_ < 0) return;
  struct stat info {};
  const bool known = ::fstat(descriptor_, &info) == 0;
  if (!known || !S_ISREG(info.st_mode)) {
    ::close(descriptor_);
    fail(known && S_ISDIR(info.st_mode) ? "is a folder, not a file" : "is no regular file");
  }
  size_ = static_cast<std::uint64_t>(info.st_size);
  changed_ns_ = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : path_(other.path_),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_),
      changed_ns_(other.changed_ns_),
      pages_(std::move(other.pages_)) {}

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::optional<OpenFile> open_if_there(const std::string& path) {
  if (is_remote(path)) {
    bool there = false;
    OpenFile file(path, there);
    if (!there) return {};
    return file;
  }
  const int descriptor = open_to_read(path);
  if (descriptor < 0 && errno == ENOENT) return {};
  return OpenFile(path, required(path, descriptor));
}

void OpenFile::read(std::uint64_t place, void* out, std::size_t bytes) const {
  if (place > size_ || bytes > size_ - place) {
    fail("ends at byte " + std::to_string(size_) + ", but bytes " + std::to_string(place) + " to " +
         std::to_string(place + bytes) + " are needed: it is truncated or damaged");
  }
  if (bytes > 0 && pages_ != nullptr && read_kept(place, out, bytes)) return;
  read_now(place, out, bytes);
}

void OpenFile::keep_pages() {
  if (pages_ == nullptr) pages_ = std::make_unique<Pages>();
}

bool OpenFile::read_kept(std::uint64_t place, void* out, std::size_t bytes) const {
  const std::uint64_t page = place / kPageBytes;
  if ((place + bytes - 1) / kPageBytes != page) return false;
  {
    const std::scoped_lock lock(pages_->mutex);
    const auto found = pages_->kept.find(page);
    if (found != pages_->kept.end()) {
      std::memcpy(out, found->second.data() + (place - page * kPageBytes), bytes);
      return true;
    }
    const std::size_t most = descriptor_ < 0 ? kMostPagesOfAnObject : kMostPagesOfAFile;
    if (pages_->kept.size() >= most || kept_bytes >= kMostKeptBytes) return false;
  }
  // Outside of the lock: others would wait for the network. Two threads may read the same page; one of the two stays.
  std::vector<std::byte> data(std::min(kPageBytes, size_ - page * kPageBytes));
  read_now(page * kPageBytes, data.data(), data.size());
  std::memcpy(out, data.data() + (place - page * kPageBytes), bytes);
  const std::scoped_lock lock(pages_->mutex);
  const std::size_t size = data.size();
  if (pages_->kept.emplace(page, std::move(data)).second) kept_bytes += size;
  return true;
}

void OpenFile::read_now(std::uint64_t place, void* out, std::size_t bytes) const {
  std::byte* to = static_cast<std::byte*>(out);
  if (descriptor_ < 0) return remote::read_part(path_, place, {to, bytes}, size_, changed_ns_);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, to, bytes, static_cast<off_t>(place));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(std::string("reading failed: ") + std::strerror(errno));
    if (got == 0) fail("became shorter while it was read");
    to += got;
    place += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
}

const std::byte* PagedFile::at(std::uint64_t place, std::uint64_t bytes) {
  if (place > file_.size() || bytes > file_.size() - place) {
    file_.fail("ends at byte " + std::to_string(file_.size()) + ", but a description needs " + std::to_string(bytes) +
               " bytes at " + std::to_string(place) + ": it is truncated or damaged");
  }
  const std::uint64_t page = place / kPageBytes;
  if (bytes > 0 && (place + bytes - 1) / kPageBytes != page) {
    pieces_.push_back(std::make_unique<std::byte[]>(bytes));
    file_.read(place, pieces_.back().get(), bytes);
    return pieces_.back().get();
  }
  std::vector<std::byte>& data = pages_[page];
  if (data.empty()) {
    data.resize(std::max<std::uint64_t>(1, std::min(kPageBytes, file_.size() - page * kPageBytes)));
    if (file_.size() > page * kPageBytes) file_.read(page * kPageBytes, data.data(), data.size());
  }
  return data.data() + (place - page * kPageBytes);
}

}  // namespace weft::io
