#include "gpu/driver/ranges.hpp"
#include "gpu/memory/store.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace weft::gpu {

using detail::Entry;
using detail::Store;
using detail::Ticket;

// ---- DeviceBuffer

DeviceBuffer::DeviceBuffer(Buffer host) : entry_(std::make_shared<Entry>(host.size())) {
  entry_->host = std::move(host);
  entry_->host_valid = true;
}
std::size_t DeviceBuffer::size() const noexcept { return entry_ == nullptr ? 0 : entry_->size; }
Buffer DeviceBuffer::fetch() const {
  if (entry_ == nullptr) return {};
  return entry_->home() == nullptr ? entry_->host : entry_->home()->fetch(entry_);
}
bool DeviceBuffer::on_device() const noexcept {
  return entry_ != nullptr && entry_->home() != nullptr && entry_->home()->resident(*entry_);
}

bool DeviceBuffer::on_host() const noexcept {
  return entry_ == nullptr || entry_->home() == nullptr || entry_->home()->on_host(*entry_);
}

std::size_t weft_size_of(const DeviceBuffer& buffer) {
  return sizeof buffer + (buffer.on_device() || !buffer.on_host() ? 0 : buffer.size());
}

// ---- Work

namespace {

[[noreturn]] void refuse(const char* what) { throw DeviceError(std::string("gpu::Work: ") + what); }

/// The device that holds most of the inputs; among equals the one with the least to do.
std::shared_ptr<Store> choose(const Ticket& ticket) {
  const auto& all = detail::stores();
  if (all.empty()) throw DeviceError("no device for this work: " + why_no_device());
  if (ticket.wanted_device >= 0) {
    if (static_cast<std::size_t>(ticket.wanted_device) >= all.size())
      throw DeviceError("there is no device " + std::to_string(ticket.wanted_device) + ": this process has " +
                        std::to_string(all.size()));
    return all[static_cast<std::size_t>(ticket.wanted_device)];
  }
  // What failed is chosen where nothing else is left: then it says why.
  const auto works = [&](std::size_t i) { return all[i]->driver().failure().empty(); };
  std::vector<std::size_t> held(all.size());
  for (const auto& operand : ticket.operands)
    for (std::size_t i = 0; i < all.size(); ++i)
      if (operand.entry->home() == all[i] && all[i]->resident(*operand.entry)) held[i] += operand.entry->size;
  std::size_t best = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (works(best) != works(i)) {
      if (works(i)) best = i;
      continue;
    }
    if (held[i] > held[best] || (held[i] == held[best] && all[i]->active() < all[best]->active())) best = i;
  }
  return all[best];
}

/// An input whose bytes are of another device comes by way of the host.
void bring_home(Ticket& ticket) {
  for (auto& operand : ticket.operands) {
    if (operand.entry->settle(ticket.store)) continue;
    auto copy = std::make_shared<Entry>(operand.entry->size);
    copy->host = operand.entry->home()->fetch(operand.entry);
    copy->host_valid = true;
    copy->settle(ticket.store);
    operand.entry = std::move(copy);
  }
}

}  // namespace

Work::Work() : ticket_(std::make_shared<Ticket>()) {}
Work::Work(unsigned device) : Work() { ticket_->wanted_device = static_cast<int>(device); }
Work::~Work() {
  if (ticket_->store != nullptr) ticket_->store->abandon(*ticket_);
  if (ticket_->range != 0) end_range(ticket_->range);
}
void Work::name(std::string text) { ticket_->name = std::move(text); }

Work::Operand Work::input(const DeviceBuffer& buffer) {
  if (ticket_->store != nullptr) refuse("input() after begin(): declare all operands first");
  if (buffer.entry_ == nullptr) refuse("an input is empty: it was never made");
  Operand operand;
  operand.number = ticket_->operands.size();
  ticket_->operands.push_back({buffer.entry_, false});
  return operand;
}
Work::Operand Work::output(std::size_t bytes) {
  if (ticket_->store != nullptr) refuse("output() after begin(): declare all operands first");
  Operand operand;
  operand.number = ticket_->operands.size();
  ticket_->operands.push_back({std::make_shared<Entry>(bytes), true});
  return operand;
}

void Work::begin() {
  if (ticket_->store != nullptr) refuse("begin() twice: a work runs once");
  auto store = choose(*ticket_);
  ticket_->store = store;
  try {
    bring_home(*ticket_);
    store->begin(ticket_);
    ticket_->range = begin_range(ticket_->name);
  } catch (...) {
    ticket_->ended = true;
    throw;
  }
}
void* Work::data(Operand operand) const {
  if (ticket_->store == nullptr || !ticket_->granted) refuse("data() before begin()");
  if (ticket_->left || ticket_->ended) refuse("data() after finish(): the bytes may have moved to the host");
  return ticket_->operands.at(operand.number).entry->device;
}
void Work::join_batches() {
  if (ticket_->store != nullptr) refuse("join_batches() after begin(): say so first");
  ticket_->joins = true;
}
void Work::launch(const std::function<void(NativeStream)>& function) {
  if (!ticket_->granted || ticket_->left || ticket_->ended) refuse("launch() outside of begin() and finish()");
  Driver& driver = ticket_->store->driver();
  if (ticket_->joins) {
    ticket_->steps.emplace_back([&driver, function](StreamId stream) { function(driver.native(stream)); });
    return;
  }
  const auto start = std::chrono::steady_clock::now();
  function(driver.native(ticket_->stream));
  ticket_->launch_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (const std::string why = driver.refusal(); !why.empty())
    throw DeviceError(ticket_->store->text() + " refused what the work launched: " + why);
}
void Work::copy(Operand to, Operand from) {
  if (!ticket_->granted || ticket_->left || ticket_->ended) refuse("copy() outside of begin() and finish()");
  const auto& target = ticket_->operands.at(to.number);
  const auto& source = ticket_->operands.at(from.number);
  if (!target.output) refuse("copy() to an input: inputs never change");
  if (target.entry->size != source.entry->size) refuse("copy() between operands of different sizes");
  Driver& driver = ticket_->store->driver();
  const auto copy = [&driver, to = target.entry->device, from = source.entry->device, bytes = source.entry->size](
                        StreamId stream) { driver.copy(to, from, bytes, CopyWay::OnDevice, stream); };
  if (ticket_->joins)
    ticket_->steps.emplace_back(copy);
  else
    copy(ticket_->stream);
}
unsigned Work::device() const noexcept { return ticket_->store == nullptr ? 0 : ticket_->store->number(); }

void Work::finish() {
  if (!ticket_->granted) refuse("finish() before begin()");
  if (ticket_->left) refuse("finish() after leave(): nobody waits for its end");
  if (!ticket_->ended) ticket_->store->end(ticket_);
  if (ticket_->range != 0) end_range(std::exchange(ticket_->range, 0));
}
DeviceBuffer Work::finish(Operand operand) {
  finish();
  return output_at(operand);
}
void Work::leave() {
  if (ticket_->left) return;
  if (!ticket_->granted || ticket_->ended) refuse("leave() outside of begin() and finish()");
  if (ticket_->range != 0) end_range(std::exchange(ticket_->range, 0));
  ticket_->store->leave(ticket_);
}
DeviceBuffer Work::leave(Operand operand) {
  leave();
  return output_at(operand);
}
DeviceBuffer Work::output_at(Operand operand) const {
  const auto& it = ticket_->operands.at(operand.number);
  if (!it.output) refuse("finish() of an input: only outputs are results");
  DeviceBuffer buffer;
  buffer.entry_ = it.entry;
  return buffer;
}

}  // namespace weft::gpu
