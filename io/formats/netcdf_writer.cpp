// Writing NetCDF-4 by the HDF5 library: datasets, dimension scales, attributes.
#include <weft/storage_writer.hpp>

#include "io/codecs/filters.hpp"
#include "io/files/name_beside.hpp"
#include "io/files/open_file.hpp"
#include "io/formats/chunk_box.hpp"
#include "io/formats/format.hpp"

#include <weft/journal.hpp>

#include <unistd.h>
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <random>
#include <utility>

#if WEFT_HAS_HDF5
#include <hdf5.h>
#include <hdf5_hl.h>
#endif

namespace weft::io {

Attribute text_attribute(std::string name, std::string text) {
  return {std::move(name), {ElementKind::VariableText, 0, false, "string"}, {}, {std::move(text)}, {}, {}};
}

Attribute number_attribute(std::string name, double value) {
  return {std::move(name), {ElementKind::Float, 8, false, "float64"}, {1}, {}, {value}, {}};
}

namespace {

constexpr char kParts[] = ".parts-";
constexpr char kPartEnding[] = ".h5";
constexpr std::size_t kPartsDigits = 8;

std::string fresh_parts(const std::string& path) {
  char digits[kPartsDigits + 1];
  std::snprintf(digits, sizeof digits, "%08x", static_cast<unsigned>(std::random_device{}()));
  return path.substr(path.rfind('/') + 1) + kParts + digits;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
}

/// Parts of files that had this name, but `kept`.
void remove_parts(const std::string& path, const std::string& kept) {
  namespace fs = std::filesystem;
  const std::string begin = path.substr(path.rfind('/') + 1) + kParts, folder = folder_of(path);
  std::error_code failed;
  std::vector<fs::path> old;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder, failed)) {
    const std::string name = entry.path().filename().string();
    const bool parts = name.size() == begin.size() + kPartsDigits && name.starts_with(begin) &&
                       name.find_first_not_of("0123456789abcdef", begin.size()) == std::string::npos;
    if (parts && name != kept) old.push_back(entry.path());
  }
  for (const fs::path& one : old) fs::remove_all(one, failed);
}

}  // namespace

PartsFolder::PartsFolder(const std::string& path) : path_(path), name_(fresh_parts(path)) {
  std::error_code failed;
  std::filesystem::create_directory(folder_of(path_) + name_, failed);
  if (failed) fail(path_, "a folder for its parts cannot be made beside it: " + failed.message());
}

PartsFolder::~PartsFolder() {
  std::error_code ignored;
  if (!kept_) std::filesystem::remove_all(folder_of(path_) + name_, ignored);
}

void PartsFolder::keep() {
  kept_ = true;
  namespace fs = std::filesystem;
  std::error_code ignored;
  std::vector<fs::path> unfinished;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_of(path_) + name_, ignored)) {
    if (entry.path().extension() != kPartEnding) unfinished.push_back(entry.path());
  }
  for (const fs::path& one : unfinished) fs::remove(one, ignored);
}

std::string PartsFolder::name_of(const std::string& variable, std::size_t number) const {
  // Names of variables may have slashes; numbers tell those apart that differ in nothing else.
  std::string name = variable;
  std::replace(name.begin(), name.end(), '/', '_');
  return name_ + "/" + name + "-" + std::to_string(number) + kPartEnding;
}

std::string PartsFolder::path_of(const std::string& variable, std::size_t number) const {
  return folder_of(path_) + name_of(variable, number);
}

bool can_pack_chunks() { return can_write_netcdf() && missing_codec({Filter::kDeflate, {}}).empty(); }

std::vector<std::byte> pack_chunk(const std::string& path, const ChunkPacking& packing,
                                  const std::vector<std::int64_t>& extent, const std::byte* data) {
  std::vector<Filter> filters;
  if (packing.shuffle) filters.push_back({Filter::kShuffle, {packing.element_bytes}});
  filters.push_back({Filter::kDeflate, {static_cast<std::uint32_t>(packing.deflate)}});
  const std::vector<std::int64_t> to = packed_strides(packing.chunk, packing.element_bytes);
  const std::size_t bytes =
      to.empty() ? packing.element_bytes : static_cast<std::size_t>(to[0]) * static_cast<std::size_t>(packing.chunk[0]);
  if (extent == packing.chunk) return apply_filters(path, filters, packing.element_bytes, {data, bytes});
  // What lies behind the variable's end is nothing.
  std::vector<std::byte> whole(bytes);
  const std::vector<std::int64_t> from = packed_strides(extent, packing.element_bytes);
  copy_box(whole.data(), to.data(), data, from.data(), extent.data(), extent.size(), packing.element_bytes);
  return apply_filters(path, filters, packing.element_bytes, whole);
}

#if WEFT_HAS_HDF5

namespace {

/// The library serves one thread of the process at a time.
std::mutex& library() {
  static std::mutex& mutex = *new std::mutex;
  return mutex;
}

/// One handle of the library.
class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }  // NOLINT

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

hid_t number_type(const ElementType& type) {
  switch (type.kind) {
    case ElementKind::Integer:
      return type.bytes == 1   ? H5T_NATIVE_INT8
             : type.bytes == 2 ? H5T_NATIVE_INT16
             : type.bytes == 4 ? H5T_NATIVE_INT32
                               : H5T_NATIVE_INT64;
    case ElementKind::Unsigned:
    case ElementKind::Boolean:
      return type.bytes == 1   ? H5T_NATIVE_UINT8
             : type.bytes == 2 ? H5T_NATIVE_UINT16
             : type.bytes == 4 ? H5T_NATIVE_UINT32
                               : H5T_NATIVE_UINT64;
    case ElementKind::Float:
      return type.bytes == 4 ? H5T_NATIVE_FLOAT : type.bytes == 8 ? H5T_NATIVE_DOUBLE : -1;
    case ElementKind::Complex:
    case ElementKind::Text:
    case ElementKind::VariableText:
    case ElementKind::Other:
      break;
  }
  return -1;
}

/// The bytes of numbers in the type of an attribute.
std::vector<std::byte> bytes_of(const ElementType& type, const Attribute& attribute) {
  const std::vector<double> reals = attribute.numbers();
  std::vector<std::byte> bytes(reals.size() * type.bytes);
  for (std::size_t i = 0; i < reals.size(); ++i) {
    std::byte* const to = bytes.data() + i * type.bytes;
    if (type.kind == ElementKind::Float) {
      const float single = static_cast<float>(reals[i]);
      std::memcpy(to, type.bytes == 4 ? static_cast<const void*>(&single) : &reals[i], type.bytes);
    } else {
      static_assert(std::endian::native == std::endian::little);
      const std::int64_t whole =
          attribute.integers.empty() ? static_cast<std::int64_t>(reals[i]) : attribute.integers[i];
      std::memcpy(to, &whole, type.bytes);
    }
  }
  return bytes;
}

}  // namespace

struct NetcdfWriter::State {
  std::string path;
  std::string beside;
  Handle file{-1, H5Fclose};
  std::vector<std::pair<std::string, std::int64_t>> dimensions;
  std::map<std::string, Handle> datasets;
  std::map<std::string, std::vector<std::string>> dims_of;

  void check(std::int64_t result, const std::string& what) const {
    if (result < 0) fail(path, "writing " + what + " failed; is the disk full?");
  }
  std::int64_t extent(const std::string& name) const {
    for (const auto& [dimension, extent] : dimensions) {
      if (dimension == name) return extent;
    }
    fail(path, "a variable names the dimension '" + name + "', which there is not");
  }

  void put(hid_t object, const Attribute& one) const {
    if (one.is_text()) {
      std::string text = one.texts[0];
      for (std::size_t i = 1; i < one.texts.size(); ++i) text += "\n" + one.texts[i];
      const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
      H5Tset_size(type, std::max<std::size_t>(1, text.size()));
      H5Tset_strpad(type, H5T_STR_NULLTERM);
      H5Tset_cset(type, H5T_CSET_UTF8);
      const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
      const Handle attribute(H5Acreate2(object, one.name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
      check(H5Awrite(attribute, type, text.c_str()), "attribute '" + one.name + "'");
      return;
    }
    const hid_t type = number_type(one.type);
    const std::vector<std::byte> bytes = bytes_of(one.type, one);
    if (type < 0 || bytes.empty()) return;
    const hsize_t count = bytes.size() / one.type.bytes;
    const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose);
    const Handle attribute(H5Acreate2(object, one.name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check(H5Awrite(attribute, type, bytes.data()), "attribute '" + one.name + "'");
  }

  /// Chunks of 1 to 16 MiB, the first axes cut first.
  static std::vector<hsize_t> chunk_of(const NewVariable& variable, const std::vector<hsize_t>& shape) {
    std::vector<hsize_t> chunk(variable.chunk.begin(), variable.chunk.end());
    if (chunk.size() == shape.size()) return chunk;
    chunk = shape;
    hsize_t bytes = variable.type.bytes;
    for (const hsize_t extent : shape) bytes *= extent;
    for (hsize_t& extent : chunk) {
      if (bytes <= (hsize_t{4} << 20)) break;
      const hsize_t rest = bytes / extent;
      extent = std::max<hsize_t>(1, (hsize_t{4} << 20) / rest);
      bytes = rest * extent;
    }
    return chunk;
  }

  /// `parts`: where its values are, if not here.
  void create(const NewVariable& variable, const std::vector<VariablePart>* parts = nullptr) {
    std::vector<hsize_t> shape;
    bool empty = false;
    for (const std::string& dim : variable.dimensions) {
      shape.push_back(static_cast<hsize_t>(extent(dim)));
      empty = empty || shape.back() == 0;
    }
    const bool text = variable.type.kind == ElementKind::VariableText;
    Handle type(text ? H5Tcopy(H5T_C_S1) : H5Tcopy(number_type(variable.type)), H5Tclose);
    if (text) {
      H5Tset_size(type, H5T_VARIABLE);
      H5Tset_cset(type, H5T_CSET_UTF8);
    }
    check(type, "'" + variable.name + "' of " + variable.type.name);
    const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_attr_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    if (parts != nullptr) {
      const Handle whole(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
      for (const VariablePart& part : *parts) {
        const std::vector<hsize_t> start(part.start.begin(), part.start.end());
        const std::vector<hsize_t> extent(part.extent.begin(), part.extent.end());
        const Handle source(H5Screate_simple(static_cast<int>(extent.size()), extent.data(), nullptr), H5Sclose);
        H5Sselect_hyperslab(whole, H5S_SELECT_SET, start.data(), nullptr, extent.data(), nullptr);
        check(H5Pset_virtual(create, whole, part.file.c_str(), variable.name.c_str(), source),
              "a part of '" + variable.name + "'");
      }
    } else if (!shape.empty() && !empty && !text && variable.deflate > 0) {
      const std::vector<hsize_t> chunk = chunk_of(variable, shape);
      check(H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data()),
            "the chunks of '" + variable.name + "'");
      if (variable.shuffle) H5Pset_shuffle(create);
      H5Pset_deflate(create, static_cast<unsigned>(variable.deflate));
    }
    Attribute fill{"_FillValue", variable.type, {1}, {}, {variable.fill.value_or(0)}, {}};
    if (variable.fill) H5Pset_fill_value(create, type, bytes_of(variable.type, fill).data());
    const Handle space(
        shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr),
        H5Sclose);
    Handle set(H5Dcreate2(file, variable.name.c_str(), type, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose);
    check(set, "'" + variable.name + "'");
    if (variable.fill) put(set, fill);
    for (const Attribute& one : variable.attributes) put(set, one);
    if (variable.dimensions.size() == 1 && variable.dimensions[0] == variable.name) {
      check(H5DSset_scale(set, variable.name.c_str()), "'" + variable.name + "'");
    }
    datasets.emplace(variable.name, std::move(set));
    dims_of[variable.name] = variable.dimensions;
  }

  /// Dimensions without labels become datasets that say so; then variables are told of their dimensions.
  void attach() {
    for (std::size_t id = 0; id < dimensions.size(); ++id) {
      const std::string& name = dimensions[id].first;
      if (datasets.count(name) == 0) {
        const auto extent = static_cast<hsize_t>(dimensions[id].second);
        const Handle space(H5Screate_simple(1, &extent, nullptr), H5Sclose);
        Handle set(H5Dcreate2(file, name.c_str(), H5T_IEEE_F32BE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT),
                   H5Dclose);
        check(set, "the dimension '" + name + "'");
        char label[80];
        std::snprintf(label, sizeof label, "This is a netCDF dimension but not a netCDF variable. %9lld",
                      static_cast<long long>(extent));
        check(H5DSset_scale(set, label), "the dimension '" + name + "'");
        datasets.emplace(name, std::move(set));
      }
      Attribute number;
      number.name = "_Netcdf4Dimid";
      number.type.kind = ElementKind::Integer;
      number.type.bytes = 4;
      number.type.name = "int32";
      number.shape.push_back(1);
      number.integers.push_back(static_cast<std::int64_t>(id));
      put(datasets.at(name), number);
    }
    for (const auto& [name, dims] : dims_of) {
      if (dims.size() == 1 && dims[0] == name) continue;
      for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        check(H5DSattach_scale(datasets.at(name), datasets.at(dims[axis]), static_cast<unsigned>(axis)),
              "the dimensions of '" + name + "'");
      }
    }
  }
};

NetcdfWriter::NetcdfWriter(const std::string& path, bool overwrite) : state_(std::make_unique<State>()) {
  state_->path = path;
  if (!overwrite && ::access(path.c_str(), F_OK) == 0) fail(path, "exists already; --overwrite replaces it");
  state_->beside = name_beside(path);
  const std::scoped_lock lock(library());
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Handle create(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
  H5Pset_link_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  H5Pset_attr_creation_order(create, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // Virtual datasets are of 1.10; what else there is has the format of 1.8.
  H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110);
  state_->file = Handle(H5Fcreate(state_->beside.c_str(), H5F_ACC_TRUNC, create, access), H5Fclose);
  if (state_->file < 0) fail(path, "cannot be written: does its folder exist, and may you write there?");
}

NetcdfWriter::~NetcdfWriter() {
  if (state_ == nullptr) return;
  const std::scoped_lock lock(library());
  const std::string beside = state_->beside;
  // The library writes what it holds when it closes a file, and crashes at the end of the process where a full disk
  // does not let it: what is given up makes room first.
  if (!beside.empty() && ::truncate(beside.c_str(), 0) != 0) errno = 0;
  state_.reset();
  if (!beside.empty()) ::unlink(beside.c_str());
}

void NetcdfWriter::attribute(const Attribute& one) {
  const std::scoped_lock lock(library());
  state_->put(state_->file, one);
}

void NetcdfWriter::dimension(const std::string& name, std::int64_t extent) {
  state_->dimensions.emplace_back(name, extent);
}

void NetcdfWriter::variable(const NewVariable& one) {
  const std::scoped_lock lock(library());
  state_->create(one);
}

void NetcdfWriter::variable(const NewVariable& one, const std::vector<VariablePart>& parts) {
  const std::scoped_lock lock(library());
  state_->create(one, &parts);
}

void NetcdfWriter::write(const std::string& variable, const std::vector<std::int64_t>& start,
                         const std::vector<std::int64_t>& extent, const std::byte* data) {
  this_task::has_effect();
  const std::scoped_lock lock(library());
  const auto found = state_->datasets.find(variable);
  if (found == state_->datasets.end()) fail(state_->path, "has no variable '" + variable + "' to write");
  if (std::count(extent.begin(), extent.end(), 0) > 0) return;
  const Handle type(H5Dget_type(found->second), H5Tclose);
  const Handle space(H5Dget_space(found->second), H5Sclose);
  if (extent.empty()) {
    state_->check(H5Dwrite(found->second, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "'" + variable + "'");
    return;
  }
  const std::vector<hsize_t> first(start.begin(), start.end()), count(extent.begin(), extent.end());
  state_->check(H5Sselect_hyperslab(space, H5S_SELECT_SET, first.data(), nullptr, count.data(), nullptr),
                "'" + variable + "'");
  const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose);
  state_->check(H5Dwrite(found->second, type, memory, space, H5P_DEFAULT, data), "'" + variable + "'");
}

void NetcdfWriter::write_packed(const std::string& variable, const std::vector<std::int64_t>& start,
                                const std::vector<std::byte>& packed) {
  this_task::has_effect();
  const std::scoped_lock lock(library());
  const auto found = state_->datasets.find(variable);
  if (found == state_->datasets.end()) fail(state_->path, "has no variable '" + variable + "' to write");
  const std::vector<hsize_t> first(start.begin(), start.end());
  state_->check(H5Dwrite_chunk(found->second, H5P_DEFAULT, 0, first.data(), packed.size(), packed.data()),
                "a chunk of '" + variable + "'");
}

void NetcdfWriter::write_text(const std::string& variable, const std::vector<std::string>& values) {
  const std::scoped_lock lock(library());
  std::vector<const char*> pointers;
  for (const std::string& one : values) pointers.push_back(one.c_str());
  const auto found = state_->datasets.find(variable);
  if (found == state_->datasets.end() || pointers.empty()) return;
  const Handle type(H5Dget_type(found->second), H5Tclose);
  state_->check(H5Dwrite(found->second, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), "'" + variable + "'");
}

void NetcdfWriter::finish(PartsFolder* parts) {
  const std::scoped_lock lock(library());
  state_->attach();
  state_->datasets.clear();
  state_->check(H5Fflush(state_->file, H5F_SCOPE_GLOBAL), "the last bytes");
  state_->file = Handle(-1, H5Fclose);
  if (std::rename(state_->beside.c_str(), state_->path.c_str()) != 0) {
    fail(state_->path, std::string("cannot be given its name: ") + std::strerror(errno));
  }
  state_->beside.clear();
  std::string kept;
  if (parts != nullptr) {
    parts->keep();
    kept = parts->name_of("", 0);
    kept.erase(kept.find('/'));
  }
  remove_parts(state_->path, kept);
}

namespace {

struct PackedCell {
  std::vector<hsize_t> start;
  std::vector<std::byte> bytes;
};

/// All chunks of a box, packed.
std::vector<PackedCell> pack_cells(const std::string& path, const ChunkPacking& packing,
                                   const std::vector<std::int64_t>& extent, const std::byte* data) {
  std::vector<PackedCell> packed;
  const std::vector<std::int64_t> strides = packed_strides(extent, packing.element_bytes);
  const std::vector<std::int64_t> zero(extent.size(), 0);
  std::vector<std::byte> box;
  each_cell(packing.chunk, zero, extent, [&](const std::vector<std::int64_t>& at) {
    const std::byte* from = data;
    std::vector<std::int64_t> part;
    PackedCell one;
    for (std::size_t axis = 0; axis < at.size(); ++axis) {
      const std::int64_t start = at[axis] * packing.chunk[axis];
      one.start.push_back(static_cast<hsize_t>(start));
      part.push_back(std::min(packing.chunk[axis], extent[axis] - start));
      from += start * strides[axis];
    }
    const std::vector<std::int64_t> to = packed_strides(part, packing.element_bytes);
    box.resize(static_cast<std::size_t>(to[0] * part[0]));
    copy_box(box.data(), to.data(), from, strides.data(), part.data(), part.size(), packing.element_bytes);
    one.bytes = pack_chunk(path, packing, part, box.data());
    packed.push_back(std::move(one));
  });
  return packed;
}

}  // namespace

void write_part(const std::string& path, const NewVariable& variable, const std::vector<std::int64_t>& extent,
                const std::byte* data) {
  ChunkPacking packing{variable.chunk, variable.type.bytes, variable.deflate, variable.shuffle};
  // A chunk may not be larger than what it is of.
  for (std::size_t axis = 0; axis < extent.size(); ++axis)
    packing.chunk[axis] = std::min(packing.chunk[axis], extent[axis]);
  const auto check = [&](std::int64_t result) {
    if (result < 0) fail(path, "writing it failed; is the disk full?");
  };
  // All packing is done before the library is asked: it serves one thread at a time.
  const bool plain = variable.deflate == 0;
  std::vector<PackedCell> packed;
  if (!plain) packed = pack_cells(path, packing, extent, data);
  const std::string beside = name_beside(path);
  try {
    const std::scoped_lock lock(library());
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
    const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    const Handle file(H5Fcreate(beside.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose);
    check(file);
    const std::vector<hsize_t> shape(extent.begin(), extent.end()), chunk(packing.chunk.begin(), packing.chunk.end());
    const Handle space(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose);
    const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    if (!plain) {
      check(H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data()));
      if (variable.shuffle) H5Pset_shuffle(create);
      H5Pset_deflate(create, static_cast<unsigned>(variable.deflate));
    }
    const Handle set(
        H5Dcreate2(file, variable.name.c_str(), number_type(variable.type), space, H5P_DEFAULT, create, H5P_DEFAULT),
        H5Dclose);
    check(set);
    for (const PackedCell& one : packed)
      check(H5Dwrite_chunk(set, H5P_DEFAULT, 0, one.start.data(), one.bytes.size(), one.bytes.data()));
    if (plain) check(H5Dwrite(set, number_type(variable.type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data));
    check(H5Fflush(file, H5F_SCOPE_GLOBAL));
  } catch (...) {
    if (::truncate(beside.c_str(), 0) != 0) errno = 0;
    ::unlink(beside.c_str());
    throw;
  }
  if (std::rename(beside.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(beside.c_str());
    fail(path, std::string("cannot be given its name: ") + std::strerror(error));
  }
}

bool can_write_netcdf() { return true; }

#else

struct NetcdfWriter::State {};
NetcdfWriter::NetcdfWriter(const std::string& path, bool) {
  fail(path, "this build of weft lacks the HDF5 library, which writes NetCDF-4: install libhdf5-dev and build again");
}
NetcdfWriter::~NetcdfWriter() = default;
void NetcdfWriter::attribute(const Attribute&) {}
void NetcdfWriter::dimension(const std::string&, std::int64_t) {}
void NetcdfWriter::variable(const NewVariable&) {}
void NetcdfWriter::write(const std::string&, const std::vector<std::int64_t>&, const std::vector<std::int64_t>&,
                         const std::byte*) {}
void NetcdfWriter::write_packed(const std::string&, const std::vector<std::int64_t>&, const std::vector<std::byte>&) {}
void NetcdfWriter::write_text(const std::string&, const std::vector<std::string>&) {}
void NetcdfWriter::variable(const NewVariable&, const std::vector<VariablePart>&) {}
void NetcdfWriter::finish(PartsFolder*) {}
void write_part(const std::string&, const NewVariable&, const std::vector<std::int64_t>&, const std::byte*) {}
bool can_write_netcdf() { return false; }

#endif

}  // namespace weft::io
