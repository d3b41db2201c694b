// expect: weft: this type cannot travel between processes: give it weft_fields
#include <weft/encode.hpp>

int main() {
  int number = 1;
  weft::Writer writer;
  weft::encode(writer, &number);
}
