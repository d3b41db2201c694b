#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace weft::io {
class OpenFile;
}

/// ZIP archives, as far as .npz files need them: members that are stored or deflated, of any size.
namespace weft::io::zip {

/// One file of an archive.
struct Member {
  static constexpr std::uint16_t kStored = 0, kDeflated = 8;
  std::string name;
  std::uint16_t method = kStored;
  std::uint32_t crc = 0;
  /// In the archive, and unpacked.
  std::uint64_t packed = 0;
  std::uint64_t bytes = 0;
  /// Where its header begins.
  std::uint64_t header = 0;
  bool encrypted = false;
};

/// Returns the members in the order of the directory. Throws FileError where the file is no whole archive.
std::vector<Member> read_directory(const OpenFile& file);
/// Returns where a member's packed bytes begin; they lie in the file. Throws FileError otherwise.
std::uint64_t data_of(const OpenFile& file, const Member& member);

/// The bytes in front of a member's, always of the same number for a name; and those behind all members, which begin
/// at `place`.
std::string header_of(const Member& member);
std::string directory_of(const std::vector<Member>& members, std::uint64_t place);

}  // namespace weft::io::zip
