#pragma once

#include <weft/buffer.hpp>
#include <weft/encode.hpp>
#include <weft/size_of.hpp>
#include <weft/task_record.hpp>

#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace weft {

/// What a task that returns void gives.
struct Nothing {
  friend constexpr bool operator==(Nothing, Nothing) { return true; }
};

/// What the runtime must know of a result's type. One constant per type.
struct ValueType {
  std::size_t size;
  std::size_t align;
  /// Lies inside the task record: small, and nothing to destroy.
  bool in_record;
  /// Holds nothing beside its `size` bytes, so that its size is known before it exists.
  bool fixed_size;
  void (*destroy)(void* value) noexcept;
  /// Returns the bytes the value holds, its heap included.
  std::size_t (*size_of)(const void* value);
  /// Null where the type cannot travel.
  void (*encode)(const void* value, Writer& writer);
  void (*decode)(void* place, Reader& reader);
  /// Where the bytes of a value that is one block lie, so that they are spilled without a copy; else null.
  const PayloadOps* payload;
  /// Returns the type's spelling; taken from the compiler.
  const char* (*name)();
};

/// A result that does not fit its record: a header in front of the value.
struct alignas(16) Box {
  const ValueType* type;
  /// What the memory budget was charged for it.
  std::size_t charged_bytes;
  /// What ties a value that may be spilled to the object store, else null.
  void* held;

  void* value() noexcept;
};

namespace detail {

template <class T>
inline constexpr bool lies_in_record =
    sizeof(T) <= 16 && alignof(T) <= 8 && std::is_trivially_destructible_v<T>&& std::is_trivially_copyable_v<T>;

template <class T>
const char* spelled_name() {
  return __PRETTY_FUNCTION__;
}

template <class T>
constexpr ValueType make_value_type() {
  ValueType type{};
  type.size = sizeof(T);
  type.align = alignof(T);
  type.in_record = lies_in_record<T>;
  type.fixed_size = std::is_trivially_copyable_v<T>;
  type.destroy = [](void* value) noexcept { static_cast<T*>(value)->~T(); };
  type.size_of = [](const void* value) -> std::size_t { return weft::size_of(*static_cast<const T*>(value)); };
  if constexpr (Travels<T>) {
    type.encode = [](const void* value, Writer& writer) { weft::encode(writer, *static_cast<const T*>(value)); };
    type.decode = [](void* place, Reader& reader) { ::new (place) T(weft::decode<T>(reader)); };
  }
  type.payload = payload_ops<T>;
  type.name = &spelled_name<T>;
  return type;
}

}  // namespace detail

template <class T>
inline constexpr ValueType value_type = detail::make_value_type<T>();

inline void* Box::value() noexcept {
  const std::size_t at = (sizeof(Box) + type->align - 1) / type->align * type->align;
  return reinterpret_cast<std::byte*>(this) + at;
}

/// Returns where a result of this size lies inside a record: at the payload's end.
constexpr std::size_t result_offset(std::size_t size, bool in_record) {
  return TaskRecord::kPayloadBytes - (in_record && size > 8 ? 16 : 8);
}

}  // namespace weft
