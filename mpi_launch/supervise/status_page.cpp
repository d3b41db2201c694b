#include "mpi_launch/supervise/status_page.hpp"

#include <weft/error.hpp>

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace weft::launch {

namespace {

constexpr unsigned kMostTold = 8;

StatusPage* map_page(int descriptor) {
  void* const place = ::mmap(nullptr, sizeof(StatusPage), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (place == MAP_FAILED) {
    throw Error(std::string("the status page of a worker cannot be mapped: ") + std::strerror(errno));
  }
  return static_cast<StatusPage*>(place);  // a fresh file is zeros, which is how a page begins
}

std::string text_of(const char* text, std::size_t size) { return {text, ::strnlen(text, size)}; }

}  // namespace

void StatusPage::say_last_words(std::string_view text) noexcept {
  if (has_last_words.exchange(true)) return;
  const std::size_t count = std::min(text.size(), last_words.size() - 1);
  std::memcpy(last_words.data(), text.data(), count);
  last_words[count] = '\0';
}

StatusMapping::StatusMapping() {
  descriptor_ = ::memfd_create("weft-status", MFD_CLOEXEC);
  if (descriptor_ < 0 || ::ftruncate(descriptor_, sizeof(StatusPage)) != 0) {
    throw Error(std::string("no memory for the status page of a worker: ") + std::strerror(errno));
  }
  page_ = map_page(descriptor_);
}

StatusMapping::StatusMapping(int descriptor) : page_(map_page(descriptor)), descriptor_(descriptor) {}

StatusMapping::~StatusMapping() {
  if (page_ != nullptr) ::munmap(page_, sizeof(StatusPage));
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::uint64_t machine_now_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void read_page(StatusPage& page, Death& death) {
  const std::uint64_t now = machine_now_ns();
  const auto before = [now](std::uint64_t then) { return then < now ? static_cast<double>(now - then) / 1e9 : 0.0; };
  for (unsigned i = 0; i < StatusPage::kSlots && death.tasks.size() < kMostTold; ++i) {
    const StatusPage::Slot& slot = page.tasks[i];
    const std::uint64_t since = slot.since_ns.load(std::memory_order_acquire);
    if (since == 0) continue;
    death.tasks.push_back({i, before(since), text_of(slot.text.data(), slot.text.size())});
  }
  const std::uint32_t samples = page.samples.load(std::memory_order_acquire);
  for (std::uint32_t i = samples > StatusPage::kSamples ? samples - StatusPage::kSamples : 0; i < samples; ++i) {
    const StatusPage::Sample& sample = page.memory[i % StatusPage::kSamples];
    death.memory.push_back(
        {before(sample.at_ns.load(std::memory_order_relaxed)), sample.resident_bytes.load(std::memory_order_relaxed)});
  }
  if (page.has_last_words.load()) death.last_words = text_of(page.last_words.data(), page.last_words.size());
  death.cannot_start = page.state.load() == WorkerState::CannotStart;
  death.to_restart = page.state.load() == WorkerState::Restarts;
}

}  // namespace weft::launch
