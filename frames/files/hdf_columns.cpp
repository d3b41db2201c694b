// Which columns a table, or a group, of an HDF5 file has.
#include "frames/files/hdf_columns.hpp"

#include "io/files/open_file.hpp"
#include "io/formats/records.hpp"

#include <algorithm>
#include <optional>

namespace weft::frames {
namespace {

using io::ElementKind;
using io::Variable;

/// Lists of more elements are no columns that anybody works with one by one.
constexpr std::int64_t kMostElements = 256;

[[noreturn]] void fail(const io::StoredFile& file, const std::string& text) { io::fail(file.path(), text); }

std::string quoted(const std::string& name) { return "'" + name + "'"; }

std::string trimmed(std::string path) {
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path;
}

bool is_table(const Variable& one) {
  return one.type.kind == ElementKind::Other && one.type.name.starts_with("compound");
}

const Variable* find_variable(const io::StoredFile& file, const std::string& path) {
  return file.has(path) ? &file.variables()[file.find(path)] : nullptr;
}

const io::Group* find_group(const io::StoredFile& file, const std::string& path) {
  const auto found =
      std::find_if(file.groups().begin(), file.groups().end(), [&](const io::Group& one) { return one.path == path; });
  return found == file.groups().end() ? nullptr : &*found;
}

std::string attribute(const std::vector<io::Attribute>& attributes, const std::string& name) {
  const io::Attribute* const found = io::find_attribute(attributes, name);
  return found == nullptr ? "" : found->text();
}

/// Throws, saying which tables there are.
[[noreturn]] void no_such(const io::StoredFile& file, const std::string& dataset) {
  std::string there;
  std::size_t more = 0;
  for (const Variable& one : file.variables()) {
    if (!is_table(one)) continue;
    if (there.size() > 300) {
      ++more;
    } else {
      there += (there.empty() ? "" : ", ") + quoted(one.path);
    }
  }
  if (more != 0) there += " and " + std::to_string(more) + " more";
  fail(file, "has no table and no group " + quoted(dataset) + "; " +
                 (there.empty() ? "it has no tables: `weft info` shows what is in it" : "its tables are " + there));
}

/// Returns the column's type, or why there is none.
std::optional<ColumnType> type_of(const io::StoredFile& file, std::size_t variable, std::string& why) {
  const io::ElementType& type = file.variables()[variable].type;
  switch (type.kind) {
    case ElementKind::Boolean:
      return ColumnType::Bool;
    case ElementKind::Integer:
      return type.bytes == 8 ? ColumnType::Int64 : ColumnType::Int32;
    case ElementKind::Unsigned:
      if (type.bytes == 1 && io::records_of(file)->is_bits(variable)) return ColumnType::Bool;
      return type.bytes >= 4 ? ColumnType::Int64 : ColumnType::Int32;
    case ElementKind::Float:
      return type.bytes == 8 ? ColumnType::Float64 : ColumnType::Float32;
    case ElementKind::Text:
    case ElementKind::VariableText:
      return ColumnType::String;
    case ElementKind::Complex:
    case ElementKind::Other:
      break;
  }
  why = "holds " + type.name + ", and a column cannot";
  return std::nullopt;
}

/// What pandas says of a member of a table that it wrote.
struct PandasColumn {
  std::vector<std::string> names;  // of the columns that are a member together
  std::string dtype, meta, missing;
};

/// Reads a list of texts, as Python's pickle writes it in its oldest, readable form; nothing where it is another.
std::vector<std::string> unpickled_texts(const std::string& pickle) {
  std::vector<std::string> texts;
  std::size_t at = 0;
  const auto line = [&] {
    const std::size_t end = std::min(pickle.find('\n', at), pickle.size());
    std::string text = pickle.substr(at, end - at);
    at = end + 1;
    return text;
  };
  if (!line().starts_with("(lp")) return {};
  while (at < pickle.size() && pickle[at] != '.') {
    const char kind = pickle[at++];
    if (kind == 'a') continue;
    const std::string text = line();
    if (kind == 'V' && text.find('\\') == std::string::npos) {
      texts.push_back(text);
    } else if (kind == 'I' || kind == 'L') {
      texts.push_back(text.ends_with('L') ? text.substr(0, text.size() - 1) : text);
    } else if (kind != 'p') {
      return {};
    }
  }
  return texts;
}

PandasColumn pandas_column(const Variable& table, const std::string& member) {
  PandasColumn said;
  said.dtype = attribute(table.attributes, member + "_dtype");
  if (said.dtype.empty()) said.dtype = attribute(table.attributes, member + "_kind");
  said.meta = attribute(table.attributes, member + "_meta");
  said.missing = attribute(table.attributes, member + "_nan_rep");
  if (said.missing.empty()) said.missing = "nan";
  said.names = unpickled_texts(attribute(table.attributes, member + "_kind"));
  return said;
}

std::int64_t unit_of(const std::string& dtype) {
  if (dtype.find("[s]") != std::string::npos) return 1'000'000'000;
  if (dtype.find("[ms]") != std::string::npos) return 1'000'000;
  return dtype.find("[us]") != std::string::npos ? 1'000 : 1;
}

/// Adds a variable's column, or the columns of what each of its rows has several of.
void add(const io::StoredFile& file, std::size_t variable, const std::string& name, const PandasColumn* pandas,
         HdfTable& table) {
  const Variable& one = file.variables()[variable];
  HdfColumn column{.name = name, .variable = variable};
  std::string why;
  const std::optional<ColumnType> type = type_of(file, variable, why);
  if (!type) return table.left_out.push_back({name, why});
  column.type = *type;
  if (pandas != nullptr) {
    const bool whole = column.type == ColumnType::Int64;
    if (whole && pandas->dtype.starts_with("datetime64")) {
      column.type = ColumnType::Timestamp;
      column.unit_ns = unit_of(pandas->dtype);
    }
    if (column.type == ColumnType::String) column.missing = pandas->missing;
  }
  std::int64_t elements = 1;
  for (std::size_t axis = 1; axis < one.shape.size(); ++axis) {
    if (one.shape[axis] > kMostElements || (elements *= one.shape[axis]) > kMostElements)
      return table.left_out.push_back(
          {name, "has more than " + std::to_string(kMostElements) + " elements in each row"});
  }
  const std::size_t axes = one.shape.size() - 1;
  const bool named = pandas != nullptr && static_cast<std::int64_t>(pandas->names.size()) == elements;
  for (std::int64_t i = 0; i < elements; ++i) {
    column.inner.assign(axes, 0);
    std::string places;
    std::int64_t left = i;
    for (std::size_t axis = axes; axis-- > 0;) {
      column.inner[axis] = left % one.shape[axis + 1];
      left /= one.shape[axis + 1];
      places = "." + std::to_string(column.inner[axis]) + places;
    }
    column.name = named ? pandas->names[static_cast<std::size_t>(i)] : name + places;
    if (pandas != nullptr && pandas->meta == "category") {
      table.left_out.push_back({column.name, "is a category of pandas', whose names lie elsewhere in the file"});
    } else {
      table.columns.push_back(column);
    }
  }
}

void set_rows(const Variable& one, HdfTable& table) {
  table.rows = one.shape.empty() ? 0 : one.shape[0];
  table.stored_rows = one.chunk.empty() ? 0 : one.chunk[0];
}

HdfTable columns_of_table(const io::StoredFile& file, const Variable& table, bool pandas) {
  if (table.shape.size() != 1)
    fail(file, quoted(table.path) + " is a table of " + std::to_string(table.shape.size()) +
                   " axes: the rows of a frame are one axis");
  HdfTable found;
  set_rows(table, found);
  for (std::size_t i = 0; i < file.variables().size(); ++i) {
    const std::string& path = file.variables()[i].path;
    if (!path.starts_with(table.path + "/")) continue;
    std::string name = path.substr(table.path.size() + 1);
    std::replace(name.begin(), name.end(), '/', '.');
    const PandasColumn said = pandas ? pandas_column(table, name) : PandasColumn{};
    add(file, i, name, pandas ? &said : nullptr, found);
  }
  return found;
}

/// Each of the group's own datasets of one axis.
HdfTable columns_of_group(const io::StoredFile& file, const std::string& group,
                          const std::vector<std::string>& wanted) {
  HdfTable found;
  const Variable* first = nullptr;
  const std::string before = group.empty() ? "" : group + "/";
  for (std::size_t i = 0; i < file.variables().size(); ++i) {
    const Variable& one = file.variables()[i];
    if (!one.path.starts_with(before) || one.path.find('/', before.size()) != std::string::npos) continue;
    const std::string name = one.path.substr(before.size());
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end()) continue;
    if (one.shape.size() != 1) {
      found.left_out.push_back({name, "has " + std::to_string(one.shape.size()) + " axes instead of one"});
      continue;
    }
    const std::size_t before_it = found.columns.size();
    add(file, i, name, nullptr, found);
    if (found.columns.size() == before_it) continue;
    if (first != nullptr && first->shape != one.shape)
      fail(file, quoted(first->path) + " has " + std::to_string(first->shape[0]) + " elements and " + quoted(one.path) +
                     " has " + std::to_string(one.shape[0]) +
                     ": columns need equal lengths; name those that have them in `.columns`");
    if (first == nullptr) set_rows(one, found);
    if (first == nullptr) first = &one;
    if (!one.chunk.empty()) found.stored_rows = std::max(found.stored_rows, one.chunk[0]);
  }
  return found;
}

}  // namespace

HdfTable hdf_table(const io::StoredFile& file, const std::string& dataset, const std::vector<std::string>& wanted) {
  if (io::records_of(file) == nullptr) fail(file, "is " + file.format() + ", and read_hdf reads HDF5");
  std::string path = trimmed(dataset);
  const Variable* table = find_variable(file, path);
  const Variable* const within = find_variable(file, path.empty() ? "table" : path + "/table");
  if ((table == nullptr || !is_table(*table)) && within != nullptr && is_table(*within)) {
    table = within;
    path = within->path;
  }
  if (table != nullptr && is_table(*table)) {
    const std::size_t slash = path.rfind('/');
    const io::Group* const around = find_group(file, slash == std::string::npos ? "" : path.substr(0, slash));
    const bool pandas = around != nullptr && !attribute(around->attributes, "pandas_type").empty();
    return columns_of_table(file, *table, pandas);
  }
  HdfTable found;
  if (table != nullptr) {
    if (table->shape.empty()) fail(file, quoted(path) + " is one value: read_hdf reads rows");
    set_rows(*table, found);
    add(file, file.find(path), path.substr(path.rfind('/') + 1), nullptr, found);
  } else {
    const io::Group* const group = find_group(file, path);
    if (group == nullptr) no_such(file, dataset);
    const std::string pandas = attribute(group->attributes, "pandas_type");
    if (pandas == "frame" || pandas == "series")
      fail(file, quoted(path) + " was written by pandas in its fixed format, which is no table: write it with " +
                     "to_hdf(..., format=\"table\")");
    found = columns_of_group(file, path, wanted);
  }
  if (found.columns.empty() && wanted.empty())
    fail(file, quoted(dataset) + " has no column that weft reads" +
                   (found.left_out.empty() ? "" : ": " + quoted(found.left_out[0].name) + " " + found.left_out[0].why));
  return found;
}

const HdfColumn& find_column(const io::StoredFile& file, const std::string& dataset, const HdfTable& table,
                             const std::string& name) {
  for (const HdfColumn& one : table.columns) {
    if (one.name == name) return one;
  }
  for (const HdfTable::LeftOut& one : table.left_out) {
    if (one.name == name) fail(file, "column " + quoted(name) + " of " + quoted(dataset) + " " + one.why);
  }
  std::string there;
  for (const HdfColumn& one : table.columns) {
    if (there.size() < 300) there += (there.empty() ? "" : ", ") + quoted(one.name);
  }
  fail(file, quoted(dataset) + " has no column " + quoted(name) + " that weft reads" +
                 (there.empty() ? "" : "; it has " + there));
}

}  // namespace weft::frames
