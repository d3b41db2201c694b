#pragma once

#include "io/formats/chunk_box.hpp"
#include "io/hdf5/mapping.hpp"
#include "io/hdf5/tree.hpp"

#include <functional>

/// Reading what other files have: through their own readers, chunk by chunk, without a common lock.
namespace weft::io::hdf5 {

/// Calls `use` with the file and the number of the variable that `one` of the file `own` is there. Errors name both
/// files.
void from_elsewhere(const StoredFile& own, const Variable& one, const Elsewhere& elsewhere,
                    const std::function<void(const StoredFile& file, std::size_t variable)>& use);

/// Reads a box of a virtual dataset. Sources that are not there are the fill value.
void read_virtual(const StoredFile& own, std::size_t variable, const Dataset& data, const OpenBox& box);
/// Returns the bytes that its sources take.
std::uint64_t stored_virtual(const StoredFile& own, std::size_t variable, const Dataset& data);

}  // namespace weft::io::hdf5
