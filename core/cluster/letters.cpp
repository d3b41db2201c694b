#include "core/cluster/letters.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>
#include <weft/version.hpp>

#include <cstdio>

namespace weft::cluster {
namespace {

constexpr std::uint32_t kMagic = 0x74666577;  // "weft"

std::string hex(std::uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

void write_pair(Writer& writer, std::uint32_t first, std::uint32_t second) {
  writer.count(first);
  writer.count(second);
}

std::pair<std::uint32_t, std::uint32_t> read_pair(Reader& reader, std::string_view what) {
  const std::uint32_t first = read_small(reader, what);
  return {first, read_small(reader, what)};
}

}  // namespace

void write_text(Writer& writer, std::string_view text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

std::string read_text(Reader& reader) {
  const std::size_t size = reader.elements(1, "text");
  return {reinterpret_cast<const char*>(reader.view(size, "text")), size};
}

Hello hello_of_this_process() {
  Hello hello;
  hello.image = image_digest();
  hello.registry = registry_digest();
  return hello;
}

std::string write_hello(const Hello& hello) {
  Writer writer;
  writer.number(kMagic);
  writer.number(hello.protocol);
  writer.number(hello.role);
  writer.number(hello.image);
  writer.number(hello.registry);
  writer.number(hello.id);
  writer.number(hello.cluster);
  write_text(writer, hello.identity.name);
  write_text(writer, hello.identity.key);
  writer.number(hello.identity.rank);
  writer.count(hello.identity.resources.size());
  for (const auto& [name, amount] : hello.identity.resources) {
    write_text(writer, name);
    writer.number(amount);
  }
  writer.number(hello.slots);
  writer.number(hello.budget_bytes);
  write_text(writer, hello.address);
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

Hello read_hello(std::string_view bytes) {
  Reader reader(bytes.data(), bytes.size());
  if (bytes.size() < 6 || reader.number<std::uint32_t>("hello") != kMagic)
    throw Error("somebody connected who does not speak weft's protocol");
  Hello hello;
  hello.protocol = reader.number<std::uint16_t>("hello");
  if (hello.protocol != kProtocol) {
    throw Error("a process that speaks version " + std::to_string(hello.protocol) +
                " of the protocol connected to one that speaks version " + std::to_string(kProtocol) +
                ": start all processes from one build");
  }
  hello.role = reader.number<Hello::Role>("hello");
  if (hello.role != Hello::Role::Worker && hello.role != Hello::Role::Peer && hello.role != Hello::Role::Guest)
    reader.damaged("hello", "it names no role that there is");
  hello.image = reader.number<std::uint64_t>("hello");
  hello.registry = reader.number<std::uint64_t>("hello");
  hello.id = reader.number<WorkerId>("hello");
  hello.cluster = reader.number<std::uint64_t>("hello");
  hello.identity.name = read_text(reader);
  hello.identity.key = read_text(reader);
  hello.identity.rank = reader.number<std::uint32_t>("hello");
  const std::size_t resources = reader.elements(5, "hello");
  for (std::size_t i = 0; i < resources; ++i) {
    std::string name = read_text(reader);
    hello.identity.resources[std::move(name)] = reader.number<std::uint32_t>("hello");
  }
  hello.slots = reader.number<std::uint32_t>("hello");
  if (hello.slots == 0 || hello.slots > (1u << 16)) reader.damaged("hello", "its number of slots makes no sense");
  hello.budget_bytes = reader.number<std::uint64_t>("hello");
  hello.address = read_text(reader);
  return hello;
}

std::string mismatch(const Hello& theirs, const Hello& ours) {
  if (theirs.image == ours.image && theirs.registry == ours.registry) return {};
  const std::string kind = theirs.role == Hello::Role::Guest ? "client" : "worker";
  const std::string who = theirs.identity.name.empty() ? "a " + kind : kind + " " + theirs.identity.name;
  const std::string what = theirs.image != ours.image ? "another program than the client's process"
                                                      : "other task types than the client's process";
  const std::uint64_t left = theirs.image != ours.image ? theirs.image : theirs.registry;
  const std::uint64_t right = theirs.image != ours.image ? ours.image : ours.registry;
  return who + " runs " + what + " (" + hex(left) + " there, " + hex(right) +
         " here): start all ranks from the same executable and the same libraries";
}

void write(Writer& writer, const Welcome& welcome) {
  writer.number(welcome.id);
  writer.number(welcome.cluster);
  writer.count(welcome.resources.size());
  for (const ResourceAmount& own : welcome.resources) {
    writer.number(own.resource);
    writer.number(own.amount);
  }
}

Welcome read_welcome(Reader& reader) {
  Welcome welcome;
  welcome.id = reader.number<WorkerId>("welcome");
  welcome.cluster = reader.number<std::uint64_t>("welcome");
  welcome.resources.resize(reader.elements(8, "welcome"));
  for (ResourceAmount& own : welcome.resources) {
    own.resource = reader.number<std::uint32_t>("welcome");
    own.amount = reader.number<std::uint32_t>("welcome");
  }
  return welcome;
}

void write(Writer& writer, const Neighbour& neighbour) {
  writer.number(neighbour.id);
  write_text(writer, neighbour.address);
}

Neighbour read_neighbour(Reader& reader) {
  Neighbour neighbour;
  neighbour.id = reader.number<WorkerId>("neighbour");
  neighbour.address = read_text(reader);
  return neighbour;
}

void write(Writer& writer, const Subscribe& subscribe) {
  writer.count(subscribe.packet);
  writer.count(subscribe.attempt);
  writer.number(static_cast<std::uint8_t>(subscribe.all ? 1 : 0));
  writer.count(subscribe.indices.size());
  for (const std::uint32_t index : subscribe.indices) writer.count(index);
}

Subscribe read_subscribe(Reader& reader) {
  Subscribe subscribe;
  subscribe.packet = read_small(reader, "subscription");
  subscribe.attempt = static_cast<Attempt>(reader.count("subscription"));
  subscribe.all = reader.number<std::uint8_t>("subscription") != 0;
  subscribe.indices.resize(reader.elements(1, "subscription"));
  for (std::uint32_t& index : subscribe.indices) index = read_small(reader, "subscription");
  return subscribe;
}

void write(Writer& writer, const NotMine& not_mine) { write_pair(writer, not_mine.packet, not_mine.attempt); }

NotMine read_not_mine(Reader& reader) {
  const auto [packet, attempt] = read_pair(reader, "answer to a subscription");
  return {packet, static_cast<Attempt>(attempt)};
}

void write(Writer& writer, const HeldPacket& held) { write_pair(writer, held.packet, held.attempt); }

HeldPacket read_held(Reader& reader) {
  const auto [packet, attempt] = read_pair(reader, "held packet");
  return {packet, static_cast<Attempt>(attempt)};
}

void write(Writer& writer, const CancelTask& cancel) { write_pair(writer, cancel.packet, cancel.index); }

CancelTask read_cancel(Reader& reader) {
  const auto [packet, index] = read_pair(reader, "cancellation");
  return {packet, index};
}

void write(Writer& writer, const StuckPacket& stuck) {
  writer.count(stuck.packet);
  writer.number(stuck.reason);
  writer.count(stuck.detail);
}

StuckPacket read_stuck(Reader& reader) {
  StuckPacket stuck;
  stuck.packet = read_small(reader, "stuck packet");
  stuck.reason = reader.number<Reason>("stuck packet");
  if (static_cast<int>(stuck.reason) >= kReasonCount)
    reader.damaged("stuck packet", "its reason is none that there is");
  stuck.detail = read_small(reader, "stuck packet");
  return stuck;
}

}  // namespace weft::cluster
