// Expressions of variables and labels, with NumPy's names: `--where`, `--expr`.
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
#include <numbers>
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
// Longer ones first.
constexpr Operator kProducts[] = {WEFT_OPERATOR("//", floor_divide, std::floor(a / b)),
                                  WEFT_OPERATOR("*", multiply, a* b), WEFT_OPERATOR("/", divide, a / b),
                                  WEFT_OPERATOR("%", remainder, a - b * std::floor(a / b))};
constexpr Operator kPower = WEFT_OPERATOR("^", power, std::pow(a, b));
constexpr Operator kAnd = WEFT_OPERATOR("and", logical_and, a != 0 && b != 0);
constexpr Operator kOr = WEFT_OPERATOR("or", logical_or, a != 0 || b != 0);
constexpr Operator kPairs[] = {WEFT_OPERATOR("minimum", minimum, a < b || std::isnan(a) ? a : b),
                               WEFT_OPERATOR("maximum", maximum, a > b || std::isnan(a) ? a : b),
                               WEFT_OPERATOR("fmin", fmin, std::fmin(a, b)),
                               WEFT_OPERATOR("fmax", fmax, std::fmax(a, b)),
                               WEFT_OPERATOR("power", power, std::pow(a, b)),
                               WEFT_OPERATOR("hypot", hypot, std::hypot(a, b)),
                               WEFT_OPERATOR("arctan2", arctan2, std::atan2(a, b))};
#undef WEFT_OPERATOR

struct Function {
  const char* name;
  Array (*arrays)(const Array&);
  double (*numbers)(double);
};
#define WEFT_FUNCTION(name, value)                                                                                   \
  {                                                                                                                  \
#name, [](const Array& a) -> Array { return arrays::name(a); },                                                  \
                                                                 [](double a) { return static_cast<double>(value); } \
  }
constexpr double kDegree = std::numbers::pi / 180;
constexpr Function kFunctions[] = {
    WEFT_FUNCTION(abs, std::abs(a)),        WEFT_FUNCTION(absolute, std::abs(a)),
    WEFT_FUNCTION(sqrt, std::sqrt(a)),      WEFT_FUNCTION(square, a* a),
    WEFT_FUNCTION(exp, std::exp(a)),        WEFT_FUNCTION(expm1, std::expm1(a)),
    WEFT_FUNCTION(log, std::log(a)),        WEFT_FUNCTION(log2, std::log2(a)),
    WEFT_FUNCTION(log10, std::log10(a)),    WEFT_FUNCTION(log1p, std::log1p(a)),
    WEFT_FUNCTION(sin, std::sin(a)),        WEFT_FUNCTION(cos, std::cos(a)),
    WEFT_FUNCTION(tan, std::tan(a)),        WEFT_FUNCTION(arcsin, std::asin(a)),
    WEFT_FUNCTION(arccos, std::acos(a)),    WEFT_FUNCTION(arctan, std::atan(a)),
    WEFT_FUNCTION(sinh, std::sinh(a)),      WEFT_FUNCTION(cosh, std::cosh(a)),
    WEFT_FUNCTION(tanh, std::tanh(a)),      WEFT_FUNCTION(floor, std::floor(a)),
    WEFT_FUNCTION(ceil, std::ceil(a)),      WEFT_FUNCTION(trunc, std::trunc(a)),
    WEFT_FUNCTION(rint, std::nearbyint(a)), WEFT_FUNCTION(sign, a > 0 ? 1.0 : a < 0 ? -1.0 : a),
    WEFT_FUNCTION(deg2rad, a* kDegree),     WEFT_FUNCTION(rad2deg, a / kDegree),
    WEFT_FUNCTION(isnan, std::isnan(a)),    WEFT_FUNCTION(isfinite, std::isfinite(a)),
};
#undef WEFT_FUNCTION

/// Reads an expression and makes arrays of it while it goes.
/// Owns: nothing; text and data must outlive it.  Threading: one thread.
class Expression {
 public:
  /// `shown`: what people wrote, of which the text is the end, at the same columns.
  Expression(const std::string& text, const Dataset& data, const std::string& shown)
      : text_(text), data_(data), shown_(shown) {}
  Value value() {
    Value out = alternatives();
    space();
    if (at_ != text_.size()) refuse("'" + text_.substr(at_) + "' does not belong there");
    return out;
  }

 private:
  /// Columns are counted from 1, as editors do.
  [[noreturn]] void refuse_at(std::size_t at, const std::string& why) const {
    throw UsageError("expression '" + shown_ + "', column " + std::to_string(at + 1) + ": " + why);
  }
  [[noreturn]] void refuse(const std::string& why) const { refuse_at(at_, why); }
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
    // A plain number takes the type of the array beside it; beside integers only a whole one does.
    const auto number = [](const Value& one, const LabelledArray& like) {
      const Dtype type = like.data().dtype();
      const double value = std::get<double>(one);
      const bool whole = type.is_integer() && value == std::floor(value) && std::abs(value) < 128 &&
                         (value >= 0 || !type.is_unsigned());
      return arrays::full({}, value, {.dtype = type.is_floating() || whole ? type : Dtype(TypeCode::Float64)});
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
    if (++depth_ > 200) refuse("it is nested too deeply");
    const Value inner = denial();
    --depth_;
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
      const auto op =
          std::find_if(std::begin(kProducts), std::end(kProducts), [&](const Operator& one) { return take(one.text); });
      if (op == std::end(kProducts)) return out;
      out = apply(*op, out, unary());
    }
  }
  Value unary() {
    if (++depth_ > 200) refuse("it is nested too deeply");
    Value out = take("-") ? negative(unary()) : take("+") ? unary() : power();
    --depth_;
    return out;
  }
  static Value negative(const Value& inner) {
    if (std::holds_alternative<double>(inner)) return -std::get<double>(inner);
    const LabelledArray& array = std::get<LabelledArray>(inner);
    return LabelledArray(arrays::negative(array.data()), array.dims(), array.coordinates(), array.name());
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
    const std::size_t at = at_;
    std::string name;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_' || text_[at_] == '.')) {
      name += text_[at_++];
    }
    if (name.empty()) refuse("a number or a name is missing at '" + text_.substr(at_) + "'");
    return take("(") ? call(name, at) : named(name, at);
  }
  Value call(const std::string& name, std::size_t at) {
    std::vector<Value> words;
    do {
      words.push_back(alternatives());
    } while (take(","));
    if (!take(")")) refuse("a bracket is not closed");
    std::vector<std::string> names = {"where"};
    const auto need = [&](std::size_t count) {
      if (words.size() != count) refuse_at(at, "'" + name + "' takes " + std::to_string(count) + " values");
    };
    for (const Function& one : kFunctions) {
      names.emplace_back(one.name);
      if (name != one.name) continue;
      need(1);
      if (std::holds_alternative<double>(words[0])) return one.numbers(std::get<double>(words[0]));
      const LabelledArray& array = std::get<LabelledArray>(words[0]);
      return LabelledArray(one.arrays(array.data()), array.dims(), array.coordinates(), array.name());
    }
    for (const Operator& one : kPairs) {
      names.emplace_back(one.text);
      if (name != one.text) continue;
      need(2);
      return apply(one, words[0], words[1]);
    }
    if (name != "where") {
      refuse_at(at, "there is no function '" + name + "'; did you mean " + nearest_name(name, names) + "?");
    }
    need(3);
    return select(words[0], words[1], words[2]);
  }
  /// One value where a condition holds, another elsewhere.
  static Value select(const Value& condition, const Value& yes, const Value& no) {
    if (std::holds_alternative<double>(condition)) return std::get<double>(condition) != 0 ? yes : no;
    static constexpr Operator kKeep = {"where",
                                       [](const Array& holds, const Array& x) -> Array {
                                         return arrays::where(holds.astype(bool_), x,
                                                              arrays::full({}, 0, {.dtype = x.dtype()}));
                                       },
                                       nullptr};
    const LabelledArray& holds = std::get<LabelledArray>(condition);
    const LabelledArray mask(holds.data().astype(bool_), holds.dims(), holds.coordinates(), {});
    const LabelledArray other(arrays::logical_not(mask.data()), holds.dims(), holds.coordinates(), {});
    // A number beside a mask would take the mask's type.
    const auto kept = [](const LabelledArray& where, const Value& value) -> Value {
      if (!std::holds_alternative<double>(value)) return apply(kKeep, where, value);
      const Array number = arrays::full({}, std::get<double>(value), {.dtype = float64});
      return LabelledArray(kKeep.arrays(where.data(), number), where.dims(), where.coordinates(), {});
    };
    Value first = kept(mask, yes), second = kept(other, no);
    // Numbers take the type of the array that they stand beside.
    const auto narrow = [](Value& number, const Value& like) {
      const Dtype type = std::get<LabelledArray>(like).data().dtype();
      const LabelledArray& one = std::get<LabelledArray>(number);
      if (type.is_floating())
        number = LabelledArray(one.data().astype(type), one.dims(), one.coordinates(), one.name());
    };
    if (std::holds_alternative<double>(yes) && !std::holds_alternative<double>(no)) narrow(first, second);
    if (std::holds_alternative<double>(no) && !std::holds_alternative<double>(yes)) narrow(second, first);
    return apply(kSums[0], first, second);
  }
  Value named(const std::string& name, std::size_t at) const {
    if (data_.has(name)) return data_[name];
    if (name == "pi") return std::numbers::pi;
    if (name == "e") return std::numbers::e;
    if (name == "nan" || name == "inf") {
      return name == "nan" ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
    }
    const std::size_t dot = name.find('.');
    const std::string dim = name.substr(0, dot);
    const auto found = data_.coordinates().find(dim);
    if (found != data_.coordinates().end() && (found->second.is_time() || found->second.texts().empty())) {
      const Coordinate& labels = found->second;
      if (dot != std::string::npos && !labels.is_time()) {
        refuse_at(at, "'" + dim + "' is no time, so that it has no '" + name.substr(dot + 1) + "'");
      }
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
    refuse_at(at, "there is no variable '" + name + "'; did you mean '" + nearest_name(name, names) + "'?");
  }

  const std::string& text_;
  const Dataset& data_;
  const std::string& shown_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Dataset keep_where(const Dataset& data, const std::string& expression, const std::vector<std::string>& dims) {
  const Value value = Expression(expression, data, expression).value();
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

std::pair<Dataset, std::string> with_expression(const Dataset& data, const std::string& words) {
  std::size_t equals = words.find('=');
  if (equals != std::string::npos && equals + 1 < words.size() && words[equals + 1] == '=') equals = std::string::npos;
  std::string name = words.substr(0, std::min(equals, words.size()));
  const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  name.erase(std::find_if_not(name.rbegin(), name.rend(), blank).base(), name.end());
  name.erase(name.begin(), std::find_if_not(name.begin(), name.end(), blank));
  const bool good = equals != std::string::npos && !name.empty() &&
                    std::isdigit(static_cast<unsigned char>(name[0])) == 0 &&
                    std::all_of(name.begin(), name.end(),
                                [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; });
  if (!good) throw UsageError("expression '" + words + "': write NAME = EXPRESSION, as in 'wind = hypot(u, v)'");
  if (data.coordinates().count(name) != 0)
    throw UsageError("expression '" + words + "': '" + name + "' is a coordinate, which expressions do not change");
  // Columns are those of all that was written.
  const std::string text = std::string(equals + 1, ' ') + words.substr(equals + 1);
  const Value value = Expression(text, data, words).value();
  if (std::holds_alternative<double>(value)) throw UsageError("expression '" + words + "' names no variable");
  LabelledArray made = std::get<LabelledArray>(value);
  if (made.data().dtype() == bool_) {
    made = LabelledArray(made.data().astype(int8), made.dims(), made.coordinates());
  }
  std::vector<LabelledArray> out;
  for (const LabelledArray& one : data.variables()) {
    if (one.name() != name) out.push_back(one);
  }
  out.emplace_back(made.data(), made.dims(), made.coordinates(), name);
  return {Dataset(std::move(out), data.attributes()), name};
}

}  // namespace weft::command::data
