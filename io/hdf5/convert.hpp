#pragma once

#include <weft/storage.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::io::hdf5 {

/// Copies a box of numbers into another type as the HDF5 library does: what is too large for the other type becomes its
/// greatest value, what is too small its least. Both in this machine's byte order; strides in bytes. Neither complex
/// nor half.
void convert_box(const ElementType& from_type, const std::byte* from, const std::vector<std::int64_t>& from_strides,
                 const std::vector<std::int64_t>& extent, const ElementType& to_type, std::byte* to,
                 const std::vector<std::int64_t>& to_strides);

}  // namespace weft::io::hdf5
