#pragma once

#include "arrays/expression/node.hpp"
#include "arrays/plan/stage.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
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

/// Turns array expressions into tasks: chunks are described one by one, only those that somebody reads.
///
/// For: `compute` and `persist` of arrays. Owns: what it has described so far; equal parts of all expressions given to
/// one lowering run once.  Threading: one thread.
class Lowering {
 public:
  /// `outputs`: all that will be asked for; what several of them share may be given tasks of its own.
  /// `outlined`, where given, is told what is described; it outlives the lowering.
  /// `circumstances` is asked once, if at all. `kokkos`: passes run in Kokkos' host space.
  explicit Lowering(const std::vector<expression::NodePointer>& outputs, Outlined* outlined = nullptr,
                    std::function<Circumstances()> circumstances = {}, bool kokkos = false);

  /// Tells whether a node's chunks are made by tasks of their own.
  bool materialised(const expression::Node& node) const;
  /// Returns the task that makes a chunk of one of the outputs.
  const Delayed<Buffer>& chunk(const expression::NodePointer& node, std::int64_t number);

 private:
  struct Step {
    std::shared_ptr<const Stage> stage;
    std::vector<expression::NodePointer> sources;
    std::unordered_map<std::int64_t, Delayed<Buffer>> chunks;
  };

  void choose_materialised(const std::vector<expression::NodePointer>& outputs);
  void note(const expression::NodePointer& node, const Delayed<Buffer>& task, std::uint64_t bytes,
            const std::vector<Delayed<Buffer>>& inputs);
  Step& step_of(const expression::NodePointer& node);
  bool passes_on(const expression::Node& node) const;
  bool made_in_place(const expression::Node& structure, const expression::NodePointer& input) const;
  expression::NodePointer source_of_rechunk(const expression::NodePointer& node);
  expression::NodePointer cut_into_pieces(const expression::NodePointer& node, const Stage& stage);
  Delayed<Buffer> describe(const expression::NodePointer& node, Step& step, std::int64_t number);
  Delayed<Buffer> describe_reduction(const expression::NodePointer& node, Step& step, std::int64_t number);
  std::vector<Delayed<Buffer>> inputs_of(Step& step, const std::vector<SourceChunk>& chunks);

  Outlined* const outlined_;
  const std::function<Circumstances()> ask_;
  const bool kokkos_;
  std::optional<Circumstances> circumstances_;
  std::map<expression::Key, bool> materialised_;
  std::map<expression::Key, std::unique_ptr<Step>> steps_;
};

}  // namespace weft::arrays::lowering
