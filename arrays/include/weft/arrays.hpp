#pragma once

// All of arrays.
#include <weft/array.hpp>
#include <weft/array_plan.hpp>
#include <weft/ops/blocks.hpp>
#include <weft/ops/creation.hpp>
#include <weft/ops/cumulative.hpp>
#include <weft/ops/distributions.hpp>
#include <weft/ops/elementwise.hpp>
#include <weft/ops/fft.hpp>
#include <weft/ops/files.hpp>
#include <weft/ops/linalg.hpp>
#include <weft/ops/linear_algebra.hpp>
#include <weft/ops/masked.hpp>
#include <weft/ops/masks.hpp>
#include <weft/ops/numbers.hpp>
#include <weft/ops/overlap.hpp>
#include <weft/ops/pad.hpp>
#include <weft/ops/reductions.hpp>
#include <weft/ops/shaping.hpp>
#include <weft/ops/sorting.hpp>
#include <weft/ops/statistics.hpp>
#include <weft/ops/stats.hpp>
#include <weft/ops/store.hpp>
#include <weft/ops/structure.hpp>
#include <weft/random.hpp>
#include <weft/times.hpp>
