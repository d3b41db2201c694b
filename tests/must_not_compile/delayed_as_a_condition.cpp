// expect: weft: a Delayed is not a value yet
#include <weft/delayed.hpp>

int main() {
  auto lazy = weft::delayed([](int a) { return a > 1; })(1);
  if (lazy) return 1;
}
