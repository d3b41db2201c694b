#include "frames/files/csv.hpp"

#include "io/codecs/filters.hpp"

#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

namespace weft::frames {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CsvTest : public ::testing::Test {
 protected:
  CsvTest() {
    char name[] = "/tmp/weft_csv_XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~CsvTest() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& text, const std::string& name = "a.csv") const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  static Table read_all(const std::vector<std::string>& paths, const CsvOptions& options = {}) {
    const CsvFormat format = plan_csv(paths, options);
    std::vector<Table> parts;
    for (const FilePiece& piece : cut_csv(paths, options))
      parts.push_back(read_csv_piece(piece, format, options.columns));
    return Table::concat(parts);
  }
  Table read(const std::string& text, const CsvOptions& options = {}) const { return read_all({file(text)}, options); }

  /// Reads the text in blocks of every size, and expects that this changes nothing.
  Table read_in_blocks(const std::string& text, CsvOptions options = {}) const {
    const std::string path = file(text);
    options.blocksize = 0;
    const Table whole = read_all({path}, options);
    for (std::uint64_t block = 1; block <= text.size(); block += block < 40 ? 1 : 17) {
      options.blocksize = block;
      EXPECT_TRUE(read_all({path}, options).equals(whole)) << "blocks of " << block << " bytes";
    }
    return whole;
  }

  std::string error_of(const std::string& text, const CsvOptions& options = {}) const {
    return error_of_all({file(text)}, options);
  }
  static std::string error_of_all(const std::vector<std::string>& paths, const CsvOptions& options = {}) {
    try {
      read_all(paths, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::string folder_;
};

std::vector<std::string> types_of(const Table& table) {
  std::vector<std::string> types;
  for (const Table::Named& one : table.columns()) types.emplace_back(name_of(one.column.type()));
  return types;
}

std::vector<std::string> texts_of(const Column& column) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < column.size(); ++i)
    texts.push_back(column.is_missing(i) ? "<missing>" : std::string(column.text(i)));
  return texts;
}

TEST_F(CsvTest, TypesAreGuessed) {
  CsvOptions options;
  options.dates = {"when"};
  const Table table = read_in_blocks(
      "flag,count,size,name,when,none\nTrue,1,1.5,ada,2015-03-29 07:05:00,\nfalse,-20,2,bo,1969-12-31,NA\n"
      "true,007,-1e3,\"x\",2015-03-29T07:05:00.25Z,\n",
      options);
  EXPECT_THAT(types_of(table), ElementsAre("bool", "int64", "float64", "string", "timestamp", "float64"));
  EXPECT_EQ(table["flag"].cell(1), Cell(false));
  EXPECT_EQ(table["count"].cell(1), Cell(std::int64_t{-20}));
  EXPECT_EQ(table["count"].cell(2), Cell(std::int64_t{7}));
  EXPECT_EQ(table["size"].cell(2), Cell(-1000.0));
  EXPECT_THAT(texts_of(table["name"]), ElementsAre("ada", "bo", "x"));
  EXPECT_EQ(table["when"].cell(0), Cell(std::int64_t{1427612700000000000}));
  EXPECT_EQ(table["when"].cell(1), Cell(std::int64_t{-86400000000000}));
  EXPECT_EQ(table["when"].cell(2), Cell(std::int64_t{1427612700250000000}));
  EXPECT_EQ(table["none"].missing_count(), 3u);
}

TEST_F(CsvTest, ZonesAreTurnedIntoUtc) {
  CsvOptions options;
  options.dates = {"t"};
  const Table table = read("t\n2015-03-29 07:05:00+02:00\n2015-03-29 07:05-0330\n2000-02-29\n", options);
  EXPECT_EQ(table["t"].cell(2), Cell(std::int64_t{951782400000000000}));
  EXPECT_EQ(table["t"].cell(0), Cell(std::int64_t{1427612700000000000 - 7200000000000}));
  EXPECT_EQ(table["t"].cell(1), Cell(std::int64_t{1427612700000000000 + 12600000000000}));
  EXPECT_THAT(error_of("t\n2015-02-29\n", options), HasSubstr("line 2: column 't': '2015-02-29' is no timestamp"));
  EXPECT_THAT(error_of("t\n2015-13-01\n", options), HasSubstr("is no timestamp"));
  EXPECT_THAT(error_of("t\n2015-01-01 24:00\n", options), HasSubstr("is no timestamp"));
  EXPECT_THAT(error_of("t\n9999-01-01\n", options), HasSubstr("is no timestamp"));
}

TEST_F(CsvTest, MissingValuesKeepTheTypeOfTheOthers) {
  const Table table = read_in_blocks("a,b,c,d\n1,,NA,x\n,True,2.5,\n3,False,nan,\"\"\n");
  EXPECT_THAT(types_of(table), ElementsAre("int64", "bool", "float64", "string"));
  EXPECT_EQ(table["a"].cell(1), Cell());
  EXPECT_EQ(table["b"].cell(0), Cell());
  EXPECT_EQ(table["c"].missing_count(), 2u);
  EXPECT_THAT(texts_of(table["d"]), ElementsAre("x", "<missing>", "<missing>"));
  CsvOptions options;
  options.missing = {"-9"};
  const Table other = read("a,b\n-9,\n4,NA\n", options);
  EXPECT_EQ(other["a"].cell(0), Cell());
  EXPECT_THAT(texts_of(other["b"]), ElementsAre("", "NA"));
}

TEST_F(CsvTest, QuotedFieldsHoldAnything) {
  const Table table = read_in_blocks(
      "name,n\n\"a,b\",1\n\"two\nlines\",2\n\"he said \"\"no\"\"\",3\n5\" "
      "pipe,4\n\"\"\"\",5\n\",\",6\n\"\n\n7,7\n\",\"7\"\n"
      "x,8\n");
  EXPECT_THAT(texts_of(table["name"]),
              ElementsAre("a,b", "two\nlines", "he said \"no\"", "5\" pipe", "\"", ",", "\n\n7,7\n", "x"));
  EXPECT_EQ(table["n"].cell(6), Cell(std::int64_t{7}));
}

TEST_F(CsvTest, TextsThatLookLikeRecordsAreNone) {
  // Quoted fields hold whole tables of as many columns: only quotes far before a block tell.
  std::string text = "id,table,end\n";
  for (int i = 0; i < 300; ++i) {
    text += std::to_string(i) + ",\"1,2,3\n4,5,6\n7,8,9\",1\n";
    if (i % 3 == 0) text += std::to_string(i) + ",plain,1\n";
  }
  const std::string path = file(text);
  for (const std::uint64_t block : {64u, 1000u, 4096u}) {
    CsvOptions options;
    options.blocksize = block;
    EXPECT_EQ(read_all({path}, options).row_count(), 400u);
  }
}

TEST_F(CsvTest, BlocksFarFromTheBeginningFindTheirRecords) {
  // Beyond what a block looks back.
  for (const std::string field : {"x", "\"a,\n1,b\"", "\"\"", "3\" x", "\",\""}) {
    std::string text = "a,b\n";
    std::size_t rows = 0;
    while (text.size() < 2500000) text += std::to_string(rows++) + "," + field + "\n";
    CsvOptions options;
    options.blocksize = 300007;
    const Table table = read_all({file(text)}, options);
    ASSERT_EQ(table.row_count(), rows) << field;
    for (std::size_t i = 0; i < rows; ++i) ASSERT_EQ(table["a"].data<std::int64_t>()[i], static_cast<std::int64_t>(i));
  }
}

TEST_F(CsvTest, LongQuotedTextsBeyondABlock) {
  std::string text = "a,b\n";
  for (int i = 0; i < 40; ++i) {
    text += std::to_string(i) + ",\"";
    for (int k = 0; k < 20000; ++k) text += "some words\n";
    text += "\"\n";
  }
  for (const std::uint64_t block : {100000u, 1000000u}) {
    CsvOptions options;
    options.blocksize = block;
    const Table table = read_all({file(text)}, options);
    ASSERT_EQ(table.row_count(), 40u);
    EXPECT_EQ(table["b"].text(39).size(), 220000u);
  }
}

TEST_F(CsvTest, LinesEndInAllWays) {
  const std::vector<std::string> texts = {"a,b\r\n1,x\r\n\r\n2,\"y\"\r\n", "a,b\n1,x\n\n  \n2,y",
                                          "\xef\xbb\xbf"
                                          "a,b\n1,x\n2,y\n",
                                          "\n\na,b\n1,x\n2,y\n\n\n", "a,b\r\n1,x\r\n2,y"};
  for (const std::string& text : texts) {
    const Table table = read_in_blocks(text);
    EXPECT_THAT(table.names(), ElementsAre("a", "b")) << text;
    EXPECT_THAT(types_of(table), ElementsAre("int64", "string")) << text;
    EXPECT_THAT(texts_of(table["b"]), ElementsAre("x", "y")) << text;
  }
}

TEST_F(CsvTest, CommentsAreSkipped) {
  CsvOptions options;
  options.comment = '#';
  const Table table = read_in_blocks("# it's \"odd\na,b\n1,x\n# 2,y\n#\n3,\"z\n# no comment\"\n", options);
  EXPECT_EQ(table.row_count(), 2u);
  EXPECT_THAT(texts_of(table["b"]), ElementsAre("x", "z\n# no comment"));
}

TEST_F(CsvTest, LinesBeforeTheHeaderAreSkipped) {
  CsvOptions options;
  options.skip_rows = 2;
  const Table table = read_in_blocks("made by \"me\nand, her, and, him\na,b\n1,2\n", options);
  EXPECT_EQ(table["b"].cell(0), Cell(std::int64_t{2}));
}

TEST_F(CsvTest, OneColumnHasNoSeparators) {
  const Table table = read_in_blocks("word\nada\n\n\"\"\n\"b\nc\"\nd");
  EXPECT_THAT(texts_of(table["word"]), ElementsAre("ada", "<missing>", "b\nc", "d"));
}

TEST_F(CsvTest, NamesAreGivenOrMade) {
  CsvOptions options;
  options.header = false;
  EXPECT_THAT(read_in_blocks("1,2\n3,4\n", options).names(), ElementsAre("0", "1"));
  options.names = {"x", "y"};
  EXPECT_EQ(read_in_blocks("1,2\n3,4\n", options)["y"].cell(1), Cell(std::int64_t{4}));
  options.header = true;
  EXPECT_THAT(read("a,b\n3,4\n", options).names(), ElementsAre("x", "y"));
  EXPECT_THAT(error_of("a,b,c\n1,2,3\n", options), HasSubstr(".names has 2 names, but there are 3 columns"));
  EXPECT_THAT(read("a,a,,a.1,a\n1,2,3,4,5\n").names(), ElementsAre("a", "a.2", "Unnamed: 2", "a.1", "a.3"));
  EXPECT_THAT(read("a,a\n1,2\n").names(), ElementsAre("a", "a.1"));
}

TEST_F(CsvTest, FilesWithoutRows) {
  const Table table = read("a,b\n");
  EXPECT_THAT(table.names(), ElementsAre("a", "b"));
  EXPECT_EQ(table.row_count(), 0u);
  EXPECT_EQ(read("a,b").row_count(), 0u);
  EXPECT_THAT(error_of(""), HasSubstr("a.csv: there is no line that names the columns: the file is empty"));
  const Table both = read_all({file("", "1.csv"), file("a,b\n", "2.csv"), file("a,b\n1,2\n", "3.csv")});
  EXPECT_THAT(types_of(both), ElementsAre("int64", "int64"));
  EXPECT_EQ(both.row_count(), 1u);
}

TEST_F(CsvTest, SomeColumnsInAnotherOrder) {
  const std::string path = file("a,b,c\n1,2,x\n3,4,y\n");
  const CsvFormat format = plan_csv({path}, {});
  const Table table = read_csv_piece({path, 0, 100}, format, {"c", "a"});
  EXPECT_THAT(table.names(), ElementsAre("c", "a"));
  EXPECT_EQ(table["a"].cell(1), Cell(std::int64_t{3}));
}

TEST_F(CsvTest, TypesThatAreGiven) {
  CsvOptions options;
  options.types = {{"a", "int32"}, {"b", "float32"}, {"c", "category"}, {"d", "string"}};
  const Table table = read_in_blocks("a,b,c,d\n1,0.1,z,1\n2,,y,2\n,3,z,03\n4,4,,4\n", options);
  EXPECT_THAT(types_of(table), ElementsAre("int32", "float32", "category", "string"));
  EXPECT_THAT(texts_of(table["c"]), ElementsAre("z", "y", "z", "<missing>"));
  EXPECT_THAT(texts_of(table["d"]), ElementsAre("1", "2", "03", "4"));
  EXPECT_EQ(table["b"].data<float>()[0], 0.1f);
  options.blocksize = 0;
  const Column whole = read("a,b,c,d\n1,0.1,z,1\n2,,y,2\n", options)["c"];
  EXPECT_THAT(texts_of(whole.category_list()), ElementsAre("y", "z"));
  options.types = {{"aa", "int32"}};
  EXPECT_THAT(error_of("a,b\n1,2\n", options),
              HasSubstr(".types names the column 'aa', which is not there (did you mean 'a'?)"));
  options.types = {{"a", "int33"}};
  EXPECT_THAT(error_of("a,b\n1,2\n", options), HasSubstr("column 'a': no type of column is called 'int33'"));
}

TEST_F(CsvTest, WholeNumbersMayBeReadAsFloats) {
  CsvOptions options;
  options.assume_missing = true;
  EXPECT_THAT(types_of(read("a,b\n1,x\n", options)), ElementsAre("float64", "string"));
  EXPECT_THAT(types_of(read("a,b\n12345678901234567890,1.5\n")), ElementsAre("string", "float64"));
}

TEST_F(CsvTest, AFieldThatDoesNotFitIsNamedWithItsLine) {
  std::string text = "x,y\n";
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + ",\"b\"\n";
  text += "1.5,c\n";
  CsvOptions options;
  options.blocksize = 200000;
  EXPECT_THAT(error_of(text, options),
              HasSubstr("a.csv: line 100002: column 'x': '1.5' is no int64: give .types = {{\"x\", \"float64\"}}"));
  options.columns = {"y"};
  EXPECT_EQ(read(text, options).row_count(), 100001u);
  options.columns = {};
  text.replace(text.rfind("1.5"), 3, "abc");
  EXPECT_THAT(error_of(text, options),
              HasSubstr("line 100002: column 'x': 'abc' is no int64: give .types = {{\"x\", \"string\"}}"));
}

TEST_F(CsvTest, AWrongNumberOfFieldsIsNamedWithItsLine) {
  EXPECT_THAT(error_of("a,b\n1,2\n\n3,4,5\n"),
              HasSubstr("a.csv: line 4: 3 fields in this line, but 2 columns in the file"));
  EXPECT_THAT(error_of("a,b\n1,2\n3\n5,6\n"), HasSubstr("line 3: 1 field in this line, but 2 columns in the file"));
  // As many fields in all as there should be.
  EXPECT_THAT(error_of("a,b\n1\n2,3,4\n"), HasSubstr("line 2: 1 field in this line, but 2 columns in the file"));
  EXPECT_THAT(error_of("a,b\n1,2\n3,\"x\n5,6\n"), HasSubstr("line 3: a quoted field that begins here has no end"));
}

TEST_F(CsvTest, FilesWhoseHeadersDifferAreBothNamed) {
  const std::string error = error_of_all({file("a,b\n1,2\n", "1.csv"), file("a,c\n1,2\n", "2.csv")});
  EXPECT_THAT(error, HasSubstr("2.csv: its header is a, c, but that of "));
  EXPECT_THAT(error, HasSubstr("1.csv is a, b"));
}

TEST_F(CsvTest, PatternsAreSorted) {
  file("", "b.csv");
  file("", "a.csv");
  EXPECT_THAT(files_of({folder_ + "/*.csv"}, "read_csv"), ElementsAre(folder_ + "/a.csv", folder_ + "/b.csv"));
  EXPECT_THROW(files_of({folder_ + "/*.txt"}, "read_csv"), Error);
  EXPECT_THROW(files_of({folder_}, "read_csv"), Error);
}

TEST_F(CsvTest, PackedFilesAreReadWhole) {
  std::string text = "a,b\n";
  for (int i = 0; i < 200000; ++i) text += std::to_string(i) + ",\"x\n" + std::to_string(i % 7) + "\"\n";
  const std::span<const std::byte> bytes = std::as_bytes(std::span(text));
  for (const std::uint32_t codec : {io::Filter::kGzip, io::Filter::kZstd}) {
    const io::Filter filter{codec, {}};
    if (!io::missing_codec(filter).empty()) continue;
    // Two members, as tools that pack in parallel write them.
    std::string packed;
    for (const auto part : {bytes.first(1000000), bytes.subspan(1000000)}) {
      const std::vector<std::byte> some = io::apply_filters("a", {filter}, 1, part);
      packed.append(reinterpret_cast<const char*>(some.data()), some.size());
    }
    CsvOptions options;
    options.blocksize = 10000;
    const std::string path = file(packed, "packed");
    EXPECT_EQ(cut_csv({path}, options).size(), 1u);
    EXPECT_TRUE(read_all({path}, options).equals(read(text)));
    for (const std::size_t cut : {packed.size() / 3, packed.size() - 2})
      EXPECT_THAT(error_of_all({file(packed.substr(0, cut), "cut")}),
                  HasSubstr("bytes are damaged, or the file ends too early"));
    std::string wrong = text + "z,1\n";
    const auto all = io::apply_filters("a", {filter}, 1, std::as_bytes(std::span(wrong)));
    EXPECT_THAT(error_of_all({file({reinterpret_cast<const char*>(all.data()), all.size()}, "wrong")}),
                HasSubstr("wrong: line 400002: column 'a': 'z' is no int64"));
  }
}

TEST_F(CsvTest, FloatsAreTheNearest) {
  std::mt19937_64 random(7);
  std::string text = "x\n0.0\n";
  std::vector<std::string> digits = {"0.0"};
  for (int i = 0; i < 20000; ++i) {
    std::string one = random() % 2 == 0 ? "-" : "";
    const std::size_t before = random() % 20, behind = random() % 22;
    for (std::size_t k = 0; k <= before; ++k) one += static_cast<char>('0' + random() % 10);
    if (behind != 0) one += '.';
    for (std::size_t k = 0; k < behind; ++k) one += static_cast<char>('0' + random() % 10);
    if (random() % 5 == 0) one += "e" + std::to_string(static_cast<int>(random() % 640) - 320);
    digits.push_back(one);
    text += one + "\n";
  }
  CsvOptions options;
  options.types = {{"x", "float64"}};
  const Table table = read(text, options);
  for (std::size_t i = 0; i < digits.size(); ++i)
    ASSERT_EQ(table["x"].data<double>()[i], std::strtod(digits[i].c_str(), nullptr)) << digits[i];
  for (const char* wrong : {".", "-", "1.2.3", "1-2", "--1", "+-1", "1e", "0x10", "1,5"})
    EXPECT_THAT(error_of(std::string("x;y\n1.5;1\n") + wrong + ";2\n", {.separator = ';', .types = {{"x", "float64"}}}),
                HasSubstr("is no float64"));
}

TEST_F(CsvTest, WholeNumbersOfAllLengths) {
  const Table table = read("x\n9223372036854775807\n-9223372036854775808\n+5\n 6 \n0000000000000000000000007\n-0\n");
  EXPECT_EQ(table["x"].cell(0), Cell(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(table["x"].cell(1), Cell(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(table["x"].cell(2), Cell(std::int64_t{5}));
  EXPECT_EQ(table["x"].cell(3), Cell(std::int64_t{6}));
  EXPECT_EQ(table["x"].cell(4), Cell(std::int64_t{7}));
  EXPECT_THAT(error_of("x\n9223372036854775808\n", {.types = {{"x", "int64"}}}), HasSubstr("is no int64"));
}

// Any bytes in any field, written by a writer that knows nothing of the reader.
TEST_F(CsvTest, RandomTablesComeBack) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    const std::size_t columns = 1 + random() % 4, rows = random() % 60;
    const std::string letters = seed % 2 == 0 ? "ab\",\n" : "abcd efg1\r\n\",;";
    std::string text;
    for (std::size_t c = 0; c < columns; ++c) text += (c == 0 ? "c" : ",c") + std::to_string(c);
    text += "\n";
    std::vector<std::vector<std::string>> expected(columns);
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        std::string field = "v";
        for (std::size_t k = random() % 12; k-- > 0;) field += letters[random() % letters.size()];
        expected[c].push_back(field);
        const bool quotes = random() % 3 == 0 || field.find_first_of(",\n\r") != std::string::npos;
        std::string written;
        for (const char byte : field) written += quotes && byte == '"' ? std::string("\"\"") : std::string(1, byte);
        text += (c == 0 ? "" : ",") + (quotes ? "\"" + written + "\"" : written);
      }
      text += seed % 3 == 0 ? "\r\n" : "\n";
    }
    const std::string path = file(text);
    for (const std::uint64_t block : {std::uint64_t{0}, std::uint64_t{7}, std::uint64_t{50}, std::uint64_t{333}}) {
      CsvOptions options;
      options.blocksize = block;
      const Table table = read_all({path}, options);
      for (std::size_t c = 0; c < columns; ++c)
        ASSERT_EQ(texts_of(table[c]), expected[c]) << "seed " << seed << ", blocks of " << block << "\n" << text;
    }
  }
}

TEST_F(CsvTest, WhatIsWrittenIsReadEqual) {
  const Table table(
      {{"flag", Column::of(ColumnType::Bool, {true, {}, false})},
       {"n", Column::of(ColumnType::Int64, {std::int64_t{-5}, std::int64_t{7}, {}})},
       {"x", Column::of(std::vector<double>{0.1, std::nan(""), 3})},
       {"a \"b\",", Column::of(ColumnType::String, {std::string("p,q"), {}, std::string("\"\n")})},
       {"t", Column::of(ColumnType::Timestamp, {std::int64_t{1427612700000000000}, {}, std::int64_t{-1}})}});
  const std::string text = csv_text(table, {}, true);
  EXPECT_EQ(text,
            "flag,n,x,\"a \"\"b\"\",\",t\nTrue,-5,0.1,\"p,q\",2015-03-29 07:05:00\n,7,,,\n"
            "False,,3.0,\"\"\"\n\",1969-12-31 23:59:59.999999999\n");
  CsvOptions options;
  options.dates = {"t"};
  EXPECT_TRUE(read(text, options).equals(table));
  EXPECT_EQ(csv_text(table.slice(1, 1), {.separator = ';', .missing = "-"}, false), "-;7;-;-;-\n");
  EXPECT_EQ(csv_text(table.slice(0, 0).select(std::vector<std::string>{"n"}), {}, true), "n\n");
}

TEST_F(CsvTest, AMissingValueAloneInItsLineIsNoBlankLine) {
  const Table table({{"a", Column::of(ColumnType::Int64, {std::int64_t{1}, {}, std::int64_t{3}})}});
  EXPECT_EQ(csv_text(table, {}, true), "a\n1\n\"\"\n3\n");
  EXPECT_TRUE(read(csv_text(table, {}, true)).equals(table));
}

TEST_F(CsvTest, TimestampsAreWrittenAsTheyAreRead) {
  std::mt19937_64 random(3);
  std::vector<Cell> cells;
  for (int i = 0; i < 5000; ++i) cells.emplace_back(static_cast<std::int64_t>(random()) / 2);
  for (std::int64_t day = -100000; day < 100000; day += 13) cells.emplace_back(day * 86400000000000 / 3);
  const Table table({{"t", Column::of(ColumnType::Timestamp, cells)}});
  EXPECT_TRUE(read(csv_text(table, {}, true), {.dates = {"t"}}).equals(table));
}

}  // namespace
}  // namespace weft::frames
