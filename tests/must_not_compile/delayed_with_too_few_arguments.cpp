// expect: weft: the task's function cannot be called with these arguments
#include <weft/delayed.hpp>

int main() {
  auto lazy = weft::delayed([](int a, int b) { return a + b; })(1);
}
