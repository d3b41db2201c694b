// The bytes of an index.
#include "io/index/index_file.hpp"

#include "io/files/cursor.hpp"

#include <cstring>
#include <functional>
#include <unordered_map>

namespace weft::io::index {
namespace {

constexpr char kMagic[] = "weft index 3\n";
constexpr std::size_t kMagicBytes = sizeof kMagic - 1;

std::uint64_t fnv(const char* data, std::size_t bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (std::size_t i = 0; i < bytes; ++i) hash = (hash ^ static_cast<unsigned char>(data[i])) * 0x100000001b3;
  return hash;
}

/// Puts values one behind the other.
class Out {
 public:
  void put(std::uint64_t value) {
    for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
  }
  void put(std::int64_t value) { put(static_cast<std::uint64_t>(value)); }
  void put(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  void put(const std::string& text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  void put(const std::vector<std::byte>& data) {
    put(static_cast<std::uint64_t>(data.size()));
    bytes_.append(reinterpret_cast<const char*>(data.data()), data.size());
  }
  void put(const ElementType& type) {
    put(static_cast<std::uint64_t>(type.kind));
    put(static_cast<std::uint64_t>(type.bytes));
    put(static_cast<std::uint64_t>(type.swapped ? 1 : 0));
    put(type.name);
  }
  void put(const Attribute& one) {
    put(one.name);
    put(one.type);
    put(one.shape);
    put(one.texts);
    put(one.reals);
    put(one.integers);
  }
  void put(const Dimension& one) {
    put(one.name);
    put(one.extent);
    put(static_cast<std::uint64_t>(one.unlimited ? 1 : 0));
  }
  void put(const Variable& one) {
    put(one.path);
    put(one.type);
    put(one.shape);
    put(one.dimensions);
    put(one.chunk);
    put(one.filters);
    put(one.attributes);
    put(one.fill);
  }
  void put(const Group& one) {
    put(one.path);
    put(one.attributes);
    put(one.dimensions);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    put(static_cast<std::uint64_t>(values.size()));
    for (const T& one : values) put(one);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

/// Takes them again.
class In {
 public:
  explicit In(Cursor cursor) : cursor_(cursor) {}
  Cursor& cursor() { return cursor_; }
  std::uint64_t number() { return cursor_.u64(); }
  void get(std::uint64_t& value) { value = number(); }
  void get(std::int64_t& value) { value = static_cast<std::int64_t>(number()); }
  void get(double& value) { value = std::bit_cast<double>(number()); }
  void get(bool& value) { value = number() != 0; }
  void get(std::string& text) { text = cursor_.text(number()); }
  void get(std::vector<std::byte>& data) {
    const std::uint64_t bytes = number();
    const std::byte* const from = cursor_.take(bytes);
    data.assign(from, from + bytes);
  }
  void get(ElementType& type) {
    const std::uint64_t kind = number();
    if (kind > static_cast<std::uint64_t>(ElementKind::Other)) cursor_.fail("is a damaged index");
    type.kind = static_cast<ElementKind>(kind);
    type.bytes = static_cast<std::uint32_t>(number());
    get(type.swapped);
    get(type.name);
  }
  void get(Attribute& one) {
    get(one.name);
    get(one.type);
    get(one.shape);
    get(one.texts);
    get(one.reals);
    get(one.integers);
  }
  void get(Dimension& one) {
    get(one.name);
    get(one.extent);
    get(one.unlimited);
  }
  void get(Variable& one) {
    get(one.path);
    get(one.type);
    get(one.shape);
    get(one.dimensions);
    get(one.chunk);
    get(one.filters);
    get(one.attributes);
    get(one.fill);
  }
  void get(Group& one) {
    get(one.path);
    get(one.attributes);
    get(one.dimensions);
  }
  template <class T>
  void get(std::vector<T>& values) {
    // Each takes eight bytes at least: a damaged count asks for no memory.
    const std::uint64_t count = number();
    if (count > cursor_.left() / 8) cursor_.fail("is a damaged index");
    values.resize(count);
    for (T& one : values) get(one);
  }

 private:
  Cursor cursor_;
};

/// Pieces that are there once, by their bytes.
class Pieces {
 public:
  std::uint64_t add(std::string piece) {
    const auto [known, fresh] = numbers_.emplace(std::move(piece), pieces_.size());
    if (fresh) pieces_.push_back(&known->first);
    return known->second;
  }
  /// The same object is encoded once, whatever the number of its users.
  template <class T>
  std::uint64_t add_shared(const std::shared_ptr<const T>& object, const std::function<std::string(const T&)>& bytes) {
    const auto found = objects_.find(object.get());
    if (found != objects_.end()) return found->second;
    return objects_[object.get()] = add(bytes(*object));
  }
  const std::vector<const std::string*>& all() const { return pieces_; }

 private:
  std::unordered_map<std::string, std::uint64_t> numbers_;
  std::unordered_map<const void*, std::uint64_t> objects_;
  std::vector<const std::string*> pieces_;
};

std::string bytes_of(const Description& one) {
  Out out;
  out.put(one.format);
  out.put(one.variables);
  out.put(one.groups);
  out.put(one.remarks);
  return out.take();
}

std::string bytes_of(const Labels& one) {
  Out out;
  out.put(one.bytes);
  out.put(one.texts);
  return out.take();
}

/// Returns whether these are all the labels of the variable, so that any box of it can be taken from them.
bool fits(const Labels& labels, const Variable& of) {
  if (of.shape.size() != 1 || of.shape[0] < 0) return false;
  const auto elements = static_cast<std::uint64_t>(of.shape[0]);
  if (!of.type.is_number()) return labels.texts.size() == elements;
  std::uint64_t bytes = 0;
  return !__builtin_mul_overflow(elements, std::uint64_t{of.type.bytes}, &bytes) && labels.bytes.size() == bytes;
}

}  // namespace

std::string encode(const std::string& folder, const Entries& entries) {
  Pieces pieces;
  Out files;
  files.put(static_cast<std::uint64_t>(entries.size()));
  for (const auto& [name, entry] : entries) {
    files.put(name);
    files.put(entry.file_bytes);
    files.put(entry.changed_ns);
    files.put(entry.touched_ns);
    files.put(pieces.add_shared<Description>(entry.description, [](const Description& one) { return bytes_of(one); }));
    files.put(static_cast<std::uint64_t>(entry.labels.size()));
    for (const auto& [variable, labels] : entry.labels) {
      files.put(static_cast<std::uint64_t>(variable));
      files.put(pieces.add_shared<Labels>(labels, [](const Labels& one) { return bytes_of(one); }));
    }
  }
  Out out;
  out.put(folder);
  out.put(static_cast<std::uint64_t>(pieces.all().size()));
  for (const std::string* const piece : pieces.all()) out.put(*piece);
  const std::string body = out.take() + files.take();
  Out sum;
  sum.put(fnv(body.data(), body.size()));
  return std::string(kMagic) + sum.take() + body;
}

Entries decode(const std::string& path, const std::string& bytes, const std::string& folder) {
  Cursor all(path, reinterpret_cast<const std::byte*>(bytes.data()), bytes.size());
  if (bytes.size() < kMagicBytes + 8 || all.text(kMagicBytes) != kMagic) all.fail("is no index of this version");
  const std::uint64_t sum = all.u64();
  if (fnv(bytes.data() + all.place(), all.left()) != sum) all.fail("is a damaged index");
  In in(all);
  std::string said;
  in.get(said);
  if (said != folder) in.cursor().fail("is the index of '" + said + "'");
  struct Piece {
    const std::byte* data;
    std::uint64_t bytes;
    std::shared_ptr<const Description> description;
    std::shared_ptr<const Labels> labels;
  };
  const std::uint64_t count = in.number();
  if (count > in.cursor().left() / 8) in.cursor().fail("is a damaged index");
  std::vector<Piece> pieces(count);
  for (Piece& piece : pieces) {
    piece.bytes = in.number();
    piece.data = in.cursor().take(piece.bytes);
  }
  const auto piece_at = [&](std::uint64_t number) -> Piece& {
    if (number >= pieces.size()) in.cursor().fail("is a damaged index");
    return pieces[number];
  };
  Entries entries;
  for (std::uint64_t left = in.number(); left > 0; --left) {
    std::string name;
    in.get(name);
    Entry entry;
    in.get(entry.file_bytes);
    in.get(entry.changed_ns);
    in.get(entry.touched_ns);
    Piece& described = piece_at(in.number());
    if (described.description == nullptr) {
      auto one = std::make_shared<Description>();
      In part(Cursor(path, described.data, described.bytes));
      part.get(one->format);
      part.get(one->variables);
      part.get(one->groups);
      part.get(one->remarks);
      described.description = std::move(one);
    }
    entry.description = described.description;
    for (std::uint64_t labels = in.number(); labels > 0; --labels) {
      const std::uint64_t variable = in.number();
      if (variable >= entry.description->variables.size()) in.cursor().fail("is a damaged index");
      Piece& piece = piece_at(in.number());
      if (piece.labels == nullptr) {
        auto one = std::make_shared<Labels>();
        In part(Cursor(path, piece.data, piece.bytes));
        part.get(one->bytes);
        part.get(one->texts);
        piece.labels = std::move(one);
      }
      const Variable& labelled = entry.description->variables[variable];
      if (!fits(*piece.labels, labelled)) in.cursor().fail("is a damaged index");
      entry.labels.emplace(static_cast<std::uint32_t>(variable), piece.labels);
    }
    entries.emplace(std::move(name), std::move(entry));
  }
  return entries;
}

}  // namespace weft::io::index
