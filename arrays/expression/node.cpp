#include "arrays/expression/node.hpp"

#include <weft/error.hpp>

#include <atomic>
#include <cstring>

namespace weft::arrays::expression {
namespace {

constexpr const char* kOpNames[] = {
#define WEFT_ELEMENTWISE(name, arity, rule, types, expression) #name,
#include <weft/ops/elementwise.def>
#undef WEFT_ELEMENTWISE
};

std::shared_ptr<Node> begin_node(NodeKind kind, Dtype dtype, Grid grid, std::string name,
                                 const std::source_location& where) {
  auto node = std::make_shared<Node>();
  node->kind = kind;
  node->dtype = dtype;
  node->shape = shape_of(grid);
  node->grid = std::move(grid);
  node->name = std::move(name);
  node->where = where;
  return node;
}

}  // namespace

Fingerprint::Fingerprint(const char* kind) : key_{0xcbf29ce484222325u, 0x9e3779b97f4a7c15u} {
  add(kind, std::strlen(kind) + 1);
}

Fingerprint& Fingerprint::add(const void* bytes, std::size_t count) {
  const unsigned char* const first = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < count; ++i) {
    key_.high = (key_.high ^ first[i]) * 0x100000001b3u;
    // A second, different walk over the same bytes.
    key_.low = (key_.low + first[i] + 1) * 0xff51afd7ed558ccdu;
    key_.low ^= key_.low >> 29;
  }
  return *this;
}

Fingerprint& Fingerprint::add(const Grid& grid) {
  add(grid.size());
  for (const AxisGrid& axis : grid) {
    add(axis.extent()).add(axis.count());
    if (!axis.known()) {
      add(axis.origin()[0]).add(axis.origin()[1]);
    } else if (axis.count() > 1) {
      for (std::int64_t piece = 0; piece < axis.count() && piece < 4096; ++piece) {
        add(axis.end(piece));
        if (axis == AxisGrid::regular(axis.extent(), axis.size(0))) break;
      }
    }
  }
  return *this;
}

NodePointer make_generated(const Generator& generator, Dtype dtype, Grid grid, std::string name,
                           const std::source_location& where) {
  auto node = begin_node(NodeKind::Generated, dtype, std::move(grid), std::move(name), where);
  node->generator = generator;
  node->generator.type = dtype.code();
  node->key = Fingerprint("generated")
                  .add(generator.kind)
                  .add(dtype.code())
                  .add(dtype.unit())
                  .add(generator.words, sizeof generator.words)
                  .add(generator.seed)
                  .add(node->grid)
                  .key();
  return node;
}

NodePointer make_stored(Dtype dtype, Grid grid, std::vector<Delayed<Buffer>> chunks, std::string name,
                        const std::source_location& where) {
  static std::atomic<std::uint64_t> next{1};
  auto node = begin_node(NodeKind::Stored, dtype, std::move(grid), std::move(name), where);
  node->chunks = std::move(chunks);
  node->key = Fingerprint("stored").add(next.fetch_add(1)).key();
  return node;
}

NodePointer make_elementwise(OpCode op, TypeCode compute_type, Dtype dtype, Grid grid, std::vector<NodePointer> inputs,
                             const std::source_location& where) {
  auto node = begin_node(NodeKind::Elementwise, dtype, std::move(grid), kOpNames[static_cast<std::size_t>(op)], where);
  node->op = op;
  node->compute_type = compute_type;
  Fingerprint print("elementwise");
  print.add(op).add(compute_type).add(dtype.code()).add(dtype.unit()).add(node->grid);
  for (const NodePointer& input : inputs) print.add(input->key);
  node->key = print.key();
  node->inputs = std::move(inputs);
  return node;
}

NodePointer make_elementwise(detail::UserFunction function, Grid grid, std::vector<NodePointer> inputs,
                             const std::source_location& where) {
  auto node = begin_node(NodeKind::Elementwise, function.kernel->output().dtype, std::move(grid), "elementwise", where);
  Writer writer;
  detail::identify(function, writer);
  Fingerprint print("function");
  print.add(writer.data(), writer.size()).add(node->grid);
  for (const NodePointer& input : inputs) print.add(input->key);
  node->key = print.key();
  node->user = std::move(function);
  node->inputs = std::move(inputs);
  return node;
}

NodePointer make_cast(const NodePointer& input, Dtype dtype, const std::source_location& where) {
  if (input->dtype == dtype) return input;
  if (input->dtype.is_time() && dtype.is_time()) {
    const bool same = input->dtype.code() == dtype.code() &&
                      (input->dtype.unit() == TimeUnit::Generic || dtype.unit() == TimeUnit::Generic);
    if (!same) return convert_unit(input, dtype, where);
  }
  auto node = begin_node(NodeKind::Cast, dtype, input->grid, "astype", where);
  node->key = Fingerprint("cast").add(dtype.code()).add(dtype.unit()).add(input->key).key();
  node->compute_type = input->dtype.code();
  node->inputs = {input};
  return node;
}

NodePointer make_reinterpreted(const NodePointer& input, Dtype dtype, const std::source_location& where) {
  if (input->dtype == dtype) return input;
  auto node = begin_node(NodeKind::Cast, dtype, input->grid, "view", where);
  node->key = Fingerprint("reinterpreted").add(dtype.code()).add(dtype.unit()).add(input->key).key();
  node->compute_type = dtype.code();
  node->inputs = {input};
  return node;
}

NodePointer make_view(const NodePointer& input, IndexMap map, Grid grid, std::string name,
                      const std::source_location& where) {
  auto node = begin_node(NodeKind::View, input->dtype, std::move(grid), std::move(name), where);
  Fingerprint print("view");
  print.add(input->key).add(node->grid);
  for (const AxisMap& axis : map) print.add(axis.out_axis).add(axis.start).add(axis.step);
  node->key = print.key();
  node->map = std::move(map);
  node->inputs = {input};
  return node;
}

NodePointer make_reduced(const NodePointer& input, ReduceSpec spec, Dtype dtype, std::string name,
                         const std::source_location& where) {
  Grid grid = input->grid;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    if (spec.reduced[axis] != 0) grid[axis] = AxisGrid::whole(1);
  }
  auto node = begin_node(NodeKind::Reduced, dtype, std::move(grid), std::move(name), where);
  Fingerprint print("reduced");
  print.add(input->key).add(spec.code).add(spec.finish).add(spec.ddof).add(dtype.code()).add(dtype.unit());
  print.add(spec.reduced.data(), spec.reduced.size());
  for (const std::int64_t stride : spec.place_strides) print.add(stride);
  node->key = print.key();
  spec.out = dtype.code();
  node->reduce = std::move(spec);
  node->inputs = {input};
  return node;
}

NodePointer make_structural(std::shared_ptr<const Structure> structure, std::vector<NodePointer> inputs, Dtype dtype,
                            Grid grid, const std::source_location& where) {
  if (!structure->type->takes_deferred) {
    for (const NodePointer& input : inputs) require_known(*input, structure->type->name, where);
  }
  auto node = begin_node(NodeKind::Structural, dtype, std::move(grid), structure->type->name, where);
  Fingerprint print("structural");
  Writer writer;
  structure->type->identify(structure->parameters.get(), writer);
  print.add(structure->type->name, std::strlen(structure->type->name) + 1);
  print.add(&structure->type, sizeof structure->type);
  print.add(writer.data(), writer.size()).add(dtype.code()).add(dtype.unit()).add(node->grid);
  for (const NodePointer& input : inputs) print.add(input->key);
  node->key = print.key();
  node->structure = std::move(structure);
  node->inputs = std::move(inputs);
  return node;
}

std::string at_line(const char* operation, const std::source_location& where) {
  const char* const slash = std::strrchr(where.file_name(), '/');
  return std::string(operation) + " (" + (slash != nullptr ? slash + 1 : where.file_name()) + ":" +
         std::to_string(where.line()) + "): ";
}

void require_known(const Node& node, const char* operation, const std::source_location& where) {
  if (known(node.grid)) return;
  throw Error(at_line(operation, where) + "needs to know its extents, but an array of shape " + node.shape.text() +
              " has some that only running can tell: give it compute_chunk_sizes(client, x)");
}

NodePointer make_constant(const Scalar& value, Dtype dtype, const std::source_location& where) {
  Generator generator;
  value.write(dtype, generator.words);
  return make_generated(generator, dtype, {}, "constant", where);
}

NodePointer broadcast_to_grid(const NodePointer& input, const Grid& grid, const std::source_location& where) {
  if (input->grid == grid) return input;
  std::vector<bool> stretched(input->grid.size());
  const std::size_t shift = grid.size() - input->grid.size();
  for (std::size_t axis = 0; axis < stretched.size(); ++axis) {
    stretched[axis] = input->shape[axis] == 1 && grid[axis + shift].extent() != 1;
  }
  return make_view(input, broadcast_map(stretched, grid.size()), grid, "broadcast", where);
}

}  // namespace weft::arrays::expression
