#pragma once

#include <weft/callable.hpp>

#include <cmath>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

// What the tasks of a Bag need of keys and of the user's callables. Part of <weft/bag.hpp>, which includes it.

namespace weft::detail {

/// Holds a user's callable so that a functor of weft around it travels whenever the callable itself does: function
/// pointers and capturing lambdas inside of a struct would otherwise go as bare bytes.
/// Owns: the callable.  Threading: constant.
template <class F>
struct Carried {
  [[no_unique_address]] F function;

  template <class... A>
  decltype(auto) operator()(A&&... arguments) const {
    return function(std::forward<A>(arguments)...);
  }
};

/// One that is not empty and may lack a default value: its bytes, which are a callable once they have been read.
template <class F>
requires(CallableTraits<F>::kind == CallableKind::Bytes) struct Carried<F> {
  alignas(F) std::byte bytes[sizeof(F)] = {};

  Carried() = default;
  Carried(const F& function) { std::memcpy(bytes, &function, sizeof function); }
  const F& function() const { return *std::launder(reinterpret_cast<const F*>(bytes)); }
  template <class... A>
  decltype(auto) operator()(A&&... arguments) const {
    return function()(std::forward<A>(arguments)...);
  }
};

template <class Archive, class F>
void weft_fields(Archive& archive, Carried<F>& carried) {
  if constexpr (Archive::kReading) {
    carried = Carried<F>{decode_callable<F>(archive.reader())};
  } else if constexpr (CallableTraits<F>::kind == CallableKind::Bytes) {
    encode_callable(archive.writer(), carried.function(), SourceLine());
  } else {
    encode_callable(archive.writer(), carried.function, SourceLine());
  }
}

template <class F>
Carried<std::decay_t<F>> carry(F&& function) {
  require_callable_travels<std::decay_t<F>>();
  return Carried<std::decay_t<F>>{std::forward<F>(function)};
}

/// Gives an element itself as its key.
struct Itself {
  template <class T>
  const T& operator()(const T& value) const {
    return value;
  }
};

// --- Keys ------------------------------------------------------------------------------------------------------------

inline std::uint64_t mix_hash(std::uint64_t seed, std::uint64_t value) {
  std::uint64_t mixed = (seed ^ value) + 0x9e3779b97f4a7c15u;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9u;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebu;
  return mixed ^ (mixed >> 31);
}

template <class T>
concept HasStdHash = requires(const T& value) {
  std::hash<T>{}(value);
};

/// Returns a number that equal keys share, the same in all processes of one binary.
template <class T>
std::uint64_t hash_key(const T& key) {
  if constexpr (HasStdHash<T>) {
    return mix_hash(0, std::hash<T>{}(key));
  } else if constexpr (requires { std::tuple_size<T>::value; }) {
    return std::apply(
        [](const auto&... part) {
          std::uint64_t hash = sizeof...(part);
          ((hash = mix_hash(hash, hash_key(part))), ...);
          return hash;
        },
        key);
  } else if constexpr (requires { key.begin(), key.end(), key.size(); }) {
    std::uint64_t hash = key.size();
    for (const auto& part : key) hash = mix_hash(hash, hash_key<std::decay_t<decltype(part)>>(part));
    return hash;
  } else {
    static_assert(PlainStruct<T>,
                  "weft: this type cannot be a key: give it std::hash and operator==, or make it a struct of keys");
    return with_fields(key, [](const auto&... part) {
      std::uint64_t hash = sizeof...(part);
      ((hash = mix_hash(hash, hash_key(part))), ...);
      return hash;
    });
  }
}

template <class K>
struct KeyHash {
  std::size_t operator()(const K& key) const { return static_cast<std::size_t>(hash_key(key)); }
};

/// Where each key stands in a list that is in order of first appearance.
/// Owns: copies of the keys.  Threading: one thread.
template <class K>
class KeyIndex {
 public:
  static_assert(
      requires(const K& key) { key == key; }, "weft: a key needs operator==");

  /// Returns the place of the key, which is `next` if it was not there, and whether it was not.
  std::pair<std::size_t, bool> place(const K& key, std::size_t next) {
    const auto [at, added] = places_.try_emplace(key, next);
    return {at->second, added};
  }
  const std::size_t* find(const K& key) const {
    const auto at = places_.find(key);
    return at == places_.end() ? nullptr : &at->second;
  }

 private:
  std::unordered_map<K, std::size_t, KeyHash<K>> places_;
};

/// Orders keys; what is not a number goes before all numbers, so that the order is total.
template <class K>
bool key_less(const K& left, const K& right) {
  if constexpr (std::is_floating_point_v<K>) {
    if (std::isnan(left) || std::isnan(right)) return std::isnan(left) && !std::isnan(right);
  }
  return left < right;
}

template <class F, class T>
using KeyOf = std::decay_t<std::invoke_result_t<const F&, const T&>>;

}  // namespace weft::detail
