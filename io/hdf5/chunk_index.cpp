// Where the chunks of a dataset are: the five kinds of index, each read once.
#include "io/hdf5/structure.hpp"

#include <algorithm>

namespace weft::io::hdf5 {
namespace {

class IndexReader {
 public:
  IndexReader(Source& source, const Layout& layout, const Dataspace& space, std::uint32_t element_bytes, bool filtered)
      : source_(source), layout_(layout), rank_(layout.chunk.size()), filtered_(filtered) {
    chunk_bytes_ = element_bytes;
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      const auto chunk = static_cast<std::uint64_t>(layout.chunk[axis]);
      if (__builtin_mul_overflow(chunk_bytes_, chunk, &chunk_bytes_)) source.damaged("a chunk is too large");
      grid_.push_back((static_cast<std::uint64_t>(space.extents[axis]) + chunk - 1) / chunk);
      const std::int64_t most = space.most[axis];
      unlimited_ = most < 0 && unlimited_ == kNone ? axis : unlimited_;
      most_.push_back(most < 0 ? 1
                               : (static_cast<std::uint64_t>(std::max(most, space.extents[axis])) + chunk - 1) / chunk);
    }
    std::uint64_t count = 1;
    for (const std::uint64_t pieces : grid_) {
      if (__builtin_mul_overflow(count, pieces, &count)) source.damaged("a variable has too many chunks");
    }
    count_ = count;
  }

  std::vector<ChunkEntry> read() {
    if (count_ == 0 || !source_.defined(layout_.address)) return {};
    switch (layout_.index) {
      case Layout::Index::Tree1:
        tree1(layout_.address, -1);
        break;
      case Layout::Index::Single:
        add(0, layout_.address, layout_.single_filtered ? layout_.single_bytes : chunk_bytes_, layout_.single_skipped);
        break;
      case Layout::Index::Implicit:
        implicit();
        break;
      case Layout::Index::FixedArray:
        fixed_array();
        break;
      case Layout::Index::ExtensibleArray:
        extensible_array();
        break;
      case Layout::Index::Tree2:
        walk_tree2(source_, layout_.address, [this](Cursor record) { tree2_record(record); });
        break;
    }
    const auto before = [](const ChunkEntry& a, const ChunkEntry& b) { return a.number < b.number; };
    if (!std::is_sorted(entries_.begin(), entries_.end(), before)) std::sort(entries_.begin(), entries_.end(), before);
    return std::move(entries_);
  }

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};

  void add(std::uint64_t number, std::uint64_t address, std::uint64_t bytes, std::uint32_t skipped) {
    if (!source_.defined(address)) return;
    const std::uint64_t size = source_.file.size();
    if (address > size || bytes > size || address + bytes + source_.base > size) {
      source_.damaged("a chunk lies outside the file");
    }
    entries_.push_back({number, source_.base + address, bytes, skipped});
    if (entries_.size() > size / 8 + 64) source_.damaged("its index has more chunks than the file can hold");
  }

  /// Adds the chunk at these coordinates, in chunks, if the variable still reaches that far.
  void add_at(const std::uint64_t* scaled, std::uint64_t address, std::uint64_t bytes, std::uint32_t skipped) {
    std::uint64_t number = 0;
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      if (scaled[axis] >= grid_[axis]) return;
      number = number * grid_[axis] + scaled[axis];
    }
    add(number, address, bytes, skipped);
  }

  /// Adds the chunk that arrays count as `index`: by the greatest extents, the unlimited axis slowest.
  void add_indexed(std::uint64_t index, std::uint64_t address, std::uint64_t bytes, std::uint32_t skipped) {
    if (!source_.defined(address)) return;
    std::uint64_t scaled[33];
    std::vector<std::size_t> order;
    if (layout_.index == Layout::Index::ExtensibleArray && unlimited_ != kNone) order.push_back(unlimited_);
    for (std::size_t axis = 0; axis < rank_; ++axis) {
      if (order.empty() || axis != order[0] || layout_.index != Layout::Index::ExtensibleArray || unlimited_ != axis) {
        order.push_back(axis);
      }
    }
    for (std::size_t at = rank_; at-- > 1;) {
      scaled[order[at]] = index % most_[order[at]];
      index /= most_[order[at]];
    }
    if (rank_ > 0) scaled[order[0]] = index;
    add_at(scaled, address, bytes, skipped);
  }

  void tree1(std::uint64_t address, int parent_level) {
    Cursor head = source_.at(address, 8 + 2ull * source_.address_bytes);
    source_.expect(head, "TREE");
    if (head.u8() != 1) source_.damaged("the index of a variable's chunks is of another kind");
    const int level = head.u8();
    if (parent_level >= 0 && level != parent_level - 1) source_.damaged("the index of a variable's chunks is no tree");
    const std::uint64_t used = head.u16();
    const std::uint64_t key = 8 + 8 * (rank_ + 1);
    Cursor cursor = source_.at(address, 8 + 2ull * source_.address_bytes + used * (key + source_.address_bytes));
    cursor.skip(8 + 2ull * source_.address_bytes);
    std::uint64_t scaled[33];
    for (std::uint64_t i = 0; i < used; ++i) {
      const std::uint32_t bytes = cursor.u32();
      const std::uint32_t skipped = cursor.u32();
      for (std::size_t axis = 0; axis < rank_; ++axis) {
        scaled[axis] = cursor.u64() / static_cast<std::uint64_t>(layout_.chunk[axis]);
      }
      cursor.skip(8);
      const std::uint64_t child = source_.address(cursor);
      if (level > 0) {
        tree1(child, level);
      } else {
        add_at(scaled, child, bytes, skipped);
      }
    }
  }

  void tree2_record(Cursor record) {
    const std::uint64_t address = source_.address(record);
    std::uint64_t bytes = chunk_bytes_;
    std::uint32_t skipped = 0;
    if (filtered_) {
      const std::uint64_t fixed = 4 + 8 * rank_;
      if (record.left() <= fixed || record.left() - fixed > 8) source_.damaged("a B-tree's records are too short");
      bytes = record.number(static_cast<unsigned>(record.left() - fixed));
      skipped = record.u32();
    }
    std::uint64_t scaled[33];
    for (std::size_t axis = 0; axis < rank_; ++axis) scaled[axis] = record.u64();
    add_at(scaled, address, bytes, skipped);
  }

  void implicit() {
    std::uint64_t count = 1;
    for (const std::uint64_t pieces : most_) count *= pieces;
    if (count > source_.file.size()) source_.damaged("its index has more chunks than the file can hold");
    for (std::uint64_t i = 0; i < count; ++i) add_indexed(i, layout_.address + i * chunk_bytes_, chunk_bytes_, 0);
  }

  /// Takes one element of an array.
  void element(std::uint64_t index, Cursor& cursor, unsigned bytes) {
    const std::uint64_t address = source_.address(cursor);
    if (!filtered_) {
      cursor.skip(bytes - source_.address_bytes);
      add_indexed(index, address, chunk_bytes_, 0);
      return;
    }
    const std::uint64_t size = cursor.number(bytes - source_.address_bytes - 4);
    const std::uint32_t skipped = cursor.u32();
    add_indexed(index, address, size, skipped);
  }

  void check_element(unsigned bytes) const {
    const unsigned least = source_.address_bytes + (filtered_ ? 5 : 0);
    if (bytes < least || bytes > source_.address_bytes + 12)
      source_.damaged("the elements of a chunk index are too short");
  }

  /// Elements [first, first + count) that lie after each other, in pages with a checksum each where there are more than
  /// a page holds. `used`: which pages were ever written.
  void elements(std::uint64_t address, std::uint64_t first, std::uint64_t count, std::uint64_t page, unsigned bytes,
                const std::byte* used) {
    for (std::uint64_t done = 0, number = 0; done < count; done += page, ++number) {
      const std::uint64_t some = std::min(page, count - done);
      const auto bits = used == nullptr ? 0xffu : static_cast<unsigned>(used[number / 8]);
      if ((bits >> (7 - number % 8) & 1) != 0) {
        Cursor cursor = source_.at(address, some * bytes);
        for (std::uint64_t i = 0; i < some; ++i) element(first + done + i, cursor, bytes);
      }
      address += some * bytes + 4;
    }
  }

  void fixed_array() {
    Cursor head = source_.at(layout_.address, 8 + source_.length_bytes + source_.address_bytes);
    source_.expect(head, "FAHD");
    head.skip(2);
    const unsigned bytes = head.u8();
    const unsigned page_bits = head.u8();
    const std::uint64_t count = source_.length(head);
    const std::uint64_t block = source_.address(head);
    check_element(bytes);
    if (page_bits > 40 || count > source_.file.size())
      source_.damaged("the index of a variable's chunks is impossible");
    if (!source_.defined(block)) return;
    const std::uint64_t page = std::uint64_t{1} << page_bits;
    std::uint64_t place = block + 6 + source_.address_bytes;
    Cursor data = source_.at(block, 6 + source_.address_bytes);
    source_.expect(data, "FADB");
    if (count <= page) {
      elements(place, 0, count, count == 0 ? 1 : count, bytes, nullptr);
      return;
    }
    const std::uint64_t pages = (count + page - 1) / page;
    Cursor bitmap = source_.at(place, (pages + 7) / 8);
    const std::byte* const used = bitmap.take((pages + 7) / 8);
    place += (pages + 7) / 8 + 4;
    elements(place, 0, count, page, bytes, used);
  }

  void extensible_array() {
    Cursor head = source_.at(layout_.address, 12 + 6ull * source_.length_bytes + source_.address_bytes);
    source_.expect(head, "EAHD");
    head.skip(2);
    const unsigned bytes = head.u8();
    const unsigned bits = head.u8();
    const unsigned in_index = head.u8();
    const unsigned least = head.u8();
    const unsigned pointers = head.u8();
    const unsigned page_bits = head.u8();
    head.skip(4ull * source_.length_bytes);
    const std::uint64_t used = source_.length(head);
    head.skip(source_.length_bytes);
    const std::uint64_t index_block = source_.address(head);
    check_element(bytes);
    const auto power = [](unsigned value) { return value != 0 && (value & (value - 1)) == 0; };
    if (!power(least) || !power(pointers) || bits > 64 || bits < log2_of(least) || page_bits > 40 ||
        used > source_.file.size()) {
      source_.damaged("the index of a variable's chunks is impossible");
    }
    if (!source_.defined(index_block)) return;
    ea_ = {bytes, (bits + 7) / 8, std::uint64_t{1} << page_bits, used};
    const unsigned super_blocks = 1 + bits - log2_of(least);
    const unsigned first_super = 2 * log2_of(pointers);
    const std::uint64_t direct = 2ull * (pointers - 1);
    std::uint64_t place = index_block + 6 + source_.address_bytes;
    Cursor check = source_.at(index_block, 6);
    source_.expect(check, "EAIB");
    Cursor first = source_.at(place, static_cast<std::uint64_t>(in_index) * bytes);
    for (std::uint64_t i = 0; i < in_index; ++i) element(i, first, bytes);
    place += static_cast<std::uint64_t>(in_index) * bytes;
    const std::uint64_t supers = super_blocks > first_super ? super_blocks - first_super : 0;
    Cursor blocks = source_.at(place, (direct + supers) * source_.address_bytes);
    std::uint64_t index = in_index;
    for (unsigned super = 0; super < super_blocks && index < used; ++super) {
      const std::uint64_t count = std::uint64_t{1} << (super / 2);
      const std::uint64_t size = (std::uint64_t{1} << ((super + 1) / 2)) * least;
      if (super < first_super) {
        for (std::uint64_t i = 0; i < count; ++i, index += size)
          data_block(source_.address(blocks), index, size, nullptr);
      } else {
        super_block(source_.address(blocks), index, count, size);
        index += count * size;
      }
    }
  }

  void super_block(std::uint64_t address, std::uint64_t index, std::uint64_t count, std::uint64_t size) {
    if (!source_.defined(address)) return;
    const std::uint64_t pages = size > ea_.page ? size / ea_.page : 0;
    const std::uint64_t bitmap = (pages + 7) / 8;
    if (count > source_.file.size() || bitmap > source_.file.size())
      source_.damaged("the index of a variable's chunks is impossible");
    const std::uint64_t head = 6 + source_.address_bytes + ea_.offset_bytes;
    Cursor cursor = source_.at(address, head + count * bitmap + count * source_.address_bytes);
    source_.expect(cursor, "EASB");
    cursor.skip(head - 4);
    const std::byte* const used = cursor.take(count * bitmap);
    for (std::uint64_t i = 0; i < count && index < ea_.used; ++i, index += size) {
      data_block(source_.address(cursor), index, size, pages > 0 ? used + i * bitmap : nullptr);
    }
  }

  void data_block(std::uint64_t address, std::uint64_t index, std::uint64_t size, const std::byte* used) {
    if (!source_.defined(address)) return;
    Cursor check = source_.at(address, 6);
    source_.expect(check, "EADB");
    const std::uint64_t place = address + 6 + source_.address_bytes + ea_.offset_bytes;
    if (size <= ea_.page) {
      elements(place, index, size, size, ea_.element_bytes, nullptr);
    } else {
      elements(place + 4, index, size, ea_.page, ea_.element_bytes, used);
    }
  }

  struct ExtensibleArray {
    unsigned element_bytes = 0;
    unsigned offset_bytes = 0;
    std::uint64_t page = 1;
    std::uint64_t used = 0;
  };

  Source& source_;
  const Layout& layout_;
  const std::size_t rank_;
  const bool filtered_;
  std::uint64_t chunk_bytes_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::uint64_t> grid_;
  /// Chunks along each axis as the index counts them.
  std::vector<std::uint64_t> most_;
  std::size_t unlimited_ = kNone;
  ExtensibleArray ea_;
  std::vector<ChunkEntry> entries_;
};

}  // namespace

std::vector<ChunkEntry> read_chunk_index(Source& source, const Layout& layout, const Dataspace& space,
                                         std::uint32_t element_bytes, bool filtered) {
  return IndexReader(source, layout, space, element_bytes, filtered).read();
}

}  // namespace weft::io::hdf5
