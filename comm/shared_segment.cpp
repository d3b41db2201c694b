#include "comm/shared_segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "comm/secret.hpp"

namespace weft::comm {
namespace {

constexpr std::size_t kHead = 4096;
static_assert(sizeof(SegmentHead) <= kHead);
constexpr std::size_t kBytes = kHead + 2 * SharedSegment::kMessageRing + 2 * SharedSegment::kBulkRing;
// Both processes run the same protocol; this tells a segment from anything else.
constexpr std::uint64_t kLayout = 0x77656674'72696e01;
constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW;

void* map(int fd) {
  void* memory = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

}  // namespace

std::optional<SharedSegment> SharedSegment::create(std::string& why) {
  Fd fd(::memfd_create("weft-ring", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  void* memory = nullptr;
  // Sealed: nobody can shrink it under the other's feet.
  if (fd && ::ftruncate(fd.get(), kBytes) == 0 && ::fcntl(fd.get(), F_ADD_SEALS, kSeals) == 0) memory = map(fd.get());
  if (memory == nullptr) {
    why = std::string("no shared memory: ") + std::strerror(errno);
    return std::nullopt;
  }
  SegmentName name{::getpid(), fd.get(), {}};
  fill_random(name.token);
  SharedSegment segment(memory, std::move(fd), name);
  auto* head = new (memory) SegmentHead{};
  head->token = name.token;
  head->layout = kLayout;
  return segment;
}

std::optional<SharedSegment> SharedSegment::open(const SegmentName& name, std::string& why) {
  const std::string path = "/proc/" + std::to_string(name.process) + "/fd/" + std::to_string(name.fd);
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) {
    why = path + ": " + std::strerror(errno);
    return std::nullopt;
  }
  struct stat status {};
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0 || (seals & kSeals) != kSeals || ::fstat(fd.get(), &status) != 0 ||
      static_cast<std::size_t>(status.st_size) != kBytes) {
    why = path + " is not a segment of weft: the processes see different process numbers";
    return std::nullopt;
  }
  void* memory = map(fd.get());
  if (memory == nullptr) {
    why = path + ": " + std::strerror(errno);
    return std::nullopt;
  }
  SharedSegment segment(memory, Fd(), name);
  if (segment.head().layout != kLayout || segment.head().token != name.token) {
    why = path + " is another segment: the processes see different process numbers";
    return std::nullopt;
  }
  return segment;
}

SharedSegment::SharedSegment(SharedSegment&& other) noexcept
    : memory_(std::exchange(other.memory_, nullptr)), fd_(std::move(other.fd_)), name_(other.name_) {}

SharedSegment& SharedSegment::operator=(SharedSegment&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(fd_, other.fd_);
  std::swap(name_, other.name_);
  return *this;
}

SharedSegment::~SharedSegment() {
  if (memory_ != nullptr) ::munmap(memory_, kBytes);
}

std::span<std::byte> SharedSegment::message_ring(int writer) const {
  auto* base = static_cast<std::byte*>(memory_) + kHead;
  return {base + static_cast<std::size_t>(writer) * kMessageRing, kMessageRing};
}

std::span<std::byte> SharedSegment::bulk_ring(int writer) const {
  auto* base = static_cast<std::byte*>(memory_) + kHead + 2 * kMessageRing;
  return {base + static_cast<std::size_t>(writer) * kBulkRing, kBulkRing};
}

}  // namespace weft::comm
