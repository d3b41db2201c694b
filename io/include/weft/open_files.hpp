#pragma once

#include <weft/storage.hpp>

#include <memory>
#include <string>
#include <vector>

namespace weft::io {

/// How many files are opened at once, and what is remembered of them.
struct OpenFilesOptions {
  /// The folder in which descriptions are remembered. Empty: that of the user, `$XDG_CACHE_HOME/weft` or
  /// `~/.cache/weft`; "off": nothing is read or written. Never a folder of the data, unless it is named here.
  std::string index = {};
};

/// Opens files, many at once, in the order of `paths`. Of a few, all is done at once; of many (16 and more) what they
/// say of themselves, and their labels, are remembered in an index: the second time a file whose bytes and time of
/// change are as they were is not opened before its data are read. A file of the index that is damaged is left alone,
/// with a note in the log. Throws FileError for the first of `paths` that cannot be opened.
std::vector<std::shared_ptr<const StoredFile>> open_files(const std::vector<std::string>& paths,
                                                          const OpenFilesOptions& options = {});

}  // namespace weft::io
