#include "core/cluster/books.hpp"

#include "core/cluster/letters.hpp"

#include <algorithm>

namespace weft::cluster {
namespace {

constexpr std::string_view kWhat = "books";

void write_seconds(Writer& writer, const PhaseSeconds& seconds) {
  for (const double one : seconds) writer.number(one);
}

void read_seconds(Reader& reader, PhaseSeconds& seconds) {
  for (double& one : seconds) one = reader.number<double>(kWhat);
}

/// Returns the mean of two figures that were taken from so many samples each.
double weighted(double a, std::uint64_t a_samples, double b, std::uint64_t b_samples) {
  const auto all = static_cast<double>(a_samples + b_samples);
  return all == 0 ? 0 : (a * static_cast<double>(a_samples) + b * static_cast<double>(b_samples)) / all;
}

}  // namespace

void write_books(Writer& writer, const LedgerReport& report) {
  writer.number(report.wall_seconds);
  writer.count(report.tasks);
  writer.count(report.slots);
  write_seconds(writer, report.seconds);
  writer.count(report.rows.size());
  for (const SlotRow& row : report.rows) {
    write_text(writer, row.name);
    writer.number(static_cast<std::uint8_t>(row.slot ? 1 : 0));
    writer.count(row.tasks);
    write_seconds(writer, row.seconds);
  }
  writer.count(report.moved.size());
  for (const MovedRow& row : report.moved) {
    write_text(writer, row.name);
    writer.count(row.results);
    writer.count(row.bytes);
  }
  writer.count(report.devices.size());
  for (const DeviceRow& row : report.devices) {
    write_text(writer, row.name);
    for (const double one :
         {row.launch_seconds, row.upload_seconds, row.kernel_seconds, row.download_seconds, row.evict_seconds})
      writer.number(one);
    for (const std::uint64_t one : {row.works, row.uploaded_bytes, row.downloaded_bytes, row.evicted_bytes})
      writer.count(one);
  }
  writer.count(report.samples);
  for (const double one : {report.inferred_kernel_seconds, report.sampled_p50_us, report.sampled_p99_us,
                           report.kernel_p50_us, report.kernel_p99_us})
    writer.number(one);
}

LedgerReport read_books(Reader& reader) {
  LedgerReport report;
  report.wall_seconds = reader.number<double>(kWhat);
  report.tasks = reader.count(kWhat);
  report.slots = static_cast<std::size_t>(reader.count(kWhat));
  read_seconds(reader, report.seconds);
  report.rows.resize(reader.elements(2 + sizeof(PhaseSeconds), kWhat));
  for (SlotRow& row : report.rows) {
    row.name = read_text(reader);
    row.slot = reader.number<std::uint8_t>(kWhat) != 0;
    row.tasks = reader.count(kWhat);
    read_seconds(reader, row.seconds);
  }
  report.moved.resize(reader.elements(3, kWhat));
  for (MovedRow& row : report.moved) {
    row.name = read_text(reader);
    row.results = reader.count(kWhat);
    row.bytes = reader.count(kWhat);
  }
  constexpr std::size_t kLeastOfDevice = 1 + 5 * sizeof(double) + 4;
  report.devices.resize(reader.elements(kLeastOfDevice, kWhat));
  for (DeviceRow& row : report.devices) {
    row.name = read_text(reader);
    for (double* const one :
         {&row.launch_seconds, &row.upload_seconds, &row.kernel_seconds, &row.download_seconds, &row.evict_seconds})
      *one = reader.number<double>(kWhat);
    for (std::uint64_t* const one : {&row.works, &row.uploaded_bytes, &row.downloaded_bytes, &row.evicted_bytes})
      *one = reader.count(kWhat);
  }
  report.samples = reader.count(kWhat);
  for (double* const one : {&report.inferred_kernel_seconds, &report.sampled_p50_us, &report.sampled_p99_us,
                            &report.kernel_p50_us, &report.kernel_p99_us})
    *one = reader.number<double>(kWhat);
  return report;
}

/// The run is as long as its longest books; the percentiles of several workers are the mean of their medians and the
/// worst of their tails.
void add_books(LedgerReport& all, const LedgerReport& of_worker, const std::string& worker) {
  all.wall_seconds = std::max(all.wall_seconds, of_worker.wall_seconds);
  all.tasks += of_worker.tasks;
  all.slots += of_worker.slots;
  for (std::size_t i = 0; i < kPhaseCount; ++i) all.seconds[i] += of_worker.seconds[i];
  for (SlotRow row : of_worker.rows) {
    row.name = worker + " " + row.name;
    all.rows.push_back(std::move(row));
  }
  for (DeviceRow row : of_worker.devices) {
    row.name = worker + " " + row.name;
    all.devices.push_back(std::move(row));
  }
  for (const MovedRow& row : of_worker.moved) {
    const auto same =
        std::find_if(all.moved.begin(), all.moved.end(), [&](const MovedRow& one) { return one.name == row.name; });
    if (same == all.moved.end()) {
      all.moved.push_back(row);
    } else {
      same->results += row.results;
      same->bytes += row.bytes;
    }
  }
  std::stable_sort(all.moved.begin(), all.moved.end(),
                   [](const MovedRow& a, const MovedRow& b) { return a.bytes > b.bytes; });
  all.sampled_p50_us = weighted(all.sampled_p50_us, all.samples, of_worker.sampled_p50_us, of_worker.samples);
  all.kernel_p50_us = weighted(all.kernel_p50_us, all.samples, of_worker.kernel_p50_us, of_worker.samples);
  all.sampled_p99_us = std::max(all.sampled_p99_us, of_worker.sampled_p99_us);
  all.kernel_p99_us = std::max(all.kernel_p99_us, of_worker.kernel_p99_us);
  all.inferred_kernel_seconds += of_worker.inferred_kernel_seconds;
  all.samples += of_worker.samples;
}

}  // namespace weft::cluster
