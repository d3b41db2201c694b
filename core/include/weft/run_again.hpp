#pragma once

#include <weft/future.hpp>

#include <functional>
#include <optional>

// `client.retry`. Part of <weft/client.hpp>, which includes it.

namespace weft {

namespace detail {

/// A failed future as an argument: its failure must not pass on to the task that looks at it.
template <class T>
struct FailedTask {
  Future<T> future;
};
/// Says that it has no inputs. It stays where its task's record is, so checking transfers leaves it alone, as all
/// arguments that tell their handles.
template <class T, class Visit>
void weft_handles(const FailedTask<T>&, Visit&&) {}
/// Runs the task of a failed future again on this slot and moves its result into `result`, of its own type.
void run_again(const Handle& failed, const ValueType& type, const std::function<void(void*)>& take);

/// Where tasks run in other processes: describes the call of a failed future's task once more. Elsewhere an empty
/// handle: there its record can be run again as it is, which asks for no encoding.
Handle describe_again(const Handle& failed);

struct RunAgain {
  template <class T>
  T operator()(const FailedTask<T>& failed) const {
    std::optional<T> value;
    run_again(failed.future, value_type<T>, [&](void* result) { value.emplace(std::move(*static_cast<T*>(result))); });
    return std::move(*value);
  }
};

}  // namespace detail

/// Goes no further than the record it names.
template <class T>
inline constexpr bool local_only<detail::FailedTask<T>> = true;

}  // namespace weft
