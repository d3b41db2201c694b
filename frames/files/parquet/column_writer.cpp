#include "frames/files/parquet/column_writer.hpp"

#include "frames/files/parquet/dictionary.hpp"
#include "frames/files/parquet/thrift.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::frames::parquet {
namespace {

constexpr std::size_t kPageBytes = 1 << 20;
// Longer ones tell little and would be in every footer.
constexpr std::size_t kMostBoundBytes = 256;

void append(std::vector<std::byte>& out, const void* from, std::size_t bytes) {
  const auto* const begin = static_cast<const std::byte*>(from);
  out.insert(out.end(), begin, begin + bytes);
}

void append_varint(std::vector<std::byte>& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<std::byte>(value | 0x80));
  out.push_back(static_cast<std::byte>(value));
}

/// Numbers in `width` bits each, the last group of eight filled with zeros.
void append_packed(std::vector<std::byte>& out, const std::uint32_t* values, std::size_t count, unsigned width) {
  const std::size_t groups = (count + 7) / 8;
  append_varint(out, groups << 1 | 1);
  const std::size_t begin = out.size();
  out.resize(begin + groups * width);
  std::byte* to = out.data() + begin;
  std::uint64_t word = 0;
  unsigned bits = 0;
  for (std::size_t i = 0; i < groups * 8; ++i) {
    word |= static_cast<std::uint64_t>(i < count ? values[i] : 0) << bits;
    for (bits += width; bits >= 8; bits -= 8, word >>= 8) *to++ = static_cast<std::byte>(word);
  }
}

/// Makes the pages of one chunk.
/// Owns: what was written of it.  Threading: one thread.
class ChunkWriter {
 public:
  ChunkWriter(const std::string& path, const Column& column, std::size_t first, std::size_t count, Codec codec)
      : path_(path), column_(column), first_(first), count_(count), codec_(codec) {}
  WrittenChunk write();

 private:
  void find_missing();
  bool has(std::size_t i) const { return levels_.empty() || levels_[i] != 0; }
  template <class T>
  const T* rows() const {
    return column_.data<T>() + first_;
  }
  void write_flags();
  template <class T>
  void write_fixed();
  template <class T>
  void bounds_of_fixed();
  void write_texts();
  void write_categories();
  /// Writes pages of codes into the dictionary whose values are `plain`.
  void write_codes(const std::vector<std::byte>& plain, std::size_t size, const std::vector<std::uint32_t>& codes);
  void write_plain_texts();
  void bounds_of_texts(const std::vector<std::string_view>& texts);
  void begin_body(std::size_t first, std::size_t count);
  void add_page(bool dictionary, std::size_t values, Encoding encoding);

  const std::string& path_;
  const Column& column_;
  const std::size_t first_, count_;
  const Codec codec_;
  WrittenChunk chunk_;
  std::vector<std::uint32_t> levels_;  // nothing: no row is missing
  std::vector<std::byte> body_;        // of the page that is being made
};

void ChunkWriter::find_missing() {
  for (std::size_t i = 0; i < count_; ++i) {
    if (!column_.is_missing(first_ + i)) continue;
    if (levels_.empty()) levels_.assign(count_, 1);
    levels_[i] = 0;
    ++chunk_.missing;
  }
}

/// Begins a page with which of its rows have a value.
void ChunkWriter::begin_body(std::size_t first, std::size_t count) {
  body_.assign(4, std::byte{0});
  if (levels_.empty()) {
    append_varint(body_, count << 1);
    body_.push_back(std::byte{1});
  } else {
    append_runs(body_, levels_.data() + first, count, 1);
  }
  const auto size = static_cast<std::uint32_t>(body_.size() - 4);
  std::memcpy(body_.data(), &size, 4);
}

void ChunkWriter::add_page(bool dictionary, std::size_t values, Encoding encoding) {
  if (body_.size() > 0x7fffffffu)
    io::fail(path_, "a value is too long for a page of Parquet, which holds 2 GiB at most");
  const std::vector<std::byte> packed = pack(path_, codec_, body_);
  ThriftWriter head;
  head.begin();
  head.small(1, dictionary ? 2 : 0);
  head.small(2, static_cast<std::int32_t>(body_.size()));
  head.small(3, static_cast<std::int32_t>(packed.size()));
  head.record(dictionary ? 7 : 5);
  head.small(1, static_cast<std::int32_t>(values));
  head.small(2, static_cast<std::int32_t>(encoding));
  if (!dictionary) {
    head.small(3, static_cast<std::int32_t>(Encoding::Rle));
    head.small(4, static_cast<std::int32_t>(Encoding::Rle));
  }
  head.end();
  head.end();
  append(chunk_.bytes, head.bytes().data(), head.bytes().size());
  append(chunk_.bytes, packed.data(), packed.size());
  chunk_.unpacked += head.bytes().size() + body_.size();
  if (dictionary) chunk_.first_data = chunk_.bytes.size();
}

void ChunkWriter::write_codes(const std::vector<std::byte>& plain, std::size_t size,
                              const std::vector<std::uint32_t>& codes) {
  chunk_.has_dictionary = true;
  body_ = plain;
  add_page(true, size, Encoding::Plain);
  const unsigned width = std::max(1, static_cast<int>(std::bit_width(size - 1)));
  const std::size_t rows = kPageBytes * 8 / width / 8 * 8;
  std::size_t code = 0;
  for (std::size_t at = 0; at < count_; at += rows) {
    const std::size_t some = std::min(rows, count_ - at);
    begin_body(at, some);
    body_.push_back(static_cast<std::byte>(width));
    std::size_t present = some;
    if (!levels_.empty())
      present = static_cast<std::size_t>(std::count(levels_.begin() + static_cast<std::ptrdiff_t>(at),
                                                    levels_.begin() + static_cast<std::ptrdiff_t>(at + some), 1u));
    append_runs(body_, codes.data() + code, present, width);
    code += present;
    add_page(false, some, Encoding::RleDictionary);
  }
}

void ChunkWriter::write_flags() {
  const auto* const values = rows<std::uint8_t>();
  const std::size_t most = kPageBytes * 8;
  bool any[2] = {false, false};
  for (std::size_t at = 0; at < count_; at += most) {
    const std::size_t some = std::min(most, count_ - at);
    begin_body(at, some);
    unsigned bits = 0, byte = 0;
    for (std::size_t i = at; i < at + some; ++i) {
      if (!has(i)) continue;
      const bool flag = values[i] != 0;
      any[flag ? 1 : 0] = true;
      byte |= (flag ? 1u : 0u) << bits;
      if (++bits < 8) continue;
      body_.push_back(static_cast<std::byte>(byte));
      bits = byte = 0;
    }
    if (bits != 0) body_.push_back(static_cast<std::byte>(byte));
    add_page(false, some, Encoding::Plain);
  }
  if (!any[0] && !any[1]) return;
  chunk_.least = std::string(1, any[0] ? '\0' : '\1');
  chunk_.most = std::string(1, any[1] ? '\1' : '\0');
}

template <class T>
void ChunkWriter::bounds_of_fixed() {
  const T* const values = rows<T>();
  T least{}, most{};
  bool any = false;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!has(i)) continue;
    least = !any || values[i] < least ? values[i] : least;
    most = !any || most < values[i] ? values[i] : most;
    any = true;
  }
  if (!any) return;
  if constexpr (std::is_floating_point_v<T>) {
    // The two zeros are equal: either may lie within.
    if (least == 0) least = -T{0};
    if (most == 0) most = T{0};
  }
  chunk_.least = std::string(reinterpret_cast<const char*>(&least), sizeof least);
  chunk_.most = std::string(reinterpret_cast<const char*>(&most), sizeof most);
}

template <class T>
void ChunkWriter::write_fixed() {
  bounds_of_fixed<T>();
  const T* const values = rows<T>();
  // Bits are compared, so that what is read has the same ones.
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  Dictionary<std::uint64_t> dictionary;
  std::vector<std::uint32_t> codes;
  bool fits = true;
  for (std::size_t i = 0; i < count_ && fits; ++i) {
    if (!has(i)) continue;
    const std::int64_t code = dictionary.code(std::bit_cast<Bits>(values[i]));
    fits = code >= 0;
    codes.push_back(static_cast<std::uint32_t>(code));
  }
  if (fits && !codes.empty() && dictionary.values().size() * 2 <= codes.size() + 2) {
    std::vector<std::byte> plain;
    for (const std::uint64_t one : dictionary.values()) append(plain, &one, sizeof(T));
    return write_codes(plain, dictionary.values().size(), codes);
  }
  constexpr std::size_t kRows = kPageBytes / sizeof(T);
  for (std::size_t at = 0; at < count_; at += kRows) {
    const std::size_t some = std::min(kRows, count_ - at);
    begin_body(at, some);
    if (levels_.empty()) {
      append(body_, values + at, some * sizeof(T));
    } else {
      for (std::size_t i = at; i < at + some; ++i) {
        if (has(i)) append(body_, values + i, sizeof(T));
      }
    }
    add_page(false, some, Encoding::Plain);
  }
}

void append_text(std::vector<std::byte>& out, const std::string& path, std::string_view text) {
  if (text.size() > 0x7fffffffu) io::fail(path, "a string is too long for Parquet, where it has 2 GiB at most");
  const auto size = static_cast<std::uint32_t>(text.size());
  append(out, &size, 4);
  append(out, text.data(), text.size());
}

void ChunkWriter::bounds_of_texts(const std::vector<std::string_view>& texts) {
  if (texts.empty()) return;
  const auto [least, most] = std::minmax_element(texts.begin(), texts.end());
  if (least->size() > kMostBoundBytes || most->size() > kMostBoundBytes) return;
  chunk_.least = std::string(*least);
  chunk_.most = std::string(*most);
}

void ChunkWriter::write_plain_texts() {
  std::vector<std::string_view> texts(count_);
  for (std::size_t i = 0; i < count_; ++i) texts[i] = column_.text(first_ + i);
  for (std::size_t at = 0; at < count_;) {
    std::size_t some = 0, bytes = 0;
    for (; at + some < count_ && (some == 0 || bytes < kPageBytes); ++some) bytes += texts[at + some].size() + 4;
    begin_body(at, some);
    for (std::size_t i = at; i < at + some; ++i) {
      if (has(i)) append_text(body_, path_, texts[i]);
    }
    add_page(false, some, Encoding::Plain);
    at += some;
  }
  std::size_t i = 0;
  std::erase_if(texts, [&](const std::string_view&) { return !has(i++); });
  bounds_of_texts(texts);
}

void ChunkWriter::write_texts() {
  Dictionary<std::string_view> dictionary;
  std::vector<std::uint32_t> codes;
  for (std::size_t i = 0; i < count_; ++i) {
    if (!has(i)) continue;
    const std::int64_t code = dictionary.code(column_.text(first_ + i));
    if (code < 0) return write_plain_texts();
    codes.push_back(static_cast<std::uint32_t>(code));
  }
  if (codes.empty()) return write_plain_texts();
  std::vector<std::byte> plain;
  for (const std::string_view text : dictionary.values()) append_text(plain, path_, text);
  write_codes(plain, dictionary.values().size(), codes);
  bounds_of_texts(dictionary.values());
}

void ChunkWriter::write_categories() {
  const Column& list = column_.category_list();
  if (list.size() == 0 || list.size() > std::max<std::size_t>(count_, 1 << 16)) return write_plain_texts();
  std::vector<std::uint32_t> codes;
  std::vector<bool> used(list.size(), false);
  for (std::size_t i = 0; i < count_; ++i) {
    if (!has(i)) continue;
    codes.push_back(static_cast<std::uint32_t>(rows<std::int32_t>()[i]));
    used[codes.back()] = true;
  }
  std::vector<std::byte> plain;
  std::vector<std::string_view> texts;
  for (std::size_t k = 0; k < list.size(); ++k) {
    append_text(plain, path_, list.text(k));
    if (used[k]) texts.push_back(list.text(k));
  }
  write_codes(plain, list.size(), codes);
  bounds_of_texts(texts);
}

WrittenChunk ChunkWriter::write() {
  find_missing();
  chunk_.values = count_;
  chunk_.physical = physical_of(column_.type());
  switch (column_.type()) {
    case ColumnType::Bool:
      write_flags();
      break;
    case ColumnType::Int32:
      write_fixed<std::int32_t>();
      break;
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      write_fixed<std::int64_t>();
      break;
    case ColumnType::Float32:
      write_fixed<float>();
      break;
    case ColumnType::Float64:
      write_fixed<double>();
      break;
    case ColumnType::String:
      write_texts();
      break;
    case ColumnType::Category:
      write_categories();
      break;
  }
  return std::move(chunk_);
}

}  // namespace

void append_runs(std::vector<std::byte>& out, const std::uint32_t* values, std::size_t count, unsigned width) {
  std::size_t at = 0, literal = 0;
  while (at < count) {
    std::size_t run = 1;
    while (at + run < count && values[at + run] == values[at]) ++run;
    if (run < 8) {
      at += std::min<std::size_t>(8, count - at);
      continue;
    }
    if (at != literal) append_packed(out, values + literal, at - literal, width);
    append_varint(out, run << 1);
    append(out, values + at, (width + 7) / 8);
    literal = at += run;
  }
  if (at != literal) append_packed(out, values + literal, at - literal, width);
}

Physical physical_of(ColumnType type) {
  switch (type) {
    case ColumnType::Bool:
      return Physical::Boolean;
    case ColumnType::Int32:
      return Physical::Int32;
    case ColumnType::Int64:
    case ColumnType::Timestamp:
      return Physical::Int64;
    case ColumnType::Float32:
      return Physical::Float;
    case ColumnType::Float64:
      return Physical::Double;
    case ColumnType::String:
    case ColumnType::Category:
      break;
  }
  return Physical::ByteArray;
}

WrittenChunk write_chunk(const std::string& path, const Column& column, std::size_t first, std::size_t count,
                         Codec codec) {
  return ChunkWriter(path, column, first, count, codec).write();
}

}  // namespace weft::frames::parquet
