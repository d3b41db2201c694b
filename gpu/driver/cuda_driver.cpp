#include "gpu/driver/cuda_graphs.hpp"
#include "gpu/driver/driver.hpp"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

namespace weft::gpu {
namespace {

/// One CUDA device by the runtime's interface: streams, one stream-ordered pool that keeps what it has, events that are
/// used again.
/// Owns: streams, events.  Threading: any thread; a mutex for the events.
class CudaDevice final : public Driver {
 public:
  explicit CudaDevice(int index) : index_(index) {
    select();
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index));
    facts_.name = properties.name;
    facts_.major = properties.major;
    facts_.minor = properties.minor;
    facts_.multiprocessors = static_cast<unsigned>(properties.multiProcessorCount);
    char bus[32] = {};
    if (cudaDeviceGetPCIBusId(bus, sizeof bus, index) == cudaSuccess) facts_.bus = bus;
    std::size_t free_bytes = 0, all_bytes = 0;
    check(cudaMemGetInfo(&free_bytes, &all_bytes));
    facts_.memory_bytes = free_bytes;
    // Memory stays in the pool when a stream synchronizes: taking it from the system again would cost milliseconds.
    cudaMemPool_t pool{};
    std::uint64_t keep = UINT64_MAX;
    check(cudaDeviceGetDefaultMemPool(&pool, index));
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep));
  }
  ~CudaDevice() override {
    select();
    graphs_.clear();
    for (Stream& stream : streams_) {
      for (auto& [number, event] : stream.events) cudaEventDestroy(event);
      cudaStreamDestroy(stream.native);
    }
    for (cudaEvent_t event : idle_events_) cudaEventDestroy(event);
    for (cudaEvent_t event : stamps_) cudaEventDestroy(event);
  }

  const DeviceFacts& facts() const noexcept override { return facts_; }
  StreamId open_stream() override {
    select();
    Stream stream;
    check(cudaStreamCreateWithFlags(&stream.native, cudaStreamNonBlocking));
    const std::lock_guard lock(mutex_);
    streams_.push_back(std::move(stream));
    return static_cast<StreamId>(streams_.size() - 1);
  }
  NativeStream native(StreamId stream) noexcept override {
    select();  // the caller is about to launch on it
    return {native_of(stream), [](void* to, std::function<void()> function) {
              auto* const held = new std::function<void()>(std::move(function));
              const auto call = [](void* data) {
                const std::unique_ptr<std::function<void()>> it(static_cast<std::function<void()>*>(data));
                (*it)();
              };
              if (cudaLaunchHostFunc(static_cast<cudaStream_t>(to), call, held) != cudaSuccess) delete held;
            }};
  }

  void* allocate(std::size_t bytes, StreamId stream) noexcept override {
    select();
    void* memory = nullptr;
    const cudaError_t error = cudaMallocAsync(&memory, bytes, native_of(stream));
    if (error == cudaSuccess) return memory;
    cudaGetLastError();
    if (error != cudaErrorMemoryAllocation) note(error);
    return nullptr;
  }
  void release(void* memory, StreamId stream) noexcept override {
    select();
    note(cudaFreeAsync(memory, native_of(stream)));
  }
  void* allocate_pinned(std::size_t bytes) noexcept override {
    select();
    void* memory = nullptr;
    if (cudaHostAlloc(&memory, bytes, cudaHostAllocPortable) == cudaSuccess) return memory;
    cudaGetLastError();
    return nullptr;
  }
  void release_pinned(void* memory) noexcept override { cudaFreeHost(memory); }

  void copy(void* to, const void* from, std::size_t bytes, CopyWay way, StreamId stream) noexcept override {
    select();
    const cudaMemcpyKind kind = way == CopyWay::ToDevice ? cudaMemcpyHostToDevice
                                : way == CopyWay::ToHost ? cudaMemcpyDeviceToHost
                                                         : cudaMemcpyDeviceToDevice;
    const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, native_of(stream));
    if (!capturing_this(stream)) note(error);  // of a captured one its end tells
  }
  Event record(StreamId stream) noexcept override {
    select();
    note(last_error());  // a launch that was refused says so here, where nobody asked for its refusal()
    const std::lock_guard lock(mutex_);
    cudaEvent_t event = nullptr;
    if (idle_events_.empty()) {
      note_locked(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync));
    } else {
      event = idle_events_.back();
      idle_events_.pop_back();
    }
    Stream& it = streams_[stream];
    if (event != nullptr) note_locked(cudaEventRecord(event, it.native));
    it.events.emplace_back(++it.recorded, event);
    return {stream, it.recorded};
  }
  void wait(StreamId stream, const Event& event) noexcept override {
    if (event.stream == stream || event.number == 0) return;
    select();
    const std::lock_guard lock(mutex_);
    if (const cudaEvent_t native = find(event)) note_locked(cudaStreamWaitEvent(streams_[stream].native, native, 0));
  }
  EventState state(const Event& event) noexcept override {
    select();
    const std::lock_guard lock(mutex_);
    const cudaEvent_t native = find(event);
    if (native != nullptr && failure_.empty()) {
      const cudaError_t error = cudaEventQuery(native);
      if (error == cudaErrorNotReady) {
        cudaGetLastError();  // an answer, not an error that the next launch had
        return EventState::Pending;
      }
      note_locked(error);
      if (error == cudaSuccess) reach(event);
    }
    return failure_.empty() || event.number == 0 ? EventState::Reached : EventState::Failed;
  }
  EventState synchronize(const Event& event) noexcept override {
    select();
    cudaEvent_t native = nullptr;
    {
      const std::lock_guard lock(mutex_);
      native = failure_.empty() ? find(event) : nullptr;
    }
    // Used again meanwhile it would be reached later than asked for, never earlier.
    if (native != nullptr) note(cudaEventSynchronize(native));
    return state(event);
  }
  bool begin_capture(StreamId stream) noexcept override {
    select();
    // Other threads go on with calls that this one may not make meanwhile.
    if (cudaStreamBeginCapture(native_of(stream), cudaStreamCaptureModeThreadLocal) != cudaSuccess) {
      cudaGetLastError();
      return false;
    }
    const std::lock_guard lock(mutex_);
    streams_[stream].capturing = true;
    return true;
  }
  GraphUse end_capture(StreamId stream, bool launch) noexcept override {
    select();
    cudaGraph_t graph = nullptr;
    const bool whole = cudaStreamEndCapture(native_of(stream), &graph) == cudaSuccess && graph != nullptr;
    {
      const std::lock_guard lock(mutex_);
      streams_[stream].capturing = false;
    }
    const GraphUse use = whole && launch ? graphs_.launch(graph, native_of(stream)) : GraphUse::None;
    if (graph != nullptr) cudaGraphDestroy(graph);
    cudaGetLastError();  // whoever captured does without a graph then
    return use;
  }
  std::string refusal() noexcept override {
    select();
    const cudaError_t error = last_error();
    if (error == cudaSuccess) return {};
    // What stays when it was asked for is the device's failure.
    if (cudaPeekAtLastError() != cudaSuccess) note(error);
    return cudaGetErrorString(error);
  }
  std::uint32_t stamp(StreamId stream) noexcept override {
    select();
    const std::lock_guard lock(mutex_);
    if (idle_stamps_.empty()) {
      cudaEvent_t event = nullptr;
      if (cudaEventCreateWithFlags(&event, cudaEventDefault) != cudaSuccess) {
        cudaGetLastError();  // a time less, nothing else
        return 0;
      }
      stamps_.push_back(event);
      idle_stamps_.push_back(static_cast<std::uint32_t>(stamps_.size()));
    }
    const std::uint32_t number = idle_stamps_.back();
    idle_stamps_.pop_back();
    note_locked(cudaEventRecord(stamps_[number - 1], streams_[stream].native));
    return number;
  }
  double seconds_between(std::uint32_t from, std::uint32_t to) noexcept override {
    select();
    const std::lock_guard lock(mutex_);
    float milliseconds = 0;
    const bool told =
        from != 0 && to != 0 && cudaEventElapsedTime(&milliseconds, stamps_[from - 1], stamps_[to - 1]) == cudaSuccess;
    if (!told) cudaGetLastError();
    return told ? milliseconds * 1e-3 : 0;
  }
  void forget(std::uint32_t stamp) noexcept override {
    const std::lock_guard lock(mutex_);
    if (stamp != 0) idle_stamps_.push_back(stamp);
  }
  std::string failure() const override {
    const std::lock_guard lock(mutex_);
    return failure_;
  }

 private:
  struct Stream {
    cudaStream_t native = nullptr;
    std::uint64_t recorded = 0, reached = 0;
    bool capturing = false;
    std::deque<std::pair<std::uint64_t, cudaEvent_t>> events;
  };

  void select() const noexcept { cudaSetDevice(index_); }
  static void check(cudaError_t error) {
    if (error != cudaSuccess) throw DeviceError(cudaGetErrorString(error));
  }
  cudaStream_t native_of(StreamId stream) noexcept {
    const std::lock_guard lock(mutex_);
    return streams_[stream].native;
  }
  bool capturing_this(StreamId stream) {
    const std::lock_guard lock(mutex_);
    return streams_[stream].capturing;
  }
  /// An event that was not reached yet is no error, although it is kept like one.
  static cudaError_t last_error() noexcept {
    const cudaError_t error = cudaGetLastError();
    return error == cudaErrorNotReady ? cudaSuccess : error;
  }
  void note(cudaError_t error) noexcept {
    if (error == cudaSuccess) return;
    const std::lock_guard lock(mutex_);
    note_locked(error);
  }
  void note_locked(cudaError_t error) noexcept {
    if (error != cudaSuccess && failure_.empty()) failure_ = cudaGetErrorString(error);
  }
  /// Null once it was reached.
  cudaEvent_t find(const Event& event) const {
    const Stream& stream = streams_[event.stream];
    if (event.number <= stream.reached) return nullptr;
    const auto it = std::lower_bound(stream.events.begin(), stream.events.end(), event.number,
                                     [](const auto& one, std::uint64_t number) { return one.first < number; });
    return it == stream.events.end() ? nullptr : it->second;
  }
  void reach(const Event& event) {
    Stream& stream = streams_[event.stream];
    stream.reached = std::max(stream.reached, event.number);
    while (!stream.events.empty() && stream.events.front().first <= stream.reached) {
      if (stream.events.front().second != nullptr) idle_events_.push_back(stream.events.front().second);
      stream.events.pop_front();
    }
  }

  const int index_;
  DeviceFacts facts_;
  mutable std::mutex mutex_;
  std::deque<Stream> streams_;
  std::vector<cudaEvent_t> idle_events_;
  /// Events that note the time, by number less 1, and the numbers that are free.
  std::vector<cudaEvent_t> stamps_;
  std::vector<std::uint32_t> idle_stamps_;
  std::string failure_;
  /// Used by whoever captures, one thread at a time.
  CudaGraphs graphs_;
};

}  // namespace

std::vector<std::unique_ptr<Driver>> open_cuda_devices(std::string& why) {
  std::vector<std::unique_ptr<Driver>> drivers;
  int count = 0;
  if (const cudaError_t error = cudaGetDeviceCount(&count); error != cudaSuccess) {
    cudaGetLastError();
    why = std::string("CUDA finds no device: ") + cudaGetErrorString(error);
    return drivers;
  }
  for (int i = 0; i < count; ++i) {
    try {
      drivers.push_back(std::make_unique<CudaDevice>(i));
    } catch (const DeviceError& error) {
      why += (why.empty() ? "" : "; ") + ("device " + std::to_string(i) + " cannot be opened: ") + error.what();
    }
  }
  if (count == 0) why = "CUDA shows no device to this process (CUDA_VISIBLE_DEVICES)";
  return drivers;
}

}  // namespace weft::gpu
