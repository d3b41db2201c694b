#pragma once

#include <weft/ops/overlap.hpp>

#include <memory>
#include <span>

namespace weft::labelled {

/// A kernel of any rank that writes its chunk in place, for map_overlap and map_blocks: `P` has fields that travel, and
///   void run(const RawView& in, const RawView& out, const BlockInfo& info) const;
/// Both views are in C order without gaps.
template <class P>
arrays::detail::UserFunction block_kernel(P parameters, const std::source_location& where) {
  using arrays::detail::RawView;
  static constexpr arrays::detail::UserKernel kKernel{
      nullptr,
      1,
      true,
      [](const void* callable, std::span<const RawView> inputs, std::span<const RawView> outputs,
         const BlockInfo& info) { static_cast<const P*>(callable)->run(inputs[0], outputs[0], info); },
      nullptr,
      [](const void* callable, Writer& writer) { weft::encode(writer, *static_cast<const P*>(callable)); },
      [](const void* callable, Writer& writer, const SourceLine&) {
        weft::encode(writer, *static_cast<const P*>(callable));
      },
      [](Reader& reader) -> std::shared_ptr<const void> { return std::make_shared<const P>(weft::decode<P>(reader)); },
      1};
  return {&kKernel, std::make_shared<const P>(std::move(parameters)), where};
}

}  // namespace weft::labelled
