#pragma once

#include "core/journal/key.hpp"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace weft::journal {

/// What a record of a journal is.
enum class Form : std::uint32_t {
  Encoded = 1,  ///< A result as its encoding.
  Block,        ///< A result that is one block of bytes.
  Effect,       ///< A function's tasks do more than give results: its key; no bytes.
  Dropped,      ///< The result under this key is not to be used any more; no bytes.
  Calls,        ///< Tasks of a function, its key, submit those of another: its key is the bytes.
};

/// Tells builds of programs apart: what one of them has written says nothing to another.
struct ProgramId {
  std::uint64_t image = 0;
  std::uint64_t task_types = 0;
  std::uint64_t version = 0;
  auto operator<=>(const ProgramId&) const = default;
  static ProgramId own();
};

/// Where the bytes of a record lie.
struct RecordPlace {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::uint64_t checksum = 0;
  Form form = Form::Encoded;
};

/// What stands in a segment file, as far as it can be read.
struct SegmentContents {
  struct Record {
    Key key;
    RecordPlace place;
  };
  ProgramId program;
  std::int64_t begun_s = 0;
  std::uint64_t file_bytes = 0;
  std::vector<Record> records;
  /// Runs of bytes that are no record, and records whose bytes are not what they were.
  std::uint64_t damaged = 0;
};

/// Returns the segment files of a folder, in the order of their names; none where it cannot be read.
std::vector<std::string> segment_files(const std::string& folder);
/// Reads which records a file holds; a file that is no segment is one damage. The bytes of records are checked where
/// a crash may have cut them off, at the file's end, unless told otherwise. Throws Error where the file cannot be read.
SegmentContents read_segment(const std::string& path, bool check_end = true);
/// Returns whether a record's bytes are what was written. Throws Error where the file cannot be read.
bool holds_record(const std::string& path, const RecordPlace& place);
/// Reads a record's bytes to `to`, which has room for them. Returns whether they are what was written.
bool read_record(const std::string& path, const RecordPlace& place, std::byte* to);

/// Appends records to files of its own in a journal's folder: nobody else writes to them, and one file is 1 GiB or a
/// single record more.
///
/// A record begins at a multiple of 64 bytes: a head with the key, the length and checksums of itself and of the bytes
/// behind it. A process that is killed leaves at most heads without their bytes; readers look for the next head.
/// Owns: the open files, and a thread that has the disk take what was written, each second. Threading: any thread;
/// mutex_ is not held while bytes move.
class SegmentWriter {
 public:
  explicit SegmentWriter(std::string folder);
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  /// Writes a record. Throws Error, with a sentence, where the disk is full or fails.
  void add(const Key& key, Form form, std::span<const std::byte> bytes);
  /// Returns when the disk has all that was written.
  void sync();
  /// Returns the bytes a second that the disk took so far.
  double rate() const;

 private:
  struct Place {
    int file = -1;
    std::uint64_t offset = 0;
  };
  Place reserve(std::uint64_t bytes);
  void open_next();
  void sync_now_and_then();
  [[noreturn]] void fail(int error_number) const;

  const std::string folder_;
  // Guarded by mutex_.
  mutable std::mutex mutex_;
  std::vector<int> files_;
  std::uint64_t end_ = 0;
  double written_bytes_ = 0;
  double written_seconds_ = 0;
  bool unsynced_ = false;
  bool ends_ = false;
  std::condition_variable changed_;
  std::thread syncer_;
};

}  // namespace weft::journal
