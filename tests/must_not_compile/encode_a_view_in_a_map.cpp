// expect: weft: this type cannot travel between processes: give it weft_fields
#include <weft/encode.hpp>

int main() {
  weft::Writer writer;
  weft::encode(writer, std::map<int, std::vector<std::string_view>>{});
}
