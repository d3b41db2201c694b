#include "frames/expression/operand.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <unordered_set>

namespace weft::frames {
namespace {

ColumnType natural_type(const Cell& literal, ColumnType if_missing) {
  switch (literal.index()) {
    case 0:
      return if_missing;
    case 1:
      return ColumnType::Bool;
    case 2:
      return ColumnType::Int64;
    case 3:
      return ColumnType::Float64;
    default:
      return ColumnType::String;
  }
}

bool is_number(ColumnType type) {
  return type == ColumnType::Bool || type == ColumnType::Int32 || type == ColumnType::Int64 ||
         type == ColumnType::Float32 || type == ColumnType::Float64;
}

/// Returns the type that both have room in; a literal gives way where it can.
ColumnType common_type(const Operand& a, const Operand& b) {
  const auto type = [](const Operand& one, ColumnType other) {
    return one.is_literal ? natural_type(one.literal, other) : one.column.type();
  };
  const ColumnType of_b = b.is_literal ? natural_type(b.literal, ColumnType::Float64) : b.column.type();
  const ColumnType of_a = type(a, of_b);
  const ColumnType second = type(b, of_a);
  if (of_a == second) return of_a;
  if (is_number(of_a) && is_number(second)) {
    const Operand* const column = a.is_literal != b.is_literal ? (a.is_literal ? &b : &a) : nullptr;
    const ColumnType wide = std::max(of_a, second);
    if (column == nullptr) return wide == ColumnType::Float32 ? ColumnType::Float64 : wide;
    const bool real_literal = (a.is_literal ? of_a : second) == ColumnType::Float64;
    const ColumnType its = column->column.type();
    if (!real_literal) return std::max(its, ColumnType::Bool);
    return its == ColumnType::Float32 ? its : ColumnType::Float64;
  }
  const auto is_time = [](ColumnType one) { return one == ColumnType::Timestamp; };
  if (is_time(of_a) || is_time(second)) return ColumnType::Timestamp;
  return ColumnType::String;
}

/// Returns the operand's values as this type.
Column as_type(const Operand& operand, std::size_t rows, ColumnType type) {
  if (!operand.is_literal) return operand.column.cast(type);
  const Column one = spread(operand.literal, 1, type).cast(type);
  if (rows == 1) return one;
  return one.take(std::vector<std::uint32_t>(rows, 0));
}

}  // namespace

std::string kind_of(const Operand& operand) {
  if (!operand.is_literal) return std::string(name_of(operand.column.type()));
  return operand.literal.index() == 0
             ? "a missing value"
             : "the " + std::string(name_of(natural_type(operand.literal, ColumnType::Float64))) + " given";
}

Column spread(const Cell& literal, std::size_t rows, ColumnType if_missing) {
  const Column one = Column::of(natural_type(literal, if_missing), {literal});
  return rows == 1 ? one : one.take(std::vector<std::uint32_t>(rows, 0));
}

Column column_of(const Operand& operand, std::size_t rows) {
  return operand.is_literal ? spread(operand.literal, rows) : operand.column;
}

Column choose(const Operand& value, const Operand& condition, const Operand& otherwise, std::size_t rows) {
  const Column holds = column_of(condition, rows);
  if (holds.type() != ColumnType::Bool) refuse_operand(ColumnOp::Where, condition);
  const ColumnType type = common_type(value, otherwise);
  const Column yes = as_type(value, rows, type);
  const Column no = as_type(otherwise, rows, type);
  // The second half of one column holds the others.
  const Column* const both[] = {&yes, &no};
  const Column all = Column::concat(both);
  std::vector<std::uint32_t> at(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    const bool first = holds.data<std::uint8_t>()[i] != 0 && !holds.is_missing(i);
    at[i] = static_cast<std::uint32_t>(first ? i : i + rows);
  }
  Column chosen = all.take(at);
  if (chosen.has_missing_marks() && std::memchr(chosen.marks(), 0, rows) == nullptr) chosen.drop_marks();
  return chosen;
}

Column fill_missing(const Operand& value, const Operand& by, std::size_t rows) {
  const Column column = column_of(value, rows);
  if (column.missing_count() == 0) return column;
  Column present(ColumnType::Bool, rows);
  for (std::size_t i = 0; i < rows; ++i) present.data<std::uint8_t>()[i] = column.is_missing(i) ? 0 : 1;
  return choose(value, {std::move(present), {}, false}, by, rows);
}

Column is_in(const Column& column, const std::vector<Cell>& list) {
  if (column.type() == ColumnType::Category) {
    const Column of_list = is_in(column.category_list(), list);
    Column found(ColumnType::Bool, column.size());
    for (std::size_t i = 0; i < column.size(); ++i) {
      const std::int32_t code = column.data<std::int32_t>()[i];
      found.data<std::uint8_t>()[i] = code >= 0 ? of_list.data<std::uint8_t>()[code] : 0;
    }
    return found;
  }
  Column found(ColumnType::Bool, column.size());
  auto* const out = found.data<std::uint8_t>();
  if (column.type() == ColumnType::String) {
    std::unordered_set<std::string_view> texts;
    for (const Cell& cell : list) {
      if (const auto* const text = std::get_if<std::string>(&cell)) texts.insert(*text);
    }
    for (std::size_t i = 0; i < column.size(); ++i)
      out[i] = !column.is_missing(i) && texts.contains(column.text(i)) ? 1 : 0;
    return found;
  }
  std::unordered_set<double> reals;
  std::unordered_set<std::int64_t> wholes;
  for (const Cell& cell : list) {
    if (const auto* const flag = std::get_if<bool>(&cell)) wholes.insert(*flag ? 1 : 0);
    if (const auto* const whole = std::get_if<std::int64_t>(&cell)) {
      wholes.insert(*whole);
      reals.insert(static_cast<double>(*whole));
    }
    if (const auto* const real = std::get_if<double>(&cell)) {
      reals.insert(*real);
      if (*real == std::floor(*real) && std::fabs(*real) < 9e15) wholes.insert(static_cast<std::int64_t>(*real));
    }
    if (const auto* const text = std::get_if<std::string>(&cell);
        text != nullptr && column.type() == ColumnType::Timestamp) {
      if (const auto time = parse_timestamp(*text)) wholes.insert(*time);
    }
  }
  const bool real = column.type() == ColumnType::Float32 || column.type() == ColumnType::Float64;
  const Column values = column.cast(real ? ColumnType::Float64 : ColumnType::Int64);
  for (std::size_t i = 0; i < column.size(); ++i) {
    const bool there =
        real ? reals.contains(values.data<double>()[i]) : wholes.contains(values.data<std::int64_t>()[i]);
    out[i] = there && !column.is_missing(i) ? 1 : 0;
  }
  return found;
}

namespace {

Operand take(std::vector<Operand>& stack) {
  if (stack.empty()) throw Error("a column expression that was sent is damaged: a step has nothing to work on");
  Operand last = std::move(stack.back());
  stack.pop_back();
  return last;
}

Operand run_step(const ColumnStep& step, std::vector<Operand>& stack, const Table& table) {
  const std::size_t rows = table.row_count();
  if (step.op == ColumnOp::Named) return {table[step.text], {}, false};
  if (step.op == ColumnOp::Literal) return {{}, step.value, true};
  if (step.op >= ColumnOp::Add && step.op <= ColumnOp::Or) {
    const Operand right = take(stack);
    return binary(step.op, take(stack), right, rows);
  }
  if (step.op == ColumnOp::Where) {
    const Operand otherwise = take(stack);
    const Operand condition = take(stack);
    return {choose(take(stack), condition, otherwise, rows), {}, false};
  }
  if (step.op == ColumnOp::Keep) {
    const Operand condition = take(stack);
    return {choose(take(stack), condition, {{}, {}, true}, rows), {}, false};
  }
  if (step.op == ColumnOp::FillMissing) {
    const Operand by = take(stack);
    return {fill_missing(take(stack), by, rows), {}, false};
  }
  return unary(step, take(stack), rows);
}

}  // namespace

Column evaluate(const ColumnExpr& expression, const Table& table) {
  std::vector<Operand> stack;
  for (const ColumnStep& step : expression.steps()) stack.push_back(run_step(step, stack, table));
  const Operand result = take(stack);
  if (!stack.empty()) throw Error("a column expression that was sent is damaged: it leaves more than one column");
  return column_of(result, table.row_count());
}

std::vector<std::uint8_t> evaluate_condition(const ColumnExpr& condition, const Table& table) {
  const Column holds = evaluate(condition, table);
  if (holds.type() != ColumnType::Bool)
    throw Error("a condition must be a column of bools, and '" + condition.name() + "...' is of " +
                std::string(name_of(holds.type())) + ": compare it with something");
  std::vector<std::uint8_t> keep(holds.size());
  if (!keep.empty()) std::memcpy(keep.data(), holds.data<std::uint8_t>(), keep.size());
  if (holds.has_missing_marks()) {
    for (std::size_t i = 0; i < keep.size(); ++i) keep[i] = keep[i] & holds.marks()[i];
  }
  return keep;
}

}  // namespace weft::frames
