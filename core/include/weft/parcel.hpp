#pragma once

#include <weft/client.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

// Values on their way through named objects, and the futures inside of them. Part of <weft/coordination.hpp>.

namespace weft::detail {

/// Stands at the site of a result that another process makes.
template <class T>
struct ArrivesFromAfar {
  [[noreturn]] T operator()() const { throw_empty(std::source_location::current()); }
};
/// Returns the site of results of this type that come from another process.
template <class T>
std::uint32_t site_of_arrivals(const std::source_location& where = std::source_location::current()) {
  return find_site(latest_site<ArrivesFromAfar<T>>, task_type<ArrivesFromAfar<T>>, where);
}

template <class T>
inline constexpr bool holds_handles = has_handles<T> || tells_handles<T>;

[[noreturn]] void refuse_described(std::string_view type);

/// What is to be known of a value's type for the futures in it. One constant per type that holds some.
struct FuturesOfType {
  /// Writes the value but for its futures; null where it cannot travel.
  void (*write)(const void* value, Writer& writer);
  /// Appends its futures, in their order.
  void (*collect)(const void* value, std::vector<Handle>& futures);
};

template <class T>
constexpr FuturesOfType make_futures_of_type() {
  FuturesOfType type{};
  if constexpr (argument_travels<T>)
    type.write = [](const void* value, Writer& writer) {
      ArgumentCodec<T>::write(writer, *static_cast<const T*>(value));
    };
  type.collect = [](const void* value, std::vector<Handle>& futures) {
    auto collect = [&]<class H>(const H& handle) {
      if constexpr (requires { H::adopt(TaskId{}); }) refuse_described(type_name<T>());
      futures.push_back(handle);
    };
    visit_handles(*static_cast<const T*>(value), collect);
  };
  return type;
}
template <class T>
inline constexpr FuturesOfType futures_of_type = make_futures_of_type<T>();

/// While it exists, handles are read as empty ones, this many at most: who reads puts the futures in afterwards.
/// Owns: nothing.  Threading: one at a time in a thread, and none of DecodedInputs beside it.
class EmptyHandles {
 public:
  explicit EmptyHandles(std::size_t count) noexcept;
  EmptyHandles(const EmptyHandles&) = delete;
  EmptyHandles& operator=(const EmptyHandles&) = delete;
  ~EmptyHandles();
};

/// A value that a named object keeps: as it is where it was made, as its encoding where another process sent it.
/// Owns: a share of the value (shared, because variables give it to many), and the futures in it.
/// Threading: as a shared_ptr.
class Parcel {
 public:
  Parcel() = default;
  template <class T>
  static Parcel of(T value) {
    Parcel parcel;
    parcel.value_ = std::make_shared<T>(std::move(value));
    parcel.type_ = &value_type<T>;
    if constexpr (holds_handles<T>) parcel.futures_of_ = &futures_of_type<T>;
    return parcel;
  }
  /// Takes the value out; whoever else has a share sees what is left of it.
  template <class T>
  T take() {
    if (value_ != nullptr) return std::move(*static_cast<T*>(value_.get()));
    return decoded<T>();
  }
  template <class T>
  T copy() const {
    if (value_ != nullptr) return *static_cast<const T*>(value_.get());
    return decoded<T>();
  }

  bool empty() const { return value_ == nullptr && bytes_ == nullptr; }
  /// Writes the value but for its futures. Throws Error where its type does not travel.
  void write(Writer& writer) const;
  /// Appends the value's futures, in their order. Throws Error if one of them is empty, or only described.
  void collect(std::vector<Handle>& futures) const;
  /// Reads what `write` wrote elsewhere. `futures`: what they are in this process.
  static Parcel read(Reader& reader, std::vector<Handle> futures = {});
  /// Of a parcel from the client's process, read in another one: the numbers under which that gives its futures' ends.
  void offer(std::vector<std::uint64_t> offers) { offers_ = std::move(offers); }
  /// Futures that are decoded are those of this client.
  void belong_to(std::uint32_t client) { client_ = client; }

 private:
  template <class T>
  T decoded() const {
    if constexpr (holds_handles<T> && argument_travels<T>) {
      T value = read_without_futures<T>();
      std::size_t next = 0;
      auto put = [&]<class H>(const H& handle) {
        if constexpr (requires { H::adopt(TaskId{}, std::uint32_t{}); }) {
          const TaskId task = task_of_future(next++, site_of_arrivals<typename HandleValue<H>::type>());
          const_cast<H&>(handle) = H::adopt(task, client_);
        }
      };
      visit_handles(std::as_const(value), put);
      return value;
    } else if constexpr (Travels<T>) {
      Reader reader(text().data(), text().size());
      return decode<T>(reader);
    } else {
      refuse(type_name<T>());
    }
  }
  template <class T>
  T read_without_futures() const {
    Reader reader(text().data(), text().size());
    const EmptyHandles empty(futures_.size() + offers_.size());
    return ArgumentCodec<T>::read(reader);
  }
  /// Returns the task of a future that came along, with a use that the caller owns. `site`: its kind.
  TaskId task_of_future(std::size_t index, std::uint32_t site) const;
  const std::string& text() const;
  [[noreturn]] static void refuse(std::string_view type);

  std::shared_ptr<void> value_;
  const ValueType* type_ = nullptr;
  const FuturesOfType* futures_of_ = nullptr;  // null: the type holds none
  std::shared_ptr<const std::string> bytes_;
  // Of one that was read: its futures, in the client's process and elsewhere.
  std::vector<Handle> futures_;
  std::vector<std::uint64_t> offers_;
  std::uint32_t client_ = 0;
};

}  // namespace weft::detail
