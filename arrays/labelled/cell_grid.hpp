#pragma once

#include "arrays/labelled/cell_overlaps.hpp"

#include <weft/latlon.hpp>

namespace weft::labelled {

/// The cells by their corners; where none were told, these lie midway between four centres, and as far beyond the outer
/// ones. Throws Error where there are no rows and columns of centres.
SphereCells cells_of(const CellGrid& grid);

}  // namespace weft::labelled
