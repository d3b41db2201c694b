#include "frames/files/csv_columns.hpp"

#include "frames/files/csv_values.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <unordered_map>

namespace weft::frames {
namespace {

/// Bytes that grow. What is not yet written is not touched.
class Growing {
 public:
  char* room(std::size_t used, std::size_t need) {
    if (need > buffer_.size()) {
      Buffer wider = Buffer::allocate(std::max(need, buffer_.size() + buffer_.size() / 2));
      if (used != 0) std::memcpy(wider.data(), buffer_.data(), used);
      buffer_ = std::move(wider);
    }
    return reinterpret_cast<char*>(buffer_.data());
  }
  const std::byte* data() const { return buffer_.data(); }

 private:
  Buffer buffer_;
};

/// Strings by number, in the order in which they came first. Few are expected: a column of categories.
class Names {
 public:
  std::int32_t code_of(std::string_view name) {
    if (last_ >= 0 && name == names_[static_cast<std::size_t>(last_)]) return last_;
    const auto known = codes_.find(std::string(name));
    if (known != codes_.end()) return last_ = known->second;
    last_ = static_cast<std::int32_t>(names_.size());
    names_.emplace_back(name);
    codes_.emplace(name, last_);
    return last_;
  }
  /// Returns the names in order; `renamed`: each code's new one.
  std::vector<std::string> sorted(std::vector<std::int32_t>& renamed) const {
    std::vector<std::int32_t> order(names_.size());
    std::iota(order.begin(), order.end(), 0);
    const auto name = [this](std::int32_t code) -> const std::string& {
      return names_[static_cast<std::size_t>(code)];
    };
    std::sort(order.begin(), order.end(), [&](std::int32_t a, std::int32_t b) { return name(a) < name(b); });
    std::vector<std::string> names;
    renamed.resize(names_.size());
    for (const std::int32_t code : order) {
      renamed[static_cast<std::size_t>(code)] = static_cast<std::int32_t>(names.size());
      names.push_back(name(code));
    }
    return names;
  }

 private:
  std::unordered_map<std::string, std::int32_t> codes_;
  std::vector<std::string> names_;
  std::int32_t last_ = -1;
};

}  // namespace

MissingWords::MissingWords(const std::vector<std::string>& words) : words_(words) {
  for (const std::string& word : words) {
    longest_ = std::max(longest_, word.size());
    empty_ = empty_ || word.empty();
    if (word.empty()) continue;
    const char first = word.front();
    first_[static_cast<unsigned char>(first)] = true;
    values_ = values_ || std::string_view("0123456789+-.tTfF").find(first) != std::string_view::npos;
  }
}

bool MissingWords::is_listed(std::string_view field) const {
  return std::find(words_.begin(), words_.end(), field) != words_.end();
}

struct CsvColumn::State {
  const ColumnType type;
  const char quote;
  const bool trim;
  const MissingWords& missing;
  std::size_t rows = 0;
  std::size_t expected = 0;
  Growing elements;
  Growing bytes;
  std::size_t byte_count = 0;
  std::vector<std::uint32_t> missing_rows;
  Names names;
  std::string room;

  /// Returns the field as it is meant.
  std::string_view meant(const FieldRange::Field& field) {
    const std::string_view text = unquoted(field.begin, field.end, quote, room);
    return trim ? trimmed(text) : text;
  }

  template <class T>
  T* elements_for(std::size_t records) {
    const std::size_t need = std::max(rows + records, expected) * sizeof(T);
    return reinterpret_cast<T*>(elements.room(rows * sizeof(T), need)) + rows;
  }

  /// `read(begin, end, out)` tells whether a field is a value. `none`: what stands where one is missing.
  template <class T, class Read>
  std::size_t append_values(const FieldRange& fields, T none, const Read& read) {
    T* const out = elements_for<T>(fields.records);
    const bool missing_first = missing.has_values();
    for (std::size_t i = 0; i < fields.records; ++i) {
      const FieldRange::Field field = fields[i];
      if (!missing_first && read(field.begin, field.end, out[i])) [[likely]]
        continue;
      const std::string_view text = meant(field);
      if (missing.has(text)) {
        out[i] = none;
        // Floats have a value of their own for it.
        if constexpr (!std::is_floating_point_v<T>) missing_rows.push_back(static_cast<std::uint32_t>(rows + i));
        continue;
      }
      const std::string_view bare = trimmed(text);
      if (!read(bare.data(), bare.data() + bare.size(), out[i])) return i;
    }
    return fields.records;
  }

  std::size_t append_strings(const FieldRange& fields) {
    auto* const ends = elements_for<std::int64_t>(fields.records);
    std::size_t most = 0;
    for (std::size_t i = 0; i < fields.records; ++i) most += static_cast<std::size_t>(fields[i].end - fields[i].begin);
    const std::size_t need = byte_count + most + CsvScanner::kPadding;
    const std::size_t likely = rows == 0 ? need * (expected / std::max<std::size_t>(1, fields.records) + 1) : need;
    char* const to = bytes.room(byte_count, expected > fields.records ? std::max(need, likely) : need);
    for (std::size_t i = 0; i < fields.records; ++i) {
      const FieldRange::Field field = fields[i];
      const bool plain = field.begin != field.end && *field.begin != quote && !trim;
      const std::string_view text =
          plain ? std::string_view(field.begin, static_cast<std::size_t>(field.end - field.begin)) : meant(field);
      if (missing.has(text)) {
        missing_rows.push_back(static_cast<std::uint32_t>(rows + i));
      } else if (plain && text.size() <= 16) {
        // Both have bytes to spare behind them.
        std::memcpy(to + byte_count, text.data(), 16);
        byte_count += text.size();
      } else if (!text.empty()) {
        std::memcpy(to + byte_count, text.data(), text.size());
        byte_count += text.size();
      }
      ends[i] = static_cast<std::int64_t>(byte_count);
    }
    return fields.records;
  }

  std::size_t append_categories(const FieldRange& fields) {
    auto* const out = elements_for<std::int32_t>(fields.records);
    for (std::size_t i = 0; i < fields.records; ++i) {
      const std::string_view text = meant(fields[i]);
      out[i] = missing.has(text) ? -1 : names.code_of(text);
    }
    return fields.records;
  }

  std::size_t append(const FieldRange& fields) {
    switch (type) {
      case ColumnType::Bool:
        return append_values<std::uint8_t>(fields, 0, truth);
      case ColumnType::Int64:
        return append_values<std::int64_t>(fields, 0, whole_number);
      case ColumnType::Timestamp:
        return append_values<std::int64_t>(fields, 0, timestamp_field);
      case ColumnType::Float64:
        return append_values<double>(fields, std::nan(""), real_number);
      case ColumnType::Int32:
        return append_values<std::int32_t>(fields, 0, [](const char* begin, const char* end, std::int32_t& out) {
          std::int64_t value = 0;
          if (!whole_number(begin, end, value)) return false;
          out = static_cast<std::int32_t>(value);
          return out == value;
        });
      case ColumnType::Float32:
        return append_values<float>(fields, std::nanf(""), [](const char* begin, const char* end, float& out) {
          double value = 0;
          const bool read = real_number(begin, end, value);
          out = static_cast<float>(value);
          return read;
        });
      case ColumnType::String:
        return append_strings(fields);
      case ColumnType::Category:
        return append_categories(fields);
    }
    return 0;
  }

  Column take_texts() const {
    Chunk<std::int64_t> ends(rows);
    if (rows != 0) std::memcpy(ends.data(), elements.data(), rows * sizeof(std::int64_t));
    Buffer all = byte_count == 0 ? Buffer() : Buffer::allocate(byte_count);
    if (byte_count != 0) std::memcpy(all.data(), bytes.data(), byte_count);
    return Column::strings(std::move(ends), std::move(all));
  }

  Column take_categories() const {
    std::vector<std::int32_t> renamed;
    const std::vector<std::string> sorted = names.sorted(renamed);
    Chunk<std::int32_t> codes(rows);
    const auto* const old = reinterpret_cast<const std::int32_t*>(elements.data());
    for (std::size_t i = 0; i < rows; ++i) codes[i] = old[i] < 0 ? -1 : renamed[static_cast<std::size_t>(old[i])];
    return Column::categories(std::move(codes), Column::of(sorted));
  }

  Column take_values() const {
    Column column(type, rows);
    if (rows != 0) std::memcpy(column.data<std::uint8_t>(), elements.data(), rows * width_of(type));
    return column;
  }
};

CsvColumn::CsvColumn(ColumnType type, const CsvFormat& format, const MissingWords& missing)
    : state_(new State{type, format.quote, format.trim, missing, 0, 0, {}, {}, 0, {}, {}, {}}) {}
CsvColumn::~CsvColumn() = default;
CsvColumn::CsvColumn(CsvColumn&&) noexcept = default;

void CsvColumn::expect(std::size_t records) { state_->expected = records; }

std::size_t CsvColumn::append(const FieldRange& fields) {
  const std::size_t count = state_->append(fields);
  state_->rows += count;
  return count;
}

Column CsvColumn::take() {
  const State& state = *state_;
  Column column = state.type == ColumnType::String     ? state.take_texts()
                  : state.type == ColumnType::Category ? state.take_categories()
                                                       : state.take_values();
  if (!state.missing_rows.empty() && state.rows != 0) {
    std::uint8_t* const marks = column.make_marks();
    for (const std::uint32_t row : state.missing_rows) marks[row] = 0;
  }
  return column;
}

}  // namespace weft::frames
