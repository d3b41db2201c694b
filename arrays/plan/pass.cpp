// Programs for execution spaces: what TileWalk found, made flat.
#include "arrays/kernels/spaces/spaces.hpp"
#include "arrays/plan/generate.hpp"
#include "arrays/plan/tile_walk.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace weft::arrays::lowering {
namespace {

using kernels::Pass;
using kernels::PassConstant;
using kernels::PassOperand;
using kernels::PassStep;

bool plain(TypeCode type) { return type != TypeCode::Complex64 && type != TypeCode::Complex128; }

/// Writes a generator into its operand; false where spaces other than the host's do not know it.
bool flatten_generator(const Generator& generator, PassOperand& operand) {
  const bool real = generator.type == TypeCode::Float64 || generator.type == TypeCode::Float32;
  if (generator.kind != Generator::Uniform || !real) return false;
  operand.seed = generator.seed;
  operand.low = std::bit_cast<double>(generator.words[0]);
  operand.high = std::bit_cast<double>(generator.words[1]);
  return true;
}

/// Writes an instruction; false where spaces other than the host's do not know it.
bool flatten_step(const Program& program, const Instruction& instruction, Pass& pass, PassStep& step) {
  step.type = instruction.type;
  step.out_type = program.registers[instruction.out];
  step.out = static_cast<std::uint8_t>(instruction.out);
  step.a = static_cast<std::uint8_t>(instruction.a);
  step.b = static_cast<std::uint8_t>(instruction.b);
  step.c = static_cast<std::uint8_t>(instruction.c);
  step.op = instruction.op;
  switch (static_cast<Instruction::Kind>(instruction.kind)) {
    case Instruction::Apply:
      step.kind = PassStep::Apply;
      return plain(step.type) && plain(step.out_type);
    case Instruction::Cast:
      step.kind = PassStep::Cast;
      return plain(step.type) && plain(step.out_type);
    case Instruction::Load:
      step.kind = PassStep::Load;
      step.operand = static_cast<std::uint8_t>(instruction.index);
      return plain(step.type);
    case Instruction::Generate:
      step.kind = PassStep::Uniform;
      step.operand = static_cast<std::uint8_t>(program.loads.size() + instruction.index);
      return flatten_generator(program.generated[instruction.index].generator, pass.operands[step.operand]);
    case Instruction::User:
      return false;
  }
  return false;
}

bool fits(const Program& program) {
  if (program.code.size() > kernels::kPassSteps || program.registers.size() > kernels::kPassRegisters) return false;
  if (program.constants.size() > kernels::kPassConstants) return false;
  return program.loads.size() + program.generated.size() + 2 <= kernels::kPassOperands;
}

/// The instructions of a program by the kernels of tiles.
/// Owns: nothing; the program outlives it.  Threading: any thread.
class TileSteps final : public kernels::HostSteps {
 public:
  explicit TileSteps(const Program& program) : program_(program) {}

  void run(int number, void* out, const void* const (&operands)[3], std::int64_t first, std::int64_t step,
           std::size_t n) const override {
    const Instruction& instruction = program_.code[static_cast<std::size_t>(number)];
    switch (static_cast<Instruction::Kind>(instruction.kind)) {
      case Instruction::Apply:
        return kernels::elementwise_kernel(instruction.op, instruction.type)(out, operands[0], operands[1], operands[2],
                                                                             n);
      case Instruction::Cast:
        return kernels::cast_kernel(program_.registers[instruction.out], instruction.type)(out, operands[0], n);
      case Instruction::User: {
        const detail::UserFunction& function = program_.functions[instruction.index];
        return function.kernel->tile(function.callable.get(), out, operands, n);
      }
      case Instruction::Generate: {
        double scratch[TileWalk::kTile];
        return generate_tile(program_.generated[instruction.index].generator, first, step, n, out, scratch);
      }
      case Instruction::Load:
        return;
    }
  }

 private:
  const Program& program_;
};

}  // namespace

bool TileWalk::flatten(Pass& pass, const kernels::HostSteps* host) const {
  if (axes_.size() > kernels::kPassAxes || !fits(program_)) return false;
  const auto& types = program_.registers;
  if (host == nullptr && !std::all_of(types.begin(), types.end(), plain)) return false;
  pass.axes = static_cast<std::int32_t>(axes_.size());
  pass.line = line_;
  pass.host = host;
  for (std::size_t axis = 0; axis < axes_.size(); ++axis) {
    pass.extents[axis] = axes_[axis].extent;
    for (std::size_t i = 0; i < bases_.size(); ++i) pass.operands[i].moves[axis] = axes_[axis].moves[i];
  }
  for (std::size_t i = 0; i < bases_.size(); ++i) pass.operands[i].base = bases_[i];
  for (std::size_t i = 0; i < loaded_.size(); ++i) pass.operands[i].first = loaded_[i].first;
  for (const Instruction& instruction : program_.code) {
    PassStep& step = pass.code[pass.steps++];
    if (flatten_step(program_, instruction, pass, step) || step.kind == PassStep::Load) continue;
    if (host == nullptr) return false;
    step.kind = PassStep::OfHost;
  }
  for (const Constant& constant : program_.constants) {
    pass.constant[pass.constants++] =
        PassConstant{{constant.words[0], constant.words[1]}, constant.type, static_cast<std::uint8_t>(constant.out)};
  }
  pass.result = static_cast<std::uint8_t>(program_.result);
  pass.type = program_.registers[program_.result];
  pass.output = static_cast<std::uint8_t>(bases_.size() - 2);
  pass.place = static_cast<std::uint8_t>(bases_.size() - 1);
  pass.used = static_cast<std::uint8_t>(bases_.size());
  pass.registers = static_cast<std::uint8_t>(program_.registers.size());
  pass.width = 1;
  for (const TypeCode type : program_.registers) {
    pass.width = std::max(pass.width, static_cast<std::uint8_t>(Dtype(type).size()));
  }
  return true;
}

bool TileWalk::write_in_space(std::byte* out) const {
  Pass pass;
  const TileSteps steps(program_);
  if (!kernels::has_host_space() || !flatten(pass, &steps)) return false;
  kernels::write_in_host_space(pass, out);
  return true;
}

bool TileWalk::fold_in_space(const kernels::ReduceState& state) const {
  Pass pass;
  const TileSteps steps(program_);
  if (!kernels::has_host_space() || !flatten(pass, &steps)) return false;
  kernels::fold_in_host_space(pass, stage_.reduce.code, state);
  return true;
}

}  // namespace weft::arrays::lowering
