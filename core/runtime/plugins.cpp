#include "core/runtime/plugins.hpp"

#include "core/diagnostics/error_report.hpp"

#include <weft/callable.hpp>
#include <weft/log.hpp>
#include <weft/wire.hpp>

#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace weft::plugins {
namespace {

struct Plugin {
  std::string name;
  std::string setup;
  std::string teardown;
};

/// Never destroyed: workers may end with the process.
struct Table {
  std::mutex mutex;
  // Guarded by mutex: by worker and key.
  std::map<std::pair<const Executor*, std::string>, Plugin> all;
};
Table& table() {
  static Table* const instance = new Table;
  return *instance;
}

std::string read_string(Reader& reader) {
  const std::size_t size = reader.elements(1, "plugin");
  return {reinterpret_cast<const char*>(reader.view(size, "plugin")), size};
}

void write_string(Writer& writer, std::string_view text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

void call(const std::string& bytes) {
  Reader reader(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
  const auto function = reinterpret_cast<void (*)(Reader&)>(const_cast<void*>(decode_address(reader)));
  function(reader);
}

void call_teardown(const Plugin& plugin) noexcept {
  try {
    call(plugin.teardown);
  } catch (...) {
    logging::error("worker", "the teardown of the plugin \"", plugin.name, "\" threw ",
                   weft::describe(std::current_exception()).message);
  }
}

}  // namespace

std::string describe(std::string_view key, std::string_view name, std::string_view calls) {
  Writer writer;
  write_string(writer, key);
  write_string(writer, name);
  writer.bytes(calls.data(), calls.size());
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

void set_up(const Executor& worker, const std::string& description) {
  Reader reader(reinterpret_cast<const std::byte*>(description.data()), description.size());
  const std::string key = read_string(reader);
  Plugin plugin;
  plugin.name = read_string(reader);
  plugin.setup = read_string(reader);
  plugin.teardown = read_string(reader);
  const std::string setup = plugin.setup;
  Table& known = table();
  {
    const std::lock_guard lock(known.mutex);
    if (!known.all.try_emplace({&worker, key}, std::move(plugin)).second) return;
  }
  try {
    call(setup);
  } catch (...) {
    const std::lock_guard lock(known.mutex);
    known.all.erase({&worker, key});
    throw;
  }
}

void take_down(const Executor& worker, const std::string& key) noexcept {
  Table& known = table();
  std::unique_lock lock(known.mutex);
  const auto found = known.all.find({&worker, key});
  if (found == known.all.end()) return;
  const Plugin plugin = std::move(found->second);
  known.all.erase(found);
  lock.unlock();
  call_teardown(plugin);
}

void take_all_down(const Executor& worker) noexcept {
  Table& known = table();
  for (;;) {
    std::unique_lock lock(known.mutex);
    const auto next = known.all.lower_bound({&worker, std::string()});
    if (next == known.all.end() || next->first.first != &worker) return;
    const Plugin plugin = std::move(next->second);
    known.all.erase(next);
    lock.unlock();
    call_teardown(plugin);
  }
}

}  // namespace weft::plugins
