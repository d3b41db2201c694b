#include "core/journal/segment.hpp"

#include "core/memory/checksum.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/version.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

namespace weft::journal {
namespace {

constexpr std::uint64_t kFileMagic = 0x314c4e524a544657u;     // "WFTJRNL1"
constexpr std::uint64_t kRecordMagic = 0x44434552'4a544657u;  // "WFTJRECD"
constexpr std::uint64_t kBlock = 64;
constexpr std::uint64_t kFileBytes = std::uint64_t{1} << 30;
/// Bytes at the end of a file that a crash may have left unwritten.
constexpr std::uint64_t kTailBytes = std::uint64_t{16} << 20;
/// Larger results are none: damage.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 46;
constexpr double kFirstRate = 500e6;
constexpr std::string_view kSuffix = ".segment";

struct FileHead {
  std::uint64_t magic = kFileMagic;
  ProgramId program;
  std::int64_t begun_s = 0;
  std::uint64_t unused[2] = {0, 0};
  std::uint64_t checksum = 0;
};
struct RecordHead {
  std::uint64_t magic = kRecordMagic;
  Key key;
  std::uint64_t bytes = 0;
  std::uint64_t bytes_checksum = 0;
  std::uint32_t form = 0;
  std::uint32_t unused[3] = {0, 0, 0};
  std::uint64_t checksum = 0;
};
static_assert(sizeof(FileHead) == kBlock && sizeof(RecordHead) == kBlock);

template <class Head>
std::uint64_t checksum_of(const Head& head) {
  return Checksum::of(&head, sizeof head - sizeof head.checksum);
}

std::uint64_t rounded(std::uint64_t bytes) { return (bytes + kBlock - 1) / kBlock * kBlock; }

/// Owns: a file that is read.  Threading: one thread.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    struct stat status {};
    if (file_ < 0 || ::fstat(file_, &status) != 0) {
      const int error = errno;
      if (file_ >= 0) ::close(file_);
      throw Error("the journal's file '" + path + "' cannot be read: " + std::strerror(error));
    }
    size_ = static_cast<std::uint64_t>(status.st_size);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() { ::close(file_); }

  std::uint64_t size() const { return size_; }

  /// Returns how many bytes there were.
  std::uint64_t read(void* to, std::uint64_t count, std::uint64_t offset) const {
    std::uint64_t done = 0;
    while (done < count) {
      const ssize_t got =
          ::pread(file_, static_cast<char*>(to) + done, count - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) throw Error("the journal's file '" + path_ + "' cannot be read: " + std::strerror(errno));
      if (got == 0) break;
      done += static_cast<std::uint64_t>(got);
    }
    return done;
  }

  bool holds(const RecordPlace& place) const {
    std::vector<std::byte> part(std::min<std::uint64_t>(place.bytes, 1 << 20));
    Checksum checksum;
    for (std::uint64_t at = 0; at < place.bytes;) {
      const std::uint64_t got =
          read(part.data(), std::min<std::uint64_t>(part.size(), place.bytes - at), place.offset + at);
      if (got == 0) return false;
      checksum.add(part.data(), got);
      at += got;
    }
    return checksum.value() == place.checksum;
  }

 private:
  const std::string path_;
  const int file_;
  std::uint64_t size_ = 0;
};

/// Gives the heads of a file, many of which are read at once.
class Heads {
 public:
  explicit Heads(const OpenFile& file) : file_(file), window_(1 << 16) {}

  bool read(std::uint64_t offset, RecordHead& head) {
    if (offset < begin_ || offset + kBlock > begin_ + filled_) {
      begin_ = offset;
      filled_ = file_.read(window_.data(), window_.size(), offset);
      if (filled_ < kBlock) return false;
    }
    std::memcpy(&head, window_.data() + (offset - begin_), kBlock);
    return true;
  }

 private:
  const OpenFile& file_;
  std::vector<std::byte> window_;
  std::uint64_t begin_ = 0;
  std::uint64_t filled_ = 0;
};

bool is_good(const RecordHead& head) {
  return head.magic == kRecordMagic && head.checksum == checksum_of(head) && head.bytes < kMostBytes &&
         head.form >= static_cast<std::uint32_t>(Form::Encoded) && head.form <= static_cast<std::uint32_t>(Form::Calls);
}

std::string host_name() {
  char name[256] = "";
  ::gethostname(name, sizeof name - 1);
  return name;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

ProgramId ProgramId::own() { return {image_digest(), registry_digest(), detail::digest_of(WEFT_VERSION_STRING)}; }

std::vector<std::string> segment_files(const std::string& folder) {
  std::vector<std::string> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == kSuffix) files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

SegmentContents read_segment(const std::string& path, bool check_end) {
  const OpenFile file(path);
  SegmentContents contents;
  contents.file_bytes = file.size();
  FileHead first;
  if (file.read(&first, sizeof first, 0) != sizeof first || first.magic != kFileMagic ||
      first.checksum != checksum_of(first)) {
    contents.damaged = 1;
    return contents;
  }
  contents.program = first.program;
  contents.begun_s = first.begun_s;
  Heads heads(file);
  bool lost = false;
  for (std::uint64_t at = kBlock; at < file.size();) {
    RecordHead head;
    if (!heads.read(at, head) || !is_good(head)) {
      contents.damaged += lost ? 0 : 1;
      lost = true;
      at += kBlock;
      continue;
    }
    lost = false;
    const RecordPlace place{at + kBlock, head.bytes, head.bytes_checksum, static_cast<Form>(head.form)};
    const std::uint64_t end = place.offset + place.bytes;
    const bool cut = end > file.size() || (check_end && end + kTailBytes > file.size() && !file.holds(place));
    if (cut) {
      ++contents.damaged;
    } else {
      contents.records.push_back({head.key, place});
    }
    // The length may be as wrong as the bytes: other records may lie among them.
    at = cut ? at + kBlock : place.offset + rounded(place.bytes);
    lost = cut;
  }
  return contents;
}

bool holds_record(const std::string& path, const RecordPlace& place) { return OpenFile(path).holds(place); }

bool read_record(const std::string& path, const RecordPlace& place, std::byte* to) {
  const OpenFile file(path);
  return file.read(to, place.bytes, place.offset) == place.bytes && Checksum::of(to, place.bytes) == place.checksum;
}

SegmentWriter::SegmentWriter(std::string folder) : folder_(std::move(folder)) {}

SegmentWriter::~SegmentWriter() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (syncer_.joinable()) syncer_.join();
  for (const int file : files_) ::close(file);
}

void SegmentWriter::fail(int error_number) const {
  throw Error("the journal '" + folder_ + "' cannot be written: " + std::strerror(error_number) +
              (error_number == ENOENT ? " (this process does not see the folder: all nodes must)" : ""));
}

/// Begins a file whose name no other process takes, on this host or another. Under the lock.
void SegmentWriter::open_next() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
  const std::string path =
      fmt::format("{}/{:016x}-{}-{}{}", folder_, static_cast<std::uint64_t>(ns), host_name(), ::getpid(), kSuffix);
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) fail(errno);
  FileHead head;
  head.program = ProgramId::own();
  head.begun_s = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  head.checksum = checksum_of(head);
  const ssize_t put = ::pwrite(file, &head, sizeof head, 0);
  if (put != static_cast<ssize_t>(sizeof head)) {
    const int error = put < 0 ? errno : ENOSPC;
    ::close(file);
    ::unlink(path.c_str());
    fail(error);
  }
  files_.push_back(file);
  end_ = kBlock;
  if (!syncer_.joinable()) syncer_ = std::thread([this] { sync_now_and_then(); });
}

SegmentWriter::Place SegmentWriter::reserve(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (files_.empty() || end_ >= kFileBytes) open_next();
  const Place place{files_.back(), end_};
  end_ += kBlock + rounded(bytes);
  return place;
}

void SegmentWriter::add(const Key& key, Form form, std::span<const std::byte> bytes) {
  const auto begin = std::chrono::steady_clock::now();
  RecordHead head;
  head.key = key;
  head.form = static_cast<std::uint32_t>(form);
  head.bytes = bytes.size();
  head.bytes_checksum = Checksum::of(bytes.data(), bytes.size());
  head.checksum = checksum_of(head);
  const Place place = reserve(bytes.size());
  const std::uint64_t total = sizeof head + bytes.size();
  // Linux moves no more than 2 GiB at once.
  constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 30;
  for (std::uint64_t done = 0; done < total;) {
    std::array<iovec, 2> parts{};
    int count = 0;
    if (done < sizeof head) parts[count++] = {reinterpret_cast<char*>(&head) + done, sizeof head - done};
    const std::uint64_t from = done < sizeof head ? 0 : done - sizeof head;
    if (from < bytes.size()) {
      parts[count++] = {const_cast<std::byte*>(bytes.data()) + from, std::min(bytes.size() - from, kMostAtOnce)};
    }
    const ssize_t put = ::pwritev(place.file, parts.data(), count, static_cast<off_t>(place.offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) fail(put < 0 ? errno : ENOSPC);
    done += static_cast<std::uint64_t>(put);
  }
  const double seconds = seconds_since(begin);
  const std::lock_guard lock(mutex_);
  // What was long ago says little.
  constexpr double kForget = 0.9;
  written_bytes_ = written_bytes_ * kForget + static_cast<double>(total);
  written_seconds_ = written_seconds_ * kForget + seconds;
  if (!unsynced_) {
    unsynced_ = true;
    changed_.notify_all();
  }
}

void SegmentWriter::sync() {
  std::vector<int> files;
  {
    const std::lock_guard lock(mutex_);
    files = files_;
    unsynced_ = false;
  }
  // Earlier files were taken before they were closed for writing.
  if (!files.empty()) ::fdatasync(files.back());
  if (files.size() > 1) ::fdatasync(files[files.size() - 2]);
}

void SegmentWriter::sync_now_and_then() {
  constexpr auto kPause = std::chrono::seconds(1);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || unsynced_; });
    if (!ends_) changed_.wait_for(lock, kPause, [this] { return ends_; });
    if (unsynced_) {
      lock.unlock();
      sync();
      lock.lock();
    }
    if (ends_) return;
  }
}

double SegmentWriter::rate() const {
  const std::lock_guard lock(mutex_);
  // A few small records tell what a call costs, not what the disk takes.
  constexpr double kEnough = 1 << 20;
  if (written_bytes_ < kEnough || written_seconds_ <= 0) return kFirstRate;
  return written_bytes_ / written_seconds_;
}

}  // namespace weft::journal
