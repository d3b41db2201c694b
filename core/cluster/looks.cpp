#include "core/cluster/looks.hpp"

#include "core/cluster/letters.hpp"

#include <chrono>

namespace weft::cluster {
namespace {

constexpr std::string_view kWhat = "look";
constexpr std::uint8_t kRunning = 1;
constexpr std::uint8_t kLog = 2;

using Clock = std::chrono::system_clock;

std::int64_t nanoseconds(Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

void write(Writer& writer, const std::vector<DealtName>& dealt) {
  writer.count(dealt.size());
  for (const DealtName& one : dealt) {
    writer.count(one.packet);
    writer.count(one.attempt);
  }
}

std::vector<DealtName> read_dealt(Reader& reader) {
  std::vector<DealtName> dealt(reader.elements(2, kWhat));
  for (DealtName& one : dealt) {
    one.packet = read_small(reader, kWhat);
    one.attempt = static_cast<Attempt>(reader.count(kWhat));
  }
  return dealt;
}

void write(Writer& writer, const LookLetter& letter) {
  writer.count(letter.number);
  writer.number(static_cast<std::uint8_t>((letter.order.running ? kRunning : 0) | (letter.order.log ? kLog : 0)));
  writer.number(static_cast<std::uint8_t>(letter.order.stream));
  writer.count(letter.known);
  write(writer, letter.dealt);
}

LookLetter read_look_letter(Reader& reader) {
  LookLetter letter;
  letter.number = reader.count(kWhat);
  const auto wishes = reader.number<std::uint8_t>(kWhat);
  letter.order.running = (wishes & kRunning) != 0;
  letter.order.log = (wishes & kLog) != 0;
  const auto stream = reader.number<std::uint8_t>(kWhat);
  if (stream > static_cast<std::uint8_t>(LookOrder::Stream::Off)) reader.damaged(kWhat, "there is no such order");
  letter.order.stream = static_cast<LookOrder::Stream>(stream);
  letter.known = reader.count(kWhat);
  letter.dealt = read_dealt(reader);
  return letter;
}

void write(Writer& writer, const WorkerLook& look) {
  write_text(writer, look.worker);
  writer.number(look.processor_seconds);
  for (const std::uint64_t one :
       {look.resident_bytes, look.used_bytes, look.spilled_bytes, look.tasks_done, look.fetched_bytes})
    writer.count(one);
  writer.count(look.running.size());
  for (const RunningTask& task : look.running) {
    write_text(writer, task.name);
    write_text(writer, task.file);
    writer.count(task.line);
    writer.count(task.slot);
  }
  writer.count(look.held.size());
  for (const HeldTasks& kind : look.held) {
    write_text(writer, kind.name);
    write_text(writer, kind.file);
    writer.count(kind.line);
    writer.count(kind.tasks);
    writer.number(kind.expected_seconds);
  }
  writer.count(look.first_ran);
  writer.count(look.next_ran);
  writer.count(look.ran.size());
  for (const RanTask& task : look.ran) {
    write_text(writer, task.name);
    write_text(writer, task.file);
    writer.count(task.line);
    writer.count(task.slot);
    writer.number(nanoseconds(task.start));
    writer.number(task.seconds);
    writer.number(static_cast<std::uint8_t>(task.failed ? 1 : 0));
  }
  writer.count(look.log.size());
  for (const std::string& line : look.log) write_text(writer, line);
}

WorkerLook read_look(Reader& reader) {
  WorkerLook look;
  look.worker = read_text(reader);
  look.processor_seconds = reader.number<double>(kWhat);
  for (std::uint64_t* const one :
       {&look.resident_bytes, &look.used_bytes, &look.spilled_bytes, &look.tasks_done, &look.fetched_bytes})
    *one = reader.count(kWhat);
  look.running.resize(reader.elements(4, kWhat));
  for (RunningTask& task : look.running) {
    task.name = read_text(reader);
    task.file = read_text(reader);
    task.line = read_small(reader, kWhat);
    task.slot = read_small(reader, kWhat);
  }
  look.held.resize(reader.elements(4 + sizeof(double), kWhat));
  for (HeldTasks& kind : look.held) {
    kind.name = read_text(reader);
    kind.file = read_text(reader);
    kind.line = read_small(reader, kWhat);
    kind.tasks = read_small(reader, kWhat);
    kind.expected_seconds = reader.number<double>(kWhat);
  }
  look.first_ran = reader.count(kWhat);
  look.next_ran = reader.count(kWhat);
  look.ran.resize(reader.elements(4 + 2 * sizeof(double) + 1, kWhat));
  for (RanTask& task : look.ran) {
    task.worker = look.worker;
    task.name = read_text(reader);
    task.file = read_text(reader);
    task.line = read_small(reader, kWhat);
    task.slot = read_small(reader, kWhat);
    task.start = Clock::time_point(
        std::chrono::duration_cast<Clock::duration>(std::chrono::nanoseconds(reader.number<std::int64_t>(kWhat))));
    task.seconds = reader.number<double>(kWhat);
    task.failed = reader.number<std::uint8_t>(kWhat) != 0;
  }
  look.log.resize(reader.elements(1, kWhat));
  for (std::string& line : look.log) line = read_text(reader);
  return look;
}

}  // namespace weft::cluster
