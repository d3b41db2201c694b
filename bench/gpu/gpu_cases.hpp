#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace weft::bench {

/// What one measurement of a device said.
struct GpuRow {
  std::string name;
  /// "3.91 TB/s", "6.2 us".
  std::string value;
  /// What it is measured against, and the share of it that was reached; 0: nothing to compare with.
  std::string floor;
  double share = 0;
  double goal = 0;
};

struct GpuSizes {
  /// Bytes of a chunk, and chunks of an array.
  std::size_t chunk_bytes = std::size_t{256} << 20;
  std::size_t chunks = 32;
  /// Side of the square of the expression, and of its chunks.
  std::int64_t side = 64'000, chunk_side = 8'000;
  /// Of products of matrices.
  std::int64_t matrix = 32'768, matrix_chunk = 4'096;
  int repeats = 5;
  int empty_tasks = 20'000;
};

/// Runs every case on the devices of this process, in order, or the one that is named; a case that fails is a row that
/// says why.
std::vector<GpuRow> run_gpu_cases(const GpuSizes& sizes, const std::string& only = {});

/// "| case | measured | floor | reached | goal |" and a line for each row.
std::string gpu_table(const std::vector<GpuRow>& rows);

}  // namespace weft::bench
