// expect: weft: a Future is not its value: write future.result\(\)
#include <weft/client.hpp>

int main() {
  weft::Client client;
  auto future = client.submit([](const std::string& a) { return a; }, "text");
  std::string text = future;
}
