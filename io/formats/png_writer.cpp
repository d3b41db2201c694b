#include "io/formats/png_writer.hpp"

#include "io/codecs/filters.hpp"
#include "io/codecs/packers.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string>

namespace weft::io {
namespace {

void add_number(std::vector<std::byte>& out, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::byte>(number >> shift));
}

/// Length, name, bytes, and the sum of the name and the bytes.
void add_chunk(std::vector<std::byte>& out, const char* name, std::span<const std::byte> bytes) {
  add_number(out, static_cast<std::uint32_t>(bytes.size()));
  const std::size_t begin = out.size();
  for (int i = 0; i < 4; ++i) out.push_back(static_cast<std::byte>(name[i]));
  out.insert(out.end(), bytes.begin(), bytes.end());
  add_number(out, crc32(std::span(out).subspan(begin)));
}

}  // namespace

std::vector<std::byte> png_bytes(std::int64_t rows, std::int64_t columns, std::span<const std::uint8_t> colours) {
  const auto row_bytes = static_cast<std::size_t>(columns) * 3;
  // Each row as the differences from the row above, which are zeros wherever nothing changes.
  constexpr std::byte kFromAbove{2};
  std::vector<std::byte> lines;
  lines.reserve(static_cast<std::size_t>(rows) * (row_bytes + 1));
  for (std::size_t row = 0; row < static_cast<std::size_t>(rows); ++row) {
    lines.push_back(kFromAbove);
    const std::uint8_t* const here = colours.data() + row * row_bytes;
    for (std::size_t i = 0; i < row_bytes; ++i) {
      lines.push_back(static_cast<std::byte>(here[i] - (row == 0 ? 0 : (here - row_bytes)[i])));
    }
  }
  std::vector<std::byte> out;
  for (const char c : {'\x89', 'P', 'N', 'G', '\r', '\n', '\x1a', '\n'}) out.push_back(static_cast<std::byte>(c));
  std::vector<std::byte> head;
  add_number(head, static_cast<std::uint32_t>(columns));
  add_number(head, static_cast<std::uint32_t>(rows));
  // Eight bits a channel, three channels, and the only methods there are.
  for (const int one : {8, 2, 0, 0, 0}) head.push_back(static_cast<std::byte>(one));
  add_chunk(out, "IHDR", head);
  add_chunk(out, "IDAT", apply_filters("the picture", {{Filter::kDeflate, {6}}}, 1, lines));
  add_chunk(out, "IEND", {});
  return out;
}

}  // namespace weft::io
