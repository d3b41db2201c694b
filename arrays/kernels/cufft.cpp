#include "arrays/kernels/cufft.hpp"

#include "arrays/kernels/cuda_library.hpp"
#include "arrays/kernels/cufft_functions.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace weft::arrays::kernels {
namespace {

using cufft::Handle;

/// All that a plan depends on.
using PlanShape = std::vector<std::int64_t>;
PlanShape shape_of(const DeviceTransform& transform) {
  PlanShape shape = transform.lengths;
  for (const std::int64_t one : {std::int64_t{transform.kind}, std::int64_t{transform.single}, transform.stride,
                                 transform.in_distance, transform.out_distance, transform.batch}) {
    shape.push_back(one);
  }
  return shape;
}

int type_of(const DeviceTransform& transform) {
  switch (transform.kind) {
    case DeviceTransform::RealToComplex:
      return transform.single ? cufft::kR2C : cufft::kD2Z;
    case DeviceTransform::ComplexToReal:
      return transform.single ? cufft::kC2R : cufft::kZ2D;
    case DeviceTransform::Complex:
      break;
  }
  return transform.single ? cufft::kC2C : cufft::kZ2Z;
}

/// The library's functions, what it asked for, and plans that nobody uses now; one is made for its device, and takes
/// any stream of it.
/// Owns: the library and the plans, which stay until the program ends.  Threading: any thread; a mutex for what is
/// kept.
struct Library {
  explicit Library(const std::string& file) {
    void* const handle =
        open_cuda_library({"libcufft.so.12", "libcufft.so.11", "libcufft.so.10", "libcufft.so"}, file, problem);
    find_cuda_function(handle, "cufftCreate", create, problem);
    find_cuda_function(handle, "cufftDestroy", destroy, problem);
    find_cuda_function(handle, "cufftSetStream", set_stream, problem);
    find_cuda_function(handle, "cufftSetWorkArea", set_work_area, problem);
    find_cuda_function(handle, "cufftSetAutoAllocation", set_auto_allocation, problem);
    find_cuda_function(handle, "cufftMakePlanMany64", make_plan, problem);
    find_cuda_function(handle, "cufftExecC2C", c2c, problem);
    find_cuda_function(handle, "cufftExecZ2Z", z2z, problem);
    find_cuda_function(handle, "cufftExecR2C", r2c, problem);
    find_cuda_function(handle, "cufftExecD2Z", d2z, problem);
    find_cuda_function(handle, "cufftExecC2R", c2r, problem);
    find_cuda_function(handle, "cufftExecZ2D", z2d, problem);
  }

  /// Makes a plan without room of its own; tells how much it needs. Returns the library's answer.
  cufft::Status make(const DeviceTransform& transform, Handle& plan, std::size_t& room) const {
    if (const cufft::Status status = create(&plan); status != 0) return status;
    std::vector<long long> lengths(transform.lengths.begin(), transform.lengths.end());
    std::vector<long long> in = lengths, out = lengths;
    if (transform.kind == DeviceTransform::RealToComplex) out.back() = out.back() / 2 + 1;
    if (transform.kind == DeviceTransform::ComplexToReal) in.back() = in.back() / 2 + 1;
    cufft::Status status = set_auto_allocation(plan, 0);
    if (status == 0) {
      status = make_plan(plan, static_cast<int>(lengths.size()), lengths.data(), in.data(), transform.stride,
                         transform.in_distance, out.data(), transform.stride, transform.out_distance,
                         type_of(transform), transform.batch, &room);
    }
    if (status != 0) destroy(plan);
    return status;
  }
  cufft::Status execute(Handle plan, const DeviceTransform& transform, const std::byte* from, std::byte* to) const {
    void* const in = const_cast<std::byte*>(from);
    const int direction = transform.forward ? cufft::kForward : cufft::kInverse;
    switch (transform.kind) {
      case DeviceTransform::RealToComplex:
        return (transform.single ? r2c : d2z)(plan, in, to);
      case DeviceTransform::ComplexToReal:
        return (transform.single ? c2r : z2d)(plan, in, to);
      case DeviceTransform::Complex:
        break;
    }
    return (transform.single ? c2c : z2z)(plan, in, to, direction);
  }

  std::string problem;
  cufft::Create create = nullptr;
  cufft::Destroy destroy = nullptr;
  cufft::SetStream set_stream = nullptr;
  cufft::SetWorkArea set_work_area = nullptr;
  cufft::SetAutoAllocation set_auto_allocation = nullptr;
  cufft::MakePlan make_plan = nullptr;
  cufft::Complex c2c = nullptr, z2z = nullptr;
  cufft::Real r2c = nullptr, d2z = nullptr, c2r = nullptr, z2d = nullptr;
  std::mutex mutex;
  std::map<PlanShape, std::optional<std::size_t>> rooms;
  std::multimap<std::pair<unsigned, PlanShape>, std::pair<Handle, std::size_t>> idle;
};

LoadedLibrary<Library>& loaded() {
  // Never destroyed: the driver may be gone when static objects are.
  static auto& it = *new LoadedLibrary<Library>;
  return it;
}

void check(cufft::Status status, const char* what) {
  if (status == 0) return;
  throw gpu::DeviceError(std::string("cuFFT: ") + what + " was refused: error " + std::to_string(status) +
                         " of cufftResult");
}

}  // namespace

std::string why_no_cufft() {
  if (pretended_device() && !loaded().replaced()) return "the machine's cuFFT knows no pretended device";
  const std::string problem = loaded().get()->problem;
  if (problem.empty()) return {};
  return "cuFFT could not be loaded (" + problem +
         "): install the CUDA toolkit's libcufft, or add its folder to LD_LIBRARY_PATH";
}

std::optional<std::size_t> cufft_room(const DeviceTransform& transform) {
  if (!why_no_cufft().empty()) return {};
  const std::shared_ptr<Library> library = loaded().get();
  const std::lock_guard lock(library->mutex);
  const auto [known, added] = library->rooms.try_emplace(shape_of(transform));
  if (added) {
    Handle plan = 0;
    std::size_t room = 0;
    if (library->make(transform, plan, room) == 0) {
      known->second = room;
      library->destroy(plan);
    }
  }
  return known->second;
}

void transform_on_device(const DeviceStream& stream, const DeviceTransform& transform, std::byte* room,
                         std::size_t room_bytes) {
  if (const std::string why = why_no_cufft(); !why.empty()) throw gpu::DeviceError(why);
  const std::shared_ptr<Library> library = loaded().get();
  const std::pair<unsigned, PlanShape> key(stream.device(), shape_of(transform));
  std::pair<Handle, std::size_t> plan{0, 0};
  {
    const std::lock_guard lock(library->mutex);
    const auto found = library->idle.find(key);
    if (found != library->idle.end()) {
      plan = found->second;
      library->idle.erase(found);
    } else {
      check(library->make(transform, plan.first, plan.second), "a plan");
    }
  }
  struct GiveBack {
    ~GiveBack() {
      const std::lock_guard lock(library.mutex);
      library.idle.emplace(key, plan);
    }
    Library& library;
    const std::pair<unsigned, PlanShape>& key;
    const std::pair<Handle, std::size_t>& plan;
  } const give_back{*library, key, plan};
  if (plan.second > room_bytes) throw gpu::DeviceError("cuFFT wants more room on this device than it said before");
  check(library->set_stream(plan.first, stream.native()), "a stream");
  check(library->set_work_area(plan.first, room), "room to work in");
  const std::size_t real = transform.single ? sizeof(float) : sizeof(double);
  const std::size_t in_bytes = transform.kind == DeviceTransform::RealToComplex ? real : 2 * real;
  const std::size_t out_bytes = transform.kind == DeviceTransform::ComplexToReal ? real : 2 * real;
  for (std::int64_t i = 0; i < transform.times; ++i) {
    check(library->execute(plan.first, transform,
                           transform.in + static_cast<std::size_t>(i * transform.in_step) * in_bytes,
                           transform.out + static_cast<std::size_t>(i * transform.out_step) * out_bytes),
          "a transform");
  }
}

void set_cufft_file(const std::string& file) { loaded().replace(file); }

}  // namespace weft::arrays::kernels
