#include <weft/actor.hpp>

#include "core/coordination/actors.hpp"
#include "core/coordination/far_client.hpp"
#include "core/coordination/questions.hpp"
#include "core/runtime/runtime.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>

#include <algorithm>
#include <random>
#include <unordered_map>

namespace weft::detail {
namespace {

/// What this process knows of actors: those that live here, those that were made here, and ends that others may ask
/// for. Never destroyed: tasks may end until the process does.
/// Threading: guarded by its mutex, under which nothing of the user's runs.
struct Actors {
  std::mutex mutex;
  std::unordered_map<std::uint64_t, std::shared_ptr<ActorHome>> homes;  // shared with the turn that runs
  std::unordered_map<std::uint64_t, std::weak_ptr<ActorCore>> made;
  std::unordered_map<std::uint64_t, Handle> offers;
  std::uint64_t next = 0;
  std::uint64_t next_home = 0;
  /// What is left of actors that nobody holds any more: their objects are to be dropped.
  struct Left {
    std::uint64_t id = 0;
    std::uint32_t client = 0;
    Annotated submit;
    Future<FarTurn> last;
  };
  std::vector<Left> left;
  std::atomic<bool> any_left{false};

  Actors() {
    std::random_device random;
    // Numbers of different processes differ.
    next = std::uint64_t{random()} << 32 | 1;
  }
};
Actors& actors() {
  static Actors* const instance = new Actors;
  return *instance;
}

// A method of a class as the compiler has it: where its code is, or its place in the table of virtual ones, and an
// offset of the object. Which of the two it is, the lowest bit says: of the first word, on Arm of the second.
struct MemberWords {
  std::uintptr_t code = 0;
  std::ptrdiff_t offset = 0;
};

bool is_virtual(const MemberWords& words) {
#if defined(__aarch64__) || defined(__arm__)
  return (words.offset & 1) != 0;
#else
  return (words.code & 1) != 0;
#endif
}

}  // namespace

void write_member(Writer& writer, const void* pointer, std::size_t size) {
  MemberWords words;
  if (size != sizeof words) throw Error("a method cannot travel: this compiler keeps methods in a form of its own");
  std::memcpy(&words, pointer, sizeof words);
  writer.number(static_cast<std::uint8_t>(is_virtual(words) ? 1 : 0));
  if (is_virtual(words)) {
    writer.number(static_cast<std::uint64_t>(words.code));
  } else {
    encode_address(writer, reinterpret_cast<const void*>(words.code));
  }
  writer.number(static_cast<std::int64_t>(words.offset));
}

void read_member(Reader& reader, void* pointer, std::size_t size) {
  MemberWords words;
  if (size != sizeof words) throw Error("a method cannot travel: this compiler keeps methods in a form of its own");
  const bool in_table = reader.number<std::uint8_t>("method") != 0;
  words.code = in_table ? static_cast<std::uintptr_t>(reader.number<std::uint64_t>("method"))
                        : reinterpret_cast<std::uintptr_t>(decode_address(reader));
  words.offset = static_cast<std::ptrdiff_t>(reader.number<std::int64_t>("method"));
  std::memcpy(pointer, &words, sizeof words);
}

// --- Where an actor lives --------------------------------------------------------------------------------------------

std::shared_ptr<ActorHome> make_actor_home(std::uint64_t actor) {
  auto home = std::make_shared<ActorHome>();
  const std::lock_guard lock(actors().mutex);
  actors().homes[actor] = home;
  return home;
}

std::shared_ptr<ActorHome> actor_home(std::uint64_t actor) {
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().homes.find(actor);
  if (found == actors().homes.end())
    throw Error("the actor was lost with the process it lived in: make a new one, and give it what this one knew");
  return found->second;
}

void drop_actor_home(std::uint64_t actor) {
  std::shared_ptr<ActorHome> gone;  // destroyed without the lock
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().homes.find(actor);
  if (found == actors().homes.end()) return;
  gone = std::move(found->second);
  actors().homes.erase(found);
}

void keep_end(ActorHome& home, std::uint64_t number, Turn turn) {
  const std::lock_guard lock(home.mutex);
  home.ends[number] = std::move(turn);
}

std::shared_ptr<void> take_end(const FarTurn& turn) {
  const std::shared_ptr<ActorHome> home = actor_home(turn.actor);
  Turn end;
  {
    const std::lock_guard lock(home->mutex);
    const auto found = home->ends.find(turn.number);
    if (found == home->ends.end()) throw Error("what this call of an actor gave has been fetched already");
    end = std::move(found->second);
    home->ends.erase(found);
  }
  if (end.error != nullptr) std::rethrow_exception(end.error);
  return end.value;
}

// --- Where an actor was made -----------------------------------------------------------------------------------------

/// The object is dropped by a task behind the last turn. It is submitted later, because the last holder may be a task
/// whose closure goes while the runtime is busy with its packets.
ActorCore::~ActorCore() {
  if (id == 0) return;
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().made.find(id);
  if (found != actors().made.end() && found->second.expired()) actors().made.erase(found);
  if (!far || !client || !last.valid()) return;
  actors().left.push_back({id, client_serial, *client, std::move(last)});
  actors().any_left.store(true);
}

bool actors_left() noexcept { return actors().any_left.load(std::memory_order_relaxed); }

void drop_left_actors() {
  std::vector<Actors::Left> left;
  {
    const std::lock_guard lock(actors().mutex);
    left.swap(actors().left);
    actors().any_left.store(false);
  }
  for (const Actors::Left& one : left) {
    if (Runtime::find(one.client) == nullptr) continue;
    try {
      one.submit.submit_at(std::source_location::current(), DropFar{}, one.id, one.last);
    } catch (const Error&) {
      // The client is being closed: its workers drop everything.
    }
  }
}

void register_actor(const std::shared_ptr<ActorCore>& core) {
  drop_left_actors();
  const std::lock_guard lock(actors().mutex);
  core->id = actors().next++;
  actors().made[core->id] = core;
}

std::shared_ptr<ActorCore> find_actor(std::uint64_t id) {
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().made.find(id);
  return found == actors().made.end() ? nullptr : found->second.lock();
}

bool runs_elsewhere(std::uint32_t client) noexcept {
  const Runtime* const runtime = Runtime::find(client);
  // What a task makes stays where it runs, also where client and workers share a process.
  return runtime != nullptr && !runtime->alone() && !runs_at_worker();
}

std::string choose_home(const Client& client) {
  const std::vector<WorkerInfo> workers = client.info().workers;
  if (workers.empty())
    throw Error("an actor needs a worker to live on, and none has joined: wait_for_workers(1) first");
  const std::lock_guard lock(actors().mutex);
  return workers[actors().next_home++ % workers.size()].name;
}

void refuse_actor(const std::string& type, const char* why) { throw Error("Actor<" + type + "> " + why); }

// --- Arguments and calls across processes ----------------------------------------------------------------------------

std::uint64_t offer_end(const Handle& task) {
  const std::lock_guard lock(actors().mutex);
  const std::uint64_t offer = actors().next++;
  actors().offers[offer] = task;
  return offer;
}

void end_offer(std::uint64_t offer) noexcept {
  Handle gone;  // released without the lock
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().offers.find(offer);
  if (found == actors().offers.end()) return;
  gone = std::move(found->second);
  actors().offers.erase(found);
}

Handle offered_task(std::uint64_t offer) {
  const std::lock_guard lock(actors().mutex);
  const auto found = actors().offers.find(offer);
  if (found == actors().offers.end()) throw Error("the arguments of an actor's call are gone");
  return found->second;
}

TaskId fetch_offered(std::uint64_t offer, std::uint32_t site) {
  FarClient* const far = far_client(Client::current().serial());
  if (far == nullptr) {
    const Handle task = offered_task(offer);
    arena::add_use(task.task_id());
    return task.task_id();
  }
  Writer question;
  question.number(QuestionForm::EndOf);
  question.number(offer);
  return far->ask_for_task(text_of(question), site);
}

std::uint32_t actor_family() {
  const std::lock_guard lock(actors().mutex);
  return static_cast<std::uint32_t>(actors().next >> 32);
}

std::string question_of_call(std::uint64_t actor, PerformCall perform, const Writer& call) {
  Writer question;
  question.number(QuestionForm::CallActor);
  question.number(actor);
  encode_address(question, reinterpret_cast<const void*>(perform));
  question.bytes(call.data(), call.size());
  return text_of(question);
}

Handle perform_call(Reader& reader) {
  const auto id = reader.number<std::uint64_t>("call of an actor");
  const auto perform = reinterpret_cast<PerformCall>(const_cast<void*>(decode_address(reader)));
  const std::shared_ptr<ActorCore> core = find_actor(id);
  if (core == nullptr) throw Error("the actor is gone: nobody in its client's process holds it any more");
  return perform(core, reader);
}

TaskId ask_for_call(std::uint32_t client, const std::string& question, std::uint32_t site) {
  this_task::has_effect();
  FarClient* const far = far_client(client);
  if (far == nullptr) throw Error("this actor's client is in another process, which cannot be reached from here");
  return far->ask_for_task(question, site);
}

}  // namespace weft::detail
