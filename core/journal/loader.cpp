#include "core/journal/loader.hpp"

#include "core/cluster/letters.hpp"
#include "core/cluster/values.hpp"
#include "core/executor/aside.hpp"
#include "core/graph/boxes.hpp"
#include "core/graph/sites.hpp"
#include "core/journal/journal.hpp"
#include "core/memory/checksum.hpp"

#include <weft/build.hpp>
#include <weft/error.hpp>

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

void put_closure(void* payload, Stored stored) {
  auto* const kept = new Stored(std::move(stored));
  std::memcpy(payload, &kept, sizeof kept);
}

void fetch(const Stored& from, std::byte* to) {
  bool good = false;
  std::string why = "its bytes are not those that were written";
  if (!from.bytes.empty()) {
    std::memcpy(to, from.bytes.data(), from.bytes.size());
    return;
  }
  try {
    good = read_record(from.file, from.place, to);
  } catch (const Error& error) {
    why = error.what();
  }
  if (good) return;
  drop_result(from.key);
  throw Error("a result of an earlier run cannot be taken from '" + from.file + "': " + why +
              "; run the program again, it is then computed anew");
}

void load(TaskRecord& record, const ValueType& type, const Stored& from) {
  const auto decode_to = [&](void* place) {
    std::vector<std::byte> bytes(from.place.bytes);
    fetch(from, bytes.data());
    Reader reader(bytes.data(), bytes.size());
    type.decode(place, reader);
  };
  if (type.in_record) return decode_to(record.payload + result_offset(type.size, true));
  Box* box = nullptr;
  if (from.place.form == Form::Block) {
    void* const place = cluster::make_block(type, from.place.bytes, box);
    if (box == nullptr) throw Error("a result of an earlier run is of another form than its type has");
    try {
      fetch(from, static_cast<std::byte*>(place));
    } catch (...) {
      cluster::drop_block(box);
      throw;
    }
    return cluster::keep_block(record, box);
  }
  box = boxes::make(type);
  try {
    decode_to(box->value());
  } catch (...) {
    boxes::discard(box);
    throw;
  }
  cluster::keep_block(record, box);
}

void run(TaskFrame& frame) {
  const Aside aside(Phase::Journal);
  TaskRecord& record = frame.record();
  load(record, *site(record.site).type->result, stored_in(record.payload));
}

TaskType make_type(const ValueType& result) {
  TaskType type{};
  type.run = &run;
  type.destroy_closure = [](void* payload) noexcept { delete &stored_in(payload); };
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
    put_closure(payload, std::move(stored));
  };
  type.name = &detail::spelled_name<FromJournal>;
  return type;
}

}  // namespace

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
  put_closure(arena::task(task).payload, std::move(stored));
  set_key(task, key, kNotWritten);
  if (detail::annotating()) detail::annotate_task(task);
  return task;
}

}  // namespace weft::journal
