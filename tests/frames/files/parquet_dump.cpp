// Shows what is read of a Parquet file or an HDF5 file, for a script that compares it with what others read:
//   dump FILE [COLUMN...]           each value on a line: "-" missing, numbers, strings as hexadecimal bytes
//   hdf DATASET ROWS FILE [COLUMN...]  the same of HDF5, in partitions of so many rows
//   bounds FILE                     what the statistics say, a line for each column of each row group
//   copy FROM TO CODEC ROWS         reads all and writes it again
#include "frames/files/hdf.hpp"
#include "frames/files/parquet.hpp"

#include <weft/error.hpp>

#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

namespace {

using weft::Cell;
using weft::Column;
using weft::Table;

std::string text_of(const Cell& cell) {
  char text[64];
  if (cell.index() == 0) return "-";
  if (const auto* const flag = std::get_if<bool>(&cell)) return *flag ? "1" : "0";
  if (const auto* const whole = std::get_if<std::int64_t>(&cell)) return std::to_string(*whole);
  if (const auto* const real = std::get_if<double>(&cell)) {
    std::snprintf(text, sizeof text, "%a", *real);
    return text;
  }
  std::string out = "x";
  for (const char c : std::get<std::string>(cell)) {
    std::snprintf(text, sizeof text, "%02x", static_cast<unsigned char>(c));
    out += text;
  }
  return out;
}

Table read_all(const std::string& path, const std::vector<std::string>& columns) {
  const weft::frames::ParquetPlan plan = weft::frames::plan_parquet({path}, {columns, 0});
  std::vector<Table> parts;
  for (const weft::frames::FilePiece& piece : plan.pieces)
    parts.push_back(weft::frames::read_parquet_piece(piece, columns));
  return Table::concat(parts);
}

Table read_all_hdf(const std::string& path, const std::string& dataset, const weft::HdfOptions& options) {
  std::vector<Table> parts;
  for (const weft::frames::FilePiece& piece : weft::frames::plan_hdf({path}, dataset, options).pieces)
    parts.push_back(weft::frames::read_hdf_piece(piece, dataset, options.columns));
  return Table::concat(parts);
}

void show(const Table& table) {
  for (const Table::Named& one : table.columns()) {
    std::printf("column %s %s %zu\n", one.name.c_str(), std::string(weft::name_of(one.column.type())).c_str(),
                one.column.size());
    for (std::size_t i = 0; i < one.column.size(); ++i) std::puts(text_of(one.column.cell(i)).c_str());
  }
}

int run(const std::vector<std::string>& words) {
  if (words.size() >= 2 && words[0] == "dump") {
    show(read_all(words[1], {words.begin() + 2, words.end()}));
    return 0;
  }
  if (words.size() >= 4 && words[0] == "hdf") {
    show(read_all_hdf(words[3], words[1], {{words.begin() + 4, words.end()}, std::stoull(words[2])}));
    return 0;
  }
  if (words.size() == 2 && words[0] == "bounds") {
    const weft::frames::ParquetPlan plan = weft::frames::plan_parquet({words[1]}, {});
    for (std::size_t i = 0; i < plan.pieces.size(); ++i) {
      for (const weft::frames::ColumnBounds& one : plan.bounds[i])
        std::printf("%zu %s %s %s %lld\n", i, one.column.c_str(), text_of(one.least).c_str(), text_of(one.most).c_str(),
                    static_cast<long long>(one.missing));
    }
    return 0;
  }
  if (words.size() == 5 && words[0] == "copy") {
    weft::frames::write_parquet(words[2], read_all(words[1], {}), {words[3], std::stoull(words[4])});
    return 0;
  }
  std::fputs("dump FILE [COLUMN...] | hdf DATASET ROWS FILE [COLUMN...] | bounds FILE | copy FROM TO CODEC ROWS\n",
             stderr);
  return 2;
}

}  // namespace

int main(int count, char** words) {
  try {
    return run({words + 1, words + count});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
