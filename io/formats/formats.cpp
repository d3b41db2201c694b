// Opening files of any format, and the files that this process has open.
#include "io/codecs/filters.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/format.hpp"
#include "io/remote/objects.hpp"

#include <weft/remote.hpp>

#include <sys/resource.h>
#include <sys/stat.h>
#include <algorithm>
#include <chrono>
#include <list>
#include <mutex>
#include <unordered_map>

namespace weft::io {
namespace {

/// A new format is a line here.
constexpr const Format* kFormats[] = {&kHdf5, &kNetcdfClassic, &kGrib, &kNpy, &kNpz, &kTiff, &kPng, &kFits, &kJpeg};

/// How many files may stay open: most of what the system allows this process. Its limit is raised as far as it goes
/// without being asked, since thousands of files that are opened again for each variable cost more than their data.
std::size_t most_open() {
  constexpr rlim_t kEnough = 20'000, kOthers = 512, kFew = 256;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return kFew;
  if (limit.rlim_cur < kEnough && limit.rlim_cur < limit.rlim_max) {
    rlimit more = limit;
    more.rlim_cur = std::min(kEnough, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &more) == 0) limit = more;
  }
  const rlim_t allowed = std::min(limit.rlim_cur, kEnough);
  return static_cast<std::size_t>(allowed > 2 * kOthers ? allowed - kOthers : std::min(kFew, allowed / 2));
}

/// What tells two states of a file apart. A file that is put in another's place within the same tick of the system's
/// clock has another number, if nothing else.
struct FileState {
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;
  std::uint64_t number = 0;
};
/// Nothing where it is gone.
std::optional<FileState> state_of(const std::string& path) {
  if (is_remote(path)) {
    const std::optional<remote::Beginning> found = remote::read_beginning(described_by(path), 1);
    if (!found) return {};
    return FileState{found->object_bytes, found->changed_ns, 0};
  }
  struct stat info {};
  if (::stat(described_by(path).c_str(), &info) != 0) return {};
  return FileState{static_cast<std::uint64_t>(info.st_size),
                   info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec, info.st_ino};
}

/// The files that tasks of this process read, the last used first.
/// Owns: shares of them.  Threading: any thread; state guarded by mutex_.
class OpenFiles {
 public:
  std::shared_ptr<const StoredFile> open(const std::string& path) {
    if (const std::shared_ptr<const StoredFile> file = trusted(path)) return file;
    const auto state = state_of(path);
    {
      const std::scoped_lock lock(mutex_);
      const auto found = by_path_.find(path);
      if (found != by_path_.end()) {
        if (state && state->number == found->second->number && is_as_it_was(*found->second, *state)) {
          files_.splice(files_.begin(), files_, found->second);
          return files_.front().file;
        }
        files_.erase(found->second);
        by_path_.erase(found);
      }
    }
    // Outside the lock: two threads may open the same file; one of the two stays.
    std::shared_ptr<const StoredFile> file = open_stored(path);
    const std::scoped_lock lock(mutex_);
    const auto [found, fresh] = by_path_.emplace(path, files_.end());
    if (!fresh) {
      // The other thread's, unless the file was written anew in between.
      if (found->second->file->changed_ns() == file->changed_ns()) return found->second->file;
      files_.erase(found->second);
    }
    files_.push_front({path, file, Clock::now(), state ? state->number : 0});
    found->second = files_.begin();
    if (files_.size() == kFewOpen) most_ = std::max(kFewOpen, most_open());
    if (files_.size() > most_) {
      by_path_.erase(files_.back().path);
      files_.pop_back();
    }
    return file;
  }

 private:
  using Clock = std::chrono::steady_clock;
  /// Each task asking a server whether a file is as it was would cost as much as its data.
  static constexpr std::chrono::seconds kTrusted{10};

  /// A file of a server that was looked at a moment ago, or nothing. What changed meanwhile is found when it is read.
  std::shared_ptr<const StoredFile> trusted(const std::string& path) {
    if (!is_remote(path)) return nullptr;
    const std::scoped_lock lock(mutex_);
    const auto found = by_path_.find(path);
    const bool fresh = found != by_path_.end() && Clock::now() - found->second->looked < kTrusted;
    return fresh ? found->second->file : nullptr;
  }

  /// Until so many are open, the system is not asked for more.
  static constexpr std::size_t kFewOpen = 256;
  std::mutex mutex_;
  std::size_t most_ = kFewOpen;
  struct Open {
    std::string path;  // as it was asked for, which the file's own may differ from
    std::shared_ptr<const StoredFile> file;
    Clock::time_point looked;  // when it was last known to be as it is here
    std::uint64_t number;      // as the system had it before it was opened
  };
  /// Looks at the file and at the others it names; where these are many, at most once a second, as each is looked at
  /// when it is read.
  static bool is_as_it_was(Open& open, const FileState& state) {
    const StoredFile& file = *open.file;
    const HasOthers* const others = others_of(file);
    const auto now = Clock::now();
    if (others != nullptr) {
      const HasOthers::OwnState own = others->own_state();
      if (state.bytes != own.bytes || state.changed_ns != own.changed_ns) return false;
      if (others->others() > 100 && now - open.looked < std::chrono::seconds(1)) return true;
      if (others->others_changed()) return false;
    } else if (state.bytes != file.file_bytes() || state.changed_ns != file.changed_ns()) {
      return false;
    }
    open.looked = now;
    return true;
  }

  std::list<Open> files_;
  std::unordered_map<std::string, std::list<Open>::iterator> by_path_;
};

}  // namespace

namespace {

std::shared_ptr<const StoredFile> open_as_file(OpenFile file) {
  const std::string path = file.path();
  std::byte head[4096];
  if (file.size() == 0) fail(path, "is empty");
  file.keep_pages();
  const std::size_t bytes = std::min<std::size_t>(sizeof head, file.size());
  file.read(0, head, bytes);
  for (const Format* format : kFormats) {
    if (!format->probe({head, bytes})) continue;
    return format->take != nullptr ? format->take(std::move(file)) : format->open(path);
  }
  std::string names;
  for (const std::string& name : known_formats()) names += (names.empty() ? "" : ", ") + name;
  fail(path, "is of no format that weft knows (" + names + ")");
}

}  // namespace

std::shared_ptr<const StoredFile> open_stored(const std::string& path) {
  if (is_remote(path)) {
    if (is_remote_store(path)) return open_zarr(path);
    return open_as_file(OpenFile(path));
  }
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return open_zarr(path);
  return open_as_file(OpenFile(path));
}

const HasOthers* others_of(const StoredFile& file) {
  const auto* const linked = dynamic_cast<const HasOthers*>(&file);
  return linked != nullptr && linked->others() > 0 ? linked : nullptr;
}

std::shared_ptr<const StoredFile> open_shared(const std::string& path) {
  // Never destroyed: tasks may still run while the process ends.
  static OpenFiles& files = *new OpenFiles;
  return files.open(path);
}

std::vector<std::string> known_formats() {
  std::vector<std::string> names;
  for (const Format* format : kFormats) names.emplace_back(format->name);
  names.emplace_back("Zarr 2 and 3 (folders)");
  return names;
}

}  // namespace weft::io
