// `weft convert`: files as NetCDF-4, Zarr or TIFF, joined, chosen, changed and cut as asked.
#include "mpi_launch/command/data/convert.hpp"

#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/output.hpp"
#include "mpi_launch/command/data/picture.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include "arrays/files/stored_arrays.hpp"
#include "arrays/labelled/attributes.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/arrays.hpp>
#include <weft/file_groups.hpp>
#include <weft/remote.hpp>
#include <weft/zarr_writer.hpp>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <optional>
#include <set>

namespace weft::command::data {
namespace {

/// A variable as it will be written.
struct Copy {
  LabelledArray source;
  arrays::Array array;
  std::vector<std::int64_t> chunk;
  Encoding encoding;
  std::vector<io::Attribute> attributes;
};

/// Encodes a chunk and writes it where it belongs; run by the worker that has it.
struct WriteEncoded {
  std::int64_t operator()(const std::string& folder, const io::ZarrLayout& layout, const Encoding& encoding,
                          TypeCode code, const ChunkRegion& region, const Buffer& values) const {
    const NDArray array = NDArray::view(values.data(), Dtype(code), Shape(region.extent),
                                        c_strides(Shape(region.extent), Dtype(code).size()), nullptr);
    const std::vector<std::byte> bytes = encode_values(array, encoding);
    std::vector<std::int64_t> place(region.start.size());
    for (std::size_t axis = 0; axis < place.size(); ++axis) place[axis] = region.start[axis] / layout.chunk[axis];
    io::write_zarr_object(folder, layout, place, region.extent, bytes.data());
    return static_cast<std::int64_t>(bytes.size());
  }
};

/// Encodes and packs a chunk of NetCDF-4; run by the worker that has it.
struct PackEncoded {
  std::vector<std::byte> operator()(const std::string& path, const io::ChunkPacking& packing, const Encoding& encoding,
                                    TypeCode code, const std::vector<std::int64_t>& extent,
                                    const Buffer& values) const {
    const NDArray array =
        NDArray::view(values.data(), Dtype(code), Shape(extent), c_strides(Shape(extent), Dtype(code).size()), nullptr);
    const std::vector<std::byte> bytes = encode_values(array, encoding);
    return io::pack_chunk(path, packing, extent, bytes.data());
  }
};

/// Encodes a part of a variable and writes it as a file of its own; run by the worker that has it.
struct WritePart {
  std::int64_t operator()(const std::string& path, const std::string& name, const io::ChunkPacking& packing,
                          const Encoding& encoding, TypeCode code, const std::vector<std::int64_t>& extent,
                          const Buffer& values) const {
    const NDArray array =
        NDArray::view(values.data(), Dtype(code), Shape(extent), c_strides(Shape(extent), Dtype(code).size()), nullptr);
    const std::vector<std::byte> bytes = encode_values(array, encoding);
    io::NewVariable variable;
    variable.name = name;
    variable.type = encoding.type;
    variable.chunk = packing.chunk;
    variable.deflate = packing.deflate;
    io::write_part(path, variable, extent, bytes.data());
    return static_cast<std::int64_t>(bytes.size());
  }
};

/// Encodes and packs tiles of TIFF; run by the worker that has them.
struct PackEncodedTiles {
  std::vector<io::TiffTile> operator()(const std::string& path, const io::TiffLayout& layout, const Encoding& encoding,
                                       TypeCode code, const ChunkRegion& region, const Buffer& values) const {
    const NDArray array = NDArray::view(values.data(), Dtype(code), Shape(region.extent),
                                        c_strides(Shape(region.extent), Dtype(code).size()), nullptr);
    const std::vector<std::byte> bytes = encode_values(array, encoding);
    return arrays::files::tiles_of(path, layout, region, bytes.data());
  }
};

/// As Zarr's readers expect them: one number is no list; version 2 tells the fill value elsewhere, and the names of the
/// dimensions here, even where there are none.
std::vector<io::Attribute> zarr_attributes(std::vector<io::Attribute> attributes, int version, bool scalar) {
  for (io::Attribute& one : attributes) {
    if (one.texts.size() + one.numbers().size() == 1) one.shape.clear();
  }
  if (version != 2) return attributes;
  std::erase_if(attributes, [](const io::Attribute& one) { return one.name == "_FillValue"; });
  if (scalar) attributes.emplace_back().name = "_ARRAY_DIMENSIONS";
  return attributes;
}

bool describes_packing(const std::string& name) {
  static const std::set<std::string> kNames = {"scale_factor", "add_offset",  "missing_value", "valid_min",
                                               "valid_max",    "valid_range", "actual_range",  "_Unsigned"};
  return kNames.count(name) != 0;
}

/// The whole of a `weft convert`, and of verbs that change data and write them.
/// Owns: the lazy data.  Threading: one thread.
class ConvertJob {
 public:
  ConvertJob(const Given& given, std::string verb, Change change)
      : given_(given), verb_(std::move(verb)), change_(std::move(change)), out_(given.words().back()) {
    while (out_.size() > 1 && out_.back() == '/') out_.pop_back();
    zarr_ = io::shown_path(out_).ends_with(".zarr");
    tiff_ = out_.ends_with(".tif") || out_.ends_with(".tiff");
    if (io::is_remote(out_) && !zarr_) throw Error("'" + io::shown_path(out_) + "': only .zarr is written to a store");
    if (!given.has("overwrite") && !given.dry_run() && is_there(out_)) {
      throw Error("'" + io::shown_path(out_) + "' exists already; --overwrite replaces it");
    }
    for (const std::string& words : given.list("chunks")) {
      const std::size_t equals = words.find('=');
      const double size = equals == std::string::npos ? 0 : std::atof(words.c_str() + equals + 1);
      if (!(size >= 1 && size < 1e15))
        throw UsageError(verb_ + ": --chunks takes DIMENSION=SIZE, as in time=365,lat=64");
      chunks_[words.substr(0, equals)] = static_cast<std::int64_t>(size);
    }
    parts_ = given.has("parts");
    if (parts_ && (zarr_ || tiff_)) throw UsageError(verb_ + ": --parts is of NetCDF-4; a store's chunks are files");
    version_ = given.number("zarr-version", 3) == 2 ? 2 : 3;
    deflate_ = static_cast<int>(given.number("deflate", 4));
    if (deflate_ < 0 || deflate_ > 9) throw UsageError(verb_ + ": --deflate takes a level from 0 to 9");
    if (parts_ && (deflate_ == 0 || !io::can_pack_chunks()))
      throw UsageError(verb_ +
                       ": --parts writes packed chunks: it needs a --deflate above 0, and a build with libdeflate");
  }

  int run(const Client& client) {
    const auto begin = std::chrono::steady_clock::now();
    open(client);
    if (given_.dry_run()) return tell_plan(client);
    zarr_ ? write_zarr(client) : tiff_ ? write_tiff(client) : write_netcdf(client);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (given_.json()) {
      print("{\"output\":" + json_text(io::shown_path(out_)) + ",\"decoded_bytes\":" + std::to_string(bytes()) +
            ",\"seconds\":" + json_number(seconds) + "}\n");
    } else if (!given_.quiet()) {
      std::fprintf(stderr, "%s: %s decoded, %.2f s; wrote %s\n", verb_.c_str(), bytes_text(bytes()).c_str(), seconds,
                   io::shown_path(out_).c_str());
    }
    return 0;
  }

 private:
  void open(const Client& client) {
    paths_ = input_files({given_.words().begin(), given_.words().end() - 1});
    for (const std::string& path : paths_) {
      if (path == out_) throw Error("'" + io::shown_path(out_) + "' is among the files that are read");
    }
    OpenManyOptions options;
    options.duplicates = given_.text("duplicates");
    options.dim = paths_.size() > 1 ? given_.text("join") : "";
    options.index = given_.text("index");
    data_ = open_group(paths_, wanted_.group, options);
    first_ = io::open_shared(paths_[0]);
    for (const std::string& words : given_.all("sel")) data_ = select_labels(data_, words);
    for (const std::string& words : given_.all("isel")) data_ = select_places(data_, words);
    if (given_.has("where")) {
      std::vector<std::string> dims;
      for (const auto& [dim, extent] : data_.dims()) dims.push_back(dim);
      data_ = keep_where(data_, given_.text("where"), dims);
    }
    for (const std::string& words : given_.all("expr")) {
      std::pair<Dataset, std::string> made = with_expression(data_, words);
      data_ = std::move(made.first);
      fresh_.insert(made.second);
    }
    if (change_) {
      Changed changed = change_(client, data_);
      data_ = std::move(changed.data);
      fresh_.insert(changed.names.begin(), changed.names.end());
      kept_bytes_ = changed.kept_bytes;
    }
    for (const auto& [dim, size] : chunks_) require_dimension(data_, dim);
    const std::vector<std::string>& chosen = wanted_.names;
    for (const std::string& name : chosen) require_variable(data_, name);
    std::set<std::string> wanted(chosen.begin(), chosen.end());
    for (const std::string& name : chosen) {
      for (const char* const what : {"grid_mapping", "bounds"}) {
        if (const io::Attribute* const found = io::find_attribute(data_[name].attributes(), what))
          wanted.insert(found->text());
      }
      for (const auto& [dim, labels] : data_[name].coordinates()) {
        if (const io::Attribute* const found = io::find_attribute(labels.attributes(), "bounds"))
          wanted.insert(found->text());
      }
    }
    for (const LabelledArray& one : data_.variables()) {
      if (one.data().dtype().is_complex() || (!wanted.empty() && wanted.count(one.name()) == 0)) continue;
      copies_.push_back(copy_of(one));
      for (const std::string& dim : one.dims()) extents_[dim] = one.extent(dim);
    }
    for (const auto& [dim, labels] : data_.coordinates()) {
      if (extents_.count(dim) != 0) labels_.emplace(dim, labels);
    }
  }

  const io::Variable* stored(const std::string& name) const {
    return fresh_.count(name) == 0 ? wanted_.find(*first_, name) : nullptr;
  }

  Copy copy_of(const LabelledArray& one) const {
    const io::Variable* like = stored(one.name());
    // What is missing needs something that stands for it.
    if (given_.has("where") && like != nullptr && !encoding_like(*like).fill) like = nullptr;
    Copy copy{
        one, one.data(), {}, like != nullptr ? encoding_like(*like) : plain_encoding(one.data().dtype(), nullptr), {}};
    if (like != nullptr && io::find_attribute(like->attributes, "_FillValue") == nullptr && !copy.encoding.packed)
      copy.encoding.fill.reset();
    if (zarr_ && copy.encoding.type.kind == io::ElementKind::Float && !copy.encoding.packed) {
      copy.encoding.fill = std::numeric_limits<double>::quiet_NaN();  // what Zarr's readers expect of floats
    }
    if (like == nullptr && is_bounds(one.name())) copy.encoding.fill.reset();  // CF: cells always end somewhere
    for (const io::Attribute& attribute : one.attributes()) {
      const bool fill = attribute.name == "_FillValue" && (!zarr_ || copy.encoding.type.kind == io::ElementKind::Float);
      const bool missing = attribute.name == "missing_value" && !copy.encoding.packed;
      const bool packing = like == nullptr && describes_packing(attribute.name);
      if (!fill && !missing && !packing && attribute.name != "_ChunkSizes") copy.attributes.push_back(attribute);
    }
    // As it is stored, unless it is told; small stored chunks make large numbers of files.
    std::vector<AxisChunks> cut;
    for (std::size_t axis = 0; axis < one.dims().size(); ++axis) {
      const std::int64_t extent = one.extent(one.dims()[axis]);
      const auto told = chunks_.find(one.dims()[axis]);
      const std::vector<std::int64_t> sizes = one.data().chunks()[axis];
      std::int64_t size = sizes.empty() ? extent : *std::max_element(sizes.begin(), sizes.end());
      if (told != chunks_.end()) size = told->second;
      copy.chunk.push_back(std::clamp<std::int64_t>(size, 1, std::max<std::int64_t>(1, extent)));
      cut.emplace_back(copy.chunk.back());
    }
    if (!cut.empty()) copy.array = arrays::rechunk(one.data(), Chunks(cut));
    return copy;
  }

  std::uint64_t bytes() const {
    std::uint64_t out = 0;
    for (const Copy& copy : copies_) out += static_cast<std::uint64_t>(copy.array.nbytes());
    return out;
  }

  static bool is_cut_alike(const Copy& copy) {
    const auto chunks = copy.source.data().chunks();
    for (std::size_t axis = 0; axis < copy.chunk.size() && axis < chunks.size(); ++axis) {
      if (!chunks[axis].empty() && chunks[axis].front() != copy.chunk[axis]) return false;
    }
    return true;
  }

  int tell_plan(const Client& client) const {
    std::uint64_t memory = 0, slots = 0;
    for (const WorkerInfo& worker : client.info().workers) {
      memory += worker.memory_bytes;
      slots += worker.slots;
    }
    DryRun plan;
    plan.files = paths_.size();
    for (const Copy& copy : copies_) {
      for (const std::string& path : paths_) {
        const auto file = io::open_shared(path);
        const io::Variable* const found = wanted_.find(*file, copy.source.name());
        if (found == nullptr) continue;
        const std::size_t number = file->find(found->path);
        plan.stored_bytes += file->stored_bytes(number);
        plan.decoded_bytes +=
            static_cast<std::uint64_t>(file->variables()[number].elements()) * file->variables()[number].type.bytes;
      }
      std::uint64_t chunk = copy.encoding.type.bytes, whole = chunk;
      plan.lines += "  " + copy.encoding.type.name + " " + copy.source.name() + ", chunks";
      for (std::size_t axis = 0; axis < copy.chunk.size(); ++axis) {
        chunk *= static_cast<std::uint64_t>(copy.chunk[axis]);
        whole *= static_cast<std::uint64_t>(copy.array.shape()[axis]);
        plan.lines += " " + std::to_string(copy.chunk[axis]);
      }
      plan.lines += "\n";
      plan.output_bytes += whole;
      // Of the chunks that wait for the one that is written: values, what they are packed into, and where they are cut
      // otherwise what they are cut from. Files of a store wait for none.
      const std::uint64_t copies = is_cut_alike(copy) ? 2 : 3;
      std::uint64_t part = copy.encoding.type.bytes;
      for (const std::int64_t extent : part_extents(copy, slots)) part *= static_cast<std::uint64_t>(extent);
      const std::uint64_t waiting = std::min(
          whole, part > copy.encoding.type.bytes ? 2 * slots * part : (zarr_ ? 2 * slots : kPackedAhead) * chunk);
      plan.peak_bytes = std::max(plan.peak_bytes, copies * waiting);
    }
    plan.peak_bytes += kept_bytes_;
    if (memory != 0) plan.peak_bytes = std::min(plan.peak_bytes, memory);
    return tell(given_, plan);
  }

  bool is_bounds(const std::string& name) const {
    const auto& labels = data_.coordinates();
    return std::any_of(labels.begin(), labels.end(), [&](const auto& one) {
      const io::Attribute* const bounds = io::find_attribute(one.second.attributes(), "bounds");
      return bounds != nullptr && bounds->text() == name;
    });
  }

  bool keeps_bounds(const Coordinate& labels) const {
    const io::Attribute* const bounds = io::find_attribute(labels.attributes(), "bounds");
    return bounds != nullptr && std::any_of(copies_.begin(), copies_.end(),
                                            [&](const Copy& copy) { return copy.source.name() == bounds->text(); });
  }

  io::NewVariable described(const Copy& copy) const {
    io::NewVariable variable;
    variable.name = copy.source.name();
    variable.type = copy.encoding.type;
    variable.dimensions = copy.source.dims();
    variable.fill = copy.encoding.fill;
    variable.deflate = deflate_;
    variable.chunk = copy.chunk;
    variable.attributes = copy.attributes;
    return variable;
  }

  /// What one file of its own holds of a variable: whole chunks, some MiB of them, and so many files that
  /// all slots end at about the same time.
  /// Empty where there is too little.
  std::vector<std::int64_t> part_extents(const Copy& copy, std::uint64_t slots) const {
    if (!parts_ || copy.chunk.empty() || copy.array.size() == 0) return {};
    const std::int64_t whole = copy.array.nbytes();
    const std::int64_t wanted = std::clamp<std::int64_t>(
        whole / (12 * std::max<std::int64_t>(1, static_cast<std::int64_t>(slots))), 2 << 20, 32 << 20);
    std::vector<std::int64_t> extents = copy.chunk;
    std::int64_t bytes = static_cast<std::int64_t>(copy.array.itemsize());
    for (const std::int64_t extent : extents) bytes *= extent;
    for (std::size_t axis = extents.size(); axis-- > 0 && bytes < wanted;) {
      const std::int64_t shape = copy.array.shape()[axis];
      const std::int64_t take = std::min(wanted / bytes, (shape + extents[axis] - 1) / extents[axis]);
      bytes *= std::max<std::int64_t>(1, take);
      extents[axis] *= std::max<std::int64_t>(1, take);
    }
    if (extents == copy.array.shape().vector() || bytes >= whole) return {};
    return extents;
  }

  /// Workers write parts of the variable, each a file beside the one that is asked for.
  void write_parts(const Client& client, io::NetcdfWriter& writer, const io::PartsFolder& folder, const Copy& copy,
                   const std::vector<std::int64_t>& extents) const {
    const io::ChunkPacking packing{copy.chunk, copy.encoding.type.bytes, deflate_, true};
    const auto write = delayed(WritePart{});
    std::vector<Delayed<std::int64_t>> tasks;
    std::vector<io::VariablePart> parts;
    std::vector<AxisChunks> cut;
    for (const std::int64_t extent : extents) cut.emplace_back(extent);
    for (const auto& [region, chunk] :
         arrays::detail::chunks_with_regions(arrays::rechunk(copy.source.data(), Chunks(cut)))) {
      const std::string& name = copy.source.name();
      tasks.push_back(write(folder.path_of(name, parts.size()), name, packing, copy.encoding, copy.array.dtype().code(),
                            region.extent, chunk));
      parts.push_back({folder.name_of(name, parts.size()), region.start, region.extent});
    }
    arrays::detail::wait_for(client, tasks);
    writer.variable(described(copy), parts);
  }

  void write_netcdf(const Client& client) {
    io::NetcdfWriter writer(out_, given_.has("overwrite"));
    for (const io::Attribute& one : with_history(data_.attributes(), given_.line())) writer.attribute(one);
    for (const auto& [dim, extent] : extents_) writer.dimension(dim, extent);
    for (const auto& [dim, labels] : labels_) declare_labels(writer, labels, stored(dim), keeps_bounds(labels));
    std::uint64_t slots = 0;
    for (const WorkerInfo& worker : client.info().workers) slots += worker.slots;
    std::optional<io::PartsFolder> folder;
    std::set<const Copy*> in_parts;
    for (const Copy& copy : copies_) {
      const std::vector<std::int64_t> extents = part_extents(copy, slots);
      if (extents.empty()) {
        writer.variable(described(copy));
        continue;
      }
      if (!folder) folder.emplace(out_);
      write_parts(client, writer, *folder, copy, extents);
      in_parts.insert(&copy);
    }
    for (const auto& [dim, labels] : labels_) write_labels(writer, labels, stored(dim));
    for (const Copy& copy : copies_) {
      if (in_parts.count(&copy) != 0) continue;
      const bool packed = deflate_ > 0 && copy.array.size() > 0 && !copy.chunk.empty() && io::can_pack_chunks();
      packed ? write_packed(client, writer, copy) : write_chunks(client, writer, copy);
    }
    writer.finish(folder ? &*folder : nullptr);
  }

  /// The workers pack chunks, some ahead of the one that is written; this process only puts them in their places.
  void write_packed(const Client& client, io::NetcdfWriter& writer, const Copy& copy) const {
    const io::ChunkPacking packing{copy.chunk, copy.encoding.type.bytes, deflate_, true};
    const auto pack = delayed(PackEncoded{});
    arrays::files::in_turn(
        copy.array, kPackedAhead,
        [&](const ChunkRegion& region, const Delayed<Buffer>& chunk) {
          return client.persist(pack(out_, packing, copy.encoding, copy.array.dtype().code(), region.extent, chunk));
        },
        [&](const ChunkRegion& region, const std::vector<std::byte>& packed) {
          writer.write_packed(copy.source.name(), region.start, packed);
        });
  }

  /// Some chunks are computed ahead of the one that is written.
  void write_chunks(const Client& client, io::NetcdfWriter& writer, const Copy& copy) const {
    constexpr std::size_t kAhead = 16;
    arrays::files::in_turn(
        copy.array, kAhead, [&](const ChunkRegion&, const Delayed<Buffer>& chunk) { return client.persist(chunk); },
        [&](const ChunkRegion& region, const Buffer& values) {
          const NDArray array = NDArray::view(values.data(), copy.array.dtype(), Shape(region.extent),
                                              c_strides(Shape(region.extent), copy.array.itemsize()), nullptr);
          const std::vector<std::byte> encoded = encode_values(array, copy.encoding);
          writer.write(copy.source.name(), region.start, region.extent, encoded.data());
        });
  }

  void write_tiff(const Client& client) const {
    // What has no rows, a grid mapping say, is no picture.
    std::vector<const Copy*> pictures;
    std::string names;
    for (const Copy& copy : copies_) {
      if (copy.source.dims().size() < 2 || is_bounds(copy.source.name())) continue;
      pictures.push_back(&copy);
      names += (names.empty() ? "" : ", ") + copy.source.name();
    }
    if (pictures.size() != 1) {
      throw Error(
          "'" + out_ + "': a TIFF file holds one variable" +
          (names.empty() ? ", and none of these has rows and columns" : ": choose it by --var (" + names + ")"));
    }
    const Copy& copy = *pictures[0];
    const Picture picture = picture_of(out_, copy.source, copy.array, labels_);
    io::TiffLayout layout = arrays::files::tiff_layout(picture.array.shape(), picture.with_bands);
    layout.type = copy.encoding.type.name;
    layout.codec = given_.text("codec", deflate_ == 0 ? "none" : "deflate");
    if (layout.codec == "deflate") layout.level = deflate_;
    const std::vector<io::Attribute> attributes =
        picture_attributes(copy.attributes, copy.encoding, data_.attributes(), picture);
    io::TiffWriter writer(out_, layout, attributes, given_.has("overwrite"));
    const auto pack = delayed(PackEncodedTiles{});
    arrays::files::in_turn(
        arrays::files::cut_for_tiff(picture.array, layout), kPackedAhead,
        [&](const ChunkRegion& region, const Delayed<Buffer>& chunk) {
          return client.persist(pack(out_, layout, copy.encoding, picture.array.dtype().code(), region, chunk));
        },
        [&](const ChunkRegion&, const std::vector<io::TiffTile>& tiles) {
          for (const io::TiffTile& tile : tiles) writer.write(tile);
        });
    writer.finish();
  }

  io::ZarrLayout layout_of(const io::ElementType& type, std::vector<std::int64_t> shape,
                           std::vector<std::int64_t> chunk) const {
    io::ZarrLayout layout;
    layout.version = version_;
    layout.type = type.name;
    layout.shape = std::move(shape);
    layout.chunk = std::move(chunk);
    layout.codec = given_.text("codec", "zstd");
    return layout;
  }

  static bool is_there(const std::string& path) {
    if (!io::is_remote(path)) return ::access(path.c_str(), F_OK) == 0;
    try {
      return io::open_stored(path) != nullptr;
    } catch (const io::FileError&) {
      return false;
    }
  }

  void write_zarr(const Client& client) {
    // What is on a server has no name that could be changed; its description comes last.
    if (io::is_remote(out_)) return write_store(client, out_);
    arrays::files::in_place_of(out_, [&](const std::string& part) { write_store(client, part); });
  }

  void write_store(const Client& client, const std::string& part) {
    std::vector<std::string> names;
    for (const auto& [dim, labels] : labels_) {
      if (!labels.texts().empty()) throw Error("'" + dim + "' has labels of text, which weft writes to NetCDF-4 only");
      const NDArray values = NDArray::of(labels.numbers());
      const Encoding encoding = plain_encoding(float64, nullptr);
      const std::vector<std::int64_t> extent = {std::max<std::int64_t>(1, std::ssize(labels.numbers()))};
      const io::ZarrLayout layout = layout_of(encoding.type, {std::ssize(labels.numbers())}, extent);
      const std::string folder = io::path_below(part, dim);
      io::check_zarr(folder, layout);
      if (values.size() > 0) io::write_zarr_object(folder, layout, {0}, extent, values.data());
      std::vector<io::Attribute> attributes;
      for (const io::Attribute& one : labels.attributes()) {
        if (one.name != "_FillValue" && (one.name != "bounds" || keeps_bounds(labels))) attributes.push_back(one);
      }
      io::write_zarr_description(folder, layout, {dim}, zarr_attributes(attributes, version_, false), {});
      names.push_back(dim);
    }
    for (const Copy& copy : copies_) {
      write_zarr_array(client, io::path_below(part, copy.source.name()), copy);
      names.push_back(copy.source.name());
    }
    io::write_zarr_group(part, version_, with_history(data_.attributes(), given_.line()), names);
  }

  /// Each chunk is a file, which one task writes. Some hundred tasks are waited for at a time.
  void write_zarr_array(const Client& client, const std::string& folder, const Copy& copy) const {
    const io::ZarrLayout layout = layout_of(copy.encoding.type, copy.array.shape().vector(), copy.chunk);
    io::check_zarr(folder, layout);
    const auto write = delayed(WriteEncoded{});
    std::vector<Delayed<std::int64_t>> tasks;
    for (const auto& [region, chunk] : arrays::detail::chunks_with_regions(copy.array)) {
      tasks.push_back(write(folder, layout, copy.encoding, copy.array.dtype().code(), region, chunk));
    }
    arrays::detail::wait_for(client, tasks);
    io::write_zarr_description(folder, layout, copy.source.dims(),
                               zarr_attributes(copy.attributes, version_, copy.source.dims().empty()),
                               copy.encoding.fill ? std::vector<double>{*copy.encoding.fill} : std::vector<double>{});
  }

  const Given& given_;
  const std::string verb_;
  const Change change_;
  std::string out_;
  /// Packed chunks that may wait for the one that is written.
  static constexpr std::size_t kPackedAhead = 64;
  bool zarr_ = false;
  bool tiff_ = false;
  bool parts_ = false;
  int version_ = 3;
  int deflate_ = 4;
  std::map<std::string, std::int64_t> chunks_;
  std::vector<std::string> paths_;
  Dataset data_;
  std::shared_ptr<const io::StoredFile> first_;
  const ChosenVariables wanted_{verb_, given_.list("var")};
  /// Of arrays that the verb keeps in memory until all is written.
  std::uint64_t kept_bytes_ = 0;
  /// Variables that are not as any file has them.
  std::set<std::string> fresh_;
  std::vector<Copy> copies_;
  std::map<std::string, std::int64_t> extents_;
  std::map<std::string, Coordinate> labels_;
};

}  // namespace

int convert_files(const Given& given, const std::string& verb, const Change& change) {
  ConvertJob job(given, verb, change);
  return run_with_client(given, [&](Client& client) { return job.run(client); });
}

int run_convert(const Given& given) { return convert_files(given, "weft convert", {}); }

}  // namespace weft::command::data
