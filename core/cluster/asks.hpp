#pragma once

#include "core/cluster/letters.hpp"
#include "core/cluster/post.hpp"
#include "core/cluster/values.hpp"
#include "core/coordination/far_client.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace weft::cluster {

/// The questions that a process has put to the client's and that are not answered.
///
/// For: a worker's process and that of a second client. Owns: the questions, and the stand-ins that wait for an end.
/// Threading: guarded by the mutex of its process; `Question::done` is read by whoever waits.
class Asks {
 public:
  struct Question {
    std::uint64_t id = 0;
    /// Ends with the answer; kNone: the bytes are the answer.
    TaskId stand_in = kNone;
    bool withdrawn = false;
    // Constant once `done` is seen.
    AnswerKind kind = AnswerKind::NotNow;
    std::string bytes;
    std::atomic<bool> done{false};
  };

  explicit Asks(Post& post) : post_(post) {}

  /// Writes the question to `to`. `stand_in`: with a use that the question owns. Shared with whoever waits for it.
  std::shared_ptr<Question> begin(PeerId to, const std::string& question, bool waits, TaskId stand_in = kNone);
  /// Notes a question that the caller writes itself, in a letter of another kind.
  std::shared_ptr<Question> expect(TaskId stand_in = kNone);
  /// Writes a question whose answer nobody waits for.
  void say(PeerId to, const std::string& question);
  void withdraw(PeerId to, Question& question);
  /// Reads an answer. Returns the question, or null where it is not known; its stand-in has its value, `failure` why
  /// there is none, and is to be ended by the caller, who also drops the use.
  std::shared_ptr<Question> read(Reader& reader, std::shared_ptr<TaskFailure>& failure);
  /// Takes out one that waits for a task's end; null: there is none. For when no answer will come.
  std::shared_ptr<Question> take_unanswered();

 private:
  Post& post_;
  std::uint64_t next_ = 1;
  std::unordered_map<std::uint64_t, std::shared_ptr<Question>> open_;
};

/// Returns the bytes of an answered question; nothing for one that was not possible. Throws what it was refused with.
std::optional<std::string> answer_of(const Asks::Question& question);

}  // namespace weft::cluster
