#include "core/simulate/check.hpp"

#include <string>

namespace weft::sim {
namespace {

void check_node(World& world, const Node& node) {
  Context& context = world.context();
  const std::string name = "worker " + std::to_string(node.id());
  const Worker& machine = node.machine();
  if (machine.unfinished_count() != 0) {
    context.violate(name + " has " + std::to_string(machine.unfinished_count()) + " unfinished packets at the end");
  }
  if (machine.reserved_bytes() != 0) {
    context.violate(name + " has " + std::to_string(machine.reserved_bytes()) + " bytes reserved at the end");
  }
  for (PacketId packet = 0; packet < context.workload.packets.size(); ++packet) {
    if (machine.knows(packet)) context.violate(name + " still knows packet " + std::to_string(packet));
  }
  if (node.executor().active_count() != 0) {
    context.violate(name + " has " + std::to_string(node.executor().active_count()) + " active packets at the end");
  }
  if (node.store().size() != 0) {
    context.violate(name + " still holds " + std::to_string(node.store().size()) + " outputs, of packet " +
                    std::to_string(node.store().first_packet()) + " first");
  }
}

}  // namespace

void check_outputs(World& world, PacketId packet, Attempt attempt, WorkerId place) {
  const std::string name = "packet " + std::to_string(packet) + " attempt " + std::to_string(attempt);
  const std::string where = place == kKeeper ? "the keeper" : "worker " + std::to_string(place);
  const Held* held = world.outputs_at(place, packet, attempt);
  if (held == nullptr) {
    world.context().violate(name + " is said to be in memory at " + where + ", which does not hold it");
  } else if (!world.is_right(packet, *held)) {
    world.context().violate(name + " at " + where + " has a wrong value");
  }
}

void check_nothing_left(World& world) {
  Context& context = world.context();
  if (world.scheduler().counts().known() != 0) {
    for (PacketId packet = 0; packet < context.workload.packets.size(); ++packet) {
      if (!world.scheduler().knows(packet)) continue;
      context.violate("the scheduler still knows packet " + std::to_string(packet) + " as " +
                      to_string(world.scheduler().state(packet)));
    }
  }
  for (WorkerId worker = 0; worker < world.node_count(); ++worker) {
    if (world.is_present(worker)) check_node(world, world.node(worker));
  }
  if (world.keeper().size() != 0) {
    context.violate("the keeper still holds " + std::to_string(world.keeper().size()) + " outputs, of packet " +
                    std::to_string(world.keeper().first_packet()) + " first");
  }
}

}  // namespace weft::sim
