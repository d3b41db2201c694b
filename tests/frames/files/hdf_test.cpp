#include "frames/files/hdf.hpp"

#include "io/formats/records.hpp"

#include <weft/client.hpp>
#include <weft/dataframe.hpp>
#include <weft/error.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <hdf5.h>

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>

namespace weft {
namespace {

using frames::plan_hdf;
using frames::read_hdf_piece;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// A row of the table that most tests write.
struct Event {
  std::int64_t id;
  double energy;
  std::uint16_t hits;
  std::int8_t flag;
  char name[6];
  float place[3];
  const char* note;
  struct {
    std::int32_t x;
    double y;
  } inner;
};

Event event(std::int64_t i) {
  static const char* const kNotes[] = {"", "one", "a longer note than the others"};
  Event one{};
  one.id = i;
  one.energy = static_cast<double>(i) / 4;
  one.hits = static_cast<std::uint16_t>(65535 - i % 7);
  one.flag = i % 3 == 0 ? 1 : 0;
  std::strncpy(one.name, i % 2 == 0 ? "even" : "odd", sizeof one.name);
  for (int k = 0; k < 3; ++k) one.place[k] = static_cast<float>(10 * i + k);
  one.note = kNotes[i % 3];
  one.inner = {static_cast<std::int32_t>(-i), 0.5};
  return one;
}

hid_t event_type(bool with_energy) {
  const hid_t flag = H5Tenum_create(H5T_NATIVE_INT8);
  const std::int8_t no = 0, yes = 1;
  H5Tenum_insert(flag, "FALSE", &no);
  H5Tenum_insert(flag, "TRUE", &yes);
  const hid_t name = H5Tcopy(H5T_C_S1), note = H5Tcopy(H5T_C_S1);
  H5Tset_size(name, 6);
  H5Tset_size(note, H5T_VARIABLE);
  const hsize_t three = 3;
  const hid_t inner = H5Tcreate(H5T_COMPOUND, sizeof(Event::inner));
  H5Tinsert(inner, "x", 0, H5T_NATIVE_INT32);
  H5Tinsert(inner, "y", 8, H5T_NATIVE_DOUBLE);
  const hid_t type = H5Tcreate(H5T_COMPOUND, sizeof(Event));
  H5Tinsert(type, "id", offsetof(Event, id), H5T_NATIVE_INT64);
  if (with_energy) H5Tinsert(type, "energy", offsetof(Event, energy), H5T_NATIVE_DOUBLE);
  H5Tinsert(type, "hits", offsetof(Event, hits), H5T_NATIVE_UINT16);
  H5Tinsert(type, "flag", offsetof(Event, flag), flag);
  H5Tinsert(type, "name", offsetof(Event, name), name);
  H5Tinsert(type, "place", offsetof(Event, place), H5Tarray_create2(H5T_NATIVE_FLOAT, 1, &three));
  H5Tinsert(type, "note", offsetof(Event, note), note);
  H5Tinsert(type, "inner", offsetof(Event, inner), inner);
  return type;
}

/// A folder that is gone after the test.
class HdfTest : public ::testing::Test {
 protected:
  HdfTest() { std::filesystem::create_directories(folder_); }
  ~HdfTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Writes events [first, first + count) as "events/table". `chunk` 0: not in chunks.
  std::string write_events(const std::string& name, std::int64_t first, std::int64_t count, hsize_t chunk,
                           bool with_energy = true) const {
    std::vector<Event> rows;
    for (std::int64_t i = 0; i < count; ++i) rows.push_back(event(first + i));
    const hid_t file = H5Fcreate(path(name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t create = H5Pcreate(H5P_DATASET_CREATE);
    const auto extent = static_cast<hsize_t>(count);
    const hsize_t most = chunk == 0 ? extent : H5S_UNLIMITED;
    if (chunk != 0) {
      H5Pset_chunk(create, 1, &chunk);
      H5Pset_shuffle(create);
      H5Pset_deflate(create, 4);
    }
    const hid_t space = H5Screate_simple(1, &extent, &most);
    const hid_t type = event_type(with_energy);
    const hid_t set = H5Dcreate2(group, "table", type, space, H5P_DEFAULT, create, H5P_DEFAULT);
    EXPECT_GE(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, rows.data()), 0);
    for (const hid_t one : {set, space, create, group, type}) H5Idec_ref(one);
    H5Fclose(file);
    return path(name);
  }

  /// Writes datasets of one axis into the group "run".
  std::string write_group(const std::string& name, const std::vector<std::pair<std::string, hsize_t>>& sets) const {
    const hid_t file = H5Fcreate(path(name).c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    const hid_t group = H5Gcreate2(file, "run", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    for (const auto& [set_name, count] : sets) {
      std::vector<double> values(count);
      for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<double>(i) + static_cast<double>(set_name.size());
      const hid_t space = H5Screate_simple(1, &count, nullptr);
      const hid_t set =
          H5Dcreate2(group, set_name.c_str(), H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      EXPECT_GE(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), 0);
      H5Dclose(set);
      H5Sclose(space);
    }
    H5Gclose(group);
    H5Fclose(file);
    return path(name);
  }

 private:
  const std::filesystem::path folder_ =
      std::filesystem::path(::testing::TempDir()) / ("weft-hdf-" + std::to_string(::getpid()));
};

Table read_all(const std::vector<std::string>& paths, const std::string& dataset, const HdfOptions& options = {}) {
  std::vector<Table> parts;
  for (const frames::FilePiece& piece : plan_hdf(paths, dataset, options).pieces)
    parts.push_back(read_hdf_piece(piece, dataset, options.columns));
  return Table::concat(parts);
}

Table events(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> id;
  std::vector<std::int32_t> hits, x;
  std::vector<double> energy, y;
  std::vector<bool> flag;
  std::vector<std::string> name, note;
  std::vector<std::vector<float>> place(3);
  for (std::int64_t i = first; i < first + count; ++i) {
    const Event one = event(i);
    id.push_back(one.id);
    energy.push_back(one.energy);
    hits.push_back(one.hits);
    flag.push_back(one.flag != 0);
    name.emplace_back(one.name);
    for (std::size_t k = 0; k < 3; ++k) place[k].push_back(one.place[k]);
    note.emplace_back(one.note);
    x.push_back(one.inner.x);
    y.push_back(one.inner.y);
  }
  return Table({{"id", Column::of(id)},
                {"energy", Column::of(energy)},
                {"hits", Column::of(hits)},
                {"flag", Column::of(flag)},
                {"name", Column::of(name)},
                {"place.0", Column::of(place[0])},
                {"place.1", Column::of(place[1])},
                {"place.2", Column::of(place[2])},
                {"note", Column::of(note)},
                {"inner.x", Column::of(x)},
                {"inner.y", Column::of(y)}});
}

std::string failure_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST_F(HdfTest, EveryMemberOfATableIsAColumn) {
  for (const hsize_t chunk : {0, 1, 64, 5000}) {
    const std::string file = write_events("all" + std::to_string(chunk) + ".h5", 3, 1000, chunk);
    for (const std::string dataset : {"events/table", "/events/table", "events", "/events/"})
      EXPECT_TRUE(read_all({file}, dataset).equals(events(3, 1000))) << chunk << " " << dataset;
  }
}

TEST_F(HdfTest, PartitionsAreRowsInWholeStoredChunks) {
  const std::string file = write_events("a.h5", 0, 1000, 64);
  const frames::HdfPlan plan = plan_hdf({file}, "events", {.chunk_rows = 300});
  ASSERT_EQ(plan.pieces.size(), 4u);
  EXPECT_EQ(plan.pieces[0].end, 256u);
  EXPECT_EQ(plan.pieces[3].end, 1000u);
  EXPECT_EQ(plan_hdf({file}, "events", {.chunk_rows = 0}).pieces.size(), 1u);
  for (const std::uint64_t rows : {1u, 7u, 64u, 300u, 5000u})
    EXPECT_TRUE(read_all({file}, "events", {.chunk_rows = rows}).equals(events(0, 1000))) << rows;
}

TEST_F(HdfTest, OnlyWantedColumnsAreRead) {
  const std::string file = write_events("a.h5", 0, 200, 50);
  const HdfOptions options{.columns = {"inner.y", "place.1", "id"}};
  EXPECT_TRUE(read_all({file}, "events", options).equals(events(0, 200).select(options.columns)));
}

TEST_F(HdfTest, AChunkIsReadOnceForAllItsColumns) {
  const std::string path = write_events("a.h5", 0, 2000, 100);
  const std::shared_ptr<const io::StoredFile> file = io::open_stored(path);
  std::vector<double> energy(2000);
  std::vector<std::int64_t> id(2000);
  const std::vector<io::StoredBox> boxes = {
      {file->find("events/table/energy"), {0}, {2000}, reinterpret_cast<std::byte*>(energy.data()), {8}},
      {file->find("events/table/id"), {0}, {2000}, reinterpret_cast<std::byte*>(id.data()), {8}}};
  io::records_of(*file)->read_together(boxes);
  const auto calls = [] {
    std::ifstream counters("/proc/self/io");
    std::string word;
    for (std::uint64_t value = 0; counters >> word >> value;) {
      if (word == "syscr:") return value;
    }
    return std::uint64_t{0};
  };
  const std::uint64_t before = calls();
  io::records_of(*file)->read_together(boxes);
  // Two more are those of the counters.
  EXPECT_LE(calls() - before, 20u + 4u);
  EXPECT_EQ(energy[1999], 1999.0 / 4);
  EXPECT_EQ(id[1999], 1999);
}

TEST_F(HdfTest, DatasetsOfOneAxisOfAGroupAreColumns) {
  const std::string file = write_group("run.h5", {{"t", 100}, {"volt", 100}});
  const Table table = read_all({file}, "run");
  EXPECT_THAT(table.names(), ElementsAre("t", "volt"));
  EXPECT_EQ(table["volt"].data<double>()[99], 103.0);
  EXPECT_THAT(read_all({file}, "run/volt").names(), ElementsAre("volt"));
}

TEST_F(HdfTest, DatasetsOfOtherLengthsAreRefusedUnlessColumnsAreNamed) {
  const std::string file = write_group("run.h5", {{"t", 100}, {"volt", 7}});
  EXPECT_THAT(
      failure_of([&] { plan_hdf({file}, "run", {}); }),
      AllOf(HasSubstr(file), HasSubstr("'run/t' has 100"), HasSubstr("'run/volt' has 7"), HasSubstr("`.columns`")));
  EXPECT_EQ(read_all({file}, "run", {.columns = {"volt"}}).row_count(), 7u);
}

TEST_F(HdfTest, AMissingMemberIsNamedWithThoseThereAre) {
  const std::string file = write_events("a.h5", 0, 10, 5);
  EXPECT_THAT(failure_of([&] { plan_hdf({file}, "events", {.columns = {"enrgy"}}); }),
              AllOf(HasSubstr(file), HasSubstr("'enrgy'"), HasSubstr("'energy'")));
  EXPECT_THAT(failure_of([&] { plan_hdf({file}, "evnts", {}); }),
              AllOf(HasSubstr(file), HasSubstr("'evnts'"), HasSubstr("'events/table'")));
}

TEST_F(HdfTest, FilesThatDifferAreBothNamed) {
  const std::string first = write_events("a.h5", 0, 10, 5), second = write_events("b.h5", 10, 10, 5, false);
  EXPECT_THAT(failure_of([&] {
                plan_hdf({first, second}, "events", {});
              }),
              AllOf(HasSubstr(first), HasSubstr(second), HasSubstr("'energy'")));
  EXPECT_EQ(read_all({first, second}, "events", {.columns = {"id"}}).row_count(), 20u);
}

TEST_F(HdfTest, TablesWithoutRowsHaveTheirColumns) {
  const std::string none = write_events("none.h5", 0, 0, 5), some = write_events("some.h5", 0, 10, 5);
  EXPECT_TRUE(read_all({none}, "events").equals(events(0, 0)));
  EXPECT_TRUE(read_all({none, some, none}, "events").equals(events(0, 10)));
}

TEST_F(HdfTest, WhatIsNoHdf5IsRefusedByName) {
  const std::string text = path("notes.h5");
  std::ofstream(text) << "energy,id\n1,2\n";
  EXPECT_THAT(failure_of([&] { plan_hdf({text}, "events", {}); }), HasSubstr(text));
  const std::string classic = path("classic.h5");
  std::ofstream(classic, std::ios::binary)
      << std::string("CDF\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 32);
  EXPECT_THAT(failure_of([&] { plan_hdf({classic}, "events", {}); }),
              AllOf(HasSubstr(classic), HasSubstr("read_hdf reads HDF5")));
}

TEST_F(HdfTest, DamagedFilesGiveRowsOrAnErrorWithTheirName) {
  const std::string whole = write_events("whole.h5", 0, 200, 50);
  std::ifstream in(whole, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t i = 0; i < 300; ++i) {
    std::string damaged = bytes;
    if (i % 3 == 0) {
      damaged.resize(bytes.size() * i / 300);
    } else {
      damaged[i * 7919 % bytes.size()] = static_cast<char>(0xff - i);
    }
    const std::string copy = path("damaged" + std::to_string(i) + ".h5");
    std::ofstream(copy, std::ios::binary) << damaged;
    const std::string failure = failure_of([&] { read_all({copy}, "events"); });
    EXPECT_TRUE(failure == "nothing was thrown" || failure.find(copy) != std::string::npos) << failure;
    std::filesystem::remove(copy);
  }
}

TEST_F(HdfTest, FramesOfManyFilesKeepTheirOrderAndReadWhatIsNeeded) {
  for (int i = 0; i < 12; ++i) write_events("run" + std::to_string(10 + i) + ".h5", 100 * i, 100, 32);
  Client client({.scheduler = "threads", .threads = 2, .progress = "off"});
  DataFrame frame = read_hdf(path("run*.h5"), "events", {.chunk_rows = 64});
  EXPECT_EQ(frame.npartitions(), 24u);
  EXPECT_TRUE(frame.compute(client).equals(events(0, 1200)));
  frame = frame.assign("double", frame["energy"] * 2.0);
  const Table means = frame[frame["flag"]].groupby("name")["double"].mean().compute(client);
  // Of 0, 3, 6, ..., 1197 the even ones are 0, 6, ..., 1194, the odd ones 3, 9, ..., 1197.
  EXPECT_EQ(std::get<double>(means["double"].cell(0)), 597.0 / 2);
  EXPECT_EQ(std::get<double>(means["double"].cell(1)), 600.0 / 2);
}

}  // namespace
}  // namespace weft
