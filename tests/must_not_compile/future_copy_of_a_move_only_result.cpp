// expect: weft: this result cannot be copied
#include <weft/client.hpp>

#include <memory>

int main() {
  const weft::Client client;
  const auto future = client.submit([](int n) { return std::make_unique<int>(n); }, 1);
  auto copy = future.result();
}
