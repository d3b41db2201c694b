// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  const auto half = client.submit([](double a) { return a / 2; }, 1.5) + 1;
  return static_cast<int>(half);
}
