#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft::io::grib {

/// What parameters are called, read from ecCodes' own definitions: its parser takes 60 ms for each of the kinds of
/// names, which all stand in files of the same make, a block of conditions behind each name. The blocks that have a
/// parameter's number in `paramId.def` have its other names in the others. Owns: the files' text.  Threading: one
/// thread at a time.
class ParameterNames {
 public:
  /// `path`: folders of definitions, with colons between them; `centre`: as ecCodes abbreviates it.
  ParameterNames(const std::string& path, int edition, const std::string& centre);
  /// `kind`: "shortName", "units" and so on. Nothing where the files do not tell one name alone.
  std::optional<std::string> find(const std::string& kind, std::int64_t parameter);

 private:
  /// Names of blocks; empty where two differ.
  using Names = std::unordered_map<std::string_view, std::string_view>;
  const Names& names_of(const std::string& kind);
  std::vector<std::string_view> texts_of(const std::string& kind);

  std::vector<std::string> folders_;
  std::map<std::string, std::string> texts_;
  std::map<std::string, Names> names_;
  /// The blocks of each number, as text.
  std::unordered_multimap<std::string_view, std::string_view> blocks_;
};

}  // namespace weft::io::grib
