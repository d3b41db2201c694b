// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  const auto one = client.submit([](int a) { return a; }, 1);
  const auto two = client.submit([](int a) { return a; }, 2);
  return one < two ? 0 : 1;
}
