#include "gpu/driver/pretended_driver.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <utility>

namespace weft::gpu {
namespace {

class Pretended;

/// Owns: its thread.  Threading: add() from any; the rest is guarded by the device's mutex.
struct Stream {
  Pretended* device = nullptr;
  StreamId id = 0;
  std::deque<std::function<void()>> work;
  std::uint64_t recorded = 0, reached = 0;
  /// What is captured, and of which kinds it is.
  bool capturing = false;
  std::vector<std::function<void()>> captured;
  std::string shape;
  std::thread thread;
};

/// Owns: streams and memory.  Threading: any thread; one mutex, not held while functions run.
class Pretended final : public Driver {
 public:
  explicit Pretended(PretendedDevice device) : device_(device) {
    facts_.name = "pretended device";
    facts_.multiprocessors = 1;
    facts_.memory_bytes = device.memory_bytes;
  }
  ~Pretended() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (auto& stream : streams_) stream->thread.join();
    for (auto& [memory, bytes] : blocks_) std::free(memory);
  }

  const DeviceFacts& facts() const noexcept override { return facts_; }
  StreamId open_stream() override {
    const std::lock_guard lock(mutex_);
    auto stream = std::make_unique<Stream>();
    stream->device = this;
    stream->id = static_cast<StreamId>(streams_.size());
    stream->thread = std::thread([this, it = stream.get()] { run(*it); });
    streams_.push_back(std::move(stream));
    return streams_.back()->id;
  }
  NativeStream native(StreamId stream) noexcept override {
    const std::lock_guard lock(mutex_);
    return {streams_[stream].get(), &put_on_pretended, true};
  }

  void launch(Stream& stream, std::function<void()> function) {
    if (refuses_launch()) return;
    add(
        stream, [this, function = std::move(function)] { kernel(function); }, 'k');
  }

  void* allocate(std::size_t bytes, StreamId) noexcept override {
    std::unique_lock lock(mutex_);
    ++allocations_;
    if (allocations_ == device_.refuse_at ||
        (device_.refuse_every != 0 && allocations_ > device_.refuse_at && allocations_ % device_.refuse_every == 0))
      return nullptr;
    // As a stream-ordered pool does: what is to be released on any stream is waited for before the answer is no.
    changed_.wait(lock, [&] { return used_ + bytes <= device_.memory_bytes || releases_ == 0; });
    if (used_ + bytes > device_.memory_bytes) return nullptr;
    void* const memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
    if (memory == nullptr) return nullptr;
    // Whoever reads what nobody wrote, or what was released, shall see it.
    std::memset(memory, 0xdb, bytes);
    used_ += bytes;
    blocks_[memory] = bytes;
    return memory;
  }
  void release(void* memory, StreamId stream) noexcept override {
    {
      const std::lock_guard lock(mutex_);
      ++releases_;
    }
    add(*streams_[stream], [this, memory] {
      const std::lock_guard lock(mutex_);
      const auto block = blocks_.find(memory);
      std::memset(memory, 0xdd, block->second);
      used_ -= block->second;
      blocks_.erase(block);
      --releases_;
      std::free(memory);
    });
  }
  void* allocate_pinned(std::size_t bytes) noexcept override {
    return std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  }
  void release_pinned(void* memory) noexcept override { std::free(memory); }

  void copy(void* to, const void* from, std::size_t bytes, CopyWay, StreamId stream) noexcept override {
    add(
        *streams_[stream],
        [this, to, from, bytes] {
          if (failed()) return;
          std::memcpy(to, from, bytes);
          if (device_.copy_rate > 0)
            std::this_thread::sleep_for(std::chrono::duration<double>(static_cast<double>(bytes) / device_.copy_rate));
        },
        'c');
  }
  Event record(StreamId stream) noexcept override {
    Stream& it = *streams_[stream];
    const std::lock_guard lock(mutex_);
    const std::uint64_t number = ++it.recorded;
    it.work.emplace_back([this, &it, number] {
      const std::lock_guard inner(mutex_);
      it.reached = number;
    });
    changed_.notify_all();
    return {stream, number};
  }
  void wait(StreamId stream, const Event& event) noexcept override {
    if (event.stream == stream || event.number == 0) return;
    add(*streams_[stream], [this, event] {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return streams_[event.stream]->reached >= event.number; });
    });
  }
  EventState state(const Event& event) noexcept override {
    const std::lock_guard lock(mutex_);
    return state_of(event);
  }
  EventState synchronize(const Event& event) noexcept override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return state_of(event) != EventState::Pending; });
    return state_of(event);
  }
  bool begin_capture(StreamId stream) noexcept override {
    const std::lock_guard lock(mutex_);
    Stream& it = *streams_[stream];
    if (device_.no_graphs || !failure_.empty()) return false;
    it.capturing = true;
    return true;
  }
  GraphUse end_capture(StreamId stream, bool launch) noexcept override {
    Stream& it = *streams_[stream];
    std::vector<std::function<void()>> captured;
    GraphUse use = GraphUse::None;
    {
      const std::lock_guard lock(mutex_);
      it.capturing = false;
      captured = std::exchange(it.captured, {});
      const std::string shape = std::exchange(it.shape, {});
      if (!launch || ++graphs_ == device_.refuse_graph_at) return use;
      use = shapes_.insert(shape).second ? GraphUse::Made : GraphUse::Kept;
    }
    add(it, [captured = std::move(captured)] {
      for (const auto& function : captured) function();
    });
    return use;
  }
  std::string refusal() noexcept override {
    const std::lock_guard lock(mutex_);
    const auto mine = refusals_.find(std::this_thread::get_id());
    if (mine == refusals_.end()) return {};
    std::string why = std::move(mine->second);
    refusals_.erase(mine);
    return why;
  }
  std::uint32_t stamp(StreamId stream) noexcept override {
    std::uint32_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = ++stamps_given_;
    }
    add(*streams_[stream], [this, number] {
      const std::lock_guard lock(mutex_);
      stamps_[number] = std::chrono::steady_clock::now();
    });
    return number;
  }
  double seconds_between(std::uint32_t from, std::uint32_t to) noexcept override {
    const std::lock_guard lock(mutex_);
    const auto first = stamps_.find(from), second = stamps_.find(to);
    double seconds = 0;
    if (first != stamps_.end() && second != stamps_.end())
      seconds = std::chrono::duration<double>(second->second - first->second).count();
    return seconds;
  }
  void forget(std::uint32_t stamp) noexcept override {
    const std::lock_guard lock(mutex_);
    stamps_.erase(stamp);
  }
  std::string failure() const override {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  EventState state_of(const Event& event) const {
    if (event.number != 0 && streams_[event.stream]->reached < event.number) return EventState::Pending;
    return failure_.empty() || event.number == 0 ? EventState::Reached : EventState::Failed;
  }
  bool failed() const {
    const std::lock_guard lock(mutex_);
    return !failure_.empty();
  }
  /// `kind`: of what a graph may hold; 0: nothing of it.
  void add(Stream& stream, std::function<void()> function, char kind = 0) {
    {
      const std::lock_guard lock(mutex_);
      if (stream.capturing && kind != 0) {
        stream.captured.push_back(std::move(function));
        stream.shape += kind;
        return;
      }
      stream.work.push_back(std::move(function));
    }
    changed_.notify_all();
  }
  bool refuses_launch() {
    const std::lock_guard lock(mutex_);
    if (++launches_ != device_.refuse_launch_at) return false;
    refusals_[std::this_thread::get_id()] = "the launch was refused (pretended)";
    return true;
  }
  void kernel(const std::function<void()>& function) {
    std::string why;
    {
      const std::lock_guard lock(mutex_);
      if (!failure_.empty()) return;
      if (++kernels_ == device_.fault_at) why = "a kernel faulted (pretended)";
    }
    try {
      if (why.empty()) function();
    } catch (const std::exception& error) {
      why = std::string("a kernel faulted: ") + error.what();
    }
    if (why.empty()) return;
    const std::lock_guard lock(mutex_);
    failure_ = why;
  }
  void run(Stream& stream) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ending_ || !stream.work.empty(); });
      if (stream.work.empty()) return;
      const std::function<void()> next = std::move(stream.work.front());
      stream.work.pop_front();
      lock.unlock();
      next();
      changed_.notify_all();
      lock.lock();
    }
  }

  const PretendedDevice device_;
  DeviceFacts facts_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unordered_map<void*, std::size_t> blocks_;
  std::unordered_map<std::uint32_t, std::chrono::steady_clock::time_point> stamps_;
  std::uint32_t stamps_given_ = 0;
  std::size_t used_ = 0, releases_ = 0;
  std::uint64_t allocations_ = 0, kernels_ = 0, launches_ = 0, graphs_ = 0;
  /// Of graphs that were made, and of launches, by the thread that did them.
  std::set<std::string> shapes_;
  std::map<std::thread::id, std::string> refusals_;
  std::string failure_;
  bool ending_ = false;
};

}  // namespace

void put_on_pretended(void* stream, std::function<void()> function) {
  Stream& it = *static_cast<Stream*>(stream);
  it.device->launch(it, std::move(function));
}

std::unique_ptr<Driver> pretended_driver(PretendedDevice device) { return std::make_unique<Pretended>(device); }

}  // namespace weft::gpu
