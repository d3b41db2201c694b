#pragma once

#include <weft/wire.hpp>

#include <cstdint>

namespace weft::detail {

/// Returns whether an address is of the program or of a library it has loaded: encode_address takes no other.
bool is_of_program(const void* address);

/// While it lives, the functions of closures that this thread writes, or reads, one after the other are named only
/// where they differ from the one before: nearly all tasks of a packet have one function.
///
/// For: packets, both sides. It concerns the address that stands right behind the digest with which a closure begins,
/// and nothing that is written elsewhere meanwhile. Owns: nothing. Threading: that of its thread; the innermost counts.
class AddressRun {
 public:
  AddressRun() : outer_(innermost) { innermost = this; }
  ~AddressRun() { innermost = outer_; }
  AddressRun(const AddressRun&) = delete;
  AddressRun& operator=(const AddressRun&) = delete;

  /// A closure begins here.
  void begin(const Writer& writer) { begin(&writer, writer.size()); }
  void begin(const Reader& reader) { begin(&reader, reader.offset()); }

  /// Returns the run whose next address is the one at this place; null: it is an address as any other.
  static AddressRun* at(const void* stream, std::size_t place) {
    AddressRun* const run = innermost;
    return run != nullptr && run->stream_ == stream && run->place_ == place ? run : nullptr;
  }

  const void* last = nullptr;

 private:
  void begin(const void* stream, std::size_t place) {
    stream_ = stream;
    place_ = place + sizeof(std::uint64_t);
  }

  static constinit thread_local AddressRun* innermost;

  AddressRun* const outer_;
  const void* stream_ = nullptr;
  std::size_t place_ = 0;
};

inline constinit thread_local AddressRun* AddressRun::innermost = nullptr;

}  // namespace weft::detail
