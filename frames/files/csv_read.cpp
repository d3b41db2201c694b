#include "frames/files/csv.hpp"
#include "frames/files/csv_columns.hpp"
#include "frames/files/csv_scan.hpp"
#include "frames/files/csv_source.hpp"
#include "frames/files/csv_values.hpp"

#include "core/config/nearest.hpp"

#include <weft/error.hpp>

#include <algorithm>

namespace weft::frames {
namespace {

/// A text and what is found in it stay in the cache of a core.
constexpr std::size_t kWindow = std::size_t{256} << 10;
constexpr std::size_t kTail = std::size_t{16} << 10;

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 60;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

/// Returns what to do about a field that says nothing of the column's type.
std::string advice(const std::string& name, ColumnType type, std::string_view text) {
  const std::string_view bare = trimmed(text);
  double number = 0;
  std::int64_t whole = 0;
  const bool is_number = hard_real_number(bare.data(), bare.data() + bare.size(), number);
  const bool is_whole = hard_whole_number(bare.data(), bare.data() + bare.size(), whole);
  const char* better = "string";
  if (type == ColumnType::Int32 && is_whole)
    better = "int64";
  else if ((type == ColumnType::Int32 || type == ColumnType::Int64) && is_number)
    better = "float64";
  if (type == ColumnType::Timestamp) {
    return "dates are written as 2015-03-29 or 2015-03-29 07:05:00; leave '" + name + "' out of .dates to read texts";
  }
  return "give .types = {{\"" + name + "\", \"" + better + "\"}}";
}

/// Reads the records of one piece.
/// Owns: the window of the file that is looked at.  Threading: one thread.
class PieceReader {
 public:
  PieceReader(const FilePiece& piece, const CsvFormat& format, std::vector<std::size_t> wanted)
      : path_(piece.path),
        format_(format),
        wanted_(std::move(wanted)),
        missing_(format.missing),
        text_(piece.path),
        window_(text_, 0),
        scanner_(format_, format.names.size()) {
    const CsvHead head = read_head(window_, format_);
    check_head(head);
    end_ = text_.packed() ? ~std::uint64_t{0} : piece.end;
    if (text_.packed() || piece.first <= head.data) {
      window_.drop(static_cast<std::size_t>(head.data - window_.offset()));
    } else {
      const std::uint64_t first = first_record(text_, format_, piece.first, head.data);
      window_.restart(first);
    }
    for (const std::size_t index : wanted_) columns_.emplace_back(format.types[index], format_, missing_);
  }

  Table read() {
    bool first = true;
    while (window_.offset() < end_) {
      read_on();
      scanner_.scan(window_.data(), window_.size());
      if (first && scanner_.records() != 0) expect_rows();
      first = first && scanner_.records() == 0;
      const std::size_t records = own_records();
      for (std::size_t i = 0; i < wanted_.size(); ++i) append(i, records);
      if (scanner_.wrong().has_value() && window_.offset() + scanner_.wrong()->begin < end_) refuse_count();
      window_.drop(scanner_.used());
      if (!window_.ended()) continue;
      if (window_.size() != 0 && window_.offset() < end_) refuse_open_quote(path_, window_.offset());
      break;
    }
    std::vector<Table::Named> named;
    for (std::size_t i = 0; i < wanted_.size(); ++i) named.push_back({format_.names[wanted_[i]], columns_[i].take()});
    return Table(std::move(named));
  }

 private:
  void check_head(const CsvHead& head) const {
    if (!format_.header || head.names.empty() || head.names.size() == format_.names.size()) return;
    throw Error("read_csv: " + path_ + ": its header has " + std::to_string(head.names.size()) + " fields, but " +
                std::to_string(format_.names.size()) + " columns are expected as in the first file");
  }

  /// Reads to the end of the piece at most, or, where a record goes on behind it, a little on.
  void read_on() {
    const std::size_t held = window_.size();
    // A record that is longer than the window.
    std::size_t most = held < kWindow / 2 ? kWindow - held : held;
    if (window_.end() < end_)
      most = static_cast<std::size_t>(std::min<std::uint64_t>(most, end_ - window_.end()));
    else
      most = std::max(kTail, held);
    window_.more(most);
  }

  void expect_rows() {
    const std::uint64_t bytes = (text_.packed() ? 4 * text_.file_bytes() : std::min(end_, text_.file_bytes())) -
                                (text_.packed() ? 0 : std::min(window_.offset(), text_.file_bytes()));
    const double each = static_cast<double>(scanner_.used()) / static_cast<double>(scanner_.records());
    const double rows = static_cast<double>(bytes) / each * 1.02 + 64;
    // What is written is what counts: this only saves copies.
    const std::size_t most = std::size_t{1} << 24;
    for (CsvColumn& column : columns_)
      column.expect(rows < static_cast<double>(most) ? static_cast<std::size_t>(rows) : most);
  }

  /// Returns how many of the records begin in the piece.
  std::size_t own_records() const {
    std::size_t count = scanner_.records();
    if (window_.offset() + scanner_.used() < end_) return count;
    while (count != 0 && window_.offset() + scanner_.record_begin(count - 1) >= end_) --count;
    return count;
  }

  void append(std::size_t i, std::size_t records) {
    FieldRange fields = scanner_.column(wanted_[i]);
    fields.records = records;
    const std::size_t done = columns_[i].append(fields);
    if (done == records) return;
    const FieldRange::Field field = fields[done];
    std::string room;
    const std::string text(unquoted(field.begin, field.end, format_.quote, room));
    const ColumnType type = format_.types[wanted_[i]];
    const std::string& name = format_.names[wanted_[i]];
    const auto place = window_.offset() + static_cast<std::uint64_t>(field.begin - window_.data());
    refuse(place, "column '" + name + "': '" + shown(text) + "' is no " + std::string(name_of(type)) + ": " +
                      advice(name, type, text));
  }

  [[noreturn]] void refuse_count() const {
    const auto counted = [](std::size_t count, const char* what) {
      return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
    };
    const CsvScanner::WrongCount& wrong = *scanner_.wrong();
    refuse(window_.offset() + wrong.begin, counted(wrong.fields, "field") + " in this line, but " +
                                               counted(format_.names.size(), "column") +
                                               " in the file: is a separator missing, or does a field need quotes?");
  }

  [[noreturn]] void refuse(std::uint64_t place, const std::string& what) const {
    throw Error("read_csv: " + path_ + ": line " + std::to_string(line_of(path_, place)) + ": " + what);
  }

  const std::string& path_;
  const CsvFormat& format_;
  const std::vector<std::size_t> wanted_;
  const MissingWords missing_;
  CsvText text_;
  CsvWindow window_;
  CsvScanner scanner_;
  std::uint64_t end_ = 0;
  std::vector<CsvColumn> columns_;
};

std::vector<std::size_t> places_of(const std::vector<std::string>& columns, const CsvFormat& format) {
  std::vector<std::size_t> places;
  if (columns.empty()) {
    for (std::size_t i = 0; i < format.names.size(); ++i) places.push_back(i);
  }
  for (const std::string& name : columns) {
    const auto found = std::find(format.names.begin(), format.names.end(), name);
    if (found == format.names.end()) {
      throw Error("read_csv: there is no column '" + name + "' (did you mean '" + nearest_name(name, format.names) +
                  "'?)");
    }
    places.push_back(static_cast<std::size_t>(found - format.names.begin()));
  }
  return places;
}

}  // namespace

Table read_csv_piece(const FilePiece& piece, const CsvFormat& format, const std::vector<std::string>& columns) {
  return PieceReader(piece, format, places_of(columns, format)).read();
}

}  // namespace weft::frames
