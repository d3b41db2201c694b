// `weft reduce`: reductions of files along dimensions that have names.
#include "mpi_launch/command/data/dry_run.hpp"
#include "mpi_launch/command/data/inputs.hpp"
#include "mpi_launch/command/data/output.hpp"
#include "mpi_launch/command/data/reduction.hpp"
#include "mpi_launch/command/data/selection.hpp"
#include "mpi_launch/command/data/verbs.hpp"

#include "arrays/labelled/attributes.hpp"
#include "core/config/values.hpp"
#include "core/memory/bytes_text.hpp"

#include <weft/array_plan.hpp>
#include <weft/arrays.hpp>
#include <weft/file_groups.hpp>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <limits>
#include <numeric>
#include <set>

namespace weft::command::data {
namespace {

std::vector<std::int64_t> extents_of(const Shape& shape) { return {shape.begin(), shape.end()}; }

/// A variable of the output.
struct Result {
  std::string name;
  std::vector<std::string> dims;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> chunk;
  std::vector<io::Attribute> attributes;
  Encoding encoding;
};

/// What is made of one variable of the input, as one piece of work.
struct Work {
  LabelledArray source;
  bool reduced = false;
  /// One for each operation, or the variable itself.
  std::vector<Result> results;
};

/// The whole of a `weft reduce`.
/// Owns: the lazy data and what is known of the output.  Threading: one thread.
class ReduceJob {
 public:
  explicit ReduceJob(const Given& given) : given_(given), operations_(operations_in(given.words()[0])) {
    how_.operations = operations_;
    how_.dims = given.list("dim");
    if (given.has("by") && given.has("every")) throw UsageError("weft reduce: --by and --every exclude each other");
    if (how_.dims.empty() && given.has("by")) how_.dims = {given.text("by").substr(0, given.text("by").find('.'))};
    if (how_.dims.empty()) throw UsageError("weft reduce: --dim names the dimensions to reduce, as in --dim time");
    how_.skipna = !given.has("no-skipna");
    how_.keepdims = given.has("keepdims");
    how_.ddof = given.number("ddof", 0);
    how_.min_count = given.number("min-count", 0);
    out_ = given.words().back();
    if (!given.has("overwrite") && !given.dry_run() && ::access(out_.c_str(), F_OK) == 0) {
      throw Error("'" + out_ + "' exists already; --overwrite replaces it");
    }
  }

  int run(const Client& client) {
    const auto begin = std::chrono::steady_clock::now();
    // Quantiles hold what is read, all values of each place side by side, and what is sorted; groups the states of
    // several pieces.
    parts_budget_ = std::max<std::uint64_t>(client.memory().budget_bytes / 6, 1u << 20);
    open();
    prepare();
    if (given_.dry_run()) return tell_plan();
    budget_ = std::clamp<std::uint64_t>(client.memory().budget_bytes / 8, 16u << 20, 512u << 20);
    io::NetcdfWriter writer(out_, given_.has("overwrite"));
    declare(writer);
    write(client, writer);
    writer.finish();
    tell_result(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return 0;
  }

 private:
  void open() {
    paths_ = input_files({given_.words().begin() + 1, given_.words().end() - 1});
    for (const std::string& path : paths_) {
      std::error_code ignored;
      if (path == out_) throw Error("'" + out_ + "' is among the files that are read");
    }
    OpenManyOptions options;
    options.duplicates = given_.text("duplicates");
    options.index = given_.text("index");
    if (paths_.size() > 1 && given_.has("join")) options.dim = given_.text("join");
    data_ = open_group(paths_, wanted_.group, options);
    first_ = io::open_shared(paths_[0]);
    for (const std::string& words : given_.all("sel")) data_ = select_labels(data_, words);
    for (const std::string& words : given_.all("isel")) data_ = select_places(data_, words);
    if (given_.has("where")) data_ = keep_where(data_, given_.text("where"), how_.dims);
    for (const std::string& words : given_.all("expr")) {
      std::pair<Dataset, std::string> made = with_expression(data_, words);
      data_ = std::move(made.first);
      fresh_.insert(made.second);
    }
    for (const std::string& dim : how_.dims) require_dimension(data_, dim);
    if (given_.has("weights")) how_.weights = weights_named(data_, given_.text("weights"), how_.dims);
    if (given_.has("by")) how_.grouping = group_by(data_, given_.text("by"));
    if (given_.has("every")) how_.grouping = group_every(data_, time_dim(), given_.text("every"));
    if (how_.grouping && std::find(how_.dims.begin(), how_.dims.end(), how_.grouping->dim) == how_.dims.end()) {
      throw UsageError("weft reduce: groups lie along '" + how_.grouping->dim + "', which --dim does not name");
    }
    for (const Operation& operation : operations_) {
      if (!operation.kind && how_.weights) throw UsageError("weft reduce: " + operation.name + " knows no weights");
      if (!operation.kind && how_.min_count > 0)
        throw UsageError("weft reduce: " + operation.name + " knows no --min-count");
    }
  }

  std::string time_dim() const {
    for (const std::string& dim : how_.dims) {
      const auto found = data_.coordinates().find(dim);
      if (found != data_.coordinates().end() && found->second.is_time()) return dim;
    }
    throw Error("--every groups times, and none of the dimensions of --dim holds times");
  }

  const io::Variable* stored(const std::string& name) const {
    return fresh_.count(name) == 0 ? wanted_.find(*first_, name) : nullptr;
  }

  void prepare() {
    const std::vector<std::string>& chosen = wanted_.names;
    for (const std::string& name : chosen) require_variable(data_, name);
    const std::set<std::string> describing = describing_variables(data_);
    bool any = false;
    for (const LabelledArray& one : data_.variables()) {
      const bool named = std::find(chosen.begin(), chosen.end(), one.name()) != chosen.end();
      const bool has = !shared_dims(one, how_.dims).empty();
      const bool number = !one.data().dtype().is_complex() && !one.data().dtype().is_time();
      if (!has && (chosen.empty() || named || describing.count(one.name()) != 0)) {
        works_.push_back(passed(one));
      } else if (has && number && (named || (chosen.empty() && describing.count(one.name()) == 0))) {
        works_.push_back(reduced(one));
        any = true;
      } else if (has && named) {
        throw Error("'" + one.name() + "' is " + one.data().dtype().name() + ", which cannot be reduced");
      }
    }
    if (!any) throw Error("no variable of numbers has any of the dimensions of --dim");
    // Bounds of what vanishes are left out, and so is their mention.
    for (const Work& work : works_) {
      for (const Result& result : work.results) names_.insert(result.name);
    }
    find_dimensions();
  }

  Work passed(const LabelledArray& one) const {
    Work work{one, false, {}};
    const io::Variable* const like = stored(one.name());
    Result result{one.name(),
                  one.dims(),
                  extents_of(one.data().shape()),
                  {},
                  one.attributes(),
                  like != nullptr ? encoding_like(*like) : plain_encoding(one.data().dtype(), nullptr)};
    if (like != nullptr && io::find_attribute(like->attributes, "_FillValue") == nullptr) result.encoding.fill.reset();
    work.results.push_back(std::move(result));
    return work;
  }

  Work reduced(const LabelledArray& one) const {
    Work work{one, true, {}};
    const bool grouped = how_.grouping && one.has(how_.grouping->dim);
    const std::int32_t groups = grouped ? how_.grouping->size() : 1;
    // Shapes and types are known from the expressions.
    const std::vector<arrays::Array> arrays = reduce_variable(one, how_, 0, groups);
    std::string cells;
    for (const std::string& dim : shared_dims(one, how_.dims)) cells += (cells.empty() ? "" : ": ") + dim;
    const io::Variable* const like = stored(one.name());
    for (std::size_t i = 0; i < operations_.size(); ++i) {
      const Operation& operation = operations_[i];
      Result result;
      result.name = one.name() + (operations_.size() > 1 ? "_" + operation.suffix : "");
      result.dims = reduced_dims(one, how_);
      result.shape = extents_of(arrays[i].shape());
      if (too_large(one)) result.chunk = part_extents(one, result);
      const bool packed = operation.keeps_type() && like != nullptr && encoding_like(*like).packed &&
                          (encoding_like(*like).fill || !how_.skipna);
      result.attributes = labelled::reduced_attributes(one.attributes(), operation.name, cells, packed);
      result.encoding = packed ? encoding_like(*like) : plain_encoding(arrays[i].dtype(), like);
      if (operation.name == "count")
        std::erase_if(result.attributes, [](const io::Attribute& a) { return a.name == "standard_name"; });
      work.results.push_back(std::move(result));
    }
    return work;
  }

  /// What computing a variable holds at once, beside the chunks that are being read: all values where quantiles are
  /// asked for, the states of all groups where they are not gone through one after the other.
  bool too_large(const LabelledArray& source) const {
    const auto bytes = static_cast<std::uint64_t>(source.data().nbytes());
    if (std::any_of(operations_.begin(), operations_.end(), [](const Operation& one) { return !one.kind; })) {
      return bytes > parts_budget_;
    }
    const bool grouped = how_.grouping && source.has(how_.grouping->dim);
    if (!grouped || how_.grouping->in_order) return false;
    std::uint64_t states =
        static_cast<std::uint64_t>(how_.grouping->size()) * (operations_.size() + 1) * sizeof(double);
    for (const std::string& dim : source.dims()) {
      const bool stays = std::find(how_.dims.begin(), how_.dims.end(), dim) == how_.dims.end();
      if (stays) states *= static_cast<std::uint64_t>(source.extent(dim));
    }
    // Those of several pieces, and of what they are merged to.
    return states > parts_budget_ / 4;
  }

  /// The chunks of a result that is computed in parts: those of the data, along dimensions that stay.
  static std::vector<std::int64_t> part_extents(const LabelledArray& source, const Result& result) {
    std::vector<std::int64_t> extents = result.shape;
    for (std::size_t i = 0; i < result.dims.size(); ++i) {
      if (!source.has(result.dims[i]) || source.extent(result.dims[i]) != result.shape[i]) continue;
      extents[i] = std::min(extents[i], source.data().chunks()[source.axis(result.dims[i])][0]);
    }
    return extents;
  }

  void find_dimensions() {
    for (const Work& work : works_) {
      for (const Result& result : work.results) {
        for (std::size_t i = 0; i < result.dims.size(); ++i) extents_.emplace(result.dims[i], result.shape[i]);
      }
    }
    for (const auto& [dim, extent] : extents_) {
      const auto found = data_.coordinates().find(dim);
      const bool grouped = how_.grouping && how_.grouping->labels.name() == dim;
      const bool reduced = std::find(how_.dims.begin(), how_.dims.end(), dim) != how_.dims.end();
      if (grouped) {
        labels_.emplace(dim, how_.grouping->labels);
        if (!how_.grouping->bounds.empty()) bounds_[dim] = how_.grouping->bounds;
      } else if (reduced && found != data_.coordinates().end()) {
        keep_one(dim, found->second);
      } else if (found != data_.coordinates().end()) {
        labels_.emplace(dim, found->second);
      }
    }
    if (!bounds_.empty()) extents_.emplace("bnds", 2);
  }

  /// The one label of a dimension that was reduced: the middle of all, with bounds around it.
  void keep_one(const std::string& dim, const Coordinate& labels) {
    if (labels.numbers().empty()) return;
    const auto [least, most] = std::minmax_element(labels.numbers().begin(), labels.numbers().end());
    bounds_[dim] = {*least, *most};
    const std::string name = attribute_of(labels.attributes(), "bounds");
    if (data_.has(name) && data_[name].has(dim)) bounds_from_[dim] = name;
    labels_.emplace(dim, Coordinate::of_numbers(dim, {(*least + *most) / 2}, labels.attributes()));
  }

  std::string bounds_name(const std::string& dim) const {
    const auto found = data_.coordinates().find(dim);
    const std::string name =
        found == data_.coordinates().end() ? "" : attribute_of(found->second.attributes(), "bounds");
    return name.empty() ? dim + "_bnds" : name;
  }

  void declare(io::NetcdfWriter& writer) {
    for (const io::Attribute& one : with_history(data_.attributes(), given_.line())) writer.attribute(one);
    for (const auto& [dim, extent] : extents_) writer.dimension(dim, extent);
    for (auto& [dim, labels] : labels_) {
      std::vector<io::Attribute> attributes = labels.attributes();
      if (bounds_.count(dim) != 0) labelled::set_text(attributes, "bounds", bounds_name(dim));
      const std::string named = attribute_of(attributes, "bounds");
      if (labels.texts().empty()) labels = Coordinate::of_numbers(dim, labels.numbers(), attributes);
      declare_labels(writer, labels, stored(dim), bounds_.count(dim) != 0 || names_.count(named) != 0);
    }
    for (const auto& [dim, bounds] : bounds_) {
      io::NewVariable variable;
      variable.name = bounds_name(dim);
      variable.type = {io::ElementKind::Float, 8, false, "float64"};
      variable.dimensions = {dim, "bnds"};
      variable.deflate = 0;
      writer.variable(variable);
    }
    for (const Work& work : works_) {
      for (const Result& result : work.results) {
        io::NewVariable variable;
        variable.name = result.name;
        variable.type = result.encoding.type;
        variable.dimensions = result.dims;
        variable.fill = result.encoding.fill;
        variable.chunk = result.chunk;
        for (const io::Attribute& one : result.attributes) {
          const bool fill = one.name == "_FillValue";
          const bool other = one.name == "missing_value" && work.reduced && !result.encoding.packed;
          const bool gone = one.name == "coordinates" && !all_there(one.text());
          if (!fill && !other && !gone) variable.attributes.push_back(one);
        }
        writer.variable(variable);
      }
    }
    declare_texts(writer);
  }

  bool all_there(const std::string& words) const {
    for (std::size_t begin = 0; begin < words.size();) {
      const std::size_t end = std::min(words.find(' ', begin), words.size());
      if (end > begin && names_.count(words.substr(begin, end - begin)) == 0 &&
          labels_.count(words.substr(begin, end - begin)) == 0)
        return false;
      begin = end + 1;
    }
    return true;
  }

  /// Texts that have none of the reduced dimensions pass through.
  void declare_texts(io::NetcdfWriter& writer) {
    const std::map<std::string, std::int64_t> dims = data_.dims();
    const std::vector<std::string>& chosen = wanted_.names;
    for (std::size_t i = 0; i < first_->variables().size(); ++i) {
      const io::Variable& one = first_->variables()[i];
      const bool text = one.type.kind == io::ElementKind::Text || one.type.kind == io::ElementKind::VariableText;
      if (!text || one.path.find('/') != std::string::npos || labels_.count(one.path) != 0 || !chosen.empty()) continue;
      bool fits = one.dimensions.size() == one.shape.size();
      for (std::size_t axis = 0; fits && axis < one.shape.size(); ++axis) {
        const auto found = extents_.find(one.dimensions[axis]);
        const auto before = dims.find(one.dimensions[axis]);
        fits = found != extents_.end() && found->second == one.shape[axis] && before != dims.end() &&
               before->second == one.shape[axis];
      }
      if (!fits) continue;
      io::NewVariable variable;
      variable.name = one.path;
      variable.type = {io::ElementKind::VariableText, 0, false, "string"};
      variable.dimensions = one.dimensions;
      variable.attributes = one.attributes;
      std::erase_if(variable.attributes, [](const io::Attribute& a) { return a.name == "_FillValue"; });
      writer.variable(variable);
      texts_.push_back(i);
    }
  }

  void write(const Client& client, io::NetcdfWriter& writer) {
    for (const auto& [dim, labels] : labels_) write_labels(writer, labels, stored(dim));
    for (auto& [dim, bounds] : bounds_) {
      const auto from = bounds_from_.find(dim);
      if (from != bounds_from_.end()) {
        const arrays::Array values = data_[from->second].data().astype(float64);
        const std::vector<NDArray> ends = arrays::compute_arrays(client, {arrays::min(values), arrays::max(values)});
        bounds = {ends[0].item<double>(), ends[1].item<double>()};
      }
      writer.write(bounds_name(dim), {0, 0}, {static_cast<std::int64_t>(bounds.size() / 2), 2},
                   reinterpret_cast<const std::byte*>(bounds.data()));
    }
    for (const std::size_t text : texts_) writer.write_text(first_->variables()[text].path, first_->read_text(text));
    for (const Work& work : works_) {
      if (work.reduced) {
        reduce(client, writer, work);
      } else {
        add(client, writer, work.results[0], work.source.data(),
            std::vector<std::int64_t>(work.source.dims().size(), 0));
      }
    }
    flush(client, writer);
  }

  /// Computes a variable in as many steps as its results need: groups that follow each other some at a time, and then
  /// slabs along the outermost dimension that stays.
  void reduce(const Client& client, io::NetcdfWriter& writer, const Work& work) {
    if (too_large(work.source)) return reduce_parts(client, writer, work, work.source, {});
    const bool grouped = how_.grouping && work.source.has(how_.grouping->dim);
    const std::int32_t groups = grouped ? how_.grouping->size() : 1;
    std::uint64_t bytes = 0;
    for (const Result& result : work.results) {
      std::uint64_t own = result.encoding.type.bytes;
      for (const std::int64_t extent : result.shape) own *= static_cast<std::uint64_t>(extent);
      bytes += own;
    }
    std::int32_t step = groups;
    if (grouped && how_.grouping->in_order && bytes > budget_) {
      step =
          static_cast<std::int32_t>(std::max<std::uint64_t>(1, static_cast<std::uint64_t>(groups) * budget_ / bytes));
    }
    for (std::int32_t first = 0; first < groups; first += step) {
      const std::int32_t end = std::min(groups, first + step);
      const std::vector<arrays::Array> arrays = reduce_variable(work.source, how_, first, end);
      const std::size_t axis = grouped ? group_axis(work.results[0]) : 0;
      std::vector<std::int64_t> start(work.results[0].dims.size(), 0);
      if (grouped) start[axis] = first;
      slabs(client, writer, work, arrays, start,
            bytes * static_cast<std::uint64_t>(end - first) / static_cast<std::uint64_t>(groups));
    }
  }

  /// Computes a part of a variable in halves, cut where chunks end along a dimension that stays, until one fits the
  /// memory or is one chunk wide. `start`: where the part lies, by dimension.
  void reduce_parts(const Client& client, io::NetcdfWriter& writer, const Work& work, const LabelledArray& part,
                    const std::map<std::string, std::int64_t>& start) {
    const std::vector<std::vector<std::int64_t>> chunks = part.data().chunks();
    std::string widest;
    std::size_t most = 1;
    for (const std::string& dim : part.dims()) {
      const bool stays = std::find(how_.dims.begin(), how_.dims.end(), dim) == how_.dims.end();
      if (!stays || chunks[part.axis(dim)].size() <= most) continue;
      most = chunks[part.axis(dim)].size();
      widest = dim;
    }
    if (widest.empty() || !too_large(part)) {
      const bool grouped = how_.grouping && part.has(how_.grouping->dim);
      const std::vector<arrays::Array> arrays = reduce_variable(part, how_, 0, grouped ? how_.grouping->size() : 1);
      for (std::size_t i = 0; i < arrays.size(); ++i) {
        std::vector<std::int64_t> at;
        for (const std::string& dim : work.results[i].dims) {
          const auto found = start.find(dim);
          at.push_back(found == start.end() ? 0 : found->second);
        }
        add(client, writer, work.results[i], arrays[i], at);
      }
      return flush(client, writer);
    }
    const std::vector<std::int64_t>& cuts = chunks[part.axis(widest)];
    const std::int64_t middle =
        std::accumulate(cuts.begin(), cuts.begin() + static_cast<std::ptrdiff_t>(most / 2), std::int64_t{0});
    reduce_parts(client, writer, work, part.isel(widest, slice(0, middle)), start);
    std::map<std::string, std::int64_t> behind = start;
    behind[widest] += middle;
    reduce_parts(client, writer, work, part.isel(widest, slice(middle, part.extent(widest))), behind);
  }

  std::size_t group_axis(const Result& result) const {
    return static_cast<std::size_t>(std::find(result.dims.begin(), result.dims.end(), how_.grouping->labels.name()) -
                                    result.dims.begin());
  }

  void slabs(const Client& client, io::NetcdfWriter& writer, const Work& work, const std::vector<arrays::Array>& arrays,
             const std::vector<std::int64_t>& start, std::uint64_t bytes) {
    // The axis with the most chunks, cut where chunks end, so that none is read twice.
    const std::vector<std::vector<std::int64_t>> chunks = arrays[0].chunks();
    std::size_t axis = 0;
    for (std::size_t i = 1; i < chunks.size(); ++i) {
      if (chunks[i].size() > chunks[axis].size()) axis = i;
    }
    if (chunks.empty() || bytes <= budget_ || chunks[axis].size() < 2) {
      for (std::size_t i = 0; i < arrays.size(); ++i) add(client, writer, work.results[i], arrays[i], start);
      return;
    }
    const std::uint64_t row = std::max<std::uint64_t>(1, bytes / static_cast<std::uint64_t>(arrays[0].shape()[axis]));
    std::int64_t begin = 0, end = 0;
    for (std::size_t piece = 0; piece < chunks[axis].size(); ++piece) {
      end += chunks[axis][piece];
      const bool last = piece + 1 == chunks[axis].size();
      if (!last && static_cast<std::uint64_t>(end - begin + chunks[axis][piece + 1]) * row <= budget_) continue;
      std::vector<arrays::Index> index(arrays[0].ndim(), arrays::Index(slice()));
      index[axis] = arrays::Index(slice(begin, end));
      std::vector<std::int64_t> at = start;
      at[axis] += begin;
      for (std::size_t i = 0; i < arrays.size(); ++i) add(client, writer, work.results[i], arrays[i].at(index), at);
      begin = end;
    }
  }

  struct Waiting {
    const Result* result;
    arrays::Array array;
    std::vector<std::int64_t> start;
  };

  /// Some results are computed together: what they share is read once.
  void add(const Client& client, io::NetcdfWriter& writer, const Result& result, const arrays::Array& array,
           const std::vector<std::int64_t>& start) {
    waiting_.push_back({&result, array, start});
    waiting_bytes_ += static_cast<std::uint64_t>(array.nbytes());
    const bool whole = &result == &works_of(result).results.back();
    if (waiting_bytes_ >= budget_ && whole) flush(client, writer);
  }

  const Work& works_of(const Result& result) const {
    for (const Work& work : works_) {
      for (const Result& one : work.results) {
        if (&one == &result) return work;
      }
    }
    return works_.front();
  }

  void flush(const Client& client, io::NetcdfWriter& writer) {
    if (waiting_.empty()) return;
    std::vector<arrays::Array> arrays;
    for (const Waiting& one : waiting_) arrays.push_back(one.array);
    const std::vector<NDArray> values = arrays::compute_arrays(client, arrays);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const Result& result = *waiting_[i].result;
      const std::vector<std::byte> bytes = encode_values(values[i], result.encoding);
      writer.write(result.name, waiting_[i].start, extents_of(values[i].shape()), bytes.data());
      written_bytes_ += bytes.size();
    }
    waiting_.clear();
    waiting_bytes_ = 0;
  }

  std::uint64_t read_bytes() const {
    std::uint64_t bytes = 0;
    for (const Work& work : works_) bytes += static_cast<std::uint64_t>(work.source.data().nbytes());
    return bytes;
  }

  int tell_plan() {
    DryRun plan;
    plan.files = paths_.size();
    plan.decoded_bytes = read_bytes();
    std::vector<arrays::Array> arrays;
    for (const Work& work : works_) {
      for (const std::string& path : paths_) {
        const auto file = io::open_shared(path);
        if (const io::Variable* const found = wanted_.find(*file, work.source.name()))
          plan.stored_bytes += file->stored_bytes(file->find(found->path));
      }
      for (const Result& result : work.results) {
        std::uint64_t bytes = result.encoding.type.bytes;
        for (const std::int64_t extent : result.shape) bytes *= static_cast<std::uint64_t>(extent);
        plan.output_bytes += bytes;
        plan.lines += result_text(work, result);
      }
      if (!work.reduced) continue;
      const bool grouped = how_.grouping && work.source.has(how_.grouping->dim);
      for (arrays::Array& one : reduce_variable(work.source, how_, 0, grouped ? how_.grouping->size() : 1))
        arrays.push_back(std::move(one));
    }
    plan.peak_bytes = arrays::plan(arrays).peak_bytes;
    return tell(given_, plan);
  }

  static std::string result_text(const Work& work, const Result& result) {
    std::string text = "  " + result.encoding.type.name + " " + result.name + "(";
    for (std::size_t i = 0; i < result.dims.size(); ++i) {
      text += (i == 0 ? "" : ", ") + result.dims[i] + " = " + std::to_string(result.shape[i]);
    }
    return text + ")" + (work.reduced ? "" : " as it was") + "\n";
  }

  void tell_result(double seconds) const {
    if (given_.json()) {
      print("{\"output\":" + json_text(out_) + ",\"files\":" + std::to_string(paths_.size()) +
            ",\"decoded_bytes\":" + std::to_string(read_bytes()) + ",\"seconds\":" + json_number(seconds) + "}\n");
      return;
    }
    if (given_.quiet()) return;
    std::fprintf(stderr, "weft reduce: %zu file%s, %s decoded, %.2f s (%.2f GB/s); wrote %s\n", paths_.size(),
                 paths_.size() == 1 ? "" : "s", bytes_text(read_bytes()).c_str(), seconds,
                 static_cast<double>(read_bytes()) / 1e9 / std::max(seconds, 1e-9), out_.c_str());
  }

  const Given& given_;
  const std::vector<Operation> operations_;
  HowToReduce how_;
  std::string out_;
  std::vector<std::string> paths_;
  Dataset data_;
  std::shared_ptr<const io::StoredFile> first_;
  const ChosenVariables wanted_{"weft reduce", given_.list("var")};
  /// Variables that expressions made: no file says how they are stored.
  std::set<std::string> fresh_;
  std::vector<Work> works_;
  /// Of the variables that are written.
  std::set<std::string> names_;
  std::map<std::string, std::int64_t> extents_;
  std::map<std::string, Coordinate> labels_;
  /// Pairs, by dimension; and the variables that they are taken from.
  std::map<std::string, std::vector<double>> bounds_;
  std::map<std::string, std::string> bounds_from_;
  std::vector<std::size_t> texts_;
  std::uint64_t budget_ = 0;
  /// Of the values or states that are held at once.
  std::uint64_t parts_budget_ = 0;
  std::vector<Waiting> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::uint64_t written_bytes_ = 0;
};

}  // namespace

int run_reduce(const Given& given) {
  ReduceJob job(given);
  if (!io::can_write_netcdf()) {
    throw Error(
        "this build of weft lacks the HDF5 library, which writes NetCDF-4: install libhdf5-dev and build again");
  }
  return run_with_client(given, [&](Client& client) { return job.run(client); });
}

}  // namespace weft::command::data
