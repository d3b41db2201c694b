#pragma once

#include "io/hdf5/structure.hpp"

#include <map>
#include <memory>
#include <mutex>

namespace weft::io::hdf5 {

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
  /// Why it cannot be read; empty where it can.
  std::string obstacle;
  /// The chunks, once somebody has read.
  struct Index {
    std::once_flag once;
    std::vector<ChunkEntry> entries;
  };
  std::shared_ptr<Index> index = std::make_shared<Index>();
};

/// What a walk through the groups of a file finds.
struct Contents {
  std::vector<Variable> variables;
  std::vector<Dataset> datasets;
  std::vector<Group> groups;
  std::vector<std::string> remarks;
};

/// Walks from the root group to everything that hard links reach, and to datasets that soft links name.
Contents read_contents(Source& source, std::uint64_t root);

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
