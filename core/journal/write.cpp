// Where tasks run: results that are worth it go to files of this process.

#include "core/cluster/values.hpp"
#include "core/executor/aside.hpp"
#include "core/executor/slot.hpp"
#include "core/graph/boxes.hpp"
#include "core/journal/journal.hpp"
#include "core/journal/segment.hpp"
#include "core/journal/source.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <mutex>
#include <unordered_set>

namespace weft::journal {
namespace {

/// A result is written that takes so many times as long to compute: so writing costs a tenth at most.
constexpr double kWorth = 10;
/// What a record costs beside its bytes.
constexpr double kCallSeconds = 50e-6;

}  // namespace

std::atomic<bool> writes_results{false};

/// Owns: the writer, and the functions that this process knows to have effects.
struct Writing::State {
  State(const std::string& its_folder, bool writes_all) : folder(its_folder), all(writes_all), writer(its_folder) {}

  const std::string folder;
  const bool all;
  SegmentWriter writer;
  std::mutex mutex;
  // Guarded by mutex.
  std::unordered_set<Key, KeyHash> effects;
  std::unordered_set<Key, KeyHash> calls;  // pairs of functions

  bool is_worth(double seconds, std::uint64_t bytes) const {
    return all || seconds >= kWorth * (kCallSeconds + static_cast<double>(bytes) / writer.rate());
  }
  /// The job goes on without a journal.
  void give_up(const Error& error) {
    if (!writes_results.exchange(false)) return;
    logging::error("journal", error.what(),
                   "; results of this process are not kept any more, and are computed anew when the program is run "
                   "again; make room, or name another folder");
  }
};

namespace {
std::mutex& states_mutex() {
  static std::mutex* const kept = new std::mutex;
  return *kept;
}
}  // namespace

std::atomic<Writing::State*>& Writing::latest() {
  static std::atomic<State*> kept{nullptr};
  return kept;
}

Writing::Writing(const Settings& settings) {
  if (settings.journal.empty()) return;
  const std::string folder = std::filesystem::absolute(settings.journal).lexically_normal().string();
  const std::lock_guard lock(states_mutex());
  static auto* const shared = new std::weak_ptr<State>;
  state_ = shared->lock();
  if (state_ != nullptr && state_->folder == folder) return;
  state_ = std::make_shared<State>(folder, settings.journal_writes == "all");
  *shared = state_;
  latest().store(state_.get(), std::memory_order_release);
  // The folder is made by whoever describes the tasks, perhaps later.
  writes_results.store(::access(folder.c_str(), W_OK) == 0 || errno == ENOENT, std::memory_order_release);
}

Writing::~Writing() {
  if (state_ == nullptr) return;
  const std::lock_guard lock(states_mutex());
  if (state_.use_count() > 1) return;
  writes_results.store(false, std::memory_order_release);
  latest().store(nullptr, std::memory_order_release);
}

void task_ended(TaskId task, const TaskRecord& record, const TaskType& type, double seconds) noexcept {
  forget_children(task);
  const Key key = key_of(task);
  if (key.none() || cost_of(task) < 0) return;
  double cost = seconds;
  for (std::uint32_t k = 0; k < record.input_count; ++k) {
    cost += std::max(0.0f, cost_of(arena::edge(record.first_input + k).producer));
  }
  set_cost(task, static_cast<float>(cost));
  Writing::State* const state = Writing::latest().load(std::memory_order_acquire);
  if (state == nullptr || type.result->encode == nullptr) return;
  try {
    const ValueType& value = *type.result;
    const cluster::PinnedResult pinned(task);
    const void* block = value.payload == nullptr || value.in_record ? nullptr : value.payload->data(pinned.value());
    const std::uint64_t bytes = block != nullptr ? value.payload->size(pinned.value()) : value.size_of(pinned.value());
    if (!state->is_worth(cost, bytes)) return;
    if (block != nullptr) {
      state->writer.add(key, Form::Block, {static_cast<const std::byte*>(block), bytes});
    } else {
      Writer encoded;
      value.encode(pinned.value(), encoded);
      state->writer.add(key, Form::Encoded, {encoded.data(), encoded.size()});
    }
    set_cost(task, 0);
  } catch (const Error& error) {
    state->give_up(error);
  } catch (const std::exception&) {
    // A value that cannot be written down is made anew.
  }
}

void note_effect(TaskId task) noexcept {
  if (key_of(task).none() || cost_of(task) < 0) return;
  set_cost(task, kNotWritten);
  Writing::State* const state = Writing::latest().load(std::memory_order_acquire);
  if (state == nullptr) return;
  try {
    const Key function = function_key(task);
    {
      const std::lock_guard lock(state->mutex);
      if (!state->effects.insert(function).second) return;
    }
    // Before anybody can read what the task gives: results made of it are not to be trusted by the next run.
    state->writer.add(function, Form::Effect, {});
    state->writer.sync();
  } catch (const Error& error) {
    state->give_up(error);
  } catch (const std::exception&) {
  }
}

void note_call(const Key& parent_function, const Key& child_function) noexcept {
  Writing::State* const state = Writing::latest().load(std::memory_order_acquire);
  if (state == nullptr || parent_function == child_function) return;
  try {
    {
      const std::lock_guard lock(state->mutex);
      if (!state->calls.insert(KeyMaker().add(parent_function).add(child_function).key()).second) return;
    }
    // As for an effect: what is made of the parent's result is trusted only if this is known.
    state->writer.add(parent_function, Form::Calls,
                      {reinterpret_cast<const std::byte*>(&child_function), sizeof child_function});
    state->writer.sync();
  } catch (const Error& error) {
    state->give_up(error);
  } catch (const std::exception&) {
  }
}

void drop_result(const Key& key) noexcept {
  Writing::State* const state = Writing::latest().load(std::memory_order_acquire);
  if (state == nullptr) return;
  try {
    state->writer.add(key, Form::Dropped, {});
  } catch (const Error& error) {
    state->give_up(error);
  } catch (const std::exception&) {
  }
}

}  // namespace weft::journal

namespace weft {

void this_task::has_effect() noexcept {
  if (!journal::writes_results.load(std::memory_order_relaxed)) return;
  const Slot* const slot = current_slot();
  if (slot != nullptr && slot->running() != kNone) journal::note_effect(slot->running());
}

}  // namespace weft
