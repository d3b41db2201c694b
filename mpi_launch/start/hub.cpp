#include "mpi_launch/start/hub.hpp"

#include "mpi_launch/supervise/status_page.hpp"

#include <weft/error.hpp>
#include <weft/log.hpp>

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

namespace weft::launch {

namespace {

const logging::Room kLog("launch");

/// A connection that has not proved what it knows by then is closed.
constexpr double kGreeting_s = 10;
/// Supervisors say something every second; a shorter patience would blame them for a busy machine.
constexpr double kLeastPatience_s = 5;
constexpr std::size_t kMostStrangers = 64;
/// When a start that waits for ranks says so; then after twice as long, and so on.
constexpr double kFirstNews_s = 5;
constexpr std::size_t kMostPlaces = 100'000;

double now_s() { return static_cast<double>(machine_now_ns()) / 1e9; }

std::string rank_list(const std::vector<std::uint32_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    if (i == 8) return text + ", ... (" + std::to_string(ranks.size()) + " in all)";
    text += (i == 0 ? "" : ", ") + std::to_string(ranks[i]);
  }
  return text;
}

}  // namespace

Hub::Hub(const std::string& host, std::string secret, std::shared_ptr<const comm::TlsContext> tls, std::uint32_t ranks,
         double silent_seconds)
    : secret_(std::move(secret)),
      tls_(std::move(tls)),
      silent_s_(std::max(kLeastPatience_s, silent_seconds)),
      places_(ranks) {
  listening_ = listen_on(host, endpoint_);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  thread_ = std::thread([this] {
    // Signals are the program's business.
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    ::pthread_setname_np(::pthread_self(), "weft hub");
    serve();
  });
}

Hub::~Hub() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake();
  thread_.join();
  ::close(listening_);
  ::close(wake_);
}

void Hub::wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t wrote = ::write(wake_, &one, sizeof one);  // full means: it wakes anyway
}

void Hub::set_listener(Listener* listener) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = listener;
}

void Hub::say(Peer& peer, const ToSupervisor& message) {
  peer.connection.send(encode_message(message));
  peer.last_said_s = now_s();
}

std::vector<Hello> Hub::wait_for_all(double seconds, const std::function<void(const std::string&)>& tell) {
  std::unique_lock lock(mutex_);
  const auto all_there = [this] {
    return std::all_of(places_.begin(), places_.end(), [](const Place& place) { return place.hello.has_value(); });
  };
  for (double waited = 0; !all_there();) {
    const double next = std::min(waited == 0 ? kFirstNews_s : 2 * waited, seconds);
    if (changed_.wait_for(lock, std::chrono::duration<double>(next - waited), all_there)) break;
    waited = next;
    std::vector<std::uint32_t> missing;
    for (std::uint32_t i = 0; i < places_.size(); ++i) {
      if (!places_[i].hello) missing.push_back(i);
    }
    const std::string seconds_text = std::to_string(static_cast<int>(waited)) + " s";
    if (waited >= seconds) {
      throw Error(rank_list(missing) + " did not come to " + endpoint_ + " within " + seconds_text +
                  (strangers_.empty() ? "" : "; " + strangers_));
    }
    tell(std::to_string(places_.size() - missing.size()) + " of " + std::to_string(places_.size()) +
         " ranks are here after " + seconds_text + "; " + rank_list(missing) + (missing.size() == 1 ? " is" : " are") +
         " still to come");
  }
  std::vector<Hello> all;
  for (const Place& place : places_) all.push_back(*place.hello);
  return all;
}

void Hub::start_worker(std::uint32_t place, StartWorker order) {
  {
    const std::lock_guard lock(mutex_);
    if (places_[place].peer != nullptr) say(*places_[place].peer, order);
  }
  wake();
}

void Hub::open_to_others() {
  {
    const std::lock_guard lock(mutex_);
    open_to_others_ = true;
  }
  wake();
}

void Hub::turn_away(std::uint32_t place, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (places_[place].peer != nullptr) say(*places_[place].peer, Refused{why});
  }
  wake();
}

void Hub::send_dump(std::uint64_t asker, const std::string& text, bool is_last) {
  {
    const std::lock_guard lock(mutex_);
    for (const auto& peer : peers_) {
      if (peer->asker == asker && !peer->gone) say(*peer, DumpText{text, is_last});
    }
  }
  wake();
}

void Hub::fence_worker(std::uint32_t place, std::uint32_t generation, const std::string& why, bool again) {
  {
    const std::lock_guard lock(mutex_);
    if (places_[place].peer != nullptr) say(*places_[place].peer, FenceWorker{generation, why, again});
  }
  wake();
}

void Hub::refuse(const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    for (Place& place : places_) {
      if (place.peer != nullptr) say(*place.peer, Refused{why});
    }
  }
  wake();
}

bool Hub::all_ended() const {
  return std::all_of(places_.begin(), places_.end(),
                     [](const Place& place) { return place.ended || place.peer == nullptr; });
}

std::vector<std::string> Hub::end(double seconds) {
  std::unique_lock lock(mutex_);
  ending_ = true;
  for (Place& place : places_) {
    if (place.peer != nullptr) say(*place.peer, EndWorkers{seconds / 2, true});
  }
  wake();
  changed_.wait_for(lock, std::chrono::duration<double>(seconds), [this] { return all_ended(); });
  return kept_;
}

void Hub::serve() {
  for (;;) {
    std::vector<pollfd> watched = {{wake_, POLLIN, 0}, {listening_, POLLIN, 0}};
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      for (const auto& peer : peers_) {
        watched.push_back({peer->connection.descriptor(),
                           static_cast<short>(peer->connection.has_unsent() ? POLLIN | POLLOUT : POLLIN), 0});
      }
    }
    ::poll(watched.data(), watched.size(), 500);
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(wake_, &count, sizeof count);
    std::vector<Told> told;
    {
      const std::lock_guard lock(mutex_);
      accept_all();
      for (const auto& peer : peers_) {
        peer->connection.flush();
        take_from(*peer, told);
        if (peer->asked && open_to_others_) give_place(*peer, told);
        if (now_s() - peer->last_said_s > 1 && peer->known) say(*peer, Beat{});
      }
      drop_silent(now_s());
      for (const auto& peer : peers_) {
        if (peer->gone) peer_gone(*peer, told);
      }
      std::erase_if(peers_, [](const auto& peer) { return peer->gone; });
    }
    tell(told);
    changed_.notify_all();
  }
}

void Hub::accept_all() {
  for (;;) {
    const int socket = ::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) return;
    auto peer = std::make_unique<Peer>(socket, tls_.get());
    peer->last_heard_s = now_s();
    peer->greeting = std::make_unique<Greeting>(peer->connection, secret_);
    // Whoever opens connections and says nothing keeps no one else out.
    const auto strange = [](const auto& other) { return !other->known; };
    if (static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), strange)) >=
        kMostStrangers + places_.size()) {
      (*std::find_if(peers_.begin(), peers_.end(), strange))->gone = true;
    }
    peers_.push_back(std::move(peer));
  }
}

void Hub::take_from(Peer& peer, std::vector<Told>& told) {
  std::vector<std::string> frames;
  const bool open = peer.connection.receive(frames);
  for (const std::string& frame : frames) {
    if (peer.gone) return;
    peer.last_heard_s = now_s();
    if (peer.known) {
      try {
        take(peer, decode_to_hub(frame), told);
      } catch (const Error& error) {
        kLog.warning("a supervisor sent what is no message: ", error.what());
        peer.gone = true;
      }
      continue;
    }
    std::string why;
    const Greeting::Step step = peer.greeting->take(peer.connection, frame, why);
    if (step == Greeting::Step::Known) peer.known = true;
    if (step == Greeting::Step::Refused) refuse_stranger(peer, why);
  }
  if (!open) {
    if (!peer.known && !peer.gone && peer.connection.problem() != "the process is gone" &&
        !peer.connection.problem().empty()) {
      refuse_stranger(peer, peer.connection.problem());
    } else if (!peer.known && !peer.gone)
      strangers_ = "a process connected and was gone before it proved that it belongs to this job";
    peer.gone = true;
  }
}

void Hub::refuse_stranger(Peer& peer, const std::string& why) {
  const std::string place = peer.connection.other_end();
  strangers_ = "a process that connected" + (place.empty() ? place : " from " + place) + " was refused: " + why;
  kLog.warning(strangers_);
  peer.gone = true;
}

void Hub::take_hello(Peer& peer, const Hello& hello) {
  if (hello.rank >= places_.size() || places_[hello.rank].hello.has_value()) {
    kLog.warning("a second rank ", hello.rank, " came from ", hello.node.host, ": it is refused");
    peer.gone = true;
    return;
  }
  peer.rank = hello.rank;
  places_[hello.rank].hello = hello;
  places_[hello.rank].peer = &peer;
}

/// Who joins is a place behind the ranks; places are not used again.
void Hub::give_place(Peer& peer, std::vector<Told>& told) {
  const JoinAsked asked = *std::exchange(peer.asked, std::nullopt);
  if (ending_ || places_.size() >= kMostPlaces) {
    say(peer, Refused{ending_ ? "the job is ending" : "too many have joined"});
    return;
  }
  peer.rank = static_cast<std::uint32_t>(places_.size());
  Place& place = places_.emplace_back();
  place.hello = asked.hello;
  place.peer = &peer;
  told.push_back({*peer.rank, asked, 0});
}

void Hub::take(Peer& peer, const ToHub& message, std::vector<Told>& told) {
  if (const auto* hello = std::get_if<Hello>(&message)) return take_hello(peer, *hello);
  if (const auto* asked = std::get_if<JoinAsked>(&message)) {
    if (!peer.rank) peer.asked = *asked;
    return;
  }
  if (std::holds_alternative<DumpAsked>(message)) {
    if (peer.asker != 0) return;
    peer.asker = ++last_asker_;
    told.push_back({0, message, peer.asker});
    return;
  }
  if (!peer.rank) return;
  Place& place = places_[*peer.rank];
  if (const auto* started = std::get_if<WorkerStarted>(&message)) place.generation = started->generation;
  if (const auto* ended = std::get_if<WorkerEnded>(&message);
      ended != nullptr && place.generation == ended->generation) {
    place.generation = 0;
  }
  if (const auto* left = std::get_if<SupervisorEnded>(&message)) {
    place.ended = true;
    if (!left->kept_output.empty()) kept_.push_back(place.hello->node.host + ":" + left->kept_output);
  }
  if (!std::holds_alternative<Beat>(message)) told.push_back({*peer.rank, message, 0});
}

void Hub::drop_silent(double now) {
  for (const auto& peer : peers_) {
    const double silent = now - peer->last_heard_s;
    if (!peer->known && silent > kGreeting_s) peer->gone = true;
    if (!peer->rank || silent <= silent_s_) continue;
    // A stopped supervisor of this node is killed, and its worker with it; one of another node loses its connection,
    // and ends its worker as soon as it sees that.
    const Hello& hello = *places_[*peer->rank].hello;
    if (places_[0].hello && hello.node.host == places_[0].hello->node.host && hello.pid > 1 && *peer->rank != 0) {
      ::kill(hello.pid, SIGKILL);
    }
    peer->gone = true;
  }
}

void Hub::peer_gone(Peer& peer, std::vector<Told>& told) {
  if (!peer.rank) return;
  Place& place = places_[*peer.rank];
  place.peer = nullptr;
  if (place.generation == 0 || place.ended) return;
  Death death;
  death.killed_because = "its supervisor (rank " + std::to_string(*peer.rank) + " on " + place.hello->node.host +
                         ", process " + std::to_string(place.hello->pid) + ") is gone";
  death.expected = ending_;
  told.push_back({*peer.rank, WorkerEnded{place.generation, death, false}, 0});
  place.generation = 0;
}

void Hub::tell(std::vector<Told>& told) {
  const std::lock_guard lock(listener_mutex_);
  if (listener_ == nullptr) return;
  for (const Told& one : told) {
    if (const auto* started = std::get_if<WorkerStarted>(&one.message)) {
      listener_->worker_started(one.place, started->generation);
    } else if (const auto* ended = std::get_if<WorkerEnded>(&one.message)) {
      listener_->worker_ended(one.place, ended->generation, ended->death, ended->comes_back);
    } else if (const auto* text = std::get_if<OutputText>(&one.message)) {
      listener_->worker_wrote(one.place, text->stream, text->text);
    } else if (const auto* asked = std::get_if<JoinAsked>(&one.message)) {
      listener_->asked_to_join(one.place, *asked);
    } else if (std::holds_alternative<DumpAsked>(one.message)) {
      listener_->asked_to_dump(one.asker);
    }
  }
}

}  // namespace weft::launch
