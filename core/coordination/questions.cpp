#include "core/coordination/questions.hpp"

#include "core/coordination/notes.hpp"

#include <weft/error.hpp>

#include <chrono>
#include <utility>

namespace weft::detail {
namespace {

constexpr std::string_view kWhat = "question";

NamedKind read_kind(Reader& reader) {
  const auto kind = reader.number<std::uint8_t>(kWhat);
  if (kind > static_cast<std::uint8_t>(NamedKind::Lock)) reader.damaged(kWhat, "it is about no kind that there is");
  return static_cast<NamedKind>(kind);
}

NamedAct read_act(Reader& reader) {
  const auto act = reader.number<std::uint8_t>(kWhat);
  if (act > static_cast<std::uint8_t>(NamedAct::Free)) reader.damaged(kWhat, "it asks for nothing that there is");
  return static_cast<NamedAct>(act);
}

std::optional<Reply> act_on_object(std::uint32_t client, std::uint64_t process, Reader& reader, bool waits,
                                   const std::vector<Handle>& tasks) {
  Named::Identity identity;
  identity.client = client;
  identity.kind = read_kind(reader);
  identity.name = read_string(reader);
  identity.type = read_string(reader);
  identity.size = reader.count(kWhat);
  NamedCall call;
  call.act = read_act(reader);
  call.waits = waits;
  call.number = reader.count(kWhat);
  call.by = {process, reader.number<std::uint64_t>(kWhat)};
  if (reader.number<std::uint8_t>(kWhat) != 0) call.parcel = Parcel::read(reader, tasks);
  NamedAnswer answer;
  if (!open_named(identity)->attempt(call, answer)) return std::nullopt;
  Writer out;
  out.count(answer.number);
  out.number(static_cast<std::uint8_t>(answer.parcel.empty() ? 0 : 1));
  Reply reply;
  if (!answer.parcel.empty()) {
    answer.parcel.write(out);
    answer.parcel.collect(reply.futures);
  }
  reply.bytes = text_of(out);
  reply.changed = changes(call.act);
  return reply;
}

/// `key` is a topic, where it is about events.
Reply note_or_tell(Notes& notes, QuestionForm form, const std::string& key, std::string text) {
  Writer out;
  if (form == QuestionForm::SetNote) {
    notes.set(key, std::move(text));
  } else if (form == QuestionForm::LogEvent) {
    notes.log(key, std::move(text));
  } else if (form == QuestionForm::Note) {
    const std::optional<std::string> note = notes.find(key);
    out.number(static_cast<std::uint8_t>(note ? 1 : 0));
    if (note) write_string(out, *note);
  } else {
    const std::vector<LoggedEvent> events = notes.events(key);
    out.count(events.size());
    for (const LoggedEvent& event : events) {
      out.number(
          std::int64_t{std::chrono::duration_cast<std::chrono::nanoseconds>(event.time.time_since_epoch()).count()});
      write_string(out, event.text);
    }
  }
  Reply reply;
  reply.bytes = text_of(out);
  return reply;
}

}  // namespace

void write_string(Writer& writer, std::string_view text) {
  writer.count(text.size());
  writer.bytes(text.data(), text.size());
}

std::string read_string(Reader& reader) {
  const std::size_t size = reader.elements(1, kWhat);
  return {reinterpret_cast<const char*>(reader.view(size, kWhat)), size};
}

std::string text_of(const Writer& writer) { return {reinterpret_cast<const char*>(writer.data()), writer.size()}; }

std::string question_about(const Named::Identity& identity, const NamedCall& call) {
  Writer out;
  out.number(QuestionForm::Act);
  out.number(identity.kind);
  write_string(out, identity.name);
  write_string(out, identity.type);
  out.count(identity.size);
  out.number(call.act);
  out.count(call.number);
  out.number(call.by.who);
  out.number(static_cast<std::uint8_t>(call.parcel.empty() ? 0 : 1));
  if (!call.parcel.empty()) call.parcel.write(out);
  return text_of(out);
}

std::string question_of_name(QuestionForm form, const std::string& name, std::string_view type) {
  Writer out;
  out.number(form);
  write_string(out, name);
  write_string(out, type);
  return text_of(out);
}

QuestionForm read_form(Reader& reader) {
  const auto form = reader.number<std::uint8_t>(kWhat);
  if (form == 0 || form > kLastQuestion) reader.damaged(kWhat, "it is of no form that there is");
  return static_cast<QuestionForm>(form);
}

std::optional<Reply> answer_question(std::uint32_t client, std::uint64_t process, QuestionForm form, Reader& reader,
                                     bool waits, const std::vector<Handle>& tasks) {
  if (form == QuestionForm::Act) return act_on_object(client, process, reader, waits, tasks);
  const std::string name = read_string(reader);
  std::string type = read_string(reader);
  if (form == QuestionForm::SetNote || form == QuestionForm::Note || form == QuestionForm::LogEvent ||
      form == QuestionForm::Events)
    return note_or_tell(*notes_of(client), form, name, std::move(type));
  Reply reply;
  if (form == QuestionForm::Find) {
    reply.task = published_here(client, name, type);
    return reply;
  }
  if (form == QuestionForm::Unpublish) {
    unpublish_here(client, name);
    return reply;
  }
  if (form != QuestionForm::List) throw Error("a question that is not about objects");
  Writer out;
  const std::vector<std::string> names = list_published_here(client);
  out.count(names.size());
  for (const std::string& one : names) write_string(out, one);
  reply.bytes = text_of(out);
  return reply;
}

std::string with_offers(const std::string& bytes, const std::vector<std::uint64_t>& offers) {
  Writer out;
  out.count(offers.size());
  for (const std::uint64_t offer : offers) out.count(offer);
  return bytes + text_of(out);
}

std::string question_of_offer(std::uint64_t offer) {
  Writer out;
  out.number(QuestionForm::Offered);
  out.count(offer);
  return text_of(out);
}

NamedAnswer read_named_answer(const std::string& bytes) {
  Reader reader(bytes.data(), bytes.size());
  NamedAnswer answer;
  answer.number = reader.count("answer");
  if (reader.number<std::uint8_t>("answer") != 0) answer.parcel = Parcel::read(reader);
  if (reader.remaining() == 0) return answer;
  std::vector<std::uint64_t> offers(reader.elements(1, "answer"));
  for (std::uint64_t& offer : offers) offer = reader.count("answer");
  answer.parcel.offer(std::move(offers));
  return answer;
}

std::vector<std::string> read_names(const std::string& bytes) {
  Reader reader(bytes.data(), bytes.size());
  std::vector<std::string> names(reader.elements(1, "answer"));
  for (std::string& name : names) name = read_string(reader);
  return names;
}

std::optional<std::string> read_note(const std::string& bytes) {
  Reader reader(bytes.data(), bytes.size());
  if (reader.number<std::uint8_t>("answer") == 0) return std::nullopt;
  return read_string(reader);
}

std::vector<LoggedEvent> read_events(const std::string& bytes) {
  Reader reader(bytes.data(), bytes.size());
  std::vector<LoggedEvent> events(reader.elements(1 + sizeof(std::int64_t), "answer"));
  for (LoggedEvent& event : events) {
    const std::chrono::nanoseconds time(reader.number<std::int64_t>("answer"));
    event.time =
        std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(time));
    event.text = read_string(reader);
  }
  return events;
}

}  // namespace weft::detail
