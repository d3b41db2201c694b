// Opening files of any format, and the files that this process has open.
#include "io/codecs/filters.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/format.hpp"

#include <sys/stat.h>
#include <algorithm>
#include <list>
#include <mutex>

namespace weft::io {
namespace {

/// A new format is a line here.
constexpr const Format* kFormats[] = {&kHdf5, &kNetcdfClassic, &kGrib};

/// The files that tasks of this process read, the last used first.
/// Owns: shares of them.  Threading: any thread; state guarded by mutex_.
class OpenFiles {
 public:
  std::shared_ptr<const StoredFile> open(const std::string& path) {
    struct stat info {};
    const bool known = ::stat(described_by(path).c_str(), &info) == 0;
    const std::int64_t changed = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
    {
      const std::scoped_lock lock(mutex_);
      for (auto at = files_.begin(); at != files_.end(); ++at) {
        if ((*at)->path() != path) continue;
        if (!known || (*at)->changed_ns() != changed ||
            (*at)->file_bytes() != static_cast<std::uint64_t>(info.st_size)) {
          files_.erase(at);
          break;
        }
        files_.splice(files_.begin(), files_, at);
        return files_.front();
      }
    }
    // Outside the lock: two threads may open the same file; one of the two stays.
    std::shared_ptr<const StoredFile> file = open_stored(path);
    const std::scoped_lock lock(mutex_);
    for (const auto& other : files_) {
      if (other->path() == path && other->changed_ns() == file->changed_ns()) return other;
    }
    files_.push_front(file);
    if (files_.size() > kMost) files_.pop_back();
    return file;
  }

 private:
  static constexpr std::size_t kMost = 512;
  std::mutex mutex_;
  std::list<std::shared_ptr<const StoredFile>> files_;
};

}  // namespace

std::shared_ptr<const StoredFile> open_stored(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return open_zarr(path);
  std::byte head[4096];
  OpenFile file(path);
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
