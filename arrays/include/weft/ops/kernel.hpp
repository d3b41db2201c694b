#pragma once

#include <weft/array.hpp>
#include <weft/callable.hpp>
#include <weft/chunk_view.hpp>

#include <span>
#include <tuple>

// How kernels of a program become parts of an expression: their types and ranks are read from their signature, and
// checked when the expression is built. One constant (UserKernel) for each type of callable; all else is no template.

namespace weft::arrays::detail {

/// Elements of a type known when the program runs; strides in bytes.
struct RawView {
  std::byte* data = nullptr;
  Dtype dtype;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;
};

/// The type and rank of a view that a kernel takes; of a number that a function takes, the rank is 0.
struct ViewType {
  Dtype dtype;
  std::size_t rank = 0;
};

/// What is known of a type of callable.
struct UserKernel {
  /// The inputs', then the outputs'.
  const ViewType* views = nullptr;
  std::size_t inputs = 0;
  /// Takes NDArrays and returns one: types, ranks and shapes are only known when it runs.
  bool generic = false;
  /// Of kernels on chunks.
  void (*run)(const void* callable, std::span<const RawView> inputs, std::span<const RawView> outputs,
              const BlockInfo& info) = nullptr;
  /// Of functions of numbers: `n` elements.
  void (*tile)(const void* callable, void* out, const void* const* operands, std::size_t n) = nullptr;
  /// Writes what tells this callable from others of its type.
  void (*identify)(const void* callable, Writer& writer) = nullptr;
  void (*encode)(const void* callable, Writer& writer, const SourceLine& line) = nullptr;
  std::shared_ptr<const void> (*decode)(Reader& reader) = nullptr;
  /// More than one only in apply_gufunc.
  std::size_t outputs = 1;

  const ViewType& output(std::size_t which = 0) const { return views[inputs + which]; }
};

/// A callable of a program, as expressions carry it.
/// Owns: a share of the callable.  Threading: constant.
struct UserFunction {
  const UserKernel* kernel = nullptr;
  std::shared_ptr<const void> callable = {};
  /// The user's line, for errors about captures; stays in this process.
  SourceLine line = {};
};

template <class F>
void identify_user(const void* callable, Writer& writer) {
  if constexpr (CallableTraits<F>::kind == CallableKind::Bytes) {
    const auto captured = weft::detail::captured_bytes(*static_cast<const F*>(callable));
    writer.bytes(&captured, sizeof captured);
  } else {
    encode_callable(writer, *static_cast<const F*>(callable), SourceLine{});
  }
}
template <class F>
void encode_user(const void* callable, Writer& writer, const SourceLine& line) {
  encode_callable(writer, *static_cast<const F*>(callable), line);
}
template <class F>
std::shared_ptr<const void> decode_user(Reader& reader) {
  return std::make_shared<const F>(decode_callable<F>(reader));
}

template <class T>
inline constexpr bool is_view = false;
template <class T, std::size_t N>
inline constexpr bool is_view<ChunkView<T, N>> = true;
template <class T>
inline constexpr bool is_input = false;
template <class T, std::size_t N>
inline constexpr bool is_input<ChunkView<const T, N>> = true;

/// The parameters of a callable with one call operator.
template <class F>
struct Signature : Signature<decltype(&F::operator())> {};
template <class R, class... A>
struct Signature<R (*)(A...)> {
  using Parameters = std::tuple<std::decay_t<A>...>;
  using Result = R;
};
template <class R, class... A>
struct Signature<R (*)(A...) noexcept> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const> : Signature<R (*)(A...)> {};
template <class R, class C, class... A>
struct Signature<R (C::*)(A...) const noexcept> : Signature<R (*)(A...)> {};

template <class F>
concept SpelledOut = requires {
  typename Signature<F>::Parameters;
};

template <class View>
View typed_view(const RawView& raw) {
  std::array<std::int64_t, View::kRank> extents{}, strides{};
  for (std::size_t axis = 0; axis < View::kRank; ++axis) {
    extents[axis] = raw.shape[axis];
    strides[axis] = raw.strides[axis] / static_cast<std::int64_t>(sizeof(typename View::value_type));
  }
  return View(reinterpret_cast<typename View::element_type*>(raw.data), extents, strides);
}

NDArray array_of(const RawView& view);
/// Writes what tells a function from others: nodes are equal where it is.
void identify(const UserFunction& function, Writer& writer);
/// Copies what a kernel returned. Throws Error, which names the chunk, where its type or shape is another.
void take_result(const NDArray& result, const RawView& output, const BlockInfo& info);

/// How many NDArrays a result is: 0 where it is something else.
template <class R>
inline constexpr std::size_t arrays_in = 0;
template <>
inline constexpr std::size_t arrays_in<NDArray> = 1;
template <class... A>
inline constexpr std::size_t arrays_in<std::tuple<A...>> = (std::is_same_v<A, NDArray> && ...) ? sizeof...(A) : 0;
template <std::size_t N>
inline constexpr std::size_t arrays_in<std::array<NDArray, N>> = N;

/// A kernel on chunks: views of its inputs, the view it writes, and, if it asks for it, which chunk that is. Or
/// NDArrays of its inputs, and it returns one. With `kMany`, it may write several views, or return several NDArrays.
template <class F, bool kMany = false>
struct ChunkKernel {
  using Parameters = typename Signature<F>::Parameters;
  using Result = std::decay_t<typename Signature<F>::Result>;
  static constexpr std::size_t kParameters = std::tuple_size_v<Parameters>;
  template <std::size_t I>
  using At = std::tuple_element_t<I, Parameters>;
  static constexpr bool asks_info() {
    if constexpr (kParameters > 0) return std::is_same_v<At<kParameters - 1>, BlockInfo>;
    return false;
  }
  static constexpr std::size_t kViews = kParameters - (asks_info() ? 1 : 0);
  static constexpr bool kGeneric = kMany ? arrays_in<Result> != 0 : std::is_same_v<Result, NDArray>;
  /// The views at the end that may be written.
  static constexpr std::size_t written() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      std::size_t count = 0;
      ((count = is_input<At<I>> ? 0 : count + 1), ...);
      return count;
    }
    (std::make_index_sequence<kViews>{});
  }
  static constexpr std::size_t kOutputs = kGeneric ? arrays_in<Result> : (kMany && written() > 0 ? written() : 1);
  static constexpr std::size_t kInputs = kGeneric ? kViews : (kViews < kOutputs ? 0 : kViews - kOutputs);

  static constexpr bool well_formed() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      if constexpr (kGeneric) return (std::is_same_v<At<I>, NDArray> && ...);
      return kViews > 0 && (is_view<At<I>> && ...);
    }
    (std::make_index_sequence<kViews>{});
  }
  static constexpr bool const_inputs() {
    return []<std::size_t... I>(std::index_sequence<I...>) { return kGeneric || (is_input<At<I>> && ...); }
    (std::make_index_sequence<kInputs>{});
  }
  template <class R>
  static void take(const R& result, std::span<const RawView> outputs, const BlockInfo& info) {
    if constexpr (std::is_same_v<R, NDArray>) {
      take_result(result, outputs[0], info);
    } else {
      [&]<std::size_t... O>(std::index_sequence<O...>) { (take_result(std::get<O>(result), outputs[O], info), ...); }
      (std::make_index_sequence<kOutputs>{});
    }
  }
  static void run(const void* callable, std::span<const RawView> inputs, std::span<const RawView> outputs,
                  const BlockInfo& info) {
    const F& function = *static_cast<const F*>(callable);
    [&]<std::size_t... I, std::size_t... O>(std::index_sequence<I...>, std::index_sequence<O...>) {
      if constexpr (kGeneric && asks_info()) {
        take(function(array_of(inputs[I])..., info), outputs, info);
      } else if constexpr (kGeneric) {
        take(function(array_of(inputs[I])...), outputs, info);
      } else if constexpr (asks_info()) {
        function(typed_view<At<I>>(inputs[I])..., typed_view<At<kInputs + O>>(outputs[O])..., info);
      } else {
        function(typed_view<At<I>>(inputs[I])..., typed_view<At<kInputs + O>>(outputs[O])...);
      }
    }
    (std::make_index_sequence<kInputs>{}, std::make_index_sequence < kGeneric ? 0 : kOutputs > {});
  }
  template <std::size_t I>
  static constexpr ViewType type_at() {
    if constexpr (kGeneric) {
      return {};
    } else {
      return {dtype_of<typename At<I>::value_type>(), At<I>::kRank};
    }
  }
  static constexpr auto kTypes = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<ViewType, kInputs + kOutputs>{type_at<I>()...};
  }
  (std::make_index_sequence<kInputs + kOutputs>{});
  static constexpr UserKernel kKernel{kTypes.data(),     kInputs,         kGeneric,        &run,    nullptr,
                                      &identify_user<F>, &encode_user<F>, &decode_user<F>, kOutputs};
};

/// A function of numbers that gives a number.
template <class F>
struct ElementKernel {
  using Parameters = typename Signature<F>::Parameters;
  using Result = std::decay_t<typename Signature<F>::Result>;
  static constexpr std::size_t kArity = std::tuple_size_v<Parameters>;

  static void tile(const void* callable, void* out, const void* const* operands, std::size_t n) {
    const F& function = *static_cast<const F*>(callable);
    Result* const results = static_cast<Result*>(out);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      for (std::size_t i = 0; i < n; ++i) {
        results[i] = function(static_cast<const std::tuple_element_t<I, Parameters>*>(operands[I])[i]...);
      }
    }
    (std::make_index_sequence<kArity>{});
  }
  static constexpr auto kTypes = []<std::size_t... I>(std::index_sequence<I...>) {
    return std::array<ViewType, kArity + 1>{ViewType{dtype_of<std::tuple_element_t<I, Parameters>>(), 0}...,
                                            ViewType{dtype_of<Result>(), 0}};
  }
  (std::make_index_sequence<kArity>{});
  static constexpr UserKernel kKernel{kTypes.data(),     kArity,          false,          nullptr, &tile,
                                      &identify_user<F>, &encode_user<F>, &decode_user<F>};
};

template <bool kMany = false, class F>
UserFunction chunk_function(F function, const std::source_location& where) {
  static_assert(SpelledOut<F>,
                "weft: spell out the kernel's parameter types, and let it be const: "
                "[](ChunkView<const float, 2> in, ChunkView<float, 2> out) { ... }");
  static_assert(CallableTravels<F>,
                "weft: this kernel captures what cannot travel between processes: capture numbers only, or make it a "
                "struct whose fields travel");
  if constexpr (SpelledOut<F> && CallableTravels<F>) {
    using Kernel = ChunkKernel<F, kMany>;
    constexpr bool kWellFormed = Kernel::well_formed();
    static_assert(kWellFormed,
                  "weft: a kernel takes ChunkViews, the last one of its output, and may end with a BlockInfo; or it "
                  "takes NDArrays and returns one");
    if constexpr (kWellFormed) {
      static_assert(Kernel::const_inputs(), "weft: a kernel must not change its inputs: ChunkView<const float, 2>");
      return {&Kernel::kKernel, std::make_shared<const F>(std::move(function)), where};
    }
  }
}

template <std::size_t kOperands, class F>
UserFunction element_function(F function, const std::source_location& where) {
  static_assert(SpelledOut<F>,
                "weft: spell out the function's parameter types, and let it be const: [](float a, float b) { ... }");
  static_assert(CallableTravels<F>,
                "weft: this function captures what cannot travel between processes: capture numbers only, or make it a "
                "struct whose fields travel");
  if constexpr (SpelledOut<F> && CallableTravels<F>) {
    static_assert(ElementKernel<F>::kArity == kOperands,
                  "weft: elementwise was given another number of arrays than its function takes numbers");
    if constexpr (ElementKernel<F>::kArity == kOperands) {
      return {&ElementKernel<F>::kKernel, std::make_shared<const F>(std::move(function)), where};
    }
  }
}

}  // namespace weft::arrays::detail

namespace weft {
/// A callable travels as the place of its constant, and what it captured.
template <>
struct Codec<arrays::detail::UserFunction> {
  using Parts = Types<>;
  static void write(Writer& writer, const arrays::detail::UserFunction& function) {
    weft::encode(writer, function.kernel != nullptr);
    if (function.kernel == nullptr) return;
    encode_address(writer, function.kernel);
    function.kernel->encode(function.callable.get(), writer, function.line);
  }
  static void read(Reader& reader, arrays::detail::UserFunction& function) {
    if (!weft::decode<bool>(reader)) return;
    function.kernel = static_cast<const arrays::detail::UserKernel*>(decode_address(reader));
    function.callable = function.kernel->decode(reader);
  }
};
}  // namespace weft
