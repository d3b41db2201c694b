#pragma once

#include "core/coordination/named_objects.hpp"

#include <weft/client_info.hpp>
#include <weft/wire.hpp>

#include <optional>
#include <string>
#include <vector>

// What other processes ask the client's about its objects, as bytes, and the answers.

namespace weft::detail {

enum class QuestionForm : std::uint8_t {
  Act = 1,    ///< Something is done with a named object.
  Find,       ///< A published result is looked for: its end answers.
  Unpublish,  ///< A name is forgotten.
  List,       ///< The published names.
  Publish,    ///< A result of the asker is published: its site and its end follow.
  CallActor,  ///< An actor's method is called: the end of the call answers.
  EndOf,      ///< The end of a task of the client's process.
  SetNote,    ///< A text is noted under a key.
  Note,       ///< The text under a key.
  LogEvent,   ///< Something of a topic has happened.
  Events,     ///< What has happened of a topic.
  With,       ///< A question with tasks of the asker's: their numbers and sites; the question follows.
  Ended,      ///< How a task ended that came with a question: its number, its end. No end: it is not wanted after all.
  Offered,    ///< The end of a task that an answer offered: its number. It is asked for once.
  Never,      ///< Has no answer: a task of the asker only waits, until this is withdrawn.
};
inline constexpr std::uint8_t kLastQuestion = static_cast<std::uint8_t>(QuestionForm::Never);

std::string question_about(const Named::Identity& identity, const NamedCall& call);
std::string question_of_name(QuestionForm form, const std::string& name, std::string_view type = {});

/// What a question leads to, if it is possible now.
struct Reply {
  std::string bytes;
  /// The end of this task is the answer; invalid: the bytes are.
  Handle task;
  /// Futures in the answer's value: offers of them follow the bytes (`add_offers`).
  std::vector<Handle> futures;
  /// Others may go on now.
  bool changed = false;
};

/// Answers a question of another process about the client's objects; nothing where it is not possible now. `tasks`:
/// those that came with it. All forms but Publish, CallActor, EndOf and those behind them, whose bytes hold more than
/// objects. Throws Error where it never is, or where the bytes are no question.
std::optional<Reply> answer_question(std::uint32_t client, std::uint64_t process, QuestionForm form, Reader& reader,
                                     bool waits, const std::vector<Handle>& tasks = {});
/// Returns the answer's bytes, with the numbers of the offers of its futures.
std::string with_offers(const std::string& bytes, const std::vector<std::uint64_t>& offers);
/// Returns the question for the end of the task that was offered under the number.
std::string question_of_offer(std::uint64_t offer);
QuestionForm read_form(Reader& reader);
NamedAnswer read_named_answer(const std::string& bytes);
std::vector<std::string> read_names(const std::string& bytes);
std::optional<std::string> read_note(const std::string& bytes);
std::vector<LoggedEvent> read_events(const std::string& bytes);

void write_string(Writer& writer, std::string_view text);
std::string read_string(Reader& reader);
std::string text_of(const Writer& writer);

}  // namespace weft::detail
