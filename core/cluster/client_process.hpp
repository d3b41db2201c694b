#pragma once

#include "core/cluster/client_state.hpp"
#include "core/cluster/cluster.hpp"
#include "core/cluster/deal_letter.hpp"
#include "core/cluster/looks.hpp"
#include "core/cluster/packet_writer.hpp"
#include "core/cluster/polite_spin.hpp"
#include "core/cluster/post.hpp"
#include "core/cluster/values.hpp"
#include "core/cluster/waiters.hpp"
#include "core/diagnostics/ledger.hpp"
#include "core/diagnostics/wait_display.hpp"
#include "core/graph/graph_parts.hpp"
#include "core/graph/launch_options.hpp"
#include "core/graph/result_memory.hpp"
#include "core/messages/recording.hpp"
#include "core/scheduler/scheduler.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>

namespace weft::cluster {

/// The scheduler machine and all that is around it in the client's process.
///
/// For: being a ClusterRuntime. Owns: see there. Threading: any thread; but for the list of tasks to come everything is
/// guarded by mutex_. Whoever waits drives (`drive`): reads letters, asks the machine, sends; the progress thread does
/// it while nobody waits. Callbacks run after the lock is let go.
///
/// How a task goes:
///  1. `launch` puts it into `pending_`. `form_packets` makes packets of what is pending as workers have room: one task
///     where nothing is known of its time, many where they are short.
///  2. The machine deals (`carry` Deal): the packet is written straight from the records.
///  3. `on_finished` hands the news to the machine; what it reports ended is ended in the records (`end_packet`).
///  4. A packet none of whose values lies elsewhere is released, others when the last use of a value is gone
///     (`note_released`): in a turn without other news, so that nobody waits for it (`release_outputs`). Forget
///     (`forget_packet`) lets go of closures and records.
class ClientProcess final : public ClusterRuntime, private Post::Recipient {
 public:
  ClientProcess(Settings settings, std::unique_ptr<Transport> transport);
  ~ClientProcess() override;

  std::string address() const override { return address_; }
  std::uint32_t wait_for_workers(std::uint32_t count, Nanoseconds longest) override;
  void open_for_client(Settings settings) override;
  void worker_died(std::string_view key, std::string_view cause) override;
  std::string in_own_numbers(std::string_view text) override;
  void no_more_workers(std::string_view why) override;
  std::vector<WorkerStanding> workers() override;
  ClusterDemand demand() override;
  void dump(const std::function<void(std::string_view)>& write) override;
  void end(Nanoseconds longest) override;
  void retire(std::string_view name) override;
  void restart_workers(const std::vector<std::string>& names, Seconds longest) override;
  void add_plugin(const std::string& key, const std::string& description) override;
  void remove_plugin(const std::string& key) noexcept override;
  void forget_plugins();

  const Settings& settings() const override { return settings_; }
  void launch(TaskId task, const TaskOptions* options) override;
  void launch(const std::vector<TaskId>& tasks, const TaskOptions* options) override;
  void run(detail::GraphParts& graph) override;
  void wait(TaskId task) override;
  void cancel(TaskId task) override;
  bool close() override;
  bool closing() const override { return closing_.load(std::memory_order_acquire); }
  void wake_waiters() noexcept override;
  Counts counts() override;
  std::uint32_t slots() const override { return slots_.load(std::memory_order_relaxed); }
  LedgerReport ledger() override;
  void reset_ledger() override;
  MemoryReport memory_report() const override;
  std::vector<WorkerInfo> worker_infos() override;
  std::vector<WorkerLook> look(const LookOrder& order) override;
  bool alone() const override { return false; }
  std::vector<std::string> who_has(TaskId task) override;
  void set_time_left(double seconds) override;
  std::string out_of_time() override;
  void wait_there(TaskId task) override;
  void replicate(const std::vector<TaskId>& tasks, std::size_t copies) override;
  void rebalance(const std::vector<TaskId>& tasks) override;

 private:
  void help(TaskId task, DoneFunction done, const void* argument) override;

  // Post::Recipient
  void connected(PeerId peer, std::string_view hello) override;
  void letter(PeerId peer, LetterKind kind, Reader& reader) override;
  BlockTarget block(PeerId peer, Reader& header, std::size_t bytes) override;
  void block_ended(PeerId peer, std::uint64_t token, bool ok) override;
  void lost(PeerId peer, std::string_view why) override;

  // Progress (client_process.cpp)
  bool drive();
  bool drive_locked(std::unique_lock<std::mutex>& lock);
  void progress_main();
  void sleep(Nanoseconds most);
  void check_travels(TaskId task) const;

  // Packets (client_packets.cpp)
  Pending pending(TaskId task, const LaunchOptions& options);
  void form_packets();
  void try_deferred();
  void end_without_workers();
  std::uint32_t tasks_for_next(std::size_t pending) const;
  bool waits_for_graph(TaskId task) const;
  bool must_wait(TaskId task);
  ClientPacket& add_packet(PacketId& id);
  bool is_linked(const TaskRecord& producer);
  void describe(PacketId id, ClientPacket& packet, PacketSpec& spec);
  void submit_pending(std::size_t count);
  void add_options(PacketId id, PacketSpec& spec, const Pending& options);
  void flush_submission();
  std::uint32_t needs_index(const TaskOptions& options);
  void end_packet(PacketId id, ClientPacket& packet, Reader* outcome);
  void read_outcome(PacketId id, ClientPacket& packet, Reader& outcome);
  void end_task(TaskId task);
  static TaskId failed_input_of(TaskId task);
  static void keep_inputs(TaskId task);
  void fail_task(TaskId task, const std::shared_ptr<const TaskFailure>& failure, bool began_here);
  void fail_packet(PacketId id, ClientPacket& packet, const Report& report);
  void forget_packet(PacketId id);
  void note_released();
  static void on_released(TaskId task) noexcept;

  // Calls past the machine (client_calls.cpp)
  bool hand_out(TaskId task);
  WorkerId worker_for_call() const;
  bool holds_call(WorkerId worker) const { return call_.task != kNone && call_.worker == worker; }
  void on_called(WorkerId worker, Reader& reader);
  void take_back_call();
  void free_call();
  void share_with_call();

  // Killers of workers (client_killers.cpp)
  void note_death(WorkerId worker);
  bool may_run_a_killer(WorkerId worker) const;
  void lose_silent(Nanoseconds time);
  void narrow(PacketId id);
  void describe_part(ClientPacket& part, PacketId first_part, const std::vector<ProducerEdge>& of_whole,
                     PacketSplit& split);
  void end_killed(PacketId id, ClientPacket& packet);
  std::string deaths_text(const ClientPacket& packet) const;

  // What stands where (client_dump.cpp)
  std::string place_name(WorkerId worker) const;
  std::string packet_line(PacketId id, const ClientPacket& packet) const;
  std::string why_idle();

  // The end of the program's time (client_time.cpp)
  void tell_time_left(const ClientWorker& worker);
  bool outlasts(TaskId task) const;
  bool reads_stalled(TaskId task);
  void on_held(WorkerId worker, const HeldPacket& held);
  bool find_held();

  // Values that lie elsewhere (client_values.cpp)
  void ask_for(PacketId id, ClientPacket& packet, std::uint32_t index);
  void subscribe(PacketId id, ClientPacket& packet, const std::vector<std::uint32_t>& indices);
  void value_here(PacketId id, ClientPacket& packet, std::uint32_t index, TaskEnd end);
  void on_values(Reader& reader);
  void on_subscribe(PeerId peer, const Subscribe& subscribe);
  void ask_again();

  // Questions of other processes (client_asks.cpp)
  void on_ask(PeerId peer, Reader& reader);
  void take_up(Asked asked);
  void on_withdraw(PeerId peer, Reader& reader);
  void unpack_tasks(Asked& asked);
  void task_told(PeerId peer, Reader& reader);
  void end_expected(const Handle& task, std::shared_ptr<const TaskFailure> failure);
  void lose_expected(const std::vector<Handle>& tasks, const std::string& why);
  bool try_answer(const Asked& asked);
  bool pass_to_guest(const Asked& asked, std::uint32_t family);
  void make_calls(std::vector<Asked> calls);
  void answer(PeerId peer, std::uint64_t id, AnswerKind kind, std::string_view text);
  void publish_from(Reader& reader);
  void owe(const Asked& asked, const Handle& task);

  // Clients of other processes (client_guests.cpp)
  void welcome_guest(PeerId peer, const Hello& hello);
  void on_guest(PeerId peer, Reader& reader);
  void serve_guests();
  void serve_guest(const Asked& letter);
  void note_refused(const Asked& letter, const std::string& why);
  void reply(const Asked& letter, std::string_view text);
  std::string workers_text();
  Handle task_of_guest(const Guest& guest, Reader& reader) const;
  Handle task_of_question(Reader& reader);
  void guest_submits(Guest& guest, const Asked& letter, Reader& reader);
  void guest_asks(const Guest& guest, const Asked& letter, Reader& reader);
  void watch(const Asked& letter, const Handle& task);
  void guest_called(const Guest& guest, PeerId peer, Reader& reader);
  void drop_guest(PeerId peer);
  void retry_parked();
  void serve_owed();
  void forget_asker(PeerId peer);
  void close_questions();
  void note_blocked();
  std::uint32_t room() const { return kAhead * slots_.load(std::memory_order_relaxed) + questions_.blocked; }

  // Graphs (client_graphs.cpp)
  void put_in_order(GraphRun& run);
  void find_rows(GraphRun& run);
  void cut_graphs(bool all);
  void cut(GraphRun& run, bool all);
  std::uint32_t end_of_packet(GraphRun& run, bool all);
  SiteTime site_time(TaskId task) const;
  void run_to_its_end(GraphRun& run);
  void give_up(GraphRun& run);
  void finish_graph(GraphRun& run);

  // Events and actions
  void tell(SchedulerEventBody body);
  void pump();
  void release_outputs();
  void carry(const SchedulerAction& action, const SchedulerActions& all);
  void carry_deal(const Deal& deal, const SchedulerActions& all);
  void write_new_sites(ClientWorker& worker, Writer& out);
  void send_event(WorkerId worker, WorkerEventBody body);
  void report(const Report& report);
  void refuse(PacketId packet, Reason reason, std::uint32_t detail);
  void on_finished(WorkerId worker, Reader& reader);
  void learn_times(const ClientPacket& packet, float run_ns);
  void join(PeerId peer, const Hello& hello);
  void drain(WorkerId worker);
  void end_drained(Nanoseconds time);
  void lose_worker(WorkerId worker, std::string_view why);
  ClientPacket* find(PacketId id);
  void gather_books();
  void ask_to_look(WorkerId worker, std::uint64_t number, const LookOrder& order);
  void on_look(WorkerId worker, Reader& reader);
  void look_no_more_at(WorkerId worker);
  std::vector<DealtName> dealt_to(WorkerId id);
  bool is_at(PacketId packet, Attempt attempt, WorkerId worker) const;
  std::uint32_t deal_again(WorkerId id, const std::vector<DealtName>& unknown);
  std::vector<PacketId> packets_away(const std::vector<TaskId>& tasks);
  WorkerId worker_of(PeerId peer) const;

  Settings settings_;
  const std::uint64_t budget_bytes_;
  const std::shared_ptr<ResultMemory> memory_;
  Ledger ledger_;
  SlotBook& book_;
  std::string address_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  Post post_;
  Scheduler machine_;
  SchedulerActions actions_;
  SchedulerActions spare_actions_;  // empty; their memory is used again
  PacketWriter writer_;
  Writer body_;
  PacketsSubmitted submission_;
  std::unordered_map<PacketId, ClientPacket> packets_;
  PacketId next_packet_ = 0;
  HandedCall call_;
  ClientMembers members_;
  ComingTasks coming_;
  LeftToDo left_;
  ValuesAway values_;
  OpenQuestions questions_;
  TimeLeft time_left_;
  std::uint32_t outstanding_ = 0;  // packets that have not ended
  Nanoseconds last_tick_ = 0;
  std::uint64_t cluster_ = 0;
  bool woken_ = false;  // something ended that somebody may wait for

  std::atomic<std::uint32_t> books_missing_{0};
  std::atomic<bool> guests_wait_{false};
  std::mutex guests_turn_;  // held, before mutex_, by who takes letters of guests

  std::mutex pending_mutex_;
  std::vector<Pending> pending_;  // guarded by pending_mutex_
  std::atomic<bool> any_pending_{false}, any_released_{false}, hungry_{false};
  std::atomic<bool> idle_{false};  // nothing is outstanding: a call may be handed out
  std::mutex released_mutex_;
  std::vector<TaskId> released_;  // guarded by released_mutex_

  std::atomic<std::uint64_t> tasks_total_{0}, tasks_done_{0}, tasks_failed_{0};
  std::atomic<bool> named_changed_{false};  // what parked questions look at
  std::atomic<std::size_t> parked_count_{0};
  std::atomic<bool> closing_{false}, open_{false}, stopping_{false};
  // Whether something is outstanding, who sleeps in the transport, and who waits for whom.
  std::atomic<bool> busy_{false}, sleeping_{false};
  Waiters waiters_;
  std::atomic<std::uint32_t> slots_{0}, epoch_{0}, watchers_{0};
  PoliteSpin spin_;
  std::optional<WaitDisplay> display_;  // while open
  std::thread progress_;
  std::unique_ptr<Recorder> recorder_;  // null unless the job is recorded; guarded by mutex_
};

}  // namespace weft::cluster
