#pragma once

#include <weft/dtype.hpp>
#include <weft/storage.hpp>

#include <optional>
#include <vector>

namespace weft::labelled {

/// How stored numbers become values: CF's packing.
struct Packing {
  /// Numbers that stand for no value.
  std::vector<double> missing;
  double scale = 1;
  double offset = 0;
  bool scaled = false;

  bool any() const { return scaled || !missing.empty(); }
};

/// Reads the packing from a variable's attributes. NetCDF files have a fill value even where they do not say so.
Packing packing_of(const io::Variable& variable);
/// The type of an element as it is stored; float16 becomes float32.
Dtype stored_dtype(const io::ElementType& type);
/// The type that unpacked values have: floating, and wide enough for the packed ones.
Dtype unpacked_dtype(const io::Variable& variable, const Packing& packing);
/// Unpacks `count` stored elements that lie side by side. `out` may be `from` where the types are the same.
void unpack(const io::ElementType& stored, const Packing& packing, Dtype type, const std::byte* from,
            std::int64_t count, std::byte* out);

}  // namespace weft::labelled
