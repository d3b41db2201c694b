// The types of .npy files are those of arrays.
#include "arrays/files/region_io.hpp"

#include "io/numpy/header.hpp"

#include <weft/error.hpp>

namespace weft::arrays::files {

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
  std::string plain = name;
  if (!plain.empty() && std::string("<|=").find(plain[0]) != std::string::npos) plain.erase(0, 1);
  if (plain == "b1") return bool_;
  try {
    return Dtype::parse(plain);
  } catch (const Error&) {
    throw Error(path + ": its elements are '" + name + "', a type that arrays do not have");
  }
}

NpyHeader read_npy_header(const OpenedFile& file) {
  const io::numpy::Header read = io::numpy::read_header(file.path(), static_cast<std::uint64_t>(file.size()),
                                                        [&](std::uint64_t place, void* out, std::size_t bytes) {
                                                          file.read(out, bytes, static_cast<std::int64_t>(place));
                                                        });
  NpyHeader header;
  header.shape = read.shape;
  header.columns_first = read.columns_first;
  header.offset = static_cast<std::int64_t>(read.bytes);
  header.converted = read.type.swapped || !read.type.is_number() || read.type.name == "float16";
  if (!header.converted) header.dtype = dtype_of_protocol(read.type.name, file.path());
  return header;
}

std::string npy_header(Dtype dtype, const std::vector<std::int64_t>& shape) {
  return io::numpy::header_of(array_protocol_name(dtype), shape);
}

}  // namespace weft::arrays::files
