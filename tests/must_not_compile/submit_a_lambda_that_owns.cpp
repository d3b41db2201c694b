// expect: weft: this callable cannot travel between processes: its captures are not trivially copyable
#include <weft/client.hpp>

int main() {
  weft::Client client;
  std::vector<double> values(10);
  client.submit([values](int at) { return values[at]; }, 1);
}
