#include <weft/fits_writer.hpp>

#include "io/codecs/filters.hpp"
#include "io/fits/header.hpp"
#include "io/zarr/description.hpp"

#include <bit>

namespace weft::io {

std::string fits_header(const std::string& path, const std::string& type, const std::vector<std::int64_t>& shape,
                        const std::vector<Attribute>& attributes) {
  return fits::header_of(path, type, shape, attributes);
}

std::size_t encode_fits(const std::string& type, std::span<std::byte> elements) {
  const ElementType element = zarr::element_of_name(type);
  const std::size_t bytes = element.bytes;
  const bool little = std::endian::native == std::endian::little;
  if (little && bytes > 1) swap_bytes(elements.data(), elements.size() / bytes, bytes);
  // FITS has signed integers only, and unsigned bytes: the highest bit of the others is turned.
  const bool turned = (element.kind == ElementKind::Unsigned && bytes > 1) || type == "int8";
  for (std::size_t i = 0; turned && i < elements.size(); i += bytes) elements[i] ^= std::byte{0x80};
  return bytes;
}

std::int64_t fits_data_bytes(std::int64_t bytes) {
  constexpr auto kBlock = static_cast<std::int64_t>(fits::kBlock);
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

}  // namespace weft::io
