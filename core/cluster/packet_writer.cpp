#include "core/cluster/packet_writer.hpp"

#include "core/cluster/letters.hpp"
#include "core/cluster/values.hpp"
#include "core/encode/address_run.hpp"
#include "core/graph/sites.hpp"
#include "core/graph/task_name.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/loader.hpp"

#include <weft/callable.hpp>
#include <weft/error.hpp>

#include <algorithm>
#include <cstring>

namespace weft::cluster {
namespace {

constexpr std::uint32_t kAhead = 8;

std::uint32_t hash_of(TaskId id) { return id * 0x9E3779B1u; }

bool is_managed(const TaskRecord& record) { return (record.join.load(std::memory_order_relaxed) & kManagedJoin) != 0; }

void write_list(const std::vector<std::uint32_t>& list, std::uint32_t of, Writer& out) {
  if (list.empty()) return out.count(packet_code::kNobody);
  if (list.size() == of) return out.count(packet_code::kEverybody);
  out.count(packet_code::kSome);
  out.count(list.size());
  std::uint32_t last = 0;
  for (const std::uint32_t index : list) {
    out.count(index - last);
    last = index;
  }
}

}  // namespace

void PacketWriter::clear() {
  ++round_;
  sites_.clear();
  sources_.clear();
  refs_.clear();
  externals_.clear();
  kept_.clear();
  wanted_.clear();
  culprit_ = kNone;
}

PacketWriter::Result PacketWriter::write(PacketId self, std::span<const TaskId> tasks, bool again, Writer& out) {
  clear();
  find_inputs(self, tasks);
  find_kept(self, tasks, again);
  out.count(tasks.size());
  write_externals(out);
  write_tasks(tasks, out);
  write_kept(static_cast<std::uint32_t>(tasks.size()), out);
  write_extras(tasks, out);
  return {static_cast<std::uint32_t>(kept_.size())};
}

void PacketWriter::note_site(std::uint32_t site) {
  if (site >= site_seen_.size()) site_seen_.resize(site + 1, 0);
  if (site_seen_[site] == round_) return;
  site_seen_[site] = round_;
  sites_.push_back(site);
}

void PacketWriter::find_inputs(PacketId self, std::span<const TaskId> tasks) {
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (i + kAhead < tasks.size()) __builtin_prefetch(&arena::task(tasks[i + kAhead]));
    const TaskRecord& record = arena::task(tasks[i]);
    const std::uint32_t inputs = record.input_count;
    for (std::uint32_t k = 0; k < inputs; ++k) {
      const TaskId producer = arena::edge(record.first_input + k).producer;
      const TaskRecord& from = arena::task(producer);
      if (from.packet == self && is_managed(from)) {
        refs_.push_back((i - number_in_packet(from)) << 1);
      } else {
        refs_.push_back(external(producer) << 1 | 1);
      }
    }
  }
  // Ends that are sent along are numbered behind the others.
  std::uint32_t number = 0;
  for (External& one : externals_) {
    if (!one.sent) one.number = number++;
  }
  for (External& one : externals_) {
    if (one.sent) one.number = number++;
  }
  for (std::uint32_t& ref : refs_) {
    if ((ref & 1) != 0) ref = externals_[ref >> 1].number << 1 | 1;
  }
  if (!externals_.empty()) std::fill(table_.begin(), table_.end(), 0);
}

/// Returns the place of the producer in `externals_`, which finds each once.
std::uint32_t PacketWriter::external(TaskId producer) {
  if (table_.size() < 2 * (externals_.size() + 1)) {
    table_.assign(std::max<std::size_t>(64, table_.size() * 4), 0);
    for (std::uint32_t i = 0; i < externals_.size(); ++i) {
      std::uint32_t at = hash_of(externals_[i].task) % table_.size();
      while (table_[at] != 0) at = (at + 1) % table_.size();
      table_[at] = i + 1;
    }
  }
  std::uint32_t at = hash_of(producer) % table_.size();
  for (; table_[at] != 0; at = (at + 1) % table_.size()) {
    if (externals_[table_[at] - 1].task == producer) return table_[at] - 1;
  }
  const TaskRecord& record = arena::task(producer);
  const bool managed = is_managed(record);
  // What lies in the record anyway is cheaper to send than to fetch.
  const bool sent =
      !managed || (is_here(producer) && (site(record.site).type->result->in_record || goes_along_(record)));
  note_site(record.site);
  externals_.push_back({producer, sent, 0});
  table_[at] = static_cast<std::uint32_t>(externals_.size());
  return static_cast<std::uint32_t>(externals_.size()) - 1;
}

void PacketWriter::write_externals(Writer& out) {
  const auto sent = static_cast<std::size_t>(
      std::count_if(externals_.begin(), externals_.end(), [](const External& one) { return one.sent; }));
  out.count(externals_.size() - sent);
  PacketId last = kNone;
  for (const External& one : externals_) {
    if (one.sent) continue;
    const TaskRecord& record = arena::task(one.task);
    const std::uint64_t fresh = record.packet != last ? 1 : 0;
    out.count(std::uint64_t{number_in_packet(record)} << 1 | fresh);
    if (fresh != 0) out.count(record.packet);
    out.count(record.site);
    last = record.packet;
    if (std::find(sources_.begin(), sources_.end(), last) == sources_.end()) sources_.push_back(last);
  }
  out.count(sent);
  for (const External& one : externals_) {
    if (!one.sent) continue;
    culprit_ = one.task;
    out.count(arena::task(one.task).site);
    write_end(out, one.task);
  }
}

void PacketWriter::write_tasks(std::span<const TaskId> tasks, Writer& out) {
  std::uint32_t last_site = kNone;
  std::uint32_t last_inputs = kNone;
  std::uint64_t run = 0;
  std::size_t ref = 0;
  Writer* closure = &closure_;
  Writer* last_closure = &last_closure_;
  detail::AddressRun functions;
  const auto end_run = [&] {
    if (run == 0) return;
    out.count(packet_code::kRun);
    out.count(run);
    run = 0;
  };
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (i + kAhead < tasks.size()) __builtin_prefetch(&arena::task(tasks[i + kAhead]));
    const TaskRecord& record = arena::task(tasks[i]);
    const TaskType& type = *site(record.site).type;
    culprit_ = tasks[i];
    if (type.encode_closure == nullptr) {
      throw Error("it cannot run in another process: its function or one of its arguments is tied to this one; pass " +
                  std::string("data by value, and declare no argument local_only"));
    }
    closure->clear();
    functions.begin(*closure);
    type.encode_closure(record.payload, *closure, line_of(record));
    const bool same_kind = record.site == last_site && record.input_count == last_inputs;
    const bool same_closure = same_kind && type.closure_in_record && type.destroy_closure == nullptr &&
                              closure->size() == last_closure->size() &&
                              std::memcmp(closure->data(), last_closure->data(), closure->size()) == 0;
    if (same_closure && last_inputs == 0) {
      ++run;
      continue;
    }
    end_run();
    out.count((same_kind ? packet_code::kSameKind : 0) | (same_closure ? packet_code::kSameClosure : 0));
    if (!same_kind) {
      note_site(record.site);
      out.count(record.site);
      out.count(record.input_count);
    }
    for (std::uint32_t k = 0; k < record.input_count; ++k) out.count(refs_[ref++]);
    if (!same_closure) out.bytes(closure->data(), closure->size());
    last_site = record.site;
    last_inputs = record.input_count;
    std::swap(closure, last_closure);
  }
  end_run();
  culprit_ = kNone;
}

/// A task is kept if a consumer is not in the packet, or a handle may ask for it. A handle shows in the uses: beside
/// its own and its consumers', which its list tells.
void PacketWriter::find_kept(PacketId self, std::span<const TaskId> tasks, bool again) {
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if (i + kAhead < tasks.size()) __builtin_prefetch(&arena::task(tasks[i + kAhead]));
    const TaskRecord& record = arena::task(tasks[i]);
    const std::uint64_t word = record.word.load(std::memory_order_acquire);
    bool needed = false;
    std::uint64_t consumers = 0;
    for (std::uint32_t e = task_word::edge_of(word); e != 0;) {
      const Edge& edge = arena::edge(e - 1);
      const TaskRecord& consumer = arena::task(edge.consumer);
      // It may be a task that is just being launched.
      needed = needed || __atomic_load_n(&consumer.packet, __ATOMIC_RELAXED) != self || !is_managed(consumer);
      consumers += holds_uses(consumer) ? 1 : 0;
      e = edge.next;
    }
    const bool wanted =
        again ? task_word::uses_of(word) != 0 && !is_here(tasks[i]) : task_word::uses_of(word) > consumers + 1;
    if (wanted) wanted_.push_back(i);
    // Of one that is made again, readers that came after its end are in no list, wherever its value is.
    if (wanted || needed || (again && task_word::uses_of(word) != 0)) kept_.push_back(i);
  }
}

void PacketWriter::write_kept(std::uint32_t tasks, Writer& out) {
  write_list(kept_, tasks, out);
  if (!kept_.empty() && wanted_.size() == kept_.size()) {
    out.count(packet_code::kAsKept);
  } else {
    write_list(wanted_, tasks, out);
  }
}

void PacketWriter::write_extras(std::span<const TaskId> tasks, Writer& out) {
  struct Found {
    std::uint32_t index;
    TaskExtra extra;
  };
  std::vector<Found> found;
  for (std::uint32_t i = 0; i < tasks.size(); ++i) {
    if ((arena::task(tasks[i]).word.load(std::memory_order_relaxed) & task_word::kExtra) == 0) continue;
    extras::read(tasks[i], [&](const TaskExtra& extra) {
      if (extra.retries_left == 0 && !extra.cancelled && extra.name.empty()) return;
      Found one{i, {}};
      one.extra.retries_left = extra.retries_left;
      one.extra.retry_delay_s = extra.retry_delay_s;
      one.extra.retry_if = extra.retry_if;
      one.extra.cancelled = extra.cancelled;
      one.extra.name = extra.name;
      found.push_back(std::move(one));
    });
  }
  const bool keyed = journal::gives_keys.load(std::memory_order_relaxed);
  out.count(found.size() << 1 | (keyed ? 1 : 0));
  for (const Found& one : found) {
    out.count(one.index);
    out.count(one.extra.retries_left);
    if (one.extra.retries_left != 0) {
      out.number(one.extra.retry_delay_s);
      out.number(static_cast<std::uint8_t>(one.extra.retry_if != nullptr ? 1 : 0));
      if (one.extra.retry_if != nullptr) encode_address(out, reinterpret_cast<const void*>(one.extra.retry_if));
    }
    out.number(static_cast<std::uint8_t>(one.extra.cancelled ? 1 : 0));
    write_text(out, one.extra.name);
  }
  if (!keyed) return;
  for (const TaskId task : tasks) {
    const journal::Key key = journal::cost_of(task) < 0 ? journal::Key{} : journal::key_of(task);
    out.number(static_cast<std::uint8_t>(key.none() ? 0 : 1));
    if (!key.none()) out.number(key);
  }
}

namespace {

/// A text of the program goes as its place; one that was read from a graph file as it is.
void write_site_text(Writer& out, const char* text) {
  const bool is_of_program = detail::is_of_program(text);
  out.number(static_cast<std::uint8_t>(is_of_program ? 1 : 0));
  is_of_program ? encode_address(out, text) : write_text(out, text);
}

const char* read_site_text(Reader& reader) {
  const bool is_of_program = reader.number<std::uint8_t>("site") != 0;
  return is_of_program ? static_cast<const char*>(decode_address(reader)) : kept_text(read_text(reader));
}

}  // namespace

void write_site(Writer& out, std::uint32_t index) {
  const Site& entry = site(index);
  // A kind of task that reads the journal is made where it is needed: what it reads tells which.
  const bool loads = journal::is_loader(*entry.type);
  out.number(static_cast<std::uint8_t>(loads ? 1 : 0));
  loads ? encode_address(out, entry.type->result) : encode_address(out, entry.type);
  write_site_text(out, entry.file);
  write_site_text(out, entry.function);
  out.count(entry.line);
}

std::uint32_t read_site(Reader& reader) {
  const bool loads = reader.number<std::uint8_t>("site") != 0;
  const void* const place = decode_address(reader);
  const auto* type =
      loads ? &journal::loader_of(*static_cast<const ValueType*>(place)) : static_cast<const TaskType*>(place);
  const char* const file = read_site_text(reader);
  const char* const function = read_site_text(reader);
  return site_of(*type, file, function, read_small(reader, "site"));
}

}  // namespace weft::cluster
