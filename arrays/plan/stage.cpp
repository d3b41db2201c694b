#include "arrays/plan/stage.hpp"

namespace weft {

void Codec<arrays::lowering::StageReference>::write(Writer& writer, const arrays::lowering::StageReference& reference) {
  const arrays::lowering::Stage& stage = *reference.stage;
  weft::encode(writer, stage.kind);
  weft::encode(writer, stage.grid);
  weft::encode(writer, stage.type);
  weft::encode(writer, stage.unit);
  weft::encode(writer, stage.sources);
  weft::encode(writer, stage.program);
  weft::encode(writer, stage.reduce);
  weft::encode(writer, stage.kokkos);
  weft::encode(writer, stage.square);
  weft::encode(writer, stage.device);
  weft::encode(writer, stage.structure != nullptr);
  if (stage.structure != nullptr) {
    encode_address(writer, stage.structure->type);
    stage.structure->type->encode(stage.structure->parameters.get(), writer);
  }
}

void Codec<arrays::lowering::StageReference>::read(Reader& reader, arrays::lowering::StageReference& reference) {
  auto stage = std::make_shared<arrays::lowering::Stage>();
  stage->kind = weft::decode<std::uint8_t>(reader);
  stage->grid = weft::decode<arrays::expression::Grid>(reader);
  stage->type = weft::decode<TypeCode>(reader);
  stage->unit = weft::decode<TimeUnit>(reader);
  stage->sources = weft::decode<std::vector<arrays::lowering::Source>>(reader);
  stage->program = weft::decode<arrays::lowering::Program>(reader);
  stage->reduce = weft::decode<arrays::expression::ReduceSpec>(reader);
  stage->kokkos = weft::decode<bool>(reader);
  stage->square = weft::decode<bool>(reader);
  stage->device = weft::decode<std::uint8_t>(reader);
  if (weft::decode<bool>(reader)) {
    auto structure = std::make_shared<arrays::expression::Structure>();
    structure->type = static_cast<const arrays::expression::StructureType*>(decode_address(reader));
    structure->parameters = structure->type->decode(reader);
    stage->structure = std::move(structure);
  }
  reference.stage = std::move(stage);
}

}  // namespace weft
