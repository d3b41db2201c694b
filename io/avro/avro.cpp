#include <weft/avro.hpp>

#include "core/journal/journal.hpp"
#include "io/avro/schema.hpp"
#include "io/codecs/packers.hpp"
#include "io/files/open_file.hpp"

#include <weft/client.hpp>
#include <weft/delayed.hpp>
#include <weft/error.hpp>
#include <weft/journal.hpp>
#include <weft/remote.hpp>
#include <weft/storage.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace weft {
namespace {

using io::OpenFile;
using io::avro::put_long;
using io::avro::Schema;
using io::avro::take_long;

constexpr std::size_t kSyncBytes = 16;
using Sync = std::array<std::byte, kSyncBytes>;
constexpr std::array<char, 4> kMagic = {'O', 'b', 'j', 1};
/// A file says what it holds in its first bytes; no schema that somebody wrote is longer.
constexpr std::uint64_t kMostHeaderBytes = 16 << 20;
/// No block that somebody wrote is longer, packed or not.
constexpr std::uint64_t kMostBlockBytes = std::uint64_t{1} << 30;

/// What stands at the front of a file.
struct Header {
  std::string schema;
  bool deflated = false;
  Sync sync = {};
  std::uint64_t bytes = 0;
};

std::string take_text(std::span<const std::byte>& from, const std::string& path) {
  const std::int64_t bytes = take_long(from, path);
  if (bytes < 0 || static_cast<std::uint64_t>(bytes) > from.size())
    io::fail(path, "the Avro header ends in the middle of a text: the file is damaged or cut off");
  const std::string text(reinterpret_cast<const char*>(from.data()), static_cast<std::size_t>(bytes));
  from = from.subspan(static_cast<std::size_t>(bytes));
  return text;
}

Header parse_header(const OpenFile& file, std::span<const std::byte> all) {
  std::span<const std::byte> from = all;
  if (from.size() < kMagic.size() || std::memcmp(from.data(), kMagic.data(), kMagic.size()) != 0)
    file.fail("is no Avro object container file: it does not begin with \"Obj\" and 1");
  from = from.subspan(kMagic.size());
  Header header;
  for (std::int64_t count; (count = take_long(from, file.path())) != 0;) {
    if (count < 0) {
      static_cast<void>(take_long(from, file.path()));
      count = count == INT64_MIN ? INT64_MAX : -count;
    }
    for (; count != 0; --count) {
      const std::string key = take_text(from, file.path());
      const std::string value = take_text(from, file.path());
      if (key == "avro.schema") header.schema = value;
      if (key != "avro.codec" || value == "null" || value.empty()) continue;
      if (value != "deflate") file.fail("its Avro codec is \"" + value + "\"; weft reads null and deflate");
      header.deflated = true;
    }
  }
  if (header.schema.empty()) file.fail("the Avro header has no schema: the file is damaged");
  if (from.size() < kSyncBytes) file.fail("the Avro header ends too early: the file is damaged or cut off");
  std::memcpy(header.sync.data(), from.data(), kSyncBytes);
  header.bytes = all.size() - from.size() + kSyncBytes;
  return header;
}

Header read_header(const OpenFile& file) {
  for (std::uint64_t wanted = 64 << 10;; wanted *= 16) {
    const std::uint64_t bytes = std::min({file.size(), wanted, kMostHeaderBytes});
    std::vector<std::byte> all(static_cast<std::size_t>(bytes));
    file.read(0, all.data(), all.size());
    if (bytes == file.size() || bytes == kMostHeaderBytes) return parse_header(file, all);
    try {
      return parse_header(file, all);
    } catch (const io::FileError&) {
      // It may only have been too little of it.
    }
  }
}

/// Returns where the first block begins at or behind `first`: behind a sync marker; nothing where none does before
/// `end`.
std::optional<std::uint64_t> find_block(const OpenFile& file, const Header& header, std::uint64_t first,
                                        std::uint64_t end) {
  if (first <= header.bytes)
    return header.bytes < std::max<std::uint64_t>(end, 1) ? std::optional(header.bytes) : std::nullopt;
  constexpr std::uint64_t kPiece = 1 << 20;
  std::vector<std::byte> piece;
  for (std::uint64_t at = first - kSyncBytes; at + kSyncBytes < end;) {
    piece.resize(static_cast<std::size_t>(std::min(file.size() - at, kPiece)));
    file.read(at, piece.data(), piece.size());
    const auto found = std::search(piece.begin(), piece.end(), header.sync.begin(), header.sync.end());
    if (found != piece.end()) {
      const std::uint64_t begin = at + static_cast<std::uint64_t>(found - piece.begin()) + kSyncBytes;
      return begin < end ? std::optional(begin) : std::nullopt;
    }
    if (at + piece.size() == file.size()) return std::nullopt;
    at += piece.size() - (kSyncBytes - 1);
  }
  return std::nullopt;
}

/// Reads the blocks that begin in [first, end).
struct ReadAvro {
  std::vector<AvroValue> operator()(const std::string& path, std::uint64_t first, std::uint64_t end) const {
    const OpenFile file(path);
    const Header header = read_header(file);
    const Schema schema(header.schema, file.path());
    std::vector<AvroValue> values;
    const std::optional<std::uint64_t> begin = find_block(file, header, first, end);
    if (!begin) return values;
    std::vector<std::byte> bytes;
    for (std::uint64_t at = *begin; at < end && at < file.size();) {
      std::array<std::byte, 20> numbers{};
      std::span<std::byte> some(numbers.data(), std::min<std::size_t>(numbers.size(), file.size() - at));
      file.read(at, some.data(), some.size());
      std::span<const std::byte> from = some;
      const std::int64_t count = take_long(from, file.path());
      const std::int64_t size = take_long(from, file.path());
      at += some.size() - from.size();
      if (count < 0 || size < 0 || static_cast<std::uint64_t>(size) > kMostBlockBytes)
        file.fail("a block of Avro data has no sensible length: the file is damaged");
      if (static_cast<std::uint64_t>(size) + kSyncBytes > file.size() - at)
        file.fail("it ends in the middle of a block of Avro data: it is cut off");
      bytes.resize(static_cast<std::size_t>(size) + kSyncBytes);
      file.read(at, bytes.data(), bytes.size());
      at += bytes.size();
      if (std::memcmp(bytes.data() + size, header.sync.data(), kSyncBytes) != 0)
        file.fail("a block of Avro data does not end with the file's marker: the file is damaged");
      bytes.resize(static_cast<std::size_t>(size));
      if (header.deflated) bytes = io::inflate_raw_all(file.path(), bytes, kMostBlockBytes);
      add_values(file, schema, bytes, count, values);
    }
    return values;
  }

  static void add_values(const OpenFile& file, const Schema& schema, std::span<const std::byte> from,
                         std::int64_t count, std::vector<AvroValue>& values) {
    constexpr std::int64_t kMostEmpty = 1 << 20;
    for (std::int64_t i = 0; i < count; ++i) {
      if (from.empty() && i > kMostEmpty) file.fail("a block of Avro data has more elements than bytes: it is damaged");
      values.push_back(schema.read(from));
    }
    if (!from.empty()) file.fail("a block of Avro data has bytes behind its last element: the file is damaged");
  }
};

/// A marker that depends on the file's contents alone, so that the same elements give the same file.
Sync sync_of(const std::string& schema, std::span<const std::byte> data) {
  Sync sync;
  for (std::uint64_t half = 0; half < 2; ++half) {
    std::uint64_t sum = 0xcbf2'9ce4'8422'2325u + half * 0x9e37'79b9'7f4a'7c15u;
    const auto add = [&sum](std::uint64_t byte) { sum = (sum ^ byte) * 0x100'0000'01b3u; };
    for (const char c : schema) add(static_cast<unsigned char>(c));
    for (const std::byte b : data) add(static_cast<std::uint64_t>(b));
    std::memcpy(sync.data() + 8 * half, &sum, 8);
  }
  return sync;
}

/// Writes one partition; returns the path.
struct WriteAvro {
  std::string operator()(const std::vector<AvroValue>& values, const std::string& path, const std::string& schema_text,
                         const std::string& codec, int level) const {
    const Schema schema(schema_text, "to_avro's schema");
    constexpr std::size_t kBlockBytes = 64 << 10;
    std::vector<std::byte> body, block;
    std::vector<std::pair<std::int64_t, std::vector<std::byte>>> blocks;
    std::int64_t count = 0;
    const auto end_block = [&] {
      if (count == 0) return;
      blocks.emplace_back(count, codec == "deflate" ? io::deflate_raw(path, block, level) : block);
      block.clear();
      count = 0;
    };
    for (const AvroValue& value : values) {
      schema.write(value, block);
      ++count;
      if (block.size() >= kBlockBytes) end_block();
    }
    end_block();
    const Sync sync = sync_of(schema_text, blocks.empty() ? std::span<const std::byte>() : blocks.front().second);
    const auto put_text = [&body](const std::string& text) {
      put_long(body, static_cast<std::int64_t>(text.size()));
      const auto* const first = reinterpret_cast<const std::byte*>(text.data());
      body.insert(body.end(), first, first + text.size());
    };
    for (const char c : kMagic) body.push_back(static_cast<std::byte>(c));
    put_long(body, 2);
    put_text("avro.codec");
    put_text(codec);
    put_text("avro.schema");
    put_text(schema_text);
    put_long(body, 0);
    body.insert(body.end(), sync.begin(), sync.end());
    for (const auto& [items, bytes] : blocks) {
      put_long(body, items);
      put_long(body, static_cast<std::int64_t>(bytes.size()));
      body.insert(body.end(), bytes.begin(), bytes.end());
      body.insert(body.end(), sync.begin(), sync.end());
    }
    write_whole(path, body);
    return path;
  }

  static void write_whole(const std::string& path, std::span<const std::byte> bytes) {
    const std::string beside = path + ".part-" + std::to_string(::getpid());
    this_task::has_effect();
    std::FILE* const file = std::fopen(beside.c_str(), "wbe");
    const bool written = file != nullptr && std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
    const bool closed = file != nullptr && std::fclose(file) == 0;
    if (written && closed && std::rename(beside.c_str(), path.c_str()) == 0) return;
    const std::string why = std::strerror(errno);
    std::remove(beside.c_str());
    throw Error("to_avro: " + path + ": " + why);
  }
};

/// Says whose sentence it is.
[[noreturn]] void rethrow_as(const std::string& name, const Error& error, const std::string& instead_of) {
  const std::string text = error.what();
  throw Error(text.starts_with(instead_of) ? name + text.substr(instead_of.size()) : text);
}

template <class T>
const T& held(const AvroValue& value, const char* wanted) {
  const T* const there = std::get_if<T>(&value.is);
  if (there == nullptr) throw Error(std::string("AvroValue: ") + io::avro::kind_of(value) + " was read as " + wanted);
  return *there;
}

}  // namespace

const AvroValue& AvroValue::operator[](const std::string& name) const {
  const Record& all = record();
  const auto found = all.find(name);
  if (found != all.end()) return found->second;
  std::string names;
  for (const auto& [known, value] : all) names += (names.empty() ? "" : ", ") + known;
  throw Error("AvroValue: the record has no \"" + name + "\"; it has " + (names.empty() ? "nothing" : names));
}

std::int64_t AvroValue::whole() const { return held<std::int64_t>(*this, "a whole number"); }
double AvroValue::number() const {
  if (const auto* const whole = std::get_if<std::int64_t>(&is)) return static_cast<double>(*whole);
  return held<double>(*this, "a number");
}
const std::string& AvroValue::text() const { return held<std::string>(*this, "a text"); }
const AvroValue::List& AvroValue::list() const { return held<List>(*this, "a list"); }
const AvroValue::Record& AvroValue::record() const { return held<Record>(*this, "a record"); }

bool operator==(const AvroValue& a, const AvroValue& b) { return a.is == b.is; }

Bag<AvroValue> read_avro(const std::vector<std::string>& paths, const TextOptions& options,
                         const std::source_location& where) {
  if (paths.empty()) throw Error("read_avro: no file was named: give a path or a pattern such as \"logs/*.avro\"");
  const DelayedFunction<ReadAvro> read({}, where);
  std::vector<Delayed<std::vector<AvroValue>>> partitions;
  const auto add = [&](const detail::TextBlock& block) {
    const journal::ReadsFile state(block.path);
    partitions.push_back(read(block.path, block.first, block.end));
  };
  for (const std::string& path : paths) {
    if (!io::is_remote(path)) {
      try {
        for (const detail::TextBlock& block : detail::text_blocks({path}, options)) add(block);
      } catch (const Error& error) {
        rethrow_as("read_avro", error, "read_text");
      }
      continue;
    }
    const std::uint64_t size = OpenFile(path).size();
    const std::uint64_t block = options.blocksize == 0 ? std::max<std::uint64_t>(size, 1) : options.blocksize;
    for (std::uint64_t first = 0; first == 0 || first < size; first += block)
      add({path, first, std::min(size, first + block)});
  }
  return Bag<AvroValue>::from_delayed(std::move(partitions));
}

Bag<AvroValue> read_avro(const std::string& path, const TextOptions& options, const std::source_location& where) {
  return read_avro(std::vector<std::string>{path}, options, where);
}

std::vector<std::string> to_avro(const Bag<AvroValue>& bag, const Client& client, const std::string& path,
                                 const std::string& schema, const AvroOptions& options,
                                 const std::source_location& where) {
  static_cast<void>(Schema(schema, "to_avro's schema"));
  if (options.codec != "null" && options.codec != "deflate")
    throw Error("to_avro: there is no codec \"" + options.codec + "\": it is null or deflate");
  if (options.level < 1 || options.level > 12) throw Error("to_avro: the level of deflate is 1 to 12");
  const std::vector<Delayed<std::vector<AvroValue>>> partitions = bag.to_delayed();
  std::vector<std::string> paths;
  try {
    paths = detail::text_paths(path, partitions.size());
  } catch (const Error& error) {
    rethrow_as("to_avro", error, "to_textfiles");
  }
  const DelayedFunction<WriteAvro> write({}, where);
  std::vector<Delayed<std::string>> written;
  for (std::size_t i = 0; i < partitions.size(); ++i)
    written.push_back(write(partitions[i], paths[i], schema, options.codec, options.level));
  return client.compute(written);
}

}  // namespace weft
