#include "core/memory/limits.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace weft {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

/// A made-up machine: 64 GiB, 16 cores, no variables.
class LimitsTest : public testing::Test {
 protected:
  LimitsTest() {
    std::string pattern = testing::TempDir() + "weft_limits_XXXXXX";
    host_.root = ::mkdtemp(pattern.data());
    host_.environment.emplace();
    host_.affinity_cores = 16;
    write("/proc/meminfo", "MemTotal:       67108864 kB\nMemFree: 1 kB\n");
  }
  ~LimitsTest() override { std::filesystem::remove_all(host_.root); }

  void write(const std::string& path, const std::string& text) {
    const std::filesystem::path place = host_.root + path;
    std::filesystem::create_directories(place.parent_path());
    std::ofstream(place) << text;
  }
  void variable(const std::string& name, const std::string& value) { (*host_.environment)[name] = value; }
  void mount_v2(const std::string& group, const std::string& root = "/") {
    write("/proc/self/mountinfo", "31 23 0:28 " + root + " /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
    write("/proc/self/cgroup", "0::" + group + "\n");
  }
  void mount_v1(const std::string& group, const std::string& root = "/") {
    write("/proc/self/mountinfo",
          "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
          "32 31 0:29 " +
              root +
              " /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
              "33 31 0:30 " +
              root + " /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n");
    write("/proc/self/cgroup", "4:memory:" + group + "\n1:cpu,cpuacct:" + group + "\n0::/\n");
  }

  HostView host_;
};

TEST_F(LimitsTest, BareMachineGivesItsTotals) {
  const MemoryLimits limits = read_limits(host_);
  EXPECT_EQ(limits.bytes, 65536 * kMiB);
  EXPECT_EQ(limits.bytes_source, "MemTotal of /proc/meminfo");
  EXPECT_EQ(limits.usable_cores, 16u);
  EXPECT_EQ(limits.cores_source, "affinity of the process");
}

TEST_F(LimitsTest, TightestAncestorOfVersion2Wins) {
  mount_v2("/job/step/task");
  write("/sys/fs/cgroup/job/step/task/memory.max", "max\n");
  write("/sys/fs/cgroup/job/step/memory.max", std::to_string(4096 * kMiB) + "\n");
  write("/sys/fs/cgroup/job/memory.max", std::to_string(8192 * kMiB) + "\n");
  write("/sys/fs/cgroup/job/cpu.max", "350000 100000\n");
  write("/sys/fs/cgroup/job/step/cpu.max", "max 100000\n");
  const MemoryLimits limits = read_limits(host_);
  EXPECT_EQ(limits.bytes, 4096 * kMiB);
  EXPECT_EQ(limits.bytes_source, "cgroup v2 /sys/fs/cgroup/job/step/memory.max");
  EXPECT_EQ(limits.memory.size(), 3u);
  EXPECT_EQ(limits.usable_cores, 3u);
  EXPECT_EQ(limits.cores_source, "cgroup v2 /sys/fs/cgroup/job/cpu.max");
}

TEST_F(LimitsTest, TightestAncestorOfVersion1Wins) {
  mount_v1("/slurm/job_7");
  write("/sys/fs/cgroup/memory/slurm/job_7/memory.limit_in_bytes", "9223372036854771712\n");
  write("/sys/fs/cgroup/memory/slurm/memory.limit_in_bytes", std::to_string(2048 * kMiB) + "\n");
  write("/sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_quota_us", "200000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/slurm/job_7/cpu.cfs_period_us", "100000\n");
  write("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_quota_us", "-1\n");
  write("/sys/fs/cgroup/cpu,cpuacct/slurm/cpu.cfs_period_us", "100000\n");
  const MemoryLimits limits = read_limits(host_);
  EXPECT_EQ(limits.bytes, 2048 * kMiB);
  EXPECT_EQ(limits.bytes_source, "cgroup v1 /sys/fs/cgroup/memory/slurm/memory.limit_in_bytes");
  EXPECT_EQ(limits.memory.size(), 2u);
  EXPECT_EQ(limits.usable_cores, 2u);
}

TEST_F(LimitsTest, ContainerSeesItsOwnFolderMountedAsTheRoot) {
  mount_v1("/docker/abc", "/docker/abc");
  write("/sys/fs/cgroup/memory/memory.limit_in_bytes", std::to_string(512 * kMiB) + "\n");
  EXPECT_EQ(read_limits(host_).bytes, 512 * kMiB);
  mount_v1("/elsewhere", "/docker/abc");
  EXPECT_EQ(read_limits(host_).bytes, 512 * kMiB);
}

TEST_F(LimitsTest, QuotaBelowOneCoreStillGivesOne) {
  mount_v2("/small");
  write("/sys/fs/cgroup/small/cpu.max", "50000 100000\n");
  EXPECT_EQ(read_limits(host_).usable_cores, 1u);
}

TEST_F(LimitsTest, SlurmMemoryOfTheNodeAndOfItsCores) {
  variable("SLURM_MEM_PER_NODE", "16384");
  EXPECT_EQ(read_limits(host_).bytes, 16384 * kMiB);
  EXPECT_EQ(read_limits(host_).bytes_source, "SLURM_MEM_PER_NODE");
  variable("SLURM_MEM_PER_NODE", "0");
  EXPECT_EQ(read_limits(host_).bytes, 65536 * kMiB);
  variable("SLURM_MEM_PER_CPU", "1000");
  variable("SLURM_JOB_CPUS_PER_NODE", "8(x2),4");
  variable("SLURM_CPUS_PER_TASK", "4");
  EXPECT_EQ(read_limits(host_).bytes, 8000 * kMiB);
  EXPECT_EQ(read_limits(host_).bytes_source, "SLURM_MEM_PER_CPU x SLURM_JOB_CPUS_PER_NODE");
  EXPECT_EQ(read_limits(host_).usable_cores, 4u);
  EXPECT_EQ(read_limits(host_).cores_source, "SLURM_CPUS_PER_TASK");
}

TEST_F(LimitsTest, MalformedNumbersAreNoLimits) {
  mount_v2("/job");
  write("/sys/fs/cgroup/job/memory.max", "lots\n");
  write("/sys/fs/cgroup/job/cpu.max", "\n");
  variable("SLURM_CPUS_PER_TASK", "-3");
  variable("SLURM_MEM_PER_NODE", "all");
  const MemoryLimits limits = read_limits(host_);
  EXPECT_EQ(limits.bytes, 65536 * kMiB);
  EXPECT_EQ(limits.usable_cores, 16u);
}

TEST_F(LimitsTest, AddressSpaceLimitCounts) {
  host_.address_space_bytes = 1024 * kMiB;
  EXPECT_EQ(read_limits(host_).bytes_source, "RLIMIT_AS (ulimit -v)");
}

TEST_F(LimitsTest, OomKillsAreCountedInBothVersions) {
  EXPECT_FALSE(read_oom_count(host_).has_value());
  mount_v2("/job");
  write("/sys/fs/cgroup/job/memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 3\noom_group_kill 0\n");
  ASSERT_TRUE(read_oom_count(host_).has_value());
  EXPECT_EQ(read_oom_count(host_)->kills, 3u);
  mount_v1("/job");
  write("/sys/fs/cgroup/memory/job/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 5\n");
  EXPECT_EQ(read_oom_count(host_)->kills, 5u);
  EXPECT_EQ(read_oom_count(host_)->source, "/sys/fs/cgroup/memory/job/memory.oom_control");
}

TEST_F(LimitsTest, ResidentMemoryComesFromTheProcessStatus) {
  write("/proc/self/status", "Name:\tx\nVmHWM:\t   2048 kB\nVmRSS:\t    1024 kB\n");
  write("/proc/self/statm", "900 256 10 1 0 30 0\n");
  EXPECT_EQ(read_resident(host_).resident_bytes, kMiB);
  EXPECT_EQ(read_resident(host_).peak_bytes, 2 * kMiB);
  EXPECT_GE(read_resident_bytes(host_), kMiB);
}

TEST(ThisMachine, LimitsAreFoundAndNamed) {
  const MemoryLimits limits = memory_limits();
  EXPECT_GT(limits.bytes, 64 * kMiB);
  EXPECT_FALSE(limits.bytes_source.empty());
  EXPECT_GE(limits.usable_cores, 1u);
  EXPECT_GT(read_resident().peak_bytes, kMiB);
  EXPECT_GT(read_resident_bytes(), kMiB);
}

TEST_F(LimitsTest, RoomIsTheLeastBelowAnyLimitWithoutWhatCachesHold) {
  EXPECT_FALSE(read_memory_room(host_)) << "this machine does not say what is available";
  write("/proc/meminfo", "MemTotal:       67108864 kB\nMemAvailable:   33554432 kB\n");
  EXPECT_EQ(read_memory_room(host_)->left_bytes, 32768 * kMiB);
  EXPECT_EQ(read_memory_room(host_)->source, "MemTotal of /proc/meminfo");
  mount_v2("/job/task");
  write("/sys/fs/cgroup/job/memory.max", "1073741824\n");
  write("/sys/fs/cgroup/job/memory.stat", "anon 536870912\nfile 500000000\nshmem 268435456\n");
  EXPECT_EQ(read_memory_room(host_)->left_bytes, 256 * kMiB);
  EXPECT_EQ(read_memory_room(host_)->limit_bytes, 1024 * kMiB);
  EXPECT_EQ(read_memory_room(host_)->source, "cgroup v2 /sys/fs/cgroup/job/memory.max");
}

TEST_F(LimitsTest, RoomOfVersion1CountsAllGroupsBelow) {
  mount_v1("/job");
  write("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1073741824\n");
  write("/sys/fs/cgroup/memory/job/memory.stat", "rss 1\ntotal_cache 900000000\ntotal_rss 1072693248\n");
  EXPECT_EQ(read_memory_room(host_)->left_bytes, 1 * kMiB);
}

}  // namespace
}  // namespace weft
