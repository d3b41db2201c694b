// expect: weft: the task's function cannot be called with these arguments
#include <weft/client.hpp>

int main() {
  weft::Client client;
  client.submit([](const std::vector<double>& values) { return values.size(); }, 1);
}
