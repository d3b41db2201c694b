// expect: weft: this callable cannot travel between processes: its captures are not trivially copyable
#include <weft/callable.hpp>

int main() {
  std::string text = "text";
  weft::Writer writer;
  weft::encode_callable(
      writer, [text] { return text; }, std::source_location::current());
}
