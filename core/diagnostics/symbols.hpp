#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weft::symbols {

/// A function that an address of code lies in.
struct Place {
  /// Demangled; empty where nobody knows it.
  std::string function;
  /// "main.cpp:31", or where the program has no such information: an offset in the function, or in its file.
  std::string where;
};

/// Returns the functions at `address`, the innermost first: those that the compiler has put into each other are told
/// apart where the program was built with debug information. Any thread; takes milliseconds the first time.
std::vector<Place> at(std::uintptr_t address);

}  // namespace weft::symbols
