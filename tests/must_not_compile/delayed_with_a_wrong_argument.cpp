// expect: weft: the task's function cannot be called with these arguments
#include <weft/delayed.hpp>

int length(const std::string& text) { return static_cast<int>(text.size()); }

int main() { auto lazy = weft::delayed(length)(3.5); }
