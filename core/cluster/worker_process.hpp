#pragma once

#include "core/cluster/asks.hpp"
#include "core/cluster/deal_letter.hpp"
#include "core/cluster/looks.hpp"
#include "core/cluster/post.hpp"
#include "core/cluster/values.hpp"
#include "core/cluster/worker_records.hpp"
#include "core/graph/result_memory.hpp"
#include "core/runtime/runtime.hpp"
#include "core/worker/worker.hpp"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace weft::cluster {

/// A worker's side of a cluster: the worker machine, the executor, and the connections to the client and other workers.
///
/// For: run_worker. Owns: all of it. Threading: `main_loop` by one thread; slots call the listeners; everything but the
/// executor and the memory is guarded by mutex_.
///
/// How a packet goes:
///  1. `on_deal` keeps its bytes, notes what it takes from elsewhere, and tells the machine.
///  2. Fetch (`fetch`): stand-ins are made for outputs of other processes, and their owner is asked. `on_values` fills
///     them and starts what waits for them; when all are here the machine hears InputArrived.
///  3. Activate (`activate`): the bytes become records connected to each other, to stand-ins and to records of other
///     packets here. The executor runs them.
///  4. `packet_done`: what others need is kept, small ends go to the client with the news; SendFinished.
///  5. Others subscribe (`on_subscribe`), Serve answers (`serve`); Discard (`discard`) lets go of what was kept.
class WorkerProcess final : public Runtime,
                            public detail::FarClient,
                            private Post::Recipient,
                            private Executor::Listener,
                            private ResultMemory::Listener {
 public:
  WorkerProcess(Settings settings, std::unique_ptr<Transport> transport, WorkerIdentity identity);
  ~WorkerProcess() override;

  WorkerEnd main_loop(std::string_view scheduler_address);
  /// Lets tasks find this runtime by its serial number.
  void open_for_tasks() { open(); }

  // --- What tasks see that submit tasks ---
  const Settings& settings() const override { return settings_; }
  void launch(TaskId task, const TaskOptions* options) override;
  void launch(const std::vector<TaskId>& tasks, const TaskOptions* options) override;
  void run(detail::GraphParts& graph) override;
  void wait(TaskId task) override;
  void cancel(TaskId task) override;
  bool close() override { return true; }
  bool closing() const override { return ending_.load(std::memory_order_relaxed); }
  void wake_waiters() noexcept override { executor_.wake_waiters(); }
  Counts counts() override;
  std::uint32_t slots() const override { return executor_.slot_count(); }
  LedgerReport ledger() override { return ledger_.report(); }
  void reset_ledger() override { ledger_.restart(); }
  MemoryReport memory_report() const override { return memory_->store().report(); }
  std::vector<WorkerLook> look(const LookOrder& order) override;
  detail::FarClient* far_client() noexcept override { return this; }

  // --- What tasks see of the client's process (worker_asks.cpp) ---
  std::optional<std::string> ask(const std::string& question, std::int64_t longest_ms,
                                 const std::string& what) override;
  std::optional<std::string> ask_with(const std::vector<Handle>& tasks, const std::string& question,
                                      std::int64_t longest_ms, const std::string& what) override;
  void say(const std::string& question) noexcept override;
  TaskId ask_for_task(const std::string& question, std::uint32_t site) override;
  void help_there(TaskId task, bool (*done)(const void*), const void* argument) override { help(task, done, argument); }
  void publish(const std::string& name, std::string_view type, const Handle& future) override;
  bool only_waits(PacketId run) noexcept override;

 private:
  void help(TaskId task, DoneFunction done, const void* argument) override;

  // Post::Recipient
  void connected(PeerId peer, std::string_view hello) override;
  void letter(PeerId peer, LetterKind kind, Reader& reader) override;
  BlockTarget block(PeerId peer, Reader& header, std::size_t bytes) override;
  void block_ended(PeerId peer, std::uint64_t token, bool ok) override;
  void lost(PeerId peer, std::string_view why) override;

  // Executor::Listener
  void packet_done(PacketId run) noexcept override;
  void packet_ready(PacketId) noexcept override {}
  void polled() noexcept override;
  void starved() noexcept override;
  void seek_work() noexcept override;
  void task_failed(PacketId run, TaskId task) noexcept override;
  void packet_held(PacketId run) noexcept override;
  // ResultMemory::Listener
  void memory_moved() noexcept override { executor_.request_poll(); }
  void room_changed() noexcept override;

  // Letters (worker_letters.cpp)
  void welcome(const Welcome& welcome);
  void define_sites(Reader& reader);
  void on_deal(Reader& reader);
  using Runs = std::unordered_map<std::uint64_t, std::unique_ptr<Run>>;
  Runs::node_type fresh_run(PacketId packet, Attempt attempt);
  void on_event(Reader& reader);
  void on_cancel(const CancelTask& cancel);
  void on_subscribe(PeerId peer, const Subscribe& subscribe);
  void on_answer(Reader& reader);
  void answer_came(const Asks::Question& question, std::shared_ptr<TaskFailure> failure);
  // Looks, plugins, ends (worker_orders.cpp)
  void on_look(Reader& reader);
  std::vector<DealtName> unknown_of(std::vector<DealtName> dealt);
  void on_books(Reader& reader);
  bool holds_back(LetterKind kind, Reader& reader);
  void set_up_plugins();
  void end_process();
  void say_leaving();
  void deputise();
  void sleep(Nanoseconds most);
  void give_up_questions();
  void on_values(Reader& reader);
  void on_outline(Reader& reader);
  void on_not_mine(PeerId peer, const NotMine& answer);

  bool drive(bool helps);
  bool tell_idle();
  void tell(WorkerEventBody body);
  void pump();
  void carry(const WorkerAction& action);
  void send_finished();
  void report(SchedulerEventBody body);

  // Packets (worker_packets.cpp)
  Run* find_run(PacketId packet, Attempt attempt);
  Run* current_run(PacketId packet);
  void drop_run(Run& run);
  void activate(PacketId packet, Attempt attempt);
  TaskId record_of(const Run& run, const ExternalInput& external);
  void start(Run& run, Reader& reader, const std::vector<TaskId>& inputs);
  void cancel_run(Run& run);
  void keep_run(Run& run);
  void write_outcome(Run& run, std::uint64_t kept_bytes);
  void discard(PacketId packet, Attempt attempt);

  // Calls past the machines (worker_calls.cpp)
  void on_call(Reader& reader);
  void end_call(Run& run, Nanoseconds run_ns);
  void cancel_calls();
  void drop_calls();

  // Outputs of others, and for others (worker_outputs.cpp)
  void fetch(const Fetch& fetch);
  Copy::Entry* find_entry(Copy& copy, std::uint32_t index);
  void add_entries(Copy& copy, const Run& run, std::vector<std::uint32_t>& asked);
  void ask(Copy& copy, std::vector<std::uint32_t> indices);
  void complain(const Copy& copy);
  void entry_here(Copy& copy, Copy::Entry& entry, TaskEnd end);
  void one_less(Copy& copy);
  void fetch_whole(Copy& copy);
  void replicated(PacketId packet, Attempt attempt);
  bool add_all_outputs(PacketId packet, Attempt attempt, std::vector<std::uint32_t>& indices);
  void drop_copy(PacketId packet);
  void serve(WorkerId peer, PacketId packet, Attempt attempt);
  void answer_not_mine(WorkerId peer, PacketId packet, Attempt attempt);
  TaskId find_output(PacketId packet, Attempt attempt, std::uint32_t index);
  bool send_as_block(PeerId peer, PacketId packet, std::uint32_t index, TaskId task);
  PeerId peer_of(WorkerId worker);
  WorkerId worker_of(PeerId peer) const;

  const Settings settings_;
  const WorkerIdentity identity_;
  const std::uint64_t budget_bytes_;
  const std::shared_ptr<ResultMemory> memory_;
  Ledger ledger_;
  Executor executor_;

  std::mutex mutex_;
  // Guarded by mutex_.
  Post post_;
  Asks asks_{post_};
  std::vector<TaskId> called_back_;  // stand-ins that ended, each with a use: callbacks run once the lock is free
  std::optional<Worker> machine_;
  bool driving_ = false;  // who reads letters now runs tasks right after: the main thread what is short
  WorkerActions actions_;
  WorkerActions spare_actions_;  // empty; their memory is used again
  std::vector<FinishedPacket> finished_;
  std::vector<WorkerEventBody> later_;  // events that actions led to
  PeerId scheduler_ = 0;
  WorkerId id_ = kNone;
  std::uint64_t cluster_ = 0;
  SiteTable sites_;
  arena::Cursor cursor_;
  Runs runs_;                                      // by packet and attempt
  std::vector<Runs::node_type> spare_runs_;        // forgotten ones, whose memory is used again
  std::vector<std::unique_ptr<Run>> calls_;        // handed ones that run
  std::vector<std::unique_ptr<Run>> spare_calls_;  // ended ones, whose memory is used again
  PacketsDealt dealt_;                             // what the machine is told of; empty but for its memory
  std::unordered_map<PacketId, Run*> current_;
  std::vector<Run*> by_id_;
  std::vector<PacketId> free_ids_;
  std::unordered_map<PacketId, std::vector<std::uint64_t>> readers_;  // by producer: runs that wait
  std::unordered_map<PacketId, Copy> copies_;
  PacketId replica_asked_ = kNone;  // while its machine is told
  struct Subscription {
    PeerId peer = 0;
    std::vector<std::uint32_t> indices;
    bool all = false;
  };
  std::unordered_map<std::uint64_t, Subscription> subscriptions_;  // by worker and packet
  struct Landing {
    PacketId packet = kNone;
    std::uint32_t index = 0;
    Box* box = nullptr;
  };
  std::unordered_map<std::uint64_t, Landing> landings_;
  std::uint64_t next_landing_ = 1, fetched_bytes_ = 0;
  std::map<std::uint32_t, MovedRow> moved_;  // by site: what came from other workers since the books were begun
  std::unordered_map<WorkerId, std::string> addresses_;
  std::unordered_map<WorkerId, PeerId> peers_;
  std::unordered_map<PeerId, WorkerId> workers_;
  Nanoseconds last_done_ = 0;
  std::uint32_t active_ = 0;
  std::atomic<std::uint64_t> tasks_done_{0};
  std::atomic<std::uint64_t> tasks_failed_{0};

  // Who reads letters while the main thread waits inside of a task.
  std::thread::id main_thread_;
  std::atomic<Nanoseconds> helping_since_{0};  // the main thread runs tasks; 0: it does not
  std::mutex away_mutex_;
  std::condition_variable away_changed_;
  unsigned main_away_ = 0;             // guarded by away_mutex_
  bool deputy_ends_ = false;           // guarded by away_mutex_
  std::thread deputy_;                 // guarded by away_mutex_ until it ends
  std::atomic<bool> sleeping_{false};  // somebody sleeps in the transport

  bool leaving_ = false;  // has said so

  // Guarded by mutex_: plugins to be set up, and letters that wait for that.
  std::deque<std::string> plugins_;
  std::atomic<bool> plugins_wait_{false};
  std::deque<std::pair<LetterKind, std::string>> held_back_;

  std::atomic<bool> ending_{false};
  WorkerEnd end_ = WorkerEnd::Told;
};

}  // namespace weft::cluster
