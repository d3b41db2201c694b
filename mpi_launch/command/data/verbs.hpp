#pragma once

#include "mpi_launch/command/page.hpp"
#include "mpi_launch/command/say.hpp"

#include <weft/config.hpp>
#include <weft/error.hpp>

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// The verbs of the `weft` command that take files or lists: for people who write no program.
namespace weft {
class Client;
}

namespace weft::command::data {

/// The command line is wrong: exit 2.
class UsageError : public Error {
 public:
  using Error::Error;
};

struct OptionRow {
  const char* name;
  /// Nothing: the option is a flag.
  const char* value;
  const char* help;
};

struct Example {
  const char* command;
  const char* says;
};

class Given;

/// One line of the table that command lines are read by.
struct VerbRow {
  const char* name;
  const char* words;
  std::size_t least_words;
  std::size_t most_words;
  const char* summary;
  std::span<const Example> examples;
  std::span<const OptionRow> options;
  /// Returns the exit code.
  int (*run)(const Given& given);
  /// All ranks of a job take part; otherwise rank 0 does it alone.
  bool job = false;
};

/// What a command line gave.
/// Owns: its words.  Threading: constant.
class Given {
 public:
  /// Throws UsageError, which names the nearest option where one is misspelt.
  Given(const VerbRow& verb, int argc, char** argv);

  const std::vector<std::string>& words() const { return words_; }
  bool has(const std::string& option) const { return values_.count(option) != 0; }
  /// The last one that was given.
  std::string text(const std::string& option, const std::string& otherwise = {}) const;
  /// All that were given, those with commas cut there.
  std::vector<std::string> list(const std::string& option) const;
  /// All that were given, as they are.
  std::vector<std::string> all(const std::string& option) const;
  double number(const std::string& option, double otherwise) const;
  bool quiet() const { return has("quiet"); }
  bool json() const { return has("json"); }
  bool dry_run() const { return has("dry-run"); }
  /// The whole command as it was written, for a file's history.
  const std::string& line() const { return line_; }
  int argc() const { return static_cast<int>(argv_.size()); }
  const std::vector<std::string>& argv() const { return argv_; }

 private:
  std::vector<std::string> words_;
  std::map<std::string, std::vector<std::string>> values_;
  std::string line_;
  std::vector<std::string> argv_;
};

std::span<const VerbRow> verbs();
/// The options that every verb has.
std::span<const OptionRow> shared_options();

/// Runs what the command line asks for where its first word is a verb of files, and returns the exit code.
std::optional<int> run_verb(int argc, char** argv);

/// For help, manual and completions.
Page page_of(const VerbRow& verb);

/// Runs what computes in a client with the options of the command line and its --memory; returns the exit status.
int run_with_client(const Given& given, const std::function<int(Client&)>& job, Options options = {});

int run_info(const Given& given);
int run_head(const Given& given);
int run_compare(const Given& given);
int run_reduce(const Given& given);
int run_sample(const Given& given);
int run_convert(const Given& given);
int run_anomaly(const Given& given);
int run_regrid(const Given& given);
int run_each(const Given& given);

/// A word as a shell takes it.
std::string shell_word(const std::string& word);

}  // namespace weft::command::data
