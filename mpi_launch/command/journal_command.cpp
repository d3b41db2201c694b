#include "mpi_launch/command/journal_command.hpp"

#include "core/config/values.hpp"
#include "core/journal/folder.hpp"
#include "core/memory/bytes_text.hpp"
#include "mpi_launch/command/say.hpp"
#include "mpi_launch/command/subcommands.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace weft::command {
namespace {

struct JournalWords {
  std::string folder;
  bool clean = false;
  std::string unused = "0s";
};

std::string time_text(std::int64_t seconds) {
  const auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

void list(const std::string& folder, bool json) {
  std::uint64_t bytes = 0, results = 0, damaged = 0;
  std::string rows;
  const std::vector<journal::SegmentLine> lines = journal::list_folder(folder);
  for (const journal::SegmentLine& line : lines) {
    bytes += line.file_bytes;
    results += line.results;
    damaged += line.damaged;
    const std::string name = std::filesystem::path(line.path).filename().string();
    if (json) {
      rows +=
          (rows.empty() ? "" : ",") + json_object({{"file", json_text(name)},
                                                   {"begun", json_text(time_text(line.begun_s))},
                                                   {"program", json_text(fmt::format("{:016x}", line.program.image))},
                                                   {"bytes", std::to_string(line.file_bytes)},
                                                   {"results", std::to_string(line.results)},
                                                   {"damaged", std::to_string(line.damaged)}});
    } else {
      rows += fmt::format("  {:19}  {:016x}  {:>8}  {:>10}  {:>7}  {}\n", time_text(line.begun_s), line.program.image,
                          line.results, bytes_text(line.file_bytes), line.damaged, name);
    }
  }
  if (json) {
    return print(json_object({{"folder", json_text(folder)},
                              {"results", std::to_string(results)},
                              {"bytes", std::to_string(bytes)},
                              {"damaged", std::to_string(damaged)},
                              {"files", "[" + rows + "]"}}) +
                 "\n");
  }
  std::string text =
      fmt::format("journal {}: {} results, {} in {} files", folder, results, bytes_text(bytes), lines.size());
  text += damaged == 0 ? "\n" : fmt::format(", {} places cannot be read\n", damaged);
  if (!rows.empty()) {
    text += fmt::format("  {:19}  {:16}  {:>8}  {:>10}  {:>7}  {}\n", "begun (UTC)", "program", "results", "size",
                        "damaged", "file") +
            rows;
  }
  print(text);
}

void look(const JournalWords& words, const Shared& shared) {
  if (!words.clean) return list(words.folder, shared.json);
  const double unused_for_s = parse_duration(words.unused);
  if (shared.dry_run) return print("would remove the files of " + words.folder + "\n");
  const std::uint64_t bytes = journal::clean_folder(words.folder, unused_for_s);
  if (shared.json) return print(json_object({{"removed_bytes", std::to_string(bytes)}}) + "\n");
  if (!shared.quiet) print("removed " + bytes_text(bytes) + "\n");
}

}  // namespace

void add_journal(CLI::App& app) {
  auto* sub = app.add_subcommand("journal", "Say what a journal (--weft-journal) holds, or remove what is old");
  auto words = std::make_shared<JournalWords>();
  sub->add_option("FOLDER", words->folder, "the journal's folder")->required();
  sub->add_flag("--clean", words->clean, "remove its results: programs begin anew");
  sub->add_option("--unused", words->unused,
                  "with --clean: only files that nobody has written to for so long: 7d, 12h (0s)")
      ->type_name("TIME");
  const auto shared = add_shared(*sub);
  sub->callback([words, shared] { look(*words, *shared); });
}

}  // namespace weft::command
