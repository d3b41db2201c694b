#pragma once

// How maps and sets travel. Part of <weft/encode.hpp>, which includes it.

#include <weft/encode.hpp>

#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace weft {

namespace detail {

template <class C>
concept IsMap = requires {
  typename C::mapped_type;
};

/// What an element of a map or set is made of: keys are const inside the container.
template <class C>
struct ElementOf {
  using type = typename C::key_type;
};
template <IsMap C>
struct ElementOf<C> {
  using type = std::pair<typename C::key_type, typename C::mapped_type>;
};

template <class C>
const typename C::key_type& key_of(const typename C::value_type& element) {
  if constexpr (IsMap<C>) {
    return element.first;
  } else {
    return element;
  }
}

/// A map or set. Those without an order are written in the order of their keys where keys have one, so that equal
/// containers have equal bytes.
template <class C, bool kOrdered>
struct AssociativeCodec {
  using Element = typename ElementOf<C>::type;

  static void write_element(Writer& writer, const typename C::value_type& element) {
    if constexpr (IsMap<C>) {
      write_value(writer, element.first);
      write_value(writer, element.second);
    } else {
      write_value(writer, element);
    }
  }
  static void write(Writer& writer, const C& values) {
    writer.count(values.size());
    using Key = typename C::key_type;
    if constexpr (!kOrdered && requires(const Key& a, const Key& b) {
                    { a < b } -> std::convertible_to<bool>;
                  }) {
      using Value = typename C::value_type;
      auto before = [](const Value* a, const Value* b) { return key_of<C>(*a) < key_of<C>(*b); };
      std::multiset<const Value*, decltype(before)> sorted;
      for (const Value& value : values) sorted.insert(&value);
      for (const Value* value : sorted) write_element(writer, *value);
    } else {
      for (const auto& value : values) write_element(writer, value);
    }
  }
  static void read(Reader& reader, C& values) {
    const std::size_t count = reader.elements(least_bytes<typename C::key_type>(), type_name<C>());
    for (std::size_t i = 0; i < count; ++i) {
      Element element{};
      if constexpr (IsMap<C>) {
        read_value(reader, element.first);
        read_value(reader, element.second);
      } else {
        read_value(reader, element);
      }
      values.insert(values.end(), std::move(element));
    }
  }
};

}  // namespace detail

// Only comparisons and hashes without state: the reader makes its own.
template <class K, class V, class L, class A>
requires std::is_empty_v<L>
struct Codec<std::map<K, V, L, A>> : detail::AssociativeCodec<std::map<K, V, L, A>, true> {
  using Parts = Types<K, V>;
};
template <class K, class V, class L, class A>
requires std::is_empty_v<L>
struct Codec<std::multimap<K, V, L, A>> : detail::AssociativeCodec<std::multimap<K, V, L, A>, true> {
  using Parts = Types<K, V>;
};
template <class K, class L, class A>
requires std::is_empty_v<L>
struct Codec<std::set<K, L, A>> : detail::AssociativeCodec<std::set<K, L, A>, true> {
  using Parts = Types<K>;
};
template <class K, class L, class A>
requires std::is_empty_v<L>
struct Codec<std::multiset<K, L, A>> : detail::AssociativeCodec<std::multiset<K, L, A>, true> {
  using Parts = Types<K>;
};
template <class K, class V, class H, class E, class A>
requires(std::is_empty_v<H>&& std::is_empty_v<E>) struct Codec<std::unordered_map<K, V, H, E, A>>
    : detail::AssociativeCodec<std::unordered_map<K, V, H, E, A>, false> {
  using Parts = Types<K, V>;
};
template <class K, class H, class E, class A>
requires(std::is_empty_v<H>&& std::is_empty_v<E>) struct Codec<std::unordered_set<K, H, E, A>>
    : detail::AssociativeCodec<std::unordered_set<K, H, E, A>, false> {
  using Parts = Types<K>;
};

}  // namespace weft
