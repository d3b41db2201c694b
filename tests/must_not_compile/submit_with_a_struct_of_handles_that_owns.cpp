// expect: weft: an argument of the task cannot travel between processes: give its type weft_fields
#include <weft/client.hpp>

#include <mutex>

struct Guarded {
  weft::Delayed<int> value;
  std::mutex* mutex;
  friend void weft_handles(const Guarded& guarded, auto& visit) { visit(guarded.value); }
};

int main() {
  weft::Client client;
  client.submit([](const Guarded&) { return 1; }, Guarded{weft::delayed(1), nullptr});
}
