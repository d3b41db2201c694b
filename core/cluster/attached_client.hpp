#pragma once

#include "core/cluster/asks.hpp"
#include "core/cluster/cluster.hpp"
#include "core/cluster/guests.hpp"
#include "core/cluster/polite_spin.hpp"
#include "core/cluster/post.hpp"
#include "core/cluster/waiters.hpp"
#include "core/coordination/far_client.hpp"
#include "core/diagnostics/ledger.hpp"
#include "core/diagnostics/wait_display.hpp"
#include "core/graph/result_memory.hpp"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace weft::cluster {

/// The runtime behind a client whose tasks are run by the cluster of another process: a guest of the client there.
///
/// For: attach_client. Owns: the connection, and the records of its tasks until they are released. Threading: any
/// thread; everything is guarded by mutex_ but where it says otherwise. Whoever waits drives; so does a thread of its
/// own while nobody waits.
///
/// How a task goes:
///  1. `launch` writes it, with a number, straight from its record, whose closure is then done with.
///  2. The answer says that it has ended: with a failure, with a small value, or that its value lies elsewhere.
///  3. `wait` asks for a value that lies elsewhere. 4. When its last use is gone (`released`), the other process is
///  told.
/// A Graph goes the same way, task by task (attached_graph.cpp); its records stay the graph's.
class AttachedClient final : public Runtime, public detail::FarClient, private Post::Recipient {
 public:
  AttachedClient(Settings settings, std::unique_ptr<Transport> transport, std::string_view scheduler_address);
  ~AttachedClient() override;

  const Settings& settings() const override { return settings_; }
  void launch(TaskId task, const TaskOptions* options) override;
  void launch(const std::vector<TaskId>& tasks, const TaskOptions* options) override;
  void run(detail::GraphParts& graph) override;
  void wait(TaskId task) override;
  void wait_there(TaskId task) override;
  void cancel(TaskId task) override;
  bool close() override;
  bool closing() const override { return closing_.load(std::memory_order_acquire); }
  void wake_waiters() noexcept override;
  Counts counts() override;
  /// As when somebody last asked who is there.
  std::uint32_t slots() const override { return std::max(1u, slots_.load(std::memory_order_relaxed)); }
  LedgerReport ledger() override;
  void reset_ledger() override;
  MemoryReport memory_report() const override { return memory_->store().report(); }
  std::vector<WorkerInfo> worker_infos() override;
  bool alone() const override { return false; }
  std::vector<std::string> who_has(TaskId task) override;
  void retire(std::string_view name) override;
  void restart_workers(const std::vector<std::string>& names, Seconds longest) override;
  void replicate(const std::vector<TaskId>& tasks, std::size_t copies) override;
  void rebalance(const std::vector<TaskId>& tasks) override;
  detail::FarClient* far_client() noexcept override { return this; }

  std::optional<std::string> ask(const std::string& question, std::int64_t longest_ms,
                                 const std::string& what) override;
  std::optional<std::string> ask_with(const std::vector<Handle>& tasks, const std::string& question,
                                      std::int64_t longest_ms, const std::string& what) override;
  void say(const std::string& question) noexcept override;
  TaskId ask_for_task(const std::string& question, std::uint32_t site) override;
  void help_there(TaskId task, bool (*done)(const void*), const void* argument) override { help(task, done, argument); }
  void publish(const std::string& name, std::string_view type, const Handle& future) override;

 private:
  void help(TaskId task, DoneFunction done, const void* argument) override;
  void connected(PeerId, std::string_view) override {}
  void letter(PeerId peer, LetterKind kind, Reader& reader) override;
  BlockTarget block(PeerId, Reader&, std::size_t) override { return {}; }
  void block_ended(PeerId, std::uint64_t, bool) override {}
  void lost(PeerId peer, std::string_view why) override;

  static void on_released(TaskId task) noexcept;
  void attach(std::string_view scheduler_address);
  bool drive();
  void sleep(Nanoseconds most);
  void progress_main();
  void submit(TaskId task, const TaskOptions* options);
  std::string written(TaskId task, const TaskOptions& options);
  void submit_graph(detail::GraphParts& graph);
  void refuse_rest(const detail::GraphParts& graph, const std::string& why);
  void end_of_graphs_task(TaskId task, std::shared_ptr<const TaskFailure> failure, bool elsewhere);
  bool fetch(TaskId task);
  void fetch_results(const detail::GraphParts& graph);
  void finish_graph(detail::GraphParts& graph);
  std::string numbers_of(const std::vector<TaskId>& tasks, GuestForm form, std::size_t copies);
  std::shared_ptr<Asks::Question> write_guest(const std::string& body, TaskId stand_in, bool answered);
  std::string ask_guest(const std::string& body, const std::string& what);
  std::optional<std::string> answer_within(const std::shared_ptr<Asks::Question>& asked, std::int64_t longest_ms,
                                           const std::string& what);
  void manage(TaskId task);
  std::uint64_t number_of(TaskId task) const;
  void on_answer(Reader& reader);
  void make_calls();
  void task_ended(TaskId task, std::shared_ptr<const TaskFailure> failure, bool elsewhere);
  void note_released();
  void lose(const std::string& why);

  const Settings settings_;
  const std::shared_ptr<ResultMemory> memory_;  // shared with results
  std::atomic<std::uint32_t> slots_{0};
  std::atomic<bool> open_{false};
  std::atomic<bool> closing_{false};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> sleeping_{false};
  Waiters waiters_;
  WaitDisplay display_;
  std::atomic<std::uint64_t> tasks_total_{0};
  std::atomic<std::uint64_t> tasks_done_{0};
  std::atomic<std::uint64_t> tasks_failed_{0};

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Ledger ledger_{0};
  Post post_;
  Asks asks_{post_};
  PeerId host_ = 0;
  bool welcome_ = false;
  std::string end_;  // why there is no connection any more, or ""
  std::uint64_t next_number_ = 1;
  std::unordered_map<TaskId, std::uint64_t> numbers_;
  std::unordered_map<TaskId, bool> running_;  // have not ended
  std::unordered_map<TaskId, bool> fetching_;
  // Of graphs that run: the count of those that have not ended; null once this one has.
  std::unordered_map<TaskId, std::atomic<std::uint32_t>*> of_graph_;
  std::vector<TaskId> called_back_;  // ended, each with a use: what waits for them is called without the lock

  std::vector<std::pair<std::uint64_t, std::string>> calls_;  // of actors, that tasks make: with the host's numbers
  std::atomic<bool> called_{false};

  std::mutex released_mutex_;
  std::vector<TaskId> released_;  // guarded by released_mutex_

  std::thread progress_;
};

}  // namespace weft::cluster
