// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  auto future = client.submit([](int a) { return a > 1; }, 2);
  if (future) return 1;
}
