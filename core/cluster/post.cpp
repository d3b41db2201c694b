#include "core/cluster/post.hpp"

#include "core/diagnostics/assert.hpp"

#include <weft/error.hpp>

#include <algorithm>
#include <cstring>

namespace weft::cluster {
namespace {

/// Letters are collected up to about this size.
constexpr std::size_t kBatchBytes = 64 << 10;
constexpr std::size_t kPrefix = sizeof(std::uint32_t) + 1;
// What a block is, in the first byte of its header.
constexpr std::uint8_t kLetterBlock = 1;
constexpr std::uint8_t kValueBlock = 2;
/// A letter longer than this is damage, not work.
constexpr std::size_t kLongestLetter = std::size_t{1} << 40;

}  // namespace

Post::Post(std::unique_ptr<Transport> transport, Recipient& recipient)
    : transport_(std::move(transport)), recipient_(recipient), most_bytes_(transport_->most_message_bytes()) {
  transport_->set_listener(this);
}

Post::~Post() = default;

PeerId Post::connect(std::string_view address, const Hello& hello) {
  return transport_->connect(address, write_hello(hello));
}

Post::Out& Post::out(PeerId peer) { return outs_[peer]; }

Writer& Post::begin(PeerId peer, LetterKind kind) {
  Out& line = out(peer);
  line.letter = line.batch.size();
  line.batch.number(std::uint32_t{0});
  line.batch.number(kind);
  return line.batch;
}

void Post::end(PeerId peer) {
  Out& line = out(peer);
  const std::size_t size = line.batch.size() - line.letter;
  if (size > most_bytes_) {
    // Too long for a message: what stood before it goes first.
    Writer letter;
    letter.bytes(line.batch.data() + line.letter, size);
    send_batch(peer, line, line.letter);
    const std::uint64_t token = next_token_++;
    Outgoing& sent = outgoing_[token];
    sent.letter = std::move(letter);
    transport_->send_block(peer, std::span(reinterpret_cast<const std::byte*>(&kLetterBlock), 1), sent.letter.data(),
                           sent.letter.size(), MemoryKind::Host, token);
    return;
  }
  const auto length = static_cast<std::uint32_t>(size - kPrefix);
  std::memcpy(const_cast<std::byte*>(line.batch.data()) + line.letter, &length, sizeof length);
  if (line.batch.size() > most_bytes_) {
    Writer letter;
    letter.bytes(line.batch.data() + line.letter, size);
    send_batch(peer, line, line.letter);
    line.batch.bytes(letter.data(), letter.size());
  }
  if (line.batch.size() >= kBatchBytes) {
    send_batch(peer, line, line.batch.size());
  } else if (!line.waiting) {
    line.waiting = true;
    dirty_.push_back(peer);
  }
}

void Post::send_batch(PeerId peer, Out& line, std::size_t bytes) {
  if (bytes != 0) transport_->send(peer, std::span(line.batch.data(), bytes));
  line.batch.clear();
  line.letter = 0;
}

void Post::send_block(PeerId peer, const Writer& header, const void* data, std::size_t bytes,
                      std::function<void()> done) {
  // Letters written before it are read before it.
  Out& line = out(peer);
  if (line.batch.size() != 0) send_batch(peer, line, line.batch.size());
  Writer whole;
  whole.number(kValueBlock);
  whole.bytes(header.data(), header.size());
  const std::uint64_t token = next_token_++;
  outgoing_[token].done = std::move(done);
  transport_->send_block(peer, std::span(whole.data(), whole.size()), data, bytes, MemoryKind::Host, token);
}

void Post::close(PeerId peer) {
  flush();
  gone_[peer] = true;
  outs_.erase(peer);
  transport_->close(peer);
}

void Post::flush() {
  for (const PeerId peer : dirty_) {
    const auto found = outs_.find(peer);
    if (found == outs_.end()) continue;
    found->second.waiting = false;
    if (found->second.batch.size() != 0) send_batch(peer, found->second, found->second.batch.size());
  }
  dirty_.clear();
  transport_->flush();
}

bool Post::progress() { return transport_->progress(); }

// --- What comes --------------------------------------------------------------------------------------------------

template <class Call>
bool Post::guarded(PeerId peer, const Call& call) {
  try {
    call();
    return true;
  } catch (const Error& error) {
    reject(peer, std::string("it sent what cannot be read: ") + error.what());
  }
  return false;
}

void Post::reject(PeerId peer, std::string_view why) {
  if (gone_.contains(peer)) return;
  close(peer);
  lines_.erase(peer);
  recipient_.lost(peer, why);
}

void Post::peer_connected(PeerId peer, std::string_view hello) {
  guarded(peer, [&] { recipient_.connected(peer, hello); });
}

void Post::message(PeerId peer, std::span<const std::byte> bytes) {
  if (gone_.contains(peer)) return;
  const auto found = lines_.find(peer);
  if (found != lines_.end() && !found->second.waiting.empty()) {
    auto in = std::make_shared<In>();
    in->bytes.assign(bytes.begin(), bytes.end());
    in->arrived = true;
    found->second.waiting.push_back(std::move(in));
    return;
  }
  read(peer, bytes.data(), bytes.size());
}

/// Reads letters until the end; a length of zero is a long letter's and means: all that is there.
void Post::read(PeerId peer, const std::byte* bytes, std::size_t size) {
  std::size_t at = 0;
  while (at < size && !gone_.contains(peer)) {
    const bool well = guarded(peer, [&] {
      if (size - at < kPrefix) throw Error("a letter ends early");
      std::uint32_t length = 0;
      std::memcpy(&length, bytes + at, sizeof length);
      const auto kind = static_cast<std::uint8_t>(bytes[at + sizeof length]);
      if (kind == 0 || kind > kLastKind) throw Error("a letter is of no kind that there is");
      const std::size_t left = size - at - kPrefix;
      const std::size_t body = at == 0 && size > most_bytes_ ? left : length;
      if (body > left) throw Error("a letter ends early");
      Reader reader(bytes + at + kPrefix, body);
      at += kPrefix + body;
      recipient_.letter(peer, static_cast<LetterKind>(kind), reader);
    });
    if (!well) return;
  }
}

BlockTarget Post::block_offered(PeerId peer, std::span<const std::byte> header, std::size_t bytes) {
  BlockTarget target;
  if (gone_.contains(peer)) return target;
  guarded(peer, [&] {
    Reader reader(header.data(), header.size());
    const auto what = reader.number<std::uint8_t>("block");
    const std::uint64_t token = next_token_++;
    if (what == kLetterBlock) {
      if (bytes > kLongestLetter) throw Error("a letter of " + std::to_string(bytes) + " bytes");
      auto in = std::make_shared<In>();
      in->bytes.resize(bytes);
      incoming_[token] = {in, 0};
      target = {in->bytes.data(), MemoryKind::Host, token};
      lines_[peer].waiting.push_back(std::move(in));
      return;
    }
    if (what != kValueBlock) throw Error("a block is of no kind that there is");
    target = recipient_.block(peer, reader, bytes);
    if (target.data == nullptr) return;
    incoming_[token] = {nullptr, target.token};
    target.token = token;
  });
  return target;
}

void Post::block_arrived(PeerId peer, std::uint64_t token, bool ok) {
  const auto found = incoming_.find(token);
  WEFT_ASSERT(found != incoming_.end(), "a block that arrives was offered");
  const Incoming in = std::move(found->second);
  incoming_.erase(found);
  if (in.letter == nullptr) {
    guarded(peer, [&] { recipient_.block_ended(peer, in.token, ok); });
    return;
  }
  const auto line = lines_.find(peer);
  if (line == lines_.end()) return;
  // A letter that did not come whole: its peer is being lost, and nothing behind it may be read.
  if (ok) in.letter->arrived = true;
  if (ok) read_line(peer);
}

void Post::read_line(PeerId peer) {
  for (;;) {
    const auto found = lines_.find(peer);
    if (found == lines_.end() || gone_.contains(peer)) return;
    Line& line = found->second;
    if (line.waiting.empty() || !line.waiting.front()->arrived) return;
    const std::shared_ptr<In> first = std::move(line.waiting.front());
    line.waiting.pop_front();
    read(peer, first->bytes.data(), first->bytes.size());
  }
}

void Post::block_sent(PeerId, std::uint64_t token, bool) {
  const auto found = outgoing_.find(token);
  if (found == outgoing_.end()) return;
  const Outgoing sent = std::move(found->second);
  outgoing_.erase(found);
  if (sent.done) sent.done();
}

void Post::peer_lost(PeerId peer, std::string_view why) {
  outs_.erase(peer);
  lines_.erase(peer);
  if (gone_.contains(peer)) return;
  gone_[peer] = true;
  recipient_.lost(peer, why);
}

}  // namespace weft::cluster
