#include "core/simulate/trace.hpp"

#include <cstdio>
#include <string>
#include <string_view>

namespace weft::sim {
namespace {

template <typename T>
std::string_view type_name() {
  std::string_view text = __PRETTY_FUNCTION__;
  const std::size_t begin = text.find("T = weft::") + 10;
  return text.substr(begin, text.find_first_of(";]", begin) - begin);
}

void add(std::string& line, const char* field, std::uint64_t value) {
  line += ' ';
  line += field;
  line += '=';
  line += value == kNone ? "-" : value == kKeeper ? "keeper" : std::to_string(value);
}

void add_source(std::string& line, const InputSource& source) {
  line += " [" + std::to_string(source.producer) + '.' + std::to_string(source.attempt);
  add(line, "at", source.owner);
  line += ']';
}

void add_packet(std::string& line, PacketId packet, Attempt attempt) {
  line += ' ' + (packet == kNone ? "-" : std::to_string(packet)) + '.' + std::to_string(attempt);
}

/// Prints the packets of a body that has several.
template <typename T>
void add_packets(std::string& line, const T& body) {
  if constexpr (requires { body.first_packet; }) {
    add(line, "first", body.first_packet), add(line, "count", body.packets.size());
  } else if constexpr (requires { body.packets; }) {
    for (const auto& packet : body.packets) {
      if constexpr (requires { packet.attempt; }) {
        add_packet(line, packet.packet, packet.attempt);
        if constexpr (requires { packet.input_count; }) {
          for (std::uint32_t i = 0; i < packet.input_count; ++i) add_source(line, body.inputs[packet.first_input + i]);
        }
      } else {
        add(line, "packet", packet);
      }
    }
  }
}

/// Prints the fields that T has, of those that machines' events and actions are made of.
template <typename T>
std::string describe(const T& body) {
  std::string line(type_name<T>());
  if constexpr (requires {
                  body.packet;
                  body.attempt;
                }) {
    add_packet(line, body.packet, body.attempt);
  } else if constexpr (requires { body.packet; }) {
    add(line, "packet", body.packet);
  }
  if constexpr (requires { body.producer_attempt; }) {
    add_packet(line, body.producer, body.producer_attempt);
  } else if constexpr (requires { body.producer; }) {
    add_packet(line, body.producer, body.attempt);
  }
  if constexpr (requires { body.worker; }) add(line, "worker", body.worker);
  if constexpr (requires { body.owner; }) add(line, "owner", body.owner);
  if constexpr (requires { body.peer; }) add(line, "peer", body.peer);
  if constexpr (requires {
                  body.from;
                  body.to;
                })
    add(line, "from", body.from), add(line, "to", body.to);
  if constexpr (requires { body.source.owner; }) add_source(line, body.source);
  if constexpr (requires { body.from_task; }) add(line, "from_task", body.from_task);
  if constexpr (requires { body.tail; }) add(line, "tail", body.tail);
  if constexpr (requires { body.cancel; }) add(line, "cancel", body.cancel ? 1 : 0);
  if constexpr (requires { body.bytes; }) add(line, "bytes", body.bytes);
  if constexpr (requires { body.used_bytes; }) {
    add(line, "used", body.used_bytes), add(line, "budget", body.budget_bytes);
    add(line, "spillable", body.spillable_bytes);
  }
  if constexpr (requires { body.count; }) add(line, "count", body.count);
  if constexpr (requires {
                  body.reason;
                  to_string(body.reason);
                })
    line += std::string(" ") + to_string(body.reason);
  if constexpr (requires {
                  body.state;
                  to_string(body.state);
                })
    line += std::string(" ") + to_string(body.state);
  if constexpr (requires { body.finished.packet; }) add_packet(line, body.finished.packet, body.finished.attempt);
  if constexpr (requires { body.suspects; }) {
    for (const PacketId packet : body.suspects) add(line, "suspect", packet);
  }
  add_packets(line, body);
  return line;
}

void print(Nanoseconds now, WorkerId worker, const char* arrow, const std::string& line) {
  const std::string place = worker == kKeeper ? "scheduler" : "worker " + std::to_string(worker);
  std::fprintf(stderr, "%12.6f ms  %-10s %s %s\n", static_cast<double>(now) * 1e-6, place.c_str(), arrow, line.c_str());
}

}  // namespace

void trace_event(Nanoseconds now, WorkerId worker, const WorkerEventBody& body) {
  if (std::holds_alternative<Tick>(body)) return;
  print(now, worker, "<-", std::visit([](const auto& one) { return describe(one); }, body));
}

void trace_event(Nanoseconds now, const SchedulerEventBody& body) {
  if (std::holds_alternative<Tick>(body)) return;
  print(now, kKeeper, "<-", std::visit([](const auto& one) { return describe(one); }, body));
}

void trace_action(Nanoseconds now, WorkerId worker, const WorkerAction& action) {
  print(now, worker, "->", std::visit([](const auto& one) { return describe(one); }, action));
}

void trace_action(Nanoseconds now, const SchedulerAction& action) {
  print(now, kKeeper, "->", std::visit([](const auto& one) { return describe(one); }, action));
}

void trace_line(Nanoseconds now, const char* sentence) {
  std::fprintf(stderr, "%12.6f ms  ** %s\n", static_cast<double>(now) * 1e-6, sentence);
}

}  // namespace weft::sim
