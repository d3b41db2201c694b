#pragma once

#include <weft/column_expression.hpp>

namespace weft::frames {

/// A column, or a literal that stands in every row.
struct Operand {
  Column column;
  Cell literal;
  bool is_literal = false;
};

/// Returns the word for an operand's type in errors.
std::string kind_of(const Operand& operand);
[[noreturn]] void refuse_operands(ColumnOp op, const Operand& a, const Operand& b);
[[noreturn]] void refuse_operand(ColumnOp op, const Operand& a);
std::string_view symbol_of(ColumnOp op);

/// Returns the literal as a column of so many rows; a missing one is of the type given.
Column spread(const Cell& literal, std::size_t rows, ColumnType if_missing = ColumnType::Float64);
/// Returns the operand's column, spread where it is a literal.
Column column_of(const Operand& operand, std::size_t rows);

/// + - * / // % **, == != < <= > >=, & |
Operand binary(ColumnOp op, const Operand& a, const Operand& b, std::size_t rows);
Operand unary(const ColumnStep& step, const Operand& a, std::size_t rows);
Column choose(const Operand& value, const Operand& condition, const Operand& otherwise, std::size_t rows);
Column fill_missing(const Operand& value, const Operand& by, std::size_t rows);
Column is_in(const Column& column, const std::vector<Cell>& list);

/// Parts of timestamps (dates.cpp).
Column date_part(const ColumnStep& step, const Column& times);
/// Functions of strings (texts.cpp).
Column text_part(const ColumnStep& step, const Column& texts);

}  // namespace weft::frames
