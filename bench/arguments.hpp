// What the command line of weft_bench says, checked against the options of the case.

#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft::bench {

/// An option of a case: `--name value`.
struct Option {
  const char* name;
  const char* initial;
  const char* meaning;
};

/// The options of one case, all of them set: given, or initial.
/// Owns: the texts.  Threading: immutable.
class Arguments {
 public:
  /// Reads `--key value` words. Throws std::invalid_argument for a key that is not among `options`, naming those that
  /// are, and for a key without a value.
  Arguments(std::string_view name, const std::vector<Option>& options, const std::vector<std::string>& words);

  std::string text(std::string_view option) const;
  /// Returns the value as a number; throws std::invalid_argument unless it is one and at least `least`.
  std::int64_t integer(std::string_view option, std::int64_t least = 0) const;
  double real(std::string_view option) const;
  /// Returns a size in bytes: a number, also with KiB, MiB or GiB behind it.
  std::int64_t bytes(std::string_view option) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
};

}  // namespace weft::bench
