#include "core/journal/folder.hpp"

#include <weft/error.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include <fmt/format.h>

namespace weft::journal {
namespace {

std::string text_of(int file) {
  char text[512] = "";
  const ssize_t got = ::pread(file, text, sizeof text - 1, 0);
  std::string words(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!words.empty() && words.back() == '\n') words.pop_back();
  return words;
}

void sign(int file) {
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  const std::string words = fmt::format("process {} on {}\n", ::getpid(), host);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, words.data(), words.size(), 0) < 0) {
    // Only the sentence for another program is poorer without it.
  }
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

}  // namespace

FolderLock::FolderLock(const std::string& folder) {
  std::error_code error;
  const std::filesystem::path above = std::filesystem::path(folder).parent_path();
  if (!above.empty()) std::filesystem::create_directories(above, error);
  if (::mkdir(folder.c_str(), 0700) != 0 && !is_folder(folder)) {
    throw ConfigError("--weft-journal: the folder '" + folder + "' cannot be made: " + std::strerror(errno));
  }
  const std::string path = folder + "/lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file_ < 0) {
    const int reason = errno;
    if (::access(folder.c_str(), R_OK | X_OK) != 0) {
      throw ConfigError("--weft-journal: the folder '" + folder + "' cannot be read: " + std::strerror(errno));
    }
    writable_ = false;
    note_ = fmt::format("the journal '{}' cannot be written ({}): results are taken from it, none are added", folder,
                        std::strerror(reason));
    return;
  }
  if (::flock(file_, LOCK_EX | LOCK_NB) == 0) {
    sign(file_);
    return;
  }
  if (errno == EWOULDBLOCK) {
    const std::string who = text_of(file_);
    ::close(file_);
    file_ = -1;
    throw ConfigError("--weft-journal: the journal '" + folder + "' is in use by " +
                      (who.empty() ? "another program" : who) + ": wait for it, or name another folder");
  }
  note_ = fmt::format("the journal '{}' cannot be locked ({}): make sure that no other program uses it", folder,
                      std::strerror(errno));
}

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

Contents::Contents(const std::string& folder) : files_(segment_files(folder)) {
  const ProgramId own = ProgramId::own();
  std::vector<std::pair<Key, Key>> calls;
  for (std::uint32_t index = 0; index < files_.size(); ++index) {
    SegmentContents segment;
    try {
      segment = read_segment(files_[index]);
    } catch (const Error&) {
      ++damaged_;
      continue;
    }
    damaged_ += segment.damaged;
    if (segment.program != own) {
      foreign_ += segment.records.size();
      continue;
    }
    for (const SegmentContents::Record& record : segment.records) {
      if (record.place.form == Form::Effect) {
        effects_.insert(record.key);
      } else if (record.place.form == Form::Dropped) {
        records_.erase(record.key);
      } else if (record.place.form == Form::Calls) {
        Key called;
        const bool read = record.place.bytes == sizeof called &&
                          read_record(files_[index], record.place, reinterpret_cast<std::byte*>(&called));
        read ? static_cast<void>(calls.emplace_back(record.key, called))
             : static_cast<void>(effects_.insert(record.key));
      } else {
        records_.insert_or_assign(record.key, Entry{index, record.place});
      }
    }
  }
  // Who submits what has an effect has it too, and who submits that.
  for (bool more = true; more;) {
    more = false;
    for (const auto& [caller, called] : calls) more = (has_effect(called) && effects_.insert(caller).second) || more;
  }
  for (const auto& [key, entry] : records_) held_bytes_ += entry.place.bytes;
}

Contents::Found Contents::find(const Key& key) const {
  const auto found = records_.find(key);
  if (found == records_.end()) return {};
  return {&files_[found->second.file], found->second.place};
}

std::vector<SegmentLine> list_folder(const std::string& folder) {
  if (!is_folder(folder)) throw Error("there is no journal '" + folder + "': it is no folder");
  if (::access(folder.c_str(), R_OK | X_OK) != 0) {
    throw Error("the journal '" + folder + "' cannot be read: " + std::strerror(errno));
  }
  std::vector<SegmentLine> lines;
  for (const std::string& path : segment_files(folder)) {
    const SegmentContents contents = read_segment(path);
    lines.push_back(
        {path, contents.begun_s, contents.program, contents.file_bytes, contents.records.size(), contents.damaged});
  }
  return lines;
}

std::uint64_t clean_folder(const std::string& folder, double unused_for_s) {
  if (!is_folder(folder)) throw Error("there is no journal '" + folder + "': it is no folder");
  const FolderLock lock(folder);
  std::uint64_t bytes = 0;
  for (const std::string& path : segment_files(folder)) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    if (std::difftime(std::time(nullptr), status.st_mtime) < unused_for_s) continue;
    if (::unlink(path.c_str()) != 0) throw Error("'" + path + "' cannot be removed: " + std::strerror(errno));
    bytes += static_cast<std::uint64_t>(status.st_size);
  }
  return bytes;
}

}  // namespace weft::journal
