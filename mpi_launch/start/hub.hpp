#pragma once

#include "mpi_launch/control/connection.hpp"
#include "mpi_launch/control/messages.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace weft::launch {

/// Rank 0's end of the channel to all supervisors.
///
/// For: the launch. Owns: the listening socket, the connections, a thread that serves them.
/// Threading: any thread calls; the listener is called by the hub's thread, without its lock.
class Hub {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void worker_started(std::uint32_t place, std::uint32_t generation) = 0;
    /// The process is gone, and all it may have started. `comes_back`: another one will be started.
    virtual void worker_ended(std::uint32_t place, std::uint32_t generation, const Death& death, bool comes_back) = 0;
    /// Whole lines that a worker wrote.
    virtual void worker_wrote(std::uint32_t place, int stream, const std::string& text) = 0;
    /// A supervisor that is no rank has come, and has been given a place: it waits for start_worker or turn_away.
    virtual void asked_to_join(std::uint32_t place, const JoinAsked& asked) = 0;
    /// Somebody wants to know what stands where, and waits for `send_dump`.
    virtual void asked_to_dump(std::uint64_t asker) = 0;
  };

  /// Listens on `host`; any process that knows the secret may join, and under TLS has a certificate of the job's
  /// authority.
  Hub(const std::string& host, std::string secret, std::shared_ptr<const comm::TlsContext> tls, std::uint32_t ranks,
      double silent_seconds);
  ~Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  const std::string& endpoint() const { return endpoint_; }
  void set_listener(Listener* listener);

  /// Returns what each rank said of itself, once all have. Throws Error naming those that are missing after `seconds`;
  /// tells of them before, from time to time.
  std::vector<Hello> wait_for_all(double seconds, const std::function<void(const std::string&)>& tell);
  void start_worker(std::uint32_t place, StartWorker order);
  /// From now on supervisors that are no ranks may join; who came before has waited.
  void open_to_others();
  void turn_away(std::uint32_t place, const std::string& why);
  /// Says nothing to one that is gone.
  void send_dump(std::uint64_t asker, const std::string& text, bool is_last);
  void fence_worker(std::uint32_t place, std::uint32_t generation, const std::string& why, bool again);
  /// Ends all workers, and all supervisors: waits for that at most so long. Returns the files that were kept.
  std::vector<std::string> end(double seconds);
  /// Tells every supervisor that there will be no job.
  void refuse(const std::string& why);

 private:
  struct Peer {
    Peer(int socket, const comm::TlsContext* tls) : connection(socket, tls) {}
    Connection connection;
    std::unique_ptr<Greeting> greeting;
    bool known = false;
    std::optional<std::uint32_t> rank;
    double last_heard_s = 0;
    double last_said_s = 0;
    bool gone = false;
    std::optional<JoinAsked> asked;  // waits for the job to run
    std::uint64_t asker = 0;         // wants a dump
  };
  struct Place {
    std::optional<Hello> hello;
    Peer* peer = nullptr;
    std::uint32_t generation = 0;  // of the worker that runs, 0: none
    bool ended = false;
  };
  /// What the listener is told once the lock is free.
  struct Told {
    std::uint32_t place = 0;
    ToHub message;
    std::uint64_t asker = 0;
  };

  void serve();
  void accept_all();
  void take_from(Peer& peer, std::vector<Told>& told);
  void refuse_stranger(Peer& peer, const std::string& why);
  void take(Peer& peer, const ToHub& message, std::vector<Told>& told);
  void take_hello(Peer& peer, const Hello& hello);
  void give_place(Peer& peer, std::vector<Told>& told);
  void drop_silent(double now);
  void peer_gone(Peer& peer, std::vector<Told>& told);
  void tell(std::vector<Told>& told);
  void say(Peer& peer, const ToSupervisor& message);
  bool all_ended() const;
  void wake();

  std::string endpoint_;
  const std::string secret_;
  const std::shared_ptr<const comm::TlsContext> tls_;
  const double silent_s_;
  int listening_ = -1;
  int wake_ = -1;
  std::thread thread_;
  std::mutex listener_mutex_;
  Listener* listener_ = nullptr;  // guarded by listener_mutex_, which is held while it is called

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<Place> places_;  // the ranks, then those that joined
  bool open_to_others_ = false;
  std::vector<std::string> kept_;
  std::string strangers_;
  std::uint64_t last_asker_ = 0;
  bool stopping_ = false;
  bool ending_ = false;
};

}  // namespace weft::launch
