#pragma once

#include "arrays/expression/grid.hpp"
#include "arrays/expression/index_map.hpp"
#include "arrays/expression/structure.hpp"
#include "arrays/kernels/tile_kernels.hpp"

#include <weft/array.hpp>
#include <weft/delayed.hpp>
#include <weft/ops/kernel.hpp>

#include <memory>
#include <source_location>
#include <string>
#include <vector>

namespace weft::arrays::expression {

using kernels::OpCode;
using kernels::ReduceCode;

/// Names a content: equal keys mean equal values, so that equal sub-expressions run once.
struct Key {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Key&) const = default;
};

enum class NodeKind : std::uint8_t {
  Generated,    ///< a function of the index: constant, ramp, random
  Stored,       ///< chunks that tasks hold: persisted or imported
  Elementwise,  ///< an operation of elementwise.def, or a function of the program, on inputs of the same shape
  Cast,         ///< the input in another type
  View,         ///< elements of the input at mapped places
  Reduced,      ///< a reduction of the input along axes, which are kept with extent 1
  Structural,   ///< chunks assembled or computed from boxes of the inputs
};

/// A function of the index.
struct Generator {
  enum Kind : std::uint8_t { Constant, Ramp, Uniform, Normal, Integers, Exponential };
  std::uint8_t kind = Constant;
  TypeCode type = TypeCode::Float64;
  /// Constant: the bytes of the value. Ramp: start and step as doubles or integers. Random: two parameters.
  std::uint64_t words[2] = {0, 0};
  std::uint64_t seed = 0;
  bool operator==(const Generator&) const = default;
};

/// What is made of a reduction's state in the end.
enum class Finish : std::uint8_t { Value, Mean, Var, Std, Place, CountedMean, CountedVar, CountedStd };

struct ReduceSpec {
  ReduceCode code = ReduceCode::Sum;
  Finish finish = Finish::Value;
  /// For each axis: whether it is reduced.
  std::vector<std::uint8_t> reduced;
  /// Elements behind each output.
  double count = 0;
  double ddof = 0;
  TypeCode out = TypeCode::Float64;
  /// For arg-reductions: how the noted index grows along each axis of the input.
  std::vector<std::int64_t> place_strides;
};

/// A step of an array expression. Constant after construction; shared by all that use it.
struct Node {
  NodeKind kind = NodeKind::Generated;
  Dtype dtype;
  Shape shape;
  Grid grid;
  Key key;
  std::vector<NodePointer> inputs;
  std::string name;
  std::source_location where;

  Generator generator;
  OpCode op{};
  /// Of an elementwise step: what computes it, where that is no operation of elementwise.def.
  detail::UserFunction user;
  /// Of an elementwise step: the type its inputs are converted to; of a cast: the type its input is read as.
  TypeCode compute_type = TypeCode::Float64;
  IndexMap map;
  ReduceSpec reduce;
  std::shared_ptr<const Structure> structure;
  std::vector<Delayed<Buffer>> chunks;
};

/// Builds a key from what makes a content what it is.
class Fingerprint {
 public:
  explicit Fingerprint(const char* kind);
  Fingerprint& add(const void* bytes, std::size_t count);
  Fingerprint& add(const Key& key) { return add(&key, sizeof key); }
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) Fingerprint& add(T value) { return add(&value, sizeof value); }
  Fingerprint& add(const Grid& grid);
  Key key() const { return key_; }

 private:
  Key key_;
};

// Makers: each checks nothing (the operations do) and fills in shape and key.
NodePointer make_generated(const Generator& generator, Dtype dtype, Grid grid, std::string name,
                           const std::source_location& where);
NodePointer make_stored(Dtype dtype, Grid grid, std::vector<Delayed<Buffer>> chunks, std::string name,
                        const std::source_location& where);
NodePointer make_elementwise(OpCode op, TypeCode compute_type, Dtype dtype, Grid grid, std::vector<NodePointer> inputs,
                             const std::source_location& where);
NodePointer make_elementwise(detail::UserFunction function, Grid grid, std::vector<NodePointer> inputs,
                             const std::source_location& where);
NodePointer make_cast(const NodePointer& input, Dtype dtype, const std::source_location& where);
/// Reads the input's bytes as another type of the same size.
NodePointer make_reinterpreted(const NodePointer& input, Dtype dtype, const std::source_location& where);
/// Returns times in another unit: make_cast's way to what is an expression of its own (ops/times.cpp).
NodePointer convert_unit(const NodePointer& input, Dtype dtype, const std::source_location& where);
NodePointer make_view(const NodePointer& input, IndexMap map, Grid grid, std::string name,
                      const std::source_location& where);
NodePointer make_reduced(const NodePointer& input, ReduceSpec spec, Dtype dtype, std::string name,
                         const std::source_location& where);
NodePointer make_structural(std::shared_ptr<const Structure> structure, std::vector<NodePointer> inputs, Dtype dtype,
                            Grid grid, const std::source_location& where);

/// Begins an error: "sum (analysis.cpp:12): ".
std::string at_line(const char* operation, const std::source_location& where);
/// Throws Error where an extent of the node is not known before it has run.
void require_known(const Node& node, const char* operation, const std::source_location& where);

/// Returns the constant as an array without dimensions.
NodePointer make_constant(const Scalar& value, Dtype dtype, const std::source_location& where);
/// Returns the input's elements as an array of the grid's shape; the input's axes align with the last ones.
NodePointer broadcast_to_grid(const NodePointer& input, const Grid& grid, const std::source_location& where);

}  // namespace weft::arrays::expression
