// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  auto future = client.submit([](double a) { return a; }, 1.5);
  double number = future;
  return static_cast<int>(number);
}
