#pragma once

#include <weft/storage.hpp>

#include "io/codecs/filters.hpp"
#include "io/files/json.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// Zarr stores, versions 2 and 3: folders with descriptions in JSON, and a file for each chunk or shard.
namespace weft::io::zarr {

/// What the elements of one chunk went through, in the order of writing.
struct Chain {
  /// Axis k of what is stored is axis order[k] of the array.
  std::vector<std::int64_t> order;
  bool big_endian = false;
  /// Strings of any length: their number, then each with its length in front.
  bool texts = false;
  std::vector<Filter> filters;
};

/// What the description of an array says.
struct Description {
  Variable variable;
  /// The extents of what has a file of its own: a chunk, or a shard of several (variable.chunk).
  std::vector<std::int64_t> object;
  bool sharded = false;
  Chain chain;
  /// Of a shard's index.
  std::vector<Filter> index_filters;
  bool index_in_front = false;
  /// Keys are "c/0/1", or without the c.
  bool with_c = true;
  std::string separator = "/";
  /// Elements are UTF-32 characters.
  bool wide_text = false;
  /// Why its data cannot be read; empty where they can.
  std::string obstacle;
};

/// Throw FileError that begins with `path`, the description's file, where it is none.
Description describe_3(const Json& json, const std::string& path);
Description describe_2(const Json& json, const Json& attributes, const std::string& path);

/// The name of an object's file below the array's folder.
std::string key_of(const std::vector<std::int64_t>& place, const std::string& separator, bool with_c);
std::vector<Attribute> attributes_of(const Json& object);

/// An element's type by version 3's name ("float32"), or version 2's ("<f4"); of kind Other where there is none.
ElementType element_of_name(const std::string& name);
ElementType element_of_protocol(const std::string& name, bool& wide_text);
/// The opposite, for writing: "<f4". Empty where version 2 has no such type.
std::string protocol_of(const ElementType& type);
/// One element from a fill value, in this machine's byte order.
std::vector<std::byte> fill_of(const Json& value, const ElementType& type, const std::string& path);
std::vector<std::byte> from_base64(const std::string& text);

/// Adds a step to the filters; returns why it cannot be undone, or nothing.
std::string add_filter(const std::string& name, const Json& settings, std::vector<Filter>& filters);
/// Version 3's list. `description` gets the inner chunks where there are shards.
void read_codecs(const Json& list, Description& description, const std::string& path);
/// A list of extents, each of at least `least`.
std::vector<std::int64_t> extents_of(const Json& list, const std::string& path, const char* what, std::int64_t least);

}  // namespace weft::io::zarr
