#pragma once

#include "io/codecs/filters.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace weft::io {

/// Small TIFF files by hand: numbers of 16 bits that count from 0 on, as they are laid out.
struct TiffBytes {
  std::int64_t pages = 1, rows = 5, columns = 7, samples = 1;
  bool planes = false;
  bool tiled = false;
  std::int64_t piece_rows = 2, piece_columns = 16;
  bool big_endian = false;
  bool large = false;
  std::uint16_t compression = 1;
  std::uint16_t predictor = 1;
  /// More fields: tag, type, the values as numbers of the type's width.
  struct Field {
    std::uint16_t tag, type;
    std::string data;
    std::uint64_t count;
  };
  std::vector<Field> more = {};

  std::string number(std::uint64_t value, int bytes) const {
    std::string out;
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> 8 * (big_endian ? bytes - 1 - i : i));
    return out;
  }
  std::string numbers(const std::vector<std::uint64_t>& values, int bytes) const {
    std::string out;
    for (const std::uint64_t value : values) out += number(value, bytes);
    return out;
  }

  /// The values of the whole, in the order in which weft gives them.
  std::vector<double> values() const {
    std::vector<double> out;
    for (std::int64_t i = 0; i < pages * rows * columns * samples; ++i)
      out.push_back(static_cast<double>(i * 37 % 65536));
    return out;
  }

  std::string bytes() const {
    std::string out = big_endian ? "MM" : "II";
    out += number(large ? 43 : 42, 2);
    if (large) out += number(8, 2) + number(0, 2);
    const std::size_t first = out.size();
    out += number(0, large ? 8 : 4);
    std::size_t link = first;
    const std::int64_t side = planes ? 1 : samples, layers = planes ? samples : 1;
    const std::int64_t wide = tiled ? piece_columns : columns;
    for (std::int64_t page = 0; page < pages; ++page) {
      std::vector<std::uint64_t> places, sizes;
      for (std::int64_t layer = 0; layer < layers; ++layer) {
        for (std::int64_t row = 0; row < rows; row += piece_rows) {
          for (std::int64_t column = 0; column < columns; column += wide) {
            const std::int64_t high = tiled ? piece_rows : std::min(piece_rows, rows - row);
            std::string piece;
            for (std::int64_t i = 0; i < high; ++i) {
              std::vector<std::uint64_t> line;
              for (std::int64_t j = 0; j < wide * side; ++j) {
                const std::int64_t x = column + j / side;
                const bool inside = row + i < rows && x < columns;
                const std::int64_t pixel = ((page * layers + layer) * rows + row + i) * columns + x;
                line.push_back(inside ? static_cast<std::uint64_t>((pixel * side + j % side) * 37 % 65536) : 9);
              }
              if (predictor == 2) {
                for (std::size_t j = line.size(); j-- > static_cast<std::size_t>(side);)
                  line[j] = (line[j] - line[j - static_cast<std::size_t>(side)]) & 0xffff;
              }
              piece += numbers(line, 2);
            }
            piece = packed(piece);
            out += std::string(out.size() % 2, '\0');
            places.push_back(out.size());
            sizes.push_back(piece.size());
            out += piece;
          }
        }
      }
      out += std::string(out.size() % 2, '\0');
      const std::string here = number(out.size(), large ? 8 : 4);
      out.replace(link, here.size(), here);
      std::vector<Field> fields = {
          {256, 4, number(static_cast<std::uint64_t>(columns), 4), 1},
          {257, 4, number(static_cast<std::uint64_t>(rows), 4), 1},
          {258, 3, number(16, 2), 1},
          {259, 3, number(compression, 2), 1},
          {262, 3, number(1, 2), 1},
          {277, 3, number(static_cast<std::uint64_t>(samples), 2), 1},
          {284, 3, number(planes ? 2 : 1, 2), 1},
          {317, 3, number(predictor, 2), 1},
          {static_cast<std::uint16_t>(tiled ? 324 : 273), 4, numbers(places, 4), places.size()},
          {static_cast<std::uint16_t>(tiled ? 325 : 279), 4, numbers(sizes, 4), sizes.size()},
      };
      if (tiled) {
        fields.push_back({322, 4, number(static_cast<std::uint64_t>(piece_columns), 4), 1});
        fields.push_back({323, 4, number(static_cast<std::uint64_t>(piece_rows), 4), 1});
      } else {
        fields.push_back({278, 4, number(static_cast<std::uint64_t>(piece_rows), 4), 1});
      }
      fields.insert(fields.end(), more.begin(), more.end());
      const std::size_t word = large ? 8 : 4;
      const std::size_t head = (large ? 8 : 2) + fields.size() * (large ? 20 : 12) + word;
      std::string front = number(fields.size(), large ? 8 : 2), behind;
      for (const Field& field : fields) {
        front += number(field.tag, 2) + number(field.type, 2) + number(field.count, static_cast<int>(word));
        if (field.data.size() <= word) {
          front += field.data + std::string(word - field.data.size(), '\0');
        } else {
          front += number(out.size() + head + behind.size(), static_cast<int>(word));
          behind += field.data + std::string(field.data.size() % 2, '\0');
        }
      }
      link = out.size() + front.size();
      out += front + std::string(word, '\0') + behind;
    }
    return out;
  }

 private:
  std::string packed(const std::string& piece) const {
    if (compression == 1) return piece;
    if (compression == 32773) {
      std::string out;
      for (std::size_t at = 0; at < piece.size();) {
        std::size_t same = 1;
        while (at + same < piece.size() && same < 128 && piece[at + same] == piece[at]) ++same;
        if (same > 1) {
          out += static_cast<char>(1 - static_cast<int>(same));
          out += piece[at];
          at += same;
        } else {
          out += '\0';
          out += piece[at++];
        }
      }
      return out;
    }
    const std::vector<std::byte> done =
        apply_filters("test", {{Filter::kDeflate, {6}}}, 1, std::as_bytes(std::span(piece)));
    return {reinterpret_cast<const char*>(done.data()), done.size()};
  }
};

}  // namespace weft::io
