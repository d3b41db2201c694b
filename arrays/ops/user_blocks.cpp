// How kernels of a program are run on chunks.
#include "arrays/ops/user_blocks.hpp"

#include "arrays/kernels/copy.hpp"

#include <weft/error.hpp>

namespace weft::arrays {
namespace detail {
namespace {

std::string list_text(const std::vector<std::int64_t>& numbers) { return Shape(numbers).text(); }

}  // namespace

NDArray array_of(const RawView& view) {
  return NDArray::view(view.data, view.dtype, Shape(view.shape), view.strides, nullptr);
}

void identify(const UserFunction& function, Writer& writer) {
  encode_address(writer, function.kernel);
  function.kernel->identify(function.callable.get(), writer);
}

void take_result(const NDArray& result, const RawView& output, const BlockInfo& info) {
  const auto refuse = [&](const std::string& what, const std::string& mine, const std::string& declared) {
    throw Error("the kernel returned an array of " + what + " " + mine + " for chunk " + list_text(info.location) +
                ", but " + declared + " was declared: declare the " + what + " it returns");
  };
  if (result.dtype() != output.dtype) refuse("type", result.dtype().name(), output.dtype.name());
  Shape trimmed = result.shape();
  const std::byte* from = result.data();
  if (trimmed.vector() != output.shape && trimmed.size() == info.before.size()) {
    // A kernel on chunks with margins may return them too.
    for (std::size_t axis = 0; axis < trimmed.size(); ++axis) {
      trimmed[axis] -= info.before[axis] + info.after[axis];
      from += info.before[axis] * result.strides()[axis];
    }
  }
  if (trimmed.vector() != output.shape) refuse("shape", result.shape().text(), list_text(output.shape));
  kernels::copy_box(output.data, output.strides.data(), from, result.strides().data(), output.shape.data(),
                    output.shape.size(), output.dtype.size());
}

}  // namespace detail

namespace ops {

using expression::Block;
using expression::Box;
using expression::ChunkWork;
using expression::Need;

detail::RawView raw_view(const Block& block) { return {block.data, block.dtype, block.shape, block.strides}; }

BlockInfo block_info(const Grid& grid, const Box& box) {
  BlockInfo info;
  for (std::size_t axis = 0; axis < grid.size(); ++axis) {
    info.location.push_back(grid[axis].find(box.start[axis]));
    info.count.push_back(grid[axis].count());
  }
  info.start = box.start;
  info.shape = box.extent;
  info.before.assign(grid.size(), 0);
  info.after.assign(grid.size(), 0);
  return info;
}

void UserBlocks::identify(Writer& writer) const {
  detail::identify(function, writer);
  weft::encode(writer, inputs);
  weft::encode(writer, out);
  weft::encode(writer, loops);
  weft::encode(writer, parts);
}

std::int64_t RecordPart::bytes() const { return Shape(shape).elements() * static_cast<std::int64_t>(dtype().size()); }

void UserBlocks::needs(const Box& box, std::vector<Need>& needs) const {
  const BlockInfo info = block_info(out, box);
  for (std::size_t input = 0; input < inputs.size(); ++input) {
    Need need;
    need.input = static_cast<std::uint32_t>(input);
    for (const InputAxis& axis : inputs[input]) {
      const bool whole = axis.out_axis < 0;
      const std::int64_t piece = whole ? 0 : info.location[static_cast<std::size_t>(axis.out_axis)];
      need.box.start.push_back(axis.stretched || whole ? 0 : axis.grid.start(piece));
      need.box.extent.push_back(axis.stretched ? 1 : (whole ? axis.grid.extent() : axis.grid.size(piece)));
    }
    needs.push_back(std::move(need));
  }
}

void UserBlocks::run(const ChunkWork& work) const {
  if (work.output.data == nullptr || Shape(work.output.shape).elements() == 0) return;
  BlockInfo info = block_info(out, work.out);
  info.shape = work.output.shape;
  std::vector<detail::RawView> views;
  // How each input moves along the axes that are looped over.
  std::vector<std::vector<std::int64_t>> moves(inputs.size() + 1, std::vector<std::int64_t>(loops, 0));
  for (std::size_t input = 0; input < inputs.size(); ++input) {
    detail::RawView whole = raw_view(work.inputs[input]);
    detail::RawView view{whole.data, whole.dtype, {}, {}};
    for (std::size_t axis = 0; axis < inputs[input].size(); ++axis) {
      const InputAxis& follows = inputs[input][axis];
      const auto to = static_cast<std::size_t>(follows.out_axis);
      const std::int64_t stride = follows.stretched ? 0 : whole.strides[axis];
      if (follows.out_axis >= 0 && to < loops) {
        moves[input][to] = stride;
        continue;
      }
      std::int64_t extent = whole.shape[axis];
      if (follows.stretched) extent = follows.grid.size(follows.out_axis < 0 ? 0 : info.location[to]);
      view.shape.push_back(extent);
      view.strides.push_back(stride);
    }
    views.push_back(std::move(view));
  }
  std::vector<detail::RawView> to;
  const auto first = static_cast<std::ptrdiff_t>(loops);
  moves.back().assign(work.output.strides.begin(), work.output.strides.begin() + first);
  if (parts.empty()) {
    to.push_back(raw_view(work.output));
    to[0].strides.erase(to[0].strides.begin(), to[0].strides.begin() + first);
    to[0].shape.erase(to[0].shape.begin(), to[0].shape.begin() + first);
  }
  for (const RecordPart& part : parts) {
    to.push_back(
        {work.output.data + part.offset, part.dtype(), part.shape, c_strides(Shape(part.shape), part.dtype().size())});
  }
  if (!parts.empty()) {
    // The record's axis is no axis of an output.
    for (auto* const of : {&info.location, &info.count, &info.start, &info.shape, &info.before, &info.after}) {
      of->resize(loops);
    }
  }
  std::vector<std::int64_t> at(loops, 0);
  const auto move = [&](std::size_t axis, std::int64_t steps) {
    for (std::size_t input = 0; input < views.size(); ++input) views[input].data += moves[input][axis] * steps;
    for (detail::RawView& one : to) one.data += moves.back()[axis] * steps;
  };
  for (;;) {
    function.kernel->run(function.callable.get(), views, to, info);
    std::size_t axis = loops;
    for (;;) {
      if (axis-- == 0) return;
      move(axis, 1);
      if (++at[axis] < work.output.shape[axis]) break;
      move(axis, -at[axis]);
      at[axis] = 0;
    }
  }
}

namespace {

/// Some bytes of each record, as elements.
struct PartOfRecord {
  static constexpr const char* kName = "apply_gufunc";
  static constexpr bool kAssembles = false;
  std::int64_t offset;
  std::int64_t bytes;
  std::uint64_t loops;
  void needs(const Box& out, std::vector<Need>& needs) const {
    Need need;
    const auto first = static_cast<std::ptrdiff_t>(loops);
    need.box.start.assign(out.start.begin(), out.start.begin() + first);
    need.box.extent.assign(out.extent.begin(), out.extent.begin() + first);
    need.box.start.push_back(offset);
    need.box.extent.push_back(bytes);
    needs.push_back(std::move(need));
  }
  void run(const ChunkWork& work) const {
    const Block& from = work.inputs[0];
    if (from.data == nullptr || bytes == 0) return;
    std::vector<std::int64_t> strides(work.output.strides.begin(),
                                      work.output.strides.begin() + static_cast<std::ptrdiff_t>(loops));
    strides.push_back(1);
    kernels::copy_box(work.output.data, strides.data(), from.data, from.strides.data(), from.shape.data(),
                      from.shape.size(), 1);
  }
};

}  // namespace

NodePointer part_of_record(const NodePointer& records, const RecordPart& part, const Grid& grid,
                           const std::source_location& where) {
  const PartOfRecord reads{part.offset, part.bytes(), records->grid.size() - 1};
  return expression::make_structural(expression::make_structure(reads), {records}, part.dtype(), grid, where);
}

namespace {

std::string view_text(const detail::ViewType& view) {
  return "a view of " + view.dtype.name() + " with " + std::to_string(view.rank) + " axes";
}

/// Times are counted in int64.
bool sees(Dtype view, Dtype array) { return view == array || (array.is_time() && view == int64); }

}  // namespace

void check_kernel(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                  const std::vector<std::size_t>& ranks, const std::vector<std::size_t>& out_ranks,
                  const std::source_location& where) {
  const detail::UserKernel& kernel = *function.kernel;
  if (kernel.inputs != inputs.size()) {
    throw Error(at_line(call, where) + "the kernel takes " + std::to_string(kernel.inputs) + " arrays, but " +
                std::to_string(inputs.size()) + " were given");
  }
  if (kernel.outputs != out_ranks.size()) {
    throw Error(at_line(call, where) + "the kernel makes " + std::to_string(kernel.outputs) + " arrays, but " +
                std::to_string(out_ranks.size()) + (out_ranks.size() == 1 ? " is" : " are") + " wanted of it");
  }
  if (kernel.generic) return;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const detail::ViewType& view = kernel.views[i];
    if (sees(view.dtype, inputs[i]->dtype) && view.rank == ranks[i]) continue;
    throw Error(at_line(call, where) + "the kernel takes " + view_text(view) + " as input " + std::to_string(i) +
                ", but is given " + view_text({inputs[i]->dtype, ranks[i]}) + " of an array of shape " +
                inputs[i]->shape.text() + ": change the kernel's signature, or convert the array with astype");
  }
  for (std::size_t i = 0; i < out_ranks.size(); ++i) {
    if (kernel.output(i).rank == out_ranks[i]) continue;
    throw Error(at_line(call, where) + "the kernel writes " + view_text(kernel.output(i)) + ", but the result has " +
                std::to_string(out_ranks[i]) + ": change the kernel's signature, or say which axes it drops or adds");
  }
}

Dtype kernel_result(const char* call, const detail::UserFunction& function, const std::vector<NodePointer>& inputs,
                    const std::optional<Dtype>& declared, const std::source_location& where, std::size_t which) {
  const detail::UserKernel& kernel = *function.kernel;
  if (kernel.generic) return declared ? *declared : (inputs.empty() ? float64 : inputs[0]->dtype);
  if (declared && !sees(kernel.output(which).dtype, *declared)) {
    throw Error(at_line(call, where) + "dtype " + declared->name() + " was declared, but the kernel writes " +
                kernel.output(which).dtype.name());
  }
  return declared.value_or(kernel.output(which).dtype);
}

}  // namespace ops
}  // namespace weft::arrays
