// expect: weft: the task's result cannot travel between processes: give its type weft_fields
#include <weft/client.hpp>

int main() {
  weft::Client client;
  client.submit([](int number) { return new int(number); }, 1);
}
