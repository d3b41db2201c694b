// The superblock and the headers of objects: lists of messages.
#include "io/hdf5/structure.hpp"

#include <cstring>

namespace weft::io::hdf5 {

Cursor Source::at(std::uint64_t address, std::uint64_t bytes) {
  // Everything is looked at a few times at most, unless a damaged file leads in circles.
  spent_ += bytes + 8;
  if (spent_ > 64 * file.size() + (std::uint64_t{64} << 20)) damaged("its descriptions refer to each other in circles");
  if (!defined(address) || address > file.size() || base > file.size()) {
    damaged("a description refers to a place outside the file");
  }
  return {file.path(), pages.at(base + address, bytes), bytes};
}

void Source::expect(Cursor& cursor, const char* signature) const {
  if (std::memcmp(cursor.take(4), signature, 4) != 0)
    damaged(std::string("'") + signature + "' is not where it must be");
}

unsigned log2_of(std::uint64_t value) {
  unsigned result = 0;
  while (value >>= 1) ++result;
  return result;
}

unsigned bytes_for(std::uint64_t limit) { return log2_of(limit) / 8 + 1; }

namespace {
/// The end counts from the beginning of the file, whatever stands before the superblock.
void check_end(const Source& source, std::uint64_t end) {
  if (end <= source.file.size()) return;
  source.file.fail("is truncated: it should have " + std::to_string(end) + " bytes and has " +
                   std::to_string(source.file.size()));
}
}  // namespace

std::uint64_t read_superblock(Source& source) {
  static constexpr unsigned char kSignature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  std::uint64_t place = 0;
  for (;; place = place == 0 ? 512 : place * 2) {
    if (place + 8 > source.file.size()) source.file.fail("is no HDF5 file, or its beginning is damaged");
    if (std::memcmp(source.pages.at(place, 8), kSignature, 8) == 0) break;
  }
  const std::uint64_t left = source.file.size() - place;
  Cursor cursor(source.file.path(), source.pages.at(place, std::min<std::uint64_t>(left, 160)),
                std::min<std::uint64_t>(left, 160));
  cursor.skip(8);
  const unsigned version = cursor.u8();
  if (version > 3) source.unknown("has superblock version " + std::to_string(version));
  if (version < 2) cursor.skip(4);
  source.address_bytes = cursor.u8();
  source.length_bytes = cursor.u8();
  const auto fits = [](unsigned bytes) { return bytes == 2 || bytes == 4 || bytes == 8; };
  if (!fits(source.address_bytes) || !fits(source.length_bytes)) source.damaged("its addresses have an odd size");
  std::uint64_t root = 0;
  if (version < 2) {
    cursor.skip(1 + 4 + 4 + (version == 1 ? 4 : 0));
    source.base = source.address(cursor);
    cursor.skip(source.address_bytes);
    const std::uint64_t end = source.address(cursor);
    check_end(source, end);
    cursor.skip(2ull * source.address_bytes);
    root = source.address(cursor);
  } else {
    cursor.skip(1);
    source.base = source.address(cursor);
    cursor.skip(source.address_bytes);
    const std::uint64_t end = source.address(cursor);
    check_end(source, end);
    root = source.address(cursor);
  }
  // Files with a user block count from its end.
  if (source.base == 0) source.base = place;
  return root;
}

namespace {

/// Reads the blocks of one header, whichever version it has.
class HeaderReader {
 public:
  explicit HeaderReader(Source& source) : source_(source) {}

  std::vector<Message> read(std::uint64_t address) {
    Cursor begin = source_.at(address, 8);
    if (std::memcmp(begin.take(4), "OHDR", 4) == 0) {
      read_new(address);
    } else {
      read_old(address);
    }
    for (std::size_t next = 0; next < blocks_.size(); ++next) {
      const auto [place, bytes] = blocks_[next];
      if (blocks_.size() > 65536) source_.damaged("an object's header has too many blocks");
      if (new_) {
        Cursor block = source_.at(place, bytes);
        source_.expect(block, "OCHK");
        if (block.left() < 4) source_.damaged("an object's header is too short");
        messages(Cursor(source_.file.path(), block.take(block.left() - 4), bytes - 8));
      } else {
        messages(source_.at(place, bytes));
      }
    }
    return std::move(found_);
  }

 private:
  void read_old(std::uint64_t address) {
    Cursor head = source_.at(address, 16);
    const unsigned version = head.u8();
    if (version != 1) source_.damaged("an object's header is not where it must be");
    head.skip(7);
    messages(source_.at(address + 16, head.u32()));
  }

  void read_new(std::uint64_t address) {
    Cursor head = source_.at(address, 6);
    head.skip(4);
    const unsigned version = head.u8();
    if (version != 2) source_.unknown("has an object header of version " + std::to_string(version));
    const unsigned flags = head.u8();
    new_ = true;
    ordered_ = (flags & 4) != 0;
    std::uint64_t place = address + 6;
    if ((flags & 0x20) != 0) place += 16;
    if ((flags & 0x10) != 0) place += 4;
    const unsigned size_bytes = 1u << (flags & 3);
    const std::uint64_t bytes = source_.at(place, size_bytes).number(size_bytes);
    messages(source_.at(place + size_bytes, bytes));
  }

  void messages(Cursor cursor) {
    const unsigned head = new_ ? (ordered_ ? 6 : 4) : 8;
    while (cursor.left() >= head) {
      Message message;
      if (new_) {
        message.type = cursor.u8();
        message.bytes = cursor.u16();
        message.flags = cursor.u8();
        if (ordered_) cursor.skip(2);
      } else {
        message.type = cursor.u16();
        message.bytes = cursor.u16();
        message.flags = cursor.u8();
        cursor.skip(3);
      }
      message.data = cursor.take(message.bytes);
      if (message.type == Message::kContinuation) {
        Cursor where(source_.file.path(), message.data, message.bytes);
        const std::uint64_t place = source_.address(where);
        const std::uint64_t bytes = source_.length(where);
        if (new_ && bytes < 8) source_.damaged("an object's header is too short");
        blocks_.emplace_back(place, bytes);
      } else if (message.type != 0) {
        if ((message.flags & 2) != 0 && message.type != Message::kAttribute) follow(message);
        found_.push_back(message);
        if (found_.size() > (std::size_t{1} << 20)) source_.damaged("an object's header has too many messages");
      }
    }
  }

  /// The message is in another object's header: a named type.
  void follow(Message& message);

  Source& source_;
  bool new_ = false;
  bool ordered_ = false;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks_;
  std::vector<Message> found_;
};

}  // namespace

/// Returns the message of that type that a shared message refers to.
Message shared_message(Source& source, const Message& message) {
  Cursor cursor(source.file.path(), message.data, message.bytes);
  const unsigned version = cursor.u8();
  const unsigned type = cursor.u8();
  if (version == 3 && type == 1) source.unknown("has descriptions in a heap of shared messages");
  if (version == 1) cursor.skip(6);
  const std::uint64_t address = source.address(cursor);
  for (const Message& other : read_messages(source, address)) {
    if (other.type == message.type && (other.flags & 2) == 0) return other;
  }
  source.damaged("a named type is not where it must be");
}

namespace {
void HeaderReader::follow(Message& message) {
  const Message other = shared_message(source_, message);
  message.data = other.data;
  message.bytes = other.bytes;
  message.flags = static_cast<std::uint8_t>(message.flags & ~2);
}
}  // namespace

std::vector<Message> read_messages(Source& source, std::uint64_t address) {
  // Named types may refer to named types; a circle ends here.
  thread_local int depth = 0;
  struct Guard {
    Guard() { ++depth; }
    ~Guard() { --depth; }
  } guard;
  if (depth > 16) source.damaged("named types refer to each other in circles");
  return HeaderReader(source).read(address);
}

}  // namespace weft::io::hdf5
