// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  double sum = 0;
  for (const auto& future : client.map([](double a) { return a; }, std::vector{1.5, 2.5})) sum += future;
  return static_cast<int>(sum);
}
