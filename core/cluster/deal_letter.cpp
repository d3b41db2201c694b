#include "core/cluster/deal_letter.hpp"

#include "core/cluster/letters.hpp"

namespace weft::cluster {
namespace {

// What follows the flags of a packet.
constexpr std::uint8_t kHasPriority = 1;
constexpr std::uint8_t kHasNeeds = 2;
constexpr std::uint8_t kHasBytes = 4;
constexpr std::uint8_t kHasHead = 8;

std::uint64_t zigzag(std::int32_t value) {
  return static_cast<std::uint32_t>(value) << 1 ^ static_cast<std::uint32_t>(value >> 31);
}
std::int32_t unzigzag(std::uint64_t value) {
  const auto small = static_cast<std::uint32_t>(value);
  return static_cast<std::int32_t>(small >> 1 ^ (0u - (small & 1)));
}

}  // namespace

void write(Writer& writer, const DealLetter& deal) {
  const PacketSpec& spec = deal.spec;
  const bool has_needs = spec.needs != kNone;
  const bool has_bytes = spec.output_bytes != 0 || spec.peak_bytes != 0;
  writer.count(deal.packet);
  writer.count(deal.attempt);
  writer.number(spec.flags);
  writer.number(static_cast<std::uint8_t>((spec.priority != 0 ? kHasPriority : 0) | (has_needs ? kHasNeeds : 0) |
                                          (has_bytes ? kHasBytes : 0) | (spec.head != kNone ? kHasHead : 0)));
  writer.count(spec.task_count);
  if (spec.priority != 0) writer.count(zigzag(spec.priority));
  if (spec.head != kNone) writer.count(spec.head);
  if (spec.has(packet_flags::kAged)) {
    writer.count(spec.age);
    writer.count(spec.turn);
  }
  if (has_bytes) {
    writer.count(spec.output_bytes);
    writer.count(spec.peak_bytes);
  }
  if (has_needs) {
    writer.count(deal.needs.slots);
    writer.count(deal.needs.resources.size());
    for (const ResourceAmount& one : deal.needs.resources) {
      writer.count(one.resource);
      writer.count(one.amount);
    }
  }
  writer.count(deal.inputs.size());
  for (const InputSource& input : deal.inputs) {
    writer.count(input.producer);
    writer.count(std::uint64_t{static_cast<std::uint32_t>(input.owner + 2)});  // the two special ids become small
    writer.count(input.attempt);
    writer.count(input.bytes);
  }
}

DealLetter read_deal(Reader& reader) {
  DealLetter deal;
  deal.packet = read_small(reader, "deal");
  deal.attempt = static_cast<Attempt>(reader.count("deal"));
  deal.spec.flags = reader.number<std::uint8_t>("deal");
  const auto parts = reader.number<std::uint8_t>("deal");
  if (parts > (kHasPriority | kHasNeeds | kHasBytes | kHasHead))
    reader.damaged("deal", "it has parts that there are not");
  deal.spec.task_count = read_small(reader, "deal");
  if ((parts & kHasPriority) != 0) deal.spec.priority = unzigzag(reader.count("deal"));
  if ((parts & kHasHead) != 0) deal.spec.head = read_small(reader, "deal");
  if (deal.spec.has(packet_flags::kAged)) {
    deal.spec.age = read_small(reader, "deal");
    deal.spec.turn = read_small(reader, "deal");
  }
  if ((parts & kHasBytes) != 0) {
    deal.spec.output_bytes = reader.count("deal");
    deal.spec.peak_bytes = reader.count("deal");
  }
  if ((parts & kHasNeeds) != 0) {
    deal.spec.needs = 0;
    deal.needs.slots = read_small(reader, "deal");
    deal.needs.resources.resize(reader.elements(2, "deal"));
    for (ResourceAmount& one : deal.needs.resources) {
      one.resource = read_small(reader, "deal");
      one.amount = read_small(reader, "deal");
    }
  }
  deal.inputs.resize(reader.elements(4, "deal"));
  for (InputSource& input : deal.inputs) {
    input.producer = read_small(reader, "deal");
    input.owner = read_small(reader, "deal") - 2;
    input.attempt = static_cast<Attempt>(reader.count("deal"));
    input.bytes = reader.count("deal");
  }
  return deal;
}

}  // namespace weft::cluster
