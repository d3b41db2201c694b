// expect: weft: the task's function cannot be called with these arguments
#include <weft/client.hpp>

int main() {
  weft::Client client;
  client.submit([](int a, int b) { return a + b; }, 1);
}
