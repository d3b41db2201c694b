#include <weft/column_expression.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <charconv>

namespace weft {
namespace {

void require_steps(const ColumnExpr& expression) {
  if (expression.steps().empty()) throw Error("an empty column expression was used: begin with col(\"name\")");
}

}  // namespace

ColumnExpr ColumnExpr::literal(Cell value) {
  ColumnExpr expression;
  expression.steps_.push_back({.op = ColumnOp::Literal, .value = std::move(value)});
  return expression;
}

ColumnExpr ColumnExpr::named(std::string name) {
  ColumnExpr expression;
  expression.steps_.push_back({.op = ColumnOp::Named, .text = std::move(name)});
  return expression;
}

std::string ColumnExpr::name() const {
  const auto found =
      std::find_if(steps_.begin(), steps_.end(), [](const ColumnStep& step) { return step.op == ColumnOp::Named; });
  return found == steps_.end() ? "value" : found->text;
}

std::vector<std::string> ColumnExpr::reads() const {
  std::vector<std::string> names;
  for (const ColumnStep& step : steps_) {
    if (step.op == ColumnOp::Named && std::find(names.begin(), names.end(), step.text) == names.end())
      names.push_back(step.text);
  }
  return names;
}

ColumnExpr ColumnExpr::with(ColumnStep step) const {
  require_steps(*this);
  ColumnExpr longer = *this;
  longer.steps_.push_back(std::move(step));
  return longer;
}

ColumnExpr ColumnExpr::with(const ColumnExpr& other, ColumnOp op) const {
  require_steps(other);
  ColumnExpr longer = *this;
  longer.steps_.insert(longer.steps_.end(), other.steps_.begin(), other.steps_.end());
  return longer.with(ColumnStep{.op = op});
}

ColumnExpr ColumnExpr::with(const ColumnExpr& second, const ColumnExpr& third, ColumnOp op) const {
  ColumnExpr longer = *this;
  for (const ColumnExpr* const one : {&second, &third}) {
    require_steps(*one);
    longer.steps_.insert(longer.steps_.end(), one->steps_.begin(), one->steps_.end());
  }
  return longer.with(ColumnStep{.op = op});
}

namespace frames {

std::int64_t span_ns(const std::string& span) {
  std::int64_t count = 1;
  const char* const end = span.data() + span.size();
  const char* unit = span.data();
  if (!span.empty() && span.front() >= '0' && span.front() <= '9') unit = std::from_chars(unit, end, count).ptr;
  const std::string_view word(unit, static_cast<std::size_t>(end - unit));
  constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {{"ns", 1},
                                                                  {"us", 1'000},
                                                                  {"ms", 1'000'000},
                                                                  {"s", 1'000'000'000},
                                                                  {"S", 1'000'000'000},
                                                                  {"min", 60'000'000'000},
                                                                  {"T", 60'000'000'000},
                                                                  {"h", 3'600'000'000'000},
                                                                  {"H", 3'600'000'000'000},
                                                                  {"D", 86'400'000'000'000},
                                                                  {"W", 604'800'000'000'000}};
  for (const auto& [name, ns] : kUnits) {
    if (name == word && count > 0 && count < INT64_MAX / ns) return count * ns;
  }
  throw Error("'" + span + "' is no span of time: write a number and ns, us, ms, s, min, h, D or W, as \"15min\"");
}

}  // namespace frames
}  // namespace weft
