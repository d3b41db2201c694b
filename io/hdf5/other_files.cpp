// Finding the files that an HDF5 file names.
#include "io/hdf5/other_files.hpp"

#include <weft/remote.hpp>

#include <sys/stat.h>
#include <cstdlib>
#include <filesystem>

namespace weft::io::hdf5 {
namespace {

/// Nothing where it is not there, or is no regular file: opening a pipe would wait for ever.
std::optional<OtherFile> at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
  return OtherFile{path, static_cast<std::uint64_t>(info.st_size),
                   info.st_mtim.tv_sec * std::int64_t{1'000'000'000} + info.st_mtim.tv_nsec};
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

}  // namespace

OtherFile look_up(const std::string& from, const std::string& name, const char* prefixes) {
  const std::string beside = folder_of(from);
  OtherFile nowhere;
  nowhere.path = !name.empty() && name[0] == '/' ? name : beside + name;
  if (name.empty() || name.find('\0') != std::string::npos || is_remote(from) || is_remote(name)) return nowhere;
  std::string relative = name;
  if (name[0] == '/') {
    if (const auto found = at(name)) return *found;
    relative = name.substr(name.rfind('/') + 1);
    if (relative.empty()) return nowhere;
  }
  const char* const folders = std::getenv(prefixes);
  for (std::string left = folders != nullptr ? folders : ""; !left.empty();) {
    const std::size_t end = left.find(':');
    std::string folder = left.substr(0, end);
    left = end == std::string::npos ? "" : left.substr(end + 1);
    static const std::string kOrigin = "${ORIGIN}";
    if (folder.starts_with(kOrigin)) folder = (beside.empty() ? "." : beside) + folder.substr(kOrigin.size());
    if (folder.empty()) continue;
    if (const auto found = at(folder + "/" + relative)) return *found;
  }
  if (const auto found = at(beside + relative)) return *found;
  if (const auto found = at(relative)) return *found;
  std::error_code failed;
  const std::filesystem::path real = std::filesystem::canonical(from, failed);
  if (!failed) {
    if (const auto found = at((real.parent_path() / relative).string())) return *found;
  }
  return nowhere;
}

bool OtherFile::same_now() const {
  const std::optional<OtherFile> now = at(path);
  if (!now) return !is_there();
  return now->bytes == bytes && now->changed_ns == changed_ns;
}

bool same_file(const std::string& a, const std::string& b) {
  struct stat first {
  }, second{};
  return a == b || (::stat(a.c_str(), &first) == 0 && ::stat(b.c_str(), &second) == 0 &&
                    first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

void add_others(const std::vector<OtherFile>& others, std::uint64_t& bytes, std::int64_t& changed_ns) {
  auto sum = static_cast<std::uint64_t>(changed_ns);
  for (const OtherFile& one : others) {
    bytes += one.bytes;
    // Each by a factor of its own: two files that change places are a change.
    sum = sum * 31 + static_cast<std::uint64_t>(one.changed_ns);
  }
  changed_ns = static_cast<std::int64_t>(sum);
}

}  // namespace weft::io::hdf5
