/// Feeds arbitrary bytes to the decoder of a type that holds every family of codecs. For libFuzzer:
///   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I . -I core/include \
///     tests/core/encode/fuzz_decode.cpp core/encode/wire.cpp -lfmt -o fuzz_decode && ./fuzz_decode
#include "tests/core/encode/everything.hpp"

#include <weft/error.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  try {
    // What was accepted must be encoded again to a value that is accepted.
    weft::Writer writer;
    weft::encode(writer, weft::decode_all<weft::everything::Everything>(bytes, size));
    weft::decode_all<weft::everything::Everything>(writer.data(), writer.size());
  } catch (const weft::Error&) {
  }
  return 0;
}
