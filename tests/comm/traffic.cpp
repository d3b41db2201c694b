// A process that exchanges messages and blocks with others as fast as it can and checks each byte that counts. Driven
// by kill_test.cpp.
//
//   traffic PATH STALL_MS SEED [lie]     PATH: shm, tcp, tls, ucx; lie: one byte of what it sends is wrong
//
// For tls the folder WEFT_TEST_TLS has ca.pem, cert.pem and key.pem.
//
// Prints its address; reads one line with the addresses to connect to (may be empty); prints "met" for each peer that
// it has a connection with, "moving" after each 20 blocks that arrived, "lost WHY" for each peer that it loses; ends
// with 0 at the end of its input, with 2 and a sentence if anything that arrived was wrong.

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "comm/network_transport.hpp"

namespace weft {
namespace {

[[noreturn]] void wrong(const std::string& what) {
  std::fprintf(stderr, "traffic: %s\n", what.c_str());
  std::_Exit(2);
}

struct Header {
  std::uint64_t seed = 0;
  std::uint64_t bytes = 0;
};

std::uint64_t word_at(std::uint64_t seed, std::size_t at) { return (seed + at) * 0x9e3779b97f4a7c15u; }

void fill(std::vector<std::byte>& data, std::uint64_t seed) {
  for (std::size_t at = 0; at + 8 <= data.size(); at += 512) {
    const std::uint64_t word = word_at(seed, at);
    std::memcpy(data.data() + at, &word, sizeof word);
  }
}

void check(std::span<const std::byte> data, std::uint64_t seed) {
  for (std::size_t at = 0; at + 8 <= data.size(); at += 512) {
    std::uint64_t word;
    std::memcpy(&word, data.data() + at, sizeof word);
    if (word != word_at(seed, at)) wrong("a block differs at byte " + std::to_string(at));
  }
}

class Traffic final : public Transport::Listener {
 public:
  Traffic(std::unique_ptr<Transport> opened, unsigned seed, bool lies)
      : transport_(std::move(opened)), random_(seed), lies_(lies) {
    transport_->set_listener(this);
  }

  void peer_connected(PeerId peer, std::string_view) override {
    peers_[peer].open = true;
    say("met");
  }
  void message(PeerId peer, std::span<const std::byte> bytes) override {
    std::uint64_t number;
    if (bytes.size() < sizeof number) wrong("a short message");
    std::memcpy(&number, bytes.data(), sizeof number);
    Peer& state = known(peer);
    if (number != state.messages_in++) wrong("a message is missing or out of order");
    for (std::size_t i = sizeof number; i < bytes.size(); ++i)
      if (bytes[i] != static_cast<std::byte>(number)) wrong("a message differs");
  }
  BlockTarget block_offered(PeerId peer, std::span<const std::byte> header, std::size_t bytes) override {
    Header it;
    if (header.size() != sizeof it) wrong("a header differs");
    std::memcpy(&it, header.data(), sizeof it);
    if (it.bytes != bytes) wrong("a block's size differs from its header");
    const std::uint64_t token = next_token_++;
    auto& landing = known(peer).in[token];
    // One more: a block without bytes has a place, too, or it would not be wanted.
    landing = {it.seed, std::vector<std::byte>(bytes + 1)};
    return {landing.second.data(), MemoryKind::Host, token};
  }
  void block_arrived(PeerId peer, std::uint64_t token, bool ok) override {
    const auto found = known(peer).in.find(token);
    if (found == known(peer).in.end()) wrong("a block ended twice");
    if (ok) check(std::span(found->second.second).first(found->second.second.size() - 1), found->second.first);
    known(peer).in.erase(found);
    if (ok && ++blocks_ % 20 == 0) say("moving");
  }
  void block_sent(PeerId peer, std::uint64_t token, bool) override {
    const auto found = known(peer).out.find(token);
    if (found == known(peer).out.end()) wrong("a sent block ended twice");
    // Whoever still read from here would send this.
    std::memset(found->second.data(), 0xee, found->second.size());
    known(peer).out.erase(found);
  }
  void peer_lost(PeerId peer, std::string_view why) override {
    if (!known(peer).in.empty() || !known(peer).out.empty()) wrong("a peer was lost before its blocks had ended");
    peers_.erase(peer);
    say("lost " + std::string(why));
  }

  int run() {
    say(transport_->address());
    std::string line;
    for (char letter; ::read(0, &letter, 1) == 1 && letter != '\n';) line += letter;
    std::istringstream words(line);
    for (std::string address; words >> address;) peers_[transport_->connect(address, "traffic")];
    ::fcntl(0, F_SETFL, O_NONBLOCK);
    for (std::uint64_t turn = 0;; ++turn) {
      for (auto& [peer, state] : peers_)
        if (state.open) feed(peer, state);
      transport_->flush();
      const bool moved = transport_->progress();
      if (turn % 64 == 0 || !moved) {
        char letter;
        if (::read(0, &letter, 1) == 0) return 0;
      }
      if (!moved) transport_->sleep(5'000'000);
    }
  }

 private:
  struct Peer {
    bool open = false;
    std::uint64_t messages_in = 0, messages_out = 0;
    std::map<std::uint64_t, std::pair<std::uint64_t, std::vector<std::byte>>> in;
    std::map<std::uint64_t, std::vector<std::byte>> out;
  };

  Peer& known(PeerId peer) {
    const auto found = peers_.find(peer);
    if (found == peers_.end()) wrong("something came of a peer that is lost");
    return found->second;
  }

  void feed(PeerId peer, Peer& state) {
    if (state.out.size() >= 3) return;
    for (unsigned i = random_() % 8; i > 0; --i) {
      std::vector<std::byte> text(8 + (random_() % 50 == 0 ? random_() % 100'000 : random_() % 200),
                                  static_cast<std::byte>(state.messages_out));
      std::memcpy(text.data(), &state.messages_out, 8);
      ++state.messages_out;
      transport_->send(peer, text);
    }
    const Header header{random_(), random_() % 4 == 0 ? random_() % 3'000'000 : random_() % 20'000};
    const std::uint64_t token = next_token_++;
    auto& data = state.out[token];
    data.resize(header.bytes);
    fill(data, header.seed);
    if (lies_ && !data.empty()) data[0] ^= std::byte{1};
    transport_->send_block(peer, std::as_bytes(std::span(&header, 1)), data.data(), data.size(), MemoryKind::Host,
                           token);
  }

  static void say(const std::string& text) {
    const std::string line = text + "\n";
    [[maybe_unused]] const ssize_t wrote = ::write(1, line.data(), line.size());
  }

  std::map<PeerId, Peer> peers_;
  std::unique_ptr<Transport> transport_;
  std::mt19937 random_;
  const bool lies_;
  std::uint64_t next_token_ = 1;
  std::uint64_t blocks_ = 0;
};

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) return 1;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  weft::comm::NetworkOptions options;
  options.secret[0] = std::byte{9};
  options.shared_memory = std::string_view(argv[1]) == "shm";
  options.ucx = std::string_view(argv[1]) == "ucx" ? weft::comm::UseUcx::Always : weft::comm::UseUcx::Never;
  if (std::string_view(argv[1]) == "tls") {
    const std::string folder = std::getenv("WEFT_TEST_TLS");
    options.tls =
        weft::comm::open_tls(weft::comm::read_tls_files(folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem"));
  }
  options.stall_timeout = std::atoll(argv[2]) * 1'000'000;
  return weft::Traffic(weft::comm::open_network_transport(options), static_cast<unsigned>(std::atoi(argv[3])),
                       argc == 5)
      .run();
}
