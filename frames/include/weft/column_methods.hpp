#pragma once

#include <weft/table.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// What one step of a column's expression does with the columns before it.
enum class ColumnOp : std::uint8_t {
  Named,
  Literal,
  // Two columns.
  Add,
  Subtract,
  Multiply,
  Divide,
  FloorDivide,
  Modulo,
  Power,
  Equal,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  And,
  Or,
  // One column.
  Negate,
  Not,
  Absolute,
  Round,
  Sqrt,
  Exp,
  Log,
  IsMissing,
  IsPresent,
  IsIn,
  Cast,
  // With a condition; a value for what is missing.
  Where,
  Keep,
  FillMissing,
  // Of a timestamp.
  Year,
  Month,
  Day,
  Hour,
  Minute,
  Second,
  Microsecond,
  DayOfWeek,
  DayOfYear,
  Quarter,
  Floor,
  // Of a string.
  Length,
  Lower,
  Upper,
  Strip,
  LeftStrip,
  RightStrip,
  Contains,
  StartsWith,
  EndsWith,
  SliceText,
  ReplaceText,
  Matches,
  // Of a category.
  Codes,
};

/// One step: what it does, and what else it needs for that.
struct ColumnStep {
  ColumnOp op = ColumnOp::Named;
  Cell value = {};         ///< of a literal
  std::string text = {};   ///< a column's name, a pattern
  std::string other = {};  ///< what a pattern is replaced by
  std::int64_t first = 0, end = 0;
  std::vector<Cell> list = {};  ///< of IsIn
};

namespace frames {
/// Returns the nanoseconds of "15min", "1h", "1D"; throws weft::Error.
std::int64_t span_ns(const std::string& span);
}  // namespace frames

/// Dates and times of a column of timestamps, as `frame["when"].dt().hour()`.
/// Owns: the column's description.  Threading: as a vector.
template <class D>
class DateParts {
 public:
  explicit DateParts(D column) : column_(std::move(column)) {}
  D year() const { return column_.with({.op = ColumnOp::Year}); }
  D quarter() const { return column_.with({.op = ColumnOp::Quarter}); }
  D month() const { return column_.with({.op = ColumnOp::Month}); }
  D day() const { return column_.with({.op = ColumnOp::Day}); }
  D hour() const { return column_.with({.op = ColumnOp::Hour}); }
  D minute() const { return column_.with({.op = ColumnOp::Minute}); }
  D second() const { return column_.with({.op = ColumnOp::Second}); }
  D microsecond() const { return column_.with({.op = ColumnOp::Microsecond}); }
  /// Monday is 0.
  D dayofweek() const { return column_.with({.op = ColumnOp::DayOfWeek}); }
  D weekday() const { return dayofweek(); }
  D dayofyear() const { return column_.with({.op = ColumnOp::DayOfYear}); }
  /// The midnight before.
  D date() const { return floor("1D"); }
  D normalize() const { return date(); }
  /// The last multiple of a span before: "15min", "1h", "1D", "30s", "100ms".
  D floor(const std::string& span) const {
    return column_.with({.op = ColumnOp::Floor, .first = frames::span_ns(span)});
  }

 private:
  D column_;
};

/// Texts of a column of strings or categories, as `frame["name"].str().lower()`. Lengths and places count letters of
/// UTF-8; lower and upper change ASCII letters alone. Owns: the column's description.  Threading: as a vector.
template <class D>
class TextParts {
 public:
  explicit TextParts(D column) : column_(std::move(column)) {}
  D len() const { return column_.with({.op = ColumnOp::Length}); }
  D lower() const { return column_.with({.op = ColumnOp::Lower}); }
  D upper() const { return column_.with({.op = ColumnOp::Upper}); }
  /// Without these letters at both ends; blanks where none are given.
  D strip(const std::string& letters = {}) const { return column_.with({.op = ColumnOp::Strip, .text = letters}); }
  D lstrip(const std::string& letters = {}) const { return column_.with({.op = ColumnOp::LeftStrip, .text = letters}); }
  D rstrip(const std::string& letters = {}) const {
    return column_.with({.op = ColumnOp::RightStrip, .text = letters});
  }
  /// Whether a part of the text matches the regular expression (ECMAScript); `regex = false`: is the text given.
  D contains(const std::string& pattern, bool regex = true) const {
    return column_.with({.op = ColumnOp::Contains, .text = pattern, .first = regex ? 1 : 0});
  }
  /// Whether the whole text matches.
  D fullmatch(const std::string& pattern) const { return column_.with({.op = ColumnOp::Matches, .text = pattern}); }
  D startswith(const std::string& text) const { return column_.with({.op = ColumnOp::StartsWith, .text = text}); }
  D endswith(const std::string& text) const { return column_.with({.op = ColumnOp::EndsWith, .text = text}); }
  /// Letters [first, end); negative ones count from the end.
  D slice(std::int64_t first, std::int64_t end = INT64_MAX) const {
    return column_.with({.op = ColumnOp::SliceText, .first = first, .end = end});
  }
  D replace(const std::string& what, const std::string& by, bool regex = false) const {
    return column_.with({.op = ColumnOp::ReplaceText, .text = what, .other = by, .first = regex ? 1 : 0});
  }

 private:
  D column_;
};

/// What is computed row by row of a column and others: the base of ColumnExpr and of Series. `D` has `with(step)`, and
/// `with(other, op)` for others of its kind and for expressions.
template <class D>
class ColumnMethods {
 public:
  D abs() const { return self().with({.op = ColumnOp::Absolute}); }
  D round(std::int64_t decimals = 0) const { return self().with({.op = ColumnOp::Round, .first = decimals}); }
  D sqrt() const { return self().with({.op = ColumnOp::Sqrt}); }
  D exp() const { return self().with({.op = ColumnOp::Exp}); }
  D log() const { return self().with({.op = ColumnOp::Log}); }
  D isna() const { return self().with({.op = ColumnOp::IsMissing}); }
  D isnull() const { return isna(); }
  D notna() const { return self().with({.op = ColumnOp::IsPresent}); }
  D notnull() const { return notna(); }
  D isin(std::vector<Cell> values) const { return self().with({.op = ColumnOp::IsIn, .list = std::move(values)}); }
  D astype(const std::string& type) const {
    return self().with({.op = ColumnOp::Cast, .first = static_cast<std::int64_t>(column_type(type))});
  }
  /// The numbers of a category's values in its list, -1 where none.
  D codes() const { return self().with({.op = ColumnOp::Codes}); }
  template <class B>
  D pow(const B& exponent) const {
    return self().with(exponent, ColumnOp::Power);
  }
  template <class B>
  D floordiv(const B& divisor) const {
    return self().with(divisor, ColumnOp::FloorDivide);
  }
  template <class B>
  D mod(const B& divisor) const {
    return self().with(divisor, ColumnOp::Modulo);
  }
  template <class B>
  D fillna(const B& value) const {
    return self().with(value, ColumnOp::FillMissing);
  }
  /// Whether least <= value <= most.
  template <class A, class B>
  D between(const A& least, const B& most) const {
    return self().with(least, ColumnOp::GreaterEqual).with(self().with(most, ColumnOp::LessEqual), ColumnOp::And);
  }
  /// The value where the condition holds, else missing, or the other one.
  template <class C>
  D where(const C& condition) const {
    return self().with(condition, ColumnOp::Keep);
  }
  template <class C, class B>
  D where(const C& condition, const B& otherwise) const {
    return self().with(condition, otherwise, ColumnOp::Where);
  }
  /// The value where the condition does not hold, else missing, or the other one.
  template <class C>
  D mask(const C& condition) const {
    return where(!condition);
  }
  template <class C, class B>
  D mask(const C& condition, const B& otherwise) const {
    return where(!condition, otherwise);
  }
  /// The value, or the nearer end of [least, most].
  template <class A, class B>
  D clip(const A& least, const B& most) const {
    const D raised = where(!self().with(least, ColumnOp::Less), least);
    return raised.where(!raised.with(most, ColumnOp::Greater), most);
  }
  DateParts<D> dt() const { return DateParts<D>(self()); }
  TextParts<D> str() const { return TextParts<D>(self()); }

  friend D operator-(const D& a) { return a.with({.op = ColumnOp::Negate}); }
  friend D operator!(const D& a) { return a.with({.op = ColumnOp::Not}); }
  friend D operator~(const D& a) { return a.with({.op = ColumnOp::Not}); }

 private:
  friend D;
  ColumnMethods() = default;
  const D& self() const { return static_cast<const D&>(*this); }
};

}  // namespace weft
