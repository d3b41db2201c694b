#pragma once

#include <weft/gpu.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft::gpu {

/// A queue of work on a device: what was put on it runs in its order, beside the other streams.
using StreamId = std::uint32_t;

/// A place in a stream: reached when everything before it is done.
struct Event {
  StreamId stream = 0;
  std::uint64_t number = 0;  // counts from 1 within the stream; 0: reached before anything began
};

enum class EventState { Pending, Reached, Failed };

enum class CopyWay { ToDevice, ToHost, OnDevice };

/// How what was captured went to its stream: not at all, as a new graph, or as a graph of the same shape that was kept.
enum class GraphUse { None, Made, Kept };

/// One device, as the store and the works see it: memory in the order of streams, copies, kernels, events.
///
/// A failure of the device (a kernel that faults, a device that is gone) is sticky: every event after it is Failed, and
/// failure() says why. Calls other than `allocate` do not throw.
/// Owns: the device's streams, events and what was allocated.  Threading: any thread; the native stream, and one that
/// is being captured, is used by one thread at a time.
class Driver {
 public:
  virtual ~Driver() = default;
  virtual const DeviceFacts& facts() const noexcept = 0;

  virtual StreamId open_stream() = 0;
  virtual NativeStream native(StreamId stream) noexcept = 0;

  /// Returns memory that work put on `stream` from now on may use, null where the device has not so much left once the
  /// releases before it are done.
  virtual void* allocate(std::size_t bytes, StreamId stream) noexcept = 0;
  /// Gives it back once the work on `stream` has come so far.
  virtual void release(void* memory, StreamId stream) noexcept = 0;
  /// Host memory that the device reads and writes by itself; null where there is no more.
  virtual void* allocate_pinned(std::size_t bytes) noexcept = 0;
  virtual void release_pinned(void* memory) noexcept = 0;

  virtual void copy(void* to, const void* from, std::size_t bytes, CopyWay way, StreamId stream) noexcept = 0;
  virtual Event record(StreamId stream) noexcept = 0;
  /// Work put on `stream` from now on begins after `event`.
  virtual void wait(StreamId stream, const Event& event) noexcept = 0;
  virtual EventState state(const Event& event) noexcept = 0;
  /// Waits until the event is reached or failed.
  virtual EventState synchronize(const Event& event) noexcept = 0;

  /// Notes what is put on `stream` from now on, kernels and copies, instead of doing it; false where that cannot be.
  virtual bool begin_capture(StreamId stream) noexcept = 0;
  /// Ends that. `launch`: what was noted goes to the stream as one graph; None where the device cannot, and where it
  /// was told not to: then nothing of it will be done.
  virtual GraphUse end_capture(StreamId stream, bool launch) noexcept = 0;
  /// Returns why a launch of this thread was refused since the last call, and forgets it; "" where none was. The device
  /// goes on: nothing of that launch was done.
  virtual std::string refusal() noexcept = 0;

  /// Notes the device's time when the stream comes so far; 0 where that cannot be noted.
  virtual std::uint32_t stamp(StreamId stream) noexcept = 0;
  /// Returns the time between two stamps that were reached; 0 where one of them is 0 or the device failed.
  virtual double seconds_between(std::uint32_t from, std::uint32_t to) noexcept = 0;
  virtual void forget(std::uint32_t stamp) noexcept = 0;

  /// Returns what the device failed of, "" while it works.
  virtual std::string failure() const = 0;
};

/// Opens every device that CUDA shows this process; empty where there is none, and `why` says why not.
std::vector<std::unique_ptr<Driver>> open_cuda_devices(std::string& why);

/// Hears of a device that failed, before the work that needed it throws. A worker process ends there: CUDA lets no
/// process use such a device again, a new one may.
using FailureListener = void (*)(const std::string& why);
void set_failure_listener(FailureListener listener) noexcept;
void tell_failure(const std::string& why);

/// Replaces the devices of this process, for tests; no work may be under way.
void set_devices(std::vector<std::unique_ptr<Driver>> drivers, std::vector<std::size_t> budgets);

}  // namespace weft::gpu
