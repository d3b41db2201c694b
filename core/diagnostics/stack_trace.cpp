#include "core/diagnostics/stack_trace.hpp"

#include "core/diagnostics/symbols.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/trace_point.hpp>

#include <fmt/format.h>

#include <unwind.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <mutex>
#include <string_view>
#include <typeinfo>
#include <utility>
#include <vector>

namespace weft::stack_trace {
namespace {

constexpr unsigned kMostNoted = 64;
constexpr std::size_t kMostShown = 12;
constexpr std::size_t kLongestLine = 240;
/// So many failures with one trace tell it: of a hundred thousand that fail alike the others would only take memory.
constexpr unsigned kMostTold = 1'000;

const logging::Room kRoom("stack");

bool switched_on() { return kRoom.enabled(logging::Level::Warning); }

/// What passed a trace point last in this thread.
struct Noted {
  /// The thrown object; null for one that cannot be told from others (a pointer), and where nothing is noted.
  const void* object = nullptr;
  unsigned count = 0;
  std::array<std::uintptr_t, kMostNoted> frames;
};
thread_local Noted noted;

const void* object_of(const std::exception_ptr& thrown) {
  const void* object = nullptr;
  static_assert(sizeof thrown == sizeof object);
  std::memcpy(&object, static_cast<const void*>(&thrown), sizeof object);
  return object;
}

_Unwind_Reason_Code note_frame(_Unwind_Context* context, void*) {
  int is_before = 0;
  const std::uintptr_t address = ::_Unwind_GetIPInfo(context, &is_before);
  if (address == 0 || noted.count == kMostNoted) return _URC_END_OF_STACK;
  // Where a call returns to may already be another line.
  noted.frames[noted.count++] = is_before != 0 ? address : address - 1;
  return _URC_NO_REASON;
}

/// Called while the handlers are looked through, before anything is unwound. `object` is null for pointers.
void note(const void* object) noexcept {
  // What a handler of ours throws again has been noted where it came from.
  if (object != nullptr && noted.object == object && object_of(std::current_exception()) == object) return;
  noted.object = object;
  noted.count = 0;
  ::_Unwind_Backtrace(&note_frame, nullptr);
}

std::string line_of(const symbols::Place& place) {
  std::string line = place.function.empty() ? place.where : place.function + " " + place.where;
  if (!place.function.empty() && !place.where.starts_with("+"))
    line = fmt::format("{} ({})", place.function, place.where);
  if (line.size() > kLongestLine) line = line.substr(0, kLongestLine / 2) + " ... " + line.substr(line.size() - 100);
  return line;
}

bool throws(const std::string& function) {
  return function.starts_with("__cxa_throw") || function.starts_with("__cxa_rethrow") ||
         function.starts_with("std::rethrow_exception");
}

/// Leaves of the functions those between the throw and the call of the task. What only carries the call is left out
/// where something else is there.
std::string user_part(const std::vector<symbols::Place>& all) {
  const auto is_slot = [](const symbols::Place& place) { return place.function.starts_with("weft::Slot::"); };
  const auto carries = [](const symbols::Place& place) {
    const std::string_view name = place.function;
    return name.starts_with("weft::detail::") || name.starts_with("std::invoke") || name.starts_with("std::__invoke") ||
           name.starts_with("std::apply") || name.starts_with("std::__apply") ||
           name.starts_with("void weft::detail::") || name.starts_with("decltype(auto) ") ||
           name.starts_with("constexpr decltype(auto) ");
  };
  auto end = std::find_if(all.begin(), all.end(), is_slot);
  auto begin = all.begin();
  for (auto at = all.begin(); at != end; ++at) {
    if (throws(at->function)) begin = at + 1;
  }
  const auto first_carrier = end;
  while (end != begin && carries(*(end - 1))) --end;
  if (end == begin && first_carrier != begin) end = begin + 1;
  std::string text;
  for (auto at = begin; at != end; ++at) {
    if (static_cast<std::size_t>(at - begin) == kMostShown) {
      text += fmt::format("\nand {} more", end - at);
      break;
    }
    text += (text.empty() ? "" : "\n") + line_of(*at);
  }
  return text;
}

/// The traces told so far: what each says, and how often that was said. Ways to the task differ where what is told does
/// not.
struct Told {
  std::mutex mutex;
  std::map<std::vector<std::uintptr_t>, std::string> traces;  // guarded by mutex
  std::map<std::string, unsigned> times;                      // guarded by mutex
};
Told& told() {
  static Told* const one = new Told;  // tasks may fail while the process ends
  return *one;
}

}  // namespace

std::string take(const std::exception_ptr& thrown) {
  const unsigned count = std::exchange(noted.count, 0);
  const void* const object = std::exchange(noted.object, nullptr);
  if (count == 0 || (object != nullptr && object != object_of(thrown))) return "";
  const std::vector<std::uintptr_t> frames(noted.frames.begin(), noted.frames.begin() + count);
  const std::lock_guard lock(told().mutex);
  const auto [trace, is_new] = told().traces.try_emplace(frames);
  std::string& text = trace->second;
  if (is_new) {
    std::vector<symbols::Place> places;
    for (const std::uintptr_t frame : frames) {
      std::vector<symbols::Place> here = symbols::at(frame);
      std::move(here.begin(), here.end(), std::back_inserter(places));
    }
    text = user_part(places);
  }
  return ++told().times[text] <= kMostTold ? text : "";
}

}  // namespace weft::stack_trace

#ifdef __GLIBCXX__

namespace weft::detail {

/// What `catch (const TracePoint&)` asks whether it takes what is thrown.
class TracePointType final : public std::type_info {
 public:
  TracePointType() : std::type_info("N4weft6detail10TracePointE") {}
  bool __do_catch(const std::type_info* thrown, void** object, unsigned) const override {
    if (stack_trace::switched_on() && *thrown != typeid(Reschedule))
      stack_trace::note(thrown->__is_pointer_p() ? nullptr : *object);
    return false;
  }
};

// The name by which handlers find the type of a class.
extern const TracePointType trace_point_type __asm__("_ZTIN4weft6detail10TracePointE");
const TracePointType trace_point_type;

}  // namespace weft::detail

#else

// Of other C++ libraries it is not known how handlers ask for types: there a trace point is a class as any other.
namespace weft::detail {
TracePoint::~TracePoint() = default;
}  // namespace weft::detail

#endif
