#pragma once

namespace weft {

/// How a room's lazy collection is computed: a specialisation has
///   using Value = ...; static Value compute(const Client&, const T&);
///   static std::tuple<Value, ...> compute(const Client&, const T&, const T&...);   in one pass
///   static T persist(const Client&, const T&);
template <class T>
struct CollectionTraits {};

template <class T>
concept LazyCollection = requires {
  typename CollectionTraits<T>::Value;
};

}  // namespace weft
