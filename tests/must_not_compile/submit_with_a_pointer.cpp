// expect: weft: an argument of the task cannot travel between processes: give its type weft_fields
#include <weft/client.hpp>

int main() {
  weft::Client client;
  int number = 1;
  client.submit([](int* pointer) { return *pointer; }, &number);
}
