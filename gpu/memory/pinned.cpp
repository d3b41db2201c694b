#include "gpu/memory/store.hpp"

#include <fmt/format.h>

#include <map>
#include <mutex>

namespace weft::gpu {
namespace {

/// Pinned memory of the first device, kept for the next buffer of the same size: the system takes milliseconds to pin.
/// Owns: the blocks that nobody uses, up to kKept.  Threading: any thread.
class Pinned final : public MemoryResource {
 public:
  void* allocate(std::size_t bytes) override {
    const std::shared_ptr<detail::Store> store = first();
    {
      const std::lock_guard lock(mutex_);
      if (const auto block = idle_.find(bytes); block != idle_.end()) {
        void* const data = block->second;
        idle_.erase(block);
        kept_ -= bytes;
        return data;
      }
    }
    void* const data = store == nullptr ? nullptr : store->driver().allocate_pinned(bytes);
    if (data == nullptr)
      throw MemoryError(fmt::format("no {} bytes of pinned memory: {}", bytes,
                                    store == nullptr ? why_no_device() : "the system has not so much"));
    return data;
  }
  void deallocate(void* data, std::size_t bytes) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      if (kept_ + bytes <= kKept) {
        idle_.emplace(bytes, data);
        kept_ += bytes;
        return;
      }
    }
    if (const auto store = first()) store->driver().release_pinned(data);
  }
  const char* name() const noexcept override { return "pinned"; }
  bool host_accessible() const noexcept override { return true; }

 private:
  static constexpr std::size_t kKept = std::size_t{512} << 20;
  static std::shared_ptr<detail::Store> first() {
    return detail::stores().empty() ? nullptr : detail::stores().front();
  }

  std::mutex mutex_;
  std::multimap<std::size_t, void*> idle_;
  std::size_t kept_ = 0;
};

}  // namespace

MemoryResource& pinned_memory() {
  // Never destroyed: buffers may outlive everything else.
  static auto& memory = *new Pinned;
  return memory;
}

}  // namespace weft::gpu
