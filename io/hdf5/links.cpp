// Following links: soft ones to other names of the same file, external ones into other files.
#include "io/hdf5/tree.hpp"

#include <weft/remote.hpp>

#include <algorithm>

namespace weft::io::hdf5 {
namespace {

/// Of links that lead to links.
constexpr std::size_t kMostSteps = 16;
/// Contents of other files that are kept while links are followed.
constexpr std::size_t kMostKept = 64;

/// Roughly what a further name of a variable takes in memory.
std::uint64_t bytes_of(const Variable& one) {
  std::uint64_t bytes = 512 + one.path.size() + one.fill.size();
  for (const Attribute& attribute : one.attributes) {
    bytes += 200 + 8 * (attribute.reals.size() + attribute.integers.size());
    for (const std::string& text : attribute.texts) bytes += 32 + text.size();
  }
  return bytes;
}

/// What a path adds to another that it begins with: "" or "/more"; nothing where it does not begin with it.
std::optional<std::string> below(const std::string& path, const std::string& above) {
  if (above.empty()) return path.empty() ? "" : "/" + path;
  if (!path.starts_with(above)) return {};
  if (path.size() > above.size() && path[above.size()] != '/') return {};
  return path.substr(above.size());
}

class Follower {
 public:
  Follower(const std::string& path, Contents& contents) : path_(path), out_(contents) {}

  void follow_all() {
    // What is added on the way is no link of this file.
    own_.variables = out_.variables;
    own_.datasets = out_.datasets;
    own_.groups = out_.groups;
    own_.links = std::move(out_.links);
    out_.links.clear();
    for (const NamedLink& link : own_.links) {
      if (full_) break;
      const std::size_t before = out_.variables.size() + out_.groups.size() + out_.remarks.size();
      follow({path_, 0, 0}, own_, link, link.from);
      if (out_.variables.size() + out_.groups.size() + out_.remarks.size() == before) {
        out_.remarks.push_back("/" + link.from + " leads to " + target_of(link) + ", which is not there");
      }
    }
  }

 private:
  struct Place {
    std::string path;
    std::uint64_t bytes = 0;
    std::int64_t changed_ns = 0;
  };
  struct Step {
    std::string file;
    std::string object;
  };

  static std::string target_of(const NamedLink& link) {
    return (link.file.empty() ? "" : "'" + link.file + "': ") + "/" + link.object;
  }

  void remark(const std::string& as, const NamedLink& link, const std::string& text) {
    out_.remarks.push_back("/" + as + " leads to " + target_of(link) + text);
  }

  /// Follows a link of the file `of`, whose contents these are, and names what it leads to `as`.
  void follow(const OtherFile& of, const Contents& contents, const NamedLink& link, const std::string& as) {
    if (link.file.empty()) return import(of, contents, link.object, as, link);
    if (is_remote(of.path)) return remark(as, link, "; links of files on servers are not followed");
    const OtherFile file = look_up(of.path, link.file, "HDF5_EXT_PREFIX");
    if (!file.is_there()) {
      note(file);
      return remark(as, link, ", and there is no such file (looked for as '" + file.path + "')");
    }
    std::shared_ptr<const Contents> there;
    try {
      there = contents_of(file);
    } catch (const FileError& error) {
      note(file);
      return remark(as, link, std::string("; ") + error.what());
    }
    note(file);
    import(same_file(file.path, path_) ? OtherFile{path_, 0, 0} : file, there == nullptr ? own_ : *there, link.object,
           as, link);
  }

  /// Names everything at and below an object.
  void import(const OtherFile& of, const Contents& contents, const std::string& object, const std::string& as,
              const NamedLink& link) {
    const auto known = std::find_if(steps_.begin(), steps_.end(), [&](const Step& step) {
      return step.object == object && (step.file == of.path || same_file(step.file, of.path));
    });
    if (known != steps_.end() || steps_.size() >= kMostSteps) {
      return remark(as, link, ", which leads back to itself");
    }
    // A group in itself would have no end.
    if (&contents == &own_ && below(as, object))
      return remark(as, link, as == object ? ", which leads back to itself" : ", of which it is a part");
    steps_.push_back({of.path, object});
    const bool elsewhere = &contents != &own_;
    for (std::size_t i = 0; i < contents.variables.size(); ++i) {
      const std::optional<std::string> rest = below(contents.variables[i].path, object);
      if (rest) add(of, contents, i, as + *rest, elsewhere);
    }
    for (const Group& group : contents.groups) {
      const std::optional<std::string> rest = below(group.path, object);
      if (!rest || full_) continue;
      out_.groups.push_back(group);
      out_.groups.back().path = as + *rest;
    }
    for (const NamedLink& next : contents.links) {
      if (full_) break;
      if (const std::optional<std::string> rest = below(next.from, object)) {
        follow(of, contents, next, as + *rest);
      } else if (const std::optional<std::string> through = below(object, next.from)) {
        NamedLink further = next;
        further.object += further.object.empty() && !through->empty() ? through->substr(1) : *through;
        follow(of, contents, further, as);
      }
    }
    steps_.pop_back();
  }

  void add(const OtherFile& of, const Contents& contents, std::size_t number, const std::string& as, bool elsewhere) {
    if (full_) return;
    added_ += bytes_of(contents.variables[number]);
    if (added_ > kMostAdded) {
      full_ = true;
      out_.remarks.push_back("/" + as + " and further links lead to more than can be named");
      return;
    }
    Variable one = contents.variables[number];
    Dataset data = contents.datasets[number];
    if (elsewhere && data.elsewhere == nullptr) data.elsewhere = std::make_shared<Elsewhere>(Elsewhere{of, one.path});
    one.path = as;
    out_.variables.push_back(std::move(one));
    out_.datasets.push_back(std::move(data));
  }

  void note(const OtherFile& file) {
    const bool known = std::any_of(out_.others.begin(), out_.others.end(),
                                   [&](const OtherFile& one) { return one.path == file.path; });
    if (!known) out_.others.push_back(file);
  }

  /// Nothing for the file whose links these are.
  std::shared_ptr<const Contents> contents_of(const OtherFile& file) {
    if (same_file(file.path, path_)) return nullptr;
    const auto found = kept_.find(file.path);
    if (found != kept_.end()) return found->second;
    OpenFile opened(file.path);
    if (opened.size() != file.bytes || opened.changed_ns() != file.changed_ns) opened.fail("changes while it is read");
    opened.keep_pages();
    Source source(opened);
    auto contents = std::make_shared<Contents>(read_own_contents(source));
    if (kept_.size() >= kMostKept) kept_.clear();
    kept_[file.path] = contents;
    return contents;
  }

  static constexpr std::uint64_t kMostAdded = 32 << 20;
  const std::string& path_;
  Contents& out_;
  Contents own_;
  std::vector<Step> steps_;
  std::map<std::string, std::shared_ptr<const Contents>> kept_;
  std::uint64_t added_ = 0;
  bool full_ = false;
};

}  // namespace

void follow_links(const std::string& path, Contents& contents) {
  if (!contents.links.empty()) Follower(path, contents).follow_all();
}

}  // namespace weft::io::hdf5
