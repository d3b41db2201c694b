// What virtual datasets are put together of, as it is written and as the files are now.
#include "io/hdf5/mapping.hpp"

#include "io/hdf5/tree.hpp"

#include <sys/stat.h>
#include <algorithm>

namespace weft::io::hdf5 {
namespace {

constexpr std::int64_t kMostBlocks = 1 << 20;
constexpr std::int64_t kMostPlaces = std::int64_t{1} << 60;

/// Puts the number of a block in the places of `%b`, and `%` in those of `%%`. Tells in `numbered` whether there are
/// such places.
std::string block_name(const std::string& name, std::int64_t block, bool& numbered) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char next = name[i] == '%' && i + 1 < name.size() ? name[i + 1] : '\0';
    if (next == 'b') {
      out += std::to_string(block);
      numbered = true;
      ++i;
    } else {
      out += name[i];
      if (next == '%') ++i;
    }
  }
  return out;
}

/// What each source is, and where; each file is looked up and opened once.
/// Owns: what it found.  Threading: one thread.
class Sources {
 public:
  Sources(const std::string& path, Contents& contents) : path_(path), contents_(contents) {}

  const OtherFile& file(const std::string& name) {
    const auto [found, fresh] = by_name_.try_emplace(name);
    if (fresh) {
      found->second = look_up(path_, name, "HDF5_VDS_PREFIX");
      // The file itself, by its name, is nothing else.
      if (same_file(found->second.path, path_)) {
        found->second = {};
      } else {
        contents_.others.push_back(found->second);
      }
    }
    return found->second;
  }

  /// Nothing where it is not there.
  const Variable* variable(const Mapping& mapping) {
    if (mapping.is_own()) return find(contents_.variables, mapping.dataset);
    if (!mapping.where.is_there()) return nullptr;
    if (last_path_ != mapping.where.path) {
      last_path_.clear();
      const OpenFile file(mapping.where.path);
      Source source(file);
      last_ = read_contents(source, read_superblock(source));
      last_path_ = mapping.where.path;
    }
    // What is stored there as it is needs no more; what is a virtual dataset again, or behind a link, does.
    const Variable* const plain = find(last_.variables, mapping.dataset);
    if (plain != nullptr &&
        last_.datasets[static_cast<std::size_t>(plain - last_.variables.data())].layout.kind != Layout::Kind::Virtual)
      return plain;
    if (plain == nullptr && last_.links.empty()) return nullptr;
    opened_ = open_shared(mapping.where.path);
    return find(opened_->variables(), mapping.dataset);
  }

 private:
  static const Variable* find(const std::vector<Variable>& all, const std::string& path) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Variable& one) { return one.path == path; });
    return found == all.end() ? nullptr : &*found;
  }

  const std::string& path_;
  Contents& contents_;
  std::map<std::string, OtherFile> by_name_;
  std::string last_path_;
  Contents last_;
  std::shared_ptr<const StoredFile> opened_;
};

/// Mappings as the files are now: none that grow, and no numbers in names.
class Settler {
 public:
  Settler(const std::string& path, Contents& contents) : path_(path), sources_(path, contents) {}

  std::vector<Mapping> settle(const std::vector<Mapping>& written, std::vector<std::int64_t>& extents) {
    std::vector<std::int64_t> least(extents.size(), 0), grown(extents.size(), -1);
    std::vector<Mapping> out;
    for (const Mapping& mapping : written) {
      const std::optional<std::size_t> axis = mapping.target.unlimited();
      for (std::size_t d = 0; d < mapping.target.axes.size(); ++d) {
        if (mapping.target.axes[d].length > 0 && d != axis)
          least[d] = std::max(least[d], mapping.target.axes[d].place(mapping.target.axes[d].length - 1) + 1);
      }
      if (!axis) {
        out.push_back(named(mapping, 0));
        continue;
      }
      grown[*axis] = std::max<std::int64_t>(grown[*axis], 0);
      if (mapping.source.unlimited()) {
        growing(mapping, *axis, out);
      } else {
        blocks(mapping, *axis, out);
      }
    }
    for (std::size_t d = 0; d < extents.size(); ++d) {
      if (grown[d] < 0) continue;
      extents[d] = least[d];
      for (const Mapping& one : out) {
        if (d >= one.target.axes.size() || one.target.axes[d].length == 0) continue;
        extents[d] = std::max(extents[d], one.target.axes[d].place(one.target.axes[d].length - 1) + 1);
      }
    }
    return out;
  }

  const Variable* source_of(const Mapping& mapping) { return sources_.variable(mapping); }

 private:
  [[noreturn]] void damaged() const { fail(path_, "a virtual dataset is impossible: the file is damaged"); }

  Mapping named(const Mapping& mapping, std::int64_t block) {
    Mapping out = mapping;
    bool numbered = false;
    out.file = block_name(mapping.file, block, numbered);
    out.dataset = block_name(mapping.dataset, block, numbered);
    if (!out.is_own()) out.where = sources_.file(out.file);
    if (out.where.path.empty()) out.file = ".";
    return out;
  }

  /// As many places as the source has now.
  void growing(const Mapping& mapping, std::size_t axis, std::vector<Mapping>& out) {
    Mapping one = named(mapping, 0);
    const Variable* const source = sources_.variable(one);
    if (source == nullptr) return;
    const std::size_t from = *one.source.unlimited();
    if (source->shape.size() < one.source.axes.size()) damaged();
    const std::int64_t places = one.source.axes[from].below(source->shape[from]);
    one.source.axes[from] = one.source.axes[from].of_length(places);
    AxisSelection& to = one.target.axes[axis];
    to = to.of_length(places);
    if (to.count > kMostPlaces / std::max<std::int64_t>(1, to.step)) damaged();
    if (places > 0) out.push_back(std::move(one));
  }

  /// A source for each block, as far as there is one.
  void blocks(const Mapping& mapping, std::size_t axis, std::vector<Mapping>& out) {
    const AxisSelection grid = mapping.target.axes[axis];
    if (grid.block < 1) damaged();
    for (std::int64_t block = 0; block < kMostBlocks; ++block) {
      Mapping one = named(mapping, block);
      if (sources_.variable(one) == nullptr) return;
      if (block > kMostPlaces / std::max<std::int64_t>(1, grid.step)) damaged();
      AxisSelection& to = one.target.axes[axis];
      to.start = grid.start + block * grid.step;
      to.count = 1;
      to.length = grid.block;
      out.push_back(std::move(one));
      bool numbered = false;
      block_name(mapping.file, 0, numbered);
      block_name(mapping.dataset, 0, numbered);
      if (!numbered) return;
    }
  }

  const std::string& path_;
  Sources sources_;
};

/// Returns by which chunks the virtual dataset is best read: those of its first source, where its parts lie so that
/// chunks of one are no parts of two; else whole parts.
std::vector<std::int64_t> chunk_of(const std::vector<Mapping>& mappings, const std::vector<std::int64_t>& shape,
                                   const Variable& first, Mapping of) {
  of.target.spell_out(shape);
  of.source.spell_out(first.shape);
  if (of.target.kind != Selection::Kind::Regular || of.source.kind != Selection::Kind::Regular) return {};
  std::vector<std::int64_t> chunk;
  std::size_t from = 0;
  for (std::size_t axis = 0; axis < of.target.axes.size(); ++axis) {
    const AxisSelection& to = of.target.axes[axis];
    while (from < of.source.axes.size() && of.source.axes[from].length == 1 && to.length != 1) ++from;
    std::int64_t extent = to.contiguous() ? std::max<std::int64_t>(1, to.length) : 1;
    if (from < of.source.axes.size() && of.source.axes[from].length == to.length && to.contiguous()) {
      const std::int64_t whole = extent;
      // What is stored as one piece can be cut anywhere along its first axis.
      if (from < first.chunk.size()) {
        extent = first.chunk[from];
      } else if (first.chunk.empty() && from == 0 && first.shape.size() > 1) {
        extent = 1;
      }
      const auto lies_well = [&](const Mapping& one) {
        if (one.target.kind != Selection::Kind::Regular) return one.target.kind == Selection::Kind::All;
        const bool all = one.source.kind == Selection::Kind::All;
        if (!all && (one.source.kind != Selection::Kind::Regular || from >= one.source.axes.size())) return false;
        return (one.target.axes[axis].start - (all ? 0 : one.source.axes[from].start)) % extent == 0;
      };
      if (!std::all_of(mappings.begin(), mappings.end(), lies_well)) extent = whole;
      ++from;
    }
    chunk.push_back(std::clamp<std::int64_t>(extent, 1, std::max<std::int64_t>(1, shape[axis])));
  }
  return chunk;
}

/// A virtual dataset as its sources are now.
struct Settled {
  std::shared_ptr<const std::vector<Mapping>> mappings;
  std::vector<std::int64_t> extents;
  std::vector<std::int64_t> chunk;
  std::string failure;
};

void settle(Settler& settler, const Dataset& data, Settled& out) {
  out.mappings = data.layout.mappings;
  out.extents = data.space.extents;
  try {
    auto mappings = std::make_shared<std::vector<Mapping>>(settler.settle(*data.layout.mappings, out.extents));
    for (const Mapping& one : *mappings) {
      const Variable* const source = settler.source_of(one);
      if (source == nullptr) continue;
      out.chunk = chunk_of(*mappings, out.extents, *source, one);
      break;
    }
    out.mappings = std::move(mappings);
  } catch (const FileError& error) {
    out.extents = data.space.extents;
    out.failure = std::string("is a virtual dataset that cannot be put together; ") + error.what();
  }
}

/// The files whose virtual datasets this thread is settling: circles end here.
std::vector<std::pair<dev_t, ino_t>>& being_settled() {
  thread_local std::vector<std::pair<dev_t, ino_t>> files;
  return files;
}

}  // namespace

std::vector<Mapping> parse_mappings(Source& source, std::uint64_t heap, std::uint32_t index, std::size_t rank) {
  std::vector<Mapping> out;
  GlobalHeap objects(source);
  const auto [data, bytes] = objects.find(heap, index);
  if (data == nullptr) return out;
  Cursor cursor(source.file.path(), data, bytes);
  const unsigned version = cursor.u8();
  if (version > 1) source.unknown("has virtual datasets of version " + std::to_string(version));
  const std::uint64_t count = source.length(cursor);
  if (count > cursor.left() / 8) source.damaged("a virtual dataset is impossible");
  // From version 1 on a name may be told as that of an earlier part.
  const auto earlier = [&]() -> const Mapping& {
    const std::uint64_t part = source.length(cursor);
    if (part >= out.size()) source.damaged("a virtual dataset is impossible");
    return out[part];
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    Mapping one;
    const unsigned flags = version == 0 ? 0 : cursor.u8();
    one.file = (flags & 4) != 0 ? "." : (flags & 1) != 0 ? earlier().file : cursor.zero_ended();
    one.dataset = (flags & 2) != 0 ? earlier().dataset : plain_path(cursor.zero_ended());
    one.source = parse_selection(source, cursor);
    one.target = parse_selection(source, cursor);
    const bool fits = one.target.kind == Selection::Kind::Regular ? one.target.axes.size() == rank
                      : one.target.kind == Selection::Kind::Boxes ? one.target.boxes[0].start.size() == rank
                                                                  : true;
    if (!fits) source.damaged("a part of a virtual dataset has another rank than the dataset");
    out.push_back(std::move(one));
  }
  return out;
}

void settle_virtual(const std::string& path, Contents& contents) {
  struct stat info {};
  const bool local = ::stat(path.c_str(), &info) == 0;
  const std::pair<dev_t, ino_t> here{local ? info.st_dev : 0, local ? info.st_ino : 0};
  auto& circle = being_settled();
  if (circle.size() > 8 || std::find(circle.begin(), circle.end(), here) != circle.end())
    fail(path, "its virtual datasets lead back to themselves");
  circle.push_back(here);
  struct Leave {
    ~Leave() { being_settled().pop_back(); }
  } leave;
  Settler settler(path, contents);
  // By what was written: columns of a table share it.
  std::map<std::shared_ptr<const std::vector<Mapping>>, Settled> known;
  for (std::size_t i = 0; i < contents.datasets.size(); ++i) {
    Dataset& data = contents.datasets[i];
    if (data.layout.kind != Layout::Kind::Virtual || data.layout.mappings == nullptr) continue;
    const auto [found, fresh] = known.try_emplace(data.layout.mappings);
    Settled& settled = found->second;
    if (fresh) settle(settler, data, settled);
    data.failure = settled.failure;
    data.layout.mappings = settled.mappings;
    data.space.extents = settled.extents;
    Variable& variable = contents.variables[i];
    std::copy(settled.extents.begin(), settled.extents.end(), variable.shape.begin());
    variable.chunk = settled.chunk;
    if (!settled.chunk.empty())
      variable.chunk.insert(variable.chunk.end(),
                            variable.shape.begin() + static_cast<std::ptrdiff_t>(settled.extents.size()),
                            variable.shape.end());
  }
}

}  // namespace weft::io::hdf5
