#include "comm/in_process_transport.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weft::comm {
namespace {

constexpr std::size_t kMostMessageBytes = std::size_t{1} << 20;

Nanoseconds now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A block that its receiver has not copied yet. The receiver copies under `mutex`, so that a sender that gives the
/// block up knows that its bytes are free.
struct Block {
  std::mutex mutex;
  const void* data = nullptr;  // guarded by mutex; null once given up
  std::size_t bytes = 0;
  std::uint64_t token = 0;  // the sender's
};
using BlockPointer = std::shared_ptr<Block>;  // shared: held by its sender and by the wire

// What travels to an endpoint. The peer is the receiver's name of the sender.
struct Connected {
  std::string hello;
  bool accepted = false;
};
struct Message {
  std::vector<std::byte> bytes;
};
struct Offer {
  std::vector<std::byte> header;
  BlockPointer block;
};
struct Data {
  BlockTarget target;
  BlockPointer block;
};
struct Sent {
  BlockPointer block;
  bool ok = false;
};
struct Refused {
  std::uint64_t token = 0;
};
struct Lost {
  std::string why;
};
struct Closed {};
using Parcel = std::variant<Connected, Message, Offer, Data, Sent, Refused, Lost, Closed>;

class Endpoint;

/// One connection. Everything here is guarded by the hub's mutex.
struct Link {
  struct End {
    Endpoint* endpoint = nullptr;  // null once this side closed, was destroyed or lost the other
    PeerId other = 0;              // this side's name of the other one
    Nanoseconds last_due = 0;      // arrivals here keep their order
  };
  End ends[2];
  bool held = false;
  std::vector<std::pair<int, Parcel>> waiting;  // while held: (to which end, what)
};

}  // namespace

struct InProcessNetwork::Hub {
  explicit Hub(WireFaults wire_faults) : faults(wire_faults), random(wire_faults.seed) {}

  const WireFaults faults;
  std::mutex mutex;
  // Guarded by mutex.
  std::mt19937_64 random;
  std::map<std::string, Endpoint*, std::less<>> endpoints;
  std::vector<std::weak_ptr<Link>> links;
  std::uint64_t next_address = 1;

  Nanoseconds delay() {
    if (faults.most_delay <= 0) return 0;
    return static_cast<Nanoseconds>(random() % static_cast<std::uint64_t>(faults.most_delay + 1));
  }
  void deliver(const std::shared_ptr<Link>& link, int to, Parcel parcel);
  std::vector<std::shared_ptr<Link>> between(std::string_view a, std::string_view b);
};

namespace {

using Hub = InProcessNetwork::Hub;

class Endpoint final : public Transport {
 public:
  explicit Endpoint(std::shared_ptr<Hub> hub) : hub_(std::move(hub)) {
    const std::lock_guard lock(hub_->mutex);
    address_ = "in-process:" + std::to_string(hub_->next_address++);
    hub_->endpoints.emplace(address_, this);
  }
  ~Endpoint() override;

  void set_listener(Listener* listener) override { listener_ = listener; }
  std::string address() const override { return address_; }
  PeerId connect(std::string_view address, std::string_view hello) override;
  void send(PeerId peer, std::span<const std::byte> bytes) override;
  void send_block(PeerId peer, std::span<const std::byte> header, const void* data, std::size_t bytes, MemoryKind kind,
                  std::uint64_t token) override;
  void flush() override {}
  bool progress() override;
  void sleep(Nanoseconds most) override;
  void wake() noexcept override;
  void close(PeerId peer) override;
  std::size_t most_message_bytes() const override { return kMostMessageBytes; }
  std::string description() const override { return "in-process"; }

  // Under the hub's mutex.
  void put(PeerId peer, Nanoseconds due, Parcel parcel) {
    inbox_.emplace(due, std::pair(peer, std::move(parcel)));
    arrived_.notify_one();
  }
  PeerId new_peer() { return next_peer_++; }
  /// A peer that connects to us becomes known under the hub's mutex and is adopted by the owner's thread.
  void announce(PeerId peer, std::shared_ptr<Link> link, int end) { newcomers_[peer] = {std::move(link), end}; }

 private:
  struct Peer {
    std::shared_ptr<Link> link;  // shared by both ends
    int end = 0;                 // ours
    std::vector<BlockPointer> sending;
    std::vector<std::pair<BlockPointer, std::uint64_t>> receiving;  // offered, data not here yet
    bool closed = false;  // by us: only ends of blocks are told, once, and then the peer is forgotten
  };

  bool take(std::pair<PeerId, Parcel>& parcel);
  void act(PeerId peer, Connected& it);
  void act(PeerId peer, Message& it);
  void act(PeerId peer, Offer& it);
  void act(PeerId peer, Data& it);
  void act(PeerId peer, Sent& it);
  void act(PeerId peer, Refused& it);
  void act(PeerId peer, Lost& it);
  void act(PeerId peer, Closed& it);
  /// Forgets the peer and tells the ends of its blocks. Returns what was known of it.
  Peer end(PeerId peer);
  Peer* find(PeerId peer) {
    const auto found = peers_.find(peer);
    return found == peers_.end() ? nullptr : &found->second;
  }

  const std::shared_ptr<Hub> hub_;  // shared by the network and its endpoints
  std::string address_;
  Listener* listener_ = nullptr;
  std::map<PeerId, Peer> peers_;
  // Guarded by the hub's mutex.
  std::multimap<Nanoseconds, std::pair<PeerId, Parcel>> inbox_;
  std::map<PeerId, std::pair<std::shared_ptr<Link>, int>> newcomers_;
  PeerId next_peer_ = 1;
  bool woken_ = false;
  std::uint64_t taken_ = 0;  // parcels: who sleeps hears of those that another thread takes, too
  std::condition_variable arrived_;
};

Endpoint::~Endpoint() {
  for (auto& [peer, state] : peers_) {
    for (const BlockPointer& block : state.sending) {
      const std::lock_guard lock(block->mutex);
      block->data = nullptr;
    }
  }
  const std::lock_guard lock(hub_->mutex);
  hub_->endpoints.erase(address_);
  for (auto& [peer, newcomer] : newcomers_) peers_[peer].link = newcomer.first, peers_[peer].end = newcomer.second;
  for (auto& [peer, state] : peers_) {
    Link::End& mine = state.link->ends[state.end];
    if (mine.endpoint != this) continue;
    mine.endpoint = nullptr;
    hub_->deliver(state.link, 1 - state.end, Lost{"the process is gone"});
  }
}

PeerId Endpoint::connect(std::string_view address, std::string_view hello) {
  if (!address.starts_with("in-process:")) {
    throw Error("cannot connect to '" + std::string(address) + "': not an address of the in-process transport");
  }
  auto link = std::make_shared<Link>();
  const std::lock_guard lock(hub_->mutex);
  const PeerId peer = new_peer();
  peers_[peer] = Peer{link, 0, {}, {}, false};
  const auto found = hub_->endpoints.find(address);
  link->ends[0] = {this, peer, 0};
  if (found == hub_->endpoints.end()) {
    put(peer, 0, Lost{"nobody is at " + std::string(address)});
    return peer;
  }
  Endpoint& other = *found->second;
  link->ends[1] = {&other, other.new_peer(), 0};
  other.announce(link->ends[1].other, link, 1);
  std::erase_if(hub_->links, [](const auto& old) { return old.expired(); });
  hub_->links.push_back(link);
  hub_->deliver(link, 1, Connected{std::string(hello), true});
  hub_->deliver(link, 0, Connected{{}, false});
  return peer;
}

void Endpoint::send(PeerId peer, std::span<const std::byte> bytes) {
  if (bytes.size() > kMostMessageBytes)
    throw Error("a message of " + std::to_string(bytes.size()) + " bytes is too long");
  Peer* state = find(peer);
  if (state == nullptr || state->closed) return;
  Message message{{bytes.begin(), bytes.end()}};
  const std::lock_guard lock(hub_->mutex);
  hub_->deliver(state->link, 1 - state->end, std::move(message));
}

void Endpoint::send_block(PeerId peer, std::span<const std::byte> header, const void* data, std::size_t bytes,
                          MemoryKind kind, std::uint64_t token) {
  if (kind != MemoryKind::Host) throw Error("the in-process transport moves host memory only");
  Peer* state = find(peer);
  const std::lock_guard lock(hub_->mutex);
  if (state == nullptr || state->closed) {
    put(peer, 0, Refused{token});
    return;
  }
  auto block = std::make_shared<Block>();
  block->data = data;
  block->bytes = bytes;
  block->token = token;
  state->sending.push_back(block);
  hub_->deliver(state->link, 1 - state->end, Offer{{header.begin(), header.end()}, block});
}

void Endpoint::close(PeerId peer) {
  Peer* state = find(peer);
  if (state == nullptr || state->closed) return;
  state->closed = true;
  const std::lock_guard lock(hub_->mutex);
  hub_->deliver(state->link, 1 - state->end, Lost{"it closed the connection"});
  state->link->ends[state->end].endpoint = nullptr;
  put(peer, 0, Closed{});
}

bool Endpoint::take(std::pair<PeerId, Parcel>& parcel) {
  const std::lock_guard lock(hub_->mutex);
  if (inbox_.empty()) return false;
  const auto first = inbox_.begin();
  if (first->first > 0 && first->first > now()) return false;
  parcel = std::move(first->second);
  inbox_.erase(first);
  ++taken_;
  arrived_.notify_one();
  for (auto& [peer, newcomer] : newcomers_) peers_[peer] = Peer{newcomer.first, newcomer.second, {}, {}, false};
  newcomers_.clear();
  return true;
}

bool Endpoint::progress() {
  bool moved = false;
  std::pair<PeerId, Parcel> parcel;
  for (int i = 0; i < 256 && take(parcel); ++i) {
    moved = true;
    std::visit([&](auto& it) { act(parcel.first, it); }, parcel.second);
  }
  return moved;
}

void Endpoint::act(PeerId peer, Connected& it) {
  const Peer* state = find(peer);
  if (state != nullptr && !state->closed) listener_->peer_connected(peer, it.hello);
}

void Endpoint::act(PeerId peer, Message& it) {
  const Peer* state = find(peer);
  if (state != nullptr && !state->closed) listener_->message(peer, it.bytes);
}

void Endpoint::act(PeerId peer, Offer& it) {
  Peer* state = find(peer);
  if (state == nullptr || state->closed) return;
  Data data{listener_->block_offered(peer, it.header, it.block->bytes), it.block};
  if (data.target.data != nullptr) state->receiving.emplace_back(it.block, data.target.token);
  if (!hub_->faults.reorder_blocks && hub_->faults.most_delay == 0) {
    act(peer, data);
    return;
  }
  const std::lock_guard lock(hub_->mutex);
  // Without a delay of its own, a millisecond is what blocks overtake each other in.
  const Nanoseconds spread =
      hub_->faults.most_delay > 0 ? hub_->delay() : static_cast<Nanoseconds>(hub_->random() % 1'000'000);
  put(peer, now() + spread, std::move(data));
}

void Endpoint::act(PeerId peer, Data& it) {
  Peer* state = find(peer);
  if (state == nullptr || state->closed) return;  // its end comes with Closed
  bool ok = false;
  {
    const std::lock_guard lock(it.block->mutex);
    ok = it.block->data != nullptr || it.block->bytes == 0;
    if (ok && it.target.data != nullptr && it.block->bytes > 0)
      std::memcpy(it.target.data, it.block->data, it.block->bytes);
  }
  {
    const std::lock_guard lock(hub_->mutex);
    const Link::End& other = state->link->ends[1 - state->end];
    if (other.endpoint != nullptr) other.endpoint->put(other.other, 0, Sent{it.block, ok});
  }
  if (it.target.data == nullptr) return;
  std::erase_if(state->receiving, [&](const auto& one) { return one.first == it.block; });
  listener_->block_arrived(peer, it.target.token, ok);
}

void Endpoint::act(PeerId peer, Sent& it) {
  Peer* state = find(peer);
  if (state != nullptr && std::erase(state->sending, it.block) > 0) listener_->block_sent(peer, it.block->token, it.ok);
}

void Endpoint::act(PeerId peer, Refused& it) { listener_->block_sent(peer, it.token, false); }

Endpoint::Peer Endpoint::end(PeerId peer) {
  Peer ended = std::move(peers_[peer]);
  peers_.erase(peer);
  for (const auto& [block, token] : ended.receiving) listener_->block_arrived(peer, token, false);
  for (const BlockPointer& block : ended.sending) {
    {
      const std::lock_guard lock(block->mutex);
      block->data = nullptr;
    }
    listener_->block_sent(peer, block->token, false);
  }
  return ended;
}

void Endpoint::act(PeerId peer, Lost& it) {
  Peer* state = find(peer);
  if (state == nullptr || state->closed) return;
  {
    const std::lock_guard lock(hub_->mutex);
    state->link->ends[state->end].endpoint = nullptr;
  }
  end(peer);
  listener_->peer_lost(peer, it.why);
}

void Endpoint::act(PeerId peer, Closed&) {
  if (find(peer) != nullptr) end(peer);
}

void Endpoint::sleep(Nanoseconds most) {
  std::unique_lock lock(hub_->mutex);
  const Nanoseconds until = now() + most;
  const std::uint64_t taken = taken_;
  while (!woken_ && taken_ == taken) {
    Nanoseconds next = until;
    if (!inbox_.empty()) next = std::min(next, inbox_.begin()->first);
    const Nanoseconds left = next - now();
    if (left <= 0) break;
    arrived_.wait_for(lock, std::chrono::nanoseconds(left));
  }
  woken_ = false;
}

void Endpoint::wake() noexcept {
  const std::lock_guard lock(hub_->mutex);
  woken_ = true;
  arrived_.notify_one();
}

}  // namespace

void Hub::deliver(const std::shared_ptr<Link>& link, int to, Parcel parcel) {
  Link::End& end = link->ends[to];
  if (end.endpoint == nullptr) return;
  if (link->held) {
    link->waiting.emplace_back(to, std::move(parcel));
    return;
  }
  Nanoseconds due = 0;
  if (faults.most_delay > 0) due = std::max(end.last_due, now() + delay());
  end.last_due = due;
  end.endpoint->put(end.other, due, std::move(parcel));
}

std::vector<std::shared_ptr<Link>> Hub::between(std::string_view a, std::string_view b) {
  std::vector<std::shared_ptr<Link>> found;
  for (const std::weak_ptr<Link>& weak : links) {
    std::shared_ptr<Link> link = weak.lock();
    if (link == nullptr || link->ends[0].endpoint == nullptr || link->ends[1].endpoint == nullptr) continue;
    const std::string first = link->ends[0].endpoint->address();
    const std::string second = link->ends[1].endpoint->address();
    if ((first == a && second == b) || (first == b && second == a)) found.push_back(std::move(link));
  }
  return found;
}

InProcessNetwork::InProcessNetwork(WireFaults faults) : hub_(std::make_shared<Hub>(faults)) {}
InProcessNetwork::~InProcessNetwork() = default;

std::unique_ptr<Transport> InProcessNetwork::open() { return std::make_unique<Endpoint>(hub_); }

void InProcessNetwork::cut(std::string_view address_a, std::string_view address_b) {
  const std::lock_guard lock(hub_->mutex);
  for (const auto& link : hub_->between(address_a, address_b)) {
    link->held = false;
    link->waiting.clear();
    for (int i = 0; i < 2; ++i) hub_->deliver(link, i, Lost{"the link was cut"});
    for (Link::End& end : link->ends) end.endpoint = nullptr;
  }
}

void InProcessNetwork::hold(std::string_view address_a, std::string_view address_b) {
  const std::lock_guard lock(hub_->mutex);
  for (const auto& link : hub_->between(address_a, address_b)) link->held = true;
}

std::size_t InProcessNetwork::lose_held(std::string_view address_a, std::string_view address_b) {
  std::size_t lost = 0;
  const std::lock_guard lock(hub_->mutex);
  for (const auto& link : hub_->between(address_a, address_b))
    lost += std::erase_if(link->waiting, [](const auto& one) { return std::holds_alternative<Message>(one.second); });
  return lost;
}

void InProcessNetwork::release(std::string_view address_a, std::string_view address_b) {
  const std::lock_guard lock(hub_->mutex);
  for (const auto& link : hub_->between(address_a, address_b)) {
    link->held = false;
    auto waiting = std::exchange(link->waiting, {});
    for (auto& [to, parcel] : waiting) hub_->deliver(link, to, std::move(parcel));
  }
}

}  // namespace weft::comm
