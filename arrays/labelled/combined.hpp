#pragma once

#include <weft/labelled.hpp>

#include <functional>

namespace weft::labelled {

/// Combines two arrays by the names of their dimensions: those that one lacks are stretched, labels that only one has
/// are left out.
LabelledArray combined(const LabelledArray& a, const LabelledArray& b,
                       const std::function<arrays::Array(const arrays::Array&, const arrays::Array&)>& f);
/// The data with these dimensions: an axis of extent 1 for each that is missing.
arrays::Array spread(const LabelledArray& array, const std::vector<std::string>& dims);
/// Throws Error, which begins with `which`, where an array has other dimensions than the first one, or other labels
/// along them; `dim` may differ.
void check_alike(const LabelledArray& first, const LabelledArray& other, const std::string& which,
                 const std::string& dim);

}  // namespace weft::labelled
