#pragma once

#include "arrays/expression/device_structure.hpp"
#include "arrays/expression/structure.hpp"
#include "arrays/kernels/cublas.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace weft::arrays::ops {

using expression::AxisGrid;
using expression::Box;
using expression::ChunkWork;
using expression::Need;

/// A product of two arrays summed over some of their axes. Axes of the output are numbered 0, 1, ...; those summed over
/// follow. `a` and `b` give the number of each axis.
struct Contract {
  static constexpr const char* kName = "contract";
  static constexpr bool kAssembles = false;
  std::vector<std::int64_t> a;
  std::vector<std::int64_t> b;
  std::int64_t out_axes;
  /// Of the axes summed over: cut where one of the factors is; the pieces are added in order.
  std::vector<AxisGrid> inner;

  void needs(const Box& out, std::vector<Need>& needs) const;
  void run(const ChunkWork& work) const;

  /// Which axes are common to both factors and the output, the first's, the second's, or summed over; in their order.
  struct Roles {
    std::vector<std::int64_t> batch, rows, columns, summed;
  };
  Roles roles() const;
};

/// Its kernel for devices, by cuBLAS: DeviceStructure's functions.
std::optional<expression::DevicePlan> plan_product(const Contract& contract, const ChunkWork& work);
void run_product(const Contract& contract, const ChunkWork& work, const std::vector<std::byte*>& rooms,
                 const kernels::DeviceStream& stream);

/// The kernel of structures that `of` tells as a Contract.
template <class P, Contract (*of)(const P&, const ChunkWork&)>
inline constexpr expression::DeviceStructure product_on_devices{
    [](const void* parameters, const ChunkWork& work) {
      return plan_product(of(*static_cast<const P*>(parameters), work), work);
    },
    [](const void* parameters, const ChunkWork& work, const std::vector<std::byte*>& rooms,
       const kernels::DeviceStream& stream) {
      run_product(of(*static_cast<const P*>(parameters), work), work, rooms, stream);
    },
    &kernels::why_no_cublas};

}  // namespace weft::arrays::ops
