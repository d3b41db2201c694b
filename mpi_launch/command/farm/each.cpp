// `weft each`: a command for each line of a list.
//
// 1. `read_items` reads the list, `plan` leaves out what the journal says is done. 2. `feed` keeps a few items for each
// slot under way: a task runs a child process and returns how it ended. 3. `take` prints, notes and counts what ended;
// what failed and has tries left goes back to the queue. 4. `tell` names what failed. 5. With --every `Passes` does all
// of this again at each interval.
#include "core/config/values.hpp"
#include "mpi_launch/command/data/verbs.hpp"
#include "mpi_launch/command/farm/child.hpp"
#include "mpi_launch/command/farm/descendants.hpp"
#include "mpi_launch/command/farm/journal.hpp"
#include "mpi_launch/command/farm/pattern.hpp"
#include "mpi_launch/start/ranks.hpp"

#include <weft/client.hpp>
#include <weft/completed.hpp>
#include <weft/coordination.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
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

/// Returns the option as a whole number from 0 on.
std::uint64_t count_of(const Given& given, const char* option, std::uint64_t otherwise) {
  if (!given.has(option)) return otherwise;
  const double value = given.number(option, 0);
  if (!(value >= 0 && value < 1e9 && value == static_cast<double>(static_cast<std::uint64_t>(value)))) {
    throw UsageError(std::string("weft each: --") + option + " takes a number of things, and '" + given.text(option) +
                     "' is none");
  }
  return static_cast<std::uint64_t>(value);
}

/// Returns the option as a whole number from 1 on; 0 where it is not given.
std::uint64_t positive_of(const Given& given, const char* option) {
  const std::uint64_t value = count_of(given, option, 0);
  if (given.has(option) && value == 0) {
    throw UsageError(std::string("weft each: --") + option + " takes a number from 1 on");
  }
  return value;
}

double seconds_of(const Given& given, const char* option) {
  try {
    return given.has(option) ? parse_duration(given.text(option)) : 0;
  } catch (const ConfigError& error) {
    throw UsageError(std::string("weft each: --") + option + ": " + error.what());
  }
}

/// Now, or so many seconds later. `utc`: for names of folders.
std::string clock_text(const char* form, double later = 0, bool utc = false) {
  const std::time_t when = std::time(nullptr) + static_cast<std::time_t>(std::ceil(later));
  std::tm parts{};
  utc ? ::gmtime_r(&when, &parts) : ::localtime_r(&when, &parts);
  char text[64];
  return {text, std::strftime(text, sizeof text, form, &parts)};
}

std::vector<std::string> items_of(const Given& given, std::istream& stream) {
  const bool null = given.has("null");
  std::vector<std::string> items;
  for (std::string line; std::getline(stream, line, null ? '\0' : '\n');) {
    while (!null && !line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) items.push_back(line);
  }
  return items;
}

std::vector<std::string> read_items(const Given& given) {
  const auto& words = given.words();
  if (words.size() > 1) {
    // As GNU parallel has it: COMMAND ::: ITEM...
    const auto first = words.begin() + (words[1] == ":::" ? 2 : 1);
    return {first, words.end()};
  }
  if (given.has("list")) {
    const std::string name = given.text("list");
    std::ifstream file(name, std::ios::binary);
    if (!file) throw Error("'" + name + "': there is no such list");
    return items_of(given, file);
  }
  if (::isatty(0) != 0) {
    throw UsageError(
        "weft each: no items: send a list to its standard input (weft each 'gzip {}' < list.txt), or "
        "name them behind the command");
  }
  return items_of(given, std::cin);
}

/// One pass over the list.
class Farm {
 public:
  /// `pass`: its number from 1 on where there are several; otherwise 0.
  Farm(const Given& given, farm::Journal& journal, std::uint64_t pass)
      : given_(given),
        pattern_(given.words()[0]),
        journal_(journal),
        retries_(count_of(given, "retries", 0)),
        cores_(given.has("cores") ? positive_of(given, "cores") : 1),
        halt_(positive_of(given, "halt")),
        pass_(pass),
        delay_(seconds_of(given, "retry-delay")),
        longest_(seconds_of(given, "timeout")) {}

  int show_plan(const std::vector<std::string>& items) {
    plan(items);
    std::string text;
    for (const Item& one : waiting_) {
      text += given_.json() ? "{\"number\":" + std::to_string(one.number) + ",\"item\":" + json_of(one.text) +
                                  ",\"command\":" + json_of(one.command) + "}\n"
                            : one.command + "\n";
    }
    print(text);
    if (!given_.quiet()) {
      const std::string again = given_.has("every") ? ", again every " + given_.text("every") : "";
      std::fprintf(stderr, "weft each: %s would run%s, %llu are done\n", counted(waiting_.size(), "command").c_str(),
                   again.c_str(), counts(done_before_));
    }
    return 0;
  }

  /// Returns 1 where anything failed. `last`: no pass follows.
  int run(Client& client, const std::vector<std::string>& items, bool last) {
    plan(items);
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
      tell(true);
      throw;
    }
    print_in_order(true);
    return tell(last || halted_);
  }
  /// Whether so many have failed that no pass is to follow.
  bool halted() const { return halted_; }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin_).count(); }

 private:
  void plan(const std::vector<std::string>& items) {
    journal_.begin_pass();
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

  void make_results_folder() {
    if (!given_.has("results")) return;
    results_ = given_.text("results");
    make_folder(results_);
    if (pass_ == 0 || waiting_.empty()) return;
    // No pass writes over what another left, also where this is run again.
    const std::string stem = results_ + "/" + clock_text("%Y%m%dT%H%M%SZ", 0, true);
    results_ = stem;
    for (int i = 2; !make_folder(results_); ++i) results_ = stem + "-" + std::to_string(i);
  }

  /// Returns whether it was not there before.
  static bool make_folder(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0777) == 0) return true;
    if (errno == EEXIST) return false;
    throw Error("the folder '" + folder + "' cannot be made: " + std::strerror(errno));
  }

  ChildOrders orders_of(const Item& item) const {
    ChildOrders orders{item.command, item.tries > 0 ? delay_ : 0, longest_, {}, {}, cores_ > 1};
    if (!results_.empty()) {
      const std::string stem = results_ + "/" + std::to_string(item.number);
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
    journal_.add(item.command, end.good(), json_line(item, end, false));
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
    if (pass_ > 0) line += ",\"pass\":" + std::to_string(pass_);
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
    std::fprintf(stderr, "%s%llu of %llu ended, %llu failed, %.0f s\n", speaker().c_str(),
                 counts(done_before_ + done_ + failed_), counts(all_), counts(failed_), seconds());
  }

  static unsigned long long counts(std::uint64_t number) { return number; }
  std::string speaker() const { return pass_ == 0 ? "weft each: " : "weft each: pass " + std::to_string(pass_) + ": "; }

  /// `ends`: what is left is not run again by itself.
  int tell(bool ends) const {
    const std::uint64_t left = all_ - done_before_ - done_ - failed_;
    std::string text = speaker() + std::to_string(done_) + " of " + std::to_string(all_) + " done";
    if (done_before_ > 0)
      text += ", " + std::to_string(done_before_) + (done_before_ == 1 ? " was" : " were") + " done before";
    if (retried_ > 0) text += ", " + counted(retried_, "failure") + " tried again";
    if (failed_ > 0) text += ", " + std::to_string(failed_) + " failed";
    if (left > 0) text += ", " + std::to_string(left) + " not run";
    char time[32];
    std::snprintf(time, sizeof time, ", %.1f s\n", seconds());
    text += time;
    for (const std::string& one : failures_) text += one;
    if (failed_ > failures_.size()) text += "  and " + std::to_string(failed_ - failures_.size()) + " more\n";
    if (ends && (left > 0 || failed_ > 0)) {
      text += journal_.used() ? "  run it again: what is done is left out\n"
                              : "  with --journal FILE it could be run again and leave out what is done\n";
    }
    if (!given_.quiet() || failed_ > 0 || left > 0) std::fwrite(text.data(), 1, text.size(), stderr);
    return failed_ > 0 || left > 0 ? 1 : 0;
  }

  static constexpr std::size_t kMostNamed = 20;

  const Given& given_;
  const farm::CommandPattern pattern_;
  farm::Journal& journal_;
  const std::uint64_t retries_, cores_, halt_, pass_;
  const double delay_, longest_;
  /// The folder of this pass, or nothing.
  std::string results_;
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

/// The list once, or with --every again and again.
///
/// Passes begin at whole multiples of the interval after the first, and never while another runs: for a pass that takes
/// longer, starts are left out. A pass that fails does not keep the next from running.
class Passes {
 public:
  explicit Passes(const Given& given)
      : given_(given),
        journal_(given.text("journal"), given.dry_run() || !given.has("journal")),
        every_(seconds_of(given, "every")),
        times_(positive_of(given, "times")) {
    if (given.has("every") && !(every_ > 0 && every_ <= 1e9)) {
      throw UsageError("weft each: --every takes the time from one pass to the next, such as 30s, 10min or 1d");
    }
    if (times_ > 0 && every_ == 0) throw UsageError("weft each: --times counts the passes of --every: give both");
  }

  int show_plan() { return Farm(given_, journal_, 0).show_plan(read_items(given_)); }

  int run(Client& client) {
    if (every_ == 0) return Farm(given_, journal_, 0).run(client, read_items(given_), true);
    const Clock::time_point begin = Clock::now();
    std::vector<std::string> items = read_items(given_);
    bool failed = false;
    for (std::uint64_t pass = 1, start = 0;; ++pass) {
      Farm farm(given_, journal_, pass);
      const bool last = pass == times_;
      failed |= (pass > 1 && !read_again(items, pass)) || farm.run(client, items, last) != 0;
      if (last || farm.halted()) return failed ? 1 : 0;
      start = next_start(begin, start, pass);
      wait_until(client, begin + to_clock(static_cast<double>(start) * every_));
    }
  }

 private:
  static Clock::duration to_clock(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }

  /// A list that is a file may have others by now. Where it cannot be read this pass has none.
  bool read_again(std::vector<std::string>& items, std::uint64_t pass) const {
    if (!given_.has("list") || given_.words().size() > 1) return true;
    items.clear();
    try {
      items = read_items(given_);
      return true;
    } catch (const Error& error) {
      std::fprintf(stderr, "weft each: pass %llu: %s\n", static_cast<unsigned long long>(pass), error.what());
      return false;
    }
  }

  /// Returns which multiple of the interval the next pass begins at.
  std::uint64_t next_start(Clock::time_point begin, std::uint64_t start, std::uint64_t pass) const {
    const double passed = std::chrono::duration<double>(Clock::now() - begin).count();
    const std::uint64_t next = std::max(start + 1, static_cast<std::uint64_t>(std::ceil(passed / every_)));
    if (given_.quiet()) return next;
    std::string text = "weft each: ";
    if (next > start + 1) {
      text += "pass " + std::to_string(pass) + " took longer than --every " + given_.text("every") + ": " +
              counted(next - start - 1, "start") + " left out; ";
    }
    text += "the next pass begins at " + clock_text("%H:%M:%S", static_cast<double>(next) * every_ - passed) + "\n";
    std::fwrite(text.data(), 1, text.size(), stderr);
    return next;
  }

  /// Throws CancelledError where the client is closed meanwhile: the time of the job is over.
  static void wait_until(const Client& client, Clock::time_point when) {
    const Event never(client, "weft each: the end of the pauses");
    for (Clock::time_point now = Clock::now(); now < when; now = Clock::now()) {
      never.wait_for(std::chrono::ceil<std::chrono::milliseconds>(when - now));
    }
  }

  const Given& given_;
  farm::Journal journal_;
  const double every_;
  const std::uint64_t times_;
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
  if (given.dry_run()) return ranks.rank == 0 ? Passes(given).show_plan() : 0;
  // Before any thread of the client; under a launcher, supervisors end what workers started.
  std::optional<farm::EndingTogether> ending;
  if (!ranks.several()) ending.emplace();
  return run_with_client(
      given, [&](Client& client) { return Passes(given).run(client); }, std::move(options));
}

}  // namespace weft::command::data
