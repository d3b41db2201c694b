// Where tasks are described: their keys, and results that are there already.

#include "core/cluster/values.hpp"
#include "core/journal/folder.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/loader.hpp"
#include "core/journal/source.hpp"
#include "core/memory/bytes_text.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/annotate.hpp>
#include <weft/error.hpp>
#include <weft/log.hpp>
#include <weft/pure.hpp>
#include <weft/this_task.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <mutex>

#include <fmt/format.h>

namespace weft::journal {
namespace {

/// What the thread has said of the calls that it describes now.
constinit thread_local int pure_descriptions = 0;
constinit thread_local Key files_read;

void add_address(KeyMaker& key, const void* address) {
  Writer place;
  encode_address(place, address);
  key.add(place.data(), place.size());
}

/// Returns what an input is: a call with a key, or a value that is here. Writes nothing where neither is so.
bool add_input(KeyMaker& key, TaskId input) {
  if (const Key known = key_of(input); !known.none()) {
    key.add(known);
    return true;
  }
  const TaskRecord& record = arena::task(input);
  const std::uint64_t word = record.word.load(std::memory_order_acquire);
  const ValueType& type = *site(record.site).type->result;
  if ((word & (task_word::kDone | task_word::kFailed)) != task_word::kDone || type.encode == nullptr) return false;
  if (!cluster::is_here(input)) return false;
  const cluster::PinnedResult value(input);
  Writer bytes;
  type.encode(value.value(), bytes);
  KeyMaker content;
  add_address(content, &type);
  const Key known = content.add(bytes.data(), bytes.size()).key();
  // Many tasks may read it: it is looked through once.
  set_key(input, known, kNotWritten);
  key.add(known);
  return true;
}

bool is_bound(const TaskOptions& options) { return !options.workers.empty() && !options.allow_other_workers; }

}  // namespace

bool may_have_key(const TaskOptions* given) {
  if (given != nullptr && (!given->journalled || is_bound(*given))) return false;
  const TaskOptions around = annotations();
  return around.journalled && !is_bound(around);
}

std::atomic<unsigned> gives_keys{0};

ReadsFile::ReadsFile(const std::string& path) : outer_(files_read) {
  struct stat status {};
  if (!gives_keys.load(std::memory_order_relaxed) || ::stat(path.c_str(), &status) != 0) return;
  const std::int64_t state[] = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
  files_read = KeyMaker().add(outer_).add(state, sizeof state).key();
}

ReadsFile::~ReadsFile() { files_read = outer_; }

Key function_key(const TaskType& type, const Writer& closure) {
  KeyMaker key;
  Writer own;
  encode_address(own, &type);
  key.add(own.data(), own.size());
  // The encoding of a pointer to a function: a digest of its type, then the image it lies in and the place there.
  constexpr std::size_t kPointer = 3 * sizeof(std::uint64_t);
  const bool is_pointer = closure.size() >= kPointer && own.size() >= sizeof(std::uint64_t) &&
                          std::memcmp(closure.data() + sizeof(std::uint64_t), own.data(), sizeof(std::uint64_t)) == 0;
  if (is_pointer) key.add(closure.data(), kPointer);
  return key.key();
}

Key function_key(TaskId task) {
  const TaskRecord& record = arena::task(task);
  const TaskType& type = *site(record.site).type;
  Writer closure;
  type.encode_closure(record.payload, closure, line_of(record));
  return function_key(type, closure);
}

Key call_key(TaskId task, Key& function) {
  const TaskRecord& record = arena::task(task);
  const TaskType& type = *site(record.site).type;
  if (type.encode_closure == nullptr || is_loader(type)) return {};
  try {
    KeyMaker key;
    add_address(key, &type);
    key.add(files_read);
    key.add(record.input_count);
    for (std::uint32_t k = 0; k < record.input_count; ++k) {
      if (!add_input(key, arena::edge(record.first_input + k).producer)) return {};
    }
    Writer closure;
    type.encode_closure(record.payload, closure, line_of(record));
    key.add(closure.data(), closure.size());
    function = function_key(type, closure);
    return key.key();
  } catch (const std::exception&) {
    return {};  // what cannot be written down is no name
  }
}

Key call_key(TaskId task) {
  Key function;
  return call_key(task, function);
}

namespace {

/// How often calls of functions that are not told to be pure were described: the second equal call is another one.
/// Counted through all clients of a program, one after the other.
struct Calls {
  std::mutex mutex;
  std::unordered_map<Key, std::uint32_t, KeyHash> counts;  // guarded by mutex
};

}  // namespace

Key numbered(const Key& call) {
  static auto* const kept = new Calls;
  const std::lock_guard lock(kept->mutex);
  const std::uint32_t number = kept->counts[call]++;
  return number == 0 ? call : KeyMaker().add(call).add(number).key();
}

/// Owns: the lock, and a share of what descriptions take from.
struct Describing::State {
  State(const std::string& its_folder, bool far)
      : folder(its_folder), lock(folder), source(std::make_shared<Source>(folder, far)) {}

  const std::string folder;
  const FolderLock lock;
  const std::shared_ptr<Source> source;  // shared with whoever describes a task now

  /// Says what the user should know at once.
  void tell() const {
    const Contents& contents = source->contents();
    if (!lock.note().empty()) logging::warning("journal", lock.note());
    if (contents.held() == 0 && contents.foreign() != 0) {
      logging::warning("journal", "the ", contents.foreign(), " results in the journal '", folder,
                       "' are of another program or another build of this one: everything is computed anew");
    }
    if (contents.damaged() != 0) {
      logging::warning("journal", "the journal '", folder, "' has ", contents.damaged(),
                       " places that cannot be read, as a crash leaves them: what lay there is computed anew");
    }
  }
};

std::shared_ptr<Describing::State>& Describing::latest() {
  static auto* const kept = new std::shared_ptr<State>;
  return *kept;
}

Describing::Describing(const Settings& settings, bool far) {
  if (settings.journal.empty()) return;
  const std::string folder = std::filesystem::absolute(settings.journal).lexically_normal().string();
  state_ = std::atomic_load(&latest());
  if (state_ == nullptr) {
    state_ = std::make_shared<State>(folder, far);
    std::atomic_store(&latest(), state_);
    gives_keys.fetch_add(1, std::memory_order_release);
    state_->tell();
  } else if (state_->folder != folder) {
    throw ConfigError("--weft-journal: another client of this program has the journal '" + state_->folder +
                      "': give both the same folder, or open one after the other");
  }
  // Descriptions look whether somebody has something to say about them, as they do for annotations.
  detail::open_annotations.fetch_add(1, std::memory_order_relaxed);
}

Describing::~Describing() {
  if (state_ == nullptr) return;
  detail::open_annotations.fetch_sub(1, std::memory_order_relaxed);
  const std::shared_ptr<State> mine = std::move(state_);
  // This one and the latest; who describes a task now takes one for a moment.
  if (mine.use_count() > 2) return;
  gives_keys.fetch_sub(1, std::memory_order_release);
  std::atomic_store(&latest(), std::shared_ptr<State>());
}

JournalReport Describing::report() const {
  JournalReport report;
  if (state_ == nullptr) return report;
  const Contents& contents = state_->source->contents();
  report.folder = state_->folder;
  report.found = state_->source->found();
  report.found_bytes = state_->source->found_bytes();
  report.held = contents.held();
  report.foreign = contents.foreign();
  report.damaged = contents.damaged() + state_->source->lost();
  const std::vector<std::string>& old = contents.files();
  for (const std::string& path : segment_files(state_->folder)) {
    if (std::binary_search(old.begin(), old.end(), path)) continue;
    try {
      for (const SegmentContents::Record& record : read_segment(path, false).records) {
        if (record.place.form != Form::Encoded && record.place.form != Form::Block) continue;
        ++report.written;
        report.written_bytes += record.place.bytes;
      }
    } catch (const Error&) {
      ++report.damaged;
    }
  }
  return report;
}

std::string Describing::summary() const {
  if (state_ == nullptr) return "";
  const JournalReport report = this->report();
  std::string text =
      fmt::format("weft: journal {}: {} results taken ({}), {} written ({})", report.folder, report.found,
                  bytes_text(report.found_bytes), report.written, bytes_text(report.written_bytes));
  if (report.damaged != 0) text += fmt::format(", {} places cannot be read", report.damaged);
  return text + "\n";
}

std::shared_ptr<Source> Describing::source() {
  const std::shared_ptr<State> state = std::atomic_load(&latest());
  return state == nullptr ? nullptr : state->source;
}

TaskId find_result(TaskId fresh, std::uint64_t word, std::uint32_t client, const TaskOptions* given, bool pure) {
  if (this_task::running()) return find_child(fresh, word, client, given);
  if (!may_have_key(given)) return fresh;
  const TaskType& type = *site(arena::task(fresh).site).type;
  // What gives nothing is run for what it does.
  if (type.encode_closure == nullptr || type.result == &value_type<Nothing>) return fresh;
  const std::shared_ptr<Source> source = Describing::source();
  if (source == nullptr) return fresh;
  const Key call = call_key(fresh);
  if (call.none() || source->has_effect(fresh)) return fresh;
  const Key key = pure || pure_descriptions != 0 ? call : numbered(call);
  std::optional<Stored> stored = source->find(key);
  if (!stored) {
    set_key(fresh, key);
    return fresh;
  }
  source->count(*stored);
  return take_stored(fresh, word, client, std::move(*stored));
}

}  // namespace weft::journal

namespace weft::detail {

PureDescription::PureDescription() noexcept { ++journal::pure_descriptions; }
PureDescription::~PureDescription() { --journal::pure_descriptions; }

}  // namespace weft::detail
