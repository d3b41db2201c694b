/// Feeds arbitrary bytes to the decoder of a type that holds every family of codecs. For libFuzzer:
///   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I . -I core/include \
///     tests/core/encode/fuzz_decode.cpp core/encode/wire.cpp -lfmt -o fuzz_decode && ./fuzz_decode
#include <weft/encode.hpp>
#include <weft/error.hpp>

namespace {

struct Link {
  int value = 0;
  std::unique_ptr<Link> next;
};

struct Everything {
  std::vector<std::map<std::string, std::variant<int, std::vector<double>>>> maps;
  std::tuple<std::optional<std::string>, std::array<bool, 3>, std::pair<char, long double>> parts;
  std::unordered_map<int, std::list<std::string>> lists;
  std::deque<std::set<std::uint16_t>> sets;
  std::vector<bool> flags;
  std::vector<std::monostate> units;
  std::unique_ptr<Link> link;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    // What was accepted must be encoded again to a value that is accepted.
    weft::Writer writer;
    weft::encode(writer, weft::decode_all<Everything>(bytes, size));
    weft::decode_all<Everything>(writer.data(), writer.size());
  } catch (const weft::Error&) {
  }
  return 0;
}
