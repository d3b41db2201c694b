// The heat budget of an ocean's mixed layer on a staggered grid (Arakawa's C): temperature in the middles of cells,
// transports through their faces. A gyre and eddies move heat for 30 days; what is stored is what comes in through the
// faces and through the surface, in every cell.
//
//     heat_budget [RESULT.npz]     or mpirun -n 4 heat_budget
#include <weft/weft.hpp>

#include <weft/staggered.hpp>

#include <cstdio>
#include <numbers>
#include <string>
#include <vector>

using namespace weft;

namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr double kRadius = 6.371e6;           // m
constexpr double kHeat = 1026 * 3990 * 50.0;  // J / (K m2): density, heat capacity, a layer of 50 m
constexpr double kMixing = 1'000;             // m2 / s
constexpr double kDay = 86'400;               // s
constexpr int kDays = 30;

Coordinate every_5_degrees(const char* name, double first, int count) {
  std::vector<double> labels;
  for (int i = 0; i < count; ++i) labels.push_back(first + 5 * i);
  return Coordinate::of_numbers(name, labels);
}

/// The labels themselves, in radians.
LabelledArray angle(const Coordinate& labels) {
  return {from(std::vector<double>(labels.numbers())) * kDegree, {labels.name()}, {{labels.name(), labels}}};
}
LabelledArray sine(const LabelledArray& x) {
  return x.apply([](const Array& y) { return sin(y); });
}
LabelledArray cosine(const LabelledArray& x) {
  return x.apply([](const Array& y) { return cos(y); });
}

}  // namespace

int main(int argc, char** argv) {
  return run(argc, argv, [](Client& client, Args args) {
    // 80 S to 80 N between walls, and once around.
    const StaggeredAxis lat(every_5_degrees("lat", -77.5, 32), every_5_degrees("lat_face", -80, 33));
    const StaggeredAxis lon(every_5_degrees("lon", 2.5, 72), every_5_degrees("lon_face", 0, 72),
                            {.beyond = Beyond::Periodic, .period = 360});
    const LabelledArray y = angle(lat.middles()), x = angle(lon.middles());
    const LabelledArray y_face = angle(lat.faces()), x_face = angle(lon.faces());

    // Metrics: of cells their area and their height, m2 and m; of faces how far apart the middles at both sides are, m.
    const LabelledArray area = lat.diff(sine(y_face)) * lon.spacing("lon") * (kRadius * kRadius * kDegree);
    const LabelledArray height = lat.spacing("lat") * (kRadius * kDegree);
    const LabelledArray width = cosine(y_face) * lon.spacing("lon") * (kRadius * kDegree);
    const LabelledArray per_metre_east = 1.0 / (cosine(y) * (kRadius * kDegree));
    const double per_metre_north = 1 / (kRadius * kDegree);

    // Transports per metre of depth from a stream function at the corners, m2 / s: what flows in flows out.
    const LabelledArray from_wall = cosine(y_face * (90.0 / 80));  // 0 at 80 N and S
    const LabelledArray stream = from_wall * from_wall * (sine(x_face * 2) * sine(y_face * 4) + sine(y_face)) * 2e6;
    const LabelledArray east = -lat.diff(stream);  // lat, lon_face
    const LabelledArray north = lon.diff(stream);  // lat_face, lon

    const LabelledArray into_surface = sine(y) * 80.0 + 15.0 + 0.0 * x;                                // W / m2
    const LabelledArray start = cosine(y) * cosine(y) * 28.0 + cosine(x * 3) * cosine(y) * cosine(y);  // Celsius

    const auto convergence = [&](const LabelledArray& to_east, const LabelledArray& to_north) {
      return -(lon.diff(to_east) + lat.diff(to_north)) / area;
    };
    const auto settled = [&client](const LabelledArray& field) {
      return LabelledArray(client.persist(field.data()), field.dims(), field.coordinates());
    };
    LabelledArray t = start, advection = start * 0.0, mixing = advection;
    for (int day = 0; day < kDays; ++day) {
      const LabelledArray carried = convergence(east * lon.mean(t), north * lat.mean(t)) * kHeat;
      const LabelledArray mixed = convergence(-(lon.derivative(t) * per_metre_east * height) * kMixing,
                                              -(lat.derivative(t) * width * per_metre_north) * kMixing) *
                                  kHeat;
      t = settled(t + (carried + mixed + into_surface) * (kDay / kHeat));
      advection = settled(advection + carried * (1.0 / kDays));
      mixing = settled(mixing + mixed * (1.0 / kDays));
    }
    const LabelledArray storage = (t - start) * (kHeat / (kDays * kDay));
    const LabelledArray residual = storage - advection - mixing - into_surface;

    const auto in_box = [&](const LabelledArray& field) {
      const auto box = [](const LabelledArray& of) {
        return of.sel("lat", between(-5, 5)).sel("lon", between(190, 240));
      };
      return box(field).weighted(box(area)).mean().data();
    };
    const Array anywhere = max(abs(residual.data())), through_walls = sum((advection * area).data());
    const auto [stored, carried, mixed, surface, left, gained] = client.compute(
        in_box(storage), in_box(advection), in_box(mixing), in_box(into_surface), anywhere, through_walls);
    std::printf("5 S to 5 N, 170 to 120 W, in W/m2: storage %.2f = advection %.2f + mixing %.2f + surface %.2f\n",
                stored.item<double>(), carried.item<double>(), mixed.item<double>(), surface.item<double>());
    std::printf("the residual is below 1e-9 W/m2 in all cells: %s\n", left.item<double>() < 1e-9 ? "yes" : "no");
    std::printf("advection makes no heat: %s\n", std::abs(gained.item<double>()) < 1 ? "yes" : "no");
    if (args.size() > 0) {
      save_npz(
          client, std::string(args[0]),
          {{"t", t.data()}, {"storage", storage.data()}, {"advection", advection.data()}, {"mixing", mixing.data()}});
    }
  });
}
