#include "mpi_launch/supervise/supervisor.hpp"

#include "core/cluster/cluster.hpp"
#include "core/cluster/origins.hpp"

#include <weft/error.hpp>

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace weft::launch {

namespace {

constexpr double kTurn_s = 0.25;
constexpr double kBeat_s = 1;
/// A worker that lives shorter than this after its start was hit by something that will hit it again.
constexpr double kQuick_s = 2;
constexpr std::uint32_t kMostQuickDeaths = 5;

double now_s() { return static_cast<double>(machine_now_ns()) / 1e9; }

/// How long to wait before the worker is started again: at once the first time, then longer and longer.
double pause_before(std::uint32_t quick_deaths) {
  if (quick_deaths <= 1) return 0;
  return std::min(5.0, 0.1 * static_cast<double>(1u << std::min(quick_deaths - 2, 10u)));
}

}  // namespace

Supervisor::Supervisor(Connection connection, std::uint32_t rank, int launcher)
    : connection_(std::move(connection)), rank_(rank), launcher_(launcher), last_heard_s_(now_s()) {}

Supervisor::~Supervisor() = default;

void Supervisor::say(const ToHub& message) {
  connection_.send(encode_message(message));
  last_said_s_ = now_s();
}

Supervisor::End Supervisor::run() {
  while (!left_) {
    step();
    if (!connected_) {
      ending_.reset();
      wanted_ = false;
      child_.reset();  // kills and reaps
      return End::LostRankZero;
    }
  }
  // What was said last must leave before the process does.
  while (connected_ && connection_.has_unsent()) wait();
  return End::Told;
}

void Supervisor::step() {
  wait();
  take_messages();
  look_at_child();
  if (signals_ != nullptr) look_at_signals();
  const double now = now_s();
  // MPI has been finished long ago: nobody else tells us that mpirun was killed.
  if (launcher_ != 0 && ::getppid() != launcher_) connected_ = false;
  if (ending_) {
    end_child();
  } else if (wanted_ && child_ == nullptr && start_again_s_ != 0 && now >= start_again_s_) {
    start();
  }
  if (now - last_said_s_ > kBeat_s) say(Beat{});
}

void Supervisor::wait() {
  std::vector<pollfd> watched;
  watched.push_back(
      {connection_.descriptor(), static_cast<short>(connection_.has_unsent() ? POLLIN | POLLOUT : POLLIN), 0});
  if (child_ != nullptr) {
    if (child_->ended_descriptor() >= 0) watched.push_back({child_->ended_descriptor(), POLLIN, 0});
    for (const int stream : {1, 2}) {
      if (!closed_[stream - 1]) watched.push_back({child_->output_descriptor(stream), POLLIN, 0});
    }
  }
  double most = kTurn_s;
  if (start_again_s_ != 0 && child_ == nullptr) most = std::min(most, start_again_s_ - now_s());
  if (ending_) most = std::min(most, 0.02);
  if (child_ != nullptr && child_->ended_descriptor() < 0) most = std::min(most, 0.02);
  ::poll(watched.data(), watched.size(), std::max(0, static_cast<int>(most * 1000)));
  connection_.flush();
}

void Supervisor::take_messages() {
  std::vector<std::string> frames;
  connected_ = connection_.receive(frames) && connected_;
  for (const std::string& frame : frames) {
    last_heard_s_ = now_s();
    try {
      take(decode_to_supervisor(frame));
    } catch (const Error&) {
      connected_ = false;  // rank 0 does not speak so: the connection is damaged
    }
  }
}

void Supervisor::take(const ToSupervisor& message) {
  if (const auto* start_worker = std::get_if<StartWorker>(&message)) {
    plan_ = *start_worker;
    wanted_ = true;
    if (signals_ != nullptr) rank_ = plan_.orders.place;
    start_again_s_ = now_s();
  } else if (const auto* fence = std::get_if<FenceWorker>(&message)) {
    if (child_ == nullptr || (fence->generation != 0 && fence->generation != generation_)) return;
    if (!fence->again) wanted_ = false;
    child_->kill(fence->why);
  } else if (const auto* end = std::get_if<EndWorkers>(&message)) {
    wanted_ = false;
    start_again_s_ = 0;
    ending_ = *end;
    end_by_s_ = now_s() + end->seconds;
  } else if (const auto* refused = std::get_if<Refused>(&message)) {
    complaint_ = refused->why;
    ending_ = EndWorkers{0, true};
    end_by_s_ = 0;
  }
}

void Supervisor::start() {
  start_again_s_ = 0;
  ++generation_;
  plan_.orders.generation = generation_;
  plan_.orders.supervisor_pid = ::getpid();
  plan_.orders.listen_on = connection_.own_host();
  for (auto& lines : lines_) lines = std::make_unique<OutputLines>(plan_.most_lines_a_second);
  closed_[0] = closed_[1] = false;
  if (generation_ == 1) {
    const std::string name = "weft-output-" + std::to_string(::getpid()) + "-rank-" + std::to_string(rank_) + ".txt";
    file_.open(plan_.output_folder.empty() ? plan_.orders.scratch : plan_.output_folder, name,
               !plan_.output_folder.empty());
  }
  started_s_ = now_s();
  try {
    child_ = std::make_unique<Child>(plan_.orders, plan_.executable);
    say(WorkerStarted{generation_, child_->pid()});
  } catch (const Error& error) {
    Death death;
    death.cannot_start = true;
    death.last_words = error.what();
    ended(std::move(death));
  }
}

void Supervisor::look_at_child() {
  if (child_ == nullptr) return;
  read_output(1);
  read_output(2);
  if (std::optional<Death> death = child_->reap()) {
    finish_output();
    death->error_tail = lines_[1] != nullptr ? lines_[1]->tail() : "";
    ended(std::move(*death));
    return;
  }
  look_at_beat();
}

void Supervisor::ended(Death death) {
  child_.reset();
  const double now = now_s();
  if (!was_restarted(death)) {
    quick_deaths_ = now - started_s_ < kQuick_s ? quick_deaths_ + 1 : 0;
    ++restarts_;
  }
  if (death.expected || death.cannot_start || quick_deaths_ >= kMostQuickDeaths || restarts_ > plan_.most_restarts) {
    wanted_ = false;
  }
  if (ending_) death.expected = true;
  const bool again = wanted_ && !ending_;
  if (again) start_again_s_ = now + pause_before(quick_deaths_);
  if (signals_ != nullptr && !again) {
    // Its rank is nothing but this worker's.
    if (!death.expected) complaint_ = "the worker " + cluster::with_numbers(death_sentence(death), {});
    ending_ = EndWorkers{0, true};
  }
  say(WorkerEnded{generation_, std::move(death), again});
}

std::string Supervisor::prefix() const {
  std::string text = "[" + std::to_string(rank_);
  if (child_ != nullptr && plan_.orders.slots == 1) {
    // A hint: the task that ran when the pulse last looked. With several slots nobody knows whose line it is.
    const StatusPage::Slot& slot = child_->page().tasks[0];
    if (slot.since_ns.load(std::memory_order_acquire) != 0) {
      std::string task(slot.text.data(), ::strnlen(slot.text.data(), slot.text.size()));
      text += " " + task.substr(0, task.find(" at "));
    }
  }
  return text + "] ";
}

void Supervisor::read_output(int stream) {
  if (closed_[stream - 1]) return;
  char part[65536];
  // Bounded, so that a worker that only writes cannot keep its supervisor from everything else.
  for (int turn = 0; turn < 16; ++turn) {
    const ssize_t got = ::read(child_->output_descriptor(stream), part, sizeof part);
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) closed_[stream - 1] = true;
    if (got <= 0) return;
    const std::string_view bytes(part, static_cast<std::size_t>(got));
    file_.write(bytes);
    const std::string text = lines_[stream - 1]->take(bytes, prefix(), now_s());
    if (!text.empty()) say(OutputText{static_cast<std::uint8_t>(stream), text});
  }
}

void Supervisor::finish_output() {
  for (const int stream : {1, 2}) {
    read_output(stream);
    if (lines_[stream - 1] == nullptr) continue;
    const std::string text = lines_[stream - 1]->finish(prefix());
    if (!text.empty()) say(OutputText{static_cast<std::uint8_t>(stream), text});
    if (lines_[stream - 1]->held_back() > 0) kept_output_ = file_.keep();
  }
  if (!plan_.output_folder.empty()) kept_output_ = file_.keep();
}

void Supervisor::look_at_beat() {
  const std::uint64_t beat = child_->page().beat_ns.load(std::memory_order_relaxed);
  const double silent = now_s() - static_cast<double>(beat) / 1e9;
  if (silent > plan_.silent_seconds) {
    child_->kill("it gave no sign of life for " + std::to_string(static_cast<int>(silent)) +
                 " s (stopped, or the machine is stuck)");
  }
}

/// What has joined goes when it is asked to: first its worker's results move to others.
void Supervisor::look_at_signals() {
  const int count = signals_->load();
  if (count == signals_seen_) return;
  signals_seen_ = count;
  wanted_ = false;
  start_again_s_ = 0;
  if (child_ == nullptr) {
    ending_ = EndWorkers{0, true};
  } else if (count == 1) {
    child_->ask_to_leave();
  } else {
    child_->kill("it was told to leave at once");
  }
}

void Supervisor::end_child() {
  if (child_ != nullptr) {
    if (now_s() >= end_by_s_) child_->kill("the client has ended");
    return;
  }
  say(SupervisorEnded{kept_output_});
  if (ending_->leave) left_ = true;
  ending_.reset();
}

}  // namespace weft::launch
