#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace weft::io {

/// What packs a whole file.
enum class Packing : std::uint8_t { None, Gzip, Zstd };

/// Tells what packs a file by its first bytes; four are enough.
Packing packing_of(std::span<const std::byte> first);

/// Unpacks a file that is packed as a whole, from its beginning on: gzip member by member, zstd piece by piece.
/// Owns: what is read and not yet unpacked, or unpacked and not yet asked for.  Threading: one thread.
class Unpacker {
 public:
  /// Reads the packed bytes on: writes at most as many as there is room for, returns how many; 0 at the end.
  using Source = std::function<std::size_t(std::span<std::byte>)>;

  /// Throws FileError naming `path` where this build lacks what unpacks it.
  Unpacker(std::string path, Packing packing, Source source);
  ~Unpacker();
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;

  /// Fills `out`; returns fewer bytes only at the end. Throws FileError where bytes are damaged or the file ends early.
  std::size_t read(std::span<std::byte> out);

 private:
  class Kind;
  class Gzip;
  class Zstd;
  std::unique_ptr<Kind> kind_;
};

}  // namespace weft::io
