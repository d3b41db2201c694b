#pragma once

#include "core/memory/disk.hpp"
#include "core/memory/limits.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

namespace weft {

/// What stands under a folder.
struct FileSystemKind {
  /// "ext4", "tmpfs", "nfs", ...; a hexadecimal number where the type is not known.
  std::string name;
  /// Many nodes write to it; a spill there loads everybody's server.
  bool shared = false;
  /// Its files are memory, so that spilling to it frees none.
  bool memory = false;
};

/// Returns the kind for the `f_type` of statfs.
FileSystemKind file_system_kind(unsigned long type);

/// The folder that spill files go to.
struct SpillDirectory {
  /// Empty where there is no place to spill; `note` then says why.
  std::string path;
  FileSystemKind kind;
  std::size_t free_bytes = 0;
  /// What the user should know, or "".
  std::string note;

  bool usable() const { return !path.empty(); }
};

/// Creates and removes a nameless file in `path`, and returns what is known of it; throws MemoryError with a sentence
/// for an absent, read-only or forbidden folder, and for memory-backed ones unless `memory_too`.
SpillDirectory check_spill_directory(const std::string& path, bool memory_too, Disk& disk = Disk::system());

/// Returns the wanted folder (throws where it cannot be used), or, where none is wanted, the first usable one of
/// $SLURM_TMPDIR, $TMPDIR, /tmp and /var/tmp that is on a disk of this node, else one that is shared, else none.
SpillDirectory choose_spill_directory(const std::string& wanted, bool memory_too = false, const HostView& host = {},
                                      Disk& disk = Disk::system());

/// Returns the bytes a second at which a file in the folder takes what is written, past the system's cache where that
/// is possible; 0 where it takes nothing. Writes for `longest_ns` or 32 MiB, and leaves nothing behind.
double measure_write_rate(const std::string& path, std::int64_t longest_ns = 20'000'000, Disk& disk = Disk::system());
/// Returns "ext4, 30 GiB free, writes 850 MB/s": what is known of a usable folder, its rate measured if wanted.
std::string spill_directory_text(const SpillDirectory& directory, bool measured, Disk& disk = Disk::system());

/// Returns the sentence for a failed call in the folder: what happened, where, what to do.
std::string spill_problem(const std::string& directory, int error_number);

}  // namespace weft
