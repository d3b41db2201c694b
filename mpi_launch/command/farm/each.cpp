// `weft each`: a command for each line of a list.
//
// 1. `read_items` reads the list, `plan` leaves out what the journal says is done. 2. `feed` keeps a few items for each
// slot under way: a task runs a child process and returns how it ended. 3. `take` prints, notes and counts what ended;
// what failed and has tries left goes back to the queue. 4. `tell` names what failed.
#include "core/config/values.hpp"
#include "mpi_launch/command/data/verbs.hpp"
#include "mpi_launch/command/farm/child.hpp"
#include "mpi_launch/command/farm/descendants.hpp"
#include "mpi_launch/command/farm/journal.hpp"
#include "mpi_launch/command/farm/pattern.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <weft/client.hpp>
#include <weft/completed.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

namespace weft::command::data {
namespace {

using farm::ChildEnd;
using farm::ChildOrders;
using Clock = std::chrono::steady_clock;

struct Item {
  std::string text;
  /// From 1 on, in the whole list.
  std::uint64_t number = 0;
  std::string command;
  std::uint64_t tries = 0;
};

struct UnderWay {
  Item item;
  Future<ChildEnd> future;
};

/// Bytes that are no characters become U+FFFD: JSON holds characters.
std::string as_characters(const std::string& bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto first = static_cast<unsigned char>(bytes[at]);
    const std::size_t length = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    bool whole = length > 0 && at + length <= bytes.size() && first != 0xc0 && first != 0xc1;
    for (std::size_t i = 1; whole && i < length; ++i) whole = (static_cast<unsigned char>(bytes[at + i]) >> 6) == 2;
    out += whole ? bytes.substr(at, length) : "\xef\xbf\xbd";
    at += whole ? length : 1;
  }
  return out;
}

std::string json_of(const std::string& text) { return json_text(as_characters(text)); }

std::string counted(std::uint64_t count, const char* noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

class Farm {
 public:
  explicit Farm(const Given& given)
      : given_(given),
        pattern_(given.words()[0]),
        journal_(given.text("journal"), given.dry_run() || !given.has("journal")),
        retries_(count_of("retries", 0)),
        cores_(count_of("cores", 1)),
        halt_(given.has("halt") ? count_of("halt", 1) : 0),
        delay_(seconds_of("retry-delay")),
        longest_(seconds_of("timeout")) {
    if (given.has("cores") && cores_ == 0) throw UsageError("weft each: --cores takes a number from 1 on");
    if (given.has("halt") && halt_ == 0) throw UsageError("weft each: --halt takes a number from 1 on");
  }

  int show_plan() {
    plan(read_items());
    std::string text;
    for (const Item& one : waiting_) {
      text += given_.json() ? "{\"number\":" + std::to_string(one.number) + ",\"item\":" + json_of(one.text) +
                                  ",\"command\":" + json_of(one.command) + "}\n"
                            : one.command + "\n";
    }
    print(text);
    if (!given_.quiet()) {
      std::fprintf(stderr, "weft each: %s would run, %llu are done\n", counted(waiting_.size(), "command").c_str(),
                   static_cast<unsigned long long>(done_before_));
    }
    return 0;
  }

  int run(Client& client) {
    plan(read_items());
    make_results_folder();
    client_ = &client;
    begin_ = told_ = Clock::now();
    try {
      feed();
      while (std::optional<Future<ChildEnd>> next = running_.next()) {
        take(*next);
        feed();
        tell_progress();
      }
    } catch (...) {
      // The time of the job is over, or something broke: what is done stands in the journal.
      print_in_order(true);
      tell();
      throw;
    }
    print_in_order(true);
    return tell();
  }

 private:
  std::uint64_t count_of(const char* option, std::uint64_t otherwise) const {
    if (!given_.has(option)) return otherwise;
    const double value = given_.number(option, 0);
    if (!(value >= 0 && value < 1e9 && value == static_cast<double>(static_cast<std::uint64_t>(value)))) {
      throw UsageError(std::string("weft each: --") + option + " takes a number of things, and '" +
                       given_.text(option) + "' is none");
    }
    return static_cast<std::uint64_t>(value);
  }
  double seconds_of(const char* option) const {
    try {
      return given_.has(option) ? parse_duration(given_.text(option)) : 0;
    } catch (const ConfigError& error) {
      throw UsageError(std::string("weft each: --") + option + ": " + error.what());
    }
  }

  std::vector<std::string> read_items() const {
    const auto& words = given_.words();
    if (words.size() > 1) {
      // As GNU parallel has it: COMMAND ::: ITEM...
      const auto first = words.begin() + (words[1] == ":::" ? 2 : 1);
      return {first, words.end()};
    }
    if (given_.has("list")) {
      const std::string name = given_.text("list");
      std::ifstream file(name, std::ios::binary);
      if (!file) throw Error("'" + name + "': there is no such list");
      return items_of(file);
    }
    if (::isatty(0) != 0) {
      throw UsageError(
          "weft each: no items: send a list to its standard input (weft each 'gzip {}' < list.txt), or "
          "name them behind the command");
    }
    return items_of(std::cin);
  }

  std::vector<std::string> items_of(std::istream& stream) const {
    const bool null = given_.has("null");
    std::vector<std::string> items;
    for (std::string line; std::getline(stream, line, null ? '\0' : '\n');) {
      while (!null && !line.empty() && line.back() == '\r') line.pop_back();
      if (!line.empty()) items.push_back(line);
    }
    return items;
  }

  void plan(const std::vector<std::string>& items) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      std::string command = pattern_.command(items[i], i + 1);
      if (journal_.take_done(command)) {
        ++done_before_;
      } else {
        waiting_.push_back({items[i], i + 1, std::move(command), 0});
      }
    }
    for (const Item& one : waiting_) order_.push_back(one.number);
    all_ = items.size();
  }

  void make_results_folder() const {
    if (!given_.has("results")) return;
    const std::string folder = given_.text("results");
    if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST) {
      throw Error("the folder '" + folder + "' cannot be made: " + std::strerror(errno));
    }
  }

  ChildOrders orders_of(const Item& item) const {
    ChildOrders orders{item.command, item.tries > 0 ? delay_ : 0, longest_, {}, {}, cores_ > 1};
    if (given_.has("results")) {
      const std::string stem = given_.text("results") + "/" + std::to_string(item.number);
      orders.out_file = stem + ".out";
      orders.err_file = stem + ".err";
    }
    return orders;
  }

  /// Keeps all slots busy, and little more under way: what is stopped or lost then is little, too.
  void feed() {
    if (halted_) return;
    const std::size_t window = 4 * static_cast<std::size_t>(client_->slots()) + 16;
    while (!waiting_.empty() && items_.size() < window) {
      Item item = std::move(waiting_.front());
      waiting_.pop_front();
      // Asking for slots makes each command a packet of its own: a lost worker costs those that it ran, and no others.
      Future<ChildEnd> future =
          client_->with({.resources = {{"slots", static_cast<std::uint32_t>(cores_)}}, .name = "each " + item.text})
              .submit(&farm::run_child, orders_of(item));
      items_.emplace(future.task_id(), UnderWay{std::move(item), future});
      running_.add(std::move(future));
    }
  }

  void take(const Future<ChildEnd>& future) {
    const auto at = items_.find(future.task_id());
    Item item = std::move(at->second.item);
    items_.erase(at);
    ++item.tries;
    ChildEnd end;
    try {
      end = future.result();
    } catch (const TaskError& error) {
      end.code = 1;
      end.trouble = error.what();
    } catch (const CancelledError&) {
      if (!halted_) throw;
      end.stopped = true;
    }
    if (end.stopped) return;
    const bool again = !end.good() && item.tries <= retries_ && !halted_;
    if (!end.good()) show_errors(item, end, again);
    if (again) {
      ++retried_;
      waiting_.push_front(std::move(item));
      return;
    }
    journal_.add(json_line(item, end, false));
    end.good() ? ++done_ : ++failed_;
    if (!end.good()) {
      if (failures_.size() < kMostNamed) failures_.push_back(failure_text(item, end));
      if (halt_ > 0 && failed_ >= halt_) stop();
    } else {
      show_errors(item, end, false);
    }
    ended_.emplace(item.number, std::make_pair(std::move(item), std::move(end)));
    print_in_order(false);
  }

  void stop() {
    halted_ = true;
    for (const auto& [task, one] : items_) one.future.cancel();
  }

  /// Prints what has ended: at once, or as far as its turn has come. `all`: whatever is left.
  void print_in_order(bool all) {
    if (!given_.has("keep-order") || all) {
      for (const auto& [number, one] : ended_) print_one(one.first, one.second);
      ended_.clear();
      return;
    }
    for (auto at = ended_.begin(); at != ended_.end() && !order_.empty() && at->first == order_.front();) {
      print_one(at->second.first, at->second.second);
      at = ended_.erase(at);
      order_.pop_front();
    }
  }

  void print_one(const Item& item, const ChildEnd& end) const {
    if (given_.json()) return print(json_line(item, end, true) + "\n");
    if (end.out.empty()) return;
    print(given_.has("tag") ? with_prefix(item.text + "\t", end.out) : end.out + (end.out.back() == '\n' ? "" : "\n"));
  }

  static std::string with_prefix(const std::string& prefix, const std::string& text) {
    std::string out;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      out += prefix + text.substr(begin, end - begin) + "\n";
      begin = end + 1;
    }
    return out;
  }

  /// What a command wrote to its standard error, with the item before each line.
  void show_errors(const Item& item, const ChildEnd& end, bool again) const {
    if (given_.json() && !again) return;
    std::string text = given_.has("results") ? "" : with_prefix("[" + item.text + "] ", end.err);
    if (again && !given_.quiet()) text += "[" + item.text + "] " + how_it_ended(end) + "; it is run again\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
  }

  static std::string how_it_ended(const ChildEnd& end) {
    if (!end.trouble.empty()) return end.trouble;
    if (end.signal != 0) return "signal " + std::to_string(end.signal);
    return "exit " + std::to_string(end.code);
  }

  static std::string failure_text(const Item& item, const ChildEnd& end) {
    std::string text = "  " + item.text + ": " + how_it_ended(end);
    if (item.tries > 1) text += " in each of " + std::to_string(item.tries) + " tries";
    const std::size_t last = end.err.find_last_not_of("\n");
    if (last != std::string::npos && end.trouble.empty()) {
      const std::size_t line = end.err.rfind('\n', last);
      text += ": " + end.err.substr(line == std::string::npos ? 0 : line + 1, last - line).substr(0, 200);
    }
    return text + "\n";
  }

  std::string json_line(const Item& item, const ChildEnd& end, bool with_output) const {
    std::string line = "{\"item\":" + json_of(item.text) + ",\"number\":" + std::to_string(item.number) +
                       ",\"command\":" + json_of(item.command) + ",\"exit\":" + std::to_string(end.code);
    if (end.signal != 0) line += ",\"signal\":" + std::to_string(end.signal);
    if (!end.trouble.empty()) line += ",\"trouble\":" + json_of(end.trouble);
    line += ",\"seconds\":" + json_number(end.seconds) + ",\"tries\":" + std::to_string(item.tries) +
            ",\"host\":" + json_of(end.host);
    if (with_output) line += ",\"out\":" + json_of(end.out) + ",\"err\":" + json_of(end.err);
    return line + "}";
  }

  void tell_progress() {
    const Clock::time_point now = Clock::now();
    if (given_.quiet() || now - told_ < std::chrono::seconds(10)) return;
    told_ = now;
    std::fprintf(stderr, "weft each: %llu of %llu ended, %llu failed, %.0f s\n", counts(done_before_ + done_ + failed_),
                 counts(all_), counts(failed_), seconds());
  }

  static unsigned long long counts(std::uint64_t number) { return number; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

  int tell() const {
    const std::uint64_t left = all_ - done_before_ - done_ - failed_;
    std::string text = "weft each: " + std::to_string(done_) + " of " + std::to_string(all_) + " done";
    if (done_before_ > 0) text += ", " + std::to_string(done_before_) + " were done before";
    if (retried_ > 0) text += ", " + counted(retried_, "failure") + " tried again";
    if (failed_ > 0) text += ", " + std::to_string(failed_) + " failed";
    if (left > 0) text += ", " + std::to_string(left) + " not run";
    char time[32];
    std::snprintf(time, sizeof time, ", %.1f s\n", seconds());
    text += time;
    for (const std::string& one : failures_) text += one;
    if (failed_ > failures_.size()) text += "  and " + std::to_string(failed_ - failures_.size()) + " more\n";
    if (left > 0 || failed_ > 0) {
      text += journal_.used() ? "  run it again: what is done is left out\n"
                              : "  with --journal FILE it could be run again and leave out what is done\n";
    }
    if (!given_.quiet() || failed_ > 0 || left > 0) std::fwrite(text.data(), 1, text.size(), stderr);
    return failed_ > 0 || left > 0 ? 1 : 0;
  }

  static constexpr std::size_t kMostNamed = 20;

  const Given& given_;
  const farm::CommandPattern pattern_;
  farm::Journal journal_;
  const std::uint64_t retries_, cores_, halt_;
  const double delay_, longest_;
  Client* client_ = nullptr;
  std::deque<Item> waiting_;
  /// Numbers whose output has not been printed, in order.
  std::deque<std::uint64_t> order_;
  std::map<TaskId, UnderWay> items_;
  AsCompleted<ChildEnd> running_;
  std::map<std::uint64_t, std::pair<Item, ChildEnd>> ended_;
  std::vector<std::string> failures_;
  std::uint64_t all_ = 0, done_before_ = 0, done_ = 0, failed_ = 0, retried_ = 0;
  bool halted_ = false;
  Clock::time_point begin_, told_;
};

}  // namespace

int run_each(const Given& given) {
  Options options;
  if (given.has("jobs")) {
    const double jobs = given.number("jobs", 1);
    if (!(jobs >= 1 && jobs <= 100'000)) throw UsageError("weft each: --jobs takes a number from 1 on");
    options.threads = static_cast<unsigned>(jobs);
  }
  // What is submitted is a part of the list: of the whole only this verb can tell.
  options.progress = "off";
  // Starting a process takes longer than the budget of a task.
  options.task_budget_us = 1e6;
  const launch::Ranks ranks = launch::read_ranks();
  if (given.dry_run()) return ranks.rank == 0 ? Farm(given).show_plan() : 0;
  // Before any thread of the client; under a launcher, supervisors end what workers started.
  std::optional<farm::EndingTogether> ending;
  if (!ranks.several()) ending.emplace();
  return run_with_client(
      given, [&](Client& client) { return Farm(given).run(client); }, std::move(options));
}

}  // namespace weft::command::data
