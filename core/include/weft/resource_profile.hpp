#pragma once

#include <weft/timeout.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace weft {

class Client;

/// What a process used at one moment.
struct ResourceSample {
  /// Since the profile began.
  double seconds = 0;
  /// Processors it kept busy since the sample before.
  double busy_cores = 0;
  std::size_t resident_bytes = 0;
  /// Of the client's budget, and on disk.
  std::size_t used_bytes = 0;
  std::size_t spilled_bytes = 0;
  /// Of the client's own process: of the whole client. Of a worker's: its own; what is left is the client's.
  std::uint64_t tasks_done = 0;
  std::uint64_t tasks_left = 0;
};

struct ResourceProfileOptions {
  /// How often to look. Doubled, leaving out every other sample, whenever 10,000 have been kept.
  Seconds interval{0.1};
  /// In a job of several processes, look at the workers too: a small letter to each, and one back.
  bool workers = true;
};

/// Looks at what a client's processes use while it works: processors, memory, tasks.
///
///     ResourceProfile profile(client);
///     client.compute(work);
///     profile.write_html("profile.html");         // or write_csv, or samples()
///
/// In a job of several processes each worker has samples of its own.
/// Owns: a thread, and the samples.  Threading: any thread; it stops by itself when its client is closed.
class ResourceProfile {
 public:
  explicit ResourceProfile(const Client& client, const ResourceProfileOptions& options = {});
  ~ResourceProfile();
  ResourceProfile(const ResourceProfile&) = delete;
  ResourceProfile& operator=(const ResourceProfile&) = delete;

  /// Takes a last sample and no more.
  void stop();
  /// Returns what this process used.
  std::vector<ResourceSample> samples() const;
  /// Returns what the workers' processes used, by their names; none where they are this process.
  std::map<std::string, std::vector<ResourceSample>> worker_samples() const;
  /// Write a line a sample, or a page with a picture of each column that needs no other file. Throw ConfigError where
  /// the file cannot be written.
  void write_csv(const std::string& path) const;
  void write_html(const std::string& path) const;

  struct Parts;

 private:
  std::shared_ptr<Parts> parts_;  // shared with the list of those that a closing client stops
};

}  // namespace weft
