#include "io/numpy/header.hpp"

#include "io/files/open_file.hpp"
#include "io/zarr/description.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace weft::io::numpy {
namespace {

constexpr char kMagic[] = "\x93NUMPY";
constexpr std::uint64_t kLongest = 1 << 20;

/// Returns what follows `'key':` in the dictionary.
std::string value_of(const std::string& text, const char* key, const std::string& path) {
  const std::size_t found = text.find("'" + std::string(key) + "'");
  const std::size_t colon = found == std::string::npos ? found : text.find(':', found);
  if (colon == std::string::npos) fail(path, std::string("the header of the array does not tell its ") + key);
  const std::size_t begin = text.find_first_not_of(' ', colon + 1);
  return begin == std::string::npos ? std::string() : text.substr(begin);
}

std::vector<std::int64_t> shape_of(const std::string& text, const std::string& path) {
  std::vector<std::int64_t> shape;
  std::int64_t value = -1;
  if (text.empty() || text[0] != '(') fail(path, "the header of the array does not tell its shape");
  for (const char c : text.substr(1)) {
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      if (value > (std::int64_t{1} << 58)) fail(path, "its shape is out of range");
      value = std::max<std::int64_t>(value, 0) * 10 + (c - '0');
      continue;
    }
    if (value >= 0) shape.push_back(value);
    value = -1;
    if (c == ')') return shape;
  }
  fail(path, "the header of the array does not tell its shape");
}

}  // namespace

std::uint64_t Header::data_bytes() const {
  std::uint64_t product = type.bytes;
  for (const std::int64_t extent : shape) product *= static_cast<std::uint64_t>(extent);
  return product;
}

Header read_header(const std::string& path, std::uint64_t size, const Read& read) {
  unsigned char start[12] = {};
  if (size >= 10) read(0, start, 10);
  if (size < 10 || std::memcmp(start, kMagic, 6) != 0) fail(path, "is not a .npy file");
  const int version = start[6];
  if (version < 1 || version > 3) {
    fail(path, "has version " + std::to_string(version) + " of .npy; 1, 2 and 3 are known");
  }
  std::uint64_t length = static_cast<std::uint64_t>(start[8]) | static_cast<std::uint64_t>(start[9]) << 8;
  Header header;
  header.bytes = 10;
  if (version > 1 && size >= 12) {
    read(10, start + 10, 2);
    length |= static_cast<std::uint64_t>(start[10]) << 16 | static_cast<std::uint64_t>(start[11]) << 24;
    header.bytes = 12;
  }
  if (length > size - header.bytes || length > kLongest) fail(path, "is not a whole .npy file: it was cut off");
  std::string text(length, ' ');
  read(header.bytes, text.data(), text.size());
  header.bytes += length;
  const std::string descr = value_of(text, "descr", path);
  const std::size_t end = descr.empty() ? std::string::npos : descr.find(descr[0], 1);
  if (descr.empty() || (descr[0] != '\'' && descr[0] != '"') || end == std::string::npos) {
    fail(path, "its elements are records, which arrays do not hold");
  }
  header.type = zarr::element_of_protocol(descr.substr(1, end - 1), header.wide_text);
  if (header.type.kind == ElementKind::Other || header.type.kind == ElementKind::VariableText) {
    fail(path, "its elements are '" + descr.substr(1, end - 1) + "', a type that arrays do not have");
  }
  header.columns_first = value_of(text, "fortran_order", path).starts_with("True");
  header.shape = shape_of(value_of(text, "shape", path), path);
  auto product = static_cast<std::int64_t>(header.type.bytes);
  for (const std::int64_t extent : header.shape) {
    if (extent != 0 && __builtin_mul_overflow(product, extent, &product)) fail(path, "its shape is out of range");
  }
  if (header.data_bytes() > size - header.bytes) {
    fail(path, "holds " + std::to_string(size - header.bytes) + " bytes of the " + std::to_string(header.data_bytes()) +
                   " of its array: it was cut off");
  }
  return header;
}

std::string header_of(const std::string& protocol, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '" + protocol + "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += std::to_string(shape[axis]) + (axis + 1 < shape.size() ? ", " : shape.size() == 1 ? "," : "");
  }
  text += "), }";
  const std::size_t whole = (10 + text.size() + 1 + 63) / 64 * 64;
  text.append(whole - 10 - text.size() - 1, ' ');
  text += '\n';
  std::string header(kMagic, 6);
  header += '\x01';
  header += '\0';
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace weft::io::numpy
