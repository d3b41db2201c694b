// Heaps and the B-trees of version 2 that lead into them.
#include "io/hdf5/structure.hpp"

namespace weft::io::hdf5 {

std::string local_heap_name(Source& source, std::uint64_t heap, std::uint64_t offset) {
  Cursor head = source.at(heap, 8 + 2ull * source.length_bytes + source.address_bytes);
  source.expect(head, "HEAP");
  head.skip(4);
  const std::uint64_t bytes = source.length(head);
  source.length(head);
  const std::uint64_t data = source.address(head);
  if (offset >= bytes) source.damaged("a name lies outside its heap");
  Cursor names = source.at(data, bytes);
  names.skip(offset);
  return names.zero_ended();
}

std::pair<const std::byte*, std::uint64_t> GlobalHeap::find(std::uint64_t collection, std::uint32_t index) {
  if (!source_.defined(collection) || collection == 0 || index == 0) return {nullptr, 0};
  const auto known = collections_.find(collection);
  if (known == collections_.end()) {
    Cursor head = source_.at(collection, 8 + source_.length_bytes);
    source_.expect(head, "GCOL");
    head.skip(4);
    const std::uint64_t bytes = source_.length(head);
    Cursor all = source_.at(collection, bytes);
    all.skip(8 + source_.length_bytes);
    Objects objects;
    while (all.left() >= 8 + source_.length_bytes) {
      const std::uint32_t number = all.u16();
      all.skip(6);
      const std::uint64_t object_bytes = source_.length(all);
      if (number == 0) break;
      const std::byte* const data = all.take(object_bytes);
      objects[number] = {data, object_bytes};
      if (object_bytes % 8 != 0) all.skip(std::min(8 - object_bytes % 8, all.left()));
    }
    collections_.emplace(collection, std::move(objects));
  }
  const Objects& objects = collections_[collection];
  const auto found = objects.find(index);
  if (found == objects.end()) source_.damaged("a string lies outside its heap");
  return found->second;
}

namespace {

/// How a B-tree of version 2 is laid out: how many records a node of each level can have decides the size of counts.
class Tree2 {
 public:
  Tree2(Source& source, std::uint64_t address, const std::function<void(Cursor)>& visit)
      : source_(source), visit_(visit) {
    Cursor head = source.at(address, 16 + source.address_bytes + 2 + source.length_bytes);
    source.expect(head, "BTHD");
    head.skip(2);
    node_bytes_ = head.u32();
    record_bytes_ = head.u16();
    const unsigned depth = head.u16();
    head.skip(2);
    const std::uint64_t root = source.address(head);
    const unsigned records = head.u16();
    if (record_bytes_ == 0 || node_bytes_ < 10 + record_bytes_ || depth > 32) source.damaged("a B-tree is impossible");
    std::uint64_t most = (node_bytes_ - 10) / record_bytes_;
    count_bytes_ = bytes_for(most);
    std::uint64_t below = most;
    below_bytes_.push_back(0);
    for (unsigned level = 1; level <= depth; ++level) {
      const unsigned pointer = source.address_bytes + count_bytes_ + below_bytes_.back();
      if (node_bytes_ < 10 + pointer) source.damaged("a B-tree is impossible");
      most = (node_bytes_ - 10 - pointer) / (record_bytes_ + pointer);
      if (__builtin_mul_overflow(most + 1, below, &below) || __builtin_add_overflow(below, most, &below)) {
        below = ~std::uint64_t{0};
      }
      below_bytes_.push_back(bytes_for(below));
    }
    if (source.defined(root) && records > 0) node(root, records, depth);
  }

 private:
  void node(std::uint64_t address, std::uint64_t records, unsigned level) {
    if (records > node_bytes_ / record_bytes_) source_.damaged("a B-tree's node is too full");
    Cursor cursor = source_.at(address, node_bytes_);
    source_.expect(cursor, level == 0 ? "BTLF" : "BTIN");
    cursor.skip(2);
    const std::byte* const first = cursor.take(records * record_bytes_);
    for (std::uint64_t i = 0; i < records; ++i) {
      visit_(Cursor(source_.file.path(), first + i * record_bytes_, record_bytes_));
    }
    for (std::uint64_t i = 0; level > 0 && i <= records; ++i) {
      const std::uint64_t child = source_.address(cursor);
      const std::uint64_t count = cursor.number(count_bytes_);
      if (level > 1) cursor.skip(below_bytes_[level - 1]);
      node(child, count, level - 1);
    }
  }

  Source& source_;
  const std::function<void(Cursor)>& visit_;
  std::uint64_t node_bytes_ = 0;
  std::uint64_t record_bytes_ = 0;
  unsigned count_bytes_ = 0;
  /// Bytes of the number of all records below a node of a level.
  std::vector<unsigned> below_bytes_;
};

}  // namespace

void walk_tree2(Source& source, std::uint64_t address, const std::function<void(Cursor record)>& visit) {
  if (source.defined(address)) Tree2(source, address, visit);
}

FractalHeap::FractalHeap(Source& source, std::uint64_t address) : source_(source) {
  const unsigned words = 12 * source.length_bytes + 3 * source.address_bytes;
  Cursor head = source.at(address, 4 + 1 + 2 + 2 + 1 + 4 + words + 2 + 2 + 2 + 2);
  source.expect(head, "FRHP");
  head.skip(1);
  id_bytes_ = head.u16();
  filter_bytes_ = head.u16();
  head.skip(1);
  const std::uint32_t most_managed = head.u32();
  source.length(head);
  huge_tree_ = source.address(head);
  head.skip(source.length_bytes);
  head.skip(source.address_bytes);
  head.skip(8ull * source.length_bytes);
  width_ = head.u16();
  start_bytes_ = source.length(head);
  most_direct_ = source.length(head);
  const unsigned heap_bits = head.u16();
  head.skip(2);
  root_ = source.address(head);
  root_rows_ = head.u16();
  const auto power = [](std::uint64_t value) { return value != 0 && (value & (value - 1)) == 0; };
  if (!power(width_) || !power(start_bytes_) || !power(most_direct_) || most_direct_ < start_bytes_ || heap_bits > 64 ||
      heap_bits == 0 || root_rows_ > 64 || log2_of(most_direct_) > 40) {
    source.damaged("a heap is impossible");
  }
  offset_bytes_ = (heap_bits + 7) / 8;
  length_bytes_ = std::min((log2_of(most_direct_) + 7) / 8, bytes_for(most_managed));
  if (filter_bytes_ != 0) source.unknown("keeps links or attributes compressed");
}

std::uint64_t FractalHeap::row_bytes(unsigned row) const { return row == 0 ? start_bytes_ : start_bytes_ << (row - 1); }

std::uint64_t FractalHeap::row_start(unsigned row) const { return row == 0 ? 0 : (start_bytes_ * width_) << (row - 1); }

Cursor FractalHeap::find(Cursor id) {
  Cursor whole = id;
  const unsigned first = id.u8();
  switch (first >> 4 & 3) {
    case 0: {
      const std::uint64_t offset = id.number(offset_bytes_);
      return managed(offset, id.number(length_bytes_));
    }
    case 1:
      return huge(whole);
    case 2: {
      // Up to 16 bytes lie in the identifier; longer identifiers have a longer length.
      std::uint64_t bytes = (first & 15) + 1;
      if (id_bytes_ > 18) bytes = ((first & 15) << 8 | id.u8()) + 1;
      return {source_.file.path(), id.take(bytes), bytes};
    }
    default:
      source_.damaged("an object of a heap is of an unknown kind");
  }
}

Cursor FractalHeap::managed(std::uint64_t offset, std::uint64_t bytes) {
  std::uint64_t block = root_;
  std::uint64_t begin = 0;
  unsigned rows = root_rows_;
  const unsigned direct_rows = log2_of(most_direct_) - log2_of(start_bytes_) + 2;
  for (int depth = 0; rows > 0; ++depth) {
    if (depth > 16) source_.damaged("a heap leads in circles");
    unsigned row = 0;
    while (row + 1 < rows && offset - begin >= row_start(row + 1)) ++row;
    const std::uint64_t column = (offset - begin - row_start(row)) / row_bytes(row);
    if (column >= width_) source_.damaged("an object lies outside its heap");
    const std::uint64_t entry = static_cast<std::uint64_t>(row) * width_ + column;
    const std::uint64_t head = 5ull + source_.address_bytes + offset_bytes_;
    Cursor cursor = source_.at(block, head + (entry + 1) * source_.address_bytes);
    source_.expect(cursor, "FHIB");
    cursor.skip(head - 4 + entry * source_.address_bytes);
    block = source_.address(cursor);
    begin += row_start(row) + column * row_bytes(row);
    if (row < direct_rows) {
      rows = 0;
      const std::uint64_t in_block = offset - begin;
      if (in_block > row_bytes(row) || bytes > row_bytes(row) - in_block) {
        source_.damaged("an object lies outside its heap");
      }
    } else {
      rows = log2_of(row_bytes(row)) - log2_of(start_bytes_ * width_) + 1;
    }
  }
  Cursor check = source_.at(block, 4);
  source_.expect(check, "FHDB");
  return source_.at(block + (offset - begin), bytes);
}

Cursor FractalHeap::huge(Cursor id) {
  id.skip(1);
  if (source_.address_bytes + source_.length_bytes + 1 <= id_bytes_) {
    const std::uint64_t address = source_.address(id);
    return source_.at(address, source_.length(id));
  }
  const std::uint64_t key = id.number(std::min(id_bytes_ - 1, source_.length_bytes));
  std::optional<Cursor> found;
  walk_tree2(source_, huge_tree_, [&](Cursor record) {
    const std::uint64_t address = source_.address(record);
    const std::uint64_t bytes = source_.length(record);
    if (source_.length(record) == key) found = source_.at(address, bytes);
  });
  if (!found) source_.damaged("an object lies outside its heap");
  return *found;
}

}  // namespace weft::io::hdf5
