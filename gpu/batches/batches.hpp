#pragma once

#include "gpu/batches/batch_choice.hpp"
#include "gpu/driver/driver.hpp"
#include "gpu/driver/watcher.hpp"

#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace weft::gpu {

/// A short work that is gathered: what it puts on the stream, and what came of it.
/// Owns: nothing.  Threading: whoever gathered it does not touch it until it ended.
struct ShortWork {
  /// Each puts something on the stream that it is given; called once, or once more where the first time was refused.
  std::vector<std::function<void(StreamId)>> steps;
  /// Why this work failed though the device goes on: a step threw, or the device refused a launch of it.
  std::exception_ptr problem;
};

/// What a batch came to.
struct BatchEnd {
  std::vector<std::shared_ptr<ShortWork>> works;
  bool failed = false;  // the device did
  GraphUse use = GraphUse::None;
  double launch_seconds = 0, device_seconds = 0;
};

/// Puts short works of one device on a stream of its own together, as one CUDA graph where that pays.
///
/// A work that comes while none of the gathered is under way goes at once; those that come while a batch runs are the
/// next one. So nobody waits for a batch to fill, and the more there is to do the larger batches get. Works go in the
/// order in which they were gathered.
/// Where a work of a batch cannot be captured, because its step throws or a launch is refused, the batch is put on the
/// stream one by one, which tells whose it was. A fault of a kernel is the device's, and fails all of them.
/// Owns: what is gathered, and the costs.  Threading: any thread; one mutex, not held while steps run. Steps run on the
/// thread that gathers or on the watcher's, one batch at a time.
class Batches {
 public:
  using Works = std::vector<std::shared_ptr<ShortWork>>;
  /// On the stream now; reached when they ended. Called by whoever launches.
  using Launched = std::function<void(const Works&, const Event&)>;
  /// Called on the watcher's thread.
  using Ended = std::function<void(const BatchEnd&)>;
  /// `feed`: the stream on which the inputs of all works were put before they were gathered.
  Batches(Driver& driver, Watcher& watcher, StreamId feed, Launched launched, Ended ended);

  void gather(std::shared_ptr<ShortWork> work);
  /// Has all that is gathered go now: somebody waits for it.
  void hurry();
  /// Takes a work back that has not gone to the stream; false where it has: then `ended` will tell.
  bool take_back(const ShortWork& work) noexcept;
  StreamId stream() const noexcept { return stream_; }

 private:
  void put_on();
  void launch(Works works);
  bool capture(const Works& works, GraphUse& use);
  void one_by_one(const Works& works);
  void book(const BatchEnd& batch);

  Driver& driver_;
  Watcher& watcher_;
  const StreamId feed_, stream_;
  const Launched launched_;
  const Ended ended_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<std::shared_ptr<ShortWork>> gathered_;
  unsigned under_way_ = 0;
  bool launching_ = false;
  std::size_t hurried_ = 0;  // of those gathered, the first so many do not wait for what is under way
  BatchCosts costs_;
};

}  // namespace weft::gpu
