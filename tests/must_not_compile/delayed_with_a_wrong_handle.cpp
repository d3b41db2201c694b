// expect: weft: the task's function cannot be called with these arguments
#include <weft/delayed.hpp>

std::string word() { return "word"; }
double half(double x) { return x / 2; }

int main() {
  auto text = weft::delayed(word)();
  auto lazy = weft::delayed(half)(text);
}
