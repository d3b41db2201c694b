#include <weft/error.hpp>
#include <weft/table.hpp>

#include "core/config/nearest.hpp"

#include <algorithm>

namespace weft {

Table::Table(std::vector<Named> columns) {
  for (Named& one : columns) {
    if (has(one.name)) throw Error("a table was given two columns called '" + one.name + "': rename one");
    set(std::move(one.name), std::move(one.column));
  }
}

std::vector<std::string> Table::names() const {
  std::vector<std::string> all;
  for (const Named& one : columns_) all.push_back(one.name);
  return all;
}

const Column* Table::find(std::string_view name) const {
  const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const Named& one) { return one.name == name; });
  return found == columns_.end() ? nullptr : &found->column;
}

const Column& Table::operator[](std::string_view name) const {
  if (const Column* const found = find(name)) return *found;
  if (columns_.empty()) throw Error("there is no column '" + std::string(name) + "': the table has no columns");
  std::string all;
  for (const Named& one : columns_) all += (all.empty() ? "" : ", ") + one.name;
  const std::string nearest = nearest_name(name, names());
  throw Error("there is no column '" + std::string(name) + "'" +
              (nearest.empty() ? "" : " (did you mean '" + nearest + "'?)") + ": the columns are " + all);
}

void Table::set(std::string name, Column column) {
  if (columns_.empty()) rows_ = column.size();
  if (column.size() != rows_)
    throw Error("column '" + name + "' has " + std::to_string(column.size()) + " rows, the table " +
                std::to_string(rows_));
  const auto found = std::find_if(columns_.begin(), columns_.end(), [&](const Named& one) { return one.name == name; });
  if (found != columns_.end()) {
    found->column = std::move(column);
  } else {
    columns_.push_back({std::move(name), std::move(column)});
  }
}

Table Table::select(std::span<const std::string> names) const {
  Table chosen;
  for (const std::string& name : names) chosen.set(name, (*this)[name]);
  chosen.rows_ = rows_;
  return chosen;
}

Table Table::slice(std::size_t first, std::size_t count) const {
  Table part;
  for (const Named& one : columns_) part.set(one.name, one.column.slice(first, count));
  return part;
}

Table Table::take(std::span<const std::uint32_t> rows) const {
  Table taken;
  for (const Named& one : columns_) taken.set(one.name, one.column.take(rows));
  return taken;
}

Table Table::filter(std::span<const std::uint8_t> keep) const {
  std::vector<std::uint32_t> rows;
  rows.reserve(keep.size());
  for (std::size_t i = 0; i < keep.size(); ++i) {
    if (keep[i] != 0) rows.push_back(static_cast<std::uint32_t>(i));
  }
  return rows.size() == rows_ ? *this : take(rows);
}

Table Table::concat(std::span<const Table* const> parts) {
  if (parts.empty()) throw Error("no tables to join");
  Table all;
  for (const Named& one : parts.front()->columns_) {
    std::vector<const Column*> columns;
    for (const Table* const part : parts) columns.push_back(&(*part)[one.name]);
    all.set(one.name, Column::concat(columns));
  }
  return all;
}

Table Table::concat(const std::vector<Table>& parts) {
  std::vector<const Table*> pointers;
  for (const Table& part : parts) pointers.push_back(&part);
  return concat(pointers);
}

std::size_t Table::size_bytes() const {
  std::size_t bytes = 0;
  for (const Named& one : columns_) bytes += one.column.size_bytes();
  return bytes;
}

bool Table::equals(const Table& other) const {
  return names() == other.names() && rows_ == other.rows_ &&
         std::equal(columns_.begin(), columns_.end(), other.columns_.begin(),
                    [](const Named& a, const Named& b) { return a.column.equals(b.column); });
}

std::size_t weft_size_of(const Table& table) { return sizeof table + table.size_bytes(); }

namespace detail {

Table make_table(std::vector<std::string> names, std::vector<Column> columns) {
  if (names.size() != columns.size())
    throw Error("a table that was sent is damaged: names and columns differ in number");
  Table table;
  for (std::size_t i = 0; i < names.size(); ++i) table.set(std::move(names[i]), std::move(columns[i]));
  return table;
}

}  // namespace detail
}  // namespace weft
