// Reads Avro files and writes them again: avro_copy FROM TO-*.avro CODEC SCHEMA-FILE [BLOCKSIZE]
#include <weft/avro.hpp>
#include <weft/client.hpp>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>

int main(int argc, char** argv) {
  try {
    const weft::Client client(weft::Options{.scheduler = "threads", .threads = 2});
    if (argc < 5) return 2;
    std::ifstream file(argv[4]);
    const std::string schema{std::istreambuf_iterator<char>(file), {}};
    const std::uint64_t block = argc > 5 ? std::strtoull(argv[5], nullptr, 10) : 0;
    weft::to_avro(weft::read_avro(argv[1], {.blocksize = block}), client, argv[2], schema, {.codec = argv[3]});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
