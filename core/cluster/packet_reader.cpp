#include "core/cluster/packet_reader.hpp"

#include "core/cluster/letters.hpp"
#include "core/cluster/packet_writer.hpp"
#include "core/cluster/values.hpp"
#include "core/encode/address_run.hpp"
#include "core/journal/journal.hpp"

#include <weft/build.hpp>
#include <weft/callable.hpp>
#include <weft/error.hpp>

#include <cstring>

namespace weft::cluster {
namespace {

/// No task has so many inputs, and no packet so many tasks: what claims it is damage.
constexpr std::uint32_t kMostInputs = 1u << 26;
constexpr std::uint32_t kMostTasks = 1u << 24;

/// What a fresh record starts with: its own use, which ends with it.
constexpr std::uint64_t kFresh = task_word::kLaunched + task_word::kUse;

/// Reads the tasks of one packet.
/// Owns: nothing.  Threading: one call.
class TaskReader {
 public:
  TaskReader(Reader& reader, const SiteTable& sites, arena::Cursor& cursor, PacketId run,
             const std::vector<TaskId>& inputs, PacketTasks& tasks)
      : reader_(reader), sites_(sites), cursor_(cursor), run_(run), inputs_(inputs), tasks_(tasks) {}

  void read(std::uint32_t count) {
    tasks_.ids.reserve(count);
    while (tasks_.ids.size() < count) {
      const std::uint64_t head = reader_.count("task");
      if ((head & packet_code::kRun) != 0) {
        read_run(count);
      } else {
        read_one(head);
      }
    }
  }

 private:
  void read_run(std::uint32_t count) {
    const std::uint64_t more = reader_.count("task");
    if (tasks_.ids.empty() || input_count_ != 0 || more > count - tasks_.ids.size() || !repeatable_)
      reader_.damaged("task", "a run of equal tasks makes no sense here");
    const TaskId first = tasks_.ids.back();
    for (std::uint64_t i = 0; i < more; ++i) {
      const TaskId id = open();
      std::memcpy(arena::task(id).payload, arena::task(first).payload, TaskRecord::kPayloadBytes);
      add_root(id);
    }
  }

  void read_one(std::uint64_t head) {
    if (head > (packet_code::kSameKind | packet_code::kSameClosure)) reader_.damaged("task", "its head makes no sense");
    const bool first = tasks_.ids.empty();
    if ((head & packet_code::kSameKind) == 0) {
      site_ = sites_.at(read_small(reader_, "task"));
      type_ = site(site_).type;
      input_count_ = read_small(reader_, "task");
      if (input_count_ > kMostInputs || input_count_ > reader_.remaining())
        reader_.damaged("task", "it has more inputs than bytes follow");
      repeatable_ = type_->closure_in_record && type_->destroy_closure == nullptr;
      if (type_->decode_closure == nullptr) reader_.damaged("task", "its type does not travel");
    } else if (first) {
      reader_.damaged("task", "the first one is like the one before");
    }
    const TaskId before = first ? kNone : tasks_.ids.back();
    const TaskId id = open();
    TaskRecord& record = arena::task(id);
    const bool ready = connect(id, record);
    if ((head & packet_code::kSameClosure) != 0) {
      if (before == kNone || !repeatable_ || arena::task(before).site != site_)
        reader_.damaged("task", "its closure is not like the one before");
      std::memcpy(record.payload, arena::task(before).payload, TaskRecord::kPayloadBytes);
    } else {
      // Handles inside of containers come back as handles of the records that stand for the inputs here.
      const detail::DecodedInputs inputs(id);
      functions_.begin(reader_);
      type_->decode_closure(record.payload, reader_);
    }
    if (ready) add_root(id);
  }

  TaskId open() {
    const detail::Place place{cursor_, kFresh, run_};
    const TaskId id = detail::open_task(place, site_, input_count_, 0);
    arena::task(id).join.store(input_count_, std::memory_order_relaxed);
    tasks_.ids.push_back(id);
    return id;
  }

  void add_root(TaskId id) {
    if (!tasks_.roots.empty() && tasks_.roots.back().end == id) {
      tasks_.roots.back().end = id + 1;
    } else {
      tasks_.roots.push_back({id, id + 1});
    }
  }

  /// Returns whether nothing is left to wait for. A task that others may end the inputs of is not started before its
  /// packet is.
  bool connect(TaskId id, TaskRecord& record) {
    const auto number = static_cast<std::uint32_t>(tasks_.ids.size() - 1);
    bool foreign = false;
    std::uint32_t ended = 0;
    for (std::uint32_t k = 0; k < input_count_; ++k) {
      const std::uint64_t ref = reader_.count("input");
      const std::uint64_t place = ref >> 1;
      const std::uint32_t edge_id = record.first_input + k;
      if ((ref & 1) == 0) {
        if (place == 0 || place > number) reader_.damaged("input", "it lies outside of the packet");
        connect_inside(edge_id, tasks_.ids[number - place], id);
        continue;
      }
      if (place >= inputs_.size()) reader_.damaged("input", "it is none of those from elsewhere");
      if (!foreign) record.join.fetch_add(1, std::memory_order_relaxed);  // the guard
      foreign = true;
      detail::Connected connected;
      detail::connect(edge_id, inputs_[place], id, kNone, connected);
      ended += 1 - connected.unfinished;
    }
    if (!foreign) return input_count_ == 0;
    const std::uint32_t off = ended + 1;
    return record.join.fetch_sub(off, std::memory_order_acq_rel) == off;
  }

  /// Nobody else sees either record yet.
  static void connect_inside(std::uint32_t edge_id, TaskId producer, TaskId consumer) {
    Edge& edge = arena::edge(edge_id);
    TaskRecord& record = arena::task(producer);
    edge.producer = producer;
    edge.consumer = consumer;
    constexpr std::uint64_t low = (std::uint64_t{1} << task_word::kEdgeShift) - 1;
    const std::uint64_t link = static_cast<std::uint64_t>(edge_id + 1) << task_word::kEdgeShift;
    const std::uint64_t word = record.word.load(std::memory_order_relaxed);
    edge.next = task_word::edge_of(word);
    record.word.store(((word & low) | link) + task_word::kUse, std::memory_order_relaxed);
  }

  Reader& reader_;
  const SiteTable& sites_;
  arena::Cursor& cursor_;
  const PacketId run_;
  const std::vector<TaskId>& inputs_;
  PacketTasks& tasks_;
  detail::AddressRun functions_;
  std::uint32_t site_ = 0;
  const TaskType* type_ = nullptr;
  std::uint32_t input_count_ = 0;
  bool repeatable_ = false;
};

/// Reads a list of task numbers; `others`: what "as the kept ones" means.
std::vector<std::uint32_t> read_list(Reader& reader, std::uint32_t of, const std::vector<std::uint32_t>* others) {
  std::vector<std::uint32_t> list;
  const std::uint64_t how = reader.count("list of tasks");
  if (how == packet_code::kNobody) return list;
  if (how == packet_code::kAsKept && others != nullptr) return *others;
  if (how == packet_code::kEverybody) {
    list.resize(of);
    for (std::uint32_t i = 0; i < of; ++i) list[i] = i;
    return list;
  }
  if (how != packet_code::kSome) reader.damaged("list of tasks", "it is of no kind that there is");
  list.resize(reader.elements(1, "list of tasks"));
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::uint64_t step = reader.count("list of tasks");
    if (i != 0 && step == 0) reader.damaged("list of tasks", "a task stands in it twice");
    at += step;
    if (step > of || at >= of) reader.damaged("list of tasks", "a task of it is not in the packet");
    list[i] = static_cast<std::uint32_t>(at);
  }
  return list;
}

void read_kept(Reader& reader, PacketTasks& tasks) {
  const auto count = static_cast<std::uint32_t>(tasks.ids.size());
  const std::vector<std::uint32_t> kept = read_list(reader, count, nullptr);
  const std::vector<std::uint32_t> wanted = read_list(reader, count, &kept);
  tasks.kept.reserve(kept.size());
  std::size_t at = 0;
  for (const std::uint32_t index : kept) {
    while (at < wanted.size() && wanted[at] < index) ++at;
    const TaskId id = tasks.ids[index];
    // A use for whoever keeps it. A root may be of a packet nobody has activated: still nobody else writes the word.
    arena::add_use(id);
    tasks.kept.push_back({index, id, at < wanted.size() && wanted[at] == index});
  }
}

void read_keys(Reader& reader, const PacketTasks& tasks) {
  const bool wanted = journal::writes_results.load(std::memory_order_relaxed);
  for (const TaskId task : tasks.ids) {
    if (reader.number<std::uint8_t>("keys of tasks") == 0) continue;
    const auto key = reader.number<journal::Key>("keys of tasks");
    if (wanted) journal::set_key(task, key);
  }
}

void read_extras(Reader& reader, const PacketTasks& tasks) {
  const std::uint64_t head = reader.count("options of tasks");
  const std::uint64_t count = head >> 1;
  if (count > reader.remaining() / 3) reader.damaged("options of tasks", "more of them are told than bytes follow");
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t index = read_small(reader, "options of tasks");
    if (index >= tasks.ids.size()) reader.damaged("options of tasks", "they are of a task that is not in the packet");
    const std::uint64_t retries = reader.count("options of tasks");
    double delay_s = 0;
    bool (*retry_if)(const std::exception&) = nullptr;
    if (retries != 0) {
      delay_s = reader.number<double>("options of tasks");
      if (!(delay_s >= 0)) reader.damaged("options of tasks", "a time to wait makes no sense");
      if (reader.number<std::uint8_t>("options of tasks") != 0)
        retry_if = reinterpret_cast<decltype(retry_if)>(const_cast<void*>(decode_address(reader)));
    }
    const bool cancelled = reader.number<std::uint8_t>("options of tasks") != 0;
    std::string name = read_text(reader);
    extras::change(tasks.ids[index], [&](TaskExtra& extra) {
      extra.retries_left = static_cast<std::uint16_t>(std::min<std::uint64_t>(retries, 0xffff));
      extra.retry_delay_s = delay_s;
      extra.retry_if = retry_if;
      extra.cancelled = cancelled;
      extra.name = std::move(name);
    });
  }
  if ((head & 1) != 0) read_keys(reader, tasks);
}

}  // namespace

void SiteTable::define(std::uint32_t theirs, std::uint32_t mine) {
  constexpr std::uint32_t kMostSites = 1u << 20;
  if (theirs >= kMostSites) throw Error("a site has a number beyond the table");
  if (theirs >= mine_.size()) mine_.resize(theirs + 1, kNone);
  mine_[theirs] = mine;
}

std::uint32_t SiteTable::at(std::uint32_t theirs) const {
  if (theirs >= mine_.size() || mine_[theirs] == kNone)
    throw Error("site " + std::to_string(theirs) + " was never defined");
  return mine_[theirs];
}

std::uint32_t read_externals(Reader& reader, const SiteTable& sites, arena::Cursor& cursor,
                             std::vector<ExternalInput>& externals) {
  const std::uint32_t count = read_small(reader, "packet");
  if (count == 0 || count > kMostTasks) reader.damaged("packet", "its number of tasks makes no sense");
  const std::size_t elsewhere = reader.elements(2, "packet");
  externals.reserve(elsewhere);
  PacketId packet = kNone;
  for (std::size_t i = 0; i < elsewhere; ++i) {
    const std::uint64_t head = reader.count("packet");
    if ((head & 1) != 0) packet = read_small(reader, "packet");
    if (packet == kNone || (head >> 1) > kMostTasks) reader.damaged("packet", "an input comes from nowhere");
    externals.push_back({packet, static_cast<std::uint32_t>(head >> 1), sites.at(read_small(reader, "packet")), kNone});
  }
  const std::size_t sent = reader.elements(2, "packet");
  for (std::size_t i = 0; i < sent; ++i) {
    const std::uint32_t site = sites.at(read_small(reader, "packet"));
    const TaskId id = make_stand_in(cursor, site);
    externals.push_back({kNone, 0, site, id});
    TaskEnd end;
    try {
      end = read_end(reader, arena::task(id));
    } catch (...) {
      mark_ended(id, std::make_shared<TaskFailure>(), kNone);
      throw;
    }
    mark_ended(id, std::move(end.failure), kNone);
  }
  return count;
}

PacketTasks read_tasks(Reader& reader, const SiteTable& sites, arena::Cursor& cursor, std::uint32_t count, PacketId run,
                       const std::vector<TaskId>& inputs) {
  PacketTasks tasks;
  TaskReader(reader, sites, cursor, run, inputs, tasks).read(count);
  read_kept(reader, tasks);
  read_extras(reader, tasks);
  return tasks;
}

TaskId make_stand_in(arena::Cursor& cursor, std::uint32_t site) {
  const TaskId id = detail::open_task({cursor, kFresh, kNone}, site, 0, 0);
  return id;
}

void end_stand_in(Executor& executor, TaskId task, std::shared_ptr<const TaskFailure> failure, TaskId failed_input) {
  const std::uint64_t word = mark_ended(task, std::move(failure), failed_input);
  for (std::uint32_t e = task_word::edge_of(word); e != 0;) {
    const Edge& edge = arena::edge(e - 1);
    const TaskId consumer = edge.consumer;
    e = edge.next;
    executor.release_guard(consumer);
  }
}

}  // namespace weft::cluster
