#pragma once

#include <string>
#include <vector>

/// What help, manual pages and completions are made from: verbs of files and other subcommands alike.
namespace weft::command {

struct PageOption {
  std::string name;
  /// Empty: the option is a flag.
  std::string value;
  std::string help;
};

struct PageExample {
  std::string command;
  std::string says;
};

struct Page {
  std::string name;
  /// What follows the options.
  std::string words;
  std::string summary;
  std::vector<PageExample> examples;
  std::vector<PageOption> options;
  /// Said behind the options, in the help only.
  std::string footer;
};

std::string help_text(const Page& page);
/// In roff, for `man`.
std::string manual_text(const Page& page);
/// For bash, zsh or fish. Throws ConfigError for another shell.
std::string completions_text(const std::string& shell, const std::vector<Page>& pages);

/// How an option is written: "--top N".
std::string signature(const PageOption& option);

}  // namespace weft::command
