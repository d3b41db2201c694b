#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// Objects of stores and files on servers.
namespace weft::io::remote {

/// What an object is, and how it begins.
struct Beginning {
  std::vector<std::byte> bytes;
  std::uint64_t object_bytes = 0;
  std::int64_t changed_ns = 0;
};
/// Nothing where there is no such object.
std::optional<Beginning> read_beginning(const std::string& path, std::uint64_t bytes);
/// Reads bytes that must be there, in several requests at once where they are many. `object_bytes` and `changed_ns`:
/// what the object was when it was opened; throws FileError where it is another now.
void read_part(const std::string& path, std::uint64_t place, std::span<std::byte> out, std::uint64_t object_bytes,
               std::int64_t changed_ns);

/// As `place` of a part: its last bytes. As `bytes`: all.
inline constexpr std::uint64_t kLastBytes = ~std::uint64_t{0}, kAllBytes = ~std::uint64_t{0};
/// A part of an object, or all of it.
struct Part {
  std::string path;
  std::uint64_t place = 0;
  std::uint64_t bytes = kAllBytes;
  /// Whether a refusal says that it is not there.
  bool may_be_refused = false;
};
/// Calls visit(number, bytes, of the whole object) for each part; with nothing where the object is not there. Many are
/// on their way at once, and at most `most_held_bytes` of those whose sizes are known lie in memory. Neighbouring parts
/// come together. An answer longer than `most_bytes` is refused. The bytes may be changed.
void read_parts(const std::vector<Part>& parts, std::uint64_t most_bytes,
                const std::function<void(std::size_t, std::optional<std::span<std::byte>>, std::uint64_t)>& visit);

/// What lies below an address.
struct Listing {
  /// Names of what there is more below.
  std::vector<std::string> folders;
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
};
/// Asks an s3 store; `deep`: all that lies below counts, and folders are not told. Throws FileError for http, which
/// knows no lists.
Listing list_below(const std::string& path, bool deep);

/// Puts an object into a store; it appears when all of it is there.
void write_object(const std::string& path, std::span<const std::byte> bytes);

}  // namespace weft::io::remote
