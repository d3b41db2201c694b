// NumPy's files: .npy is an array behind a header, .npz a ZIP archive of such.
#include "io/codecs/packers.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"
#include "io/numpy/header.hpp"
#include "io/numpy/zip.hpp"

#include <algorithm>
#include <cstring>

namespace weft::io {
namespace {

/// Of a deflated member so much is unpacked to see its header.
constexpr std::uint64_t kHeadBytes = 64 << 10;
/// Members that unpack to more are no arrays that a machine could hold as one piece.
constexpr std::uint64_t kMostMemberBytes = std::uint64_t{1} << 40;

/// The strides of an array whose first axis lies side by side.
std::vector<std::int64_t> columns_first_strides(const std::vector<std::int64_t>& shape, std::size_t element_bytes) {
  std::vector<std::int64_t> strides = packed_strides({shape.rbegin(), shape.rend()}, element_bytes);
  std::reverse(strides.begin(), strides.end());
  return strides;
}

template <class T>
std::vector<T> reversed(const std::vector<T>& values) {
  return {values.rbegin(), values.rend()};
}

/// Where an array's elements are.
struct Source {
  numpy::Header header;
  /// Of the elements, where they are stored as they are; else of the deflated bytes.
  std::uint64_t place = 0;
  zip::Member member;
  bool deflated = false;
};

/// Owns: the open file.  Threading: constant; any thread.
class NumpyFile final : public StoredFile {
 public:
  NumpyFile(OpenFile file, bool archive) : file_(std::move(file)) {
    path_ = file_.path();
    format_ = archive ? "NumPy archive (npz)" : "NumPy (npy)";
    file_bytes_ = file_.size();
    changed_ns_ = file_.changed_ns();
    groups_.push_back({});
    archive ? add_members() : add_array();
  }

  void read(std::size_t variable, const std::vector<std::int64_t>& start, const std::vector<std::int64_t>& extent,
            std::byte* out, const std::vector<std::int64_t>& strides) const override {
    const Variable& one = variables_[variable];
    const Source& source = sources_[variable];
    check_box(*this, one, start, extent);
    if (one.elements() == 0) return;
    if (source.deflated) {
      read_deflated(one, source, {start, extent, out, strides});
    } else if (source.header.columns_first) {
      read_contiguous(file_, source.place, reversed(one.shape), one.type.bytes, reversed(start), reversed(extent), out,
                      reversed(strides));
    } else {
      read_contiguous(file_, source.place, one.shape, one.type.bytes, start, extent, out, strides);
    }
    if (one.type.is_number()) {
      swap_box(out, strides, extent, one.type);
    } else if (source.header.wide_text && one.type.swapped) {
      swap_wide_text(out, strides, extent, one.type.bytes);
    }
  }

  std::vector<std::string> read_text(std::size_t variable) const override {
    const Variable& one = variables_[variable];
    if (one.type.kind != ElementKind::Text) file_.fail("'" + one.path + "' holds " + one.type.name + ", not text");
    return texts_of(read_box(variable, std::vector<std::int64_t>(one.shape.size(), 0), one.shape), one.type.bytes,
                    sources_[variable].header.wide_text);
  }

  std::uint64_t stored_bytes(std::size_t variable) const override {
    const Source& source = sources_[variable];
    return source.deflated ? source.member.packed : source.header.data_bytes();
  }

 private:
  void add_array() {
    const auto read = [&](std::uint64_t place, void* out, std::size_t bytes) { file_.read(place, out, bytes); };
    const numpy::Header header = numpy::read_header(path_, file_.size(), read);
    add("array", {header, header.bytes, {}, false});
  }

  void add_members() {
    for (const zip::Member& member : zip::read_directory(file_)) {
      const bool array = member.name.size() > 4 && member.name.ends_with(".npy");
      if (!array || member.encrypted) {
        remarks_.push_back("'" + member.name + "' is " + (array ? "encrypted" : "no array") + ": left out");
        continue;
      }
      const std::string name = member.name.substr(0, member.name.size() - 4);
      if (has(name)) {
        remarks_.push_back("'" + member.name + "' is there twice: the second is left out");
        continue;
      }
      add_member(name, member);
    }
    if (variables_.empty() && !remarks_.empty()) file_.fail("is a ZIP archive that holds no arrays of NumPy");
  }

  void add_member(const std::string& name, const zip::Member& member) {
    Source source{{}, zip::data_of(file_, member), member, member.method == zip::Member::kDeflated};
    if (!source.deflated && member.method != zip::Member::kStored) {
      remarks_.push_back("'" + member.name + "' is packed by method " + std::to_string(member.method) +
                         ", which weft does not read: left out");
      return;
    }
    if (!source.deflated && member.packed != member.bytes) damaged(member.name);
    // Deflate packs a thousandfold at best.
    if (source.deflated && (member.bytes / 1100 > member.packed + 16 || member.bytes > kMostMemberBytes))
      damaged(member.name);
    std::vector<std::byte> head;
    if (source.deflated) {
      require_inflate();
      std::vector<std::byte> packed(std::min<std::uint64_t>(member.packed, kHeadBytes));
      file_.read(source.place, packed.data(), packed.size());
      head.resize(std::min(member.bytes, kHeadBytes));
      inflate_start(packed, head);
    }
    source.header = numpy::read_header(path_ + "/" + member.name, member.bytes,
                                       [&](std::uint64_t place, void* out, std::size_t bytes) {
                                         if (!source.deflated) return file_.read(source.place + place, out, bytes);
                                         if (place > head.size() || bytes > head.size() - place) damaged(member.name);
                                         std::memcpy(out, head.data() + place, bytes);
                                       });
    if (!source.deflated) source.place += source.header.bytes;
    add(name, std::move(source));
  }

  void add(const std::string& name, Source source) {
    Variable variable;
    variable.path = name;
    variable.type = source.header.type;
    variable.shape = source.header.shape;
    variable.fill.resize(variable.type.bytes);
    if (source.deflated) {
      variable.chunk = variable.shape;
      for (std::int64_t& extent : variable.chunk) extent = std::max<std::int64_t>(1, extent);
      variable.filters = {"deflate"};
    }
    variables_.push_back(std::move(variable));
    sources_.push_back(std::move(source));
  }

  [[noreturn]] void damaged(const std::string& member) const { file_.fail("its member '" + member + "' is damaged"); }

  void require_inflate() const {
    const std::string missing = missing_codec({Filter::kDeflate, {}});
    if (!missing.empty()) file_.fail("is packed: " + missing);
  }

  /// A deflated member can only be unpacked as a whole.
  void read_deflated(const Variable& one, const Source& source, const OpenBox& box) const {
    const std::unique_ptr<std::byte[]> packed = memory(source.member.packed);
    file_.read(source.place, packed.get(), source.member.packed);
    const std::unique_ptr<std::byte[]> whole = memory(source.member.bytes);
    inflate_raw(path_, {packed.get(), source.member.packed}, {whole.get(), source.member.bytes});
    if (crc32({whole.get(), source.member.bytes}) != source.member.crc) damaged(source.member.name);
    const std::vector<std::int64_t> from = source.header.columns_first
                                               ? columns_first_strides(one.shape, one.type.bytes)
                                               : packed_strides(one.shape, one.type.bytes);
    const std::vector<std::int64_t> at(one.shape.size(), 0);
    ChunkPart(at, one.shape, from, box, one.type.bytes).copy(whole.get() + source.header.bytes);
  }

  std::unique_ptr<std::byte[]> memory(std::uint64_t bytes) const {
    try {
      return std::make_unique_for_overwrite<std::byte[]>(bytes);
    } catch (const std::bad_alloc&) {
      file_.fail("a packed array takes " + std::to_string(bytes) + " bytes, which do not fit the memory");
    }
  }

  OpenFile file_;
  std::vector<Source> sources_;
};

bool probe_npy(std::span<const std::byte> head) {
  return head.size() >= 6 && std::memcmp(head.data(), "\x93NUMPY", 6) == 0;
}

bool probe_zip(std::span<const std::byte> head) {
  return head.size() >= 4 && (std::memcmp(head.data(), "PK\3\4", 4) == 0 || std::memcmp(head.data(), "PK\5\6", 4) == 0);
}

std::shared_ptr<const StoredFile> open_npy(OpenFile file) {
  return std::make_shared<NumpyFile>(std::move(file), false);
}
std::shared_ptr<const StoredFile> open_npz(OpenFile file) { return std::make_shared<NumpyFile>(std::move(file), true); }

}  // namespace

const Format kNpy{"NumPy (npy)", probe_npy, nullptr, open_npy};
const Format kNpz{"NumPy archive (npz)", probe_zip, nullptr, open_npz};

}  // namespace weft::io
