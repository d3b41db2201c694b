/// Feeds arbitrary bytes to every reader of files. `tools/fuzz io SECONDS` builds it with libFuzzer and the sanitizers
/// and begins with the small files of the contract's tests; these tests damage the same files in every build.
///
/// What begins with a brace is a store: a description, a zero, and the bytes of each of its chunks. What begins as an
/// index does is one. All else is a file.
#include <weft/storage.hpp>

#include "io/index/index_file.hpp"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

using namespace weft::io;

/// Reads all that is not too large, and checks that an error names what it is about.
void read_all(const std::string& path) {
  const auto check = [&](const FileError& error) {
    if (std::string(error.what()).find("'" + path) != 0) __builtin_trap();
  };
  try {
    const auto file = open_stored(path);
    for (std::size_t i = 0; i < file->variables().size() && i < 50; ++i) {
      const Variable& one = file->variables()[i];
      if (one.elements() > (1 << 18)) continue;
      try {
        static_cast<void>(file->stored_bytes(i));
        if (one.type.is_number()) {
          static_cast<void>(file->read_box(i, std::vector<std::int64_t>(one.shape.size(), 0), one.shape));
        } else if (one.type.kind != ElementKind::Other) {
          static_cast<void>(file->read_text(i));
        }
      } catch (const FileError& error) {
        check(error);
      }
    }
  } catch (const FileError& error) {
    check(error);
  }
}

void read_file(const std::string& bytes) {
  const int file = ::memfd_create("weft", MFD_CLOEXEC);
  if (file < 0 || ::write(file, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  read_all("/proc/self/fd/" + std::to_string(file));
  ::close(file);
}

void read_store(const std::string& bytes) {
  static const struct Folder {
    const std::string path = "/dev/shm/weft_fuzz_" + std::to_string(::getpid());
    ~Folder() {
      std::error_code gone;
      std::filesystem::remove_all(path, gone);
    }
  } own;
  const std::string& folder = own.path;
  std::filesystem::create_directories(folder + "/c/0");
  const std::size_t zero = std::min(bytes.find('\0'), bytes.size());
  const std::string description = bytes.substr(0, zero);
  const bool old = description.find("node_type") == std::string::npos;
  for (const char* const name : {"zarr.json", ".zarray"}) std::filesystem::remove(folder + "/" + name);
  std::ofstream(folder + (old ? "/.zarray" : "/zarr.json"), std::ios::binary) << description;
  const std::string chunk = zero < bytes.size() ? bytes.substr(zero + 1) : "";
  for (const char* const name : {"0", "0.0", "c/0/0", "0.1", "c/0/1"}) {
    std::ofstream(folder + "/" + name, std::ios::binary) << chunk;
  }
  read_all(folder);
}

void read_index(std::string bytes) {
  // The sum over what follows would stop all others at the door.
  constexpr std::size_t kHead = 13;
  if (bytes.size() >= kHead + 8) {
    std::uint64_t sum = 14695981039346656037u;
    for (std::size_t i = kHead + 8; i < bytes.size(); ++i) {
      sum = (sum ^ static_cast<unsigned char>(bytes[i])) * 1099511628211u;
    }
    for (std::size_t i = 0; i < 8; ++i) bytes[kHead + i] = static_cast<char>(sum >> 8 * i);
  }
  try {
    static_cast<void>(index::decode("/index", bytes, "/data"));
  } catch (const weft::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.rfind("{", 0) == 0) {
    read_store(bytes);
  } else if (bytes.rfind("weft", 0) == 0) {
    read_index(bytes);
  } else {
    read_file(bytes);
  }
  return 0;
}
