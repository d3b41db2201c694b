#include <weft/callable.hpp>

#include "core/encode/address_run.hpp"

#include <weft/error.hpp>

#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <vector>

namespace weft {
namespace {

/// A line of /proc/self/maps.
struct MappedRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  bool readable = false;
  std::string name;
};

std::optional<MappedRange> find_mapped_range(std::uintptr_t address) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> maps(std::fopen("/proc/self/maps", "re"), &std::fclose);
  if (!maps) return std::nullopt;
  char line[4352];
  while (std::fgets(line, sizeof line, maps.get()) != nullptr) {
    unsigned long begin = 0, end = 0;
    char access[5] = {};
    int name_at = 0;
    if (std::sscanf(line, "%lx-%lx %4s %*s %*s %*s %n", &begin, &end, access, &name_at) != 3) continue;
    if (address < begin || address >= end) continue;
    std::string name = name_at > 0 ? line + name_at : "";
    while (!name.empty() && (name.back() == '\n' || name.back() == ' ')) name.pop_back();
    return MappedRange{begin, end, access[0] == 'r', name};
  }
  return std::nullopt;
}

// Asking the kernel about one page costs about a microsecond and is never out of date, which a remembered list of
// ranges is as soon as something is allocated. Only for a hit are the ranges read, to be sure and to say what it is.
std::optional<MappedRange> points_here(std::uintptr_t word) {
  constexpr std::uintptr_t kLowest = 0x10000;
  constexpr std::uintptr_t kHighest = std::uintptr_t{1} << (sizeof(void*) == 8 ? 48 : 31);
  constexpr std::uintptr_t kLargestRange = std::uintptr_t{1} << 40;
  if (word < kLowest || word >= kHighest) return std::nullopt;
  static const std::uintptr_t page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  unsigned char resident = 0;
  if (::mincore(reinterpret_cast<void*>(word / page * page), 1, &resident) != 0 && errno == ENOMEM) return std::nullopt;
  auto range = find_mapped_range(word);
  // Address space that is reserved, or shadow memory of a sanitizer, is nothing a user could have pointed to.
  if (!range || !range->readable || range->end - range->begin > kLargestRange) return std::nullopt;
  return range;
}

std::string describe_range(const MappedRange& range) {
  if (range.name == "[heap]" || range.name.empty()) return "the heap";
  if (range.name.starts_with("[stack")) return "a stack";
  const auto slash = range.name.rfind('/');
  return slash == std::string::npos ? range.name : range.name.substr(slash + 1);
}

/// In an AddressRun, before an address or instead of one.
constexpr std::uint8_t kSameAddress = 0;
constexpr std::uint8_t kOtherAddress = 1;

/// A loaded program or library: where its first byte lies, and a number that only equal builds share.
struct Span {
  std::uintptr_t bias = 0;
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;
  std::uint64_t digest = 0;

  bool holds(std::uintptr_t place) const { return place >= begin && place < end; }
};
struct Image : Span {
  std::string name;
};

/// The one that this thread asked for last: nearly all functions of a graph are in the program.
constinit thread_local Span latest_image;

std::string_view bytes_at(std::uintptr_t address, std::size_t size) {
  return {reinterpret_cast<const char*>(address), size};
}

std::optional<std::uint64_t> digest_of_build_id(const dl_phdr_info& info, const ElfW(Phdr) & header) {
  std::uintptr_t at = info.dlpi_addr + header.p_vaddr;
  const std::uintptr_t end = at + header.p_memsz;
  while (at + sizeof(ElfW(Nhdr)) <= end) {
    const auto& note = *reinterpret_cast<const ElfW(Nhdr)*>(at);
    const std::uintptr_t name = at + sizeof note;
    const std::uintptr_t text = name + (note.n_namesz + 3) / 4 * 4;
    if (text + note.n_descsz > end) break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && bytes_at(name, 3) == "GNU") {
      return detail::digest_of(bytes_at(text, note.n_descsz));
    }
    at = text + (note.n_descsz + 3) / 4 * 4;
  }
  return std::nullopt;
}

int add_image(dl_phdr_info* info, std::size_t, void* images_place) {
  auto& images = *static_cast<std::vector<Image>*>(images_place);
  Image image;
  image.bias = info->dlpi_addr;
  image.begin = UINTPTR_MAX;
  image.name = info->dlpi_name != nullptr ? info->dlpi_name : "";
  const ElfW(Phdr)* code = nullptr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type == PT_LOAD) {
      image.begin = std::min<std::uintptr_t>(image.begin, info->dlpi_addr + header.p_vaddr);
      image.end = std::max<std::uintptr_t>(image.end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
      if ((header.p_flags & (PF_X | PF_W | PF_R)) == (PF_X | PF_R)) code = &header;
    } else if (header.p_type == PT_NOTE && image.digest == 0) {
      image.digest = digest_of_build_id(*info, header).value_or(0);
    }
  }
  // Without a build id the code itself tells builds apart: it is the same in each process that loaded it.
  if (image.digest == 0 && code != nullptr) {
    image.digest = detail::digest_of(bytes_at(info->dlpi_addr + code->p_vaddr, code->p_filesz));
  }
  if (image.end > image.begin && image.digest != 0) images.push_back(std::move(image));
  return 0;
}

/// Remembers the loaded images. Threading: any thread; guarded by mutex_.
class Images {
 public:
  template <class Match>
  std::optional<Image> find(Match match) {
    const std::lock_guard lock(mutex_);
    for (const Image& image : images_) {
      if (match(image)) return image;
    }
    // Loaded since we looked, or never looked at.
    images_.clear();
    ::dl_iterate_phdr(&add_image, &images_);
    for (const Image& image : images_) {
      if (match(image)) return image;
    }
    return std::nullopt;
  }

 private:
  std::mutex mutex_;
  std::vector<Image> images_;
};

Images& images() {
  static Images* const kept = new Images;  // outlives every static object that may still send something
  return *kept;
}

std::optional<Image> image_of(const void* address) {
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  return images().find([place](const Image& image) { return image.holds(place); });
}

/// The names of all task types. Threading: any thread; guarded by mutex.
struct Registry {
  std::mutex mutex;
  std::set<std::string, std::less<>> names;
};

Registry& registry() {
  static Registry* const kept = new Registry;
  return *kept;
}

}  // namespace

void check_capture(const void* bytes, std::size_t size, const SourceLine& where) {
  const std::size_t words = size / sizeof(std::uintptr_t);
  for (std::size_t k = 0; k < words; ++k) {
    std::uintptr_t word;
    std::memcpy(&word, static_cast<const std::byte*>(bytes) + k * sizeof word, sizeof word);
    const auto range = points_here(word);
    if (!range) continue;
    throw Error(
        fmt::format("lambda at {}:{} captures a pointer or reference into this process (word {} of {}, into "
                    "{}): pass it as an argument",
                    where.file, where.line, k + 1, words, describe_range(*range)));
  }
}

bool detail::is_of_program(const void* address) { return image_of(address).has_value(); }

void encode_address(Writer& writer, const void* address) {
  if (detail::AddressRun* const run = detail::AddressRun::at(&writer, writer.size())) {
    if (run->last == address) return writer.number(kSameAddress);
    writer.number(kOtherAddress);
    run->last = address;
  }
  const auto place = reinterpret_cast<std::uintptr_t>(address);
  if (!latest_image.holds(place)) {
    const auto image = image_of(address);
    if (!image) {
      throw Error(
          fmt::format("the address {} is no part of the program or of a library it has loaded, so no other "
                      "process could find it: pass a function of the program",
                      address));
    }
    latest_image = *image;
  }
  writer.number(latest_image.digest);
  writer.number(static_cast<std::uint64_t>(place - latest_image.bias));
}

const void* decode_address(Reader& reader) {
  detail::AddressRun* const run = detail::AddressRun::at(&reader, reader.offset());
  if (run != nullptr) {
    const auto how = reader.number<std::uint8_t>("the address of a function");
    if (how == kSameAddress && run->last != nullptr) return run->last;
    if (how != kOtherAddress) reader.damaged("the address of a function", "it is like none before");
  }
  const auto digest = reader.number<std::uint64_t>("the address of a function");
  const auto offset = reader.number<std::uint64_t>("the address of a function");
  if (digest == 0 || latest_image.digest != digest) {
    const auto image = images().find([digest](const Image& candidate) { return candidate.digest == digest; });
    if (!image) {
      reader.damaged("the address of a function", "this process has not loaded the program or library it is a part of");
    }
    latest_image = *image;
  }
  const std::uintptr_t place = latest_image.bias + static_cast<std::uintptr_t>(offset);
  if (!latest_image.holds(place)) {
    reader.damaged("the address of a function", "it lies outside of the program or library");
  }
  const auto* const address = reinterpret_cast<const void*>(place);
  if (run != nullptr) run->last = address;
  return address;
}

std::string symbol_name(const void* address) {
  Dl_info info{};
  if (::dladdr(address, &info) != 0 && info.dli_sname != nullptr) {
    int status = 0;
    const std::unique_ptr<char, void (*)(void*)> readable(
        abi::__cxa_demangle(info.dli_sname, nullptr, nullptr, &status), &std::free);
    return status == 0 && readable ? readable.get() : info.dli_sname;
  }
  const auto image = image_of(address);
  if (!image) return fmt::format("{}", address);
  std::string_view name = image->name.empty() ? std::string_view("program") : std::string_view(image->name);
  name.remove_prefix(name.rfind('/') + 1);  // npos + 1 is 0
  return fmt::format("{}+{:#x}", name, reinterpret_cast<std::uintptr_t>(address) - image->bias);
}

std::uint64_t image_digest() {
  // The program is the first image that the loader names, and its name is empty.
  static const std::uint64_t kDigest = [] {
    const auto program = images().find([](const Image& image) { return image.name.empty(); });
    return program ? program->digest : 0;
  }();
  return kDigest;
}

bool register_task_type(std::string_view name) {
  const std::lock_guard lock(registry().mutex);
  return registry().names.emplace(name).second;
}

std::size_t task_type_count() {
  const std::lock_guard lock(registry().mutex);
  return registry().names.size();
}

std::uint64_t registry_digest() {
  const std::lock_guard lock(registry().mutex);
  std::uint64_t sum = image_digest();
  for (const std::string& name : registry().names) sum = detail::digest_of("\n", detail::digest_of(name, sum));
  return sum;
}

namespace detail {

void wrong_callable(std::string_view wanted) {
  throw Error(
      fmt::format("the bytes of a task are not those of {}: the processes run different programs; start all of "
                  "them from the same executable",
                  wanted));
}

}  // namespace detail
}  // namespace weft
