#include <weft/measure_transfer.hpp>

#include <weft/error.hpp>
#include <weft/ids.hpp>

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "comm/network_transport.hpp"
#include "comm/socket.hpp"

namespace weft {
namespace {

using comm::Fd;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// What both sides of a measurement show each other: made by the process that forks the others.
std::shared_ptr<const comm::TlsContext> shared_tls() {
  static const auto opened = comm::open_tls(comm::make_tls_credentials(-86'400, 86'400));
  return opened;
}

comm::NetworkOptions network_options(const std::string& path) {
  comm::NetworkOptions options;
  options.shared_memory = path == "shm";
  options.ucx = path == "ucx" ? comm::UseUcx::Always : comm::UseUcx::Never;
  if (path == "tls") options.tls = shared_tls();
  if (path != "shm" && path != "tcp" && path != "tls" && path != "ucx")
    throw Error("no path is named '" + path + "': shm, tcp, tls or ucx");
  return options;
}

/// Memory for blocks: one piece used again and again, or a fresh one each time.
/// Owns: the pages.
class Pages {
 public:
  explicit Pages(std::size_t bytes)
      : bytes_(std::max<std::size_t>(bytes, 1)),
        memory_(::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (memory_ == MAP_FAILED) throw Error("no memory for " + std::to_string(bytes) + " bytes");
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  ~Pages() { ::munmap(memory_, bytes_); }
  std::byte* data() const { return static_cast<std::byte*>(memory_); }

 private:
  const std::size_t bytes_;
  void* const memory_;
};

/// One process of a measurement: counts what comes, and does at once what `on_message` and `on_block` say.
/// Owns: its transport and landing places. Threading: one thread.
class Station final : public Transport::Listener {
 public:
  Station(const TransferOptions& options, std::unique_ptr<Transport> opened)
      : transport(std::move(opened)), options_(options) {
    transport->set_listener(this);
  }

  void peer_connected(PeerId peer, std::string_view) override { peers.push_back(peer); }
  void message(PeerId peer, std::span<const std::byte> bytes) override {
    ++messages;
    if (on_message) on_message(peer, bytes);
  }
  BlockTarget block_offered(PeerId, std::span<const std::byte>, std::size_t bytes) override {
    const std::size_t place = options_.cold ? offered_ : offered_ % static_cast<std::size_t>(options_.window);
    ++offered_;
    std::unique_ptr<Pages>& landing = landing_[place];
    if (landing == nullptr) landing = std::make_unique<Pages>(bytes);
    return {landing->data(), MemoryKind::Host, place};
  }
  void block_arrived(PeerId peer, std::uint64_t token, bool ok) override {
    const std::byte* data = landing_[token]->data();
    if (!ok || data[0] != std::byte{7} || data[options_.bytes - 1] != std::byte{9}) throw Error("a block came damaged");
    ++blocks;
    if (on_block) on_block(peer, data);
    if (options_.cold) landing_.erase(token);
  }
  void block_sent(PeerId, std::uint64_t, bool) override { ++sent; }
  void peer_lost(PeerId, std::string_view) override { lost = true; }

  template <class Done>
  void turn_until(Done done) {
    double quiet_since = seconds_now();
    while (!done()) {
      if (transport->progress()) {
        quiet_since = seconds_now();
      } else if (lost) {
        throw Error("the other process is gone");
      } else if (seconds_now() - quiet_since > 5e-5) {
        transport->sleep(100'000'000);
      }
    }
  }

  std::unique_ptr<Transport> transport;
  std::function<void(PeerId, std::span<const std::byte>)> on_message;
  std::function<void(PeerId, const std::byte*)> on_block;
  std::vector<PeerId> peers;
  std::int64_t messages = 0, blocks = 0, sent = 0;
  bool lost = false;

 private:
  const TransferOptions options_;
  std::map<std::size_t, std::unique_ptr<Pages>> landing_;
  std::size_t offered_ = 0;
};

/// A forked process that listens and runs `body` until its peers are gone.
/// Owns: the process; killed and reaped at the end.
class Child {
 public:
  Child(const TransferOptions& options, const std::function<void(Station&)>& body) {
    int ends[2];
    if (::pipe(ends) != 0) throw Error("no pipe");
    const Fd reading(ends[0]), writing(ends[1]);
    const comm::NetworkOptions network = network_options(options.path);
    process_ = ::fork();
    if (process_ < 0) throw Error("no process");
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      int code = 1;
      try {
        Station station(options, comm::open_network_transport(network));
        const std::string address = station.transport->address() + "\n";
        if (::write(writing.get(), address.data(), address.size()) > 0) body(station);
        code = 0;
      } catch (const std::exception& error) {
        std::fprintf(stderr, "transfer: %s\n", error.what());
      }
      ::_exit(code);
    }
    for (char letter; ::read(reading.get(), &letter, 1) == 1 && letter != '\n';) address_ += letter;
    if (address_.empty()) throw Error("the other process did not start");
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  const std::string& address() const { return address_; }

 private:
  pid_t process_ = 0;
  std::string address_;
};

/// This process, connected to a child.
struct Pair {
  Pair(const TransferOptions& options, const std::function<void(Station&)>& body)
      : child(options, body), station(options, comm::open_network_transport(network_options(options.path))) {
    peer = station.transport->connect(child.address(), "");
    station.turn_until([&] { return !station.peers.empty(); });
  }
  TransferFigures figures() const { return {station.transport->description(), {}, 0}; }

  Child child;
  Station station;
  PeerId peer = 0;
};

void until_alone(Station& station) {
  try {
    station.turn_until([] { return false; });
  } catch (const Error&) {
    if (!station.lost) throw;
  }
}

void mark(const Pages& pages, std::size_t bytes) {
  std::memset(pages.data(), 1, bytes);
  pages.data()[0] = std::byte{7};
  pages.data()[bytes - 1] = std::byte{9};
}

}  // namespace

TransferFigures measure_message_latency(const TransferOptions& options) {
  Pair pair(options, [](Station& station) {
    station.on_message = [&](PeerId peer, std::span<const std::byte> bytes) {
      station.transport->send(peer, bytes);
      station.transport->flush();
    };
    until_alone(station);
  });
  TransferFigures figures = pair.figures();
  const std::vector<std::byte> text(options.bytes, std::byte{3});
  for (std::int64_t i = -options.count / 10; i < options.count; ++i) {
    const std::int64_t before = pair.station.messages;
    const double start = seconds_now();
    pair.station.transport->send(pair.peer, text);
    pair.station.transport->flush();
    pair.station.turn_until([&] { return pair.station.messages > before; });
    if (i >= 0) figures.seconds.push_back((seconds_now() - start) / 2);
  }
  return figures;
}

TransferFigures measure_message_rate(const TransferOptions& options) {
  const std::int64_t count = options.count;
  Pair pair(options, [count](Station& station) {
    station.on_message = [&](PeerId peer, std::span<const std::byte>) {
      if (station.messages % count != 0) return;
      station.transport->send(peer, {});
      station.transport->flush();
    };
    until_alone(station);
  });
  TransferFigures figures = pair.figures();
  const std::vector<std::byte> text(options.bytes, std::byte{3});
  for (int round = -1; round < 5; ++round) {
    const std::int64_t before = pair.station.messages;
    const double start = seconds_now();
    for (std::int64_t i = 0; i < count; ++i) {
      pair.station.transport->send(pair.peer, text);
      if (i % 64 == 63) pair.station.transport->progress();
    }
    pair.station.transport->flush();
    pair.station.turn_until([&] { return pair.station.messages > before; });
    if (round >= 0) figures.seconds.push_back((seconds_now() - start) / static_cast<double>(count));
  }
  return figures;
}

TransferFigures measure_block_bandwidth(const TransferOptions& options) {
  if (options.bytes < 2) throw Error("blocks of at least 2 bytes are measured");
  const std::int64_t count = options.count;
  Pair pair(options, [count](Station& station) {
    station.on_block = [&](PeerId peer, const std::byte*) {
      if (station.blocks % count != 0) return;
      station.transport->send(peer, {});
      station.transport->flush();
    };
    until_alone(station);
  });
  TransferFigures figures = pair.figures();
  Station& station = pair.station;
  std::vector<std::unique_ptr<Pages>> sources;
  for (int round = -1; round < 5; ++round) {
    const std::int64_t words = station.messages, sent = station.sent;
    const std::int64_t places = options.cold ? count : options.window;
    if (options.cold) sources.clear();
    while (static_cast<std::int64_t>(sources.size()) < std::min<std::int64_t>(places, count)) {
      sources.push_back(std::make_unique<Pages>(options.bytes));
      mark(*sources.back(), options.bytes);
    }
    const double start = seconds_now();
    for (std::int64_t i = 0; i < count; ++i) {
      station.turn_until([&] { return i - (station.sent - sent) < options.window; });
      station.transport->send_block(pair.peer, {}, sources[static_cast<std::size_t>(i) % sources.size()]->data(),
                                    options.bytes, MemoryKind::Host, 0);
      station.transport->flush();
    }
    station.turn_until([&] { return station.messages > words; });
    if (round >= 0) figures.seconds.push_back((seconds_now() - start) / static_cast<double>(count));
  }
  std::vector<double> sorted = figures.seconds;
  std::sort(sorted.begin(), sorted.end());
  figures.bytes_per_second = static_cast<double>(options.bytes) / sorted[sorted.size() / 2];
  return figures;
}

namespace {

/// Returns to whom child k passes the block on in the binomial tree over 0 (this process) and 1..processes.
std::vector<int> children_of(int k, int processes) {
  std::vector<int> children;
  for (int step = 1; k + step <= processes; step *= 2)
    if (step > k) children.push_back(k + step);
  std::reverse(children.begin(), children.end());  // the largest subtree first
  return children;
}

}  // namespace

TransferFigures measure_broadcast(const TransferOptions& options, int processes) {
  if (options.bytes < 2 || processes < 1) throw Error("a broadcast needs 2 bytes and another process");
  std::vector<std::unique_ptr<Child>> others(static_cast<std::size_t>(processes) + 1);
  for (int k = processes; k >= 1; --k) {
    std::vector<std::string> addresses;
    for (const int child : children_of(k, processes))
      addresses.push_back(others[static_cast<std::size_t>(child)]->address());
    others[static_cast<std::size_t>(k)] =
        std::make_unique<Child>(options, [addresses, bytes = options.bytes](Station& station) {
          std::vector<PeerId> down;
          for (const std::string& address : addresses) down.push_back(station.transport->connect(address, ""));
          std::optional<PeerId> up;
          std::size_t words = 0;
          const auto answer = [&] {
            if (words < down.size() + 1) return;
            words = 0;
            station.transport->send(*up, {});
            station.transport->flush();
          };
          station.on_block = [&](PeerId peer, const std::byte* data) {
            up = peer;
            for (const PeerId child : down) station.transport->send_block(child, {}, data, bytes, MemoryKind::Host, 0);
            ++words;
            answer();
          };
          station.on_message = [&](PeerId, std::span<const std::byte>) {
            ++words;
            answer();
          };
          until_alone(station);
        });
  }
  Station station(options, comm::open_network_transport(network_options(options.path)));
  TransferFigures figures{station.transport->description(), {}, 0};
  std::vector<PeerId> down;
  for (const int child : children_of(0, processes))
    down.push_back(station.transport->connect(others[static_cast<std::size_t>(child)]->address(), ""));
  station.turn_until([&] { return station.peers.size() == down.size(); });
  const Pages source(options.bytes);
  mark(source, options.bytes);
  const auto expected = static_cast<std::int64_t>(down.size());
  for (std::int64_t i = -1; i < options.count; ++i) {
    const std::int64_t before = station.messages;
    const double start = seconds_now();
    for (const PeerId child : down)
      station.transport->send_block(child, {}, source.data(), options.bytes, MemoryKind::Host, 0);
    station.transport->flush();
    station.turn_until([&] { return station.messages == before + expected; });
    if (i >= 0) figures.seconds.push_back(seconds_now() - start);
  }
  std::vector<double> sorted = figures.seconds;
  std::sort(sorted.begin(), sorted.end());
  figures.bytes_per_second = static_cast<double>(options.bytes) * processes / sorted[sorted.size() / 2];
  return figures;
}

}  // namespace weft
