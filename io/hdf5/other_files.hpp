#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Files that an HDF5 file names: targets of links, and what virtual datasets are put together of.
namespace weft::io::hdf5 {

/// A file that another one names, as it was when that one was opened.
struct OtherFile {
  std::string path;
  /// Both 0 where it is not there.
  std::uint64_t bytes = 0;
  std::int64_t changed_ns = 0;

  bool is_there() const { return changed_ns != 0 || bytes != 0; }
  /// Whether it is as it was.
  bool same_now() const;
};

/// Looks a file up as the HDF5 library does: an absolute name as it is; the folders of `prefixes`, an environment
/// variable (HDF5_EXT_PREFIX, HDF5_VDS_PREFIX); the folder of the file `from` that names it; this process's folder; the
/// folder of the file that `from` is a symbolic link to. What is nowhere is told as beside `from`. Files on servers
/// name no others: nothing is looked up for them.
OtherFile look_up(const std::string& from, const std::string& name, const char* prefixes);

/// Whether two names are of one file.
bool same_file(const std::string& a, const std::string& b);

/// One number each for the bytes and the times of a file and the others it names: equal where none of them changed.
void add_others(const std::vector<OtherFile>& others, std::uint64_t& bytes, std::int64_t& changed_ns);

}  // namespace weft::io::hdf5
