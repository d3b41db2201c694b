#pragma once

#include <weft/described.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace weft {

/// How well a number of bytes is known before anything has run.
enum class Certainty : std::uint8_t {
  /// The sizes follow from the types, or the results are there.
  Exact,
  /// At most so much.
  Bounded,
  /// A guess: from results of the same kind that are there, else the least that the type takes.
  Estimated,
};

/// One kind of task, or one layer of a formula.
struct PlanRow {
  std::string name;
  /// Where the user wrote it; empty where that is not known.
  std::string file;
  std::uint32_t line = 0;
  std::uint64_t tasks = 0;
  /// Results that its tasks take.
  std::uint64_t edges = 0;
  std::uint64_t output_bytes = 0;
  Certainty certainty = Certainty::Exact;
};

/// What running something would mean, known without running any of it. A plain value.
struct Plan {
  std::vector<PlanRow> rows;
  std::uint64_t tasks = 0;
  /// Tasks that have a result already and would not run again.
  std::uint64_t finished = 0;
  std::uint64_t edges = 0;
  /// What the scheduler would be given.
  std::uint64_t packets = 0;
  /// Tasks on the longest chain: no number of slots makes it shorter.
  std::uint64_t longest_chain = 0;
  /// All results together.
  std::uint64_t output_bytes = 0;
  /// Results that exist at once, at most, in whatever order the tasks run on `slots` slots.
  std::uint64_t peak_bytes = 0;
  /// The same in one slot that goes depth first, as slots do.
  std::uint64_t depth_first_peak_bytes = 0;
  Certainty certainty = Certainty::Exact;
  /// Memory of this process that the description takes: records and edges.
  std::uint64_t description_bytes = 0;
  unsigned slots = 1;
  /// The rows that are only estimated.
  std::vector<std::string> estimated;

  std::string to_text() const;
};

std::ostream& operator<<(std::ostream& out, const Plan& plan);

struct PlanOptions {
  /// Slots it would run on; 0: as many as this process would have.
  unsigned slots = 0;
};

/// Returns what computing `what` would mean. Costs a look at each stored task, and a look at each layer of a formula,
/// whatever the number of its tasks.
Plan plan(const Described& what, PlanOptions options = {});

struct ExplainOptions {
  unsigned slots = 0;
  /// Memory that results may take; 0: no advice about it.
  std::uint64_t memory_bytes = 0;
};

/// Returns the plan as text, with the longest chain and with advice where something stands out.
std::string explain(const Described& what, ExplainOptions options = {});

}  // namespace weft
