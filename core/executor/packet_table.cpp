#include "core/executor/packet_table.hpp"

#include "core/diagnostics/assert.hpp"

#include <sys/mman.h>

#include <new>

namespace weft {
namespace {
constexpr std::size_t kMostPackets = std::size_t{1} << 26;
}

PacketTable::PacketTable() {
  void* const place = ::mmap(nullptr, kMostPackets * sizeof(PacketEntry), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  WEFT_ASSERT(place != MAP_FAILED, "address space for the packet table must be available");
  entries_ = static_cast<PacketEntry*>(place);
}

PacketTable::~PacketTable() {
  for (PacketId id = 0; id < constructed_; ++id) entries_[id].~PacketEntry();
  ::munmap(entries_, kMostPackets * sizeof(PacketEntry));
}

void PacketTable::prepare(PacketId id) {
  WEFT_ASSERT(id < kMostPackets, "packet ids must be given out densely");
  for (; constructed_ <= id; ++constructed_) ::new (static_cast<void*>(&entries_[constructed_])) PacketEntry;
}

}  // namespace weft
