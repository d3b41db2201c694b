#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace weft::cluster {

/// What is known of the time that tasks of a site take.
struct SiteTime {
  float ns = 0;             // of one task; 0: nothing is known
  std::uint32_t tasks = 0;  // that this was learnt from

  /// One short task alone tells of little but its own way there and back.
  bool is_sure() const { return tasks >= 64 || ns >= 500'000; }
  void learn(float one_ns, std::uint32_t count) {
    const float weight = std::max(0.25f, static_cast<float>(count) / static_cast<float>(count + tasks));
    ns += (one_ns + 1 - ns) * weight;
    tasks = std::min(tasks + count, 1u << 16);
  }
};

/// The times of all sites, learnt from packets that mix them.
/// Owns: a time a site.  Threading: none.
class SiteTimes {
 public:
  SiteTime of(std::uint32_t site) const { return site < times_.size() ? times_[site] : SiteTime{}; }

  /// Counts tasks of the packet that is learnt from next.
  void count(std::uint32_t site, std::uint32_t tasks) {
    const auto same =
        std::find_if(shares_.begin(), shares_.end(), [site](const Share& one) { return one.site == site; });
    if (same == shares_.end()) {
      shares_.push_back({site, tasks});
    } else {
      same->tasks += tasks;
    }
  }

  /// The packet whose tasks were counted took so long. What that differs from what was expected is laid on its sites by
  /// how many tasks of each there are, not by what they were thought to take: a site whose tasks were short before and
  /// have become long is found out by packets that mix it with others too. What no packet tells apart becomes equal.
  void learn(float run_ns) {
    float expected = 0;
    float squares = 0;
    float tasks = 0;
    bool all_known = true;
    for (const Share& share : shares_) {
      if (share.site >= times_.size()) times_.resize(share.site + 1);
      const auto count = static_cast<float>(share.tasks);
      all_known = all_known && times_[share.site].ns > 0;
      expected += times_[share.site].ns * count;
      squares += count * count;
      tasks += count;
    }
    for (const Share& share : shares_) {
      SiteTime& time = times_[share.site];
      const float seen = time.ns + (run_ns - expected) * static_cast<float>(share.tasks) / squares;
      const float mean = run_ns / tasks;
      time.learn(all_known ? std::max(seen, 0.0f) * (1 - kDrawn) + mean * kDrawn : mean, share.tasks);
    }
    shares_.clear();
  }

 private:
  /// How far a packet draws the times of its sites towards each other.
  static constexpr float kDrawn = 1.0f / 32;

  struct Share {
    std::uint32_t site;
    std::uint32_t tasks;
  };

  std::vector<SiteTime> times_;
  std::vector<Share> shares_;  // of the packet that is being learnt from
};

}  // namespace weft::cluster
