// The first bytes of a .npy file: a magic word, a version, and a Python dictionary.
#include "arrays/files/region_io.hpp"

#include <weft/error.hpp>

#include <cctype>
#include <cstring>

namespace weft::arrays::files {
namespace {

constexpr char kMagic[] = "\x93NUMPY";

/// Returns what follows `'key':` in the dictionary.
std::string value_of(const std::string& text, const char* key, const std::string& path) {
  const std::size_t found = text.find("'" + std::string(key) + "'");
  const std::size_t colon = found == std::string::npos ? found : text.find(':', found);
  if (colon == std::string::npos) throw Error(path + ": the header of the array does not tell its " + key);
  std::size_t begin = colon + 1;
  while (begin < text.size() && text[begin] == ' ') ++begin;
  return text.substr(begin);
}

}  // namespace

std::string array_protocol_name(Dtype dtype) {
  std::string name = dtype.is_bool() ? "b" : dtype.is_signed() ? "i" : dtype.is_unsigned() ? "u" : "f";
  if (dtype.is_complex()) name = "c";
  if (dtype.code() == TypeCode::Datetime64) name = "M";
  if (dtype.code() == TypeCode::Timedelta64) name = "m";
  name = (dtype.size() == 1 ? "|" : "<") + name + std::to_string(dtype.size());
  const std::string full = dtype.name();
  const std::size_t bracket = full.find('[');
  return bracket == std::string::npos ? name : name + full.substr(bracket);
}

Dtype dtype_of_protocol(const std::string& name, const std::string& path) {
  if (name.empty() || (name[0] == '>' && name.size() > 2 && name[2] != '1')) {
    throw Error(path + ": its elements are '" + name + "', in another order of bytes than this machine's");
  }
  std::string plain = name;
  if (plain[0] == '<' || plain[0] == '|' || plain[0] == '=' || plain[0] == '>') plain.erase(0, 1);
  if (plain == "b1") return bool_;
  try {
    return Dtype::parse(plain);
  } catch (const Error&) {
    throw Error(path + ": its elements are '" + name + "', a type that arrays do not have");
  }
}

NpyHeader read_npy_header(const OpenedFile& file) {
  unsigned char start[12] = {};
  const std::int64_t size = file.size();
  if (size >= 10) file.read(start, 10, 0);
  if (size < 10 || std::memcmp(start, kMagic, 6) != 0) throw Error(file.path() + ": is not a .npy file");
  const int version = start[6];
  if (version < 1 || version > 3) {
    throw Error(file.path() + ": has version " + std::to_string(version) + " of .npy; 1, 2 and 3 are known");
  }
  std::int64_t length = start[8] | start[9] << 8;
  NpyHeader header;
  header.offset = 10;
  if (version > 1) {
    if (size < 12) throw Error(file.path() + ": is not a whole .npy file");
    file.read(start + 10, 2, 10);
    length |= static_cast<std::int64_t>(start[10]) << 16 | static_cast<std::int64_t>(start[11]) << 24;
    header.offset = 12;
  }
  if (header.offset + length > size) throw Error(file.path() + ": is not a whole .npy file");
  std::string text(static_cast<std::size_t>(length), ' ');
  file.read(text.data(), text.size(), header.offset);
  header.offset += length;
  const std::string descr = value_of(text, "descr", file.path());
  const std::size_t end = descr.empty() ? 0 : descr.find(descr[0], 1);
  if (descr.empty() || (descr[0] != '\'' && descr[0] != '"') || end == std::string::npos) {
    throw Error(file.path() + ": its elements are records, which arrays do not hold");
  }
  header.dtype = dtype_of_protocol(descr.substr(1, end - 1), file.path());
  header.columns_first = value_of(text, "fortran_order", file.path()).starts_with("True");
  const std::string shape = value_of(text, "shape", file.path());
  std::int64_t value = -1;
  for (std::size_t i = 1; i < shape.size() && shape[0] == '('; ++i) {
    if (std::isdigit(static_cast<unsigned char>(shape[i])) != 0) {
      if (value > (std::int64_t{1} << 58)) throw Error(file.path() + ": its shape is out of range");
      value = std::max<std::int64_t>(value, 0) * 10 + (shape[i] - '0');
    } else {
      if (value >= 0) header.shape.push_back(value);
      value = -1;
      if (shape[i] == ')') break;
    }
  }
  const std::int64_t bytes = Shape(header.shape).elements() * static_cast<std::int64_t>(header.dtype.size());
  if (header.offset + bytes > size) {
    throw Error(file.path() + ": holds " + std::to_string(size - header.offset) + " bytes of the " +
                std::to_string(bytes) + " of an array of shape " + Shape(header.shape).text() + ": it was cut off");
  }
  return header;
}

std::string npy_header(Dtype dtype, const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '" + array_protocol_name(dtype) + "', 'fortran_order': False, 'shape': (";
  for (std::size_t axis = 0; axis < shape.size(); ++axis) {
    text += std::to_string(shape[axis]) + (axis + 1 < shape.size() ? ", " : shape.size() == 1 ? "," : "");
  }
  text += "), }";
  // The elements begin at a multiple of 64 bytes.
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

}  // namespace weft::arrays::files
