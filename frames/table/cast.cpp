#include <weft/error.hpp>
#include <weft/table.hpp>

#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

namespace weft {
namespace {

[[noreturn]] void refuse(const std::string& value, ColumnType from, ColumnType to) {
  throw Error("'" + value + "' of a column of " + std::string(name_of(from)) + " cannot be a " +
              std::string(name_of(to)));
}

std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  std::string all(text, end);
  // As pandas prints floats: 3 is 3.0.
  if (all.find_first_of(".einf") == std::string::npos) all += ".0";
  return all;
}

std::string value_text(const Column& column, std::size_t row) {
  switch (column.type()) {
    case ColumnType::Bool:
      return column.data<std::uint8_t>()[row] != 0 ? "True" : "False";
    case ColumnType::Int32:
      return std::to_string(column.data<std::int32_t>()[row]);
    case ColumnType::Int64:
      return std::to_string(column.data<std::int64_t>()[row]);
    case ColumnType::Float32: {
      char text[40];
      const float value = column.data<float>()[row];
      std::string all(text, std::to_chars(text, text + sizeof text, value).ptr);
      if (all.find_first_of(".einf") == std::string::npos) all += ".0";
      return all;
    }
    case ColumnType::Float64:
      return number_text(column.data<double>()[row]);
    case ColumnType::Timestamp:
      return timestamp_text(column.data<std::int64_t>()[row]);
    case ColumnType::String:
    case ColumnType::Category:
      return std::string(column.text(row));
  }
  return {};
}

template <class From, class To>
void convert(const Column& from, Column& to) {
  const From* const in = from.data<From>();
  To* const out = to.data<To>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
      if (std::isnan(in[i])) {
        out[i] = 0;
        continue;
      }
      // The first power of two that no longer fits, which a float holds exactly.
      const From most = std::ldexp(From{1}, std::numeric_limits<To>::digits);
      if (!(in[i] >= -most && in[i] < most) && !from.is_missing(i)) refuse(number_text(in[i]), from.type(), to.type());
    } else if constexpr (sizeof(From) > sizeof(To) && std::is_integral_v<From> && std::is_integral_v<To>) {
      if (in[i] != static_cast<From>(static_cast<To>(in[i])) && !from.is_missing(i))
        refuse(std::to_string(in[i]), from.type(), to.type());
    }
    out[i] = static_cast<To>(in[i]);
  }
}

template <class From>
void convert_from(const Column& from, Column& to) {
  switch (to.type()) {
    case ColumnType::Bool:
      for (std::size_t i = 0; i < from.size(); ++i)
        to.data<std::uint8_t>()[i] = from.data<From>()[i] != From{} && !from.is_missing(i) ? 1 : 0;
      break;
    case ColumnType::Int32:
      convert<From, std::int32_t>(from, to);
      break;
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      convert<From, std::int64_t>(from, to);
      break;
    case ColumnType::Float32:
      convert<From, float>(from, to);
      break;
    case ColumnType::Float64:
      convert<From, double>(from, to);
      break;
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
}

/// Marks what is missing in a column that knew it otherwise.
void keep_missing(const Column& from, Column& to) {
  const bool floats = to.type() == ColumnType::Float32 || to.type() == ColumnType::Float64;
  if (from.missing_count() == 0) return;
  std::uint8_t* const marks = floats ? nullptr : to.make_marks();
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!from.is_missing(i)) continue;
    if (marks != nullptr) {
      marks[i] = 0;
    } else if (to.type() == ColumnType::Float32) {
      to.data<float>()[i] = std::numeric_limits<float>::quiet_NaN();
    } else {
      to.data<double>()[i] = std::numeric_limits<double>::quiet_NaN();
    }
  }
}

Column to_strings(const Column& from) {
  std::vector<std::string> values(from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!from.is_missing(i)) values[i] = value_text(from, i);
  }
  Column to = Column::of(values);
  keep_missing(from, to);
  return to;
}

Column to_categories(const Column& from) {
  const Column strings = from.type() == ColumnType::String ? from : to_strings(from);
  std::unordered_map<std::string_view, std::int32_t> known;
  Chunk<std::int32_t> codes(strings.size());
  std::vector<std::string> list;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    codes[i] = -1;
    if (strings.is_missing(i)) continue;
    const auto [at, fresh] = known.emplace(strings.text(i), static_cast<std::int32_t>(list.size()));
    if (fresh) list.emplace_back(at->first);
    codes[i] = at->second;
  }
  return Column::categories(std::move(codes), Column::of(list));
}

template <class T>
bool read_number(std::string_view text, T& value) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Column from_strings(const Column& from, ColumnType type) {
  Column to(type, from.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::string_view text = from.is_missing(i) ? std::string_view("0") : from.text(i);
    double real = 0;
    std::int64_t whole = 0;
    bool well = true;
    switch (type) {
      case ColumnType::Bool:
        well = from.is_missing(i) || text == "True" || text == "False" || text == "true" || text == "false";
        to.data<std::uint8_t>()[i] = text == "True" || text == "true" ? 1 : 0;
        break;
      case ColumnType::Int32:
        well = read_number(text, whole) && whole == static_cast<std::int32_t>(whole);
        to.data<std::int32_t>()[i] = static_cast<std::int32_t>(whole);
        break;
      case ColumnType::Int64:
        well = read_number(text, whole);
        to.data<std::int64_t>()[i] = whole;
        break;
      case ColumnType::Float32:
        well = read_number(text, real);
        to.data<float>()[i] = static_cast<float>(real);
        break;
      case ColumnType::Float64:
        well = read_number(text, real);
        to.data<double>()[i] = real;
        break;
      case ColumnType::Timestamp: {
        const auto time = from.is_missing(i) ? std::optional<std::int64_t>(0) : parse_timestamp(text);
        well = time.has_value();
        to.data<std::int64_t>()[i] = time.value_or(0);
        break;
      }
      case ColumnType::String:
      case ColumnType::Category:
        break;
    }
    if (!well) refuse(std::string(text), from.type(), type);
  }
  return to;
}

}  // namespace

Column Column::cast(ColumnType type) const {
  if (type == type_) return *this;
  if (type == ColumnType::Category) return to_categories(*this);
  if (type == ColumnType::String) return to_strings(*this);
  if (type_ == ColumnType::String || type_ == ColumnType::Category) {
    Column to = from_strings(*this, type);
    keep_missing(*this, to);
    return to;
  }
  Column to(type, rows_);
  switch (type_) {
    case ColumnType::Bool:
      convert_from<std::uint8_t>(*this, to);
      break;
    case ColumnType::Int32:
      convert_from<std::int32_t>(*this, to);
      break;
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      convert_from<std::int64_t>(*this, to);
      break;
    case ColumnType::Float32:
      convert_from<float>(*this, to);
      break;
    case ColumnType::Float64:
      convert_from<double>(*this, to);
      break;
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  keep_missing(*this, to);
  return to;
}

}  // namespace weft
