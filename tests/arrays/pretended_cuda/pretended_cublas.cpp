// Stands for cuBLAS on a pretended device: its entry points, which compute on the host, in the order of the stream.
// What the real one would refuse is refused here: matrices whose rows overlap, a call before its stream and room are
// set.
#include <complex>
#include <cstddef>
#include <cstring>
#include <functional>

extern "C" {
/// Set by the test: puts a function on a pretended stream.
void (*weft_pretended_put)(void* stream, std::function<void()> function) = nullptr;
/// Counted by the test, and what it makes fail: the product of this number, counted from 1.
int weft_pretended_handles = 0, weft_pretended_products = 0, weft_pretended_refuse_at = 0, weft_pretended_tf32 = 0;
}

namespace {

constexpr int kBadValue = 7, kNotInitialized = 1, kFailed = 13;

struct Handle {
  void* stream = nullptr;
  void* room = nullptr;
  std::size_t room_bytes = 0;
};

struct Matrix {
  const void* data;
  long long leading, stride;
  bool transposed;
  template <class T>
  T at(long long matrix, long long row, long long column) const {
    if (transposed) std::swap(row, column);
    return static_cast<const T*>(data)[matrix * stride + row + column * leading];
  }
};

template <class T>
void multiply(int m, int n, int k, T alpha, const Matrix& a, const Matrix& b, T beta, T* c, long long ldc,
              long long stride, int count) {
  for (long long matrix = 0; matrix < count; ++matrix) {
    for (long long j = 0; j < n; ++j) {
      for (long long i = 0; i < m; ++i) {
        T sum{};
        for (long long l = 0; l < k; ++l) sum += a.at<T>(matrix, i, l) * b.at<T>(matrix, l, j);
        T& to = c[matrix * stride + i + j * ldc];
        // What is not read may hold anything.
        to = beta == T(0) ? alpha * sum : alpha * sum + beta * to;
      }
    }
  }
}

}  // namespace

extern "C" {

int cublasCreate_v2(Handle** handle) {
  *handle = new Handle;
  ++weft_pretended_handles;
  return 0;
}
int cublasDestroy_v2(Handle* handle) {
  delete handle;
  return 0;
}
int cublasSetStream_v2(Handle* handle, void* stream) {
  *handle = {stream};
  return 0;
}
int cublasSetWorkspace_v2(Handle* handle, void* room, std::size_t bytes) {
  handle->room = room;
  handle->room_bytes = bytes;
  return 0;
}
const char* cublasGetStatusString(int status) { return status == kFailed ? "pretended failure" : "pretended refusal"; }

int cublasGemmStridedBatchedEx(Handle* handle, int op_a, int op_b, int m, int n, int k, const void* alpha,
                               const void* a, int type_a, int lda, long long stride_a, const void* b, int type_b,
                               int ldb, long long stride_b, const void* beta, void* c, int type_c, int ldc,
                               long long stride_c, int count, int compute, int) {
  if (handle->stream == nullptr || handle->room == nullptr) return kNotInitialized;
  if (++weft_pretended_products == weft_pretended_refuse_at) return kFailed;
  if (type_a != type_b || type_a != type_c) return kBadValue;
  if (lda < (op_a == 0 ? m : k) || ldb < (op_b == 0 ? k : n) || ldc < m) return kBadValue;
  if (compute == 77) ++weft_pretended_tf32;
  const Matrix left{a, lda, stride_a, op_a != 0}, right{b, ldb, stride_b, op_b != 0};
  const auto put = [&](auto zero) {
    using T = decltype(zero);
    T one{}, other{};
    std::memcpy(&one, alpha, sizeof one);
    std::memcpy(&other, beta, sizeof other);
    weft_pretended_put(handle->stream, [=, room = handle->room, room_bytes = handle->room_bytes] {
      std::memset(room, 0xcd, room_bytes);
      multiply(m, n, k, one, left, right, other, static_cast<T*>(c), ldc, stride_c, count);
    });
    return 0;
  };
  switch (type_a) {
    case 0:
      return put(float{});
    case 1:
      return put(double{});
    case 4:
      return put(std::complex<float>{});
    case 5:
      return put(std::complex<double>{});
    default:
      return kBadValue;
  }
}

}  // extern "C"
