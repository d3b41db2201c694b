// expect: weft: a Delayed is not a value yet
#include <weft/client.hpp>

int main() {
  auto lazy = weft::delayed([](int a) { return a; })(1);
  int sum = 0;
  sum += lazy;
  return sum;
}
