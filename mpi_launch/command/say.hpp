#pragma once

#include <string>
#include <utility>
#include <vector>

/// What subcommands write: to people, and to programs as JSON.
namespace weft::command {

/// Writes to standard output. Throws Error where that fails.
void print(const std::string& text);

/// Tells what is wrong with the words of the command line, which are the same on every rank: once. Returns `code`.
int complain(const std::string& sentence, int code);

/// Returns a string of JSON, with its quotation marks.
std::string json_text(const std::string& text);
/// NaN and infinities are null.
std::string json_number(double value);
/// An object of names and values that are JSON already.
std::string json_object(const std::vector<std::pair<std::string, std::string>>& members);
/// As people write it: shortest digits that give the value back.
std::string number_words(double value, bool single = false);

}  // namespace weft::command
