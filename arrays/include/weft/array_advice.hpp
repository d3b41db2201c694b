#pragma once

#include <weft/array.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace weft::arrays {

/// Something in a plan that costs more than it must. `docs/arrays.md` lists the ids.
struct ArrayAdvice {
  /// "small-chunks", "large-chunks", "few-chunks", "mismatched-chunks", "whole-array", "all-to-all", "large-result" or
  /// "more-than-memory".
  std::string id;
  /// What stands out, and what to do.
  std::string text;
  /// Where the user wrote it; line 0: it is about all of it.
  std::string file;
  std::uint32_t line = 0;

  /// "small-chunks (model.cpp:12): ..."
  std::string to_text() const;
};

struct AdviceOptions {
  /// 0: as many as this process would have.
  unsigned slots = 0;
  /// Memory that results may take; 0: nothing is said about it.
  std::uint64_t memory_bytes = 0;
  /// Ids that nothing is said of.
  std::vector<std::string> silenced = {};
};

/// Returns what stands out in the plan of an array (or of several at once); computes nothing. Each id is given once for
/// each place in the program. Throws Error where an id to be silenced is not known.
std::vector<ArrayAdvice> advise(const Array& array, const AdviceOptions& options = {});
std::vector<ArrayAdvice> advise(const std::vector<Array>& arrays, const AdviceOptions& options = {});

}  // namespace weft::arrays

namespace weft {
using arrays::AdviceOptions;
using arrays::ArrayAdvice;
}  // namespace weft
