#pragma once

#include <weft/storage.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

/// The first bytes of a .npy file: a magic word, a version, and a Python dictionary.
namespace weft::io::numpy {

struct Header {
  ElementType type;
  /// Elements are UTF-32 characters.
  bool wide_text = false;
  std::vector<std::int64_t> shape;
  bool columns_first = false;
  /// Of the header itself: the elements begin behind them.
  std::uint64_t bytes = 0;

  /// Bytes of all elements. Elements and bytes fit 63 bits.
  std::uint64_t data_bytes() const;
};

/// Reads bytes of the file at a place.
using Read = std::function<void(std::uint64_t place, void* out, std::size_t bytes)>;
/// Parses the header of a file, or of a member of one, that has `size` bytes. Throws FileError that begins with
/// `path` where it is none, or is cut off.
Header read_header(const std::string& path, std::uint64_t size, const Read& read);

/// Returns the bytes in front of elements in C order; the elements begin at a multiple of 64 bytes. `protocol`: as
/// NumPy spells the type, "<f8".
std::string header_of(const std::string& protocol, const std::vector<std::int64_t>& shape);

}  // namespace weft::io::numpy
