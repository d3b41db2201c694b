// Opening many files at once, and remembering what they say of themselves.
#include <weft/open_files.hpp>

#include <weft/log.hpp>

#include "io/files/name_beside.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/format.hpp"
#include "io/index/index_file.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

namespace weft::io {
namespace {

namespace fs = std::filesystem;
using index::Description;
using index::Entries;
using index::Entry;
using index::Labels;

const logging::Room room("io");

/// Fewer files are opened as fast as their index.
constexpr std::size_t kWorthRemembering = 16;
/// Opening waits for the disk more than for the processor.
constexpr std::size_t kThreads = 16;
/// Labels beyond this are read from the file.
constexpr std::uint64_t kMostLabelBytes = 1 << 20;
/// An index does not grow beyond this: files that are gone are forgotten when it does.
constexpr std::size_t kMostEntries = 200'000;
/// A file that changed so shortly before it was looked at may change again within the same tick of the clock.
constexpr std::int64_t kSettledNs = 2'000'000'000;

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

/// A file that is known from the index, or was opened and is closed while nobody reads it.
/// Owns: its description.  Threading: constant; any thread.
class RememberedFile final : public StoredFile {
 public:
  RememberedFile(const std::string& path, const Entry& entry) : labels_(entry.labels) {
    path_ = path;
    format_ = entry.description->format;
    variables_ = entry.description->variables;
    groups_ = entry.description->groups;
    remarks_ = entry.description->remarks;
    file_bytes_ = entry.file_bytes;
    changed_ns_ = entry.changed_ns;
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const auto found = labels_.find(static_cast<std::uint32_t>(variable));
    if (found == labels_.end() || !variables_[variable].type.is_number()) {
      return file()->read(variable, start, extent, out, strides);
    }
    const Variable& one = variables_[variable];
    check_box(*this, one, start, extent);
    const std::vector<std::int64_t> from = packed_strides(one.shape, one.type.bytes);
    const std::byte* first = found->second->bytes.data();
    for (std::size_t axis = 0; axis < from.size(); ++axis) first += start[axis] * from[axis];
    copy_box(out, strides.data(), first, from.data(), extent.data(), extent.size(), one.type.bytes);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const auto found = labels_.find(static_cast<std::uint32_t>(variable));
    const bool known = found != labels_.end() && !variables_[variable].type.is_number();
    return known ? found->second->texts : file()->read_text(variable);
  }

  std::uint64_t stored_bytes(std::size_t variable) const override { return file()->stored_bytes(variable); }

 private:
  std::shared_ptr<const StoredFile> file() const {
    std::shared_ptr<const StoredFile> file = open_shared(path_);
    if (file->file_bytes() != file_bytes_ || file->changed_ns() != changed_ns_) {
      fail(path_, "changed after it was opened; open it again");
    }
    return file;
  }

  std::map<std::uint32_t, std::shared_ptr<const Labels>> labels_;
};

bool is_label(const Variable& one) {
  if (one.dimensions.size() != 1 || one.shape.size() != 1 || one.dimensions[0] != one.path) return false;
  return one.type.kind != ElementKind::Other &&
         static_cast<std::uint64_t>(one.shape[0]) <= kMostLabelBytes / std::max<std::uint32_t>(1, one.type.bytes);
}

/// What is worth remembering of a file that is open.
Entry entry_of(const StoredFile& file) {
  Entry entry;
  entry.file_bytes = file.file_bytes();
  entry.changed_ns = file.changed_ns();
  entry.description =
      std::make_shared<Description>(Description{file.format(), file.variables(), file.groups(), file.remarks()});
  for (std::size_t i = 0; i < file.variables().size(); ++i) {
    const Variable& one = file.variables()[i];
    if (!is_label(one)) continue;
    Labels labels;
    if (one.type.is_number()) {
      labels.bytes = file.read_box(i, {0}, one.shape);
    } else {
      labels.texts = file.read_text(i);
      // Where the last axis counts letters there are fewer texts than elements.
      if (std::ssize(labels.texts) != one.elements()) continue;
    }
    entry.labels.emplace(static_cast<std::uint32_t>(i), std::make_shared<Labels>(std::move(labels)));
  }
  return entry;
}

/// The folder of the index, or nothing.
std::string index_folder(const std::string& asked) {
  if (asked == "off") return {};
  if (!asked.empty()) return asked;
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && cache[0] == '/') return std::string(cache) + "/weft";
  const char* const home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? std::string(home) + "/.cache/weft" : std::string();
}

/// The files of one folder of data, and what is remembered of them.
/// Owns: the index while it is in memory.  Threading: one thread.
class FolderIndex {
 public:
  FolderIndex(const std::string& folder, const std::string& where) : folder_(folder) {
    char name[40];
    std::snprintf(name, sizeof name, "files-%016llx.index",
                  static_cast<unsigned long long>(std::hash<std::string>{}(folder)));
    path_ = where + "/" + name;
    try {
      const std::optional<OpenFile> file = open_if_there(path_);
      if (!file) return;
      std::string bytes(file->size(), ' ');
      file->read(0, bytes.data(), bytes.size());
      entries_ = index::decode(path_, bytes, folder_);
    } catch (const std::exception& error) {
      room.warning(error.what(), "; it is made anew");
    }
  }

  /// What is remembered of a file that is still as it was.
  const Entry* find(const std::string& name, const struct stat& info) const {
    const auto found = entries_.find(name);
    const bool same = found != entries_.end() && found->second.file_bytes == static_cast<std::uint64_t>(info.st_size) &&
                      found->second.changed_ns == nanoseconds(info.st_mtim) &&
                      found->second.touched_ns == nanoseconds(info.st_ctim);
    return same ? &found->second : nullptr;
  }

  void remember(const std::string& name, const Entry& entry) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    if (nanoseconds(now) - entry.changed_ns < kSettledNs) return;
    entries_[name] = entry;
    changed_ = true;
  }

  /// Where the folder cannot be written, nothing is remembered.
  void save() {
    if (!changed_) return;
    if (entries_.size() > kMostEntries) {
      std::erase_if(entries_,
                    [&](const auto& one) { return ::access((folder_ + "/" + one.first).c_str(), F_OK) != 0; });
    }
    std::error_code failed;
    fs::create_directories(fs::path(path_).parent_path(), failed);
    const std::string beside = name_beside(path_);
    {
      std::ofstream out(beside, std::ios::binary | std::ios::trunc);
      out << index::encode(folder_, entries_);
      out.close();
      if (!out) failed = std::make_error_code(std::errc::io_error);
    }
    if (!failed) fs::rename(beside, path_, failed);
    if (failed) {
      room.info("'", path_, "': cannot be written: ", failed.message());
      fs::remove(beside, failed);
    }
  }

 private:
  const std::string folder_;
  std::string path_;
  Entries entries_;
  bool changed_ = false;
};

/// Calls f(i) for all i below count in some threads, and throws what the least i threw.
template <class F>
void in_threads(std::size_t count, const F& f) {
  std::vector<std::exception_ptr> failures(count);
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        f(i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 1; i < std::min(count, kThreads); ++i) threads.emplace_back(work);
    work();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace

std::vector<std::shared_ptr<const StoredFile>> open_files(const std::vector<std::string>& paths,
                                                          const OpenFilesOptions& options) {
  std::vector<std::shared_ptr<const StoredFile>> files(paths.size());
  if (paths.size() < kWorthRemembering) {
    in_threads(paths.size(), [&](std::size_t i) { files[i] = open_shared(paths[i]); });
    return files;
  }
  const std::string where = index_folder(options.index);
  std::map<std::string, FolderIndex> indices;
  struct Place {
    FolderIndex* folder = nullptr;
    std::string name;
    const Entry* known = nullptr;
    Entry fresh;
  };
  std::vector<Place> places(paths.size());
  std::map<std::string, FolderIndex*> folders;
  for (std::size_t i = 0; i < paths.size() && !where.empty(); ++i) {
    const std::size_t slash = paths[i].rfind('/');
    const std::string folder = slash == std::string::npos ? "." : paths[i].substr(0, slash + 1);
    const auto [found, fresh] = folders.emplace(folder, nullptr);
    if (fresh) {
      std::error_code ignored;
      const std::string real = fs::weakly_canonical(folder, ignored).string();
      found->second = &indices.try_emplace(real, real, where).first->second;
    }
    places[i].folder = found->second;
    places[i].name = slash == std::string::npos ? paths[i] : paths[i].substr(slash + 1);
  }
  in_threads(paths.size(), [&](std::size_t i) {
    struct stat info {};
    Place& place = places[i];
    const bool plain = ::stat(paths[i].c_str(), &info) == 0 && S_ISREG(info.st_mode);
    if (place.folder != nullptr && plain) place.known = place.folder->find(place.name, info);
    if (place.known == nullptr) {
      const std::shared_ptr<const StoredFile> file = open_shared(paths[i]);
      place.fresh = entry_of(*file);
      place.fresh.touched_ns = nanoseconds(info.st_ctim);
      // What comes from other files changes with them, and the index looks at one.
      if (!plain || others_of(*file) != nullptr) place.folder = nullptr;
    }
    files[i] = std::make_shared<RememberedFile>(paths[i], place.known != nullptr ? *place.known : place.fresh);
  });
  for (const Place& place : places) {
    if (place.known == nullptr && place.folder != nullptr) place.folder->remember(place.name, place.fresh);
  }
  for (auto& [folder, one] : indices) one.save();
  return files;
}

}  // namespace weft::io
