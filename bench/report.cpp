#include "bench/report.hpp"

#include <weft/ledger.hpp>
#include <weft/version.hpp>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

namespace weft::bench {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) out += c;
  }
  return out + '"';
}

std::string object(const std::vector<std::pair<std::string, std::string>>& fields) {
  std::string out = "{";
  for (const auto& [key, value] : fields) {
    if (out.size() > 1) out += ',';
    out += quoted(key) + ':' + value;
  }
  return out + '}';
}

std::int64_t status_bytes(const char* field) {
  std::FILE* file = std::fopen("/proc/self/status", "r");
  if (file == nullptr) return 0;
  char line[256];
  std::int64_t kib = 0;
  const std::size_t length = std::string_view(field).size();
  while (std::fgets(line, sizeof line, file) != nullptr) {
    if (std::string_view(line).starts_with(field)) std::sscanf(line + length, ": %" SCNd64, &kib);
  }
  std::fclose(file);
  return kib * 1024;
}

}  // namespace

double Samples::min() const { return *std::min_element(seconds_.begin(), seconds_.end()); }

double Samples::part(double part) const {
  std::vector<double> sorted = seconds_;
  std::sort(sorted.begin(), sorted.end());
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

Line::Line(std::string_view name) : name_(name) {}

Line& Line::param(std::string_view key, std::int64_t value) {
  params_.emplace_back(key, std::to_string(value));
  return *this;
}
Line& Line::param(std::string_view key, std::string_view value) {
  params_.emplace_back(key, quoted(value));
  return *this;
}
Line& Line::number(std::string_view key, double value) {
  fields_.emplace_back(key, number_text(value));
  return *this;
}
Line& Line::integer(std::string_view key, std::int64_t value) {
  fields_.emplace_back(key, std::to_string(value));
  return *this;
}
Line& Line::flag(std::string_view key, bool value) {
  fields_.emplace_back(key, value ? "true" : "false");
  return *this;
}
Line& Line::text(std::string_view key, std::string_view value) {
  fields_.emplace_back(key, quoted(value));
  return *this;
}

Line& Line::seconds(const Samples& samples) {
  return number("seconds_min", samples.min()).number("seconds_median", samples.median());
}

Line& Line::ledger(const LedgerReport& report) {
  Fields phases;
  for (std::size_t i = 0; i < kPhaseCount; ++i)
    phases.emplace_back(phase_name(static_cast<Phase>(i)), number_text(report.seconds[i]));
  fields_.emplace_back("ledger", object({{"phases", object(phases)},
                                         {"unbooked", number_text(report.unbooked_fraction())},
                                         {"wall_seconds", number_text(report.wall_seconds)},
                                         {"slots", std::to_string(report.slots)},
                                         {"tasks", std::to_string(report.tasks)},
                                         {"overhead_us_per_task", number_text(report.overhead_us_per_task())},
                                         {"sampling_rate", number_text(report.sampling_rate())}}));
  return *this;
}

Line& Line::peak() { return integer("peak_rss_bytes", peak_resident_bytes()); }

std::string Line::to_json() const {
  Fields all = {{"case", quoted(name_)}, {"params", object(params_)}, {"version", quoted(WEFT_VERSION_STRING)}};
  all.insert(all.end(), fields_.begin(), fields_.end());
  return object(all);
}

std::string Line::to_text() const {
  std::string out = name_;
  for (const auto& [key, value] : params_) out += " --" + key + ' ' + value;
  out += ':';
  for (const auto& [key, value] : fields_) out += "\n  " + key + ' ' + value;
  return out;
}

std::int64_t resident_bytes() { return status_bytes("VmRSS"); }
std::int64_t peak_resident_bytes() { return status_bytes("VmHWM"); }

void reset_peak_resident_bytes() {
  std::FILE* file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return;
  std::fputs("5", file);
  std::fclose(file);
}

}  // namespace weft::bench
