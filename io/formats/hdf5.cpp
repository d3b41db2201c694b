// HDF5, and NetCDF-4, which is HDF5 with conventions. weft reads the file's own structures: no library and no lock
// stands between the threads that read.
#include "io/codecs/filters.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"
#include "io/formats/records.hpp"
#include "io/hdf5/tree.hpp"
#include "io/hdf5/virtual.hpp"
#include "io/remote/transfer.hpp"

#include <algorithm>
#include <cstring>
#include <map>

namespace weft::io {
namespace {

using hdf5::ChunkEntry;
using hdf5::Dataset;
using hdf5::Layout;

/// Chunks beyond this are no chunks that HDF5 can write.
constexpr std::uint64_t kMostChunkBytes = std::uint64_t{1} << 32;

class Hdf5File final : public StoredFile, public HasOthers, public HasRecords {
 public:
  explicit Hdf5File(OpenFile file) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = kHdf5.name;
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    hdf5::Source source(file_);
    hdf5::Contents contents = hdf5::read_own_contents(source);
    hdf5::follow_links(path_, contents);
    address_bytes_ = source.address_bytes;
    length_bytes_ = source.length_bytes;
    base_ = source.base;
    variables_ = std::move(contents.variables);
    datasets_ = std::move(contents.datasets);
    groups_ = std::move(contents.groups);
    remarks_ = std::move(contents.remarks);
    others_ = std::move(contents.others);
    hdf5::add_others(others_, file_bytes_, changed_ns_);
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    check_box(*this, one, start, extent);
    if (one.type.kind == ElementKind::VariableText)
      file_.fail("'" + one.path + "' holds strings: read_text reads them");
    refuse_unreadable(variable);
    const Dataset& data = datasets_[variable];
    if (data.elsewhere != nullptr) {
      return hdf5::from_elsewhere(*this, one, *data.elsewhere, [&](const StoredFile& file, std::size_t number) {
        file.read(number, start, extent, out, strides);
      });
    }
    if (data.layout.kind == Layout::Kind::Virtual)
      return hdf5::read_virtual(*this, variable, data, {start, extent, out, strides});
    const StoredBox box{variable, start, extent, out, strides};
    if (is_empty(extent)) return;
    raw({&box, 1});
    to_native(box);
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    if (one.type.kind != ElementKind::Text && one.type.kind != ElementKind::VariableText) {
      file_.fail("'" + one.path + "' holds " + one.type.name + ", not text");
    }
    refuse_unreadable(variable);
    if (datasets_[variable].elsewhere != nullptr) {
      std::vector<std::string> texts;
      hdf5::from_elsewhere(*this, one, *datasets_[variable].elsewhere,
                           [&](const StoredFile& file, std::size_t number) { texts = file.read_text(number); });
      return texts;
    }
    const std::int64_t count = one.elements();
    const std::uint64_t each = std::max<std::uint32_t>(1, one.type.bytes);
    // A small file that tells of so much is damaged: nothing packs text better.
    const std::uint64_t most = std::min<std::uint64_t>(kMostChunkBytes, (256u << 20) + 1100 * file_bytes_);
    if (count < 0 || static_cast<std::uint64_t>(count) > most / each) {
      file_.fail("'" + one.path + "' has more text than can be read at once");
    }
    std::vector<std::byte> bytes(static_cast<std::size_t>(count) * one.type.bytes);
    const std::vector<std::int64_t> start(one.shape.size(), 0), strides = packed_strides(one.shape, one.type.bytes);
    if (datasets_[variable].layout.kind == Layout::Kind::Virtual) {
      if (one.type.kind == ElementKind::VariableText)
        file_.fail("'" + one.path + "' is a virtual dataset of strings of any length, which weft does not read");
      hdf5::read_virtual(*this, variable, datasets_[variable], {start, one.shape, bytes.data(), strides});
    } else {
      const StoredBox box{variable, start, one.shape, bytes.data(), strides};
      if (!is_empty(one.shape)) raw({&box, 1});
    }
    return texts(variable, bytes);
  }

  void read_together(const std::vector<StoredBox>& boxes) const override {
    // By dataset, and by the records of it that are wanted.
    std::map<std::pair<const Dataset::Index*, std::vector<std::int64_t>>, std::vector<StoredBox>> tables;
    for (const StoredBox& box : boxes) {
      const Variable& one = variables_[box.variable];
      const Dataset& data = datasets_[box.variable];
      check_box(*this, one, box.start, box.extent);
      refuse_unreadable(box.variable);
      const bool here = data.elsewhere == nullptr && data.layout.kind != Layout::Kind::Virtual;
      if (!here && one.type.kind == ElementKind::VariableText)
        file_.fail("'" + one.path + "' holds strings of any length that lie in another file: open that file");
      if (!here) {
        read(box.variable, box.start, box.extent, box.out, box.strides);
      } else if (!is_empty(box.extent)) {
        const auto rank = static_cast<std::ptrdiff_t>(data.space.extents.size());
        std::vector<std::int64_t> records(box.start.begin(), box.start.begin() + rank);
        records.insert(records.end(), box.extent.begin(), box.extent.begin() + rank);
        tables[{data.index.get(), std::move(records)}].push_back(box);
      }
    }
    for (const auto& [records, columns] : tables) {
      raw(columns);
      for (const StoredBox& box : columns) to_native(box);
    }
  }

  std::vector<std::string> texts(std::size_t variable, std::span<const std::byte> stored) const override {
    hdf5::Source source = fresh_source();
    const auto count =
        static_cast<std::int64_t>(stored.size() / std::max<std::uint32_t>(1, variables_[variable].type.bytes));
    return hdf5::Values(source).texts(datasets_[variable].type, Cursor(path_, stored.data(), stored.size()), count);
  }

  bool is_bits(std::size_t variable) const override {
    return datasets_[variable].type.kind == hdf5::Datatype::Class::Bits;
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    const Dataset& data = datasets_[variable];
    if (data.elsewhere != nullptr) {
      std::uint64_t bytes = 0;
      hdf5::from_elsewhere(*this, variables_[variable], *data.elsewhere,
                           [&](const StoredFile& file, std::size_t number) { bytes = file.stored_bytes(number); });
      return bytes;
    }
    if (data.layout.kind == Layout::Kind::Virtual) return hdf5::stored_virtual(*this, variable, data);
    if (data.layout.kind == Layout::Kind::Compact) return data.layout.compact.size();
    if (data.layout.kind == Layout::Kind::Contiguous) {
      return static_cast<std::uint64_t>(variables_[variable].elements()) * variables_[variable].type.bytes;
    }
    if (data.layout.kind != Layout::Kind::Chunked) return 0;
    std::uint64_t bytes = 0;
    for (const ChunkEntry& entry : index(variable)) bytes += entry.bytes;
    return bytes;
  }

  bool others_changed() const override {
    return std::any_of(others_.begin(), others_.end(), [](const hdf5::OtherFile& one) { return !one.same_now(); });
  }
  std::size_t others() const override { return others_.size(); }
  OwnState own_state() const override { return {file_.size(), file_.changed_ns()}; }

 private:
  hdf5::Source fresh_source() const {
    hdf5::Source source(file_);
    source.address_bytes = address_bytes_;
    source.length_bytes = length_bytes_;
    source.base = base_;
    return source;
  }

  const std::vector<ChunkEntry>& index(std::size_t variable) const {
    const Dataset& data = datasets_[variable];
    std::call_once(data.index->once, [&] {
      const remote::KeepSlot waited_for;
      hdf5::Source source = fresh_source();
      data.index->entries =
          hdf5::read_chunk_index(source, data.layout, data.space, data.record_bytes, !data.filters.empty());
    });
    return data.index->entries;
  }

  void refuse_unreadable(std::size_t variable) const {
    const std::string& failure = datasets_[variable].failure;
    if (!failure.empty()) file_.fail("'" + variables_[variable].path + "' " + failure);
    const std::string& obstacle = datasets_[variable].obstacle;
    if (!obstacle.empty()) file_.fail("'" + variables_[variable].path + "' " + obstacle + ", which weft does not read");
  }

  static bool is_empty(const std::vector<std::int64_t>& extent) {
    return std::any_of(extent.begin(), extent.end(), [](std::int64_t e) { return e == 0; });
  }

  void to_native(const StoredBox& box) const {
    const ElementType& type = variables_[box.variable].type;
    if (type.is_number()) swap_box(box.out, box.strides, box.extent, type);
    hdf5::straighten(datasets_[box.variable].type, box.out, box.strides, box.extent);
  }

  void fill(std::span<const StoredBox> boxes) const {
    for (const StoredBox& box : boxes) {
      fill_box(box.out, box.strides.data(), box.extent.data(), box.extent.size(), fill_of(box.variable),
               variables_[box.variable].type.bytes);
    }
  }

  /// Elements as they are in the file, but decoded. Several boxes are of columns of one table, the same records of it.
  void raw(std::span<const StoredBox> boxes) const {
    const Variable& one = variables_[boxes.front().variable];
    const Dataset& data = datasets_[boxes.front().variable];
    const Layout& layout = data.layout;
    if (layout.kind == Layout::Kind::Chunked) return chunked(boxes);
    std::uint64_t bytes = data.record_bytes;
    for (const std::int64_t e : data.space.extents) {
      if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(e), &bytes))
        file_.fail("'" + one.path + "' is too large");
    }
    if (layout.kind == Layout::Kind::Compact) {
      if (layout.compact.size() < bytes) {
        if (!layout.compact.empty())
          file_.fail("'" + one.path + "' is shorter than its extents say: the file is damaged");
        return fill(boxes);
      }
      for (const StoredBox& box : boxes) {
        const std::vector<std::int64_t> from = stored_strides(box.variable, data.space.extents);
        const std::byte* first = layout.compact.data() + datasets_[box.variable].place;
        for (std::size_t axis = 0; axis < from.size(); ++axis) first += box.start[axis] * from[axis];
        copy_box(box.out, box.strides.data(), first, from.data(), box.extent.data(), box.extent.size(),
                 variables_[box.variable].type.bytes);
      }
      return;
    }
    const std::uint64_t undefined =
        address_bytes_ >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * address_bytes_) - 1;
    if (layout.address == undefined) return fill(boxes);
    if (bytes > layout.bytes) file_.fail("'" + one.path + "' is shorter than its extents say: the file is damaged");
    if (layout.address > file_.size() || bytes > file_.size() || base_ + layout.address + bytes > file_.size()) {
      file_.fail("'" + one.path + "' lies beyond the end: the file is truncated or damaged");
    }
    if (data.is_member()) {
      const std::vector<std::int64_t> from = packed_strides(data.space.extents, data.record_bytes);
      std::uint64_t place = base_ + layout.address;
      std::vector<std::byte*> outs;
      for (std::size_t axis = 0; axis < from.size(); ++axis)
        place += static_cast<std::uint64_t>(boxes.front().start[axis] * from[axis]);
      for (const StoredBox& box : boxes) outs.push_back(box.out);
      return member_rows(boxes, place, 0, from, outs);
    }
    for (const StoredBox& box : boxes)
      read_contiguous(file_, base_ + layout.address, one.shape, one.type.bytes, box.start, box.extent, box.out,
                      box.strides);
  }

  /// Steps in bytes from element to element where records of these extents lie side by side.
  std::vector<std::int64_t> stored_strides(std::size_t variable, const std::vector<std::int64_t>& extents) const {
    const Variable& one = variables_[variable];
    std::vector<std::int64_t> strides = packed_strides(extents, datasets_[variable].record_bytes);
    const auto inner = one.shape.begin() + static_cast<std::ptrdiff_t>(extents.size());
    const std::vector<std::int64_t> within = packed_strides({inner, one.shape.end()}, one.type.bytes);
    strides.insert(strides.end(), within.begin(), within.end());
    return strides;
  }

  /// Members of a box of records that lie side by side: whole records are read, some at a time. `from`: steps from
  /// record to record; `outs`: where each box goes on.
  void member_rows(std::span<const StoredBox> boxes, std::uint64_t place, std::size_t axis,
                   const std::vector<std::int64_t>& from, const std::vector<std::byte*>& outs) const {
    constexpr std::int64_t kPieceBytes = 4 << 20;
    const std::uint32_t record_bytes = datasets_[boxes.front().variable].record_bytes;
    const std::size_t rank = from.size();
    if (axis + 1 < rank) {
      std::vector<std::byte*> inner = outs;
      for (std::int64_t i = 0; i < boxes.front().extent[axis]; ++i) {
        member_rows(boxes, place + static_cast<std::uint64_t>(i * from[axis]), axis + 1, from, inner);
        for (std::size_t k = 0; k < boxes.size(); ++k) inner[k] += boxes[k].strides[axis];
      }
      return;
    }
    // Axes of the member itself follow; the records' last one is read in pieces.
    const std::int64_t records = rank == 0 ? 1 : boxes.front().extent[axis];
    const std::int64_t most = std::max<std::int64_t>(1, kPieceBytes / record_bytes);
    const std::size_t first = rank == 0 ? 0 : axis;
    for (std::int64_t at = 0; at < records; at += most) {
      const std::int64_t count = std::min(most, records - at);
      const std::span<std::byte> piece = decoded_memory(static_cast<std::uint64_t>(count) * record_bytes);
      file_.read(place + static_cast<std::uint64_t>(at) * record_bytes, piece.data(), piece.size());
      for (std::size_t k = 0; k < boxes.size(); ++k) {
        const StoredBox& box = boxes[k];
        const std::vector<std::int64_t> steps = stored_strides(box.variable, datasets_[box.variable].space.extents);
        std::vector<std::int64_t> part(box.extent.begin() + static_cast<std::ptrdiff_t>(first), box.extent.end());
        if (rank != 0) part[0] = count;
        std::int64_t inside = datasets_[box.variable].place;
        for (std::size_t inner = rank; inner < box.extent.size(); ++inner) inside += box.start[inner] * steps[inner];
        copy_box(outs[k] + (rank == 0 ? 0 : at * box.strides[axis]), box.strides.data() + first, piece.data() + inside,
                 steps.data() + first, part.data(), part.size(), variables_[box.variable].type.bytes);
      }
    }
  }

  /// The fill value in the file's byte order.
  const std::byte* fill_of(std::size_t variable) const {
    const Variable& one = variables_[variable];
    thread_local std::vector<std::byte> fill;
    fill = one.fill;
    if (!datasets_[variable].stored_fill.empty()) {
      fill = datasets_[variable].stored_fill;
    } else if (one.type.is_number()) {
      swap_box(fill.data(), {}, {}, one.type);
    }
    return fill.data();
  }

  void chunked(std::span<const StoredBox> boxes) const {
    const StoredBox& first = boxes.front();
    const Variable& one = variables_[first.variable];
    const Dataset& data = datasets_[first.variable];
    const std::size_t rank = data.layout.chunk.size();
    for (const Filter& filter : data.filters) {
      const std::string missing = missing_codec(filter);
      if (!missing.empty()) file_.fail("'" + one.path + "' " + missing);
    }
    const std::vector<ChunkEntry>& entries = index(first.variable);
    each_cell(data.layout.chunk, first.start, first.extent, [&](const std::vector<std::int64_t>& at) {
      std::uint64_t number = 0;
      for (std::size_t axis = 0; axis < rank; ++axis) {
        number = number * static_cast<std::uint64_t>((one.shape[axis] + one.chunk[axis] - 1) / one.chunk[axis]) +
                 static_cast<std::uint64_t>(at[axis]);
      }
      const auto found =
          std::lower_bound(entries.begin(), entries.end(), number,
                           [](const ChunkEntry& entry, std::uint64_t wanted) { return entry.number < wanted; });
      const bool there = found != entries.end() && found->number == number;
      one_chunk(boxes, there ? &*found : nullptr, at);
    });
  }

  /// Calls use(part) with what the box and the chunk at `at` share.
  template <class Use>
  void with_part(const StoredBox& box, std::vector<std::int64_t> at, Use use) const {
    const Variable& one = variables_[box.variable];
    const std::vector<std::int64_t> strides = stored_strides(box.variable, datasets_[box.variable].layout.chunk);
    // Axes of a member itself are never cut.
    at.resize(one.chunk.size(), 0);
    use(ChunkPart(at, one.chunk, strides, {box.start, box.extent, box.out, box.strides}, one.type.bytes));
  }

  /// Reads what the boxes and the chunk at `at` share.
  void one_chunk(std::span<const StoredBox> boxes, const ChunkEntry* entry, const std::vector<std::int64_t>& at) const {
    const Variable& one = variables_[boxes.front().variable];
    const Dataset& data = datasets_[boxes.front().variable];
    const std::vector<std::int64_t>& chunk = data.layout.chunk;
    bool edge = false;
    std::uint64_t bytes = data.record_bytes;
    for (std::size_t axis = 0; axis < chunk.size(); ++axis) {
      edge = edge || (at[axis] + 1) * chunk[axis] > one.shape[axis];
      bytes *= static_cast<std::uint64_t>(chunk[axis]);
    }
    if (bytes > kMostChunkBytes)
      file_.fail("a chunk of '" + one.path + "' takes " + std::to_string(bytes) + " bytes: the file is damaged");
    if (entry == nullptr) {
      for (const StoredBox& box : boxes)
        with_part(box, at, [&](const ChunkPart& part) { part.fill(fill_of(box.variable)); });
      return;
    }
    // Deflate packs a thousandfold at best; a damaged size is not worth the memory it asks for.
    if (bytes / 70000 > entry->bytes + 16)
      file_.fail("a chunk of '" + one.path + "' is far too small: the file is damaged");
    const bool plain = data.filters.empty() || (edge && data.layout.plain_edges);
    const auto decode = [&](std::span<std::byte> decoded) {
      if (plain) {
        if (entry->bytes != bytes)
          file_.fail("a chunk of '" + one.path + "' has another size than its description says");
        file_.read(entry->address, decoded.data(), bytes);
        return;
      }
      const std::span<std::byte> stored = stored_memory(entry->bytes);
      file_.read(entry->address, stored.data(), stored.size());
      undo_filters(path_, data.filters, entry->skipped, stored, decoded);
    };
    if (!data.is_member() && boxes.size() == 1)
      return with_part(boxes.front(), at, [&](const ChunkPart& part) { part.put(bytes, decode); });
    const std::span<std::byte> records = decoded_memory(bytes);
    decode(records);
    for (const StoredBox& box : boxes) {
      const std::byte* const member = records.data() + datasets_[box.variable].place;
      with_part(box, at, [&](const ChunkPart& part) { part.copy(member); });
    }
  }

  OpenFile file_;
  std::vector<Dataset> datasets_;
  std::vector<hdf5::OtherFile> others_;
  unsigned address_bytes_ = 8;
  unsigned length_bytes_ = 8;
  std::uint64_t base_ = 0;
};

bool probe_hdf5(std::span<const std::byte> head) {
  static constexpr unsigned char kSignature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  for (const std::size_t place : {0u, 512u, 1024u, 2048u}) {
    if (place + 8 <= head.size() && std::memcmp(head.data() + place, kSignature, 8) == 0) return true;
  }
  return false;
}

std::shared_ptr<const StoredFile> open_hdf5(OpenFile file) { return std::make_shared<Hdf5File>(std::move(file)); }

}  // namespace

const HasRecords* records_of(const StoredFile& file) { return dynamic_cast<const HasRecords*>(&file); }

const Format kHdf5{"HDF5", probe_hdf5, nullptr, open_hdf5};

}  // namespace weft::io
