// expect: weft: this type cannot travel between processes: give it weft_fields
#include <weft/encode.hpp>

#include <mutex>

struct Guarded {
  int value;
  std::mutex mutex;
};

int main() {
  weft::Reader reader(nullptr, 0);
  weft::decode<Guarded>(reader);
}
