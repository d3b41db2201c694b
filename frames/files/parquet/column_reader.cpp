#include "frames/files/parquet/column_reader.hpp"

#include <weft/storage.hpp>

#include "io/codecs/filters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace weft::frames::parquet {
namespace {

/// What all strings of a column may take: see most_rows.
std::uint64_t most_text(std::uint64_t file_bytes) { return (std::uint64_t{1} << 30) + file_bytes * 4096; }

/// Fills one column, chunk after chunk. A category is filled as codes into the dictionary of its one chunk.
/// Owns: the column until `finish`.  Threading: one thread.
class ColumnReader {
 public:
  ColumnReader(const io::OpenFile& file, const Leaf& leaf, ColumnType type, std::size_t rows)
      : file_(file),
        leaf_(leaf),
        type_(type),
        out_(type, rows),
        text_(most_text(file.size())),
        dictionary_text_(most_text(file.size())),
        scratch_(most_text(file.size())) {}
  void read(PageReader& pages, std::size_t rows);
  Column finish();

 private:
  bool stored_as_text() const {
    return leaf_.physical == Physical::ByteArray || leaf_.physical == Physical::FixedBytes;
  }
  void take_dictionary(PageReader::Page& page);
  void take_data(PageReader::Page& page);
  std::size_t take_levels(PageReader::Page& page, std::size_t count);
  void take_by_dictionary(PageBytes& body, std::size_t count);
  template <class T>
  void gather(RunReader& runs, std::size_t count);
  void gather_texts(RunReader& runs, std::size_t count);
  void texts(Encoding encoding, PageBytes& body, std::size_t count, std::int64_t* ends, TextRun& run);
  void stored_values(Encoding encoding, PageBytes& body, std::size_t count, std::byte* out);
  void values(Encoding encoding, PageBytes& body, std::size_t count, std::byte* out);
  template <class T>
  void spread(std::size_t count, std::size_t present, T none);
  void spread_all(std::size_t count, std::size_t present);
  std::byte* place() { return out_.data<std::byte>() + row_ * width_of(type_); }
  std::int64_t* ends() { return out_.data<std::int64_t>() + row_; }
  [[noreturn]] void no_encoding(Encoding encoding) const;

  const io::OpenFile& file_;
  const Leaf& leaf_;
  const ColumnType type_;
  Column out_;
  std::size_t row_ = 0, chunk_end_ = 0;
  std::uint8_t* marks_ = nullptr;
  TextRun text_;
  bool has_dictionary_ = false;
  std::size_t dictionary_size_ = 0;
  Room dictionary_;  // of values as the column has them
  std::vector<std::int64_t> dictionary_ends_;
  TextRun dictionary_text_;
  // Used page after page.
  Room levels_, stored_, codes_, ends_;
  TextRun scratch_;
};

void ColumnReader::no_encoding(Encoding encoding) const {
  io::fail(file_.path(), "a page has encoding " + std::to_string(static_cast<int>(encoding)) +
                             ", which its type does not have: the file is damaged or newer than weft");
}

void ColumnReader::read(PageReader& pages, std::size_t rows) {
  chunk_end_ = row_ + rows;
  has_dictionary_ = false;
  while (row_ < chunk_end_) {
    std::optional<PageReader::Page> page = pages.next();
    if (!page) io::fail(file_.path(), "its pages hold fewer rows than their row group: the file is damaged");
    if (page->head.holds_data()) {
      take_data(*page);
    } else {
      take_dictionary(*page);
    }
  }
}

void ColumnReader::texts(Encoding encoding, PageBytes& body, std::size_t count, std::int64_t* ends, TextRun& run) {
  const bool fixed = leaf_.physical == Physical::FixedBytes;
  const auto width = static_cast<std::size_t>(leaf_.width);
  const auto before = static_cast<std::int64_t>(run.size_bytes());
  if (encoding == Encoding::Plain && fixed) return decode_fixed_texts(body, width, count, ends, run);
  if (encoding == Encoding::Plain) return decode_plain_texts(body, count, ends, run);
  if (encoding == Encoding::DeltaLengths && !fixed) return decode_delta_lengths(body, count, ends, run);
  if (encoding == Encoding::ByteStreamSplit && fixed) {
    if (count > body.left() / width) body.damaged("a page ends before its last value");
    std::byte* const whole = stored_.take(count * width);
    io::unshuffle(reinterpret_cast<const std::byte*>(body.take(count * width)), count * width, width, whole);
    const auto* const from = reinterpret_cast<const std::uint8_t*>(whole);
    PageBytes plain{body.path, from, from + count * width};
    return decode_fixed_texts(plain, width, count, ends, run);
  }
  if (encoding != Encoding::DeltaStrings) no_encoding(encoding);
  decode_delta_texts(body, count, ends, run);
  if (!fixed) return;
  for (std::size_t i = 0; i < count; ++i) {
    if (ends[i] != before + static_cast<std::int64_t>((i + 1) * width))
      body.damaged("a value has another width than its type");
  }
}

/// Values as they are stored, one behind the other.
void ColumnReader::stored_values(Encoding encoding, PageBytes& body, std::size_t count, std::byte* out) {
  const std::size_t width = stored_width(leaf_.physical);
  const bool flag = leaf_.physical == Physical::Boolean;
  if (encoding == Encoding::Plain && flag) {
    decode_flags(body, count, reinterpret_cast<std::uint8_t*>(out));
  } else if (encoding == Encoding::Plain) {
    if (count != 0) std::memcpy(out, body.take(count * width), count * width);
  } else if (encoding == Encoding::Rle && flag) {
    const std::uint32_t size = body.u32();
    const std::uint8_t* const from = body.take(size);
    RunReader runs({body.path, from, from + size}, 1);
    for (std::size_t done = 0; done < count;) {
      const RunReader::Stretch some = runs.next(count - done);
      for (std::size_t i = 0; i < some.count; ++i)
        out[done + i] = static_cast<std::byte>(some.equal ? some.value : some.values[i]);
      done += some.count;
    }
  } else if (encoding == Encoding::DeltaBinary && leaf_.physical == Physical::Int32) {
    decode_delta(body, count, reinterpret_cast<std::int32_t*>(out));
  } else if (encoding == Encoding::DeltaBinary && leaf_.physical == Physical::Int64) {
    decode_delta(body, count, reinterpret_cast<std::int64_t*>(out));
  } else if (encoding == Encoding::ByteStreamSplit && !flag) {
    io::unshuffle(reinterpret_cast<const std::byte*>(body.take(count * width)), count * width, width, out);
  } else {
    no_encoding(encoding);
  }
}

/// Values as the column has them.
void ColumnReader::values(Encoding encoding, PageBytes& body, std::size_t count, std::byte* out) {
  if (stored_as_text()) {
    scratch_.clear();
    auto* const ends = ends_.take_of<std::int64_t>(count);
    texts(encoding, body, count, ends, scratch_);
    return convert_texts(leaf_, ends, scratch_.data(), count, out);
  }
  if (leaf_.meaning == Meaning::Same) return stored_values(encoding, body, count, out);
  std::byte* const stored = stored_.take(count * stored_width(leaf_.physical));
  stored_values(encoding, body, count, stored);
  convert(file_.path(), leaf_, stored, count, out);
}

void ColumnReader::take_dictionary(PageReader::Page& page) {
  if (has_dictionary_) page.body.damaged("a column has two dictionaries");
  const std::size_t count = page.head.values;
  // A value of a dictionary takes a bit at least, of all but flags four bytes.
  if (count > page.body.left()) page.body.damaged("a dictionary is longer than its page");
  has_dictionary_ = true;
  dictionary_size_ = count;
  if (type_ == ColumnType::String || type_ == ColumnType::Category) {
    dictionary_text_.clear();
    dictionary_text_.more(file_.path(), 0);
    dictionary_ends_.resize(count);
    texts(Encoding::Plain, page.body, count, dictionary_ends_.data(), dictionary_text_);
  } else {
    values(Encoding::Plain, page.body, count, dictionary_.take(count * width_of(type_)));
  }
}

std::size_t ColumnReader::take_levels(PageReader::Page& page, std::size_t count) {
  PageBytes bytes = page.levels;
  if (page.head.kind == PageHead::Data) {
    if (page.head.level_encoding == Encoding::BitPacked) {
      const std::uint8_t* const bits = page.body.take((count + 7) / 8);
      auto* const levels = levels_.take_of<std::uint8_t>(count);
      std::size_t present = 0;
      for (std::size_t i = 0; i < count; ++i) present += levels[i] = bits[i / 8] >> (7 - i % 8) & 1;
      return present;
    }
    if (page.head.level_encoding != Encoding::Rle) no_encoding(page.head.level_encoding);
    const std::uint32_t size = page.body.u32();
    const std::uint8_t* const from = page.body.take(size);
    bytes = {&file_.path(), from, from + size};
  }
  RunReader runs(bytes, 1);
  RunReader::Stretch some = runs.next(count);
  if (some.equal && some.value == 1 && some.count == count) return count;
  auto* const levels = levels_.take_of<std::uint8_t>(count);
  std::size_t present = 0;
  for (std::size_t done = 0;;) {
    if (some.equal) {
      std::memset(levels + done, some.value != 0 ? 1 : 0, some.count);
      present += some.value != 0 ? some.count : 0;
    } else {
      for (std::size_t i = 0; i < some.count; ++i)
        present += levels[done + i] = static_cast<std::uint8_t>(some.values[i]);
    }
    done += some.count;
    if (done == count) return present;
    some = runs.next(count - done);
  }
}

/// Moves values that lie one behind the other to the rows that have one.
template <class T>
void ColumnReader::spread(std::size_t count, std::size_t present, T none) {
  const auto* const levels = levels_.take_of<std::uint8_t>(count);
  T* const to = reinterpret_cast<T*>(place());
  for (std::size_t i = count; i-- > 0;) to[i] = levels[i] != 0 ? to[--present] : none;
}

void ColumnReader::spread_all(std::size_t count, std::size_t present) {
  const auto* const levels = levels_.take_of<std::uint8_t>(count);
  switch (type_) {
    case ColumnType::Bool:
      spread<std::uint8_t>(count, present, 0);
      break;
    case ColumnType::Int32:
      spread<std::int32_t>(count, present, 0);
      break;
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      spread<std::int64_t>(count, present, 0);
      break;
    // These have values of their own for what is missing.
    case ColumnType::Category:
      return spread<std::int32_t>(count, present, -1);
    case ColumnType::Float32:
      return spread<float>(count, present, std::nanf(""));
    case ColumnType::Float64:
      return spread<double>(count, present, std::nan(""));
    case ColumnType::String: {
      std::int64_t* const to = ends();
      const std::int64_t before = row_ == 0 ? 0 : to[-1];
      for (std::size_t i = count; i-- > 0;) {
        to[i] = present == 0 ? before : to[present - 1];
        present -= levels[i];
      }
      break;
    }
  }
  if (marks_ == nullptr) marks_ = out_.make_marks();
  std::memcpy(marks_ + row_, levels, count);
}

void ColumnReader::take_data(PageReader::Page& page) {
  const std::size_t count = page.head.values;
  if (count > chunk_end_ - row_) page.body.damaged("its pages hold more rows than their row group");
  if (count == 0) return;
  const std::size_t present = leaf_.optional ? take_levels(page, count) : count;
  if (page.head.by_dictionary()) {
    take_by_dictionary(page.body, present);
  } else if (type_ == ColumnType::String) {
    texts(page.head.encoding, page.body, present, ends(), text_);
  } else {
    values(page.head.encoding, page.body, present, place());
  }
  if (present < count) spread_all(count, present);
  row_ += count;
}

void ColumnReader::take_by_dictionary(PageBytes& body, std::size_t count) {
  if (count == 0) return;
  if (!has_dictionary_) body.damaged("a page refers to a dictionary that is not there");
  RunReader runs(body, 0);
  const unsigned width = *body.take(1);
  runs = RunReader(body, width);
  if (type_ == ColumnType::String) return gather_texts(runs, count);
  switch (width_of(type_)) {
    case 1:
      return gather<std::uint8_t>(runs, count);
    case 4:
      return gather<std::uint32_t>(runs, count);
    default:
      return gather<std::uint64_t>(runs, count);
  }
}

/// Checks codes before they are used.
std::uint32_t greatest(const RunReader::Stretch& some) {
  if (some.equal) return some.value;
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < some.count; ++i) most = std::max(most, some.values[i]);
  return most;
}

template <class T>
void ColumnReader::gather(RunReader& runs, std::size_t count) {
  const T* const from = type_ == ColumnType::Category ? nullptr : dictionary_.take_of<T>(dictionary_size_);
  T* const to = reinterpret_cast<T*>(place());
  for (std::size_t done = 0; done < count;) {
    const RunReader::Stretch some = runs.next(count - done);
    if (greatest(some) >= dictionary_size_)
      io::fail(file_.path(), "a page refers behind its dictionary: the file is damaged");
    T* const here = to + done;
    if (from == nullptr) {
      for (std::size_t i = 0; i < some.count; ++i) here[i] = static_cast<T>(some.equal ? some.value : some.values[i]);
    } else if (some.equal) {
      std::fill_n(here, some.count, from[some.value]);
    } else {
      for (std::size_t i = 0; i < some.count; ++i) here[i] = from[some.values[i]];
    }
    done += some.count;
  }
}

void ColumnReader::gather_texts(RunReader& runs, std::size_t count) {
  const std::int64_t* const ends_of = dictionary_ends_.data();
  const char* const bytes = dictionary_text_.data();
  std::int64_t* const to = ends();
  auto end = static_cast<std::int64_t>(text_.size_bytes());
  for (std::size_t done = 0; done < count;) {
    const RunReader::Stretch some = runs.next(count - done);
    if (greatest(some) >= dictionary_size_)
      io::fail(file_.path(), "a page refers behind its dictionary: the file is damaged");
    const auto code = [&](std::size_t i) { return some.equal ? some.value : some.values[i]; };
    const auto begin_of = [&](std::uint32_t which) { return which == 0 ? 0 : ends_of[which - 1]; };
    const std::int64_t before = end;
    for (std::size_t i = 0; i < some.count; ++i) to[done + i] = end += ends_of[code(i)] - begin_of(code(i));
    char* const begin = text_.more(file_.path(), static_cast<std::uint64_t>(end - before));
    char* at = begin;
    for (std::size_t i = 0; i < some.count; ++i) {
      const char* const from = bytes + begin_of(code(i));
      const auto size = static_cast<std::size_t>(ends_of[code(i)] - begin_of(code(i)));
      if (size <= 16) {
        std::memcpy(at, from, 16);
      } else {
        std::memcpy(at, from, size);
      }
      at += size;
    }
    text_.used(static_cast<std::size_t>(end - before));
    done += some.count;
  }
}

Column text_column(const TextRun& run, const std::int64_t* ends, std::size_t count) {
  Chunk<std::int64_t> own(count);
  if (count != 0) std::memcpy(own.data(), ends, count * 8);
  Buffer bytes = run.size_bytes() == 0 ? Buffer() : Buffer::allocate(run.size_bytes());
  if (run.size_bytes() != 0) std::memcpy(bytes.data(), run.data(), run.size_bytes());
  return Column::strings(std::move(own), std::move(bytes));
}

Column ColumnReader::finish() {
  if (type_ == ColumnType::String) {
    Buffer bytes = text_.size_bytes() == 0 ? Buffer() : Buffer::allocate(text_.size_bytes());
    if (text_.size_bytes() != 0) std::memcpy(bytes.data(), text_.data(), text_.size_bytes());
    Column column = Column::strings(Chunk<std::int64_t>(out_.data_buffer()), std::move(bytes));
    if (out_.has_missing_marks()) column.share_marks_of(out_);
    return column;
  }
  if (type_ != ColumnType::Category) return std::move(out_);
  return Column::categories(
      Chunk<std::int32_t>(out_.data_buffer()),
      text_column(dictionary_text_, dictionary_ends_.data(), has_dictionary_ ? dictionary_size_ : 0));
}

/// Tells whether no string comes twice, as dictionaries should have it.
bool all_differ(const Column& list) {
  std::vector<std::string_view> texts;
  for (std::size_t i = 0; i < list.size(); ++i) texts.push_back(list.text(i));
  std::sort(texts.begin(), texts.end());
  return std::adjacent_find(texts.begin(), texts.end()) == texts.end();
}

Column read_categories(const io::OpenFile& file, const Leaf& leaf, std::span<const RowGroup> groups) {
  std::vector<Column> parts;
  for (const RowGroup& group : groups) {
    PageReader pages(file, leaf, group.chunks[leaf.chunk]);
    if (pages.all_by_dictionary()) {
      ColumnReader codes(file, leaf, ColumnType::Category, group.rows);
      codes.read(pages, group.rows);
      Column part = codes.finish();
      if (all_differ(part.category_list())) {
        parts.push_back(std::move(part));
        continue;
      }
    }
    PageReader again(file, leaf, group.chunks[leaf.chunk]);
    ColumnReader texts(file, leaf, ColumnType::String, group.rows);
    texts.read(again, group.rows);
    parts.push_back(texts.finish().cast(ColumnType::Category));
  }
  if (parts.empty()) return Column::of(ColumnType::Category, {});
  std::vector<const Column*> pointers;
  for (const Column& part : parts) pointers.push_back(&part);
  return Column::concat(pointers);
}

Column read_now(const io::OpenFile& file, const Leaf& leaf, std::span<const RowGroup> groups) {
  std::size_t rows = 0;
  for (const RowGroup& group : groups) {
    rows += group.rows;
    const ChunkPlace& chunk = group.chunks[leaf.chunk];
    if (chunk.values != group.rows)
      io::fail(file.path(), "its chunk has " + std::to_string(chunk.values) + " values, its row group " +
                                std::to_string(group.rows) + " rows: the file is damaged");
  }
  if (leaf.meaning == Meaning::NoValue) {
    Column none = Column::of(ColumnType::String, {});
    Chunk<std::int64_t> ends(rows, 0);
    none = Column::strings(std::move(ends), {});
    if (rows != 0) std::memset(none.make_marks(), 0, rows);
    return none;
  }
  if (leaf.type == ColumnType::Category) return read_categories(file, leaf, groups);
  ColumnReader column(file, leaf, leaf.type, rows);
  for (const RowGroup& group : groups) {
    PageReader pages(file, leaf, group.chunks[leaf.chunk]);
    column.read(pages, group.rows);
  }
  return column.finish();
}

}  // namespace

Column read_column(const io::OpenFile& file, const Leaf& leaf, std::span<const RowGroup> groups) {
  return read_now(file, leaf, groups);
}

}  // namespace weft::frames::parquet
