#pragma once

#include <weft/storage.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

/// What files say of themselves, remembered: an index for each folder of data.
namespace weft::io::index {

/// What a file says of itself. Files of a series share most of it.
struct Description {
  std::string format;
  std::vector<Variable> variables;
  std::vector<Group> groups;
  std::vector<std::string> remarks;
};

/// The values of a small variable of labels: elements in C order, or texts.
struct Labels {
  std::vector<std::byte> bytes;
  std::vector<std::string> texts;
};

/// What is remembered of one file.
struct Entry {
  std::uint64_t file_bytes = 0;
  std::int64_t changed_ns = 0;
  /// Of the last change of anything about the file: who copies another file over it can set the time of change, and
  /// not this one.
  std::int64_t touched_ns = 0;
  std::shared_ptr<const Description> description;
  /// By the number of the variable.
  std::map<std::uint32_t, std::shared_ptr<const Labels>> labels;
};

/// The index of one folder: its files by name.
using Entries = std::map<std::string, Entry>;

/// Returns the bytes of an index. Equal descriptions, attributes and labels are there once.
///
/// On disk, all numbers little-endian: "weft index 3\n"; FNV-1a of what follows (8 bytes); the folder's name; pieces
/// (count, then each with its length); files (count, then name, bytes, both times, the number of the piece that
/// describes it, the count of labels, and for each the variable and the piece).
std::string encode(const std::string& folder, const Entries& entries);
/// Throws FileError, with `path` in front, where the bytes are no index of this folder.
Entries decode(const std::string& path, const std::string& bytes, const std::string& folder);

}  // namespace weft::io::index
