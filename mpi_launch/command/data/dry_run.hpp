#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::command::data {

class Given;

/// What a verb would do: told by --dry-run, as text or as JSON.
struct DryRun {
  std::size_t files = 0;
  /// Of the variables that are read, in the files and as values.
  std::uint64_t stored_bytes = 0;
  std::uint64_t decoded_bytes = 0;
  /// Of arrays in memory at once, at most.
  std::uint64_t peak_bytes = 0;
  std::uint64_t output_bytes = 0;
  /// More words, as text only.
  std::string lines;
};
/// Returns the exit code.
int tell(const Given& given, const DryRun& plan);

/// Bytes that these variables take in a file; all of them where none is named. Adds to the plan.
void add_reading(DryRun& plan, const std::string& path, const std::vector<std::string>& names);

}  // namespace weft::command::data
