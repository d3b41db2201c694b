#include "core/diagnostics/symbols.hpp"

#include "core/diagnostics/error_report.hpp"

#include <dlfcn.h>

#include <fmt/format.h>

#include <string_view>

#if WEFT_HAS_LIBBACKTRACE
#include <backtrace.h>
#endif

namespace weft::symbols {
namespace {

std::string_view last_part(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

#if WEFT_HAS_LIBBACKTRACE

void ignore(void*, const char*, int) {}

/// Never freed: the library cannot.
backtrace_state* state() {
  static backtrace_state* const one = ::backtrace_create_state(nullptr, 1, &ignore, nullptr);
  return one;
}

/// Adds what the debug information says, the functions that are inlined there too.
void add_lines(std::uintptr_t address, std::vector<Place>& places) {
  ::backtrace_pcinfo(
      state(), address,
      [](void* list, std::uintptr_t, const char* file, int line, const char* function) {
        if (function == nullptr || file == nullptr || line <= 0) return 0;
        static_cast<std::vector<Place>*>(list)->push_back(
            {readable_symbol(function), fmt::format("{}:{}", last_part(file), line)});
        return 0;
      },
      &ignore, &places);
}

void add_symbol(std::uintptr_t address, std::vector<Place>& places) {
  struct Found {
    std::uintptr_t address;
    std::vector<Place>& places;
  } found{address, places};
  ::backtrace_syminfo(
      state(), address,
      [](void* to, std::uintptr_t, const char* name, std::uintptr_t begin, std::uintptr_t) {
        if (name == nullptr) return;
        auto& place = *static_cast<Found*>(to);
        place.places.push_back({readable_symbol(name), fmt::format("+ {:#x}", place.address - begin)});
      },
      &ignore, &found);
}

#else

void add_lines(std::uintptr_t, std::vector<Place>&) {}
void add_symbol(std::uintptr_t, std::vector<Place>&) {}

#endif

/// Without another source: names that the program or library shows to others, else a place that addr2line understands.
Place exported(std::uintptr_t address) {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<void*>(address), &info) == 0 || info.dli_fname == nullptr)
    return {"", fmt::format("{:#x}", address)};
  if (info.dli_sname != nullptr) {
    return {readable_symbol(info.dli_sname),
            fmt::format("+ {:#x}", address - reinterpret_cast<std::uintptr_t>(info.dli_saddr))};
  }
  return {"", fmt::format("{} + {:#x}", last_part(info.dli_fname),
                          address - reinterpret_cast<std::uintptr_t>(info.dli_fbase))};
}

}  // namespace

std::vector<Place> at(std::uintptr_t address) {
  std::vector<Place> places;
  add_lines(address, places);
  if (places.empty()) add_symbol(address, places);
  if (places.empty()) places.push_back(exported(address));
  return places;
}

}  // namespace weft::symbols
