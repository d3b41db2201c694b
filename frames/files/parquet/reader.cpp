#include "frames/files/parquet.hpp"

#include <weft/storage.hpp>

#include "frames/files/parquet/column_reader.hpp"
#include "frames/files/parquet/hive.hpp"

#include <algorithm>

namespace weft::frames {
namespace {

using namespace parquet;

Column empty_column(ColumnType type) { return Column::of(type, {}); }

/// The columns that the file itself has, of those wanted.
std::vector<std::string> stored_names(const std::vector<std::string>& columns,
                                      const std::vector<FolderValue>& folders) {
  std::vector<std::string> names;
  for (const std::string& name : columns) {
    if (find_folder(folders, name) == nullptr) names.push_back(name);
  }
  return names;
}

/// Columns of folders count only where the file has none of that name.
std::vector<FolderValue> folders_of(const std::string& path, const Footer& footer) {
  std::vector<FolderValue> folders = folder_values(path);
  std::erase_if(folders, [&](const FolderValue& one) { return footer.find(one.name) != nullptr; });
  return folders;
}

std::vector<const Leaf*> leaves_of(const std::string& path, const Footer& footer,
                                   const std::vector<std::string>& columns, const std::vector<FolderValue>& folders) {
  const std::vector<std::string> names = stored_names(columns, folders);
  // Nothing but columns of folders: no name at all would mean all.
  if (!columns.empty() && names.empty()) return {};
  return wanted_leaves(path, footer, names);
}

Table schema_of(const std::string& path, const Footer& footer, const std::vector<std::string>& columns) {
  const std::vector<FolderValue> folders = folders_of(path, footer);
  Table schema;
  for (const Leaf* const leaf : leaves_of(path, footer, columns, folders))
    schema.set(leaf->name, empty_column(leaf->type));
  for (const FolderValue& one : folders) {
    if (columns.empty() || std::find(columns.begin(), columns.end(), one.name) != columns.end())
      schema.set(one.name, empty_column(ColumnType::Category));
  }
  return columns.empty() ? schema : schema.select(columns);
}

ColumnBounds bounds_of(const Leaf& leaf, const ChunkPlace& chunk) {
  ColumnBounds bounds{leaf.name, {}, {}, chunk.missing};
  // NaN counts as missing here, but not there.
  if (leaf.type == ColumnType::Float32 || leaf.type == ColumnType::Float64) bounds.missing = -1;
  if (!leaf.ordered) return bounds;
  const auto& least = chunk.least || !leaf.signed_order ? chunk.least : chunk.old_least;
  const auto& most = chunk.most || !leaf.signed_order ? chunk.most : chunk.old_most;
  if (least) bounds.least = bound_of(leaf, *least);
  if (most) bounds.most = bound_of(leaf, *most);
  // One NaN makes the other suspect.
  if (bounds.least.index() == 0 || bounds.most.index() == 0) bounds.least = bounds.most = {};
  return bounds;
}

/// Widens bounds by those of a further row group.
void widen(ColumnBounds& bounds, const ColumnBounds& more) {
  bounds.missing = bounds.missing < 0 || more.missing < 0 ? -1 : bounds.missing + more.missing;
  if (bounds.least.index() == 0 || more.least.index() == 0) {
    bounds.least = bounds.most = {};
    return;
  }
  if (more.least < bounds.least) bounds.least = more.least;
  if (bounds.most < more.most) bounds.most = more.most;
}

void add_pieces(const std::string& path, const Footer& footer, const ParquetOptions& options, ParquetPlan& plan) {
  const std::vector<const Leaf*> leaves = leaves_of(path, footer, options.columns, folders_of(path, footer));
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < footer.groups.size(); ++i) {
    const RowGroup& group = footer.groups[i];
    std::uint64_t group_bytes = 0;
    std::vector<ColumnBounds> bounds;
    for (const Leaf* const leaf : leaves) {
      group_bytes += group.chunks[leaf->chunk].unpacked;
      bounds.push_back(bounds_of(*leaf, group.chunks[leaf->chunk]));
    }
    if (i != 0 && options.blocksize != 0 && bytes + group_bytes <= options.blocksize &&
        plan.rows.back() + group.rows < 0xffffffffu) {
      plan.pieces.back().end = i + 1;
      plan.rows.back() += group.rows;
      for (std::size_t k = 0; k < bounds.size(); ++k) widen(plan.bounds.back()[k], bounds[k]);
      bytes += group_bytes;
      continue;
    }
    plan.pieces.push_back({path, i, i + 1});
    plan.rows.push_back(group.rows);
    plan.bounds.push_back(std::move(bounds));
    bytes = group_bytes;
  }
}

}  // namespace

ParquetPlan plan_parquet(const std::vector<std::string>& paths, const ParquetOptions& options) {
  if (paths.empty()) throw Error("read_parquet was given no files");
  ParquetPlan plan;
  for (const std::string& path : paths) {
    const io::OpenFile file(path);
    const std::shared_ptr<const Footer> footer = read_footer(file);
    Table schema = schema_of(path, *footer, options.columns);
    if (&path == &paths.front()) {
      plan.schema = std::move(schema);
    } else {
      require_equal_columns(paths.front(), plan.schema, path, schema);
    }
    add_pieces(path, *footer, options, plan);
  }
  if (plan.pieces.empty()) {
    // A table without rows still has columns.
    plan.pieces.push_back({paths.front(), 0, 0});
    plan.rows.push_back(0);
    plan.bounds.emplace_back();
  }
  return plan;
}

Table read_parquet_piece(const FilePiece& piece, const std::vector<std::string>& columns) {
  const io::OpenFile file(piece.path);
  const std::shared_ptr<const Footer> footer = read_footer(file);
  if (piece.first > piece.end || piece.end > footer->groups.size())
    file.fail("has " + std::to_string(footer->groups.size()) + " row groups, but number " + std::to_string(piece.end) +
              " was asked for: it changed after it was looked at");
  const std::vector<FolderValue> folders = folders_of(piece.path, *footer);
  const std::span<const RowGroup> groups =
      std::span(footer->groups).subspan(piece.first, static_cast<std::size_t>(piece.end - piece.first));
  std::size_t rows = 0;
  for (const RowGroup& group : groups) rows += group.rows;
  Table table;
  for (const Leaf* const leaf : leaves_of(piece.path, *footer, columns, folders))
    table.set(leaf->name, read_column(file, *leaf, groups));
  for (const FolderValue& one : folders) {
    if (columns.empty() || std::find(columns.begin(), columns.end(), one.name) != columns.end())
      table.set(one.name, folder_column(one, rows));
  }
  return columns.empty() ? table : table.select(columns);
}

}  // namespace weft::frames
