#pragma once

#include <weft/array.hpp>
#include <weft/plan.hpp>

namespace weft::arrays {

/// One pass over chunks: what the tasks of one kind compute.
struct ArrayStep {
  /// The last operation of the pass, "sum".
  std::string name;
  /// Where the user wrote it.
  std::string file;
  std::uint32_t line = 0;
  /// Operations computed within the pass before that, without arrays between them.
  std::vector<std::string> fused;
  /// The steps whose chunks it reads, by their place in the plan.
  std::vector<std::size_t> reads;
  std::uint64_t tasks = 0;
  /// Chunks that its tasks take, each counted as often as it is taken.
  std::uint64_t edges = 0;
  /// Of all its results, and of the largest.
  std::uint64_t bytes = 0;
  std::uint64_t largest_bytes = 0;
  /// Chunks that exist already: persisted or imported.
  bool stored = false;
};

/// What computing arrays would mean, known without computing any of it. Its bytes are those of elements: exact, but
/// where a mask decides extents.
struct ArrayPlan {
  std::vector<ArrayStep> steps;
  std::uint64_t tasks = 0;
  std::uint64_t edges = 0;
  /// Bytes of all results together.
  std::uint64_t output_bytes = 0;
  /// Bytes of results that exist at once in one slot that goes depth first, as slots do; chunks that existed before are
  /// not counted, those of the arrays themselves are.
  std::uint64_t depth_first_peak_bytes = 0;
  /// The same with this many slots, at most.
  std::uint64_t peak_bytes = 0;
  unsigned slots = 1;
  Certainty certainty = Certainty::Exact;

  std::string to_text() const;
};

std::ostream& operator<<(std::ostream& out, const ArrayPlan& plan);

/// Returns what computing the array (or several at once) would mean. Of an array of very many chunks some are looked
/// at, and the rest is estimated.
ArrayPlan plan(const Array& array, const PlanOptions& options = {});
ArrayPlan plan(const std::vector<Array>& arrays, const PlanOptions& options = {});
/// Returns the plan as text: the passes, what was fused into each, what it reads, and the memory it takes.
std::string explain(const Array& array, const ExplainOptions& options = {});

}  // namespace weft::arrays

namespace weft {
using arrays::ArrayPlan;
using arrays::ArrayStep;
}  // namespace weft
