// expect: weft: a Delayed is not a value yet
#include <weft/delayed.hpp>

int main() {
  auto lazy = weft::delayed([](int a) { return a; })(1);
  double number = lazy;
  return static_cast<int>(number);
}
