#include "core/graph/sites.hpp"

#include "core/diagnostics/assert.hpp"

#include <weft/arena.hpp>
#include <weft/task_type.hpp>

#include <sys/mman.h>

#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>

namespace weft {
namespace {

constexpr std::uint32_t kMostSites = 1u << 20;

Site* reserve_sites() {
  void* const place = ::mmap(nullptr, kMostSites * sizeof(Site), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  WEFT_ASSERT(place != MAP_FAILED, "address space for the table of sites must be available");
  return static_cast<Site*>(place);
}

struct Register {
  std::mutex mutex;
  std::map<std::tuple<const TaskType*, std::string_view, std::uint32_t>, std::uint32_t> known;
};

Register& sites() {
  static Register* const instance = new Register;
  return *instance;
}

/// The last site this thread asked for: a loop asks for the same one over and over.
struct Last {
  const TaskType* type = nullptr;
  const char* file = nullptr;
  std::uint32_t line = 0;
  std::uint32_t index = 0;
};
constinit thread_local Last last[4];

/// Entries that are complete.
constinit std::atomic<std::uint32_t> complete{0};

}  // namespace

namespace detail {
Site* const site_table = reserve_sites();
}

const char* kept_text(const std::string& text) {
  static std::mutex mutex;
  static auto* const kept = new std::set<std::string, std::less<>>;
  const std::lock_guard lock(mutex);
  return kept->insert(text).first->c_str();
}

std::uint32_t site_of(const TaskType& type, const std::source_location& where) {
  Last& slot = last[(reinterpret_cast<std::uintptr_t>(&type) >> 6 ^ where.line()) & 3];
  if (slot.type == &type && slot.file == where.file_name() && slot.line == where.line()) return slot.index;
  const std::uint32_t index = site_of(type, where.file_name(), where.function_name(), where.line());
  slot = {&type, where.file_name(), where.line(), index};
  return index;
}

std::uint32_t site_of(const TaskType& type, const char* file, const char* function, std::uint32_t line) {
  Register& all = sites();
  const std::lock_guard lock(all.mutex);
  const auto [found, fresh] = all.known.try_emplace({&type, file, line}, static_cast<std::uint32_t>(all.known.size()));
  const std::uint32_t index = found->second;
  if (fresh) {
    WEFT_ASSERT(index < kMostSites, "a program has fewer than a million places that describe tasks");
    Site& entry = detail::site_table[index];
    entry.type = &type;
    entry.file = file;
    entry.function = function;
    entry.line = line;
    entry.pace.store(Site::kUnknown, std::memory_order_relaxed);
    complete.store(index + 1, std::memory_order_release);
  }
  return index;
}

std::uint32_t known_sites() noexcept { return complete.load(std::memory_order_acquire); }

__attribute__((no_sanitize("thread"))) std::uint32_t site_at_a_glance(TaskId task) noexcept {
  return __atomic_load_n(&arena::task(task).site, __ATOMIC_RELAXED);
}

}  // namespace weft
