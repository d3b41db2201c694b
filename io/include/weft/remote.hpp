#pragma once

#include <string>
#include <vector>

/// Files that are reached by a network: `http://`, `https://` and `s3://` stand for paths wherever files are read.
namespace weft::io {

/// Returns whether a path is an address: it begins with `s3://`, `http://` or `https://`.
bool is_remote(const std::string& path);

/// The path as it may be shown: of an address without a password, and without what stands behind a question mark,
/// which may be a signature.
std::string shown_path(const std::string& path);

/// What is named `name` below a path, be it a folder or an address.
std::string path_below(const std::string& path, const std::string& name);

/// Returns whether this build can reach addresses, and this machine has the library for it (libcurl).
bool can_read_remote();

}  // namespace weft::io
