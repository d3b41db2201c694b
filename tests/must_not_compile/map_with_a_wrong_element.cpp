// expect: weft: the task's function cannot be called with these arguments
#include <weft/client.hpp>

int main() {
  weft::Client client;
  client.map([](const std::string& text) { return text.size(); }, std::vector<int>{1, 2});
}
