#include "frames/files/hdf.hpp"

#include "frames/files/hdf_columns.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/records.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace weft::frames {
namespace {

using io::ElementKind;

constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

std::vector<HdfColumn> wanted_columns(const io::StoredFile& file, const std::string& dataset, const HdfTable& table,
                                      const std::vector<std::string>& names) {
  if (names.empty()) return table.columns;
  std::vector<HdfColumn> columns;
  for (const std::string& name : names) columns.push_back(find_column(file, dataset, table, name));
  return columns;
}

/// Tells whether the stored elements are those of the column, so that they are read into it.
bool is_as_stored(const HdfColumn& column, const io::ElementType& type) {
  return column.type != ColumnType::String && type.bytes == width_of(column.type) &&
         (type.kind != ElementKind::Unsigned || column.type == ColumnType::Bool);
}

template <class From, class To>
void widen(const std::byte* from, std::size_t rows, To* out) {
  for (std::size_t i = 0; i < rows; ++i) {
    From value;
    std::memcpy(&value, from + i * sizeof(From), sizeof(From));
    out[i] = static_cast<To>(value);
  }
}

Column text_column(const std::vector<std::string>& texts, const std::string& missing) {
  Chunk<std::int64_t> ends(texts.size());
  std::size_t size = 0;
  bool any = false;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const bool none = !missing.empty() && texts[i] == missing;
    any = any || none;
    size += none ? 0 : texts[i].size();
    ends[i] = static_cast<std::int64_t>(size);
  }
  Buffer bytes = size == 0 ? Buffer() : Buffer::allocate(size);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t count = static_cast<std::size_t>(ends[i]) - begin;
    if (count != 0) std::memcpy(bytes.data() + begin, texts[i].data(), count);
    begin += count;
  }
  Column column = Column::strings(std::move(ends), std::move(bytes));
  if (any) {
    std::uint8_t* const marks = column.make_marks();
    for (std::size_t i = 0; i < texts.size(); ++i) marks[i] = texts[i] == missing ? 0 : 1;
  }
  return column;
}

/// Makes the column of elements as they are stored.
Column converted(const io::StoredFile& file, const HdfColumn& wanted, const std::vector<std::byte>& stored,
                 std::size_t rows) {
  const io::ElementType& type = file.variables()[wanted.variable].type;
  if (wanted.type == ColumnType::String)
    return text_column(io::records_of(file)->texts(wanted.variable, stored), wanted.missing);
  Column column(wanted.type, rows);
  const std::byte* const from = stored.data();
  const bool is_signed = type.kind == ElementKind::Integer;
  if (wanted.type == ColumnType::Int32) {
    std::int32_t* const out = column.data<std::int32_t>();
    if (type.bytes == 1) is_signed ? widen<std::int8_t>(from, rows, out) : widen<std::uint8_t>(from, rows, out);
    if (type.bytes == 2) is_signed ? widen<std::int16_t>(from, rows, out) : widen<std::uint16_t>(from, rows, out);
  } else if (wanted.type == ColumnType::Int64 && type.bytes == 4) {
    widen<std::uint32_t>(from, rows, column.data<std::int64_t>());
  } else if (wanted.type == ColumnType::Int64) {
    std::int64_t* const out = column.data<std::int64_t>();
    widen<std::int64_t>(from, rows, out);
    const std::int64_t* const large = std::find_if(out, out + rows, [](std::int64_t value) { return value < 0; });
    if (large != out + rows)
      io::fail(file.path(), "column '" + wanted.name + "' has " + std::to_string(static_cast<std::uint64_t>(*large)) +
                                ", which is more than an int64 holds");
  } else {
    std::vector<double> wide(rows);
    io::to_doubles(type, from, static_cast<std::int64_t>(rows), wide.data());
    for (std::size_t i = 0; i < rows; ++i) column.data<float>()[i] = static_cast<float>(wide[i]);
  }
  return column;
}

/// Makes what was read into the column mean what it should: truths 0 or 1, times nanoseconds.
void settle(const std::string& path, const HdfColumn& wanted, Column& column) {
  const std::size_t rows = column.size();
  if (wanted.type == ColumnType::Bool) {
    auto* const flags = column.data<std::uint8_t>();
    for (std::size_t i = 0; i < rows; ++i) flags[i] = flags[i] != 0 ? 1 : 0;
  }
  if (wanted.type != ColumnType::Timestamp) return;
  auto* const times = column.data<std::int64_t>();
  if (std::find(times, times + rows, kNoTime) != times + rows) {
    std::uint8_t* const marks = column.make_marks();
    for (std::size_t i = 0; i < rows; ++i) {
      if (times[i] == kNoTime) marks[i] = 0;
      if (times[i] == kNoTime) times[i] = 0;
    }
  }
  if (wanted.unit_ns == 1) return;
  for (std::size_t i = 0; i < rows; ++i) {
    if (__builtin_mul_overflow(times[i], wanted.unit_ns, &times[i]))
      io::fail(path, "column '" + wanted.name + "' has a time that nanoseconds since 1970 cannot tell");
  }
}

/// Throws where a file tells of more bytes than the densest packing holds, before anybody makes room for them.
void check_size(const io::StoredFile& file, const std::string& dataset, std::uint64_t rows, std::uint64_t row_bytes) {
  const std::uint64_t most = (std::uint64_t{256} << 20) + 70000 * file.file_bytes();
  if (rows > most / std::max<std::uint64_t>(1, row_bytes))
    io::fail(file.path(), "'" + dataset + "' tells of " + std::to_string(rows) +
                              " rows, more than the file can hold: it is damaged");
}

void add_pieces(const std::string& path, const HdfTable& table, std::uint64_t chunk_rows, HdfPlan& plan) {
  const auto rows = static_cast<std::uint64_t>(table.rows);
  std::uint64_t each = chunk_rows == 0 ? rows : chunk_rows;
  const auto stored = static_cast<std::uint64_t>(table.stored_rows);
  if (chunk_rows != 0 && stored != 0 && each > stored) each -= each % stored;
  // A table counts its rows with 32 bits.
  each = std::min<std::uint64_t>(each, 0xfffffff0u);
  for (std::uint64_t first = 0; first < rows; first += each)
    plan.pieces.push_back({path, first, std::min(rows, first + each)});
}

}  // namespace

HdfPlan plan_hdf(const std::vector<std::string>& paths, const std::string& dataset, const HdfOptions& options) {
  if (paths.empty()) throw Error("read_hdf was given no files");
  HdfPlan plan;
  for (const std::string& path : paths) {
    const std::shared_ptr<const io::StoredFile> file = io::open_shared(path);
    const HdfTable table = hdf_table(*file, dataset, options.columns);
    check_size(*file, dataset, static_cast<std::uint64_t>(table.rows), 1);
    std::vector<Table::Named> columns;
    for (const HdfColumn& one : wanted_columns(*file, dataset, table, options.columns))
      columns.push_back({one.name, Column::of(one.type, {})});
    Table schema(std::move(columns));
    if (&path == &paths.front()) {
      plan.schema = std::move(schema);
    } else {
      require_equal_columns(paths.front(), plan.schema, path, schema);
    }
    add_pieces(path, table, options.chunk_rows, plan);
  }
  // A table without rows still has columns.
  if (plan.pieces.empty()) plan.pieces.push_back({paths.front(), 0, 0});
  return plan;
}

Table read_hdf_piece(const FilePiece& piece, const std::string& dataset, const std::vector<std::string>& columns) {
  const std::shared_ptr<const io::StoredFile> file = io::open_shared(piece.path);
  const HdfTable table = hdf_table(*file, dataset, columns);
  if (piece.first > piece.end || piece.end > static_cast<std::uint64_t>(table.rows))
    io::fail(piece.path, "'" + dataset + "' has " + std::to_string(table.rows) + " rows, but row " +
                             std::to_string(piece.end) + " was asked for: it changed after it was looked at");
  const std::vector<HdfColumn> wanted = wanted_columns(*file, dataset, table, columns);
  const auto rows = static_cast<std::size_t>(piece.end - piece.first);
  std::uint64_t row_bytes = 0;
  for (const HdfColumn& one : wanted) row_bytes += file->variables()[one.variable].type.bytes;
  check_size(*file, dataset, rows, row_bytes);
  std::vector<Column> made(wanted.size());
  std::vector<std::vector<std::byte>> stored(wanted.size());
  std::vector<io::StoredBox> boxes;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const io::Variable& one = file->variables()[wanted[i].variable];
    io::StoredBox box;
    box.variable = wanted[i].variable;
    box.start = {static_cast<std::int64_t>(piece.first)};
    box.extent.assign(one.shape.size(), 1);
    box.extent[0] = static_cast<std::int64_t>(rows);
    box.start.insert(box.start.end(), wanted[i].inner.begin(), wanted[i].inner.end());
    box.strides.assign(one.shape.size(), static_cast<std::int64_t>(one.type.bytes));
    if (is_as_stored(wanted[i], one.type)) {
      made[i] = Column(wanted[i].type, rows);
      box.out = made[i].data<std::byte>();
    } else {
      stored[i].resize(rows * one.type.bytes);
      box.out = stored[i].data();
    }
    boxes.push_back(std::move(box));
  }
  io::records_of(*file)->read_together(boxes);
  std::vector<Table::Named> named;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (is_as_stored(wanted[i], file->variables()[wanted[i].variable].type)) {
      settle(piece.path, wanted[i], made[i]);
    } else {
      made[i] = converted(*file, wanted[i], stored[i], rows);
      stored[i] = {};
    }
    named.push_back({wanted[i].name, std::move(made[i])});
  }
  return Table(std::move(named));
}

}  // namespace weft::frames
