// The report as a page.
#include "mpi_launch/command/report/report.hpp"

#include "core/diagnostics/write_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace weft::command::report {
namespace {

constexpr const char* kColours[] = {"#2c5d8f", "#b5654a", "#4f8f63", "#8a6fae",
                                    "#b39b3c", "#4c9aa3", "#a34c73", "#777777"};

/// A row a slot, a bar a task, coloured by stage.
std::string timeline(const Run& run) {
  constexpr double kWidth = 1000, kRow = 14;
  std::map<std::pair<std::string, std::int64_t>, std::size_t> rows;
  std::map<std::string, std::size_t> stages;
  for (const Task& one : run.tasks) rows.try_emplace({one.worker, one.slot}, 0);
  std::size_t row = 0;
  for (auto& [slot, number] : rows) number = row++;
  for (const Stage& one : run.stages) stages.try_emplace(one.name, stages.size());
  double end = run.seconds;
  for (const Task& one : run.tasks) end = std::max(end, one.start + one.seconds);
  std::string out =
      fmt::format("<svg viewBox=\"0 0 {} {}\" width=\"100%\">\n", kWidth, kRow * static_cast<double>(rows.size()) + 20);
  for (const Task& one : run.tasks) {
    const auto stage = stages.find(one.place.empty() ? one.name : one.place);
    const char* const colour =
        one.failed ? "#cc0000" : kColours[stage == stages.end() ? 7 : std::min<std::size_t>(stage->second, 7)];
    out += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{}\" width=\"{:.2f}\" height=\"{}\" fill=\"{}\"><title>{}: {:.4f} s</title></rect>\n",
        one.start / end * kWidth, kRow * static_cast<double>(rows[{one.worker, one.slot}]) + 1,
        std::max(0.3, one.seconds / end * kWidth), kRow - 2, colour, html_text(one.name), one.seconds);
  }
  return out + fmt::format(
                   "<text x=\"0\" y=\"{0}\" font-size=\"11\">0 s</text><text x=\"{1}\" y=\"{0}\" font-size=\"11\" "
                   "text-anchor=\"end\">"
                   "{2:.2f} s</text></svg>\n",
                   kRow * static_cast<double>(rows.size()) + 15, kWidth, end);
}

}  // namespace

std::string report_page(const Run& run, std::size_t most) {
  std::string bars;
  for (const Phase& one : run.phases) {
    if (one.share < 0.0005) continue;
    bars += fmt::format(
        "<tr><td>{}</td><td>{:.1f}%</td><td><div "
        "style=\"background:#2c5d8f;height:1em;width:{:.1f}em\"></div></td></tr>\n",
        html_text(one.name), one.share * 100, std::min(1.0, one.share) * 40);
  }
  return "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>weft "
         "report</title>\n<style>body{font-family:sans-serif;"
         "max-width:70em;margin:2em auto;color:#282828}td{padding:0 1em 0 "
         "0}pre{background:#f4f4f4;padding:1em;overflow:auto}</style>"
         "</head><body>\n<h1>weft report</h1>\n<p><code>" +
         html_text(run.command) + "</code></p>\n<p><b>Top bottleneck:</b> " + html_text(bottleneck_of(run).words) +
         "</p>\n<table>\n" + bars + "</table>\n<h2>Tasks</h2>\n" + timeline(run) + "<h2>All of it</h2>\n<pre>" +
         html_text(report_text(run, most)) + "</pre>\n</body></html>\n";
}

}  // namespace weft::command::report
