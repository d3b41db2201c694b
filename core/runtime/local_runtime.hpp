#pragma once

#include "core/diagnostics/ledger.hpp"
#include "core/diagnostics/wait_display.hpp"
#include "core/executor/executor.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/result_memory.hpp"
#include "core/runtime/ages.hpp"
#include "core/runtime/runtime.hpp"
#include "core/scheduler/scheduler.hpp"
#include "core/worker/worker.hpp"

#include <weft/config.hpp>
#include <weft/memory.hpp>
#include <weft/task_options.hpp>

#include <map>
#include <memory>
#include <mutex>
#include <queue>
#include <span>
#include <string>
#include <vector>

namespace weft {

class Recorder;

/// Carries the actions of one scheduler machine and one worker machine out inside this process: `sync` and `threads`.
/// For: the same machines and executor as in a cluster, with function calls where a cluster has messages.
/// Owns: the machines, the executor.  Threading: any thread; the machines are guarded by machines_mutex_.
///
/// How a launch goes:
///  1. `launch_*` numbers packets, prepares their entries, and hands PacketsSubmitted to the scheduler machine.
///  2. `pump` carries actions to and fro until nothing is left: Deal to the worker machine, Activate to the executor.
///     Plain single calls are counted into one open packet, which the machines hear of once (local_calls.cpp).
///  3. The executor calls `packet_done`; PacketDone goes to the worker machine, its SendFinished to the scheduler
///     machine, Forget frees the packet's number.
class LocalRuntime final : public Runtime, public Executor::Listener, public ResultMemory::Listener {
 public:
  LocalRuntime(Settings settings, std::map<std::string, std::uint32_t> resources);
  ~LocalRuntime() override;

  const Settings& settings() const override { return settings_; }

  void launch(TaskId task, const TaskOptions* options) override;
  void launch(const std::vector<TaskId>& tasks, const TaskOptions* options) override;
  void run(detail::GraphParts& graph) override;
  void wait(TaskId task) override;
  void cancel(TaskId task) override;
  bool close() override;
  bool closing() const override { return closing_.load(std::memory_order_acquire); }
  void wake_waiters() noexcept override { executor_.wake_waiters(); }

  void packet_done(PacketId packet) noexcept override;
  void packet_ready(PacketId packet) noexcept override;
  void task_failed(PacketId packet, TaskId task) noexcept override;
  void packet_held(PacketId packet) noexcept override;
  void polled() noexcept override;
  void starved() noexcept override;
  bool about_to_sleep() noexcept override { return end_calls(true); }
  void memory_moved() noexcept override;
  void room_changed() noexcept override;

  /// Books time a caller spent building or submitting, outside any slot.
  void book_client(Phase phase, Ticks ticks);
  LedgerReport ledger() override;
  void reset_ledger() override;
  Counts counts() override;
  std::uint32_t slots() const override { return executor_.slot_count(); }
  MemoryReport memory_report() const override;
  std::vector<WorkerInfo> worker_infos() override;
  std::vector<WorkerLook> look(const LookOrder& order) override;
  void set_time_left(double seconds) override { executor_.set_time_left(seconds); }
  std::string out_of_time() override;
  bool runs_this_thread() const override { return executor_.inside(); }

 private:
  void help(TaskId task, DoneFunction done, const void* argument) override;
  PacketId take_packet_id();
  void submit_packet(PacketId packet, std::uint32_t first_task, std::uint32_t tasks, bool roots,
                     const TaskOptions* options, const Turn& turn = {});
  std::uint32_t needs_index(const TaskOptions& options);
  /// Launches a task without options by counting it into the open packet.
  void launch_call(TaskId task);
  PacketId open_calls(TaskId first);
  /// Closes the open packet, or only if none of its tasks is left. Returns whether it did.
  bool end_calls(bool only_idle) noexcept;
  struct GraphCut;
  /// Makes packets of a graph's tasks, without telling the machines.
  std::vector<GraphCut> cut(detail::GraphParts& graph);
  void cut_one(detail::GraphParts& graph, std::span<const TaskRange> pieces, std::size_t& next_root,
               std::vector<GraphCut>& cuts);
  void add_worker_needs(const TaskOptions& options, Needs& needs);
  void flush_submission();
  void pump();
  void carry(const SchedulerAction& action);
  void carry(const WorkerAction& action);
  void tell_scheduler(SchedulerEventBody body);
  void tell_worker(WorkerEventBody body);
  void let_go(PacketId packet);
  void wait_for(const detail::GraphParts& graph);
  template <class Done>
  void wait_showing(TaskId task, const Done& done);
  ProgressSnapshot progress_snapshot();
  void refuse(PacketId packet, Reason reason, std::uint32_t detail);
  Nanoseconds now() const;

  const Settings settings_;
  const std::uint64_t budget_bytes_;
  const std::shared_ptr<ResultMemory> memory_;
  const std::map<std::string, std::uint32_t> resources_;
  std::map<std::string, std::uint32_t> resource_ids_;
  // Guarded by calls_mutex_, which is taken before machines_mutex_. Slots look at it before they sleep, so it is there
  // before them.
  std::mutex calls_mutex_;
  /// The packet that plain single calls are counted into, or kNone. While it is open its entry counts one more.
  PacketId calls_packet_ = kNone;
  std::uint32_t calls_tasks_ = 0;

  Ledger ledger_;
  Executor executor_;

  // Guarded by machines_mutex_.
  std::mutex machines_mutex_;
  Scheduler scheduler_;
  Worker worker_;
  SchedulerActions scheduler_actions_;
  std::unique_ptr<Recorder> recorder_;  // null unless the run is recorded
  WorkerActions worker_actions_;
  PacketsSubmitted submission_;
  /// Whoever submits will run tasks while it waits.
  bool submitter_helps_ = false;
  std::vector<FinishedPacket> finished_;
  std::vector<PacketId> released_;
  std::priority_queue<PacketId, std::vector<PacketId>, std::greater<>> free_packets_;
  PacketId next_age_ = 0;
  Ages ages_;
  /// Names of workers that were asked for and are not here; their numbers follow kNotHere.
  std::vector<std::string> absent_workers_;
  PacketId next_packet_ = 0;
  struct PacketInfo {
    detail::GraphParts* graph = nullptr;
    TaskId first_task = kNone;
    std::uint32_t tasks = 0;
    /// Who still uses the number: the scheduler machine until Forget, the executor until the last task.
    std::uint8_t holders = 0;
    bool refused = false;
    Attempt attempt = 0;
  };
  std::vector<PacketInfo> packets_;
  struct Deciding;
  /// What the machines have taken so far.
  Ticks machine_ticks_ = 0;

  std::atomic<std::uint64_t> tasks_total_{0};
  std::atomic<std::uint64_t> tasks_done_{0};
  std::atomic<std::uint64_t> tasks_failed_{0};
  std::atomic<bool> closing_{false};
  /// Guards the start and the end of the display; held by the wait that shows it.
  WaitDisplay display_;
  std::mutex client_book_mutex_;
  SlotBook& client_book_;
};

}  // namespace weft
