#pragma once

#include "arrays/expression/box.hpp"

#include <weft/array.hpp>
#include <weft/callable.hpp>
#include <weft/dtype.hpp>
#include <weft/encode.hpp>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace weft::arrays::expression {

/// A box of one input that a chunk of the output is made from.
struct Need {
  std::uint32_t input = 0;
  Box box;
  /// Where the box goes in the chunk, for structures that only assemble.
  std::vector<std::int64_t> out_start;
};

/// Elements of a box in memory; strides are in bytes.
struct Block {
  std::byte* data = nullptr;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

/// What a structure's kernel is given: one block for each need, in their order, and where the chunk goes.
struct ChunkWork {
  const Box& out;
  std::span<const Need> needs;
  std::span<const Block> inputs;
  /// C order. Without data where the structure defers: allocate() gives it.
  Block output;
  /// For structures that defer: makes room for a chunk of these extents; called once.
  std::function<Block(const std::vector<std::int64_t>& extents)> allocate;
};

struct StructureType;

/// How the chunks of one array follow from boxes of others: the shape rule was applied when it was made; here is the
/// chunk mapping and the kernel. Constant.
struct Structure {
  const StructureType* type;
  std::shared_ptr<const void> parameters;
};

/// One constant for each kind of structure.
struct StructureType {
  const char* name;
  /// The chunk is the needs' boxes, each copied to its place; there is no kernel.
  bool assembles;
  /// Its kernel decides the extents of the chunk along deferred axes of its grid.
  bool defers;
  /// Its inputs may have extents that are not known before they have run.
  bool takes_deferred;
  void (*needs)(const void* parameters, const Box& out, std::vector<Need>& needs);
  void (*run)(const void* parameters, const ChunkWork& work);
  /// Writes what tells these parameters from others.
  void (*identify)(const void* parameters, Writer& writer);
  void (*encode)(const void* parameters, Writer& writer);
  std::shared_ptr<const void> (*decode)(Reader& reader);
  /// Returns an equal node whose inputs are cut into the pieces that its chunks need of them, so that only these move
  /// between processes; null where there is nothing to cut.
  NodePointer (*cut)(const void* parameters, const Node& node);
};

/// `P` holds the parameters: plain fields that travel, and
///   static constexpr const char* kName; static constexpr bool kAssembles;
///   void needs(const Box& out, std::vector<Need>& needs) const;
///   void run(const ChunkWork& work) const;
/// and, for what has to do with unknown extents, `static constexpr bool kDefers, kTakesDeferred`. A box is given with
/// one place along a deferred axis, at the start of its piece; the blocks of run() have their true shapes. With
/// `void identify(Writer&) const`, other bytes than the encoded ones tell parameters apart; `NodePointer cut(const
/// Node&) const` is StructureType's.
template <class P>
inline constexpr StructureType structure_type{
    P::kName,
    P::kAssembles,
    [] {
      if constexpr (requires { P::kDefers; }) return P::kDefers;
      return false;
    }(),
    [] {
      if constexpr (requires { P::kTakesDeferred; }) return P::kTakesDeferred;
      return false;
    }(),
    [](const void* parameters, const Box& out, std::vector<Need>& needs) {
      static_cast<const P*>(parameters)->needs(out, needs);
    },
    [](const void* parameters, const ChunkWork& work) {
      if constexpr (!P::kAssembles) static_cast<const P*>(parameters)->run(work);
    },
    [](const void* parameters, Writer& writer) {
      const P& known = *static_cast<const P*>(parameters);
      if constexpr (requires { known.identify(writer); }) {
        known.identify(writer);
      } else {
        weft::encode(writer, known);
      }
    },
    [](const void* parameters, Writer& writer) { weft::encode(writer, *static_cast<const P*>(parameters)); },
    [](Reader& reader) -> std::shared_ptr<const void> { return std::make_shared<const P>(weft::decode<P>(reader)); },
    [] {
      using Cut = NodePointer (*)(const void*, const Node&);
      if constexpr (requires(const P& known, const Node& node) { known.cut(node); }) {
        return Cut(
            [](const void* parameters, const Node& node) { return static_cast<const P*>(parameters)->cut(node); });
      } else {
        return Cut(nullptr);
      }
    }()};

template <class P>
std::shared_ptr<const Structure> make_structure(P parameters) {
  return std::make_shared<const Structure>(
      Structure{&structure_type<P>, std::make_shared<const P>(std::move(parameters))});
}

}  // namespace weft::arrays::expression
