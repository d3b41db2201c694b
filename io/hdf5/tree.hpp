#pragma once

#include "io/hdf5/other_files.hpp"
#include "io/hdf5/structure.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace weft::io::hdf5 {

/// A variable of another file, which a link leads to, as that file was.
struct Elsewhere {
  OtherFile file;
  std::string variable;
};

/// What reading a dataset needs.
struct Dataset {
  Dataspace space;
  Datatype type;
  Layout layout;
  std::vector<Filter> filters;
  /// Bytes of what is stored as one, and where in it this is: of a column of a table, a member of its records.
  std::uint32_t record_bytes = 0;
  std::uint32_t place = 0;
  bool is_member() const { return record_bytes != type.element.bytes; }
  /// Where another file has it; else nothing. Shared by copies.
  std::shared_ptr<const Elsewhere> elsewhere;
  /// Of a column of a virtual table: what its name adds to the table's.
  std::string member;
  /// The fill value as it is stored, of a type with a `field`.
  std::vector<std::byte> stored_fill;
  /// Why it cannot be read; empty where it can.
  std::string obstacle;
  /// The same, of a virtual dataset whose sources are no good.
  std::string failure;
  /// The chunks, once somebody has read.
  struct Index {
    std::once_flag once;
    std::vector<ChunkEntry> entries;
  };
  std::shared_ptr<Index> index = std::make_shared<Index>();
};

/// A name that leads to another: of this file, or of another one.
struct NamedLink {
  std::string from;
  /// Nothing: this file.
  std::string file;
  /// Without a slash in front.
  std::string object;
};

/// What a walk through the groups of a file finds.
struct Contents {
  std::vector<Variable> variables;
  std::vector<Dataset> datasets;
  std::vector<Group> groups;
  std::vector<std::string> remarks;
  /// Soft and external ones, which follow_links resolves.
  std::vector<NamedLink> links;
  /// Files that the values come from, too, as they are; those that are not there, too.
  std::vector<OtherFile> others;
};

/// Returns the names along a path, one slash between them, none at the ends.
std::string plain_path(const std::string& path);

/// Walks from the root group to everything that hard links reach.
Contents read_contents(Source& source, std::uint64_t root);

/// Reads all that a file says of itself: read_contents, with its virtual datasets settled and its links not followed.
Contents read_own_contents(Source& source);

/// Gives what soft and external links of the file `path` lead to the names that lead there: variables, tables and
/// whole groups.
void follow_links(const std::string& path, Contents& contents);

/// Decodes the values of an attribute or a dataset of text.
class Values {
 public:
  explicit Values(Source& source) : source_(source), heap_(source) {}
  std::vector<std::string> texts(const Datatype& type, Cursor cursor, std::int64_t count);
  Attribute attribute(Cursor cursor);

 private:
  void numbers(const Datatype& type, Cursor cursor, std::int64_t count, Attribute& out);
  Source& source_;
  GlobalHeap heap_;
};

}  // namespace weft::io::hdf5
