#pragma once

#include <weft/buffer.hpp>

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weft {

/// What a column holds. Timestamps are nanoseconds since 1970 in UTC; categories are codes into a list of strings.
enum class ColumnType : std::uint8_t { Bool, Int32, Int64, Float32, Float64, Timestamp, String, Category };

/// Returns a word for it, as "float64".
std::string_view name_of(ColumnType type);
/// Returns the type that `name` is for; throws weft::Error naming those there are.
ColumnType column_type(std::string_view name);
/// Returns the bytes of an element; of a string, those of its end.
std::size_t width_of(ColumnType type);

/// One value of a column, or none: what tables are built from and read one by one.
using Cell = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

/// Elements of one type, some of which may be missing. The missing ones are marked by a byte a row, where there are
/// any; in columns of floats NaN counts as missing too.
///
/// Owns: shares of its buffers, which nobody changes once two columns share them; copies are cheap.  Threading: as
/// Buffer.
class Column {
 public:
  Column() = default;
  /// Makes a column of `rows` elements whose bytes are still to be written.
  Column(ColumnType type, std::size_t rows);
  /// Copies values in.
  static Column of(const std::vector<bool>& values);
  static Column of(const std::vector<std::int32_t>& values);
  static Column of(const std::vector<std::int64_t>& values);
  static Column of(const std::vector<float>& values);
  static Column of(const std::vector<double>& values);
  static Column of(const std::vector<std::string>& values);
  /// Makes a column of cells, all of them of this type or missing.
  static Column of(ColumnType type, const std::vector<Cell>& cells);
  /// Makes a column of strings from where each ends, and their bytes.
  static Column strings(Chunk<std::int64_t> ends, Buffer bytes);
  /// Makes a column of codes, -1 where none, into a list of categories.
  static Column categories(Chunk<std::int32_t> codes, Column list);

  ColumnType type() const { return type_; }
  std::size_t size() const { return rows_; }
  /// Tells whether a byte a row says which elements are missing.
  bool has_missing_marks() const { return !valid_.empty(); }
  /// Returns a byte a row, 0 where the element is missing; null where there are no marks.
  const std::uint8_t* marks() const { return reinterpret_cast<const std::uint8_t*>(valid_.data()); }
  /// Makes the marks, all of them 1 at first, and returns them.
  std::uint8_t* make_marks();
  void drop_marks() { valid_ = {}; }
  void share_marks_of(const Column& other) { valid_ = other.valid_; }
  bool is_missing(std::size_t row) const;
  std::size_t missing_count() const;

  /// Returns the elements of a column whose type is kept as T: Bool as std::uint8_t, Timestamp as std::int64_t,
  /// Category as its codes (std::int32_t).
  template <class T>
  const T* data() const {
    return reinterpret_cast<const T*>(data_.data());
  }
  template <class T>
  T* data() {
    return reinterpret_cast<T*>(data_.data());
  }
  /// Returns a string; of a category, its name; empty where it is missing.
  std::string_view text(std::size_t row) const;
  /// Returns the element, or none where it is missing. A timestamp is its nanoseconds.
  Cell cell(std::size_t row) const;
  /// Returns the bytes of all strings, one behind the other.
  const Buffer& bytes() const { return bytes_; }
  /// Returns the list of strings that a category's codes name.
  const Column& category_list() const;

  /// Returns rows [first, first + count), sharing nothing but the list of categories.
  Column slice(std::size_t first, std::size_t count) const;
  /// Returns the elements at these rows; one past the last row gives a missing element.
  Column take(std::span<const std::uint32_t> rows) const;
  /// Joins columns of one type, in order. Categories' lists are united.
  static Column concat(std::span<const Column* const> parts);
  /// Returns the values as another type: numbers to numbers, anything to strings, strings read as what they say. Throws
  /// weft::Error naming the first value that has no such form.
  Column cast(ColumnType type) const;

  std::size_t size_bytes() const;
  const Buffer& data_buffer() const { return data_; }
  const Buffer& marks_buffer() const { return valid_; }
  /// Tells whether types, lengths and all elements are equal, NaN to NaN.
  bool equals(const Column& other) const;

 private:
  template <class Archive>
  friend void weft_fields(Archive& archive, Column& column);

  ColumnType type_ = ColumnType::Int64;
  std::size_t rows_ = 0;
  Buffer data_;                               // fixed-width elements, or where each string ends
  Buffer bytes_;                              // of strings
  Buffer valid_;                              // a byte a row, or nothing
  std::shared_ptr<const Column> categories_;  // shared by all slices of a column
};

/// Named columns of equal length: what a partition of a DataFrame is computed to.
/// Owns: its columns, which share their bytes with whoever else has them.  Threading: as Buffer.
class Table {
 public:
  struct Named {
    std::string name;
    Column column;
  };

  Table() = default;
  /// Throws weft::Error where lengths differ or a name comes twice.
  explicit Table(std::vector<Named> columns);

  std::size_t row_count() const { return rows_; }
  std::size_t column_count() const { return columns_.size(); }
  const std::vector<Named>& columns() const { return columns_; }
  std::vector<std::string> names() const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Returns the column, or null.
  const Column* find(std::string_view name) const;
  /// Returns the column; throws weft::Error naming the nearest there is.
  const Column& operator[](std::string_view name) const;
  const Column& operator[](std::size_t index) const { return columns_[index].column; }
  /// Puts a column behind the others, or in the place of one with its name.
  void set(std::string name, Column column);
  /// Returns only these columns, in this order.
  Table select(std::span<const std::string> names) const;

  Table slice(std::size_t first, std::size_t count) const;
  Table take(std::span<const std::uint32_t> rows) const;
  /// Returns the rows for which the byte is not 0.
  Table filter(std::span<const std::uint8_t> keep) const;
  /// Joins tables of equal columns, in order.
  static Table concat(std::span<const Table* const> parts);
  static Table concat(const std::vector<Table>& parts);
  /// Returns the same columns without rows.
  Table empty_like() const { return slice(0, 0); }

  std::size_t size_bytes() const;
  bool equals(const Table& other) const;
  /// Returns the first and last rows as text, in columns.
  std::string text(std::size_t most_rows = 10) const;

 private:
  template <class Archive>
  friend void weft_fields(Archive& archive, Table& table);

  std::vector<Named> columns_;
  std::size_t rows_ = 0;
};

std::size_t weft_size_of(const Table& table);
std::ostream& operator<<(std::ostream& out, const Table& table);

/// Returns the time as "2015-03-29 07:05:00", with as many decimals as it needs.
std::string timestamp_text(std::int64_t nanoseconds);
/// Returns the nanoseconds of a date, or a date and a time, or none where the text is neither.
std::optional<std::int64_t> parse_timestamp(std::string_view text);

namespace detail {
/// Throws weft::Error unless a column that came from elsewhere holds together.
void check_column(const Column& column);
Table make_table(std::vector<std::string> names, std::vector<Column> columns);
}  // namespace detail

template <class Archive>
void weft_fields(Archive& archive, Column& column) {
  std::uint64_t rows = column.rows_;
  std::vector<Column> list;
  if constexpr (!Archive::kReading) {
    if (column.categories_ != nullptr) list.push_back(*column.categories_);
  }
  archive(column.type_, rows, column.data_, column.bytes_, column.valid_, list);
  if constexpr (Archive::kReading) {
    column.rows_ = rows;
    if (!list.empty()) column.categories_ = std::make_shared<const Column>(std::move(list.front()));
    detail::check_column(column);
  }
}

template <class Archive>
void weft_fields(Archive& archive, Table& table) {
  std::vector<std::string> names;
  std::vector<Column> columns;
  if constexpr (!Archive::kReading) {
    for (const Table::Named& one : table.columns_) {
      names.push_back(one.name);
      columns.push_back(one.column);
    }
  }
  archive(names, columns);
  if constexpr (Archive::kReading) table = detail::make_table(std::move(names), std::move(columns));
}

}  // namespace weft
