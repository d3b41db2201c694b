// Missing values: made by a condition, filled by values, by neighbours.
#include "arrays/labelled/combined.hpp"
#include "arrays/labelled/operations.hpp"

#include <weft/error.hpp>

#include <limits>

namespace weft::labelled {

LabelledArray where(const LabelledArray& array, const LabelledArray& condition, std::optional<double> other,
                    const Where& line) {
  if (!condition.data().dtype().is_bool()) {
    throw Error("the condition is of type " + condition.data().dtype().name() + ", not bool: compare, as in tas > 273");
  }
  const arrays::Array data = other ? array.data() : floating(array.data(), line);
  LabelledArray kept =
      combined(with_data(array, data), condition, [&](const arrays::Array& values, const arrays::Array& mask) {
        return arrays::where(mask, arrays::Operand(values, line),
                             other.value_or(std::numeric_limits<double>::quiet_NaN()));
      });
  return kept.renamed(array.name()).with_attributes(array.attributes());
}

LabelledArray fillna(const LabelledArray& array, double value, const Where& line) {
  if (!array.data().dtype().is_floating()) return array;
  return with_data(array, arrays::where(arrays::isnan(array.data()), arrays::Operand(value, line), array.data()));
}

LabelledArray fillna(const LabelledArray& array, const LabelledArray& values, const Where& line) {
  return combined(array, values,
                  [&](const arrays::Array& own, const arrays::Array& others) {
                    return arrays::where(arrays::isnan(own), arrays::Operand(others, line), own);
                  })
      .renamed(array.name())
      .with_attributes(array.attributes());
}

LabelledArray fill_along(const LabelledArray& array, const std::string& dim, std::int64_t limit, bool forward,
                         const Where& line) {
  if (limit == 0 || limit < -1) {
    throw Error("the limit is " + std::to_string(limit) + ": give how many places are filled, or -1 for all");
  }
  const int axis = axis_of(array, dim);
  if (!array.data().dtype().is_floating()) return array;
  if (forward) return with_data(array, arrays::push(array.data(), limit, axis, line));
  return with_data(array,
                   arrays::flip(arrays::push(arrays::flip(array.data(), axis, line), limit, axis, line), axis, line));
}

}  // namespace weft::labelled
