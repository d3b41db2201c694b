#include "mpi_launch/layout/node.hpp"

#include "comm/fabric.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

namespace weft::launch {
namespace {

/// A root folder with what a kernel shows of its RDMA devices.
class FakeRoot {
 public:
  FakeRoot() : path_(std::filesystem::temp_directory_path() / ("weft-node-test-" + std::to_string(::getpid()))) {}
  ~FakeRoot() { std::filesystem::remove_all(path_); }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;
  void device(const std::string& name) { std::filesystem::create_directories(path_ / "sys/class/infiniband" / name); }
  std::string text() const { return path_.string(); }

 private:
  std::filesystem::path path_;
};

TEST(NodeTest, AFastNetworkIsFoundWhereTheKernelListsOne) {
  FakeRoot root;
  HostView host;
  host.root = root.text();
  EXPECT_EQ(read_node("", host).fast_networks, "");
  root.device("mlx5_1");
  root.device("mlx5_0");
  EXPECT_EQ(read_node("", host).fast_networks, "mlx5_0, mlx5_1");
}

TEST(NodeTest, TcpAloneInUcxsVariableLeavesAFastNetworkUnused) {
  for (const char* alone : {"tcp,self", "self,sm,tcp", "tcp"}) EXPECT_NE(comm::why_no_fabric(alone), "") << alone;
  if (comm::why_no_fabric(nullptr).empty()) {
    for (const char* more : {"rc,self", "tcp,ud_x", "^cma", "all"}) EXPECT_EQ(comm::why_no_fabric(more), "") << more;
  }
}

}  // namespace
}  // namespace weft::launch
