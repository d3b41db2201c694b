#include "arrays/kernels/lapack.hpp"

#include <weft/error.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <type_traits>
#include <vector>

namespace weft::arrays::kernels {
namespace {

#if defined(__x86_64__)
/// OpenBLAS knows processors by model number: on one that is newer than itself it falls back to the kernels of 2004,
/// which are five times slower. Its own variable names the right ones; it is set before main, while there is one
/// thread, and before the library is loaded, which reads it once. What the user has set is left alone.
const bool named_kernels = [] {
  if (std::getenv("OPENBLAS_CORETYPE") != nullptr) return false;
  __builtin_cpu_init();
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                    __builtin_cpu_supports("avx512cd");
  const char* name = nullptr;
  if (wide) {
    name = __builtin_cpu_supports("avx512bf16") ? "Cooperlake" : "SkylakeX";
  } else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    name = __builtin_cpu_is("amd") ? "Zen" : "Haswell";
  }
  return name != nullptr && setenv("OPENBLAS_CORETYPE", name, 0) == 0;
}();
#endif

enum Routine { Gemm, Trsm, Potrf, Getrf, Geqrf, ApplyQ, Gesdd, Heevd, Gelsd, kRoutines };
/// For real and for complex types.
constexpr const char* kNames[kRoutines][2] = {{"gemm_", "gemm_"},   {"trsm_", "trsm_"},   {"potrf_", "potrf_"},
                                              {"getrf_", "getrf_"}, {"geqrf_", "geqrf_"}, {"ormqr_", "unmqr_"},
                                              {"gesdd_", "gesdd_"}, {"syevd_", "heevd_"}, {"gelsd_", "gelsd_"}};
constexpr const char kLetters[] = "sdcz";

/// The library's functions. Owns: the library, which stays until the program ends.
struct Library {
  void* functions[kRoutines][4] = {};
  const char* (*kernels)() = nullptr;
  std::string problem;
};

void* open_library(std::string& problem) {
  for (const char* const name : {WEFT_BLAS_LIBRARY, "libopenblas.so.0", "libopenblas.so"}) {
    if (name[0] == 0) continue;
    if (void* const handle = dlopen(name, RTLD_NOW | RTLD_LOCAL)) return handle;
    const char* const why = dlerror();
    problem = why != nullptr ? why : name;
  }
  return nullptr;
}

Library load() {
  Library library;
  void* const handle = open_library(library.problem);
  if (handle == nullptr) return library;
  library.problem.clear();
  for (int routine = 0; routine < kRoutines; ++routine) {
    for (int type = 0; type < 4; ++type) {
      const std::string name = kLetters[type] + std::string(kNames[routine][type / 2]);
      library.functions[routine][type] = dlsym(handle, name.c_str());
      if (library.functions[routine][type] == nullptr) {
        library.problem = "it lacks " + name + " (was it built without LAPACK?)";
        return library;
      }
    }
  }
  // One thread a slot: the slots are the parallelism.
  if (void* const set = dlsym(handle, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(set)(1);
  library.kernels = reinterpret_cast<const char* (*)()>(dlsym(handle, "openblas_get_corename"));
  return library;
}

const Library& library() {
  static const Library loaded = load();
  return loaded;
}

template <class T>
constexpr int kType = std::is_same_v<T, float>                 ? 0
                      : std::is_same_v<T, double>              ? 1
                      : std::is_same_v<T, std::complex<float>> ? 2
                                                               : 3;
template <class T>
constexpr bool kComplex = !std::is_same_v<T, RealOf<T>>;

/// Calls a routine as Fortran does: everything by address, then the lengths of the words.
template <class T, class... A>
void call(Routine routine, A... arguments) {
  void* const function = library().functions[routine][kType<T>];
  if (function == nullptr) require_lapack("linear algebra");
  reinterpret_cast<void (*)(A...)>(function)(arguments...);
}

LapackInt count(std::int64_t value) {
  if (value > INT32_MAX) {
    throw Error("linear algebra: a chunk has " + std::to_string(value) +
                " rows, columns or work elements, more than the library can count: use smaller chunks");
  }
  return static_cast<LapackInt>(value);
}

constexpr std::size_t kWord = 1;

/// Asks a routine for the room it wants, then gives it that.
template <class T, class Run>
void with_room(const Run& run) {
  T wanted{};
  run(&wanted, -1);
  const auto size = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::real(wanted)));
  std::vector<T> room(static_cast<std::size_t>(size));
  run(room.data(), count(size));
}

}  // namespace

bool has_lapack() { return library().problem.empty(); }

void require_lapack(const char* operation) {
  if (has_lapack()) return;
  throw Error(
      std::string(operation) + ": needs OpenBLAS, which could not be loaded (" + library().problem +
      "): install libopenblas0 (openblas on other systems), or name its file in -DWEFT_BLAS_LIBRARY when weft is "
      "configured");
}

std::string lapack_kernels() { return library().kernels != nullptr ? library().kernels() : ""; }

template <class T>
void gemm(char transpose_a, char transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  const LapackInt rows = count(m), columns = count(n), inner = count(k);
  const LapackInt la = count(lda), lb = count(ldb), lc = count(ldc);
  call<T>(Gemm, &transpose_a, &transpose_b, &rows, &columns, &inner, &alpha, a, &la, b, &lb, &beta, c, &lc, kWord,
          kWord);
}

template <class T>
void trsm(char side, char uplo, char transpose, char diagonal, std::int64_t m, std::int64_t n, const T* a,
          std::int64_t lda, T* b, std::int64_t ldb) {
  const LapackInt rows = count(m), columns = count(n), la = count(lda), lb = count(ldb);
  const T one = 1;
  call<T>(Trsm, &side, &uplo, &transpose, &diagonal, &rows, &columns, &one, a, &la, b, &lb, kWord, kWord, kWord, kWord);
}

template <class T>
LapackInt potrf(char uplo, std::int64_t n, T* a, std::int64_t lda) {
  const LapackInt order = count(n), la = count(lda);
  LapackInt info = 0;
  call<T>(Potrf, &uplo, &order, a, &la, &info, kWord);
  return info;
}

template <class T>
void getrf(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, LapackInt* pivots) {
  const LapackInt rows = count(m), columns = count(n), la = count(lda);
  LapackInt info = 0;
  call<T>(Getrf, &rows, &columns, a, &la, pivots, &info);
}

template <class T>
void geqrf(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, T* tau) {
  const LapackInt rows = count(m), columns = count(n), la = count(lda);
  LapackInt info = 0;
  with_room<T>([&](T* room, LapackInt size) { call<T>(Geqrf, &rows, &columns, a, &la, tau, room, &size, &info); });
}

template <class T>
void apply_q(char transpose, std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* tau,
             T* c, std::int64_t ldc) {
  // The routine writes into the reflectors and restores them before it returns; other tasks may read them meanwhile.
  std::vector<T> reflected(static_cast<std::size_t>(m * k));
  for (std::int64_t j = 0; j < k; ++j) std::copy_n(a + j * lda, m, reflected.data() + j * m);
  const char side = 'L';
  const char how = transpose == 'N' ? 'N' : kComplex<T> ? 'C' : 'T';
  const LapackInt rows = count(m), columns = count(n), reflectors = count(k), la = count(std::max<std::int64_t>(1, m));
  const LapackInt lc = count(ldc);
  LapackInt info = 0;
  with_room<T>([&](T* room, LapackInt size) {
    call<T>(ApplyQ, &side, &how, &rows, &columns, &reflectors, reflected.data(), &la, tau, c, &lc, room, &size, &info,
            kWord, kWord);
  });
}

template <class T>
LapackInt gesdd(std::int64_t m, std::int64_t n, T* a, std::int64_t lda, RealOf<T>* s, T* u, std::int64_t ldu, T* vt,
                std::int64_t ldvt) {
  const char job = 'S';
  const LapackInt rows = count(m), columns = count(n), la = count(lda), lu = count(ldu), lv = count(ldvt);
  const std::int64_t least = std::min(m, n), most = std::max(m, n);
  std::vector<LapackInt> integers(static_cast<std::size_t>(std::max<std::int64_t>(1, 8 * least)));
  std::vector<RealOf<T>> reals(kComplex<T> ? static_cast<std::size_t>(std::max<std::int64_t>(
                                                 1, least * std::max(5 * least + 7, 2 * most + 2 * least + 1)))
                                           : 0);
  LapackInt info = 0;
  with_room<T>([&](T* room, LapackInt size) {
    if constexpr (kComplex<T>) {
      call<T>(Gesdd, &job, &rows, &columns, a, &la, s, u, &lu, vt, &lv, room, &size, reals.data(), integers.data(),
              &info, kWord);
    } else {
      call<T>(Gesdd, &job, &rows, &columns, a, &la, s, u, &lu, vt, &lv, room, &size, integers.data(), &info, kWord);
    }
  });
  return info;
}

template <class T>
LapackInt heevd(char uplo, std::int64_t n, T* a, std::int64_t lda, RealOf<T>* w) {
  const char job = 'V';
  const LapackInt order = count(n), la = count(lda);
  const LapackInt integer_count = count(3 + 5 * n), real_count = count(1 + 5 * n + 2 * n * n);
  std::vector<LapackInt> integers(static_cast<std::size_t>(integer_count));
  std::vector<RealOf<T>> reals(kComplex<T> ? static_cast<std::size_t>(real_count) : 0);
  LapackInt info = 0;
  with_room<T>([&](T* room, LapackInt size) {
    if constexpr (kComplex<T>) {
      call<T>(Heevd, &job, &uplo, &order, a, &la, w, room, &size, reals.data(), &real_count, integers.data(),
              &integer_count, &info, kWord, kWord);
    } else {
      call<T>(Heevd, &job, &uplo, &order, a, &la, w, room, &size, integers.data(), &integer_count, &info, kWord, kWord);
    }
  });
  return info;
}

template <class T>
LapackInt gelsd(std::int64_t m, std::int64_t n, std::int64_t columns, T* a, std::int64_t lda, T* b, std::int64_t ldb,
                RealOf<T>* s, RealOf<T> rcond, LapackInt& rank) {
  const LapackInt rows = count(m), unknowns = count(n), sides = count(columns), la = count(lda), lb = count(ldb);
  // Room for trees of subproblems of the smallest size, 25, which is the library's choice; twice that to be safe.
  const std::int64_t least = std::max<std::int64_t>(1, std::min(m, n));
  std::vector<LapackInt> integers(static_cast<std::size_t>(3 * least * 40 + 22 * least));
  const std::int64_t small = 26;
  std::vector<RealOf<T>> reals(
      kComplex<T> ? static_cast<std::size_t>(10 * least + 2 * least * small + 8 * least * 40 + 3 * small * columns +
                                             std::max(small * small, least * (1 + columns) + 2 * columns) +
                                             10 * std::max(m, n) + 64)
                  : 0);
  LapackInt info = 0;
  with_room<T>([&](T* room, LapackInt size) {
    if constexpr (kComplex<T>) {
      call<T>(Gelsd, &rows, &unknowns, &sides, a, &la, b, &lb, s, &rcond, &rank, room, &size, reals.data(),
              integers.data(), &info);
    } else {
      call<T>(Gelsd, &rows, &unknowns, &sides, a, &la, b, &lb, s, &rcond, &rank, room, &size, integers.data(), &info);
    }
  });
  return info;
}

#define WEFT_INSTANTIATE(T)                                                                                            \
  template void gemm<T>(char, char, std::int64_t, std::int64_t, std::int64_t, T, const T*, std::int64_t, const T*,     \
                        std::int64_t, T, T*, std::int64_t);                                                            \
  template void trsm<T>(char, char, char, char, std::int64_t, std::int64_t, const T*, std::int64_t, T*, std::int64_t); \
  template LapackInt potrf<T>(char, std::int64_t, T*, std::int64_t);                                                   \
  template void getrf<T>(std::int64_t, std::int64_t, T*, std::int64_t, LapackInt*);                                    \
  template void geqrf<T>(std::int64_t, std::int64_t, T*, std::int64_t, T*);                                            \
  template void apply_q<T>(char, std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, const T*, T*,       \
                           std::int64_t);                                                                              \
  template LapackInt gesdd<T>(std::int64_t, std::int64_t, T*, std::int64_t, RealOf<T>*, T*, std::int64_t, T*,          \
                              std::int64_t);                                                                           \
  template LapackInt heevd<T>(char, std::int64_t, T*, std::int64_t, RealOf<T>*);                                       \
  template LapackInt gelsd<T>(std::int64_t, std::int64_t, std::int64_t, T*, std::int64_t, T*, std::int64_t,            \
                              RealOf<T>*, RealOf<T>, LapackInt&);
WEFT_INSTANTIATE(float)
WEFT_INSTANTIATE(double)
WEFT_INSTANTIATE(std::complex<float>)
WEFT_INSTANTIATE(std::complex<double>)
#undef WEFT_INSTANTIATE

}  // namespace weft::arrays::kernels
