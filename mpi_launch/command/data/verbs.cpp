// Command lines of the verbs of files: parsing, and what is made from their table.
#include "mpi_launch/command/data/verbs.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>
#include <weft/remote.hpp>
#include <weft/run.hpp>
#include <weft/storage.hpp>

#include "core/config/nearest.hpp"
#include "core/config/values.hpp"
#include "mpi_launch/command/report/run_file.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <charconv>
#include <cstdio>
#include <exception>

namespace weft::command::data {
namespace {

const OptionRow* find_row(std::span<const OptionRow> rows, const std::string& name) {
  for (const OptionRow& row : rows) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

const OptionRow& option_of(const VerbRow& verb, const std::string& name) {
  if (const OptionRow* const own = find_row(verb.options, name)) return *own;
  if (const OptionRow* const shared = find_row(shared_options(), name)) return *shared;
  std::vector<std::string> names;
  for (const OptionRow& row : verb.options) names.emplace_back(row.name);
  for (const OptionRow& row : shared_options()) names.emplace_back(row.name);
  throw UsageError("weft " + std::string(verb.name) + ": unknown option --" + name + "; did you mean --" +
                   nearest_name(name, names) + "? (see weft " + verb.name + " --help)");
}

std::string signature(const OptionRow& row) {
  return command::signature({row.name, row.value == nullptr ? "" : row.value, ""});
}

}  // namespace

Given::Given(const VerbRow& verb, int argc, char** argv) {
  for (int i = 0; i < argc; ++i) {
    argv_.emplace_back(argv[i]);
    line_ += (i == 0 ? "weft" : " " + shell_word(io::shown_path(argv[i])));
  }
  // The options that every program of weft has are taken out and checked here, and used by the client.
  std::vector<char*> rest;
  std::vector<std::string> kept = argv_;
  for (std::string& word : kept) rest.push_back(word.data());
  int count = static_cast<int>(rest.size());
  rest.push_back(nullptr);
  resolve(count, rest.data());
  bool only_words = false;
  for (int i = 2; i < count; ++i) {
    const std::string word = rest[static_cast<std::size_t>(i)];
    if (only_words || word.size() < 2 || word[0] != '-') {
      words_.push_back(word);
      continue;
    }
    if (word == "--") {
      only_words = true;
      continue;
    }
    const std::size_t equals = word.find('=');
    const std::string name =
        word == "-h" ? "help"
                     : word.substr(word[1] == '-' ? 2 : 1,
                                   equals == std::string::npos ? std::string::npos : equals - (word[1] == '-' ? 2 : 1));
    const OptionRow& row = option_of(verb, name);
    if (row.value == nullptr) {
      if (equals != std::string::npos)
        throw UsageError("weft " + std::string(verb.name) + ": --" + name + " takes no value");
      values_[name];
    } else if (equals != std::string::npos) {
      values_[name].push_back(word.substr(equals + 1));
    } else if (i + 1 < count) {
      values_[name].emplace_back(rest[static_cast<std::size_t>(++i)]);
    } else {
      throw UsageError("weft " + std::string(verb.name) + ": --" + name + " needs a value: " + signature(row));
    }
  }
  if (has("help") || has("man")) return;
  if (has("memory")) parse_share(text("memory"));
  if (words_.size() < verb.least_words || words_.size() > verb.most_words) {
    throw UsageError("weft " + std::string(verb.name) + " takes " + verb.words + ", but " +
                     (words_.empty() ? "nothing" : std::to_string(words_.size()) + " names") + " came (see weft " +
                     verb.name + " --help)");
  }
}

std::string Given::text(const std::string& option, const std::string& otherwise) const {
  const auto found = values_.find(option);
  return found == values_.end() || found->second.empty() ? otherwise : found->second.back();
}

std::vector<std::string> Given::all(const std::string& option) const {
  const auto found = values_.find(option);
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::vector<std::string> Given::list(const std::string& option) const {
  std::vector<std::string> out;
  for (const std::string& value : all(option)) {
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (end > begin) out.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return out;
}

double Given::number(const std::string& option, double otherwise) const {
  if (!has(option)) return otherwise;
  const std::string value = text(option);
  double number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) {
    throw UsageError("--" + option + ": '" + value + "' is no number");
  }
  return number;
}

Page page_of(const VerbRow& verb) {
  Page page{verb.name, verb.words, verb.summary, {}, {}, {}};
  for (const Example& one : verb.examples) page.examples.push_back({one.command, one.says});
  for (const std::span<const OptionRow> rows : {verb.options, shared_options()}) {
    for (const OptionRow& row : rows)
      page.options.push_back({row.name, row.value == nullptr ? "" : row.value, row.help});
  }
  page.footer =
      "Options of every program of weft work too (--weft-threads=4): see weft config.\n"
      "Results go to standard output, messages to standard error. Exit: 0 done, 1 failed or different, 2 wrong\n"
      "command line, 75 the time of the batch job was over: run it again.";
  return page;
}

std::optional<int> run_verb(int argc, char** argv) {
  if (argc < 2) return {};
  const std::string name = argv[1];
  // Rank 0 speaks; `reduce` is what the others take part in.
  const bool first = launch::read_ranks().rank == 0;
  try {
    for (const VerbRow& verb : verbs()) {
      if (name != verb.name) continue;
      const Given given(verb, argc, argv);
      if (given.has("help") || given.has("man")) {
        if (first) print(given.has("man") ? manual_text(page_of(verb)) : help_text(page_of(verb)));
        return 0;
      }
      return first || verb.job ? verb.run(given) : 0;
    }
  } catch (const UsageError& error) {
    return complain(error.what(), 2);
  } catch (const ConfigError& error) {
    return complain("weft " + name + ": " + error.what(), 2);
  } catch (const std::exception& error) {
    return complain("weft " + name + ": " + error.what(), 1);
  }
  return {};
}

std::string shell_word(const std::string& word) {
  if (!word.empty() && word.find_first_of(" \t\r\n'\"\\$`*?[]{}()<>|&;#~!") == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

namespace {

/// What went wrong is told by the failure itself, also where no report can be made of it.
void write_report_of_failure(const std::optional<report::RunFile>& file) {
  try {
    if (file) file->write(1);
  } catch (const Error& error) {
    std::fprintf(stderr, "weft: no report of the run: %s\n", error.what());
  }
}

/// Returns whether somebody has said what is to be logged.
bool log_level_is_given(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  try {
    return resolve(argc, argv.data()).origin("log-level").source != Source::Default;
  } catch (const ConfigError&) {
    return true;  // the run will say it
  }
}

}  // namespace

int run_with_client(const Given& given, const std::function<int(Client&)>& job, Options options) {
  std::vector<std::string> words = given.argv();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  const int argc = static_cast<int>(argv.size());
  argv.push_back(nullptr);
  if (given.has("memory")) options.memory = Quantity(given.text("memory"));
  // Whoever reads that a file is damaged is not helped by the functions of weft that saw it.
  if (!log_level_is_given(words)) options.log_level = given.quiet() ? "error,stack=off" : "warning,stack=off";
  return weft::run(
      argc, argv.data(),
      [&](Client& client, const Args&) {
        std::optional<report::RunFile> file;
        if (given.has("report")) file.emplace(client, given.text("report"), given.line());
        int code = 2;
        try {
          code = job(client);
        } catch (const UsageError& error) {
          // Some words of the command line are understood only beside the data.
          std::fprintf(stderr, "%s\n", error.what());
        } catch (...) {
          write_report_of_failure(file);
          throw;
        }
        if (file) file->write(code);
        return code;
      },
      options);
}

}  // namespace weft::command::data
