// expect: weft: Bag::to_textfiles: the elements must be std::string
#include <weft/bag.hpp>

int main() {
  const weft::Client client;
  weft::bag_range(10).to_textfiles(client, "numbers");
}
