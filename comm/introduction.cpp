#include "comm/introduction.hpp"

#include <weft/error.hpp>
#include <weft/wire.hpp>

namespace weft::comm {
namespace {

constexpr std::string_view kType = "introduction";

void put(Writer& writer, const std::string& text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

std::string text(Reader& reader) {
  const std::size_t bytes = reader.elements(1, kType);
  return {reinterpret_cast<const char*>(reader.view(bytes, kType)), bytes};
}

}  // namespace

std::vector<std::byte> Introduction::encode() const {
  Writer writer;
  put(writer, hello);
  writer.number(static_cast<std::uint8_t>(segment ? 1 : 0));
  if (segment) {
    writer.number(segment->process);
    writer.number(segment->fd);
    writer.bytes(segment->token.data(), segment->token.size());
  }
  writer.number(static_cast<std::uint8_t>(taken));
  put(writer, fabric_address);
  writer.number(fabric_token);
  writer.number(codecs);
  put(writer, remark);
  return {writer.data(), writer.data() + writer.size()};
}

std::optional<Introduction> Introduction::decode(std::span<const std::byte> bytes) {
  try {
    Reader reader(bytes.data(), bytes.size());
    Introduction it;
    it.hello = text(reader);
    if (reader.number<std::uint8_t>(kType) != 0) {
      SegmentName name;
      name.process = reader.number<std::int32_t>(kType);
      name.fd = reader.number<std::int32_t>(kType);
      reader.bytes(name.token.data(), name.token.size(), kType);
      it.segment = name;
    }
    const auto taken = reader.number<std::uint8_t>(kType);
    if (taken > static_cast<std::uint8_t>(Taken::Fabric)) return std::nullopt;
    it.taken = static_cast<Taken>(taken);
    it.fabric_address = text(reader);
    it.fabric_token = reader.number<std::uint64_t>(kType);
    it.codecs = reader.number<std::uint8_t>(kType);
    it.remark = text(reader);
    if (reader.remaining() != 0) return std::nullopt;
    return it;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace weft::comm
