// One measured line: a JSON object, or a sentence for people.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {
struct LedgerReport;
}

namespace weft::bench {

/// The times of one thing measured several times. Never empty when asked.
/// Owns: the times.  Threading: none.
class Samples {
 public:
  void add(double seconds) { seconds_.push_back(seconds); }
  std::size_t count() const { return seconds_.size(); }
  double min() const;
  double median() const { return part(0.5); }
  /// Returns the sample at `part` (0 to 1) of the sorted ones.
  double part(double part) const;

 private:
  std::vector<double> seconds_;
};

/// What one measurement says.
/// Owns: its fields, in the order they were added.  Threading: none.
class Line {
 public:
  explicit Line(std::string_view name);

  Line& param(std::string_view key, std::int64_t value);
  Line& param(std::string_view key, std::string_view value);
  Line& number(std::string_view key, double value);
  Line& integer(std::string_view key, std::int64_t value);
  Line& flag(std::string_view key, bool value);
  Line& text(std::string_view key, std::string_view value);
  /// Adds seconds_min and seconds_median.
  Line& seconds(const Samples& samples);
  /// Adds the phases, in seconds, and what is unbooked, as a fraction of the slots' time.
  Line& ledger(const LedgerReport& report);
  /// Adds peak_rss_bytes of the process so far.
  Line& peak();

  std::string to_json() const;
  std::string to_text() const;

 private:
  using Fields = std::vector<std::pair<std::string, std::string>>;  // name and value as JSON
  std::string name_;
  Fields params_;
  Fields fields_;
};

/// Returns the resident memory of the process in bytes, and its high-water mark (VmHWM).
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();
/// Lets the high-water mark begin anew at what is resident now, where the system allows it.
void reset_peak_resident_bytes();

}  // namespace weft::bench
