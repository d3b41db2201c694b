#include "frames/files/parquet.hpp"

#include <weft/error.hpp>
#include <weft/journal.hpp>
#include <weft/remote.hpp>

#include "frames/files/parquet/column_writer.hpp"
#include "frames/files/parquet/thrift.hpp"
#include "io/files/json.hpp"
#include "io/files/name_beside.hpp"
#include "io/files/open_file.hpp"
#include "io/files/size_limit.hpp"
#include "io/remote/objects.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

namespace weft::frames {
namespace {

using namespace parquet;

/// A file under another name until it is complete; of an address the whole object, sent at the end.
/// Owns: the descriptor, and the file until `finish`.  Threading: one thread.
class NewFile {
 public:
  explicit NewFile(const std::string& path) : path_(path), remote_(io::is_remote(path)) {
    if (remote_) return;
    beside_ = io::name_beside(path);
    descriptor_ = ::open(beside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (descriptor_ < 0) refuse("cannot be made");
  }
  ~NewFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!beside_.empty()) ::unlink(beside_.c_str());
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  std::uint64_t size() const { return size_; }
  void write(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    size_ += bytes;
    if (remote_) {
      object_.insert(object_.end(), from, from + bytes);
      return;
    }
    if (!io::within_size_limit(size_)) refuse("cannot be written");
    while (bytes > 0) {
      const ssize_t some = ::write(descriptor_, from, bytes);
      if (some < 0 && errno == EINTR) continue;
      if (some < 0) refuse("cannot be written");
      from += some;
      bytes -= static_cast<std::size_t>(some);
    }
  }
  void finish() {
    if (remote_) return io::remote::write_object(path_, object_);
    if (::close(std::exchange(descriptor_, -1)) != 0) refuse("cannot be written");
    if (::rename(beside_.c_str(), path_.c_str()) != 0) refuse("cannot be renamed");
    beside_.clear();
  }

 private:
  [[noreturn]] void refuse(const char* what) const { io::fail(path_, std::string(what) + ": " + std::strerror(errno)); }

  const std::string path_;
  const bool remote_;
  std::string beside_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
  std::vector<std::byte> object_;
};

/// What the footer says of a chunk, once it lies in the file.
struct Placed {
  WrittenChunk chunk;  // without its bytes
  std::uint64_t first = 0, bytes = 0;
};

struct PlacedGroup {
  std::uint64_t rows = 0, first = 0;
  std::vector<Placed> chunks;
};

void write_schema(ThriftWriter& out, const Table& table) {
  out.list(2, Wire::Struct, table.column_count() + 1);
  out.begin();
  out.text(4, "schema");
  out.small(5, static_cast<std::int32_t>(table.column_count()));
  out.end();
  for (const Table::Named& one : table.columns()) {
    const ColumnType type = one.column.type();
    out.begin();
    out.small(1, static_cast<std::int32_t>(physical_of(type)));
    // Always optional: the files of all partitions have one schema.
    out.small(3, 1);
    out.text(4, one.name);
    if (type == ColumnType::String || type == ColumnType::Category) {
      out.small(6, 0);
      out.record(10);
      out.record(1);
      out.end();
      out.end();
    } else if (type == ColumnType::Timestamp) {
      // Of no time zone, as pandas has them, in nanoseconds.
      out.record(10);
      out.record(8);
      out.truth(1, false);
      out.record(2);
      out.record(3);
      out.end();
      out.end();
      out.end();
      out.end();
    }
    out.end();
  }
}

void write_chunk_record(ThriftWriter& out, const std::string& name, const Placed& placed, Codec codec) {
  const WrittenChunk& chunk = placed.chunk;
  const std::uint64_t first_data = placed.first + chunk.first_data;
  out.begin();
  out.whole(2, static_cast<std::int64_t>(placed.first));
  out.record(3);
  out.small(1, static_cast<std::int32_t>(chunk.physical));
  out.list(2, Wire::I32, chunk.has_dictionary ? 3 : 2);
  out.element(static_cast<std::int32_t>(Encoding::Rle));
  out.element(static_cast<std::int32_t>(Encoding::Plain));
  if (chunk.has_dictionary) out.element(static_cast<std::int32_t>(Encoding::RleDictionary));
  out.list(3, Wire::Binary, 1);
  out.element(std::string_view(name));
  out.small(4, static_cast<std::int32_t>(codec));
  out.whole(5, static_cast<std::int64_t>(chunk.values));
  out.whole(6, static_cast<std::int64_t>(chunk.unpacked));
  out.whole(7, static_cast<std::int64_t>(placed.bytes));
  out.whole(9, static_cast<std::int64_t>(first_data));
  if (chunk.has_dictionary) out.whole(11, static_cast<std::int64_t>(placed.first));
  out.record(12);
  out.whole(3, static_cast<std::int64_t>(chunk.missing));
  if (chunk.most) out.text(5, *chunk.most);
  if (chunk.least) out.text(6, *chunk.least);
  out.end();
  out.end();
  out.end();
}

/// Says which columns are categories; who does not know of it reads strings.
std::string categories_text(const Table& table) {
  std::string text;
  for (const Table::Named& one : table.columns()) {
    if (one.column.type() == ColumnType::Category)
      text += (text.empty() ? "" : ",") + ("{\"field_name\":" + io::quoted_json(one.name)) +
              ",\"pandas_type\":\"categorical\"}";
  }
  return text.empty() ? text : "{\"columns\":[" + text + "]}";
}

std::string footer_text(const Table& table, const std::vector<PlacedGroup>& groups, Codec codec) {
  ThriftWriter out;
  out.begin();
  out.small(1, 2);
  write_schema(out, table);
  out.whole(3, static_cast<std::int64_t>(table.row_count()));
  out.list(4, Wire::Struct, groups.size());
  for (const PlacedGroup& group : groups) {
    std::uint64_t unpacked = 0, packed = 0;
    out.begin();
    out.list(1, Wire::Struct, group.chunks.size());
    for (std::size_t i = 0; i < group.chunks.size(); ++i) {
      write_chunk_record(out, table.columns()[i].name, group.chunks[i], codec);
      unpacked += group.chunks[i].chunk.unpacked;
      packed += group.chunks[i].bytes;
    }
    out.whole(2, static_cast<std::int64_t>(unpacked));
    out.whole(3, static_cast<std::int64_t>(group.rows));
    out.whole(5, static_cast<std::int64_t>(group.first));
    out.whole(6, static_cast<std::int64_t>(packed));
    out.end();
  }
  const std::string categories = categories_text(table);
  if (!categories.empty()) {
    out.list(5, Wire::Struct, 1);
    out.begin();
    out.text(1, "weft");
    out.text(2, categories);
    out.end();
  }
  out.text(6, "weft");
  out.list(7, Wire::Struct, table.column_count());
  for (std::size_t i = 0; i < table.column_count(); ++i) {
    out.begin();
    out.record(1);
    out.end();
    out.end();
  }
  out.end();
  return out.bytes();
}

}  // namespace

void write_parquet(const std::string& path, const Table& table, const ParquetWriteOptions& options) {
  const Codec codec = codec_of(options.compression);
  check_codec(path, "all", codec);
  if (options.row_group_rows == 0)
    throw Error("to_parquet cannot write row groups of 0 rows: row_group_rows must be 1 at least");
  if (table.column_count() == 0) throw Error("to_parquet cannot write a table without columns to '" + path + "'");
  this_task::has_effect();
  NewFile file(path);
  file.write("PAR1", 4);
  std::vector<PlacedGroup> groups;
  for (std::size_t first = 0; first < table.row_count();) {
    const std::size_t rows =
        static_cast<std::size_t>(std::min<std::uint64_t>(options.row_group_rows, table.row_count() - first));
    PlacedGroup group{rows, file.size(), {}};
    for (const Table::Named& one : table.columns()) {
      Placed placed{write_chunk(path, one.column, first, rows, codec), file.size(), 0};
      placed.bytes = placed.chunk.bytes.size();
      file.write(placed.chunk.bytes.data(), placed.chunk.bytes.size());
      placed.chunk.bytes = {};
      group.chunks.push_back(std::move(placed));
    }
    groups.push_back(std::move(group));
    first += rows;
  }
  const std::string footer = footer_text(table, groups, codec);
  if (footer.size() > 0x7fffffffu)
    io::fail(path, "would have a description of more than 2 GiB: take larger row groups");
  const auto size = static_cast<std::uint32_t>(footer.size());
  file.write(footer.data(), footer.size());
  file.write(&size, 4);
  file.write("PAR1", 4);
  file.finish();
}

}  // namespace weft::frames
