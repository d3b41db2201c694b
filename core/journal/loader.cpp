#include "core/journal/loader.hpp"

#include "core/cluster/letters.hpp"
#include "core/cluster/values.hpp"
#include "core/executor/aside.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/sites.hpp"
#include "core/journal/journal.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/build.hpp>
#include <weft/client.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>

#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace weft::journal {
namespace {

/// Only its name is seen: in errors, plans and tables.
struct FromJournal {};

Stored& stored_in(const void* payload) {
  Stored* stored;
  std::memcpy(&stored, payload, sizeof stored);
  return *stored;
}

/// Returns whether the bytes are those that were written; else `why` not.
bool fetch(const Stored& from, std::byte* to, std::string& why) {
  if (!from.bytes.empty()) {
    std::memcpy(to, from.bytes.data(), from.bytes.size());
    return true;
  }
  try {
    if (read_record(from.file, from.place, to)) return true;
    why = "its bytes are not those that were written";
  } catch (const Error& error) {
    why = error.what();
  }
  drop_result(from.key);
  return false;
}

void decode_to(TaskRecord& record, const ValueType& type, Reader& reader) {
  if (type.in_record) return type.decode(record.payload + result_offset(type.size, true), reader);
  Box* const box = boxes::make(type);
  try {
    type.decode(box->value(), reader);
  } catch (...) {
    boxes::discard(box);
    throw;
  }
  cluster::keep_block(record, box);
}

/// Returns whether the result is in the record now; else `why` not.
bool load(TaskRecord& record, const ValueType& type, const Stored& from, std::string& why) {
  const Aside aside(Phase::Journal);
  if (from.place.form == Form::Block && !type.in_record) {
    Box* box = nullptr;
    void* const place = cluster::make_block(type, from.place.bytes, box);
    if (box == nullptr) throw Error("a result of an earlier run is of another form than its type has");
    if (!fetch(from, static_cast<std::byte*>(place), why)) {
      cluster::drop_block(box);
      return false;
    }
    cluster::keep_block(record, box);
    return true;
  }
  std::vector<std::byte> bytes(from.place.bytes);
  if (!fetch(from, bytes.data(), why)) return false;
  Reader reader(bytes.data(), bytes.size());
  decode_to(record, type, reader);
  return true;
}

/// The call that gave the result once is run, where this process has described it, and waited for as a child is.
void compute_anew(TaskRecord& record, const ValueType& type, const Stored& from, const std::string& why) {
  const std::string told = "a result of an earlier run cannot be taken from '" + from.file + "': " + why;
  if (from.original == nullptr) throw Error(told + "; run the program again, it is then computed anew");
  logging::warning("journal", told, "; it is computed anew");
  const TaskId call = from.original->task_id();
  arena::add_use(call);
  const auto result = Client::current().persist(Delayed<Nothing>::adopt(call));
  Writer bytes;
  {
    const detail::PinnedValue value = detail::await_value(result, type);
    type.encode(value.value(), bytes);
  }
  Reader reader(bytes);
  decode_to(record, type, reader);
}

void run(TaskFrame& frame) {
  TaskRecord& record = frame.record();
  const ValueType& type = *site(record.site).type->result;
  const Stored& from = stored_in(record.payload);
  std::string why;
  if (!load(record, type, from, why)) compute_anew(record, type, from, why);
}

TaskType make_type(const ValueType& result) {
  TaskType type{};
  type.run = &run;
  type.destroy_closure = &drop_stored;
  type.result = &result;
  type.closure_bytes = sizeof(Stored);
  type.closure_in_record = false;
  type.repeatable = true;
  type.describe = [](const void* payload, std::string& text) {
    detail::describe_argument(text, stored_in(payload).file);
  };
  type.encode_closure = [](const void* payload, Writer& writer, const SourceLine&) {
    const Stored& stored = stored_in(payload);
    writer.number(stored.key);
    cluster::write_text(writer, stored.file);
    writer.number(stored.place);
    writer.count(stored.bytes.size());
    writer.bytes(stored.bytes.data(), stored.bytes.size());
  };
  type.decode_closure = [](void* payload, Reader& reader) {
    constexpr std::string_view what = "a result of the journal";
    Stored stored;
    stored.key = reader.number<Key>(what);
    stored.file = cluster::read_text(reader);
    stored.place = reader.number<RecordPlace>(what);
    const std::size_t bytes = reader.elements(1, what);
    const std::byte* const from = reader.view(bytes, what);
    stored.bytes.assign(from, from + bytes);
    if (bytes != 0 && bytes != stored.place.bytes) reader.damaged(what, "it has another length");
    put_stored(payload, std::move(stored));
  };
  type.name = &detail::spelled_name<FromJournal>;
  return type;
}

}  // namespace

void put_stored(void* payload, Stored stored) {
  auto* const kept = new Stored(std::move(stored));
  std::memcpy(payload, &kept, sizeof kept);
}

void drop_stored(void* payload) noexcept { delete &stored_in(payload); }

const TaskType& loader_of(const ValueType& result) {
  static std::mutex mutex;
  static auto* const kept = new std::map<const ValueType*, std::unique_ptr<const TaskType>>;
  const std::lock_guard lock(mutex);
  std::unique_ptr<const TaskType>& type = (*kept)[&result];
  if (type == nullptr) type = std::make_unique<const TaskType>(make_type(result));
  return *type;
}

bool is_loader(const TaskType& type) { return type.run == &run; }

TaskId describe_loader(TaskId like, std::uint64_t word, Stored stored) {
  const Site& at = site(arena::task(like).site);
  const Key key = stored.key;
  const std::uint32_t its_site = site_of(loader_of(*at.type->result), at.file, at.function, at.line);
  const TaskId task = detail::open_task({arena::thread_cursor(), word, kNone}, its_site, 0, 0);
  put_stored(arena::task(task).payload, std::move(stored));
  set_key(task, key, kNotWritten);
  if (detail::annotating()) detail::annotate_task(task);
  return task;
}

TaskId take_stored(TaskId like, std::uint64_t word, std::uint32_t client, Stored stored) {
  if (stored.bytes.empty() && stored.place.bytes != 0) {
    // It stays as a call that is only described.
    std::atomic<std::uint64_t>& its_word = arena::task(like).word;
    its_word.fetch_add(task_word::kUse, std::memory_order_relaxed);
    its_word.fetch_and(~task_word::kLaunched, std::memory_order_relaxed);
    set_key(like, stored.key);
    stored.original = std::make_shared<const Delayed<Nothing>>(Delayed<Nothing>::adopt(like));
  }
  const TaskId loader = describe_loader(like, word, std::move(stored));
  if (Runtime* const runtime = client == 0 ? nullptr : Runtime::find(client); runtime != nullptr) {
    runtime->launch(loader, nullptr);
  }
  return loader;
}

}  // namespace weft::journal
