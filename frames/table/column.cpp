#include <weft/error.hpp>
#include <weft/table.hpp>

#include "core/config/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <unordered_map>

namespace weft {
namespace {

struct TypeName {
  ColumnType type;
  std::string_view name;
  std::size_t width;
};
constexpr TypeName kTypes[] = {{ColumnType::Bool, "bool", 1},       {ColumnType::Int32, "int32", 4},
                               {ColumnType::Int64, "int64", 8},     {ColumnType::Float32, "float32", 4},
                               {ColumnType::Float64, "float64", 8}, {ColumnType::Timestamp, "timestamp", 8},
                               {ColumnType::String, "string", 8},   {ColumnType::Category, "category", 4}};

template <class T>
Column copied(ColumnType type, const std::vector<T>& values) {
  Column column(type, values.size());
  if (!values.empty()) std::memcpy(column.data<T>(), values.data(), values.size() * sizeof(T));
  return column;
}

Buffer copy_of(const Buffer& from, std::size_t first, std::size_t count) {
  if (count == 0) return {};
  Buffer to = Buffer::allocate(count);
  std::memcpy(to.data(), from.data() + first, count);
  return to;
}

/// Copies the elements of `width` bytes at these rows; those past the end are zero.
template <class T>
void gather(const Column& from, std::span<const std::uint32_t> rows, Column& to) {
  const T* const in = from.data<T>();
  T* const out = to.data<T>();
  const std::size_t size = from.size();
  for (std::size_t i = 0; i < rows.size(); ++i) out[i] = rows[i] < size ? in[rows[i]] : T{};
}

}  // namespace

std::string_view name_of(ColumnType type) { return kTypes[static_cast<std::size_t>(type)].name; }

std::size_t width_of(ColumnType type) { return kTypes[static_cast<std::size_t>(type)].width; }

ColumnType column_type(std::string_view name) {
  std::string all;
  for (const TypeName& one : kTypes) {
    if (one.name == name) return one.type;
    all += (all.empty() ? "" : ", ") + std::string(one.name);
  }
  throw Error("no type of column is called '" + std::string(name) + "': there are " + all);
}

Column::Column(ColumnType type, std::size_t rows) : type_(type), rows_(rows) {
  if (rows >= 0xffffffffu)
    throw Error("a column of " + std::to_string(rows) + " rows is too long for one table: use more partitions");
  if (rows != 0) data_ = Buffer::allocate(rows * width_of(type));
}

Column Column::of(const std::vector<bool>& values) {
  Column column(ColumnType::Bool, values.size());
  std::copy(values.begin(), values.end(), column.data<std::uint8_t>());
  return column;
}
Column Column::of(const std::vector<std::int32_t>& values) { return copied(ColumnType::Int32, values); }
Column Column::of(const std::vector<std::int64_t>& values) { return copied(ColumnType::Int64, values); }
Column Column::of(const std::vector<float>& values) { return copied(ColumnType::Float32, values); }
Column Column::of(const std::vector<double>& values) { return copied(ColumnType::Float64, values); }

Column Column::of(const std::vector<std::string>& values) {
  Chunk<std::int64_t> ends(values.size());
  std::int64_t end = 0;
  for (std::size_t i = 0; i < values.size(); ++i) ends[i] = end += static_cast<std::int64_t>(values[i].size());
  Buffer bytes = end == 0 ? Buffer() : Buffer::allocate(static_cast<std::size_t>(end));
  std::byte* to = bytes.data();
  for (const std::string& value : values) {
    if (!value.empty()) std::memcpy(to, value.data(), value.size());
    to += value.size();
  }
  return strings(std::move(ends), std::move(bytes));
}

Column Column::of(ColumnType type, const std::vector<Cell>& cells) {
  if (type == ColumnType::String || type == ColumnType::Category) {
    std::vector<std::string> values(cells.size());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (const auto* const text = std::get_if<std::string>(&cells[i])) {
        values[i] = *text;
      } else if (cells[i].index() != 0) {
        throw Error("a column of strings was given a value that is none");
      }
    }
    Column column = of(values);
    std::uint8_t* marks = nullptr;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (cells[i].index() != 0) continue;
      if (marks == nullptr) marks = column.make_marks();
      marks[i] = 0;
    }
    return type == ColumnType::String ? column : column.cast(type);
  }
  Column column(type, cells.size());
  std::uint8_t* marks = nullptr;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const Cell& cell = cells[i];
    double number = 0;
    std::int64_t whole = 0;
    if (const auto* const flag = std::get_if<bool>(&cell)) {
      number = static_cast<double>(whole = *flag ? 1 : 0);
    } else if (const auto* const count = std::get_if<std::int64_t>(&cell)) {
      number = static_cast<double>(whole = *count);
    } else if (const auto* const real = std::get_if<double>(&cell)) {
      number = *real;
      whole = static_cast<std::int64_t>(*real);
    } else if (std::holds_alternative<std::string>(cell)) {
      throw Error("a column of " + std::string(name_of(type)) + " was given the text '" + std::get<std::string>(cell) +
                  "'");
    } else if (type == ColumnType::Float32 || type == ColumnType::Float64) {
      number = std::nan("");
    } else {
      if (marks == nullptr) marks = column.make_marks();
      marks[i] = 0;
    }
    switch (type) {
      case ColumnType::Bool:
        column.data<std::uint8_t>()[i] = whole != 0 ? 1 : 0;
        break;
      case ColumnType::Int32:
        column.data<std::int32_t>()[i] = static_cast<std::int32_t>(whole);
        break;
      case ColumnType::Int64:
      case ColumnType::Timestamp:
        column.data<std::int64_t>()[i] = whole;
        break;
      case ColumnType::Float32:
        column.data<float>()[i] = static_cast<float>(number);
        break;
      case ColumnType::Float64:
        column.data<double>()[i] = number;
        break;
      case ColumnType::String:
      case ColumnType::Category:
        break;
    }
  }
  return column;
}

Column Column::strings(Chunk<std::int64_t> ends, Buffer bytes) {
  Column column;
  column.type_ = ColumnType::String;
  column.rows_ = ends.size();
  column.data_ = std::move(ends.buffer());
  column.bytes_ = std::move(bytes);
  return column;
}

Column Column::categories(Chunk<std::int32_t> codes, Column list) {
  Column column;
  column.type_ = ColumnType::Category;
  column.rows_ = codes.size();
  column.data_ = std::move(codes.buffer());
  column.categories_ = std::make_shared<const Column>(std::move(list));
  return column;
}

std::uint8_t* Column::make_marks() {
  if (rows_ == 0) return nullptr;
  valid_ = Buffer::allocate(rows_);
  std::memset(valid_.data(), 1, rows_);
  return reinterpret_cast<std::uint8_t*>(valid_.data());
}

bool Column::is_missing(std::size_t row) const {
  if (has_missing_marks() && marks()[row] == 0) return true;
  switch (type_) {
    case ColumnType::Float32:
      return std::isnan(data<float>()[row]);
    case ColumnType::Float64:
      return std::isnan(data<double>()[row]);
    case ColumnType::Category:
      return data<std::int32_t>()[row] < 0;
    case ColumnType::Bool:
    case ColumnType::Int32:
    case ColumnType::Int64:
    case ColumnType::Timestamp:
    case ColumnType::String:
      return false;
  }
  return false;
}

std::size_t Column::missing_count() const {
  const bool by_value = type_ == ColumnType::Float32 || type_ == ColumnType::Float64 || type_ == ColumnType::Category;
  if (!by_value && !has_missing_marks()) return 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < rows_; ++i) count += is_missing(i) ? 1 : 0;
  return count;
}

std::string_view Column::text(std::size_t row) const {
  if (type_ == ColumnType::Category) {
    const std::int32_t code = data<std::int32_t>()[row];
    return code < 0 ? std::string_view() : categories_->text(static_cast<std::size_t>(code));
  }
  const std::int64_t* const ends = data<std::int64_t>();
  const std::int64_t first = row == 0 ? 0 : ends[row - 1];
  return {reinterpret_cast<const char*>(bytes_.data()) + first, static_cast<std::size_t>(ends[row] - first)};
}

Cell Column::cell(std::size_t row) const {
  if (is_missing(row)) return {};
  switch (type_) {
    case ColumnType::Bool:
      return data<std::uint8_t>()[row] != 0;
    case ColumnType::Int32:
      return std::int64_t{data<std::int32_t>()[row]};
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      return data<std::int64_t>()[row];
    case ColumnType::Float32:
      return double{data<float>()[row]};
    case ColumnType::Float64:
      return data<double>()[row];
    case ColumnType::String:
    case ColumnType::Category:
      return std::string(text(row));
  }
  return {};
}

const Column& Column::category_list() const {
  if (categories_ == nullptr)
    throw Error("a column of " + std::string(name_of(type_)) + " has no categories: astype(\"category\") makes them");
  return *categories_;
}

Column Column::slice(std::size_t first, std::size_t count) const {
  first = std::min(first, rows_);
  count = std::min(count, rows_ - first);
  Column part;
  part.type_ = type_;
  part.rows_ = count;
  part.categories_ = categories_;
  if (has_missing_marks()) part.valid_ = copy_of(valid_, first, count);
  const std::size_t width = width_of(type_);
  part.data_ = copy_of(data_, first * width, count * width);
  if (type_ == ColumnType::String && count != 0) {
    const std::int64_t begin = first == 0 ? 0 : data<std::int64_t>()[first - 1];
    auto* const ends = part.data<std::int64_t>();
    part.bytes_ = copy_of(bytes_, static_cast<std::size_t>(begin), static_cast<std::size_t>(ends[count - 1] - begin));
    if (begin != 0) {
      for (std::size_t i = 0; i < count; ++i) ends[i] -= begin;
    }
  }
  return part;
}

Column Column::take(std::span<const std::uint32_t> rows) const {
  Column taken(type_, rows.size());
  taken.categories_ = categories_;
  const bool beyond = std::any_of(rows.begin(), rows.end(), [this](std::uint32_t row) { return row >= rows_; });
  if (has_missing_marks() || beyond) {
    std::uint8_t* const marks = taken.make_marks();
    for (std::size_t i = 0; i < rows.size(); ++i)
      marks[i] = rows[i] < rows_ && (!has_missing_marks() || this->marks()[rows[i]] != 0) ? 1 : 0;
  }
  if (type_ == ColumnType::String) {
    auto* const ends = taken.data<std::int64_t>();
    std::int64_t end = 0;
    for (std::size_t i = 0; i < rows.size(); ++i)
      ends[i] = end += rows[i] < rows_ ? static_cast<std::int64_t>(text(rows[i]).size()) : 0;
    if (end != 0) taken.bytes_ = Buffer::allocate(static_cast<std::size_t>(end));
    std::byte* to = taken.bytes_.data();
    for (const std::uint32_t row : rows) {
      if (row >= rows_) continue;
      const std::string_view from = text(row);
      if (!from.empty()) std::memcpy(to, from.data(), from.size());
      to += from.size();
    }
    return taken;
  }
  switch (width_of(type_)) {
    case 1:
      gather<std::uint8_t>(*this, rows, taken);
      break;
    case 4:
      gather<std::uint32_t>(*this, rows, taken);
      break;
    default:
      gather<std::uint64_t>(*this, rows, taken);
      break;
  }
  if (beyond && (type_ == ColumnType::Float32 || type_ == ColumnType::Float64)) {
    // Floats have a value of their own for it.
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] < rows_) continue;
      if (type_ == ColumnType::Float32)
        taken.data<float>()[i] = std::nanf("");
      else
        taken.data<double>()[i] = std::nan("");
    }
    if (!has_missing_marks()) taken.valid_ = {};
  }
  if (beyond && type_ == ColumnType::Category) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] >= rows_) taken.data<std::int32_t>()[i] = -1;
    }
    taken.valid_ = {};
  }
  return taken;
}

namespace {

/// Puts the codes of several columns on one list of categories.
std::vector<Column> united(std::span<const Column* const> parts) {
  std::vector<Column> same;
  const Column& first = parts.front()->category_list();
  if (std::all_of(parts.begin(), parts.end(), [&](const Column* one) { return one->category_list().equals(first); })) {
    for (const Column* const one : parts) same.push_back(*one);
    return same;
  }
  std::vector<std::string> list;
  std::unordered_map<std::string, std::int32_t> code_of;
  std::vector<std::vector<std::int32_t>> codes;
  for (const Column* const one : parts) {
    const Column& theirs = one->category_list();
    codes.emplace_back();
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const auto [at, fresh] = code_of.emplace(theirs.text(i), static_cast<std::int32_t>(list.size()));
      if (fresh) list.push_back(at->first);
      codes.back().push_back(at->second);
    }
  }
  const Column all = Column::of(list);
  for (std::size_t k = 0; k < parts.size(); ++k) {
    Chunk<std::int32_t> changed(parts[k]->size());
    for (std::size_t i = 0; i < changed.size(); ++i) {
      const std::int32_t code = parts[k]->data<std::int32_t>()[i];
      changed[i] = code < 0 ? -1 : codes[k][static_cast<std::size_t>(code)];
    }
    same.push_back(Column::categories(std::move(changed), all));
  }
  return same;
}

}  // namespace

Column Column::concat(std::span<const Column* const> parts) {
  if (parts.empty()) throw Error("no columns to join");
  if (parts.size() == 1) return *parts.front();
  for (const Column* const one : parts) {
    if (one->type_ != parts.front()->type_)
      throw Error("columns of " + std::string(name_of(parts.front()->type_)) + " and of " +
                  std::string(name_of(one->type_)) + " cannot be joined: astype makes them alike");
  }
  std::vector<Column> alike;
  std::vector<const Column*> pointers(parts.begin(), parts.end());
  if (parts.front()->type_ == ColumnType::Category) {
    alike = united(parts);
    for (std::size_t i = 0; i < alike.size(); ++i) pointers[i] = &alike[i];
  }
  std::size_t rows = 0, bytes = 0;
  bool marked = false;
  for (const Column* const one : pointers) {
    rows += one->rows_;
    bytes += one->bytes_.size();
    marked = marked || one->has_missing_marks();
  }
  Column all(pointers.front()->type_, rows);
  all.categories_ = pointers.front()->categories_;
  if (bytes != 0) all.bytes_ = Buffer::allocate(bytes);
  std::uint8_t* const marks = marked ? all.make_marks() : nullptr;
  const std::size_t width = width_of(all.type_);
  std::size_t at = 0, byte = 0;
  for (const Column* const one : pointers) {
    if (one->rows_ == 0) continue;
    std::memcpy(all.data_.data() + at * width, one->data_.data(), one->rows_ * width);
    if (one->has_missing_marks()) std::memcpy(marks + at, one->marks(), one->rows_);
    if (all.type_ == ColumnType::String) {
      const auto used = static_cast<std::size_t>(one->data<std::int64_t>()[one->rows_ - 1]);
      if (used != 0) std::memcpy(all.bytes_.data() + byte, one->bytes_.data(), used);
      auto* const ends = all.data<std::int64_t>() + at;
      for (std::size_t i = 0; i < one->rows_; ++i) ends[i] += static_cast<std::int64_t>(byte);
      byte += used;
    }
    at += one->rows_;
  }
  return all;
}

std::size_t Column::size_bytes() const {
  return data_.size() + bytes_.size() + valid_.size() + (categories_ != nullptr ? categories_->size_bytes() : 0);
}

bool Column::equals(const Column& other) const {
  if (type_ != other.type_ || rows_ != other.rows_) return false;
  for (std::size_t i = 0; i < rows_; ++i) {
    if (is_missing(i) != other.is_missing(i)) return false;
    if (!is_missing(i) && cell(i) != other.cell(i)) return false;
  }
  return true;
}

namespace detail {

void check_column(const Column& column) {
  const auto damaged = [](const char* what) { throw Error(std::string("a column that was sent is damaged: ") + what); };
  if (static_cast<std::size_t>(column.type()) >= std::size(kTypes)) damaged("its type is unknown");
  if (column.size() >= 0xffffffffu || column.data_buffer().size() != column.size() * width_of(column.type()))
    damaged("its length and its bytes differ");
  if (column.has_missing_marks() && column.marks_buffer().size() != column.size())
    damaged("its marks have another length");
  if (column.type() == ColumnType::String) {
    std::int64_t before = 0;
    for (std::size_t i = 0; i < column.size(); ++i) {
      const std::int64_t end = column.data<std::int64_t>()[i];
      if (end < before) damaged("a string ends before it begins");
      before = end;
    }
    if (static_cast<std::uint64_t>(before) > column.bytes().size()) damaged("a string ends behind all bytes");
  }
  if (column.type() != ColumnType::Category) return;
  const auto known = static_cast<std::int64_t>(column.category_list().size());
  if (column.category_list().type() != ColumnType::String) damaged("its categories are no strings");
  for (std::size_t i = 0; i < column.size(); ++i) {
    if (column.data<std::int32_t>()[i] >= known) damaged("a code has no category");
  }
}

}  // namespace detail
}  // namespace weft
