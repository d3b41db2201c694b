#include "tests/core/executor/interleavings.hpp"

#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <unordered_set>

namespace weft::interleavings {
namespace {

/// What a thread has seen of each location: the place of a store in the location's order, counted from 1; 0: not even
/// that the location exists.
class View {
 public:
  std::uint32_t operator[](unsigned location) const { return location < seen_.size() ? seen_[location] : 0; }
  void see(unsigned location, std::uint32_t place) {
    if (seen_.size() <= location) seen_.resize(location + 1, 0);
    seen_[location] = std::max(seen_[location], place);
  }
  void join(const View& other) {
    for (unsigned i = 0; i < other.seen_.size(); ++i) see(i, other.seen_[i]);
  }
  const std::vector<std::uint32_t>& seen() const { return seen_; }

 private:
  std::vector<std::uint32_t> seen_;
};

struct Message {
  std::uint64_t value = 0;
  View view;  // what whoever acquires it has seen
  std::uint64_t writer = 0;
};

struct Location {
  std::vector<Message> messages;
};

/// Thrown through a thread of an execution that need not be finished.
struct Abandoned {};

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
  hash = (hash ^ word) * 0x9E37'79B9'7F4A'7C15u;
  return hash ^ (hash >> 29);
}

bool acquires(std::memory_order order) {
  return order == std::memory_order_acquire || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}
bool releases(std::memory_order order) {
  return order == std::memory_order_release || order == std::memory_order_acq_rel || order == std::memory_order_seq_cst;
}

const char* word_of(std::memory_order order) {
  switch (order) {
    case std::memory_order_relaxed:
      return "relaxed";
    case std::memory_order_consume:
      return "consume";
    case std::memory_order_acquire:
      return "acquire";
    case std::memory_order_release:
      return "release";
    case std::memory_order_acq_rel:
      return "acq_rel";
    case std::memory_order_seq_cst:
      return "seq_cst";
  }
  return "?";
}

/// Returns "pop" of "std::uint64_t weft::BasicDeque<Atomic>::pop() [with ...]".
std::string short_name(std::string_view function) {
  function = function.substr(0, function.find('('));
  const std::size_t colon = function.rfind(':');
  const std::size_t space = function.rfind(' ');
  const std::size_t cut = colon == std::string_view::npos ? space : colon;
  return std::string(cut == std::string_view::npos ? function : function.substr(cut + 1));
}

constexpr std::size_t kStackBytes = 128 * 1024;
constexpr unsigned kNobody = ~0u;

struct Fiber {
  std::unique_ptr<char[]> stack;
  ucontext_t context{};
  std::function<void()> body;
  View view;
  std::uint64_t history = 0;  // all it has read decides where it stands
  bool ended = false;
  unsigned sleeps_on = kNobody;
};

struct Choice {
  unsigned taken = 0;
  unsigned of = 0;
};

/// Walks the tree of choices depth first, by running the program again for each leaf.
class Explorer {
 public:
  Explorer(const std::function<Program()>& build, const Options& options) : build_(build), options_(options) {}

  Outcome run();

  unsigned new_location(std::uint64_t value);
  std::uint64_t load(unsigned at, std::memory_order order, const std::source_location& where);
  void store(unsigned at, std::uint64_t value, std::memory_order order, const std::source_location& where);
  std::uint64_t change(unsigned at, const std::uint64_t* expected, std::uint64_t (*make)(std::uint64_t, std::uint64_t),
                       std::uint64_t operand, std::memory_order order, std::memory_order failure,
                       const std::source_location& where);
  std::uint64_t plain_read(unsigned at);
  void plain_write(unsigned at, std::uint64_t value);
  void sleep(unsigned at, std::uint32_t expected);
  void wake(unsigned at, bool all);
  void fence(bool everybody);
  void fail(const std::string& why);
  void give_up();

 private:
  void execute();
  void schedule();
  void resume(unsigned thread);
  static void enter();
  /// Lets others go first; from then on the operation of the caller is the next step of the execution.
  void point();
  unsigned choose(unsigned count);
  bool advance();
  std::uint64_t state() const;
  Fiber& me() { return *fibers_[running_]; }
  bool outside() const { return running_ == kNobody; }
  std::memory_order order_at(Kind kind, std::memory_order order, const std::source_location& where);
  void note(Kind kind, unsigned at, std::uint64_t value, const std::source_location& where);
  void append(unsigned at, std::uint64_t value, std::memory_order order, const View* inherited);
  void read(unsigned at, std::uint32_t place, std::memory_order order);
  void require_seen(unsigned at);
  std::uint32_t oldest_readable(unsigned at, std::memory_order order);

  const std::function<Program()>& build_;
  const Options& options_;
  Outcome outcome_;
  std::unordered_set<std::uint64_t> visited_;
  std::vector<Choice> path_;
  std::size_t depth_ = 0;

  // One execution.
  std::vector<Location> locations_;
  std::vector<std::unique_ptr<Fiber>> fibers_;
  View strong_;  // the last sequentially consistent store to each location
  View initial_;
  ucontext_t scheduler_{};
  unsigned running_ = kNobody;
  unsigned last_ = kNobody;
  unsigned preemptions_ = 0;
  bool abandoned_ = false;
  std::string failure_;
  std::vector<std::string> trace_;
  std::size_t last_site_ = 0;
  bool tracing_ = false;
};

Explorer* current = nullptr;

Outcome Explorer::run() {
  current = this;
  do {
    execute();
    ++outcome_.executions;
    if (!failure_.empty()) {
      // Once more, to write down how it came about.
      const std::string failure = failure_;
      tracing_ = true;
      execute();
      outcome_.failure = failure;
      for (const std::string& line : trace_) outcome_.failure += "\n  " + line;
      break;
    }
    if (!advance()) {
      outcome_.complete = true;
      break;
    }
  } while (outcome_.executions < options_.most_executions);
  outcome_.states = visited_.size();
  current = nullptr;
  return outcome_;
}

bool Explorer::advance() {
  while (!path_.empty() && path_.back().taken + 1 == path_.back().of) path_.pop_back();
  if (path_.empty()) return false;
  ++path_.back().taken;
  return true;
}

unsigned Explorer::choose(unsigned count) {
  if (count == 1) return 0;
  if (depth_ == path_.size()) path_.push_back({0, count});
  if (path_[depth_].of != count) throw std::logic_error("the explored program is not the same each time");
  return path_[depth_++].taken;
}

void Explorer::execute() {
  locations_.clear();
  strong_ = {};
  initial_ = {};
  depth_ = 0;
  abandoned_ = false;
  failure_.clear();
  trace_.clear();
  running_ = kNobody;
  last_ = kNobody;
  preemptions_ = 0;
  {
    Program program = build_();
    while (fibers_.size() < program.threads.size()) {
      fibers_.push_back(std::make_unique<Fiber>());
      fibers_.back()->stack = std::make_unique<char[]>(kStackBytes);
    }
    for (unsigned i = 0; i < program.threads.size(); ++i) {
      Fiber& fiber = *fibers_[i];
      fiber.body = program.threads[i];
      fiber.view = initial_;
      fiber.history = i;
      fiber.ended = false;
      fiber.sleeps_on = kNobody;
      ::getcontext(&fiber.context);
      fiber.context.uc_stack.ss_sp = fiber.stack.get();
      fiber.context.uc_stack.ss_size = kStackBytes;
      fiber.context.uc_link = &scheduler_;
      ::makecontext(&fiber.context, &Explorer::enter, 0);
      resume(i);  // up to its first operation
    }
    schedule();
    if (!abandoned_ && failure_.empty()) failure_ = program.verdict();
    abandoned_ = true;
    for (unsigned i = 0; i < program.threads.size(); ++i) {
      if (!fibers_[i]->ended) resume(i);
      fibers_[i]->body = nullptr;
    }
  }
}

void Explorer::schedule() {
  while (failure_.empty() && !abandoned_) {
    std::vector<unsigned> ready;
    bool asleep = false;
    for (unsigned i = 0; i < fibers_.size(); ++i) {
      if (fibers_[i]->ended) continue;
      if (fibers_[i]->sleeps_on == kNobody) {
        ready.push_back(i);
      } else {
        asleep = true;
      }
    }
    if (ready.empty()) {
      if (asleep) failure_ = "a thread sleeps and nobody wakes it";
      return;
    }
    if (depth_ == path_.size() && !tracing_ && !visited_.insert(state()).second) {
      abandoned_ = true;
      return;
    }
    unsigned next = last_;
    const bool could_go_on = std::find(ready.begin(), ready.end(), last_) != ready.end();
    if (!could_go_on || preemptions_ < options_.most_preemptions)
      next = ready[choose(static_cast<unsigned>(ready.size()))];
    if (could_go_on && next != last_) ++preemptions_;
    last_ = next;
    resume(next);
  }
}

void Explorer::resume(unsigned thread) {
  running_ = thread;
  ::swapcontext(&scheduler_, &fibers_[thread]->context);
  running_ = kNobody;
}

void Explorer::enter() {
  Explorer& explorer = *current;
  Fiber& self = explorer.me();
  try {
    self.body();
  } catch (const Abandoned&) {
  } catch (const std::exception& error) {
    explorer.failure_ = error.what();
  }
  self.ended = true;
  ::swapcontext(&self.context, &explorer.scheduler_);
}

void Explorer::point() {
  Fiber& self = me();
  if (abandoned_) {
    if (std::uncaught_exceptions() == 0) throw Abandoned();
    return;
  }
  ::swapcontext(&self.context, &scheduler_);
  if (abandoned_) throw Abandoned();
}

std::uint64_t Explorer::state() const {
  // How it came here matters only to a bound on preemptions.
  std::uint64_t hash = options_.most_preemptions == ~0u ? 1 : mix(mix(1, last_), preemptions_);
  const auto add_view = [&](const View& view) {
    for (const std::uint32_t place : view.seen()) hash = mix(hash, place);
    hash = mix(hash, 0xFFFF);
  };
  for (const auto& fiber : fibers_) {
    hash = mix(mix(mix(hash, fiber->history), fiber->ended ? 1 : 0), fiber->sleeps_on);
    add_view(fiber->view);
  }
  add_view(strong_);
  for (const Location& location : locations_) {
    for (const Message& message : location.messages) {
      hash = mix(hash, message.writer);
      add_view(message.view);
    }
    hash = mix(hash, 0xFFFE);
  }
  return hash;
}

std::memory_order Explorer::order_at(Kind kind, std::memory_order order, const std::source_location& where) {
  const Site site{{}, where.line(), where.column(), kind, order};
  std::vector<Site>& sites = outcome_.sites;
  last_site_ = 0;
  while (last_site_ < sites.size() && !sites[last_site_].at(site)) ++last_site_;
  if (last_site_ == sites.size()) {
    sites.push_back(site);
    sites.back().function = short_name(where.function_name());
  }
  return options_.order ? options_.order(sites[last_site_]) : order;
}

void Explorer::note(Kind kind, unsigned at, std::uint64_t value, const std::source_location& where) {
  me().history = mix(mix(me().history, at), locations_[at].messages.size());
  if (!tracing_) return;
  static constexpr const char* kWords[] = {"reads", "writes", "changes"};
  trace_.push_back("thread " + std::to_string(running_) + ", " + short_name(where.function_name()) + " line " +
                   std::to_string(where.line()) + ": " + kWords[static_cast<int>(kind)] + " location " +
                   std::to_string(at) + ", value " + std::to_string(static_cast<std::int64_t>(value)));
}

unsigned Explorer::new_location(std::uint64_t value) {
  const auto at = static_cast<unsigned>(locations_.size());
  locations_.emplace_back();
  locations_.back().messages.push_back({value, {}, 0});
  if (outside()) {
    initial_.see(at, 1);
  } else {
    me().view.see(at, 1);
  }
  return at;
}

void Explorer::require_seen(unsigned at) {
  if (me().view[at] == 0) fail("a thread touches an object whose construction it has not seen");
}

std::uint32_t Explorer::oldest_readable(unsigned at, std::memory_order order) {
  require_seen(at);
  return order == std::memory_order_seq_cst ? std::max(me().view[at], strong_[at]) : me().view[at];
}

void Explorer::read(unsigned at, std::uint32_t place, std::memory_order order) {
  me().view.see(at, place);
  me().history = mix(me().history, place);
  if (acquires(order)) me().view.join(locations_[at].messages[place - 1].view);
}

void Explorer::append(unsigned at, std::uint64_t value, std::memory_order order, const View* inherited) {
  std::vector<Message>& messages = locations_[at].messages;
  const auto place = static_cast<std::uint32_t>(messages.size() + 1);
  me().view.see(at, place);
  View view;
  if (inherited != nullptr) view = *inherited;
  if (releases(order)) {
    view.join(me().view);
  } else {
    view.see(at, place);
  }
  if (order == std::memory_order_seq_cst) strong_.see(at, place);
  messages.push_back({value, std::move(view), me().history});
}

std::uint64_t Explorer::load(unsigned at, std::memory_order order, const std::source_location& where) {
  if (outside()) return locations_[at].messages.back().value;
  point();
  order = order_at(Kind::Load, order, where);
  const std::uint32_t oldest = oldest_readable(at, order);
  const auto newest = static_cast<std::uint32_t>(locations_[at].messages.size());
  const std::uint32_t place = newest - choose(newest - oldest + 1);
  const std::uint64_t value = locations_[at].messages[place - 1].value;
  read(at, place, order);
  note(Kind::Load, at, value, where);
  return value;
}

void Explorer::store(unsigned at, std::uint64_t value, std::memory_order order, const std::source_location& where) {
  if (outside()) {
    locations_[at].messages.back().value = value;
    return;
  }
  point();
  order = order_at(Kind::Store, order, where);
  require_seen(at);
  note(Kind::Store, at, value, where);
  append(at, value, order, nullptr);
}

std::uint64_t Explorer::change(unsigned at, const std::uint64_t* expected,
                               std::uint64_t (*make)(std::uint64_t, std::uint64_t), std::uint64_t operand,
                               std::memory_order order, std::memory_order failure, const std::source_location& where) {
  if (outside()) {
    std::uint64_t& value = locations_[at].messages.back().value;
    const std::uint64_t old = value;
    if (expected == nullptr || *expected == old) value = make(old, operand);
    return old;
  }
  point();
  order = order_at(Kind::Change, order, where);
  const auto newest = static_cast<std::uint32_t>(locations_[at].messages.size());
  // A change reads the newest store; only a failing comparison may see an older one.
  std::vector<std::uint32_t> places{newest};
  if (expected != nullptr) {
    for (std::uint32_t place = newest - 1; place >= oldest_readable(at, failure); --place) {
      if (locations_[at].messages[place - 1].value != *expected) places.push_back(place);
    }
  }
  require_seen(at);
  const std::uint32_t place = places[choose(static_cast<unsigned>(places.size()))];
  const std::uint64_t old = locations_[at].messages[place - 1].value;
  const bool changes = expected == nullptr || (place == newest && old == *expected);
  read(at, place, changes ? order : failure);
  note(Kind::Change, at, old, where);
  if (changes) {
    if (options_.torn && options_.torn(outcome_.sites[last_site_])) point();
    const View inherited = locations_[at].messages[place - 1].view;
    append(at, make(old, operand), order, &inherited);
  }
  return old;
}

std::uint64_t Explorer::plain_read(unsigned at) {
  const std::uint64_t value = locations_[at].messages.back().value;
  if (!outside() && me().view[at] != locations_[at].messages.size()) fail("a plain variable is read in a race");
  return value;
}

void Explorer::plain_write(unsigned at, std::uint64_t value) {
  if (outside()) {
    locations_[at].messages.back().value = value;
    return;
  }
  if (me().view[at] != locations_[at].messages.size()) fail("a plain variable is written in a race");
  append(at, value, std::memory_order_relaxed, nullptr);
}

void Explorer::sleep(unsigned at, std::uint32_t expected) {
  point();
  // The kernel looks at the word as it is now, and decides and sleeps in one step.
  const std::vector<Message>& messages = locations_[at].messages;
  const auto newest = static_cast<std::uint32_t>(messages.size());
  me().view.see(at, newest);
  me().history = mix(me().history, newest);
  if (messages.back().value != expected) return;
  if (tracing_) trace_.push_back("thread " + std::to_string(running_) + " sleeps on location " + std::to_string(at));
  me().sleeps_on = at;
  ::swapcontext(&me().context, &scheduler_);
  if (abandoned_) throw Abandoned();
}

void Explorer::wake(unsigned at, bool all) {
  point();
  if (tracing_) trace_.push_back("thread " + std::to_string(running_) + " wakes location " + std::to_string(at));
  std::vector<unsigned> asleep;
  for (unsigned i = 0; i < fibers_.size(); ++i) {
    if (!fibers_[i]->ended && fibers_[i]->sleeps_on == at) asleep.push_back(i);
  }
  me().history = mix(me().history, asleep.size());
  if (asleep.empty()) return;
  if (all) {
    for (const unsigned i : asleep) fibers_[i]->sleeps_on = kNobody;
  } else {
    fibers_[asleep[choose(static_cast<unsigned>(asleep.size()))]]->sleeps_on = kNobody;
  }
}

void Explorer::fence(bool everybody) {
  point();
  me().history = mix(me().history, everybody ? 3 : 2);
  const auto each = [&](auto act) {
    for (unsigned i = 0; i < fibers_.size(); ++i) {
      if (everybody || i == running_) act(fibers_[i]->view);
    }
  };
  each([&](View& view) { strong_.join(view); });
  each([&](View& view) { view.join(strong_); });
}

void Explorer::give_up() {
  abandoned_ = true;
  throw Abandoned();
}

void Explorer::fail(const std::string& why) {
  failure_ = why;
  abandoned_ = true;
  throw Abandoned();
}

}  // namespace

std::string describe(const Site& site) {
  static constexpr const char* kWords[] = {"load", "store", "change"};
  return site.function + ": " + kWords[static_cast<int>(site.kind)] + " " + word_of(site.order);
}

Outcome explore(const std::function<Program()>& build, const Options& options) {
  return Explorer(build, options).run();
}

void fail(const std::string& why) { current->fail(why); }
void give_up() { current->give_up(); }

namespace detail {
unsigned new_location(std::uint64_t value) { return current->new_location(value); }
std::uint64_t load(unsigned location, std::memory_order order, const std::source_location& where) {
  return current->load(location, order, where);
}
void store(unsigned location, std::uint64_t value, std::memory_order order, const std::source_location& where) {
  current->store(location, value, order, where);
}
std::uint64_t change(unsigned location, const std::uint64_t* expected,
                     std::uint64_t (*make)(std::uint64_t, std::uint64_t), std::uint64_t operand,
                     std::memory_order order, std::memory_order failure, const std::source_location& where) {
  return current->change(location, expected, make, operand, order, failure, where);
}
std::uint64_t plain_read(unsigned location) { return current->plain_read(location); }
void plain_write(unsigned location, std::uint64_t value) { current->plain_write(location, value); }
}  // namespace detail

void Futex::wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, std::int64_t) {
  current->sleep(word.location(), expected);
}
void Futex::wake_one(const Atomic<std::uint32_t>& word) { current->wake(word.location(), false); }
void Futex::wake_all(const Atomic<std::uint32_t>& word) { current->wake(word.location(), true); }
void Futex::heavy_fence() { current->fence(true); }
void Futex::light_fence() { current->fence(false); }

}  // namespace weft::interleavings
