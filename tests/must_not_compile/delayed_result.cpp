// expect: weft: a Delayed is not a value yet: client.compute\(delayed\) gives it
#include <weft/delayed.hpp>

int main() {
  auto lazy = weft::delayed([](int a) { return a; })(1);
  return lazy.result();
}
