#pragma once

#include "arrays/expression/node.hpp"
#include "arrays/plan/stage.hpp"

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

namespace weft::arrays::lowering {

/// Turns array expressions into tasks: chunks are described one by one, only those that somebody reads.
///
/// For: `compute` and `persist` of arrays. Owns: what it has described so far; equal parts of all expressions given to
/// one lowering run once.  Threading: one thread.
class Lowering {
 public:
  /// `outputs`: all that will be asked for; what several of them share may be given tasks of its own.
  explicit Lowering(const std::vector<expression::NodePointer>& outputs);

  /// Returns the task that makes a chunk of one of the outputs.
  const Delayed<Buffer>& chunk(const expression::NodePointer& node, std::int64_t number);

 private:
  struct Step {
    std::shared_ptr<const Stage> stage;
    std::vector<expression::NodePointer> sources;
    std::unordered_map<std::int64_t, Delayed<Buffer>> chunks;
  };

  void choose_materialised(const std::vector<expression::NodePointer>& outputs);
  bool materialised(const expression::Node& node) const;
  Step& step_of(const expression::NodePointer& node);
  Delayed<Buffer> describe(const expression::NodePointer& node, Step& step, std::int64_t number);
  Delayed<Buffer> describe_reduction(const expression::NodePointer& node, Step& step, std::int64_t number);
  std::vector<Delayed<Buffer>> inputs_of(Step& step, const std::vector<SourceChunk>& chunks);

  std::map<expression::Key, bool> materialised_;
  std::map<expression::Key, std::unique_ptr<Step>> steps_;
};

}  // namespace weft::arrays::lowering
