#include "mpi_launch/control/messages.hpp"

#include <weft/codecs.hpp>
#include <weft/codecs_by_key.hpp>
#include <weft/encode.hpp>

namespace weft::launch {

// More fields than the automatic encoding takes.
template <class Archive>
void weft_fields(Archive& archive, NodeFacts& facts) {
  archive(facts.host, facts.cores, facts.cores_source, facts.hidden_cores, facts.processors, facts.memory_bytes,
          facts.memory_source, facts.gpus, facts.gpus_source, facts.numa_nodes, facts.numa_source, facts.scratch,
          facts.scratch_note, facts.scratch_problem, facts.fast_networks, facts.fast_network_problem);
}

namespace {

template <class T>
std::string bytes_of(const T& value) {
  Writer writer;
  encode(writer, value);
  return {reinterpret_cast<const char*>(writer.data()), writer.size()};
}

template <class T>
T value_of(std::string_view bytes) {
  Reader reader(bytes.data(), bytes.size());
  return decode<T>(reader);
}

}  // namespace

std::string encode_message(const ToHub& message) { return bytes_of(message); }
std::string encode_message(const ToSupervisor& message) { return bytes_of(message); }
ToHub decode_to_hub(std::string_view frame) { return value_of<ToHub>(frame); }
ToSupervisor decode_to_supervisor(std::string_view frame) { return value_of<ToSupervisor>(frame); }
std::string encode_orders(const WorkerOrders& orders) { return bytes_of(orders); }
WorkerOrders decode_orders(std::string_view bytes) { return value_of<WorkerOrders>(bytes); }

}  // namespace weft::launch
