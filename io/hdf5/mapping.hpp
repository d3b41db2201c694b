#pragma once

#include "io/hdf5/other_files.hpp"
#include "io/hdf5/selection.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace weft::io::hdf5 {

class Source;
struct Contents;

/// One part of a virtual dataset: the places `target` of it are the places `source` of another dataset, one after the
/// other.
struct Mapping {
  /// "." is the file that has the virtual dataset. In both names `%b` is the number of a block.
  std::string file;
  /// Without a slash in front.
  std::string dataset;
  Selection source;
  Selection target;
  /// Once it is settled; of the same file nothing.
  OtherFile where;

  bool is_own() const { return file == "."; }
};

/// Reads what a virtual dataset of `rank` axes is put together of.
std::vector<Mapping> parse_mappings(Source& source, std::uint64_t heap, std::uint32_t index, std::size_t rank);

/// Finds the files that the virtual datasets of the file `path` are put together of, gives those that grow the extents
/// that their sources have now, and tells by which chunks they are best read.
void settle_virtual(const std::string& path, Contents& contents);

}  // namespace weft::io::hdf5
