// expect: weft: this Delayed has no items
#include <weft/client.hpp>

int main() {
  const weft::Client client;
  client.compute(weft::delayed(3)[0]);
}
