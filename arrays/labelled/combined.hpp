#pragma once

#include <weft/labelled.hpp>

#include <functional>

namespace weft::labelled {

/// Combines two arrays by the names of their dimensions: those that one lacks are stretched, labels that only one has
/// are left out.
LabelledArray combined(const LabelledArray& a, const LabelledArray& b,
                       const std::function<arrays::Array(const arrays::Array&, const arrays::Array&)>& f);

}  // namespace weft::labelled
