#pragma once

#include <weft/buffer.hpp>
#include <weft/error.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft::gpu {

/// A device is absent, has failed, or has not the memory that a task needs.
class DeviceError : public Error {
 public:
  using Error::Error;
};

struct DeviceFacts {
  std::string name;
  /// As CUDA writes it: "0000:65:00.0"; "" where there is no bus.
  std::string bus;
  /// Compute capability, for example 9 and 0.
  int major = 0, minor = 0;
  unsigned multiprocessors = 0;
  std::size_t memory_bytes = 0;
};

/// The devices of this process: what CUDA_VISIBLE_DEVICES leaves of the machine's. Opens them at the first call.
const std::vector<DeviceFacts>& devices();
/// Returns why devices() is empty; "" where it is not.
std::string why_no_device();

/// Tells whether a device is there that has not failed.
bool usable();

/// What a device did and how full it is.
struct DeviceReport {
  std::size_t budget_bytes = 0, used_bytes = 0, peak_bytes = 0;
  std::size_t uploaded_bytes = 0, downloaded_bytes = 0;
  /// Copied to the host because something else needed the room, and how often.
  std::size_t evicted_bytes = 0;
  std::uint64_t evictions = 0;
  /// What the host holds now of what was evicted, and what was written to disk because there was no room there either.
  std::size_t host_bytes = 0, spilled_bytes = 0;
  /// Works that were begun, and those that had to wait for room first.
  std::uint64_t works = 0, waited = 0;
  /// Refused by the device although the budget had room.
  std::uint64_t short_of_memory = 0;
  /// Where the device's time went, summed over its streams, which run beside each other: copies of inputs to it, what
  /// works put on their streams, what was fetched, and what was evicted. And the host's: putting works on streams.
  double upload_seconds = 0, kernel_seconds = 0, download_seconds = 0, evict_seconds = 0, launch_seconds = 0;
  /// CUDA graphs that batches of works were launched as, those among them that took over one of the same shape, the
  /// works in them, and what they took of the host's time for launching and of the device's.
  std::uint64_t graphs = 0, graphs_kept = 0, graph_works = 0;
  double graph_launch_seconds = 0, graph_seconds = 0;
};
DeviceReport report(unsigned device = 0);
/// Keeps what weft holds on the device below this; at the start 90% of what was free.
void set_budget(unsigned device, std::size_t bytes);
/// Keeps what was evicted from the device to the host's memory below this; what is more goes to disk. At the start half
/// of what the process may use.
void set_host_budget(unsigned device, std::size_t bytes);

/// What moves between the host's pinned memory and a device, and on the device, measured with so many bytes.
struct LinkRates {
  double to_device = 0, to_host = 0;
  /// Bytes read and written.
  double on_device = 0;
  /// A work without anything in it, from begin() to the end of finish().
  double empty_work_seconds = 0;
};
LinkRates measure_link(unsigned device = 0, std::size_t bytes = std::size_t{64} << 20);

namespace detail {
struct Entry;
struct Ticket;
}  // namespace detail

/// A stream to put kernels on. `cuda()` is a cudaStream_t. `host()` puts a function of the host in the stream's order:
/// on a pretended device it stands for a kernel.
class NativeStream {
 public:
  using HostFunction = void (*)(void* stream, std::function<void()> function);
  NativeStream(void* stream, HostFunction put, bool pretended = false) noexcept
      : stream_(stream), host_(put), pretended_(pretended) {}
  /// Tells whether the device is one of tests, whose memory is the host's.
  bool pretended() const noexcept { return pretended_; }
  void* cuda() const noexcept { return stream_; }
  void host(std::function<void()> function) const { host_(stream_, std::move(function)); }

 private:
  void* stream_;
  HostFunction host_;
  bool pretended_;
};

/// Bytes that live on a device while there is room, and on the host otherwise. What tasks hand to each other so that a
/// kernel finds its input where the one before left it; to another process it goes through the host.
/// Owns: a share of the bytes; never changed once made.  Threading: copies on any thread.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  /// Takes the bytes of the host; the first work that uses them copies them to a device.
  explicit DeviceBuffer(Buffer host);
  std::size_t size() const noexcept;
  bool empty() const noexcept { return size() == 0; }
  /// Returns the bytes on the host; copies them from the device where they are nowhere else.
  Buffer fetch() const;
  /// Tells whether a device holds the bytes now.
  bool on_device() const noexcept;
  /// Tells whether the host does: fetch() copies nothing then.
  bool on_host() const noexcept;

 private:
  friend class Work;
  std::shared_ptr<detail::Entry> entry_;
};

/// What one task does on a device.
///
///     gpu::Work work;
///     auto x = work.input(buffer);            // declare everything first: nothing happens yet
///     auto y = work.output(bytes);
///     work.begin();                           // room for all of it at once, then the copies; may wait
///     work.launch([&](gpu::NativeStream s) { kernel<<<grid, block, 0, (cudaStream_t)s.cuda()>>>(...); });
///     return work.finish(y);                  // waits for the stream, lending the slot meanwhile
///
/// Room for all operands is reserved before any copy, so that two works never take each other's; where it is not there
/// the work waits its turn, and what was longest unused goes to the host. Throws DeviceError where no device is there,
/// where the work alone exceeds the budget, or when the device fails.
/// Owns: its stream and its reservation, until finish() or its end.  Threading: one thread.
class Work {
 public:
  /// Begins a work on the device with the least to do.
  Work();
  /// The same on this one.
  explicit Work(unsigned device);
  ~Work();
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;

  /// Names an operand; counted from 0 in the order of the calls.
  class Operand {
    friend class Work;
    std::size_t number = 0;
  };
  Operand input(const DeviceBuffer& buffer);
  Operand input(const Buffer& buffer) { return input(DeviceBuffer(buffer)); }
  Operand output(std::size_t bytes);
  /// Room that is needed while the work runs.
  Operand scratch(std::size_t bytes) { return output(bytes); }
  /// Says what profilers call the work (NVTX); "weft" where nothing was said.
  void name(std::string text);

  void begin();
  /// Returns where the operand lies on the device; valid between begin() and finish().
  void* data(Operand operand) const;
  template <class T>
  T* data(Operand operand) const {
    return static_cast<T*>(data(operand));
  }
  /// Says that the work is short, so that it may go to the device together with others, as one CUDA graph where that
  /// pays. Before begin(). What is launched is put on a stream after finish() or leave() was called, by any thread, and
  /// once more where a graph was refused: functions given to launch() do nothing else, make no call that a stream
  /// under capture forbids, and what they refer to lives until finish() returns; with leave() they own it.
  void join_batches();
  /// Calls `function` with the stream of this work; throws DeviceError where the device refuses what it launches.
  void launch(const std::function<void(NativeStream)>& function);
  /// Copies an operand's bytes to another of the same size, in the order of what was launched.
  void copy(Operand to, Operand from);
  unsigned device() const noexcept;

  /// Waits until everything launched is done and returns the output. May be called for each output.
  DeviceBuffer finish(Operand operand);
  /// The same for a work without outputs.
  void finish();
  /// Ends the work without waiting for the device. May be called for each output. Works that take the output follow in
  /// the device's order; who fetches it waits. What goes wrong meanwhile is told to those.
  DeviceBuffer leave(Operand operand);
  void leave();

 private:
  DeviceBuffer output_at(Operand operand) const;
  std::shared_ptr<detail::Ticket> ticket_;
};

/// An array of T in a DeviceBuffer.
template <class T>
struct DeviceChunk {
  DeviceBuffer buffer;
  std::size_t size() const noexcept { return buffer.size() / sizeof(T); }
  Chunk<T> fetch() const { return Chunk<T>(buffer.fetch()); }
};

/// What the value takes of the host's memory: nothing while a device alone holds the bytes.
std::size_t weft_size_of(const DeviceBuffer& buffer);

/// Host memory that devices read and write by themselves, at the full rate of the link: for buffers that go to and fro.
/// Ordinary memory where there is no device.
MemoryResource& pinned_memory();

}  // namespace weft::gpu

namespace weft {

/// Goes to other processes as its bytes, by way of the host.
template <>
struct Codec<gpu::DeviceBuffer> {
  using Parts = Types<Buffer>;
  static void write(Writer& writer, const gpu::DeviceBuffer& value) { Codec<Buffer>::write(writer, value.fetch()); }
  static void read(Reader& reader, gpu::DeviceBuffer& value) {
    Buffer bytes;
    Codec<Buffer>::read(reader, bytes);
    value = gpu::DeviceBuffer(std::move(bytes));
  }
};

}  // namespace weft
