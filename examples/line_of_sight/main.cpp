// Where a millimetre-wave antenna reaches: laser points (LAS files) become a surface of square cells in tiles, and
// lines between points are followed from cell to cell. A file is a task, so is a tile, so are some hundred lines; a
// tile is made from the files that touch it, and a line needs the tiles that it crosses.
//
//     line_of_sight [FOLDER_OF_LAS_FILES [RESULT]]     without a folder: a made-up town; or mpirun -n 4 line_of_sight
#include <weft/weft.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

// LAS files of laser scans (ASPRS LAS 1.0 to 1.3, point formats 0 to 3): a header of little-endian numbers, then points
// of equal length whose coordinates are integers, times a scale, plus an offset.

namespace las {

static_assert(std::endian::native == std::endian::little, "LAS: numbers are copied as they lie in the file");

struct Header {
  std::uint8_t point_format = 0;
  std::uint16_t point_bytes = 0;
  std::uint32_t point_count = 0;
  std::uint32_t points_at = 0;
  std::array<double, 3> scale = {0.01, 0.01, 0.01};
  std::array<double, 3> offset = {0, 0, 0};
  std::array<double, 3> least = {0, 0, 0};
  std::array<double, 3> most = {0, 0, 0};
};

struct Points {
  std::vector<double> x, y, z;
  std::size_t size() const { return x.size(); }
};

namespace detail {

constexpr std::size_t kHeaderBytes = 227;
constexpr std::array<std::uint16_t, 4> kPointBytes = {20, 28, 26, 34};

template <class T>
T number(const char* bytes, std::size_t at) {
  T value;
  std::memcpy(&value, bytes + at, sizeof value);
  return value;
}

template <class T>
void put(char* bytes, std::size_t at, T value) {
  std::memcpy(bytes + at, &value, sizeof value);
}

[[noreturn]] inline void fail(const std::string& path, const std::string& what) {
  throw std::runtime_error("the point file '" + path + "' " + what);
}

}  // namespace detail

/// Reads what a file holds and where. Throws std::runtime_error where it is no such file.
inline Header read_header(std::ifstream& file, const std::string& path) {
  char bytes[detail::kHeaderBytes];
  if (!file.read(bytes, sizeof bytes)) detail::fail(path, "cannot be read, or is shorter than a header of LAS");
  if (std::memcmp(bytes, "LASF", 4) != 0) detail::fail(path, "is no LAS file: it does not begin with LASF");
  const int minor = bytes[25];
  if (bytes[24] != 1 || minor > 3)
    detail::fail(path,
                 "is of LAS " + std::to_string(bytes[24]) + "." + std::to_string(minor) + ": 1.0 to 1.3 are read");
  Header header;
  header.points_at = detail::number<std::uint32_t>(bytes, 96);
  header.point_format = static_cast<std::uint8_t>(bytes[104]);
  header.point_bytes = detail::number<std::uint16_t>(bytes, 105);
  header.point_count = detail::number<std::uint32_t>(bytes, 107);
  if (header.point_format >= detail::kPointBytes.size()) {
    // Two high bits mark points that are compressed (LAZ).
    detail::fail(path,
                 "has points of format " + std::to_string(header.point_format) + ": 0 to 3 are read, uncompressed");
  }
  if (header.point_bytes < detail::kPointBytes[header.point_format] || header.points_at < detail::kHeaderBytes)
    detail::fail(path, "is damaged: its points are shorter than their format, or begin within the header");
  for (std::size_t axis = 0; axis < 3; ++axis) {
    header.scale[axis] = detail::number<double>(bytes, 131 + 8 * axis);
    header.offset[axis] = detail::number<double>(bytes, 155 + 8 * axis);
    header.most[axis] = detail::number<double>(bytes, 179 + 16 * axis);
    header.least[axis] = detail::number<double>(bytes, 187 + 16 * axis);
  }
  file.seekg(0, std::ios::end);
  const auto bytes_there = static_cast<std::uint64_t>(file.tellg());
  if (header.points_at + std::uint64_t{header.point_count} * header.point_bytes > bytes_there)
    detail::fail(path, "is cut off: " + std::to_string(header.point_count) + " points do not fit into it");
  return header;
}

inline Header read_header(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return read_header(file, path);
}

/// Reads the coordinates of all points.
inline Points read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const Header header = read_header(file, path);
  Points points;
  for (std::vector<double>* axis : {&points.x, &points.y, &points.z}) axis->reserve(header.point_count);
  std::vector<char> record(header.point_bytes);
  file.seekg(header.points_at);
  for (std::uint32_t i = 0; i < header.point_count; ++i) {
    if (!file.read(record.data(), header.point_bytes)) detail::fail(path, "cannot be read to its end");
    const auto coordinate = [&](std::size_t axis) {
      return detail::number<std::int32_t>(record.data(), 4 * axis) * header.scale[axis] + header.offset[axis];
    };
    points.x.push_back(coordinate(0));
    points.y.push_back(coordinate(1));
    points.z.push_back(coordinate(2));
  }
  return points;
}

/// Writes points in hundredths, as LAS 1.2; what formats have besides coordinates is left zero.
inline void write(const std::string& path, const Points& points, std::uint8_t format) {
  char bytes[detail::kHeaderBytes] = {};
  const std::uint16_t point_bytes = detail::kPointBytes.at(format);
  std::memcpy(bytes, "LASF", 4);
  bytes[24] = 1;
  bytes[25] = 2;
  std::memcpy(bytes + 26, "weft", 4);
  std::memcpy(bytes + 58, "weft line_of_sight", 18);
  detail::put<std::uint16_t>(bytes, 94, detail::kHeaderBytes);
  detail::put<std::uint32_t>(bytes, 96, detail::kHeaderBytes);
  bytes[104] = static_cast<char>(format);
  detail::put<std::uint16_t>(bytes, 105, point_bytes);
  detail::put<std::uint32_t>(bytes, 107, static_cast<std::uint32_t>(points.size()));
  detail::put<std::uint32_t>(bytes, 111, static_cast<std::uint32_t>(points.size()));
  const std::vector<double>* const axes[] = {&points.x, &points.y, &points.z};
  const auto in_hundredths = [](double value) { return static_cast<std::int32_t>(std::lround(value * 100)); };
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::int32_t least = INT32_MAX, most = INT32_MIN;
    for (const double value : *axes[axis]) {
      least = std::min(least, in_hundredths(value));
      most = std::max(most, in_hundredths(value));
    }
    detail::put<double>(bytes, 131 + 8 * axis, 0.01);
    detail::put<double>(bytes, 179 + 16 * axis, points.size() == 0 ? 0 : most * 0.01);
    detail::put<double>(bytes, 187 + 16 * axis, points.size() == 0 ? 0 : least * 0.01);
  }
  std::ofstream file(path, std::ios::binary);
  file.write(bytes, sizeof bytes);
  std::vector<char> record(point_bytes);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t axis = 0; axis < 3; ++axis) detail::put(record.data(), 4 * axis, in_hundredths((*axes[axis])[i]));
    record[14] = 0x09;  // the first of one return
    file.write(record.data(), point_bytes);
  }
  if (!file.flush()) detail::fail(path, "cannot be written");
}

}  // namespace las

namespace {

constexpr int kTile = 64;         // cells of a metre
constexpr float kEmpty = -1e30f;  // no point has come down here: nothing in the way
constexpr double kAntenna = 8, kReceiver = 1.5;

/// What there is of the surface: columns and rows of cells, from a corner in whole metres.
struct Grid {
  std::int64_t west = 0, south = 0;
  std::int64_t columns = 0, rows = 0;

  std::int64_t tiles_across() const { return (columns + kTile - 1) / kTile; }
  std::int64_t tiles_up() const { return (rows + kTile - 1) / kTile; }
};

/// A part of the surface: the highest point of each cell.
struct Tile {
  std::int64_t column = 0, row = 0;  // of its first cell
  std::int64_t columns = 0, rows = 0;
  std::vector<float> heights;

  float at(std::int64_t c, std::int64_t r) const {
    return heights[static_cast<std::size_t>((r - row) * columns + (c - column))];
  }
};

/// From a place to a place, in cells, and how high.
struct Line {
  double x0 = 0, y0 = 0, z0 = 0, x1 = 0, y1 = 0, z1 = 0;
};

double cell_of(double place) { return std::floor(place); }

/// Makes a tile from the points of all files that touch it. A cell without a point gets the highest of its neighbours.
Tile make_tile(const Grid& grid, std::int64_t across, std::int64_t up, const std::vector<las::Points>& files) {
  Tile tile{across * kTile,
            up * kTile,
            std::min<std::int64_t>(kTile, grid.columns - across * kTile),
            std::min<std::int64_t>(kTile, grid.rows - up * kTile),
            {}};
  // With a rim, for the neighbours of cells at the edge.
  const std::int64_t width = tile.columns + 2, height = tile.rows + 2;
  std::vector<float> seen(static_cast<std::size_t>(width * height), kEmpty);
  for (const las::Points& points : files) {
    for (std::size_t i = 0; i < points.size(); ++i) {
      const auto c = static_cast<std::int64_t>(cell_of(points.x[i])) - grid.west;
      const auto r = static_cast<std::int64_t>(cell_of(points.y[i])) - grid.south;
      if (c < 0 || r < 0 || c >= grid.columns || r >= grid.rows) continue;
      const std::int64_t x = c - tile.column + 1, y = r - tile.row + 1;
      if (x < 0 || y < 0 || x >= width || y >= height) continue;
      float& cell = seen[static_cast<std::size_t>(y * width + x)];
      cell = std::max(cell, static_cast<float>(points.z[i]));
    }
  }
  for (std::int64_t y = 1; y + 1 < height; ++y) {
    for (std::int64_t x = 1; x + 1 < width; ++x) {
      float value = seen[static_cast<std::size_t>(y * width + x)];
      if (value == kEmpty) {
        for (int i = 0; i < 9; ++i)
          value = std::max(value, seen[static_cast<std::size_t>((y + i / 3 - 1) * width + x + i % 3 - 1)]);
      }
      tile.heights.push_back(value);
    }
  }
  return tile;
}

/// Finds the heights of cells in some tiles.
class Surface {
 public:
  explicit Surface(const std::vector<Tile>& tiles) {
    for (const Tile& tile : tiles) by_place_[{tile.column / kTile, tile.row / kTile}] = &tile;
  }
  float at(std::int64_t column, std::int64_t row) const {
    const auto found = by_place_.find({column / kTile, row / kTile});
    return found == by_place_.end() ? kEmpty : found->second->at(column, row);
  }

 private:
  std::map<std::pair<std::int64_t, std::int64_t>, const Tile*> by_place_;
};

/// Follows a line from cell to cell: it is free if it is above all of them but the first and the last.
bool is_free(const Surface& surface, const Line& line) {
  auto column = static_cast<std::int64_t>(cell_of(line.x0)), row = static_cast<std::int64_t>(cell_of(line.y0));
  const auto last_column = static_cast<std::int64_t>(cell_of(line.x1)),
             last_row = static_cast<std::int64_t>(cell_of(line.y1));
  const std::int64_t first_column = column, first_row = row;
  const double dx = line.x1 - line.x0, dy = line.y1 - line.y0, dz = line.z1 - line.z0;
  const double never = std::numeric_limits<double>::infinity();
  const int step_x = dx > 0 ? 1 : -1, step_y = dy > 0 ? 1 : -1;
  // How far along the line the next column and the next row begin; from 0 to 1.
  const auto border = [](double from, double by, std::int64_t cell) {
    return by == 0 ? std::numeric_limits<double>::infinity()
                   : (static_cast<double>(cell + (by > 0 ? 1 : 0)) - from) / by;
  };
  double next_x = border(line.x0, dx, column), next_y = border(line.y0, dy, row);
  double entered = 0;
  for (std::int64_t left = std::abs(last_column - column) + std::abs(last_row - row); left >= 0; --left) {
    const double leaves = std::min({next_x, next_y, 1.0});
    const bool is_end = (column == first_column && row == first_row) || (column == last_column && row == last_row);
    const double lowest = line.z0 + dz * (dz < 0 ? leaves : entered);
    if (!is_end && lowest < static_cast<double>(surface.at(column, row))) return false;
    if (next_x < next_y) {
      column += step_x;
      next_x = dx == 0 ? never : border(line.x0, dx, column);
    } else {
      row += step_y;
      next_y = dy == 0 ? never : border(line.y0, dy, row);
    }
    entered = leaves;
  }
  return true;
}

/// Lines between places above the surface: 1 where one is free.
std::vector<char> follow(const std::vector<Line>& lines, const std::vector<Tile>& tiles) {
  const Surface surface(tiles);
  std::vector<char> free;
  for (Line line : lines) {
    line.z0 += static_cast<double>(
        surface.at(static_cast<std::int64_t>(cell_of(line.x0)), static_cast<std::int64_t>(cell_of(line.y0))));
    line.z1 += static_cast<double>(
        surface.at(static_cast<std::int64_t>(cell_of(line.x1)), static_cast<std::int64_t>(cell_of(line.y1))));
    free.push_back(is_free(surface, line) ? 1 : 0);
  }
  return free;
}

/// From one antenna to the middle of each cell of a tile.
std::vector<char> see_tile(Line line, std::int64_t column, std::int64_t row, std::int64_t columns, std::int64_t rows,
                           const std::vector<Tile>& tiles) {
  std::vector<Line> lines;
  for (std::int64_t r = row; r < row + rows; ++r) {
    for (std::int64_t c = column; c < column + columns; ++c) {
      line.x1 = static_cast<double>(c) + 0.5;
      line.y1 = static_cast<double>(r) + 0.5;
      lines.push_back(line);
    }
  }
  return follow(lines, tiles);
}

/// Numbers from 0 to 1 that other languages can repeat.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return static_cast<double>((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
  }

 private:
  std::uint64_t state_;
};

/// A hilly town of 180 by 150 metres, scanned in nine flights that overlap.
void make_town(const std::string& folder) {
  Random random(11);
  struct House {
    double west, south, east, north, height;
  };
  std::vector<House> houses;
  for (int i = 0; i < 40; ++i) {
    const double west = 170 * random.next(), south = 140 * random.next();
    houses.push_back({west, south, west + 4 + 8 * random.next(), south + 4 + 8 * random.next(), 3 + 9 * random.next()});
  }
  for (int flight = 0; flight < 9; ++flight) {
    las::Points points;
    for (int i = 0; i < 12'500; ++i) {
      const double x = 60 * (flight % 3) + 62 * random.next(), y = 50 * (flight / 3) + 52 * random.next();
      if (x >= 180 || y >= 150) continue;
      double z = 100 + 6 * std::sin(x / 25) + 4 * std::cos(y / 20);
      for (const House& house : houses) {
        if (x >= house.west && x < house.east && y >= house.south && y < house.north) z += house.height;
      }
      points.x.push_back(x);
      points.y.push_back(y);
      points.z.push_back(z + 0.1 * random.next());
    }
    las::write(folder + "/flight" + std::to_string(flight) + ".las", points, static_cast<std::uint8_t>(flight % 4));
  }
}

std::vector<std::string> point_files(const std::string& folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".las") paths.push_back(entry.path().string());
  }
  if (paths.empty()) throw std::runtime_error("there is no file *.las in '" + folder + "'");
  std::sort(paths.begin(), paths.end());
  return paths;
}

/// The files, what they say of themselves, and the surface that holds all of their points.
struct Site {
  std::vector<std::string> paths;
  std::vector<las::Header> headers;
  std::uint64_t point_count = 0;
  Grid grid;
};

Site look_at(const std::string& folder) {
  Site site;
  site.paths = point_files(folder);
  double east = -1e300, north = -1e300, west = 1e300, south = 1e300;
  for (const std::string& path : site.paths) {
    const las::Header& header = site.headers.emplace_back(las::read_header(path));
    site.point_count += header.point_count;
    west = std::min(west, header.least[0]);
    south = std::min(south, header.least[1]);
    east = std::max(east, header.most[0]);
    north = std::max(north, header.most[1]);
  }
  site.grid.west = static_cast<std::int64_t>(cell_of(west));
  site.grid.south = static_cast<std::int64_t>(cell_of(south));
  site.grid.columns = static_cast<std::int64_t>(cell_of(east)) + 1 - site.grid.west;
  site.grid.rows = static_cast<std::int64_t>(cell_of(north)) + 1 - site.grid.south;
  return site;
}

/// The surface as tasks: a tile from the files that touch it.
struct Tiles {
  Grid grid;
  std::vector<weft::Future<Tile>> all;

  /// Returns those that lie between two places.
  std::vector<weft::Future<Tile>> between(const Line& line) const {
    std::vector<weft::Future<Tile>> some;
    const auto tile_of = [](double place) { return static_cast<std::int64_t>(place) / kTile; };
    for (std::int64_t up = tile_of(std::min(line.y0, line.y1)); up <= tile_of(std::max(line.y0, line.y1)); ++up) {
      for (std::int64_t across = tile_of(std::min(line.x0, line.x1)); across <= tile_of(std::max(line.x0, line.x1));
           ++across)
        some.push_back(all[static_cast<std::size_t>(up * grid.tiles_across() + across)]);
    }
    return some;
  }
};

Tiles submit_tiles(const weft::Client& client, const Site& site) {
  std::vector<weft::Future<las::Points>> files;
  for (const std::string& path : site.paths)
    files.push_back(client.submit([](const std::string& file) { return las::read(file); }, path));
  Tiles tiles{site.grid, {}};
  for (std::int64_t up = 0; up < site.grid.tiles_up(); ++up) {
    for (std::int64_t across = 0; across < site.grid.tiles_across(); ++across) {
      std::vector<weft::Future<las::Points>> touching;
      for (std::size_t i = 0; i < files.size(); ++i) {
        const auto reaches = [&](std::size_t axis, std::int64_t tile, std::int64_t origin) {
          const auto begin = static_cast<double>(origin + tile * kTile - 1);
          return site.headers[i].most[axis] >= begin && site.headers[i].least[axis] <= begin + kTile + 2;
        };
        if (reaches(0, across, site.grid.west) && reaches(1, up, site.grid.south)) touching.push_back(files[i]);
      }
      tiles.all.push_back(client.submit(make_tile, site.grid, across, up, touching));
    }
  }
  return tiles;
}

/// 2000 links between places of chance; those from one tile to another are a task.
std::vector<char> follow_links(const weft::Client& client, const Tiles& tiles) {
  Random random(23);
  std::vector<Line> lines;
  const auto columns = static_cast<double>(tiles.grid.columns), rows = static_cast<double>(tiles.grid.rows);
  std::map<std::vector<std::int64_t>, std::vector<std::size_t>> groups;  // by the tiles of the ends
  for (std::size_t i = 0; i < 2000; ++i) {
    const Line line{columns * random.next(), rows * random.next(), kAntenna,
                    columns * random.next(), rows * random.next(), kReceiver};
    lines.push_back(line);
    std::vector<std::int64_t> ends;
    for (const double place : {line.x0, line.y0, line.x1, line.y1})
      ends.push_back(static_cast<std::int64_t>(place) / kTile);
    groups[ends].push_back(i);
  }
  std::vector<weft::Future<std::vector<char>>> followed;
  for (const auto& [ends, members] : groups) {
    std::vector<Line> some;
    for (const std::size_t i : members) some.push_back(lines[i]);
    followed.push_back(client.submit(follow, some, tiles.between(some.front())));
  }
  std::vector<char> links(lines.size());
  std::size_t group = 0;
  for (const auto& [ends, members] : groups) {
    const std::vector<char> free = followed[group++].result();
    for (std::size_t i = 0; i < free.size(); ++i) links[members[i]] = free[i];
  }
  return links;
}

/// What an antenna in the middle reaches: each tile is a task.
std::vector<char> see_all(const weft::Client& client, const Tiles& tiles) {
  const Grid& grid = tiles.grid;
  const Line antenna{
      static_cast<double>(grid.columns) / 2 + 0.25, static_cast<double>(grid.rows) / 2 + 0.25, 20, 0, 0, kReceiver};
  struct View {
    std::int64_t column, row, wide;
    weft::Future<std::vector<char>> seen;
  };
  std::vector<View> views;
  for (std::int64_t row = 0; row < grid.rows; row += kTile) {
    for (std::int64_t column = 0; column < grid.columns; column += kTile) {
      Line far = antenna;
      far.x1 = static_cast<double>(column);
      far.y1 = static_cast<double>(row);
      const std::int64_t wide = std::min<std::int64_t>(kTile, grid.columns - column);
      const std::int64_t high = std::min<std::int64_t>(kTile, grid.rows - row);
      views.push_back(
          {column, row, wide, client.submit(see_tile, antenna, column, row, wide, high, tiles.between(far))});
    }
  }
  std::vector<char> seen(static_cast<std::size_t>(grid.columns * grid.rows));
  for (const View& view : views) {
    const std::vector<char> part = view.seen.result();
    for (std::size_t i = 0; i < part.size(); ++i) {
      const auto at = static_cast<std::int64_t>(i);
      seen[static_cast<std::size_t>((view.row + at / view.wide) * grid.columns + view.column + at % view.wide)] =
          part[i];
    }
  }
  return seen;
}

void run_on(const weft::Client& client, const std::string& folder, const std::string& result) {
  const Site site = look_at(folder);
  const Tiles tiles = submit_tiles(client, site);
  const std::vector<char> links = follow_links(client, tiles);
  const std::vector<char> seen = see_all(client, tiles);
  std::printf("%zu files with %llu points; a surface of %lld x %lld cells in %zu tiles\n", site.paths.size(),
              static_cast<unsigned long long>(site.point_count), static_cast<long long>(site.grid.columns),
              static_cast<long long>(site.grid.rows), tiles.all.size());
  std::printf("%td of %zu links are free\n", std::count(links.begin(), links.end(), 1), links.size());
  std::printf("an antenna in the middle, 20 m high, reaches %td of %zu cells\n",
              std::count(seen.begin(), seen.end(), 1), seen.size());
  if (result.empty()) return;
  std::ofstream file(result);
  file << site.grid.west << ' ' << site.grid.south << ' ' << site.grid.columns << ' ' << site.grid.rows << '\n';
  for (const char one : links) file << static_cast<int>(one);
  file << '\n';
  for (const char one : seen) file << static_cast<int>(one);
  file << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  return weft::run(argc, argv, [](weft::Client& client, weft::Args args) {
    if (!args.empty()) return run_on(client, args[0], args.size() > 1 ? args[1] : "");
    std::string folder = (std::filesystem::temp_directory_path() / "weft-town-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for the town can be made");
    try {
      make_town(folder);
      run_on(client, folder, "");
    } catch (...) {
      std::filesystem::remove_all(folder);
      throw;
    }
    std::filesystem::remove_all(folder);
  });
}
