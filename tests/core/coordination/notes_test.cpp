#include "core/coordination/notes.hpp"

#include "core/coordination/questions.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft::detail {
namespace {

using testing::IsEmpty;

std::string answer_to(std::uint32_t client, const std::string& question) {
  Reader reader(question.data(), question.size());
  const QuestionForm form = read_form(reader);
  return answer_question(client, 1, form, reader, false).value().bytes;
}

TEST(NotesTest, QuestionsReachTheNotesOfTheirClient) {
  Client client(Options{.scheduler = "sync"});
  const Client other(Options{.scheduler = "sync"});
  const std::uint32_t serial = client.serial();
  EXPECT_EQ(read_note(answer_to(serial, question_of_name(QuestionForm::Note, "model"))), std::nullopt);
  answer_to(serial, question_of_name(QuestionForm::SetNote, "model", "v1"));
  EXPECT_EQ(client.metadata("model"), "v1");
  EXPECT_EQ(read_note(answer_to(serial, question_of_name(QuestionForm::Note, "model"))), "v1");
  EXPECT_EQ(other.metadata("model"), std::nullopt);

  answer_to(serial, question_of_name(QuestionForm::LogEvent, "steps", "one"));
  client.log_event("steps", "two");
  const std::vector<LoggedEvent> events =
      read_events(answer_to(serial, question_of_name(QuestionForm::Events, "steps")));
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].text, "one");
  EXPECT_EQ(events[1].text, "two");
  EXPECT_LE(events[0].time, events[1].time);
  EXPECT_EQ(events[1].time, client.events("steps")[1].time);
  EXPECT_THAT(read_events(answer_to(serial, question_of_name(QuestionForm::Events, "other"))), IsEmpty());

  client.close();
  EXPECT_THROW(answer_to(serial, question_of_name(QuestionForm::Note, "model")), Error);
  EXPECT_NO_THROW(note_event(serial, "steps", "three"));
  EXPECT_EQ(client.events("steps").size(), 2u);
}

TEST(NotesTest, OfATopicTheLastEventsAreKept) {
  Notes notes;
  for (int i = 0; i < 10'005; ++i) notes.log("steps", std::to_string(i));
  const std::vector<LoggedEvent> events = notes.events("steps");
  ASSERT_EQ(events.size(), 10'000u);
  EXPECT_EQ(events.front().text, "5");
  EXPECT_EQ(events.back().text, "10004");
}

}  // namespace
}  // namespace weft::detail
