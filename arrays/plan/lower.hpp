#pragma once

#include "arrays/expression/node.hpp"
#include "arrays/plan/stage.hpp"

#include <weft/gpu.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

namespace weft::arrays::lowering {

/// What a lowering has described, in its order: inputs stand before what reads them.
struct Outlined {
  struct Task {
    expression::NodePointer node;
    std::uint64_t bytes = 0;
    /// Places of the tasks it takes results of.
    std::vector<std::uint32_t> inputs;
    /// Chunks it takes that existed before.
    std::uint32_t stored = 0;
  };
  std::vector<Task> tasks;
  std::unordered_map<TaskId, std::uint32_t> places;
};

/// What tasks will run on, as far as it decides how elements are moved; never what is computed.
struct Circumstances {
  /// Tasks run in several processes.
  bool apart = false;
  unsigned slots = 1;
  /// Memory that results may take in one process; 0: not known.
  std::uint64_t memory_bytes = 0;
};

/// Where the state of a leaf of a reduction is found: its place among the leaves that a task reduces.
struct LeafTask {
  Delayed<Buffer> task;
  std::size_t place = 0;
  std::size_t leaves = 1;
};

class ReductionTree;

/// Turns array expressions into tasks: chunks are described one by one, only those that somebody reads.
///
/// For: `compute` and `persist` of arrays. Owns: what it has described so far; equal parts of all expressions given to
/// one lowering run once.  Threading: one thread.
class Lowering {
 public:
  /// `outputs`: all that will be asked for; what several of them share may be given tasks of its own.
  /// `outlined`, where given, is told what is described; it outlives the lowering.
  /// `circumstances` is asked once, if at all. `kokkos`: passes run in Kokkos' host space.
  /// `device`: whether passes run on devices, where these know them.
  explicit Lowering(const std::vector<expression::NodePointer>& outputs, Outlined* outlined = nullptr,
                    std::function<Circumstances()> circumstances = {}, bool kokkos = false,
                    Stage::Device device = Stage::kNever);

  /// Tells whether a node's chunks are made by tasks of their own.
  bool materialised(const expression::Node& node) const;
  /// Returns the task that makes a chunk of one of the outputs.
  const Delayed<Buffer>& chunk(const expression::NodePointer& node, std::int64_t number);
  /// Tells whether devices may hold the chunks of one of the outputs; then `device_chunk` is the task that makes one.
  bool on_device(const expression::NodePointer& node);
  const Delayed<gpu::DeviceBuffer>& device_chunk(const expression::NodePointer& node, std::int64_t number);
  /// Returns the described tasks that cut chunks into pieces because memory is short, all of one chunk after another:
  /// started first and in this order, they read each chunk once, and not once for each piece.
  std::vector<Delayed<Buffer>> cutting() const;

 private:
  struct Step {
    std::shared_ptr<const Stage> stage;
    std::vector<expression::NodePointer> sources;
    std::unordered_map<std::int64_t, Delayed<Buffer>> chunks;
    /// The same chunks as devices take them.
    std::unordered_map<std::int64_t, Delayed<gpu::DeviceBuffer>> device_chunks;
  };

  /// Reductions of the same chunks that share an input: one task makes the states of all of them for a leaf.
  struct Together {
    std::vector<expression::NodePointer> nodes;
    /// Of each output: the task of each leaf.
    std::unordered_map<std::int64_t, std::vector<LeafTask>> leaves;
  };

  /// A task that cuts a piece out of a chunk. What is cut below it has a higher rank.
  struct Cut {
    std::size_t rank = 0;
    std::int64_t chunk = 0;
    Delayed<Buffer> task;
  };

  void choose_materialised(const std::vector<expression::NodePointer>& outputs);
  void note(const expression::NodePointer& node, const Delayed<Buffer>& task, std::uint64_t bytes,
            const std::vector<Delayed<Buffer>>& inputs);
  Step& step_of(const expression::NodePointer& node);
  std::optional<std::pair<expression::NodePointer, std::int64_t>> stands_for(const expression::Node& node,
                                                                             std::int64_t number) const;
  bool made_in_place(const expression::Node& structure, const expression::NodePointer& input) const;
  expression::NodePointer source_of_rechunk(const expression::NodePointer& node);
  expression::NodePointer cut_into_pieces(const expression::NodePointer& node, const Stage& stage);
  void count_reads(const std::vector<expression::NodePointer>& outputs);
  expression::NodePointer read_through(const expression::NodePointer& source) const;
  Delayed<Buffer> describe(const expression::NodePointer& node, Step& step, std::int64_t number);
  Delayed<Buffer> describe_reduction(const expression::NodePointer& node, Step& step, std::int64_t number);
  std::set<expression::Key> generated_squares(const expression::NodePointer& root) const;
  void choose_together(const std::vector<expression::NodePointer>& outputs);
  std::vector<LeafTask> describe_together(const std::vector<expression::NodePointer>& nodes, std::int64_t number,
                                          const ReductionTree& tree);
  int level_of(const Step& step, const ReductionTree& tree, std::int64_t outputs) const;
  Delayed<Buffer> describe_merges(const expression::NodePointer& node, const Step& step, std::int64_t number,
                                  std::vector<Delayed<Buffer>> states, std::vector<std::uint64_t> offsets);
  std::vector<Delayed<Buffer>> inputs_of(Step& step, const std::vector<SourceChunk>& chunks);
  std::vector<Delayed<gpu::DeviceBuffer>> device_inputs_of(Step& step, const std::vector<SourceChunk>& chunks);
  Stage::Device device_of(const Stage& stage) const;

  Outlined* const outlined_;
  const std::function<Circumstances()> ask_;
  const bool kokkos_;
  const Stage::Device device_;
  std::optional<Circumstances> circumstances_;
  std::map<expression::Key, bool> materialised_;
  std::map<expression::Key, std::unique_ptr<Step>> steps_;
  std::map<expression::Key, std::shared_ptr<Together>> together_;
  /// How often passes read each rechunk; more than once also if it is asked for, or a structure reads it.
  std::map<expression::Key, int> rechunk_reads_;
  /// Pieces that are made because memory is short, and their ranks.
  std::map<expression::Key, std::size_t> cut_ranks_;
  std::vector<Cut> cuts_;
};

}  // namespace weft::arrays::lowering
