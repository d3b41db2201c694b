#include "core/cluster/asks.hpp"

#include <weft/error.hpp>

namespace weft::cluster {

std::shared_ptr<Asks::Question> Asks::expect(TaskId stand_in) {
  auto one = std::make_shared<Question>();
  one->id = next_++;
  one->stand_in = stand_in;
  open_.emplace(one->id, one);
  return one;
}

std::shared_ptr<Asks::Question> Asks::begin(PeerId to, const std::string& question, bool waits, TaskId stand_in) {
  std::shared_ptr<Question> one = expect(stand_in);
  Writer& out = post_.begin(to, LetterKind::Ask);
  out.count(one->id);
  out.number(static_cast<std::uint8_t>(waits ? 1 : 0));
  out.bytes(question.data(), question.size());
  post_.end(to);
  return one;
}

void Asks::say(PeerId to, const std::string& question) {
  Writer& out = post_.begin(to, LetterKind::Ask);
  out.count(0);
  out.number(std::uint8_t{0});
  out.bytes(question.data(), question.size());
  post_.end(to);
}

void Asks::withdraw(PeerId to, Question& question) {
  if (std::exchange(question.withdrawn, true) || question.done.load()) return;
  post_.begin(to, LetterKind::Withdraw).count(question.id);
  post_.end(to);
}

std::shared_ptr<Asks::Question> Asks::read(Reader& reader, std::shared_ptr<TaskFailure>& failure) {
  const std::uint64_t id = reader.count("answer");
  const auto kind = reader.number<std::uint8_t>("answer");
  if (kind > static_cast<std::uint8_t>(AnswerKind::End)) reader.damaged("answer", "it is of no kind that there is");
  const auto found = open_.find(id);
  if (found == open_.end()) return nullptr;
  const std::shared_ptr<Question> question = found->second;
  open_.erase(found);
  question->kind = static_cast<AnswerKind>(kind);
  if (question->kind == AnswerKind::End) {
    if (question->stand_in == kNone) reader.damaged("answer", "a task's end came that nobody asked for");
    failure = read_end(reader, arena::task(question->stand_in)).failure;
  } else {
    const std::size_t size = reader.remaining();
    question->bytes.assign(reinterpret_cast<const char*>(reader.view(size, "answer")), size);
    if (question->stand_in != kNone && question->kind != AnswerKind::Done) {
      failure = std::make_shared<TaskFailure>();
      failure->message = question->kind == AnswerKind::Refused ? question->bytes : "the client's process has no result";
      failure->type = "weft::Error";
    }
  }
  question->done.store(true, std::memory_order_release);
  return question;
}

std::shared_ptr<Asks::Question> Asks::take_unanswered() {
  if (open_.empty()) return nullptr;
  const std::shared_ptr<Question> question = open_.begin()->second;
  open_.erase(open_.begin());
  return question;
}

std::optional<std::string> answer_of(const Asks::Question& question) {
  switch (question.kind) {
    case AnswerKind::Done:
    case AnswerKind::End:
      return question.bytes;
    case AnswerKind::NotNow:
      return std::nullopt;
    case AnswerKind::Refused:
      throw Error(question.bytes);
    case AnswerKind::Closed:
      throw CancelledError(question.bytes);
  }
  return std::nullopt;
}

}  // namespace weft::cluster
