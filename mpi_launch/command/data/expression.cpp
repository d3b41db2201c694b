// Expressions of variables and labels: `--where`.
#include "arrays/labelled/calendar.hpp"
#include "arrays/labelled/combined.hpp"
#include "core/config/nearest.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/arrays.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <variant>

namespace weft::command::data {
namespace {

using arrays::Array;
using Value = std::variant<double, LabelledArray>;

struct Operator {
  const char* text;
  Array (*arrays)(const Array&, const Array&);
  double (*numbers)(double, double);
};

#define WEFT_OPERATOR(text, name, symbol)                                             \
  {                                                                                   \
    text, [](const Array& a, const Array& b) -> Array { return arrays::name(a, b); }, \
        [](double a, double b) { return static_cast<double>(symbol); }                \
  }
constexpr Operator kComparisons[] = {
    WEFT_OPERATOR("<=", less_equal, a <= b), WEFT_OPERATOR(">=", greater_equal, a >= b),
    WEFT_OPERATOR("==", equal, a == b),      WEFT_OPERATOR("!=", not_equal, a != b),
    WEFT_OPERATOR("<", less, a < b),         WEFT_OPERATOR(">", greater, a > b)};
constexpr Operator kSums[] = {WEFT_OPERATOR("+", add, a + b), WEFT_OPERATOR("-", subtract, a - b)};
constexpr Operator kProducts[] = {WEFT_OPERATOR("*", multiply, a* b), WEFT_OPERATOR("/", divide, a / b)};
constexpr Operator kPower = WEFT_OPERATOR("^", power, std::pow(a, b));
constexpr Operator kAnd = WEFT_OPERATOR("and", logical_and, a != 0 && b != 0);
constexpr Operator kOr = WEFT_OPERATOR("or", logical_or, a != 0 || b != 0);
#undef WEFT_OPERATOR

struct Function {
  const char* name;
  Array (*arrays)(const Array&);
  double (*numbers)(double);
};
#define WEFT_FUNCTION(name)                                                                                      \
  {                                                                                                              \
#name, [](const Array& a)                                                                                    \
                -> Array { return arrays::name(a); }, [](double a) { return static_cast<double>(std::name(a)); } \
  }
constexpr Function kFunctions[] = {WEFT_FUNCTION(abs),   WEFT_FUNCTION(sqrt), WEFT_FUNCTION(exp),  WEFT_FUNCTION(log),
                                   WEFT_FUNCTION(log10), WEFT_FUNCTION(sin),  WEFT_FUNCTION(cos),  WEFT_FUNCTION(tan),
                                   WEFT_FUNCTION(floor), WEFT_FUNCTION(ceil), WEFT_FUNCTION(isnan)};
#undef WEFT_FUNCTION

/// Reads an expression and makes arrays of it while it goes.
/// Owns: nothing; text and data must outlive it.  Threading: one thread.
class Expression {
 public:
  Expression(const std::string& text, const Dataset& data) : text_(text), data_(data) {}
  Value value() {
    Value out = alternatives();
    space();
    if (at_ != text_.size()) refuse("'" + text_.substr(at_) + "' does not belong there");
    return out;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const { throw UsageError("expression '" + text_ + "': " + why); }
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  bool take(const std::string& word) {
    space();
    if (text_.compare(at_, word.size(), word) != 0) return false;
    const bool letters = std::isalpha(static_cast<unsigned char>(word[0])) != 0;
    const std::size_t end = at_ + word.size();
    if (letters && end < text_.size() &&
        (std::isalnum(static_cast<unsigned char>(text_[end])) != 0 || text_[end] == '_')) {
      return false;
    }
    at_ = end;
    return true;
  }

  static Value apply(const Operator& op, const Value& a, const Value& b) {
    if (std::holds_alternative<double>(a) && std::holds_alternative<double>(b)) {
      return op.numbers(std::get<double>(a), std::get<double>(b));
    }
    const auto changed = [](const LabelledArray& like, Array data) {
      return LabelledArray(std::move(data), like.dims(), like.coordinates(), like.name());
    };
    // A plain number takes the type of the array beside it.
    const auto number = [](const Value& one, const LabelledArray& like) {
      const Dtype type = like.data().dtype();
      return arrays::full({}, std::get<double>(one), {.dtype = type.is_floating() ? type : Dtype(TypeCode::Float64)});
    };
    if (std::holds_alternative<double>(a)) {
      const LabelledArray& array = std::get<LabelledArray>(b);
      return changed(array, op.arrays(number(a, array), array.data()));
    }
    const LabelledArray& array = std::get<LabelledArray>(a);
    if (std::holds_alternative<double>(b)) return changed(array, op.arrays(array.data(), number(b, array)));
    return labelled::combined(array, std::get<LabelledArray>(b), op.arrays);
  }

  Value alternatives() {
    Value out = conditions();
    while (take("or") || take("||") || take("|")) out = apply(kOr, out, conditions());
    return out;
  }
  Value conditions() {
    Value out = denial();
    while (take("and") || take("&&") || take("&")) out = apply(kAnd, out, denial());
    return out;
  }
  Value denial() {
    space();
    const bool mark = at_ + 1 < text_.size() && text_[at_] == '!' && text_[at_ + 1] != '=';
    if (!take("not") && !(mark && take("!"))) return comparison();
    const Value inner = denial();
    if (std::holds_alternative<double>(inner)) return std::get<double>(inner) == 0 ? 1.0 : 0.0;
    const LabelledArray& array = std::get<LabelledArray>(inner);
    return LabelledArray(arrays::logical_not(array.data()), array.dims(), array.coordinates(), array.name());
  }
  Value comparison() {
    Value out = sum();
    for (const Operator& op : kComparisons) {
      if (take(op.text)) return apply(op, out, sum());
    }
    return out;
  }
  Value sum() {
    Value out = product();
    for (;;) {
      const Operator* const op = take("+") ? &kSums[0] : take("-") ? &kSums[1] : nullptr;
      if (op == nullptr) return out;
      out = apply(*op, out, product());
    }
  }
  Value product() {
    Value out = unary();
    for (;;) {
      const Operator* const op = take("*") ? &kProducts[0] : take("/") ? &kProducts[1] : nullptr;
      if (op == nullptr) return out;
      out = apply(*op, out, unary());
    }
  }
  Value unary() {
    if (++depth_ > 200) refuse("it is nested too deeply");
    Value out = take("-") ? apply(kSums[1], 0.0, unary()) : power();
    --depth_;
    return out;
  }
  Value power() {
    Value out = atom();
    if (take("^") || take("**")) return apply(kPower, out, unary());
    return out;
  }
  Value atom() {
    space();
    if (take("(")) {
      Value out = alternatives();
      if (!take(")")) refuse("a bracket is not closed");
      return out;
    }
    const char* const begin = text_.c_str() + at_;
    if (std::isdigit(static_cast<unsigned char>(*begin)) != 0 || *begin == '.') {
      char* end = nullptr;
      const double number = std::strtod(begin, &end);
      at_ += static_cast<std::size_t>(end - begin);
      return number;
    }
    std::string name;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' || text_[at_] == '.')) {
      name += text_[at_++];
    }
    if (name.empty()) refuse("a number or a name is missing at '" + text_.substr(at_) + "'");
    return take("(") ? call(name) : named(name);
  }
  Value call(const std::string& name) {
    const Value inner = alternatives();
    if (!take(")")) refuse("a bracket is not closed");
    std::vector<std::string> names;
    for (const Function& one : kFunctions) {
      names.emplace_back(one.name);
      if (name != one.name) continue;
      if (std::holds_alternative<double>(inner)) return one.numbers(std::get<double>(inner));
      const LabelledArray& array = std::get<LabelledArray>(inner);
      return LabelledArray(one.arrays(array.data()), array.dims(), array.coordinates(), array.name());
    }
    refuse("there is no function '" + name + "'; did you mean " + nearest_name(name, names) + "?");
  }
  Value named(const std::string& name) const {
    if (data_.has(name)) return data_[name];
    const std::size_t dot = name.find('.');
    const std::string dim = name.substr(0, dot);
    const auto found = data_.coordinates().find(dim);
    if (found != data_.coordinates().end() && (found->second.is_time() || found->second.texts().empty())) {
      const Coordinate& labels = found->second;
      std::vector<double> values = labels.numbers();
      for (std::size_t i = 0; dot != std::string::npos && labels.is_time() && i < values.size(); ++i) {
        values[i] = static_cast<double>(labelled::time_part(
            name.substr(dot + 1), static_cast<labelled::Calendar>(labels.calendar()), labels.instants()[i]));
      }
      return LabelledArray(arrays::from(std::move(values)), {dim}, {{dim, labels}}, name);
    }
    std::vector<std::string> names;
    for (const LabelledArray& one : data_.variables()) names.push_back(one.name());
    for (const auto& [known, labels] : data_.coordinates()) names.push_back(known);
    refuse("there is no variable '" + name + "'; did you mean '" + nearest_name(name, names) + "'?");
  }

  const std::string& text_;
  const Dataset& data_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Dataset keep_where(const Dataset& data, const std::string& expression, const std::vector<std::string>& dims) {
  const Value value = Expression(expression, data).value();
  if (std::holds_alternative<double>(value)) throw UsageError("expression '" + expression + "' names no variable");
  const LabelledArray& mask = std::get<LabelledArray>(value);
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : data.variables()) {
    const bool number = !one.data().dtype().is_complex() && !one.data().dtype().is_time();
    const bool reduces = std::any_of(dims.begin(), dims.end(), [&](const std::string& dim) { return one.has(dim); });
    const bool covers =
        std::all_of(mask.dims().begin(), mask.dims().end(), [&](const std::string& dim) { return one.has(dim); });
    if (!number || !reduces || !covers) {
      out.push_back(one);
      continue;
    }
    const LabelledArray kept = labelled::combined(one, mask, [](const Array& x, const Array& holds) -> Array {
      const Array values = x.dtype().is_floating() ? x : x.astype(float64);
      return arrays::where(holds.astype(bool_), values,
                           arrays::full({}, std::numeric_limits<double>::quiet_NaN(), {.dtype = values.dtype()}));
    });
    out.emplace_back(kept.data(), one.dims(), one.coordinates(), one.name(), one.attributes());
  }
  return {std::move(out), data.attributes()};
}

}  // namespace weft::command::data
