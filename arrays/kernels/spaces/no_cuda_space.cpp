// Stands in where this build had no nvcc.
#include "arrays/kernels/spaces/loops.hpp"

namespace weft::arrays::kernels {

const SpaceLoops* cuda_loops() { return nullptr; }
std::string cuda_architectures() { return {}; }

}  // namespace weft::arrays::kernels
