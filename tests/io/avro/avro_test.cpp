#include <weft/avro.hpp>

#include "tests/io/formats/file_of.hpp"

#include <weft/client.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

using io::bytes_of_file;
using io::TestFolder;
using testing::HasSubstr;

const char* const kSchema = R"({"type": "record", "name": "Event", "namespace": "lab.data", "fields": [
  {"name": "id", "type": "long"},
  {"name": "name", "type": "string"},
  {"name": "level", "type": ["null", "double"]},
  {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["A", "B"]}},
  {"name": "tags", "type": {"type": "array", "items": "string"}},
  {"name": "more", "type": {"type": "map", "values": "int"}},
  {"name": "mark", "type": {"type": "fixed", "name": "Mark", "size": 3}},
  {"name": "next", "type": ["null", "Event"]},
  {"name": "good", "type": "boolean"}]})";

AvroValue event(std::int64_t id) {
  AvroValue::Record record{{"id", id * 1'000'003 - 5'000},
                           {"name", "event " + std::to_string(id)},
                           {"level", id % 3 == 0 ? AvroValue() : AvroValue(0.25 * static_cast<double>(id))},
                           {"kind", id % 2 == 0 ? "A" : "B"},
                           {"tags", AvroValue::List{"x", std::to_string(id)}},
                           {"more", AvroValue::Record{{"n", id}}},
                           {"mark", "abc"},
                           {"next", AvroValue()},
                           {"good", id % 5 == 0}};
  if (id % 4 == 0 && id > 0) record["next"] = event(id - 1);
  return record;
}

std::vector<AvroValue> events(std::int64_t count) {
  std::vector<AvroValue> all;
  for (std::int64_t i = 0; i < count; ++i) all.push_back(event(i));
  return all;
}

class AvroTest : public testing::Test {
 protected:
  /// Writes a file of so many events and returns its path.
  std::string write(std::int64_t count, const std::string& codec = "deflate") {
    const auto bag = Bag<AvroValue>::from(events(count), 1);
    return to_avro(bag, client_, folder_ / (codec + "-*.avro"), kSchema, {.codec = codec}).front();
  }
  std::string message(const std::string& path) {
    try {
      read_avro(path).compute(client_);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no error";
  }
  TestFolder folder_;
  const Client client_{Options{.scheduler = "threads", .threads = 2}};
};

TEST_F(AvroTest, WhatIsWrittenIsReadAgainHoweverItIsCut) {
  const std::vector<AvroValue> all = events(5'000);
  for (const std::string codec : {"null", "deflate"}) {
    const auto paths = to_avro(Bag<AvroValue>::from(all, 3), client_, folder_ / ("out-*-" + codec + ".avro"), kSchema,
                               {.codec = codec});
    ASSERT_EQ(paths.size(), 3u);
    for (const std::uint64_t block : {0u, 3'000u, 70'000u, 1'000'000u})
      EXPECT_TRUE(read_avro(folder_ / ("out-*-" + codec + ".avro"), {.blocksize = block}).compute(client_) == all)
          << codec << " in blocks of " << block;
  }
  EXPECT_EQ(read_avro(folder_ / "out-*.avro")
                .map([](const AvroValue& one) { return one["good"].is_null(); })
                .count()
                .compute(client_),
            10'000u);
}

TEST_F(AvroTest, ABlockMayBeginAtAnyByte) {
  const std::string path = write(400, "null");
  const std::vector<AvroValue> all = events(400);
  for (std::uint64_t block = 500; block < 560; ++block)
    EXPECT_TRUE(read_avro(path, {.blocksize = block}).compute(client_) == all) << block;
}

TEST_F(AvroTest, EqualElementsGiveEqualFiles) {
  const std::string once = bytes_of_file(write(300));
  EXPECT_EQ(bytes_of_file(write(300)), once);
}

TEST_F(AvroTest, AnEmptyPartitionIsAFile) { EXPECT_TRUE(read_avro(write(0)).compute(client_).empty()); }

TEST_F(AvroTest, ValuesTellWhatTheyAre) {
  const AvroValue one = event(4);
  EXPECT_EQ(one["next"]["id"].whole(), 3 * 1'000'003 - 5'000);
  EXPECT_EQ(one["id"].number(), 4 * 1'000'003.0 - 5'000);
  EXPECT_EQ(one["tags"].list().back().text(), "4");
  try {
    static_cast<void>(one["nmae"]);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no \"nmae\"; it has good, id, kind"));
  }
  try {
    static_cast<void>(one["name"].whole());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a text was read as a whole number"));
  }
}

TEST_F(AvroTest, WhatDoesNotFitTheSchemaIsNamed) {
  const auto refusal = [&](AvroValue value, const std::string& schema) -> std::string {
    try {
      to_avro(Bag<AvroValue>::from({std::move(value)}, 1), client_, folder_ / "bad-*.avro", schema);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "no error";
  };
  AvroValue::Record wrong = event(1).record();
  wrong["id"] = "seven";
  EXPECT_THAT(refusal(wrong, kSchema), HasSubstr("\"id\" of the element is a text and does not fit the schema, which "
                                                 "has long there"));
  wrong = event(1).record();
  wrong["tags"] = AvroValue::List{1};
  EXPECT_THAT(refusal(wrong, kSchema), HasSubstr("an item of \"tags\" of the element is a whole number"));
  wrong = event(1).record();
  wrong["extra"] = 1;
  EXPECT_THAT(refusal(wrong, kSchema), HasSubstr("has \"extra\", which record lab.data.Event has not"));
  wrong = event(1).record();
  wrong.erase("good");
  EXPECT_THAT(refusal(wrong, kSchema), HasSubstr("\"good\" of the element is null"));
  wrong = event(1).record();
  wrong["kind"] = "C";
  EXPECT_THAT(refusal(wrong, kSchema), HasSubstr("enum lab.data.Kind"));
  EXPECT_THAT(refusal(std::int64_t{1} << 40, "int"), HasSubstr("does not fit the schema, which has int"));
  EXPECT_THAT(refusal(1, R"("lnog")"), HasSubstr("there is no type \"lnog\""));
  EXPECT_THAT(refusal(1, R"({"type": "record", "name": "R"})"), HasSubstr("has no \"fields\""));
  EXPECT_THAT(refusal(1, "{"), HasSubstr("to_avro's schema"));
  EXPECT_THAT(refusal(1, "[]"), HasSubstr("a union has no branches"));
  EXPECT_THROW(to_avro(Bag<AvroValue>::from({}, 1), client_, folder_ / "x-*.avro", "int", {.codec = "snappy"}), Error);
}

TEST_F(AvroTest, FilesThatAreNoneAreRefusedByName) {
  EXPECT_THAT(message(folder_.file("text.avro", "no avro")), HasSubstr("text.avro': is no Avro object container file"));
  EXPECT_THAT(message(folder_.file("empty.avro", "")), HasSubstr("is no Avro object container file"));
  EXPECT_THAT(message(folder_ / "absent.avro"), HasSubstr("read_avro: "));
  std::string good = bytes_of_file(write(10, "null"));
  const std::size_t codec = good.find("null");
  good.replace(codec, 4, "zstd");
  EXPECT_THAT(message(folder_.file("codec.avro", good)), HasSubstr("codec is \"zstd\"; weft reads null and deflate"));
}

TEST_F(AvroTest, ABombOfDefinitionsIsRefused) {
  // Each record has the one before ten times; the last one nothing: 10^12 values without a byte.
  std::string schema = R"({"type": "record", "name": "R0", "fields": []})";
  for (int i = 1; i <= 12; ++i) {
    std::string fields = R"({"name": "f0", "type": )" + schema + "}";
    for (int k = 1; k < 10; ++k)
      fields += R"(, {"name": "f)" + std::to_string(k) + R"(", "type": "R)" + std::to_string(i - 1) + "\"}";
    schema = R"({"type": "record", "name": "R)" + std::to_string(i) + R"(", "fields": [)" + fields + "]}";
  }
  std::string file("Obj\x01\x02", 5);
  const auto put = [&file](const std::string& text) {
    std::uint64_t left = 2 * text.size();
    for (; left >= 0x80; left >>= 7) file += static_cast<char>(left | 0x80);
    file += static_cast<char>(left) + text;
  };
  put("avro.schema");
  put(schema);
  file += std::string(1, '\0') + "0123456789abcdef" + std::string("\x02\0", 2) + "0123456789abcdef";
  EXPECT_THAT(message(folder_.file("bomb.avro", file)), HasSubstr("more values than bytes"));
}

TEST_F(AvroTest, CutOffFilesAreRefused) {
  for (const std::string codec : {"null", "deflate"}) {
    const std::string good = bytes_of_file(write(40, codec));
    const std::size_t header = good.find("Obj") + bytes_of_file(write(0, codec)).size();
    for (std::size_t size = 0; size < good.size(); size += size < header + 40 ? 1 : 37) {
      if (size == header) continue;  // no block is none
      EXPECT_NE(message(folder_.file("cut.avro", good.substr(0, size))), "no error") << codec << " " << size;
    }
  }
}

TEST_F(AvroTest, DamagedFilesAreRefusedOrRead) {
  for (const std::string codec : {"null", "deflate"}) {
    const std::string good = bytes_of_file(write(5, codec));
    for (std::size_t place = 0; place < good.size(); ++place) {
      for (const int change : {1, 0xff}) {
        std::string bad = good;
        bad[place] = static_cast<char>(bad[place] ^ change);
        const std::string said = message(folder_.file("bad.avro", bad));
        if (said != "no error") {
          EXPECT_THAT(said, HasSubstr("bad.avro")) << place;
        }
      }
    }
  }
}

}  // namespace
}  // namespace weft
