// Stands for cuFFT on a pretended device: its entry points, which compute sums on the host, in the order of the stream.
// The input of a transform to real numbers is lost, as the real one may lose it.
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <numbers>
#include <vector>

extern "C" {
/// Set by the test: puts a function on a pretended stream.
void (*weft_pretended_put)(void* stream, std::function<void()> function) = nullptr;
/// Counted, and what fails: the transform of this number, counted from 1.
int weft_pretended_transforms = 0, weft_pretended_refuse_at = 0;
}

namespace {

constexpr int kInvalidPlan = 1, kExecutionFailed = 6, kInvalidSize = 8;
constexpr std::size_t kRoom = 1000;

struct Side {
  std::vector<long long> embedded;
  long long stride = 1, distance = 0;
  /// Where an element of a batch lies, in elements of the side.
  long long place(long long batch, const std::vector<long long>& index) const {
    long long at = 0;
    for (std::size_t axis = 0; axis < index.size(); ++axis) at = at * embedded[axis] + index[axis];
    return batch * distance + at * stride;
  }
};

struct Plan {
  std::vector<long long> n;
  Side in, out;
  long long batch = 0;
  int type = 0;
  void* stream = nullptr;
  void* room = nullptr;
};

struct Plans {
  std::mutex mutex;
  std::map<int, Plan> all;
  int next = 0;
};
Plans& plans() {
  static Plans it;
  return it;
}
Plan* find(int handle) {
  const std::lock_guard lock(plans().mutex);
  const auto found = plans().all.find(handle);
  return found == plans().all.end() ? nullptr : &found->second;
}

/// Calls visit for each index of a box.
template <class Visit>
void each(const std::vector<long long>& n, const Visit& visit) {
  std::vector<long long> index(n.size(), 0);
  for (;;) {
    visit(index);
    std::size_t axis = n.size();
    for (;;) {
      if (axis-- == 0) return;
      if (++index[axis] < n[axis]) break;
      index[axis] = 0;
    }
  }
}

/// One element of the spectrum: the sum over all points, which `value` gives.
template <class Value>
std::complex<double> sum(const std::vector<long long>& n, const std::vector<long long>& k, int direction,
                         const Value& value) {
  std::complex<double> total = 0;
  each(n, [&](const std::vector<long long>& index) {
    double turns = 0;
    for (std::size_t axis = 0; axis < n.size(); ++axis)
      turns += static_cast<double>(index[axis] * k[axis] % n[axis]) / static_cast<double>(n[axis]);
    total += value(index) * std::polar(1.0, direction * 2 * std::numbers::pi * turns);
  });
  return total;
}

template <class T>
void complex_to_complex(const Plan& plan, const std::complex<T>* in, std::complex<T>* out, int direction) {
  for (long long b = 0; b < plan.batch; ++b) {
    each(plan.n, [&](const std::vector<long long>& k) {
      out[plan.out.place(b, k)] = std::complex<T>(sum(plan.n, k, direction, [&](const std::vector<long long>& index) {
        return std::complex<double>(in[plan.in.place(b, index)]);
      }));
    });
  }
}
template <class T>
void real_to_complex(const Plan& plan, const T* in, std::complex<T>* out) {
  std::vector<long long> half = plan.n;
  half.back() = half.back() / 2 + 1;
  for (long long b = 0; b < plan.batch; ++b) {
    each(half, [&](const std::vector<long long>& k) {
      out[plan.out.place(b, k)] = std::complex<T>(sum(plan.n, k, -1, [&](const std::vector<long long>& index) {
        return std::complex<double>(in[plan.in.place(b, index)]);
      }));
    });
  }
}
template <class T>
void complex_to_real(const Plan& plan, std::complex<T>* in, T* out) {
  for (long long b = 0; b < plan.batch; ++b) {
    // The half that is not there is the conjugate of the other.
    const auto value = [&](std::vector<long long> index) {
      if (index.back() <= plan.n.back() / 2) return std::complex<double>(in[plan.in.place(b, index)]);
      for (std::size_t axis = 0; axis < index.size(); ++axis) index[axis] = (plan.n[axis] - index[axis]) % plan.n[axis];
      return std::conj(std::complex<double>(in[plan.in.place(b, index)]));
    };
    each(plan.n, [&](const std::vector<long long>& x) {
      out[plan.out.place(b, x)] = static_cast<T>(sum(plan.n, x, 1, value).real());
    });
  }
  in[0] = std::complex<T>(static_cast<T>(NAN), 0);
}

template <class Run>
int execute(int handle, int type, const Run& run) {
  Plan* const plan = find(handle);
  if (plan == nullptr || plan->type != type || plan->stream == nullptr || plan->room == nullptr) return kInvalidPlan;
  if (++weft_pretended_transforms == weft_pretended_refuse_at) return kExecutionFailed;
  weft_pretended_put(plan->stream, [run, of = *plan] {
    std::memset(of.room, 0xcd, kRoom);
    run(of);
  });
  return 0;
}

}  // namespace

extern "C" {

int cufftCreate(int* handle) {
  const std::lock_guard lock(plans().mutex);
  *handle = ++plans().next;
  plans().all[*handle];
  return 0;
}
int cufftDestroy(int handle) {
  const std::lock_guard lock(plans().mutex);
  plans().all.erase(handle);
  return 0;
}
int cufftSetStream(int handle, void* stream) {
  find(handle)->stream = stream;
  return 0;
}
int cufftSetWorkArea(int handle, void* room) {
  find(handle)->room = room;
  return 0;
}
int cufftSetAutoAllocation(int, int allocates) { return allocates == 0 ? 0 : kInvalidPlan; }

int cufftMakePlanMany64(int handle, int rank, long long* n, long long* in_embedded, long long in_stride,
                        long long in_distance, long long* out_embedded, long long out_stride, long long out_distance,
                        int type, long long batch, std::size_t* room) {
  Plan* const plan = find(handle);
  if (rank < 1 || rank > 3 || plan == nullptr) return kInvalidSize;
  plan->n.assign(n, n + rank);
  plan->in = {std::vector<long long>(in_embedded, in_embedded + rank), in_stride, in_distance};
  plan->out = {std::vector<long long>(out_embedded, out_embedded + rank), out_stride, out_distance};
  plan->type = type;
  plan->batch = batch;
  *room = kRoom;
  return 0;
}

int cufftExecC2C(int handle, void* in, void* out, int direction) {
  return execute(handle, 0x29, [=](const Plan& plan) {
    complex_to_complex(plan, static_cast<const std::complex<float>*>(in), static_cast<std::complex<float>*>(out),
                       direction);
  });
}
int cufftExecZ2Z(int handle, void* in, void* out, int direction) {
  return execute(handle, 0x69, [=](const Plan& plan) {
    complex_to_complex(plan, static_cast<const std::complex<double>*>(in), static_cast<std::complex<double>*>(out),
                       direction);
  });
}
int cufftExecR2C(int handle, void* in, void* out) {
  return execute(handle, 0x2a, [=](const Plan& plan) {
    real_to_complex(plan, static_cast<const float*>(in), static_cast<std::complex<float>*>(out));
  });
}
int cufftExecD2Z(int handle, void* in, void* out) {
  return execute(handle, 0x6a, [=](const Plan& plan) {
    real_to_complex(plan, static_cast<const double*>(in), static_cast<std::complex<double>*>(out));
  });
}
int cufftExecC2R(int handle, void* in, void* out) {
  return execute(handle, 0x2c, [=](const Plan& plan) {
    complex_to_real(plan, static_cast<std::complex<float>*>(in), static_cast<float*>(out));
  });
}
int cufftExecZ2D(int handle, void* in, void* out) {
  return execute(handle, 0x6c, [=](const Plan& plan) {
    complex_to_real(plan, static_cast<std::complex<double>*>(in), static_cast<double*>(out));
  });
}

}  // extern "C"
