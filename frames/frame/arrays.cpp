#include "frames/plan/pipeline.hpp"

#include <weft/error.hpp>
#include <weft/frame_arrays.hpp>
#include <weft/ops/creation.hpp>

#include <cstring>

namespace weft {
namespace {

using frames::PipelineStep;

/// Gives a table's columns as rows of float64.
struct RowsAsNumbers {
  Buffer operator()(const Table& table) const {
    const std::size_t rows = table.row_count(), columns = table.column_count();
    Buffer all = rows * columns == 0 ? Buffer() : Buffer::allocate(rows * columns * sizeof(double));
    auto* const out = reinterpret_cast<double*>(all.data());
    for (std::size_t k = 0; k < columns; ++k) {
      const Column column = table[k].cast(ColumnType::Float64);
      for (std::size_t i = 0; i < rows; ++i) out[i * columns + k] = column.data<double>()[i];
    }
    return all;
  }
};

struct CountOf {
  std::int64_t operator()(const Table& table) const { return table["rows"].data<std::int64_t>()[0]; }
};

/// Gives a chunk's rows as columns.
template <class T>
struct ChunkAsTable {
  Table operator()(const Buffer& chunk, const std::vector<std::string>& names, ColumnType type) const {
    const std::size_t columns = names.size(), rows = chunk.size() / sizeof(T) / columns;
    const T* const in = reinterpret_cast<const T*>(chunk.data());
    Table table;
    for (std::size_t k = 0; k < columns; ++k) {
      Column column(type, rows);
      for (std::size_t i = 0; i < rows; ++i) column.data<T>()[i] = in[i * columns + k];
      table.set(names[k], std::move(column));
    }
    return table;
  }
};

template <class T>
DataFrame from_chunks(const Array& array, const std::vector<std::string>& names, ColumnType type,
                      const std::source_location& where) {
  const DelayedFunction<ChunkAsTable<T>> make({}, where);
  std::vector<Delayed<Table>> tables;
  for (const Delayed<Buffer>& chunk : arrays::to_delayed(array)) tables.push_back(make(chunk, names, type));
  Table meta;
  for (const std::string& name : names) meta.set(name, Column(type, 0));
  return DataFrame::from_delayed(std::move(tables), meta, where);
}

}  // namespace

Array to_array(const Client& client, const DataFrame& frame, const std::source_location& where) {
  for (const Table::Named& one : frame.meta().columns()) {
    if (one.column.type() == ColumnType::String || one.column.type() == ColumnType::Category)
      throw Error("to_array: column '" + one.name + "' is of " + std::string(name_of(one.column.type())) +
                  ", which no array holds: leave it out, or use codes()");
  }
  const frames::SharedPlan counted = frames::with_step(frame.plan(), {.kind = PipelineStep::Kind::CountRows});
  std::vector<Delayed<std::int64_t>> counts;
  const DelayedFunction<CountOf> count({}, where);
  for (const Delayed<Table>& one : frames::describe(*counted, where)) counts.push_back(count(one));
  std::vector<std::vector<std::int64_t>> sizes = {client.gather(client.persist(counts))};
  const std::vector<Delayed<Table>> tables = frame.to_delayed(where);
  const DelayedFunction<RowsAsNumbers> numbers({}, where);
  std::vector<Delayed<Buffer>> chunks;
  std::vector<std::int64_t> kept;
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (sizes[0][i] == 0 && tables.size() > 1) continue;
    kept.push_back(sizes[0][i]);
    chunks.push_back(numbers(tables[i]));
  }
  if (kept.empty()) throw Error("to_array: the frame has no rows");
  sizes[0] = std::move(kept);
  const std::size_t columns = frame.meta().column_count();
  if (columns != 1) sizes.push_back({static_cast<std::int64_t>(columns)});
  return arrays::from_delayed(chunks, dtype_of<double>(), sizes, where);
}

Array to_array(const Client& client, const Series& series, const std::source_location& where) {
  return to_array(client, series.to_frame(), where);
}

DataFrame from_array(const Array& array, const std::vector<std::string>& names, const std::source_location& where) {
  const std::size_t columns = array.shape().size() == 2 ? static_cast<std::size_t>(array.shape()[1]) : 1;
  if (array.shape().size() == 0 || array.shape().size() > 2 || names.size() != columns)
    throw Error(
        "from_array: an array of one or two dimensions was expected, with a name for each of its columns; it has " +
        std::to_string(array.shape().size()) + " dimensions, and there are " + std::to_string(names.size()) + " names");
  if (array.shape().size() == 2 && array.chunks()[1].size() != 1)
    throw Error("from_array: rows are cut into chunks: rechunk({{1, -1}}) joins them");
  if (array.dtype() == dtype_of<double>()) return from_chunks<double>(array, names, ColumnType::Float64, where);
  if (array.dtype() == dtype_of<float>()) return from_chunks<float>(array, names, ColumnType::Float32, where);
  if (array.dtype() == dtype_of<std::int64_t>())
    return from_chunks<std::int64_t>(array, names, ColumnType::Int64, where);
  if (array.dtype() == dtype_of<std::int32_t>())
    return from_chunks<std::int32_t>(array, names, ColumnType::Int32, where);
  throw Error("from_array: columns are of float64, float32, int64 or int32: astype makes one of these");
}

}  // namespace weft
