#include "core/memory/spill_directory.hpp"

#include "core/memory/bytes_text.hpp"

#include <weft/error.hpp>

#include <sys/stat.h>
#include <sys/vfs.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

namespace weft {

namespace {

constexpr const char* kElsewhere = "name another folder with --weft-spill-dir";

std::vector<std::string> candidates(const HostView& host) {
  std::vector<std::string> result;
  for (const char* name : {"SLURM_TMPDIR", "TMPDIR"}) {
    if (std::string path = host.variable(name); !path.empty()) result.push_back(std::move(path));
  }
  result.push_back(host.root + "/tmp");
  result.push_back(host.root + "/var/tmp");
  return result;
}

}  // namespace

FileSystemKind file_system_kind(unsigned long type) {
  struct Row {
    unsigned long type;
    const char* name;
    bool shared;
    bool memory;
  };
  // From the kernel's magic.h and the file systems' own sources.
  static constexpr std::array<Row, 21> kRows{{
      {0xef53, "ext4", false, false},        {0x58465342, "xfs", false, false},
      {0x9123683e, "btrfs", false, false},   {0x2fc12fc1, "zfs", false, false},
      {0xf2f52010, "f2fs", false, false},    {0xca451a4e, "bcachefs", false, false},
      {0x794c7630, "overlay", false, false}, {0x01021994, "tmpfs", false, true},
      {0x858458f6, "ramfs", false, true},    {0x6969, "nfs", true, false},
      {0x0bd00bd0, "lustre", true, false},   {0x47504653, "gpfs", true, false},
      {0x19830326, "beegfs", true, false},   {0x00c36400, "ceph", true, false},
      {0xff534d42, "cifs", true, false},     {0xfe534d42, "smb", true, false},
      {0x20030528, "orangefs", true, false}, {0x5346414f, "afs", true, false},
      {0x01161970, "gfs2", true, false},     {0x7461636f, "ocfs2", true, false},
      {0x01021997, "9p", true, false},
  }};
  for (const Row& row : kRows) {
    if (row.type == (type & 0xffffffffu)) return {row.name, row.shared, row.memory};
  }
  // Panasas, WekaFS, DVS and most clients in user space come as fuse: taken for shared, for caution.
  if (type == 0x65735546) return {"fuse", true, false};
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "0x%lx", type);
  return {text.data(), false, false};
}

std::string spill_problem(const std::string& directory, int error_number) {
  const std::string place = "the spill directory '" + directory + "' ";
  switch (error_number) {
    case ENOENT:
      return place + "does not exist; create it, or " + kElsewhere;
    case ENOTDIR:
      return place + "is not a directory; " + kElsewhere;
    case EROFS:
      return place + "is on a read-only file system; " + kElsewhere;
    case EACCES:
    case EPERM:
      return place + "may not be written by this user; change its permissions, or " + kElsewhere;
    case ENOSPC:
      return place + "is full; free space there, " + kElsewhere + ", or give more memory with --weft-memory";
    case EDQUOT:
      return place + "is over this user's quota; free space there, or " + kElsewhere;
    case EFBIG:
      return place + "takes no file of the needed size; raise the limit (ulimit -f), or " + kElsewhere;
    case EMFILE:
    case ENFILE:
      return place + "cannot be used because too many files are open; raise the limit (ulimit -n)";
    case EIO:
      return place + "is on a disk that reports input/output errors; " + kElsewhere;
    default:
      return place + "failed: " + std::strerror(error_number) + "; " + kElsewhere;
  }
}

SpillDirectory check_spill_directory(const std::string& path, bool memory_too, Disk& disk) {
  struct stat state {};
  if (::stat(path.c_str(), &state) != 0) throw MemoryError(spill_problem(path, errno));
  if (!S_ISDIR(state.st_mode)) throw MemoryError(spill_problem(path, ENOTDIR));
  SpillDirectory directory;
  directory.path = path;
  struct statfs system {};
  if (::statfs(path.c_str(), &system) == 0) {
    directory.kind = file_system_kind(static_cast<unsigned long>(system.f_type));
  }
  if (directory.kind.memory && !memory_too) {
    throw MemoryError("the spill directory '" + path + "' is in memory (" + directory.kind.name +
                      "), so that spilling there frees none; " + kElsewhere);
  }
  const int file = disk.open_nameless(path.c_str(), false);
  // The folder is there: what does not exist are files in it, as in /proc.
  if (file == -1 && errno == ENOENT) {
    throw MemoryError("the spill directory '" + path + "' takes no files; " + kElsewhere);
  }
  if (file == -1) throw MemoryError(spill_problem(path, errno));
  disk.close(file);
  directory.free_bytes = disk.free_bytes(path.c_str());
  if (directory.kind.shared) {
    directory.note = "the spill directory '" + path + "' is on a shared file system (" + directory.kind.name +
                     "): slow, and a load on everybody; name a folder on a disk of the node with --weft-spill-dir";
  }
  return directory;
}

SpillDirectory choose_spill_directory(const std::string& wanted, bool memory_too, const HostView& host, Disk& disk) {
  if (!wanted.empty()) return check_spill_directory(wanted, memory_too, disk);
  SpillDirectory shared;
  std::string problems;
  for (const std::string& path : candidates(host)) {
    try {
      SpillDirectory directory = check_spill_directory(path, memory_too, disk);
      if (!directory.kind.shared) return directory;
      if (!shared.usable()) shared = std::move(directory);
    } catch (const MemoryError& error) {
      problems += (problems.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (!shared.usable()) shared.note = "there is no folder to spill to: " + problems;
  return shared;
}

double measure_write_rate(const std::string& path, std::int64_t longest_ns, Disk& disk) {
  constexpr std::size_t kPiece = std::size_t{4} << 20;
  constexpr std::size_t kMost = 8 * kPiece;
  int file = disk.open_nameless(path.c_str(), true);
  const bool direct = file != -1;
  if (!direct) file = disk.open_nameless(path.c_str(), false);
  if (file == -1) return 0;
  const std::unique_ptr<void, void (*)(void*)> piece(std::aligned_alloc(4096, kPiece), &std::free);
  if (piece != nullptr) std::memset(piece.get(), 0x5a, kPiece);
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  std::chrono::nanoseconds taken(0);
  std::size_t written = 0;
  while (piece != nullptr && written < kMost && taken.count() < longest_ns) {
    const iovec bytes{piece.get(), kPiece};
    const ssize_t count = disk.write(file, &bytes, 1, static_cast<off_t>(written));
    if (count <= 0) break;
    if (!direct) disk.drop_cache(file, static_cast<off_t>(written), count);
    written += static_cast<std::size_t>(count);
    taken = Clock::now() - begin;
    if (static_cast<std::size_t>(count) < kPiece) break;
  }
  disk.close(file);
  return taken.count() > 0 ? 1e9 * static_cast<double>(written) / static_cast<double>(taken.count()) : 0;
}

std::string spill_directory_text(const SpillDirectory& directory, bool measured, Disk& disk) {
  std::string text = directory.kind.name + ", " + bytes_text(directory.free_bytes) + " free";
  if (!measured) return text;
  const double rate = measure_write_rate(directory.path, 20'000'000, disk);
  return rate > 0 ? fmt::format("{}, writes {:.0f} MB/s", text, rate / 1e6) : text + ", takes no data";
}

}  // namespace weft
