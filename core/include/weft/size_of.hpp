#pragma once

#include <weft/encode.hpp>

#include <concepts>
#include <type_traits>

namespace weft {

/// Returns the bytes `value` holds, its heap included: what a memory budget is charged for it. Exact but for the
/// allocator's own bookkeeping; a constant for trivially copyable types. Types that weft does not know count as
/// sizeof; teach it with `std::size_t weft_size_of(const T&)` (the whole, not the heap alone) beside the type.
template <class T>
constexpr std::size_t size_of(const T& value);

namespace detail {

template <class T>
concept HasSizeFunction = requires(const T& value) {
  { weft_size_of(value) } -> std::convertible_to<std::size_t>;
};

// Blocks of elements side by side: std::vector, std::string, and whatever has the same shape.
template <class T>
concept Contiguous = requires(const T& value) {
  typename T::value_type;
  { value.data() } -> std::convertible_to<const typename T::value_type*>;
  { value.size() } -> std::convertible_to<std::size_t>;
};

// Containers of the standard library whose elements have places of their own: map, list, deque.
template <class T>
concept StdRange = InStd<T> && requires(const T& value) {
  typename T::value_type;
  value.begin() != value.end();
  value.size();
};

template <class T>
concept StdOptional = InStd<T> && requires(const T& value) {
  value.has_value();
  *value;
};

// unique_ptr and shared_ptr; several owners are charged with the whole each.
template <class T>
concept OwningPointer = InStd<T> && requires(const T& value) {
  typename T::element_type;
  { value.get() } -> std::same_as<typename T::element_type*>;
};

template <class T>
inline constexpr bool is_vector_of_bool = false;
template <class A>
inline constexpr bool is_vector_of_bool<std::vector<bool, A>> = true;
template <class T>
inline constexpr bool is_tuple = false;
template <class... T>
inline constexpr bool is_tuple<std::tuple<T...>> = true;
template <class A, class B>
inline constexpr bool is_tuple<std::pair<A, B>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

// False where a value can hold nothing outside of itself, so that its elements need not be looked at.
template <class T>
inline constexpr bool may_hold_heap = HasSizeFunction<T> || !std::is_trivially_copyable_v<T>;

template <class T>
constexpr std::size_t heap_of(const T& value);

template <class C>
constexpr std::size_t heap_of_elements(const C& values) {
  std::size_t heap = 0;
  if constexpr (may_hold_heap<typename C::value_type>) {
    for (const auto& value : values) heap += heap_of(value);
  }
  return heap;
}

template <class T>
std::size_t heap_of_contiguous(const T& values) {
  // Short strings and arrays lie inside the object.
  const auto place = reinterpret_cast<std::uintptr_t>(values.data());
  const auto object = reinterpret_cast<std::uintptr_t>(&values);
  const bool inside = place >= object && place < object + sizeof values;
  std::size_t held = values.size();
  if constexpr (requires {
                  { values.capacity() } -> std::convertible_to<std::size_t>;
                })
    held = values.capacity();
  std::size_t heap = inside ? 0 : held * sizeof(typename T::value_type);
  if constexpr (may_hold_heap<typename T::value_type>) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(values.size()); ++i) heap += heap_of(values.data()[i]);
  }
  return heap;
}

// Bytes beside an element's own in its node: links, colour, remembered hash.
template <class C>
constexpr std::size_t node_bytes() {
  if constexpr (requires { typename C::hasher; }) {
    return 2 * sizeof(void*);
  } else if constexpr (requires { typename C::key_compare; }) {
    return 4 * sizeof(void*);
  } else if constexpr (requires(const C& values) { values[0]; }) {
    return 0;
  } else {
    return 2 * sizeof(void*);
  }
}

template <class C>
std::size_t heap_of_range(const C& values) {
  std::size_t heap = values.size() * (sizeof(typename C::value_type) + node_bytes<C>());
  if constexpr (requires { values.bucket_count(); }) heap += values.bucket_count() * sizeof(void*);
  return heap + heap_of_elements(values);
}

// Stands in for a write archive to walk over the fields that weft_fields names.
class HeapArchive {
 public:
  static constexpr bool kReading = false;
  template <class... Field>
  void operator()(const Field&... field) {
    heap_ = (heap_ + ... + heap_of(field));
  }
  std::size_t heap() const { return heap_; }

 private:
  std::size_t heap_ = 0;
};

template <class T>
concept HasHeapFields = requires(HeapArchive& archive, T& value) {
  weft_fields(archive, value);
};

template <class T>
constexpr std::size_t heap_of(const T& value) {
  if constexpr (HasSizeFunction<T>) {
    const std::size_t whole = weft_size_of(value);
    return whole > sizeof(T) ? whole - sizeof(T) : 0;
  } else if constexpr (!may_hold_heap<T>) {
    return 0;
  } else if constexpr (std::is_array_v<T>) {
    std::size_t heap = 0;
    for (const auto& element : value) heap += heap_of(element);
    return heap;
  } else if constexpr (is_vector_of_bool<T>) {
    return value.capacity() / 8;
  } else if constexpr (is_tuple<T>) {
    return std::apply([](const auto&... part) { return (std::size_t{0} + ... + heap_of(part)); }, value);
  } else if constexpr (is_variant<T>) {
    if (value.valueless_by_exception()) return 0;
    return std::visit([](const auto& part) { return heap_of(part); }, value);
  } else if constexpr (Contiguous<T>) {
    return heap_of_contiguous(value);
  } else if constexpr (StdRange<T>) {
    return heap_of_range(value);
  } else if constexpr (StdOptional<T>) {
    return value.has_value() ? heap_of(*value) : 0;
  } else if constexpr (OwningPointer<T>) {
    if constexpr (std::is_array_v<typename T::element_type> || std::is_void_v<typename T::element_type>)
      return 0;
    else
      return value ? size_of(*value) : 0;
  } else if constexpr (HasHeapFields<T>) {
    HeapArchive archive;
    weft_fields(archive, const_cast<T&>(value));
    return archive.heap();
  } else if constexpr (PlainStruct<T>) {
    return with_fields(value, [](const auto&... field) { return (std::size_t{0} + ... + heap_of(field)); });
  } else {
    return 0;
  }
}

}  // namespace detail

template <class T>
constexpr std::size_t size_of(const T& value) {
  return sizeof(T) + detail::heap_of(value);
}

}  // namespace weft
