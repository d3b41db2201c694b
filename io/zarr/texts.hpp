#pragma once

#include "io/files/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::io::zarr {

/// Whether there is such a file on a disk.
bool is_there(const std::string& path);

/// The descriptions of a store. Those that a network reaches are asked for together, each once.
/// Owns: the texts that came.  Threading: one thread.
class Texts {
 public:
  /// Of addresses: gets what is named so below these folders.
  void fetch(const std::vector<std::string>& folders, const std::vector<std::string>& names);
  bool has(const std::string& path);
  /// Throws FileError where there is none, or where it is no JSON.
  Json json(const std::string& path);
  Json json_or_none(const std::string& path) { return has(path) ? json(path) : Json(); }
  void forget() { came_.clear(); }

 private:
  void ask(const std::vector<std::string>& paths);
  const std::optional<std::string>& come(const std::string& path);

  std::map<std::string, std::optional<std::string>> came_;
};

}  // namespace weft::io::zarr
