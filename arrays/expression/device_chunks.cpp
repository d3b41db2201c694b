#include "arrays/expression/device_chunks.hpp"

#include <utility>

namespace weft::arrays::expression {
namespace {
using Chunks = std::vector<Delayed<gpu::DeviceBuffer>>;
}  // namespace

const Chunks* device_chunks(const Node& node) {
  if (node.kind != NodeKind::Stored || node.structure == nullptr) return nullptr;
  return static_cast<const Chunks*>(node.structure->parameters.get());
}

NodePointer make_stored_on_device(Dtype dtype, Grid grid, Chunks chunks, std::string name,
                                  const std::source_location& where) {
  const NodePointer made = make_stored(dtype, std::move(grid), {}, std::move(name), where);
  auto node = std::make_shared<Node>(*made);
  node->structure =
      std::make_shared<const Structure>(Structure{nullptr, std::make_shared<const Chunks>(std::move(chunks))});
  return node;
}

}  // namespace weft::arrays::expression
