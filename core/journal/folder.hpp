#pragma once

#include "core/journal/segment.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace weft::journal {

/// Holds a journal's folder for one program at a time.
/// Owns: the lock, which ends with the process however that ends.  Threading: one thread.
class FolderLock {
 public:
  /// Makes the folder where there is none (0700). Throws ConfigError where it cannot be made or is another's, naming
  /// who has it.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// Returns what the user should know: that the folder can only be read, or not be locked; or "".
  const std::string& note() const { return note_; }
  /// Returns whether new files may be made in it.
  bool writable() const { return writable_; }

 private:
  int file_ = -1;
  bool writable_ = true;
  std::string note_;
};

/// What a journal holds for this program: where each result lies.
/// Owns: its index, 64 bytes a result.  Threading: constant after construction.
class Contents {
 public:
  struct Found {
    const std::string* file = nullptr;
    RecordPlace place;
  };

  Contents() = default;
  /// Reads the folder's files. What cannot be read is counted as damaged.
  explicit Contents(const std::string& folder);

  /// Returns where the result of a call lies; no file: it is not there.
  Found find(const Key& key) const;
  /// Returns whether tasks of a function are known to do more than give results.
  bool has_effect(const Key& function) const { return effects_.contains(function); }

  bool any_effects() const { return !effects_.empty(); }

  std::uint64_t held() const { return records_.size(); }
  std::uint64_t held_bytes() const { return held_bytes_; }
  std::uint64_t foreign() const { return foreign_; }
  std::uint64_t damaged() const { return damaged_; }
  const std::vector<std::string>& files() const { return files_; }

 private:
  struct Entry {
    std::uint32_t file = 0;
    RecordPlace place;
  };
  std::vector<std::string> files_;
  std::unordered_map<Key, Entry, KeyHash> records_;
  std::unordered_set<Key, KeyHash> effects_;
  std::uint64_t held_bytes_ = 0;
  std::uint64_t foreign_ = 0;
  std::uint64_t damaged_ = 0;
};

/// One file of a journal, for people.
struct SegmentLine {
  std::string path;
  std::int64_t begun_s = 0;
  ProgramId program;
  std::uint64_t file_bytes = 0;
  std::uint64_t results = 0;
  std::uint64_t damaged = 0;
};

/// Returns what lies in a journal's folder. Throws Error where the folder cannot be read.
std::vector<SegmentLine> list_folder(const std::string& folder);
/// Removes the files that nobody has written to for so many seconds; returns how many bytes they had. Throws
/// ConfigError where a program uses the journal, and Error where a file cannot be removed.
std::uint64_t clean_folder(const std::string& folder, double unused_for_s);

}  // namespace weft::journal
