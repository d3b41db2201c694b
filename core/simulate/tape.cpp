#include "core/simulate/tape.hpp"

#include <vector>
#include <weft/error.hpp>

#include "core/simulate/stopwatch.hpp"

namespace weft::sim {

void Tape::add(const SchedulerEvent& event) { encode(event, bytes_); }

Tape::Replayed Tape::replay(const SchedulerOptions& options) const {
  // Decoded this many at a time, so that the clock is asked seldom and the machine's tables stay where they are.
  constexpr std::size_t kBatch = 64;
  Replayed result;
  Scheduler scheduler(options);
  SchedulerActions actions;
  PacketsDealt described;
  std::vector<SchedulerEvent> events;
  Stopwatch stopwatch;
  for (ByteView rest(bytes_); !rest.empty();) {
    events.clear();
    while (!rest.empty() && events.size() < kBatch) {
      if (!decode(rest, events.emplace_back())) throw Error("an event of the simulated run can not be read again");
    }
    result.took += stopwatch.measure_long([&] {
      for (const SchedulerEvent& event : events) {
        scheduler.handle(event, actions);
        for (const SchedulerAction& action : actions.list) {
          if (const auto* deal = std::get_if<Deal>(&action)) scheduler.describe_deal(*deal, actions, described);
        }
        result.actions += actions.list.size();
        actions.clear();
        described.packets.clear();
        described.inputs.clear();
        described.needs.clear();
      }
    });
    result.events += events.size();
  }
  return result;
}

}  // namespace weft::sim
