#pragma once

#include <weft/storage.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// Labels along dimensions, and what chooses by them.
namespace weft {

/// A label to choose by: a number, or a text; of times, a date of which the end may be left out ("2001-03").
using Label = std::variant<double, std::string>;

/// What `sel` chooses along a dimension: `sel("lat", between(-30, 30))`, `sel("time", "2001-03")`, `sel("lon",
/// nearest(12.3))`.
struct Pick {
  enum Kind : std::uint8_t { Exact, Nearest, Between };
  template <class T>
  requires std::is_arithmetic_v<T> Pick(T value) : first(static_cast<double>(value)) {}  // NOLINT
  Pick(const char* text) : first(std::string(text)) {}                                   // NOLINT
  Pick(std::string text) : first(std::move(text)) {}                                     // NOLINT
  Pick(Kind what, Label from, Label to) : kind(what), first(std::move(from)), last(std::move(to)) {}

  Kind kind = Exact;
  Label first;
  Label last = 0.0;
};

/// Both ends belong to it; the axis may run either way.
template <class A, class B>
Pick between(const A& first, const B& last) {
  const auto label = []<class T>(const T& value) -> Label {
    if constexpr (std::is_arithmetic_v<T>) {
      return static_cast<double>(value);
    } else {
      return std::string(value);
    }
  };
  return {Pick::Between, label(first), label(last)};
}
inline Pick nearest(double value) { return {Pick::Nearest, value, 0.0}; }

/// The labels along one dimension, in memory: numbers, texts or times.
/// Threading: a value.
class Coordinate {
 public:
  Coordinate() = default;
  static Coordinate of_numbers(std::string name, std::vector<double> values,
                               std::vector<io::Attribute> attributes = {});
  static Coordinate of_texts(std::string name, std::vector<std::string> values);

  const std::string& name() const { return name_; }
  std::size_t size() const { return texts_.empty() ? numbers_.size() : texts_.size(); }
  const std::vector<double>& numbers() const { return numbers_; }
  const std::vector<std::string>& texts() const { return texts_; }
  const std::vector<io::Attribute>& attributes() const { return attributes_; }
  /// Times, told by units such as "days since 2000-01-01".
  bool is_time() const { return !instants_.empty(); }
  /// Milliseconds in the coordinate's calendar; only times have them.
  const std::vector<std::int64_t>& instants() const { return instants_; }
  int calendar() const { return calendar_; }
  /// For people: "2001-03-05", "12.5".
  std::string label(std::size_t place) const;

  /// Returns the places that are chosen. Throws Error that names the nearest labels where there are none.
  std::vector<std::int64_t> find(const Pick& pick) const;
  /// Returns the labels at these places.
  Coordinate at(const std::vector<std::int64_t>& places) const;
  /// Returns this and then the other's labels, in this one's units.
  Coordinate then(const Coordinate& other) const;
  friend bool operator==(const Coordinate& a, const Coordinate& b);

 private:
  void read_times();

  std::string name_;
  std::vector<double> numbers_;
  std::vector<std::string> texts_;
  std::vector<io::Attribute> attributes_;
  std::vector<std::int64_t> instants_;
  int calendar_ = 0;
};

}  // namespace weft
