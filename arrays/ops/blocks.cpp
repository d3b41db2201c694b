// Kernels of a program on chunks: which blocks each is given, and what it makes of them.
#include <weft/ops/blocks.hpp>

#include "arrays/kernels/copy.hpp"
#include "arrays/ops/axes.hpp"
#include "arrays/ops/split.hpp"
#include "arrays/ops/telling.hpp"
#include "arrays/ops/user_blocks.hpp"

#include <weft/error.hpp>
#include <weft/ops/structure.hpp>

#include <algorithm>
#include <map>
#include <numeric>

namespace weft::arrays {
namespace {

using detail::UserFunction;
using expression::AxisGrid;
using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Grid;
using expression::Need;
using expression::NodePointer;
using ops::at_line;
using Where = std::source_location;

/// Names axes: equal labels go together.
using Labels = std::vector<int>;

/// What a kernel is applied to, and how its blocks are found.
struct Application {
  const char* call;
  UserFunction function;
  std::vector<NodePointer> inputs;
  std::vector<Labels> labels;
  /// The pieces of each label that the inputs have.
  std::map<int, AxisGrid> pieces;
  Labels out_labels;
  Grid out;
  std::uint64_t loops = 0;
  /// Of a kernel with several outputs.
  std::vector<ops::RecordPart> parts = {};
};

std::vector<NodePointer> nodes_of(const std::vector<Array>& arrays) {
  std::vector<NodePointer> nodes;
  for (const Array& one : arrays) nodes.push_back(one.node());
  return nodes;
}

Labels counted(std::size_t count, int first = 0) {
  Labels labels(count);
  std::iota(labels.begin(), labels.end(), first);
  return labels;
}

/// Cuts each label where one of the inputs is cut.
void meet(Application& a, const Where& where) {
  for (std::size_t input = 0; input < a.inputs.size(); ++input) {
    const Grid& grid = a.inputs[input]->grid;
    for (std::size_t axis = 0; axis < grid.size(); ++axis) {
      const auto [place, fresh] = a.pieces.emplace(a.labels[input][axis], grid[axis]);
      AxisGrid& out = place->second;
      if (fresh || out == grid[axis] || grid[axis].extent() == 1) continue;
      if (out.extent() == 1) {
        out = grid[axis];
      } else if (out.extent() == grid[axis].extent() && out.known()) {
        out = expression::common_refinement(out, grid[axis]);
      } else {
        std::string shapes;
        for (const NodePointer& one : a.inputs) shapes += (shapes.empty() ? "" : " and ") + one->shape.text();
        throw Error(at_line(a.call, where) + "arrays of the shapes " + shapes + " do not go together: axis " +
                    std::to_string(axis) + " of input " + std::to_string(input) + " is " +
                    std::to_string(grid[axis].extent()) + " long, that of another input " +
                    std::to_string(out.extent()));
      }
    }
  }
}

Array apply(const Application& a, const std::optional<Dtype>& declared, const Where& where) {
  std::vector<std::size_t> ranks;
  ops::UserBlocks blocks{a.function, {}, a.out, a.loops, a.parts};
  for (std::size_t input = 0; input < a.inputs.size(); ++input) {
    std::vector<ops::InputAxis>& axes = blocks.inputs.emplace_back();
    std::size_t rank = 0;
    for (std::size_t axis = 0; axis < a.labels[input].size(); ++axis) {
      const int label = a.labels[input][axis];
      const auto at = std::find(a.out_labels.begin(), a.out_labels.end(), label);
      const AxisGrid& pieces = a.pieces.at(label);
      ops::InputAxis follows;
      follows.stretched = a.inputs[input]->shape[axis] == 1 && pieces.extent() != 1;
      follows.grid = pieces;
      if (at != a.out_labels.end()) {
        follows.out_axis = static_cast<std::int32_t>(at - a.out_labels.begin());
      } else if (pieces.known()) {
        follows.grid = AxisGrid::whole(pieces.extent());
      }
      if (follows.out_axis < 0 || static_cast<std::uint64_t>(follows.out_axis) >= a.loops) ++rank;
      axes.push_back(std::move(follows));
    }
    ranks.push_back(rank);
  }
  std::vector<std::size_t> out_ranks;
  for (const ops::RecordPart& part : a.parts) out_ranks.push_back(part.shape.size());
  if (a.parts.empty()) out_ranks.push_back(a.out.size() - a.loops);
  ops::check_kernel(a.call, a.function, a.inputs, ranks, out_ranks, where);
  const Dtype dtype = a.parts.empty() ? ops::kernel_result(a.call, a.function, a.inputs, declared, where) : uint8;
  return Array(
      expression::make_structural(expression::make_structure(std::move(blocks)), a.inputs, dtype, a.out, where));
}

/// The pieces of an axis of the result of map_blocks: `in` are those of the inputs, if they have the axis.
AxisGrid result_axis(const MapBlocksOptions& options, std::size_t axis, const std::optional<AxisGrid>& in,
                     const Where& where) {
  const std::string what = at_line("map_blocks", where) + "axis " + std::to_string(axis) + " of the result ";
  const std::int64_t count = in ? in->count() : 1;
  if (options.chunks.given()) {
    const AxisChunks& chunks = options.chunks.each() ? *options.chunks.each() : options.chunks.axes()[axis];
    if (chunks.is_list()) {
      if (in && static_cast<std::int64_t>(chunks.sizes().size()) != count) {
        throw Error(what + "was given " + std::to_string(chunks.sizes().size()) + " chunks, but there are " +
                    std::to_string(count) + " blocks: a kernel makes one chunk of each");
      }
      return AxisGrid::of(chunks.sizes());
    }
    if (!chunks.automatic() && chunks.size() != AxisChunks::kWhole) {
      if (chunks.size() <= 0) throw Error(what + "was given the chunk size " + std::to_string(chunks.size()));
      return AxisGrid::regular(chunks.size() * count, chunks.size());
    }
  }
  if (!options.shape) return in ? *in : AxisGrid::whole(1);
  const std::int64_t extent = (*options.shape)[axis];
  if (!in) return AxisGrid::whole(extent);
  if (extent == in->extent()) return *in;
  std::vector<std::int64_t> sizes = in->sizes();
  for (std::int64_t& size : sizes) {
    if (in->extent() == 0 || size * extent % in->extent() != 0) {
      throw Error(what + "is " + std::to_string(extent) + " long, that of the inputs " + std::to_string(in->extent()) +
                  ": chunks do not change in proportion; give .chunks, one size for each of the " +
                  std::to_string(count) + " blocks");
    }
    size = size * extent / in->extent();
  }
  return AxisGrid::of(sizes);
}

}  // namespace

Array detail::map_blocks(const std::vector<Array>& arrays, UserFunction function, const MapBlocksOptions& options,
                         const Where& where) {
  if (arrays.empty()) {
    throw Error(at_line("map_blocks", where) + "needs at least one array; without inputs use from_function");
  }
  Application a{"map_blocks", std::move(function), nodes_of(arrays), {}, {}, {}, {}};
  std::size_t ndim = 0;
  for (const NodePointer& node : a.inputs) ndim = std::max(ndim, node->grid.size());
  bool plain = options.drop_axis.empty() && options.new_axis.empty() && !options.shape && !options.chunks.given();
  for (const NodePointer& node : a.inputs) {
    a.labels.push_back(counted(node->grid.size(), static_cast<int>(ndim - node->grid.size())));
    plain = plain && node->grid == a.inputs[0]->grid;
  }
  for (const NodePointer& node : a.inputs) {
    if (!plain) ops::require_known(*node, "map_blocks", where);
  }
  meet(a, where);
  std::vector<int> dropped, added;
  try {
    if (!options.drop_axis.empty()) dropped = Axes(options.drop_axis).resolve(static_cast<int>(ndim));
    if (!options.new_axis.empty()) {
      added = Axes(options.new_axis).resolve(static_cast<int>(ndim - dropped.size() + options.new_axis.size()));
    }
  } catch (const Error& error) {
    throw Error(at_line("map_blocks", where) + error.what());
  }
  for (const int label : counted(ndim)) {
    if (std::find(dropped.begin(), dropped.end(), label) == dropped.end()) a.out_labels.push_back(label);
  }
  // Labels that no input has.
  for (const int axis : added) a.out_labels.insert(a.out_labels.begin() + axis, static_cast<int>(ndim) + axis);
  const std::size_t rank = a.out_labels.size();
  const bool listed = options.chunks.given() && !options.chunks.each();
  if ((options.shape && options.shape->size() != rank) || (listed && options.chunks.axes().size() != rank)) {
    throw Error(at_line("map_blocks", where) + "the result has " + std::to_string(rank) +
                " axes, but shape or chunks were given for another number");
  }
  for (std::size_t axis = 0; axis < rank; ++axis) {
    const auto pieces = a.pieces.find(a.out_labels[axis]);
    a.out.push_back(result_axis(
        options, axis, pieces == a.pieces.end() ? std::nullopt : std::optional<AxisGrid>(pieces->second), where));
  }
  if (options.shape && expression::shape_of(a.out) != *options.shape) {
    throw Error(at_line("map_blocks", where) + "the chunks add up to the shape " + expression::shape_of(a.out).text() +
                ", but " + options.shape->text() + " was given");
  }
  return apply(a, options.dtype, where);
}

Array detail::blockwise(UserFunction function, const std::string& out, const std::vector<Lettered>& inputs,
                        const BlockwiseOptions& options, const Where& where) {
  Application a{"blockwise", std::move(function), {}, {}, {}, {}, {}};
  for (const Lettered& one : inputs) {
    a.inputs.push_back(one.array.node());
    ops::require_known(*a.inputs.back(), "blockwise", where);
    a.labels.emplace_back(one.letters.begin(), one.letters.end());
    if (one.letters.size() != one.array.ndim()) {
      throw Error(at_line("blockwise", where) + "the letters \"" + one.letters +
                  "\" were given for an array of shape " + one.array.shape().text() + ": one for each axis is needed");
    }
  }
  meet(a, where);
  for (const char letter : out) {
    if (std::count(out.begin(), out.end(), letter) > 1) {
      throw Error(at_line("blockwise", where) + "the result has the letter " + letter + " twice");
    }
    a.out_labels.push_back(letter);
    const auto pieces = a.pieces.find(letter);
    if (pieces != a.pieces.end()) {
      a.out.push_back(pieces->second);
      continue;
    }
    const auto fresh = std::find_if(options.new_axes.begin(), options.new_axes.end(),
                                    [letter](const auto& one) { return one.first == letter; });
    if (fresh == options.new_axes.end()) {
      throw Error(at_line("blockwise", where) + "no input has the letter " + letter +
                  " of the result: name it in .new_axes with its extent");
    }
    a.out.push_back(AxisGrid::whole(fresh->second));
  }
  return apply(a, options.dtype, where);
}

namespace {

/// "(i,j),(j)->(i),()": the names of the core dimensions of each input and of each output.
struct Cores {
  std::vector<std::vector<std::string>> inputs;
  std::vector<std::vector<std::string>> outputs;
};

Cores read_signature(const std::string& text, const Where& where) {
  const auto refuse = [&](const std::string& what) {
    throw Error(at_line("apply_gufunc", where) + "the signature \"" + text + "\" " + what +
                ": write core dimensions as \"(i,j),(j)->(i)\"");
  };
  std::string dense;
  for (const char letter : text) {
    if (letter != ' ') dense += letter;
  }
  const std::size_t arrow = dense.find("->");
  if (arrow == std::string::npos || dense.find("->", arrow + 2) != std::string::npos) refuse("has not one arrow");
  const auto groups = [&](const std::string& side) {
    std::vector<std::vector<std::string>> found;
    for (std::size_t at = 0; at < side.size();) {
      const std::size_t close = side.find(')', at);
      if (side[at] != '(' || close == std::string::npos) refuse("is not made of lists in parentheses");
      std::vector<std::string>& names = found.emplace_back();
      for (std::size_t begin = at + 1; begin < close;) {
        const std::size_t end = std::min(side.find(',', begin), close);
        if (end == begin) refuse("has an empty name");
        names.push_back(side.substr(begin, end - begin));
        begin = end + 1;
      }
      at = close + 1;
      if (at < side.size() && (side[at++] != ',' || at == side.size())) refuse("lacks a comma between two lists");
    }
    return found;
  };
  Cores cores{groups(dense.substr(0, arrow)), groups(dense.substr(arrow + 2))};
  if (cores.outputs.empty()) refuse("has no outputs");
  return cores;
}

/// What apply_gufunc is given, checked against its signature, with the labels of the core dimensions.
struct CoreLabels {
  Application application;
  std::map<std::string, int> names;
};

CoreLabels label_cores(UserFunction function, const Cores& cores, const std::string& signature,
                       const std::vector<Array>& arrays, const Where& where) {
  CoreLabels labelled{{"apply_gufunc", std::move(function), nodes_of(arrays), {}, {}, {}, {}}, {}};
  Application& a = labelled.application;
  if (cores.inputs.size() != arrays.size()) {
    throw Error(at_line(a.call, where) + "the signature \"" + signature + "\" names " +
                std::to_string(cores.inputs.size()) + " inputs, but " + std::to_string(arrays.size()) +
                " arrays were given");
  }
  if (a.function.kernel->outputs != cores.outputs.size()) {
    throw Error(at_line(a.call, where) + "the signature \"" + signature + "\" names " +
                std::to_string(cores.outputs.size()) + " outputs, but the kernel makes " +
                std::to_string(a.function.kernel->outputs));
  }
  std::size_t loops = 0;
  for (std::size_t input = 0; input < arrays.size(); ++input) {
    ops::require_known(*a.inputs[input], a.call, where);
    if (arrays[input].ndim() < cores.inputs[input].size()) {
      throw Error(at_line(a.call, where) + "input " + std::to_string(input) + " of shape " +
                  arrays[input].shape().text() + " has fewer axes than the signature \"" + signature + "\" names");
    }
    loops = std::max(loops, arrays[input].ndim() - cores.inputs[input].size());
  }
  for (std::size_t input = 0; input < arrays.size(); ++input) {
    const std::size_t outer = arrays[input].ndim() - cores.inputs[input].size();
    Labels labels = counted(outer, static_cast<int>(loops - outer));
    for (const std::string& name : cores.inputs[input]) {
      labels.push_back(labelled.names.emplace(name, static_cast<int>(loops + labelled.names.size())).first->second);
    }
    a.labels.push_back(std::move(labels));
  }
  meet(a, where);
  a.loops = loops;
  a.out_labels = counted(loops);
  for (const int label : a.out_labels) a.out.push_back(a.pieces.at(label));
  return labelled;
}

/// The extents of an output's core dimensions.
std::vector<std::int64_t> core_extents(const CoreLabels& labelled, const std::vector<std::string>& names,
                                       const GufuncOptions& options, const Where& where) {
  std::vector<std::int64_t> extents;
  for (const std::string& name : names) {
    const auto known = labelled.names.find(name);
    std::int64_t extent = known != labelled.names.end() ? labelled.application.pieces.at(known->second).extent() : -1;
    for (const auto& [given, size] : options.output_sizes) {
      if (given == name && extent < 0) extent = size;
    }
    if (extent < 0) {
      throw Error(at_line("apply_gufunc", where) + "no input has the core dimension " + name +
                  " of the output: give its extent in .output_sizes");
    }
    extents.push_back(extent);
  }
  return extents;
}

/// Several outputs: a record of them all for each place, from which each is read.
std::vector<Array> apply_many(CoreLabels labelled, const Cores& cores, const GufuncOptions& options,
                              const Where& where) {
  Application& a = labelled.application;
  constexpr std::int64_t kAligned = 16;
  const auto aligned = [](std::int64_t bytes) { return (bytes + kAligned - 1) / kAligned * kAligned; };
  if (!options.output_dtypes.empty() && options.output_dtypes.size() != cores.outputs.size()) {
    throw Error(at_line(a.call, where) + std::to_string(options.output_dtypes.size()) + " types were given for " +
                std::to_string(cores.outputs.size()) + " outputs");
  }
  const Grid loops = a.out;
  std::vector<Grid> grids;
  std::int64_t record = 0;
  for (std::size_t which = 0; which < cores.outputs.size(); ++which) {
    std::optional<Dtype> declared = options.dtype;
    if (!options.output_dtypes.empty()) declared = options.output_dtypes[which];
    const Dtype dtype = ops::kernel_result(a.call, a.function, a.inputs, declared, where, which);
    ops::RecordPart part{dtype.code(), dtype.unit(), record,
                         core_extents(labelled, cores.outputs[which], options, where)};
    record += aligned(part.bytes());
    Grid& grid = grids.emplace_back(loops);
    for (const std::int64_t extent : part.shape) grid.push_back(AxisGrid::whole(extent));
    a.parts.push_back(std::move(part));
  }
  a.out_labels.push_back(-1);
  a.out.push_back(AxisGrid::whole(record));
  const NodePointer records = apply(a, std::nullopt, where).node();
  std::vector<Array> made;
  for (std::size_t which = 0; which < grids.size(); ++which) {
    made.emplace_back(ops::part_of_record(records, a.parts[which], grids[which], where));
  }
  return made;
}

std::vector<Array> apply_cores(UserFunction function, const Cores& cores, const std::string& signature,
                               const std::vector<Array>& arrays, const GufuncOptions& options, const Where& where) {
  CoreLabels labelled = label_cores(std::move(function), cores, signature, arrays, where);
  if (cores.outputs.size() > 1) return apply_many(std::move(labelled), cores, options, where);
  Application& a = labelled.application;
  const std::vector<std::int64_t> extents = core_extents(labelled, cores.outputs[0], options, where);
  for (std::size_t at = 0; at < extents.size(); ++at) {
    const std::string& name = cores.outputs[0][at];
    const int label = labelled.names.emplace(name, static_cast<int>(a.loops + labelled.names.size())).first->second;
    // Core dimensions are whole.
    const auto pieces = a.pieces.find(label);
    if (pieces != a.pieces.end()) pieces->second = AxisGrid::whole(extents[at]);
    a.out_labels.push_back(label);
    a.out.push_back(AxisGrid::whole(extents[at]));
  }
  std::optional<Dtype> declared = options.dtype;
  if (!options.output_dtypes.empty()) declared = options.output_dtypes[0];
  return {apply(a, declared, where)};
}

}  // namespace

std::vector<Array> detail::apply_gufunc(UserFunction function, const std::string& signature,
                                        const std::vector<Array>& arrays, const GufuncOptions& options,
                                        const Where& where) {
  const Cores cores = read_signature(signature, where);
  if (!options.axis && !options.keepdims) {
    return apply_cores(std::move(function), cores, signature, arrays, options, where);
  }
  // One core dimension, wherever it is.
  std::string name;
  for (const auto* const side : {&cores.inputs, &cores.outputs}) {
    for (const auto& names : *side) {
      if (!names.empty() && name.empty()) name = names[0];
      if (names.size() > 1 || (!names.empty() && names[0] != name)) {
        throw Error(at_line("apply_gufunc", where) + "the signature \"" + signature +
                    "\" has several core dimensions: .axis and .keepdims go with one");
      }
    }
  }
  const int axis = options.axis.value_or(-1);
  std::vector<Array> moved;
  for (std::size_t input = 0; input < arrays.size(); ++input) {
    const bool has = input < cores.inputs.size() && !cores.inputs[input].empty();
    moved.push_back(has ? moveaxis(arrays[input], axis, -1, where) : arrays[input]);
  }
  std::vector<Array> made = apply_cores(std::move(function), cores, signature, moved, options, where);
  for (std::size_t output = 0; output < made.size(); ++output) {
    if (!cores.outputs[output].empty()) {
      made[output] = moveaxis(made[output], -1, axis, where);
    } else if (options.keepdims) {
      made[output] = expand_dims(made[output], axis, where);
    }
  }
  return made;
}

Array apply_over_axes(Array (*reduction)(const Array&, const ReduceOptions&, const Where&), const Array& array,
                      const Axes& axes, const Where& where) {
  Array made = array;
  for (const int axis : ops::resolve_axes("apply_over_axes", axes, array.ndim(), where)) {
    made = reduction(made, {.axis = axis, .keepdims = true}, where);
  }
  return made;
}

Array detail::apply_along_axis(UserFunction function, int axis, const Array& array, const AlongAxisOptions& options,
                               const Where& where) {
  const UserKernel& kernel = *function.kernel;
  const bool known = !kernel.generic && kernel.inputs == 1 && kernel.views[0].rank == 1 && kernel.output().rank <= 1;
  if (!known) {
    throw Error(
        at_line("apply_along_axis", where) +
        "the kernel does not take a line (ChunkView<const T, 1>) and write a number (ChunkView<R, 0>) or a line "
        "(ChunkView<R, 1>); for other kernels there is apply_gufunc");
  }
  const Array lines = moveaxis(array, axis, -1, where);
  if (kernel.output().rank == 0) {
    if (options.length) {
      throw Error(at_line("apply_along_axis", where) + ".length was given for a kernel that writes a number");
    }
    return std::move(apply_gufunc(std::move(function), "(i)->()", {lines}, {}, where).front());
  }
  const std::int64_t length = options.length.value_or(lines.shape()[lines.ndim() - 1]);
  if (length < 0) throw Error(at_line("apply_along_axis", where) + ".length is negative");
  const auto made = apply_gufunc(std::move(function), "(i)->(k)", {lines}, {.output_sizes = {{"k", length}}}, where);
  return moveaxis(made.front(), -1, axis, where);
}

Array detail::from_function(const Shape& shape, UserFunction function, const CreateOptions& options,
                            const Where& where) {
  Application a{"from_function", std::move(function), {}, {}, {}, counted(shape.size()), {}};
  const Dtype dtype = ops::kernel_result(a.call, a.function, {}, options.dtype, where);
  a.out = ops::grid_for("from_function", where, shape, options.chunks, dtype.size());
  return apply(a, dtype, where);
}

Array detail::reduction(const Array& array, UserFunction chunk, UserFunction combine, UserFunction aggregate,
                        const ReduceOptions& options, const Where& where) {
  const NodePointer& node = array.node();
  ops::require_known(*node, "reduction", where);
  const std::size_t ndim = node->grid.size();
  const std::vector<int> axes = ops::resolve_axes("reduction", options.axis, ndim, where);
  std::vector<std::uint8_t> reduced(ndim, 0);
  for (const int axis : axes) reduced[static_cast<std::size_t>(axis)] = 1;
  // As many as kFanIn partial results together, whatever the number of axes.
  const std::int64_t fan = axes.size() < 2 ? 8 : (axes.size() == 2 ? 3 : 2);
  NodePointer parts = node;
  const auto step = [&](const UserFunction& function, std::int64_t width, const std::optional<Dtype>& declared) {
    Application a{"reduction", function, {parts}, {counted(ndim)}, {}, counted(ndim), parts->grid};
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      AxisGrid pieces = parts->grid[axis];
      if (reduced[axis] != 0) {
        if (width > 0) pieces = AxisGrid::regular(pieces.extent(), width);
        a.out[axis] = AxisGrid::regular(pieces.count(), 1);
      }
      a.pieces.emplace(static_cast<int>(axis), std::move(pieces));
    }
    parts = apply(a, function.kernel->generic ? declared : std::nullopt, where).node();
  };
  step(chunk, 0, options.dtype);
  const auto left = [&] {
    std::int64_t most = 1;
    for (std::size_t axis = 0; axis < ndim; ++axis) {
      if (reduced[axis] != 0) most = std::max(most, parts->shape[axis]);
    }
    return most;
  };
  while (left() > fan) step(combine, fan, parts->dtype);
  step(aggregate, std::max<std::int64_t>(1, left()), options.dtype);
  return Array(options.keepdims ? parts : ops::drop_axes(parts, reduced, where));
}

namespace {

/// Chunks as they are, each axis split into blocks of neighbours.
struct SplitAxes {
  static constexpr const char* kName = "coarsen";
  static constexpr bool kAssembles = false;
  /// For each axis of the input; 0: it is not split.
  std::vector<std::int64_t> factors;
  void needs(const Box& out, std::vector<Need>& needs) const {
    Need need;
    std::size_t at = 0;
    for (const std::int64_t factor : factors) {
      const std::int64_t each = std::max<std::int64_t>(1, factor);
      need.box.start.push_back(out.start[at] * each);
      need.box.extent.push_back(out.extent[at] * each);
      at += factor > 0 ? 2 : 1;
    }
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr) return;
    const auto packed = c_strides(Shape(from.shape), from.dtype.size());
    kernels::copy_box(work.output.data, packed.data(), from.data, from.strides.data(), from.shape.data(),
                      from.shape.size(), from.dtype.size());
  }
};

/// The pieces moved so that each has whole blocks.
AxisGrid aligned(const AxisGrid& grid, std::int64_t factor) {
  std::vector<std::int64_t> sizes;
  std::int64_t at = 0;
  for (std::int64_t piece = 0; piece < grid.count(); ++piece) {
    const std::int64_t end = piece + 1 == grid.count() ? grid.extent() : grid.end(piece) / factor * factor;
    if (end > at) sizes.push_back(end - at);
    at = std::max(at, end);
  }
  return sizes.empty() ? AxisGrid::whole(0) : AxisGrid::of(sizes);
}

}  // namespace

ops::SplitArray ops::split_axes(const Array& array, const std::vector<std::pair<int, std::int64_t>>& factors,
                                const CoarsenOptions& options, const Where& where) {
  ops::require_known(*array.node(), "coarsen", where);
  const std::size_t ndim = array.ndim();
  SplitAxes split{std::vector<std::int64_t>(ndim, 0)};
  std::vector<Index> kept(ndim, Index(slice()));
  for (const auto& [axis, factor] : factors) {
    const auto at = ops::resolve_axis("coarsen", axis, ndim, where);
    const std::int64_t extent = array.shape()[at];
    if (factor < 1)
      throw Error(at_line("coarsen", where) + "the factor " + std::to_string(factor) + " is not positive");
    if (extent % factor != 0 && !options.trim_excess) {
      throw Error(at_line("coarsen", where) + "axis " + std::to_string(at) + " of an array of shape " +
                  array.shape().text() + " has no whole number of blocks of " + std::to_string(factor) +
                  ": give .trim_excess to leave out the rest");
    }
    kept[at] = slice(0, extent / factor * factor);
    split.factors[at] = factor;
  }
  const NodePointer part = array.at(kept, where).node();
  Grid wanted = part->grid, grid;
  std::vector<int> inner;
  for (std::size_t axis = 0; axis < ndim; ++axis) {
    const std::int64_t factor = split.factors[axis];
    if (factor == 0) {
      grid.push_back(wanted[axis]);
      continue;
    }
    wanted[axis] = aligned(wanted[axis], factor);
    std::vector<std::int64_t> sizes = wanted[axis].sizes();
    for (std::int64_t& size : sizes) size /= factor;
    grid.push_back(AxisGrid::of(sizes));
    inner.push_back(static_cast<int>(grid.size()));
    grid.push_back(AxisGrid::whole(factor));
  }
  if (inner.empty()) return {array, {}};
  const NodePointer whole = ops::rechunk_to(part, wanted, where);
  return {Array(expression::make_structural(expression::make_structure(std::move(split)), {whole}, whole->dtype, grid,
                                            where)),
          std::move(inner)};
}

Array coarsen(Array (*reduction)(const Array&, const ReduceOptions&, const Where&), const Array& array,
              const std::vector<std::pair<int, std::int64_t>>& factors, const CoarsenOptions& options,
              const Where& where) {
  const ops::SplitArray split = ops::split_axes(array, factors, options, where);
  return split.inner.empty() ? array : reduction(split.apart, {.axis = split.inner}, where);
}

}  // namespace weft::arrays
