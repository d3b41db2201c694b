#include "frames/files/parquet/pages.hpp"

#include "frames/files/parquet/thrift.hpp"
#include "io/codecs/packers.hpp"

#include <algorithm>

namespace weft::frames::parquet {
namespace {

std::uint32_t size_of(ThriftReader& in, const ThriftReader::Field& field) {
  const std::int32_t value = in.small(field);
  if (value < 0) in.damaged("a size of a page is negative");
  return static_cast<std::uint32_t>(value);
}

void read_data_head(ThriftReader& in, PageHead& head) {
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        head.values = size_of(in, field);
        break;
      case 2:
        head.encoding = static_cast<Encoding>(in.small(field));
        break;
      case 3:
        // Of a dictionary whether it is sorted.
        if (head.kind == PageHead::Data) {
          head.level_encoding = static_cast<Encoding>(in.small(field));
        } else {
          in.skip(field);
        }
        break;
      default:
        in.skip(field);
    }
  });
}

void read_data_head_v2(ThriftReader& in, PageHead& head) {
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        head.values = size_of(in, field);
        break;
      case 4:
        head.encoding = static_cast<Encoding>(in.small(field));
        break;
      case 5:
        head.level_bytes = size_of(in, field);
        break;
      case 6:
        head.repeat_bytes = size_of(in, field);
        break;
      case 7:
        head.is_packed = in.truth(field);
        break;
      default:
        in.skip(field);
    }
  });
}

}  // namespace

PageReader::PageReader(const io::OpenFile& file, const Leaf& leaf, const ChunkPlace& chunk)
    : path_(file.path()), codec_(chunk.codec), size_(chunk.bytes) {
  if (chunk.encrypted) file.fail("column '" + leaf.name + "' is encrypted, which weft does not read");
  if (chunk.elsewhere) file.fail("column '" + leaf.name + "' lies in another file, which weft does not follow");
  check_codec(path_, leaf.name, codec_);
  if (chunk.first > file.size() || chunk.bytes > file.size() - chunk.first)
    file.fail("column '" + leaf.name + "' would lie behind the file's end: it is truncated or damaged");
  bytes_ = Buffer::allocate(size_ + kSlack);
  file.read(chunk.first, bytes_.data(), size_);
}

PageHead PageReader::take_head() {
  ThriftReader in(path_, bytes_.data() + at_, size_ - at_);
  PageHead head;
  in.record([&](const ThriftReader::Field& field) {
    switch (field.id) {
      case 1:
        head.kind = in.small(field);
        break;
      case 2:
        head.unpacked = size_of(in, field);
        break;
      case 3:
        head.packed = size_of(in, field);
        break;
      case 4:
        head.sum = static_cast<std::uint32_t>(in.small(field));
        break;
      case 5:
      case 7:
        read_data_head(in, head);
        break;
      case 8:
        read_data_head_v2(in, head);
        break;
      default:
        in.skip(field);
    }
  });
  at_ += in.place();
  if (head.packed > size_ - at_) in.damaged("a page is longer than its column");
  return head;
}

PageBytes PageReader::unpacked_body(const PageHead& head, std::size_t in_front) {
  const std::span<std::byte> stored(bytes_.data() + at_ + in_front, head.packed - in_front);
  const std::size_t bytes = head.unpacked - in_front;
  const auto* from = reinterpret_cast<const std::uint8_t*>(stored.data());
  if (codec_ == Codec::None || !head.is_packed) {
    if (stored.size() != bytes)
      io::fail(path_, "a page has another size than its description says: the file is damaged");
  } else if (bytes != 0) {
    if (bytes > most_unpacked(codec_, stored.size()))
      io::fail(path_, "a page of " + std::to_string(stored.size()) + " bytes claims to become " +
                          std::to_string(bytes) + ": the file is damaged");
    std::byte* const to = room_.take(bytes);
    unpack(path_, codec_, stored, to, bytes);
    from = reinterpret_cast<const std::uint8_t*>(to);
  }
  return {&path_, from, from + bytes};
}

std::optional<PageReader::Page> PageReader::next() {
  while (at_ < size_) {
    Page page;
    page.head = take_head();
    const PageHead& head = page.head;
    if (!head.holds_data() && head.kind != PageHead::Dictionary) {
      at_ += head.packed;
      continue;
    }
    if (head.sum && io::crc32({bytes_.data() + at_, head.packed}) != *head.sum)
      io::fail(path_, "the checksum of a page is wrong: its bytes changed after they were written");
    const std::uint64_t in_front =
        head.kind == PageHead::DataV2 ? std::uint64_t{head.level_bytes} + head.repeat_bytes : 0;
    if (in_front > head.packed || in_front > head.unpacked)
      io::fail(path_, "the levels of a page are longer than the page: the file is damaged");
    const auto* const levels = reinterpret_cast<const std::uint8_t*>(bytes_.data() + at_) + head.repeat_bytes;
    page.levels = {&path_, levels, levels + head.level_bytes};
    page.body = unpacked_body(head, static_cast<std::size_t>(in_front));
    at_ += head.packed;
    return page;
  }
  return {};
}

bool PageReader::all_by_dictionary() {
  const std::uint64_t begin = at_;
  bool all = true;
  while (all && at_ < size_) {
    const PageHead head = take_head();
    at_ += head.packed;
    all = !head.holds_data() || head.by_dictionary();
  }
  at_ = begin;
  return all;
}

}  // namespace weft::frames::parquet
