// Stands in where Kokkos was not found: plain loops over the work items, which pretended devices run; as a space of
// their own nobody asks for them.
#include <cstdint>

namespace weft::arrays::kernels {
namespace {

struct PlainLoops {};

PlainLoops host_instance() { return {}; }
template <class Item>
void each_item(PlainLoops, const char*, const Item& item) {
  const std::int64_t count = item.items();
  for (std::int64_t i = 0; i < count; ++i) item(i);
}

}  // namespace
}  // namespace weft::arrays::kernels

#include "arrays/kernels/spaces/host_loops.hpp"

namespace weft::arrays::kernels {

bool has_host_space() { return false; }
std::string host_space_text() { return "off: not found (libtrilinos-kokkos-dev, or a Kokkos that find_package finds)"; }

}  // namespace weft::arrays::kernels
